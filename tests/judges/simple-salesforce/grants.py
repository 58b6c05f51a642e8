"""Versions, grants and sessions. These checks end every session."""

import os
import secrets

from simple_salesforce import Salesforce, SalesforceAuthenticationFailed
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceResourceNotFound

from app import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, authorize, check, client, connected, exchange, http, lead, token
from judge import BASE_URL, admin, equal, holds, refused, session

ROTATING_URL = os.environ["ROTATING_BASE_URL"]
# What a user of the client passes as `domain`; the session redirects it to the local org.
DOMAIN = "judged.my"

tokens = connected()
sf = client(tokens["access_token"])
leads = sf.Lead


@check("versions: the list needs no token")
def _():
    versions = http.get(f"{BASE_URL}/services/data", timeout=30).json()
    equal(versions[-1]["url"], f"/services/data/v{versions[-1]['version']}", "the newest version's path")
    holds(sf.sf_version in [one["version"] for one in versions], f"the client's default version {sf.sf_version}")


@check("versions: an unknown version is not found")
def _():
    unknown = client(tokens["access_token"], version="99.0")
    refused(unknown.Lead.describe, SalesforceResourceNotFound, "NOT_FOUND")


@check("code grant: a code can be exchanged once")
def _():
    verifier = secrets.token_urlsafe(64)
    code = authorize(verifier)
    status, bought = exchange(code, verifier)
    equal((status, bought["token_type"], bought["instance_url"]), (200, "Bearer", BASE_URL))
    holds(bought["refresh_token"] and bought["id"].startswith(f"{BASE_URL}/id/00D"), "a refresh token and an identity")
    holds(bought["issued_at"].isdigit(), "the time of issue in milliseconds, as a string")
    equal(exchange(code, verifier), (400, {"error": "invalid_grant", "error_description": "expired authorization code"}))


@check("code grant: a wrong verifier is rejected")
def _():
    status, answer = exchange(authorize(secrets.token_urlsafe(64)), secrets.token_urlsafe(64))
    equal((status, answer["error"]), (400, "invalid_grant"))


@check("code grant: a wrong secret is rejected")
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


@check("refresh grant: an unknown token is rejected")
def _():
    answer = token(grant_type="refresh_token", refresh_token="5Aep861wrong")
    equal(answer, (400, {"error": "invalid_grant", "error_description": "expired access/refresh token"}))


@check("rotation: a refresh token works once, and reusing it ends the grant")
def _():
    app = {"client_id": os.environ["ROTATING_CLIENT_ID"], "client_secret": os.environ["ROTATING_CLIENT_SECRET"]}
    redirect_uri = os.environ["ROTATING_REDIRECT_URI"]
    verifier = secrets.token_urlsafe(64)
    code = authorize(verifier, ROTATING_URL, app["client_id"], redirect_uri)
    grant = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
    status, first = token(ROTATING_URL, redirect_uri=redirect_uri, **grant, **app)
    equal(status, 200, f"the status of the code grant ({first})")

    def refresh(tokens):
        return token(ROTATING_URL, grant_type="refresh_token", refresh_token=tokens["refresh_token"], **app)

    status, second = refresh(first)
    holds(status == 200 and second["refresh_token"] != first["refresh_token"], "another refresh token")
    status, third = refresh(second)
    holds(status == 200 and third["refresh_token"] not in [first["refresh_token"], second["refresh_token"]],
          "yet another refresh token")
    newest = client(third["access_token"], ROTATING_URL)
    equal(newest.query("SELECT count() FROM Lead")["done"], True)
    ended = (400, {"error": "invalid_grant", "error_description": "expired access/refresh token"})
    equal(refresh(first), ended)
    refused(lambda: newest.query("SELECT count() FROM Lead"), SalesforceExpiredSession, "INVALID_SESSION_ID")
    equal(refresh(third), ended)


@check("expired session: the client reconnects automatically")
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
    holds(own.session_id != before, "another access token for a call on an object, too")


@check("expired session: without a way to reconnect it is an error")
def _():
    refused(lambda: sf.query("SELECT Id FROM Lead"), SalesforceExpiredSession, "INVALID_SESSION_ID",
            message="Session expired or invalid")
    refused(lambda: leads.create(lead("期限切れ")), SalesforceExpiredSession, "INVALID_SESSION_ID")


@check("client credentials: a wrong secret is rejected")
def _():
    try:
        Salesforce(consumer_key=CLIENT_ID, consumer_secret="wrong", domain=DOMAIN, session=session())
    except SalesforceAuthenticationFailed as error:
        equal((error.code, error.auth_message), ("invalid_client", "invalid client credentials"))
    else:
        raise AssertionError("expected SalesforceAuthenticationFailed, found a connection")
