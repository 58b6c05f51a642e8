"""The app that the checks use, and what users of the client write themselves: grants and connections."""

import base64
import hashlib
import os
import secrets
from urllib.parse import parse_qs, urlencode, urlsplit

from simple_salesforce import Salesforce

from judge import BASE_URL, Checks, equal, session, visit

CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
REDIRECT_URI = os.environ["REDIRECT_URI"]

check = Checks()
http = session()


def challenge(verifier):
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def authorize(verifier, base=BASE_URL, client_id=CLIENT_ID, redirect_uri=REDIRECT_URI):
    """The client does not support the pages, so its users build this URL themselves."""
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": "api refresh_token id",
        "state": "st/ate==",
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
    }
    back = visit(f"{base}/services/oauth2/authorize?{urlencode(asked)}")
    answer = parse_qs(urlsplit(back).query)
    equal(answer.get("state"), ["st/ate=="], "the state")
    return answer["code"][0]


def token(base=BASE_URL, **form):
    form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **form}
    answer = http.post(f"{base}/services/oauth2/token", data=form, timeout=30)
    return answer.status_code, answer.json()


def exchange(code, verifier):
    return token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI, code_verifier=verifier)


def client(access_token, base=BASE_URL, **options):
    return Salesforce(session_id=access_token, instance_url=base, session=session(base), **options)


def connected():
    """Tokens of a new grant."""
    verifier = secrets.token_urlsafe(64)
    status, tokens = exchange(authorize(verifier), verifier)
    equal(status, 200, f"the status of the code grant ({tokens})")
    return tokens


def lead(name, **more):
    return {"LastName": name, "Company": f"{name} 株式会社", **more}
