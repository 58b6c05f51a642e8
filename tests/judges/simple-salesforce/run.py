"""simple-salesforce, run against the org that the environment names: every check says what Salesforce would answer."""

import base64
import hashlib
import json
import os
import secrets
import sys
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from simple_salesforce import Salesforce, SalesforceAuthenticationFailed, SFType, format_soql
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)
from simple_salesforce.format import format_external_id

from judge import BASE_URL, Checks, admin, equal, holds, refused, session, visit

CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
REDIRECT_URI = os.environ["REDIRECT_URI"]
# What a user of the client types into `domain`; the session sends it to the org on this machine.
DOMAIN = "judged.my"

check = Checks()
http = session()


def challenge(verifier):
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def authorize(verifier):
    """The client knows no pages, so that its users build this address themselves."""
    asked = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "scope": "api refresh_token id",
        "state": "st/ate==",
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
    }
    back = visit(f"{BASE_URL}/services/oauth2/authorize?{urlencode(asked)}")
    answer = parse_qs(urlsplit(back).query)
    equal(answer.get("state"), ["st/ate=="], "the state")
    return answer["code"][0]


def token(**form):
    form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **form}
    answer = http.post(f"{BASE_URL}/services/oauth2/token", data=form, timeout=30)
    return answer.status_code, answer.json()


def exchange(code, verifier):
    return token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI, code_verifier=verifier)


def client(access_token, **options):
    return Salesforce(session_id=access_token, instance_url=BASE_URL, session=session(), **options)


def connected():
    """Tokens of a grant of its own."""
    verifier = secrets.token_urlsafe(64)
    status, tokens = exchange(authorize(verifier), verifier)
    equal(status, 200, f"the status of the code grant ({tokens})")
    return tokens


tokens = connected()
sf = client(tokens["access_token"])
leads = sf.Lead
made = {}


def lead(name, **more):
    return {"LastName": name, "Company": f"{name} 株式会社", **more}


def malformed(record, code, fields=None, message=None, headers=None):
    return refused(lambda: leads.create(record, headers=headers), SalesforceMalformedRequest, code, fields, message)


@check("versions: the list needs no token")
def _():
    versions = http.get(f"{BASE_URL}/services/data", timeout=30).json()
    equal(versions[-1]["url"], f"/services/data/v{versions[-1]['version']}", "the newest version's path")
    holds(sf.sf_version in [one["version"] for one in versions], f"the client's default version {sf.sf_version}")


@check("versions: one that does not exist is not found")
def _():
    unknown = client(tokens["access_token"], version="99.0")
    refused(unknown.Lead.describe, SalesforceResourceNotFound, "NOT_FOUND")


@check("code grant: a code buys tokens once")
def _():
    verifier = secrets.token_urlsafe(64)
    code = authorize(verifier)
    status, bought = exchange(code, verifier)
    equal((status, bought["token_type"], bought["instance_url"]), (200, "Bearer", BASE_URL))
    holds(bought["refresh_token"] and bought["id"].startswith(f"{BASE_URL}/id/00D"), "a refresh token and an identity")
    holds(bought["issued_at"].isdigit(), "the time of issue as a text of milliseconds")
    equal(exchange(code, verifier), (400, {"error": "invalid_grant", "error_description": "expired authorization code"}))


@check("code grant: a wrong verifier is refused")
def _():
    status, answer = exchange(authorize(secrets.token_urlsafe(64)), secrets.token_urlsafe(64))
    equal((status, answer["error"]), (400, "invalid_request"))


@check("code grant: a wrong secret is refused")
def _():
    verifier = secrets.token_urlsafe(64)
    wrong = {"client_secret": "wrong", "code": authorize(verifier), "code_verifier": verifier}
    status, answer = token(grant_type="authorization_code", redirect_uri=REDIRECT_URI, **wrong)
    equal((status, answer["error"]), (400, "invalid_client"))


@check("refresh grant: a new access token works")
def _():
    status, fresh = token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    equal(status, 200, f"the status ({fresh})")
    holds("refresh_token" not in fresh, "no refresh token where the app rotates none")
    equal(client(fresh["access_token"]).query("SELECT count() FROM Lead")["done"], True)


@check("refresh grant: an unknown token is refused")
def _():
    answer = token(grant_type="refresh_token", refresh_token="5Aep861wrong")
    equal(answer, (400, {"error": "invalid_grant", "error_description": "expired access/refresh token"}))


@check("expired session: the client connects anew by itself")
def _():
    own = Salesforce(consumer_key=CLIENT_ID, consumer_secret=CLIENT_SECRET, domain=DOMAIN, session=session())
    equal(own.auth_type, "client-credentials")
    before = own.session_id
    admin("/tokens/expire")
    equal(own.query("SELECT count() FROM Lead")["done"], True)
    holds(own.session_id != before, "another access token than the one that had expired")
    admin("/tokens/expire")
    before = own.session_id
    equal(own.Lead.describe()["name"], "Lead")
    holds(own.session_id != before, "another access token for an object's call, too")


@check("expired session: without a way to connect anew it is an error")
def _():
    refused(lambda: sf.query("SELECT Id FROM Lead"), SalesforceExpiredSession, "INVALID_SESSION_ID",
            message="Session expired or invalid")
    refused(lambda: leads.create(lead("期限切れ")), SalesforceExpiredSession, "INVALID_SESSION_ID")


@check("client credentials: a wrong secret is refused")
def _():
    try:
        Salesforce(consumer_key=CLIENT_ID, consumer_secret="wrong", domain=DOMAIN, session=session())
    except SalesforceAuthenticationFailed as error:
        equal((error.code, error.auth_message), ("invalid_client", "invalid client credentials"))
    else:
        raise AssertionError("expected SalesforceAuthenticationFailed, found a connection")


# The checks above ended every session.
tokens = connected()
sf = client(tokens["access_token"])
leads = sf.Lead


@check("identity: the user behind the token")
def _():
    user = sf.oauth2("userinfo")
    holds(user["organization_id"].startswith("00D") and user["user_id"].startswith("005"), "ids of org and user")
    equal(len(user["organization_id"]), 18, "the length of an id")


@check("organisation: a query of its record")
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


@check("create: required fields that are missing are named together")
def _():
    malformed({"FirstName": "太郎"}, "REQUIRED_FIELD_MISSING", ["LastName", "Company"],
              "Required fields are missing: [LastName, Company]")
    malformed({"LastName": "山田", "Company": ""}, "REQUIRED_FIELD_MISSING", ["Company"])


@check("create: a text that is too long is refused")
def _():
    long = "長" * 81
    message = f"Last Name: data value too large: {long} (max length=80)"
    malformed({**lead("長"), "LastName": long}, "STRING_TOO_LONG", ["LastName"], message)


@check("create: a bad e-mail address is refused")
def _():
    malformed(lead("悪い宛先", Email="not an email"), "INVALID_EMAIL_ADDRESS", ["Email"],
              "Email: invalid email address: not an email")


@check("create: a value outside a restricted picklist is refused")
def _():
    malformed(lead("選択外", MeetingType__c="Party"), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["MeetingType__c"],
              "Meeting Type: bad value for restricted picklist field: Party")


@check("create: an unknown field is refused")
def _():
    malformed(lead("知らない項目", Nickname__c="x"), "INVALID_FIELD",
              message="No such column 'Nickname__c' on sobject of type Lead")


@check("create: fields that are read-only are named")
def _():
    error = malformed(lead("計算項目", Introduction__c="x"), "INVALID_FIELD_FOR_INSERT_UPDATE", ["Introduction__c"])
    holds(error["message"].startswith("Unable to create/update fields: Introduction__c."), "the field in the message")


@check("create: a value of the wrong type is refused")
def _():
    malformed(lead("日時", MeetingAt__c="2026-09-13 10:00"), "JSON_PARSER_ERROR")
    malformed(lead("人数", NumberOfEmployees="many"), "JSON_PARSER_ERROR")


@check("create: a number out of range is refused")
def _():
    malformed(lead("多すぎ", NumberOfEmployees=123456789), "NUMBER_OUTSIDE_VALID_RANGE", ["NumberOfEmployees"])


@check("create: several errors come together")
def _():
    try:
        leads.create({"LastName": "山田", "Email": "not an email"})
    except SalesforceMalformedRequest as error:
        equal(sorted(one["errorCode"] for one in error.content), ["INVALID_EMAIL_ADDRESS", "REQUIRED_FIELD_MISSING"])
    else:
        raise AssertionError("expected SalesforceMalformedRequest, found a Lead")


@check("create: a validation rule speaks in the admin's words")
def _():
    malformed(lead("Web", LeadSource="Web"), "FIELD_CUSTOM_VALIDATION_EXCEPTION", ["Country"],
              "Web からの見込み客には国が必要です。")
    malformed(lead("大企業", NumberOfEmployees=5000), "FIELD_CUSTOM_VALIDATION_EXCEPTION", [],
              "大企業には電話番号が必要です。")


twin = lead("山田", FirstName="太郎", Email="O'Neil+Tag@example.org")


@check("create: a duplicate rule names the match, and lets a header override it")
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


@check("create: a duplicate rule that blocks cannot be overridden")
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


@check("create: a unique key that is taken names its holder")
def _():
    held = made["id"][:15]
    message = f"duplicate value found: BookingId__c duplicates value on record with id: {held}"
    malformed(lead("同じ予約", BookingId__c="SS-1"), "DUPLICATE_VALUE", [], message)


@check("upsert: a new key makes a Lead, a known one changes it")
def _():
    key = format_external_id("BookingId__c", "ss/2 +%?#é")
    first = leads.upsert(key, lead("新規"), raw_response=True)
    equal((first.status_code, first.json()["created"]), (201, True))
    second = leads.upsert(key, {"LastName": "変更"}, raw_response=True)
    equal((second.status_code, second.json()), (200, {**first.json(), "created": False}))
    read = leads.get(key)
    equal((read["Id"], read["LastName"], read["BookingId__c"]), (first.json()["id"], "変更", "ss/2 +%?#é"))
    equal(leads.delete(key), 204)


@check("upsert: an unknown key field is not found")
def _():
    refused(lambda: leads.upsert("Nickname__c/x", lead("不明")), SalesforceResourceNotFound, "NOT_FOUND",
            message="Provided external ID field does not exist or is not accessible: Nickname__c")
    refused(lambda: leads.upsert("LastName/x", lead("不明")), SalesforceResourceNotFound, "NOT_FOUND")


@check("upsert: the key may not be in the body, too")
def _():
    refused(lambda: leads.upsert("BookingId__c/ss-3", lead("二重", BookingId__c="ss-3")),
            SalesforceMalformedRequest, "INVALID_FIELD")


@check("upsert: several Leads of one key are listed, none is changed")
def _():
    mail = "several@example.org"
    ids = [leads.create(lead(name, Email=mail))["id"] for name in ["一人目", "二人目"]]
    try:
        leads.upsert(f"Email/{quote(mail)}", {"Company": "変更"})
    except SalesforceMoreThanOneRecord as error:
        equal(sorted(error.content), sorted(f"/services/data/v{sf.sf_version}/sobjects/Lead/{one}" for one in ids))
    else:
        raise AssertionError("expected SalesforceMoreThanOneRecord, found an answer")
    equal([leads.get(one)["Company"] for one in ids], ["一人目 株式会社", "二人目 株式会社"])
    for one in ids:
        leads.delete(one)


@check("query: values of every kind are found as they are")
def _():
    for text in ["O'Neil", 'say "hi"', "back\\slash", "a+b", "100%", "under_score", "絵文字😀", "\\' OR Name != '"]:
        answer = leads.create({"LastName": "検索", "FirstName": text[:20], "Company": text})
        found = sf.query(format_soql("SELECT Id, Company FROM Lead WHERE Company = {}", text))
        equal([(one["Id"], one["Company"]) for one in found["records"]], [(answer["id"], text)], f"Leads of {text!r}")
        like = sf.query(format_soql("SELECT Id FROM Lead WHERE Company LIKE '{:like}%'", text))
        equal([one["Id"] for one in like["records"]], [answer["id"]], f"Leads like {text!r}")
        leads.delete(answer["id"])
    found = sf.query(format_soql("SELECT Id FROM Lead WHERE Email = {}", "O'NEIL+TAG@EXAMPLE.ORG"))
    equal([one["Id"] for one in found["records"]], [made["id"]], "Leads by an address in capitals")


@check("query: unescaped quotes and backslashes are malformed")
def _():
    for query in ["SELECT Id FROM Lead WHERE Company = 'O'Neil'", r"SELECT Id FROM Lead WHERE Company = 'a\b\z'",
                  "SELECT Id FROM Lead WHERE", "SELECT FROM Lead"]:
        refused(lambda: sf.query(query), SalesforceMalformedRequest, "MALFORMED_QUERY")


@check("query: an unknown field or object is named")
def _():
    error = refused(lambda: sf.query("SELECT Nickname__c FROM Lead"), SalesforceMalformedRequest, "INVALID_FIELD")
    holds("No such column 'Nickname__c' on entity 'Lead'" in error["message"], f"the field in {error['message']!r}")
    holds("ERROR at Row:1:Column:8" in error["message"], f"the place in {error['message']!r}")
    error = refused(lambda: sf.query("SELECT Id FROM Leed"), SalesforceMalformedRequest, "INVALID_TYPE")
    holds("sObject type 'Leed' is not supported" in error["message"], f"the object in {error['message']!r}")


@check("query: a result comes in pages")
def _():
    records = [{"attributes": {"type": "Lead"}, **lead(f"頁{number}", City="頁")} for number in range(201)]
    ids = []
    for part in [records[:200], records[200:]]:
        body = json.dumps({"allOrNone": False, "records": part})
        answer = sf.restful("composite/sobjects", method="POST", data=body)
        holds(all(one["success"] for one in answer), "every record of the collection saved")
        ids += [one["id"] for one in answer]
    query = "SELECT Id FROM Lead WHERE City = '頁' ORDER BY CreatedDate, Id"
    small = {"Sforce-Query-Options": "batchSize=200"}
    first = sf.query(query, headers=small)
    equal((first["totalSize"], first["done"], len(first["records"])), (201, False, 200))
    second = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    equal((second["totalSize"], second["done"], len(second["records"])), (201, True, 1))
    holds("nextRecordsUrl" not in second, "no further page")
    locator = first["nextRecordsUrl"].rsplit("/", 1)[1]
    equal(sf.query_more(locator)["records"], second["records"], "the page by its locator")
    everything = sf.query_all(query, headers=small)
    equal(sorted(one["Id"] for one in everything["records"]), sorted(ids))
    sf.restful("composite/sobjects", params={"ids": ",".join(ids[:200])}, method="DELETE")
    leads.delete(ids[200])
    equal(sf.query(query)["totalSize"], 0, "Leads after their deletion")
    equal(sf.query(query, include_deleted=True)["totalSize"], 201, "deleted Leads among all")


@check("query: a locator that was never given is refused")
def _():
    refused(lambda: sf.query_more("01g000000000000AAA-200"), SalesforceMalformedRequest, "INVALID_QUERY_LOCATOR",
            message="invalid query locator")


@check("update: a Lead is changed, and refused as on create")
def _():
    equal(leads.update(made["id"], {"Company": "変更後"}), 204)
    equal(leads.get(made["id"])["Company"], "変更後")
    refused(lambda: leads.update(made["id"], {"Email": "x"}), SalesforceMalformedRequest, "INVALID_EMAIL_ADDRESS",
            ["Email"])
    refused(lambda: leads.update(made["id"], {"LastName": None}), SalesforceMalformedRequest,
            "REQUIRED_FIELD_MISSING", ["LastName"])


@check("update: an id that names nothing is refused")
def _():
    refused(lambda: leads.update("00Q000000000001AAA", {"Company": "x"}), SalesforceResourceNotFound, "NOT_FOUND")
    refused(lambda: leads.get("00Q00000000000!"), SalesforceMalformedRequest, "MALFORMED_ID")


@check("method: one that is not allowed names those that are")
def _():
    error = refused(lambda: sf.restful("sobjects/Lead", method="PUT", data="{}"), SalesforceGeneralError,
                    "METHOD_NOT_ALLOWED")
    equal(error["message"], "HTTP Method 'PUT' not allowed. Allowed are GET,HEAD,POST")


@check("limits: the daily calls are counted, and told with every answer")
def _():
    before = sf.limits()["DailyApiRequests"]
    after = sf.limits()["DailyApiRequests"]
    equal(after, {"Max": before["Max"], "Remaining": before["Remaining"] - 1})
    usage = sf.api_usage["api-usage"]
    equal((usage.used, usage.total), (after["Max"] - after["Remaining"], after["Max"]), "the limit header")


@check("delete: a Lead is gone, and cannot be deleted twice")
def _():
    equal(leads.delete(made["id"]), 204)
    refused(lambda: leads.delete(made["id"]), SalesforceResourceNotFound, "ENTITY_IS_DELETED",
            message="entity is deleted")
    refused(lambda: leads.get(made["id"]), SalesforceResourceNotFound, "NOT_FOUND")


@check("revoke: every token of the grant is dead")
def _():
    # The client has no call of its own for it; its generic one sends what Salesforce's page on revoking shows.
    sf.oauth2("revoke", params={"token": tokens["refresh_token"]}, method="POST")
    refused(lambda: sf.query("SELECT Id FROM Lead"), SalesforceExpiredSession, "INVALID_SESSION_ID")
    answer = token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    equal(answer, (400, {"error": "invalid_grant", "error_description": "expired access/refresh token"}))
    again = http.post(f"{BASE_URL}/services/oauth2/revoke", data={"token": tokens["refresh_token"]}, timeout=30)
    equal((again.status_code, again.json()["error"]), (400, "invalid_token"))


sys.exit(1 if check.failed else 0)
