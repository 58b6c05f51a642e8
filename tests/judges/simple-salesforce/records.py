"""Upsert, query, update and delete of records, and the end of the grant."""

import json
from urllib.parse import quote

from simple_salesforce import format_soql
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)
from simple_salesforce.format import format_external_id

from app import check, http, lead, token
from connection import leads, made, sf, tokens
from judge import BASE_URL, equal, holds, refused


@check("upsert: a new key creates a Lead, a known one updates it")
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


@check("upsert: the key must not be in the body too")
def _():
    refused(lambda: leads.upsert("BookingId__c/ss-3", lead("二重", BookingId__c="ss-3")),
            SalesforceMalformedRequest, "INVALID_FIELD")


@check("upsert: several Leads with one key are listed, and none is changed")
def _():
    mail = "several@example.org"
    ids = [leads.create(lead(name, Email=mail))["id"] for name in ["一人目", "二人目"]]
    try:
        leads.upsert(f"Email/{quote(mail)}", {"Company": "変更"})
    except SalesforceMoreThanOneRecord as error:
        equal(sorted(error.content), sorted(f"/services/data/v{sf.sf_version}/sobjects/Lead/{one}" for one in ids))
    else:
        raise AssertionError("expected SalesforceMoreThanOneRecord, found a response")
    equal([leads.get(one)["Company"] for one in ids], ["一人目 株式会社", "二人目 株式会社"])
    for one in ids:
        leads.delete(one)


@check("query: values of every kind are found")
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


@check("query: the error names an unknown field or object")
def _():
    error = refused(lambda: sf.query("SELECT Nickname__c FROM Lead"), SalesforceMalformedRequest, "INVALID_FIELD")
    holds("No such column 'Nickname__c' on entity 'Lead'" in error["message"], f"the field in {error['message']!r}")
    holds("ERROR at Row:1:Column:8" in error["message"], f"the place in {error['message']!r}")
    error = refused(lambda: sf.query("SELECT Id FROM Leed"), SalesforceMalformedRequest, "INVALID_TYPE")
    holds("sObject type 'Leed' is not supported" in error["message"], f"the object in {error['message']!r}")


@check("query: a result is paged")
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


@check("query: an unknown locator is rejected")
def _():
    refused(lambda: sf.query_more("01g000000000000AAA-200"), SalesforceMalformedRequest, "INVALID_QUERY_LOCATOR",
            message="invalid query locator")


@check("update: a Lead is changed, with the same errors as on create")
def _():
    equal(leads.update(made["id"], {"Company": "変更後"}), 204)
    equal(leads.get(made["id"])["Company"], "変更後")
    refused(lambda: leads.update(made["id"], {"Email": "x"}), SalesforceMalformedRequest, "INVALID_EMAIL_ADDRESS",
            ["Email"])
    refused(lambda: leads.update(made["id"], {"LastName": None}), SalesforceMalformedRequest,
            "REQUIRED_FIELD_MISSING", ["LastName"])


@check("update: an unknown id is rejected")
def _():
    refused(lambda: leads.update("00Q000000000001AAA", {"Company": "x"}), SalesforceResourceNotFound, "NOT_FOUND")
    refused(lambda: leads.get("00Q00000000000!"), SalesforceMalformedRequest, "MALFORMED_ID")


@check("method: the error for a wrong one lists those allowed")
def _():
    error = refused(lambda: sf.restful("sobjects/Lead", method="PUT", data="{}"), SalesforceGeneralError,
                    "METHOD_NOT_ALLOWED")
    equal(error["message"], "HTTP Method 'PUT' not allowed. Allowed are GET,HEAD,POST")


@check("limits: daily calls are counted and reported with every response")
def _():
    before = sf.limits()["DailyApiRequests"]
    after = sf.limits()["DailyApiRequests"]
    equal(after, {"Max": before["Max"], "Remaining": before["Remaining"] - 1})
    usage = sf.api_usage["api-usage"]
    equal((usage.used, usage.total), (after["Max"] - after["Remaining"], after["Max"]), "the limit header")


@check("delete: a Lead is deleted, and cannot be deleted twice")
def _():
    equal(leads.delete(made["id"]), 204)
    refused(lambda: leads.delete(made["id"]), SalesforceResourceNotFound, "ENTITY_IS_DELETED",
            message="entity is deleted")
    refused(lambda: leads.get(made["id"]), SalesforceResourceNotFound, "NOT_FOUND")


@check("revoke: every token of the grant stops working")
def _():
    # The client has no dedicated call; its generic one sends what Salesforce's page on revocation shows.
    sf.oauth2("revoke", params={"token": tokens["refresh_token"]}, method="POST")
    refused(lambda: sf.query("SELECT Id FROM Lead"), SalesforceExpiredSession, "INVALID_SESSION_ID")
    answer = token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    equal(answer, (400, {"error": "invalid_grant", "error_description": "expired access/refresh token"}))
    again = http.post(f"{BASE_URL}/services/oauth2/revoke", data={"token": tokens["refresh_token"]}, timeout=30)
    equal((again.status_code, again.json()["error"]), (400, "invalid_token"))
