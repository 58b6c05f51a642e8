// jsforce, run against the org that the environment names: every check says what Salesforce would answer.

import { createRequire } from "node:module";

import { BASE_URL, admin, check, equal, finish, holds, refused, refusedToken, visit } from "./judge.mjs";

// The packages are installed in the folder that this is run in, away from the sources.
const { Connection, OAuth2 } = createRequire(`${process.cwd()}/`)("jsforce");

const VERSION = "67.0";

const app = {
  loginUrl: BASE_URL,
  clientId: process.env.CLIENT_ID,
  clientSecret: process.env.CLIENT_SECRET,
  redirectUri: process.env.REDIRECT_URI,
  useVerifier: true,
};

/** Walks the pages as jsforce's users do: its address, with PKCE, of which it names no method. */
async function authorize(oauth2) {
  const back = await visit(oauth2.getAuthorizationUrl({ scope: "api refresh_token id", state: "st/ate==" }));
  equal(back.searchParams.get("state"), "st/ate==", "the state");
  return back.searchParams.get("code");
}

async function connect(options = {}) {
  const oauth2 = new OAuth2(app);
  const conn = new Connection({ oauth2, version: VERSION, ...options });
  await conn.authorize(await authorize(oauth2));
  return conn;
}

const conn = await connect();
const leads = conn.sobject("Lead");
const made = {};

const lead = (name, more = {}) => ({ LastName: name, Company: `${name} 株式会社`, ...more });

await check("versions: the list needs no token", async () => {
  const versions = await new Connection({ instanceUrl: BASE_URL }).request("/services/data");
  const newest = versions.at(-1);
  equal(newest.url, `/services/data/v${newest.version}`, "the newest version's path");
  holds(versions.some((one) => one.version === VERSION), `version ${VERSION}`);
});

await check("versions: one that does not exist is not found", async () => {
  const unknown = new Connection({ instanceUrl: BASE_URL, accessToken: conn.accessToken, version: "99.0" });
  await refused(() => unknown.describe("Lead"), "NOT_FOUND", { message: "The requested resource does not exist" });
});

await check("code grant: a code buys tokens once", async () => {
  const oauth2 = new OAuth2(app);
  const code = await authorize(oauth2);
  const bought = await oauth2.requestToken(code);
  equal([bought.token_type, bought.instance_url], ["Bearer", BASE_URL]);
  holds(bought.refresh_token && bought.id.startsWith(`${BASE_URL}/id/00D`), "a refresh token and an identity");
  holds(/^\d+$/.test(bought.issued_at), "the time of issue as a text of milliseconds");
  await refusedToken(() => oauth2.requestToken(code), "invalid_grant", "expired authorization code");
});

await check("code grant: a wrong verifier is refused", async () => {
  const code = await authorize(new OAuth2(app));
  await refusedToken(() => new OAuth2(app).requestToken(code), "invalid_request", "invalid code verifier");
});

await check("code grant: a wrong secret is refused", async () => {
  const oauth2 = new OAuth2({ ...app, clientSecret: "wrong" });
  const code = await authorize(oauth2);
  await refusedToken(() => oauth2.requestToken(code), "invalid_client", "invalid client credentials");
});

await check("code grant: the client learns who connected", async () => {
  holds(conn.userInfo.organizationId.startsWith("00D") && conn.userInfo.id.startsWith("005"), "ids of org and user");
  equal(conn.instanceUrl, BASE_URL, "the instance");
});

await check("refresh grant: a new access token works", async () => {
  const fresh = await conn.oauth2.refreshToken(conn.refreshToken);
  holds(!("refresh_token" in fresh), "no refresh token where the app rotates none");
  const other = new Connection({ instanceUrl: fresh.instance_url, accessToken: fresh.access_token, version: VERSION });
  equal((await other.query("SELECT count() FROM Lead")).done, true);
});

await check("refresh grant: an unknown token is refused", async () => {
  await refusedToken(
    () => conn.oauth2.refreshToken("5Aep861wrong"),
    "invalid_grant",
    "expired access/refresh token",
  );
});

await check("expired session: the client connects anew by itself", async () => {
  const before = conn.accessToken;
  const refreshed = [];
  conn.on("refresh", (token, answer) => refreshed.push([token, answer.token_type]));
  await admin("/tokens/expire");
  // Several calls at once meet the expired session, and one refresh serves them all.
  const counts = await Promise.all([1, 2, 3].map(() => conn.query("SELECT count() FROM Lead")));
  equal(counts.map((one) => one.done), [true, true, true]);
  equal(refreshed, [[conn.accessToken, "Bearer"]], "the refresh events");
  holds(conn.accessToken !== before, "another access token than the one that had expired");
  conn.removeAllListeners("refresh");
});

await check("expired session: without a way to connect anew it is an error", async () => {
  const bare = new Connection({ instanceUrl: BASE_URL, accessToken: "00D000000000000!expired", version: VERSION });
  const message = "Session expired or invalid";
  await refused(() => bare.query("SELECT Id FROM Lead"), "INVALID_SESSION_ID", { message });
  await refused(() => bare.create("Lead", lead("期限切れ")), "INVALID_SESSION_ID", { message });
});

await check("client credentials: a token without a person", async () => {
  const machine = new Connection({ oauth2: new OAuth2({ ...app, useVerifier: false }), version: VERSION });
  await machine.authorize({ grant_type: "client_credentials" });
  equal((await machine.query("SELECT count() FROM Lead")).done, true);
  equal(machine.refreshToken, undefined, "the refresh token");
});

await check("identity: the user behind the token", async () => {
  const user = await conn.identity();
  equal([user.organization_id, user.user_id], [conn.userInfo.organizationId, conn.userInfo.id]);
  equal(user.organization_id.length, 18, "the length of an id");
});

await check("organisation: a query of its record", async () => {
  const { records } = await conn.query("SELECT Id, IsSandbox, OrganizationType FROM Organization");
  equal(records.map((one) => [one.Id, one.IsSandbox]), [[conn.userInfo.organizationId, false]]);
});

await check("describe: the objects of the org", async () => {
  const listed = await conn.describeGlobal();
  const found = listed.sobjects.filter((one) => one.name === "Lead");
  equal(found.map((one) => [one.keyPrefix, one.createable]), [["00Q", true]]);
  equal([listed.encoding, listed.maxBatchSize], ["UTF-8", 200]);
});

await check("describe: the fields of Lead", async () => {
  const described = await conn.describe("Lead");
  const fields = Object.fromEntries(described.fields.map((field) => [field.name, field]));
  holds(described.fields.every((field) => Object.keys(field).length === 57), "57 keys of every field");
  const required = described.fields
    .filter((f) => f.createable && !f.nillable && !f.defaultedOnCreate && f.type !== "boolean")
    .map((f) => f.name);
  equal(required, ["LastName", "Company"], "the required fields");
  equal([fields.BookingId__c.externalId, fields.BookingId__c.unique], [true, true]);
  equal([fields.MeetingType__c.type, fields.MeetingType__c.restrictedPicklist], ["picklist", true]);
  equal(fields.MeetingType__c.picklistValues.map((one) => one.value), ["Demo", "Interview"]);
});

await check("describe: an unknown object is not found", async () => {
  await refused(() => conn.describe("Leed"), "NOT_FOUND", { message: "The requested resource does not exist" });
});

await check("create: a Lead with every kind of text", async () => {
  const record = lead("山田", {
    FirstName: "太郎",
    Email: "o'neil+tag@example.org",
    MeetingType__c: "Demo",
    MeetingAt__c: "2026-09-13T10:00:00+09:00",
    BookingId__c: "js-1",
  });
  const answer = await leads.create(record);
  equal([answer.success, answer.errors, answer.id.length], [true, [], 18]);
  made.id = answer.id;
  const read = await leads.retrieve(answer.id);
  equal([read.LastName, read.Email], ["山田", "o'neil+tag@example.org"]);
  equal(read.MeetingAt__c, "2026-09-13T01:00:00.000+0000", "the date-time in UTC");
  equal(read.attributes.url, `/services/data/v${VERSION}/sobjects/Lead/${answer.id}`);
});

await check("create: required fields that are missing are named together", async () => {
  await refused(() => leads.create({ FirstName: "太郎" }), "REQUIRED_FIELD_MISSING", {
    fields: ["LastName", "Company"],
    message: "Required fields are missing: [LastName, Company]",
  });
  await refused(() => leads.create({ LastName: "山田", Company: "" }), "REQUIRED_FIELD_MISSING", {
    fields: ["Company"],
  });
});

await check("create: a text that is too long is refused", async () => {
  const long = "長".repeat(81);
  await refused(() => leads.create(lead("長", { LastName: long })), "STRING_TOO_LONG", {
    fields: ["LastName"],
    message: `Last Name: data value too large: ${long} (max length=80)`,
  });
});

await check("create: a bad e-mail address is refused", async () => {
  await refused(() => leads.create(lead("悪い宛先", { Email: "not an email" })), "INVALID_EMAIL_ADDRESS", {
    fields: ["Email"],
    message: "Email: invalid email address: not an email",
  });
});

await check("create: a value outside a restricted picklist is refused", async () => {
  const record = lead("選択外", { MeetingType__c: "Party" });
  await refused(() => leads.create(record), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", {
    fields: ["MeetingType__c"],
    message: "Meeting Type: bad value for restricted picklist field: Party",
  });
});

await check("create: an unknown field is refused", async () => {
  await refused(() => leads.create(lead("知らない項目", { Nickname__c: "x" })), "INVALID_FIELD", {
    message: "No such column 'Nickname__c' on sobject of type Lead",
  });
});

await check("create: fields that are read-only are named", async () => {
  const record = lead("計算項目", { Introduction__c: "x" });
  const error = await refused(() => leads.create(record), "INVALID_FIELD_FOR_INSERT_UPDATE", {
    fields: ["Introduction__c"],
  });
  holds(error.message.startsWith("Unable to create/update fields: Introduction__c."), "the field in the message");
});

await check("create: a value of the wrong type is refused", async () => {
  await refused(() => leads.create(lead("日時", { MeetingAt__c: "2026-09-13 10:00" })), "JSON_PARSER_ERROR");
  await refused(() => leads.create(lead("人数", { NumberOfEmployees: "many" })), "JSON_PARSER_ERROR");
});

await check("create: a number out of range is refused", async () => {
  const record = lead("多すぎ", { NumberOfEmployees: 123456789 });
  await refused(() => leads.create(record), "NUMBER_OUTSIDE_VALID_RANGE", { fields: ["NumberOfEmployees"] });
});

await check("create: several errors come together", async () => {
  const record = { LastName: "山田", Email: "not an email" };
  const error = await refused(() => leads.create(record), "MULTIPLE_API_ERRORS");
  equal(error.data.map((one) => one.errorCode).sort(), ["INVALID_EMAIL_ADDRESS", "REQUIRED_FIELD_MISSING"]);
});

await check("create: a validation rule speaks in the admin's words", async () => {
  await refused(() => leads.create(lead("Web", { LeadSource: "Web" })), "FIELD_CUSTOM_VALIDATION_EXCEPTION", {
    fields: ["Country"],
    message: "Web からの見込み客には国が必要です。",
  });
  const large = lead("大企業", { NumberOfEmployees: 5000 });
  await refused(() => leads.create(large), "FIELD_CUSTOM_VALIDATION_EXCEPTION", {
    fields: [],
    message: "大企業には電話番号が必要です。",
  });
});

const twin = lead("山田", { FirstName: "太郎", Email: "O'Neil+Tag@example.org" });

await check("create: a duplicate rule names the match, and lets a header override it", async () => {
  const error = await refused(() => leads.create(twin), "DUPLICATES_DETECTED", {
    message: "Use one of these records?",
  });
  holds(!("fields" in error.data), "no `fields` beside a duplicate result");
  const { allowSave, duplicateRule, matchResults } = error.data.duplicateResult;
  equal([allowSave, duplicateRule], [true, "Standard_Lead_Duplicate_Rule"]);
  const [match] = matchResults;
  equal([match.size, match.success, match.entityType], [1, true, "Lead"]);
  equal(match.matchRecords[0].record.Id, made.id, "the match");
  const headers = { "Sforce-Duplicate-Rule-Header": "allowSave=true" };
  const answer = await leads.create(twin, { headers });
  equal(answer.success, true);
  await leads.destroy(answer.id);
});

await check("create: a duplicate rule that blocks cannot be overridden", async () => {
  const first = await leads.create(lead("サイト", { Website: "https://js.example.org" }));
  const headers = { "Sforce-Duplicate-Rule-Header": "allowSave=true" };
  const second = lead("別", { Website: "https://js.example.org" });
  const error = await refused(() => leads.create(second, { headers }), "DUPLICATES_DETECTED");
  equal(error.data.duplicateResult.allowSave, false);
  await leads.destroy(first.id);
});

await check("create: versions before 58 misspell the duplicate result", async () => {
  // The version that jsforce uses unless it is told another.
  const old = new Connection({ instanceUrl: BASE_URL, accessToken: conn.accessToken });
  equal(old.version, "50.0");
  const error = await refused(() => old.create("Lead", twin), "DUPLICATES_DETECTED");
  holds("duplicateResut" in error.data && !("duplicateResult" in error.data), "the key `duplicateResut`");
});

await check("create: a unique key that is taken names its holder", async () => {
  await refused(() => leads.create(lead("同じ予約", { BookingId__c: "JS-1" })), "DUPLICATE_VALUE", {
    fields: [],
    message: `duplicate value found: BookingId__c duplicates value on record with id: ${made.id.slice(0, 15)}`,
  });
});

await check("create: a collection saves what it can", async () => {
  const answers = await leads.create([lead("一"), lead("二", { Email: "x" }), lead("山田", twin)]);
  equal(answers.map((one) => one.success), [true, false, false]);
  equal(answers.map((one) => one.errors.map((error) => error.statusCode)), [
    [],
    ["INVALID_EMAIL_ADDRESS"],
    ["DUPLICATES_DETECTED"],
  ]);
  const all = await leads.create([lead("三"), lead("四", { Email: "x" })], { allOrNone: true });
  equal(all.map((one) => [one.success, one.errors[0].statusCode]), [
    [false, "ALL_OR_NONE_OPERATION_ROLLED_BACK"],
    [false, "INVALID_EMAIL_ADDRESS"],
  ]);
  await leads.destroy(answers[0].id);
});

await check("upsert: a new key makes a Lead, a known one changes it", async () => {
  // The client puts the key into the path as it is, so that its callers must escape it.
  const key = encodeURIComponent("js/2 +%?#é");
  const first = await leads.upsert({ BookingId__c: key, ...lead("新規") }, "BookingId__c");
  equal([first.success, first.created], [true, true]);
  const second = await leads.upsert({ BookingId__c: key, LastName: "変更" }, "BookingId__c");
  equal(second, { id: first.id, success: true, errors: [], created: false });
  const read = await leads.retrieve(first.id);
  equal([read.LastName, read.BookingId__c], ["変更", "js/2 +%?#é"]);
  const old = new Connection({ instanceUrl: BASE_URL, accessToken: conn.accessToken, version: "45.0" });
  // Up to version 45 an update was answered without a body, of which jsforce makes this.
  equal(await old.upsert("Lead", { BookingId__c: key, LastName: "旧" }, "BookingId__c"), { success: true, errors: [] });
  await leads.destroy(first.id);
});

await check("upsert: an unknown key field is not found", async () => {
  await refused(() => leads.upsert({ Nickname__c: "x", ...lead("不明") }, "Nickname__c"), "NOT_FOUND", {
    message: "Provided external ID field does not exist or is not accessible: Nickname__c",
  });
  await refused(() => leads.upsert(lead("不明"), "LastName"), "NOT_FOUND");
});

await check("upsert: the key may not be in the body, too", async () => {
  const body = lead("二重", { BookingId__c: "js-3" });
  await refused(
    () => conn.requestPatch("/sobjects/Lead/BookingId__c/js-3", body),
    "INVALID_FIELD",
  );
});

await check("upsert: several Leads of one key are listed, none is changed", async () => {
  const Email = "several@example.org";
  const both = await leads.create([lead("一人目", { Email }), lead("二人目", { Email })]);
  const ids = both.map((one) => one.id);
  const error = await refused(() => leads.upsert({ Email, Company: "変更" }, "Email"), "MULTIPLE_CHOICES");
  equal(error.data.toSorted(), ids.map((id) => `/services/data/v${VERSION}/sobjects/Lead/${id}`).toSorted());
  const read = await leads.retrieve(ids);
  equal(read.map((one) => one.Company), ["一人目 株式会社", "二人目 株式会社"]);
  await leads.destroy(ids);
});

await check("query: values of every kind are found as they are", async () => {
  for (const text of ["O'Neil", 'say "hi"', "a+b", "100%", "under_score", "絵文字😀", "' OR Name != '"]) {
    const answer = await leads.create({ LastName: "検索", FirstName: text.slice(0, 20), Company: text });
    const found = await leads.find({ Company: text }, ["Id", "Company"]);
    equal(found.map((one) => [one.Id, one.Company]), [[answer.id, text]], `Leads of ${text}`);
    await leads.destroy(answer.id);
  }
  const found = await leads.find({ Email: "O'NEIL+TAG@EXAMPLE.ORG" }, ["Id"]);
  equal(found.map((one) => one.Id), [made.id], "Leads by an address in capitals");
});

await check("query: unescaped quotes and backslashes are malformed", async () => {
  const queries = ["SELECT Id FROM Lead WHERE Company = 'O'Neil'", "SELECT Id FROM Lead WHERE", "SELECT FROM Lead"];
  for (const query of queries) await refused(() => conn.query(query), "MALFORMED_QUERY");
  // The client escapes quotes, but not backslashes, so that this is what its users meet.
  const answer = await leads.create(lead("逆", { Company: "back\\slash" }));
  await refused(() => leads.find({ Company: "back\\slash" }, ["Id"]), "MALFORMED_QUERY");
  const found = await conn.query("SELECT Id FROM Lead WHERE Company = 'back\\\\slash'");
  equal(found.records.map((one) => one.Id), [answer.id]);
  await leads.destroy(answer.id);
});

await check("query: an unknown field or object is named", async () => {
  const field = await refused(() => conn.query("SELECT Nickname__c FROM Lead"), "INVALID_FIELD");
  holds(field.message.includes("No such column 'Nickname__c' on entity 'Lead'"), `the field in ${field.message}`);
  holds(field.message.includes("ERROR at Row:1:Column:8"), `the place in ${field.message}`);
  const object = await refused(() => conn.query("SELECT Id FROM Leed"), "INVALID_TYPE");
  holds(object.message.includes("sObject type 'Leed' is not supported"), `the object in ${object.message}`);
});

await check("query: a result comes in pages", async () => {
  const records = Array.from({ length: 201 }, (_, number) => lead(`頁${number}`, { City: "頁" }));
  const saved = await leads.create(records, { allowRecursive: true });
  holds(saved.every((one) => one.success), "every record of the collections saved");
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

await check("query: a locator that was never given is refused", async () => {
  const message = "invalid query locator";
  await refused(() => conn.queryMore("01g000000000000AAA-200"), "INVALID_QUERY_LOCATOR", { message });
});

await check("update: a Lead is changed, and refused as on create", async () => {
  equal((await leads.update({ Id: made.id, Company: "変更後" })).success, true);
  equal((await leads.retrieve(made.id)).Company, "変更後");
  await refused(() => leads.update({ Id: made.id, Email: "x" }), "INVALID_EMAIL_ADDRESS", { fields: ["Email"] });
  await refused(() => leads.update({ Id: made.id, LastName: null }), "REQUIRED_FIELD_MISSING", {
    fields: ["LastName"],
  });
});

await check("update: an id that names nothing is refused", async () => {
  await refused(() => leads.update({ Id: "00Q000000000001AAA", Company: "x" }), "NOT_FOUND");
  await refused(() => leads.retrieve("00Q00000000000!"), "MALFORMED_ID");
});

await check("method: one that is not allowed names those that are", async () => {
  await refused(() => conn.requestPut("/sobjects/Lead", {}), "METHOD_NOT_ALLOWED", {
    message: "HTTP Method 'PUT' not allowed. Allowed are GET,HEAD,POST",
  });
});

await check("limits: the daily calls are counted, and told with every answer", async () => {
  const { DailyApiRequests: before } = await conn.limits();
  const { DailyApiRequests: after } = await conn.limits();
  equal(after, { Max: before.Max, Remaining: before.Remaining - 1 });
  equal(conn.limitInfo.apiUsage, { used: after.Max - after.Remaining, limit: after.Max }, "the limit header");
});

await check("delete: a Lead is gone, and cannot be deleted twice", async () => {
  equal(await leads.destroy(made.id), { id: made.id, success: true, errors: [] });
  await refused(() => leads.destroy(made.id), "ENTITY_IS_DELETED", { message: "entity is deleted" });
  await refused(() => leads.retrieve(made.id), "NOT_FOUND");
});

await check("revoke: every token of the grant is dead", async () => {
  const { accessToken, refreshToken, oauth2 } = conn;
  await conn.logout(true);
  const dead = new Connection({ instanceUrl: BASE_URL, accessToken, version: VERSION });
  await refused(() => dead.query("SELECT Id FROM Lead"), "INVALID_SESSION_ID");
  const message = "expired access/refresh token";
  await refusedToken(() => oauth2.refreshToken(refreshToken), "invalid_grant", message);
  // The client takes an answer of this endpoint for a form, which it is not.
  const body = JSON.stringify({ error: "invalid_token", error_description: "Token was invalid" });
  await refusedToken(() => oauth2.revokeToken(refreshToken), "ERROR_HTTP_400", body);
});

finish();
