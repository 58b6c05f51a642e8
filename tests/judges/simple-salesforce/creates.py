"""The connected user, the org's metadata, and creating Leads with every rejection."""

from simple_salesforce import SFType
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

from app import check, lead
from connection import leads, made, malformed, sf, tokens
from judge import equal, holds, refused, session


@check("identity: the user behind the token")
def _():
    user = sf.oauth2("userinfo")
    holds(user["organization_id"].startswith("00D") and user["user_id"].startswith("005"), "ids of org and user")
    equal(len(user["organization_id"]), 18, "the length of an id")


@check("organization: its record can be queried")
def _():
    equal(sf.is_sandbox(), False)


@check("describe: the objects of the org")
def _():
    listed = sf.describe()
    found = [one for one in listed["sobjects"] if one["name"] == "Lead"]
    equal([(one["keyPrefix"], one["createable"]) for one in found], [("00Q", True)])
    equal((listed["encoding"], listed["maxBatchSize"]), ("UTF-8", 200))


@check("describe: the fields of Lead")
def _():
    described = leads.describe()
    fields = {field["name"]: field for field in described["fields"]}
    holds(all(len(field) == 57 for field in described["fields"]), "57 keys of every field")
    required = [name for name, field in fields.items()
                if field["createable"] and not field["nillable"] and not field["defaultedOnCreate"]
                and field["type"] != "boolean"]
    equal(required, ["LastName", "Company"], "the required fields")
    equal((fields["BookingId__c"]["externalId"], fields["BookingId__c"]["unique"]), (True, True))
    kind = fields["MeetingType__c"]
    equal((kind["type"], kind["restrictedPicklist"]), ("picklist", True))
    equal([one["value"] for one in kind["picklistValues"]], ["Demo", "Interview"])
    equal(leads.metadata()["objectDescribe"]["name"], "Lead")


@check("describe: an unknown object is not found")
def _():
    refused(sf.Leed.describe, SalesforceResourceNotFound, "NOT_FOUND",
            message="The requested resource does not exist")


@check("create: a Lead with every kind of text")
def _():
    record = lead("山田", FirstName="太郎", Email="o'neil+tag@example.org", MeetingType__c="Demo",
                  MeetingAt__c="2026-09-13T10:00:00+09:00", BookingId__c="ss-1")
    answer = leads.create(record)
    equal((answer["success"], answer["errors"], len(answer["id"])), (True, [], 18))
    made["id"] = answer["id"]
    read = leads.get(answer["id"])
    equal({name: read[name] for name in ["LastName", "Email"]}, {"LastName": "山田", "Email": "o'neil+tag@example.org"})
    equal(read["MeetingAt__c"], "2026-09-13T01:00:00.000+0000", "the date-time in UTC")
    equal(read["attributes"]["url"], f"/services/data/v{sf.sf_version}/sobjects/Lead/{answer['id']}")
    equal(leads.get_by_custom_id("BookingId__c", "ss-1")["Id"], answer["id"], "the Lead by its external id")


@check("create: one error names all missing required fields")
def _():
    malformed({"FirstName": "太郎"}, "REQUIRED_FIELD_MISSING", ["LastName", "Company"],
              "Required fields are missing: [LastName, Company]")
    malformed({"LastName": "山田", "Company": ""}, "REQUIRED_FIELD_MISSING", ["Company"])


@check("create: text that is too long is rejected")
def _():
    long = "長" * 81
    message = f"Last Name: data value too large: {long} (max length=80)"
    malformed({**lead("長"), "LastName": long}, "STRING_TOO_LONG", ["LastName"], message)


@check("create: an invalid email address is rejected")
def _():
    malformed(lead("悪い宛先", Email="not an email"), "INVALID_EMAIL_ADDRESS", ["Email"],
              "Email: invalid email address: not an email")


@check("create: a value outside a restricted picklist is rejected")
def _():
    malformed(lead("選択外", MeetingType__c="Party"), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["MeetingType__c"],
              "Meeting Type: bad value for restricted picklist field: Party")


@check("create: an unknown field is rejected")
def _():
    malformed(lead("知らない項目", Nickname__c="x"), "INVALID_FIELD",
              message="No such column 'Nickname__c' on sobject of type Lead")


@check("create: the error names read-only fields")
def _():
    error = malformed(lead("計算項目", Introduction__c="x"), "INVALID_FIELD_FOR_INSERT_UPDATE", ["Introduction__c"])
    holds(error["message"].startswith("Unable to create/update fields: Introduction__c."), "the field in the message")


@check("create: a value of the wrong type is rejected")
def _():
    malformed(lead("日時", MeetingAt__c="2026-09-13 10:00"), "JSON_PARSER_ERROR")
    malformed(lead("人数", NumberOfEmployees="many"), "JSON_PARSER_ERROR")


@check("create: a number out of range is rejected")
def _():
    malformed(lead("多すぎ", NumberOfEmployees=123456789), "NUMBER_OUTSIDE_VALID_RANGE", ["NumberOfEmployees"])


@check("create: a malformed id is rejected")
def _():
    malformed(lead("持ち主", OwnerId="taro"), "MALFORMED_ID", ["OwnerId"], "Owner ID: id value of incorrect type: taro")


@check("create: a reference to a missing record is rejected")
def _():
    malformed(lead("持ち主", OwnerId="005000000009999"), "INVALID_CROSS_REFERENCE_KEY", [],
              "invalid cross reference id")


@check("create: a state without a country and an unknown country are rejected")
def _():
    def wrong(one, many):
        return (f"There's a problem with this {one}, even though it may appear correct. "
                f"Please select a {one} from the list of valid {many}.")

    malformed(lead("住所", State="Tokyo"), "FIELD_INTEGRITY_EXCEPTION", ["State"], wrong("state", "states"))
    malformed(lead("住所", Country="Atlantis"), "FIELD_INTEGRITY_EXCEPTION", ["Country"], wrong("country", "countries"))


@check("create: a body that is not JSON is rejected")
def _():
    def send(body):
        return sf.restful("sobjects/Lead", method="POST", data=body.encode())

    refused(lambda: send('{"LastName":}'), SalesforceMalformedRequest, "JSON_PARSER_ERROR",
            message="Unexpected character ('}' (code 125)) at [line:1, column:13]")
    refused(lambda: send('{"LastName":"山田"'), SalesforceMalformedRequest, "JSON_PARSER_ERROR")


@check("create: several errors are returned together")
def _():
    try:
        leads.create({"LastName": "山田", "Email": "not an email"})
    except SalesforceMalformedRequest as error:
        equal(sorted(one["errorCode"] for one in error.content), ["INVALID_EMAIL_ADDRESS", "REQUIRED_FIELD_MISSING"])
    else:
        raise AssertionError("expected SalesforceMalformedRequest, found a Lead")


@check("create: a validation rule returns the admin's message")
def _():
    malformed(lead("Web", LeadSource="Web"), "FIELD_CUSTOM_VALIDATION_EXCEPTION", ["Country"],
              "Web からの見込み客には国が必要です。")
    malformed(lead("大企業", NumberOfEmployees=5000), "FIELD_CUSTOM_VALIDATION_EXCEPTION", [],
              "大企業には電話番号が必要です。")


@check("create: a failing trigger is named with its exception")
def _():
    malformed(lead("引き金", Title="引き金"), "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", [],
              "LeadScoring: execution of AfterInsert\n\n"
              "caused by: System.NullPointerException: Attempt to de-reference a null object")


twin = lead("山田", FirstName="太郎", Email="O'Neil+Tag@example.org")


@check("create: a duplicate rule names the match, and a header overrides it")
def _():
    error = malformed(twin, "DUPLICATES_DETECTED", message="Use one of these records?")
    holds("fields" not in error, "no `fields` beside a duplicate result")
    result = error["duplicateResult"]
    equal((result["allowSave"], result["duplicateRule"]), (True, "Standard_Lead_Duplicate_Rule"))
    match = result["matchResults"][0]
    equal((match["size"], match["success"], match["entityType"]), (1, True, "Lead"))
    equal(match["matchRecords"][0]["record"]["Id"], made["id"], "the match")
    answer = leads.create(twin, headers={"Sforce-Duplicate-Rule-Header": "allowSave=true"})
    equal(answer["success"], True)
    leads.delete(answer["id"])


@check("create: a blocking duplicate rule cannot be overridden")
def _():
    first = leads.create(lead("サイト", Website="https://ss.example.org"))
    error = malformed(lead("別", Website="https://ss.example.org"), "DUPLICATES_DETECTED",
                      headers={"Sforce-Duplicate-Rule-Header": "allowSave=true"})
    equal(error["duplicateResult"]["allowSave"], False)
    leads.delete(first["id"])


@check("create: versions before 58 misspell the duplicate result")
def _():
    old = SFType("Lead", tokens["access_token"], sf.sf_instance, sf_version="51.0", session=session())
    error = refused(lambda: old.create(twin), SalesforceMalformedRequest, "DUPLICATES_DETECTED")
    holds("duplicateResut" in error and "duplicateResult" not in error, "the key `duplicateResut`")


@check("create: a duplicate unique key names the record that has it")
def _():
    held = made["id"][:15]
    message = f"duplicate value found: BookingId__c duplicates value on record with id: {held}"
    malformed(lead("同じ予約", BookingId__c="SS-1"), "DUPLICATE_VALUE", [], message)
