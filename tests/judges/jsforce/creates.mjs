// The connected user, the org's metadata, and creating Leads with every rejection.

import { conn, Connection, lead, leads, made, VERSION } from "./app.mjs";
import { BASE_URL, check, equal, holds, refused } from "./judge.mjs";

await check("identity: the user behind the token", async () => {
  const user = await conn.identity();
  equal([user.organization_id, user.user_id], [conn.userInfo.organizationId, conn.userInfo.id]);
  equal(user.organization_id.length, 18, "the length of an id");
});

await check("organization: its record can be queried", async () => {
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

await check("create: one error names all missing required fields", async () => {
  await refused(() => leads.create({ FirstName: "太郎" }), "REQUIRED_FIELD_MISSING", {
    fields: ["LastName", "Company"],
    message: "Required fields are missing: [LastName, Company]",
  });
  await refused(() => leads.create({ LastName: "山田", Company: "" }), "REQUIRED_FIELD_MISSING", {
    fields: ["Company"],
  });
});

await check("create: text that is too long is rejected", async () => {
  const long = "長".repeat(81);
  await refused(() => leads.create(lead("長", { LastName: long })), "STRING_TOO_LONG", {
    fields: ["LastName"],
    message: `Last Name: data value too large: ${long} (max length=80)`,
  });
});

await check("create: an invalid email address is rejected", async () => {
  await refused(() => leads.create(lead("悪い宛先", { Email: "not an email" })), "INVALID_EMAIL_ADDRESS", {
    fields: ["Email"],
    message: "Email: invalid email address: not an email",
  });
});

await check("create: a value outside a restricted picklist is rejected", async () => {
  const record = lead("選択外", { MeetingType__c: "Party" });
  await refused(() => leads.create(record), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", {
    fields: ["MeetingType__c"],
    message: "Meeting Type: bad value for restricted picklist field: Party",
  });
});

await check("create: an unknown field is rejected", async () => {
  await refused(() => leads.create(lead("知らない項目", { Nickname__c: "x" })), "INVALID_FIELD", {
    message: "No such column 'Nickname__c' on sobject of type Lead",
  });
});

await check("create: the error names read-only fields", async () => {
  const record = lead("計算項目", { Introduction__c: "x" });
  const error = await refused(() => leads.create(record), "INVALID_FIELD_FOR_INSERT_UPDATE", {
    fields: ["Introduction__c"],
  });
  holds(error.message.startsWith("Unable to create/update fields: Introduction__c."), "the field in the message");
});

await check("create: a value of the wrong type is rejected", async () => {
  await refused(() => leads.create(lead("日時", { MeetingAt__c: "2026-09-13 10:00" })), "JSON_PARSER_ERROR");
  await refused(() => leads.create(lead("人数", { NumberOfEmployees: "many" })), "JSON_PARSER_ERROR");
});

await check("create: a number out of range is rejected", async () => {
  const record = lead("多すぎ", { NumberOfEmployees: 123456789 });
  await refused(() => leads.create(record), "NUMBER_OUTSIDE_VALID_RANGE", { fields: ["NumberOfEmployees"] });
});

await check("create: a malformed id is rejected", async () => {
  await refused(() => leads.create(lead("持ち主", { OwnerId: "taro" })), "MALFORMED_ID", {
    fields: ["OwnerId"],
    message: "Owner ID: id value of incorrect type: taro",
  });
});

await check("create: a reference to a missing record is rejected", async () => {
  await refused(() => leads.create(lead("持ち主", { OwnerId: "005000000009999" })), "INVALID_CROSS_REFERENCE_KEY", {
    fields: [],
    message: "invalid cross reference id",
  });
});

await check("create: a state without a country and an unknown country are rejected", async () => {
  const wrong = (one, many) =>
    `There's a problem with this ${one}, even though it may appear correct. ` +
    `Please select a ${one} from the list of valid ${many}.`;
  await refused(() => leads.create(lead("住所", { State: "Tokyo" })), "FIELD_INTEGRITY_EXCEPTION", {
    fields: ["State"],
    message: wrong("state", "states"),
  });
  await refused(() => leads.create(lead("住所", { Country: "Atlantis" })), "FIELD_INTEGRITY_EXCEPTION", {
    fields: ["Country"],
    message: wrong("country", "countries"),
  });
});

await check("create: a body that is not JSON is rejected", async () => {
  const headers = { "content-type": "application/json" };
  const url = `/services/data/v${VERSION}/sobjects/Lead`;
  // Sent with fetch: no client writes such bodies, and a raw request through jsforce disturbs its next read.
  const send = async (body) => {
    const authorization = `Bearer ${conn.accessToken}`;
    const response = await fetch(conn.instanceUrl + url, { method: "POST", headers: { ...headers, authorization }, body });
    const [error] = await response.json();
    throw Object.assign(new Error(error.message), error, { name: error.errorCode });
  };
  await refused(() => send('{"LastName":}'), "JSON_PARSER_ERROR", {
    message: "Unexpected character ('}' (code 125)) at [line:1, column:13]",
  });
  await refused(() => send('{"LastName":"山田"'), "JSON_PARSER_ERROR");
});

await check("create: several errors are returned together", async () => {
  const record = { LastName: "山田", Email: "not an email" };
  const error = await refused(() => leads.create(record), "MULTIPLE_API_ERRORS");
  equal(error.data.map((one) => one.errorCode).sort(), ["INVALID_EMAIL_ADDRESS", "REQUIRED_FIELD_MISSING"]);
});

await check("create: a validation rule returns the admin's message", async () => {
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

await check("create: a failing trigger is named with its exception", async () => {
  await refused(() => leads.create(lead("引き金", { Title: "引き金" })), "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", {
    fields: [],
    message:
      "LeadScoring: execution of AfterInsert\n\n" +
      "caused by: System.NullPointerException: Attempt to de-reference a null object",
  });
});

const twin = lead("山田", { FirstName: "太郎", Email: "O'Neil+Tag@example.org" });

await check("create: a duplicate rule names the match, and a header overrides it", async () => {
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

await check("create: a blocking duplicate rule cannot be overridden", async () => {
  const first = await leads.create(lead("サイト", { Website: "https://js.example.org" }));
  const headers = { "Sforce-Duplicate-Rule-Header": "allowSave=true" };
  const second = lead("別", { Website: "https://js.example.org" });
  const error = await refused(() => leads.create(second, { headers }), "DUPLICATES_DETECTED");
  equal(error.data.duplicateResult.allowSave, false);
  await leads.destroy(first.id);
});

await check("create: versions before 58 misspell the duplicate result", async () => {
  // jsforce's default version.
  const old = new Connection({ instanceUrl: BASE_URL, accessToken: conn.accessToken });
  equal(old.version, "50.0");
  const error = await refused(() => old.create("Lead", twin), "DUPLICATES_DETECTED");
  holds("duplicateResut" in error.data && !("duplicateResult" in error.data), "the key `duplicateResut`");
});

await check("create: a duplicate unique key names the record that has it", async () => {
  await refused(() => leads.create(lead("同じ予約", { BookingId__c: "JS-1" })), "DUPLICATE_VALUE", {
    fields: [],
    message: `duplicate value found: BookingId__c duplicates value on record with id: ${made.id.slice(0, 15)}`,
  });
});

await check("create: a collection saves every valid record", async () => {
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
