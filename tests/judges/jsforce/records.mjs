// Upsert, query, update and delete of records, and the end of the grant.

import { conn, Connection, lead, leads, made, VERSION } from "./app.mjs";
import { BASE_URL, check, equal, holds, refused, refusedToken } from "./judge.mjs";

await check("upsert: a new key creates a Lead, a known one updates it", async () => {
  // The client puts the key into the path unescaped, so callers must escape it.
  const key = encodeURIComponent("js/2 +%?#é");
  const first = await leads.upsert({ BookingId__c: key, ...lead("新規") }, "BookingId__c");
  equal([first.success, first.created], [true, true]);
  const second = await leads.upsert({ BookingId__c: key, LastName: "変更" }, "BookingId__c");
  equal(second, { id: first.id, success: true, errors: [], created: false });
  const read = await leads.retrieve(first.id);
  equal([read.LastName, read.BookingId__c], ["変更", "js/2 +%?#é"]);
  const old = new Connection({ instanceUrl: BASE_URL, accessToken: conn.accessToken, version: "45.0" });
  // Up to version 45 the response to an update has no body, which jsforce turns into this.
  equal(await old.upsert("Lead", { BookingId__c: key, LastName: "旧" }, "BookingId__c"), { success: true, errors: [] });
  await leads.destroy(first.id);
});

await check("upsert: an unknown key field is not found", async () => {
  await refused(() => leads.upsert({ Nickname__c: "x", ...lead("不明") }, "Nickname__c"), "NOT_FOUND", {
    message: "Provided external ID field does not exist or is not accessible: Nickname__c",
  });
  await refused(() => leads.upsert(lead("不明"), "LastName"), "NOT_FOUND");
});

await check("upsert: the key must not be in the body too", async () => {
  const body = lead("二重", { BookingId__c: "js-3" });
  await refused(
    () => conn.requestPatch("/sobjects/Lead/BookingId__c/js-3", body),
    "INVALID_FIELD",
  );
});

await check("upsert: several Leads with one key are listed, and none is changed", async () => {
  const Email = "several@example.org";
  const both = await leads.create([lead("一人目", { Email }), lead("二人目", { Email })]);
  const ids = both.map((one) => one.id);
  const error = await refused(() => leads.upsert({ Email, Company: "変更" }, "Email"), "MULTIPLE_CHOICES");
  equal(error.data.toSorted(), ids.map((id) => `/services/data/v${VERSION}/sobjects/Lead/${id}`).toSorted());
  const read = await leads.retrieve(ids);
  equal(read.map((one) => one.Company), ["一人目 株式会社", "二人目 株式会社"]);
  await leads.destroy(ids);
});

await check("query: values of every kind are found", async () => {
  for (const text of ["O'Neil", 'say "hi"', "a+b", "100%", "under_score", "絵文字😀", "' OR Name != '"]) {
    const answer = await leads.create({ LastName: "検索", FirstName: text.slice(0, 20), Company: text });
    const found = await leads.find({ Company: text }, ["Id", "Company"]);
    equal(found.map((one) => [one.Id, one.Company]), [[answer.id, text]], `Leads of ${text}`);
    await leads.destroy(answer.id);
  }
  const found = await leads.find({ Email: "O'NEIL+TAG@EXAMPLE.ORG" }, ["Id"]);
  equal(found.map((one) => one.Id), [made.id], "Leads found by an uppercase address");
});

await check("query: unescaped quotes and backslashes are malformed", async () => {
  const queries = ["SELECT Id FROM Lead WHERE Company = 'O'Neil'", "SELECT Id FROM Lead WHERE", "SELECT FROM Lead"];
  for (const query of queries) await refused(() => conn.query(query), "MALFORMED_QUERY");
  // The client escapes quotes but not backslashes, so its users get this error.
  const answer = await leads.create(lead("逆", { Company: "back\\slash" }));
  await refused(() => leads.find({ Company: "back\\slash" }, ["Id"]), "MALFORMED_QUERY");
  const found = await conn.query("SELECT Id FROM Lead WHERE Company = 'back\\\\slash'");
  equal(found.records.map((one) => one.Id), [answer.id]);
  await leads.destroy(answer.id);
});

await check("query: the error names an unknown field or object", async () => {
  const field = await refused(() => conn.query("SELECT Nickname__c FROM Lead"), "INVALID_FIELD");
  holds(field.message.includes("No such column 'Nickname__c' on entity 'Lead'"), `the field in ${field.message}`);
  holds(field.message.includes("ERROR at Row:1:Column:8"), `the place in ${field.message}`);
  const object = await refused(() => conn.query("SELECT Id FROM Leed"), "INVALID_TYPE");
  holds(object.message.includes("sObject type 'Leed' is not supported"), `the object in ${object.message}`);
});

await check("query: a result is paged", async () => {
  const records = Array.from({ length: 201 }, (_, number) => lead(`頁${number}`, { City: "頁" }));
  const saved = await leads.create(records, { allowRecursive: true });
  holds(saved.every((one) => one.success), "every record of the collections to be saved");
  const ids = saved.map((one) => one.id);
  const query = "SELECT Id FROM Lead WHERE City = '頁' ORDER BY CreatedDate, Id";
  const headers = { "Sforce-Query-Options": "batchSize=200" };
  const first = await conn.query(query, { headers });
  equal([first.totalSize, first.done, first.records.length], [201, false, 200]);
  const second = await conn.queryMore(first.nextRecordsUrl);
  equal([second.totalSize, second.done, second.records.length], [201, true, 1]);
  equal(second.nextRecordsUrl, undefined, "a further page");
  const everything = await conn.query(query, { headers, autoFetch: true, maxFetch: 1000 });
  equal(everything.records.map((one) => one.Id).toSorted(), ids.toSorted());
  await leads.destroy(ids, { allowRecursive: true });
  equal((await conn.query(query)).totalSize, 0, "Leads after their deletion");
  equal((await conn.query(query, { scanAll: true })).totalSize, 201, "deleted Leads among all");
});

await check("query: an unknown locator is rejected", async () => {
  const message = "invalid query locator";
  await refused(() => conn.queryMore("01g000000000000AAA-200"), "INVALID_QUERY_LOCATOR", { message });
});

await check("update: a Lead is changed, with the same errors as on create", async () => {
  equal((await leads.update({ Id: made.id, Company: "変更後" })).success, true);
  equal((await leads.retrieve(made.id)).Company, "変更後");
  await refused(() => leads.update({ Id: made.id, Email: "x" }), "INVALID_EMAIL_ADDRESS", { fields: ["Email"] });
  await refused(() => leads.update({ Id: made.id, LastName: null }), "REQUIRED_FIELD_MISSING", {
    fields: ["LastName"],
  });
});

await check("update: an unknown id is rejected", async () => {
  await refused(() => leads.update({ Id: "00Q000000000001AAA", Company: "x" }), "NOT_FOUND");
  await refused(() => leads.retrieve("00Q00000000000!"), "MALFORMED_ID");
});

await check("method: the error for a wrong one lists those allowed", async () => {
  await refused(() => conn.requestPut("/sobjects/Lead", {}), "METHOD_NOT_ALLOWED", {
    message: "HTTP Method 'PUT' not allowed. Allowed are GET,HEAD,POST",
  });
});

await check("limits: daily calls are counted and reported with every response", async () => {
  const { DailyApiRequests: before } = await conn.limits();
  const { DailyApiRequests: after } = await conn.limits();
  equal(after, { Max: before.Max, Remaining: before.Remaining - 1 });
  equal(conn.limitInfo.apiUsage, { used: after.Max - after.Remaining, limit: after.Max }, "the limit header");
});

await check("delete: a Lead is deleted, and cannot be deleted twice", async () => {
  equal(await leads.destroy(made.id), { id: made.id, success: true, errors: [] });
  await refused(() => leads.destroy(made.id), "ENTITY_IS_DELETED", { message: "entity is deleted" });
  await refused(() => leads.retrieve(made.id), "NOT_FOUND");
});

await check("revoke: every token of the grant stops working", async () => {
  const { accessToken, refreshToken, oauth2 } = conn;
  await conn.logout(true);
  const dead = new Connection({ instanceUrl: BASE_URL, accessToken, version: VERSION });
  await refused(() => dead.query("SELECT Id FROM Lead"), "INVALID_SESSION_ID");
  const message = "expired access/refresh token";
  await refusedToken(() => oauth2.refreshToken(refreshToken), "invalid_grant", message);
  // The client expects this endpoint to respond with a form, which it does not.
  const body = JSON.stringify({ error: "invalid_token", error_description: "Token was invalid" });
  await refusedToken(() => oauth2.revokeToken(refreshToken), "ERROR_HTTP_400", body);
});
