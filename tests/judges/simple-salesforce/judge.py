"""Shared parts of the checks: named checks, and a session that reaches the local org."""

import os
import sys
import traceback

import requests
from requests.adapters import HTTPAdapter

BASE_URL = os.environ["BASE_URL"]
ADMIN_URL = os.environ["ADMIN_URL"]


class StandIn(HTTPAdapter):
    """Redirects Salesforce's addresses to the local org, which has no TLS.

    simple-salesforce always builds `https` addresses; an adapter below it stays invisible to it.
    """

    def __init__(self, base):
        super().__init__()
        self.base = base

    def send(self, request, **options):
        path = request.url.split("/", 3)[3]
        request.url = f"{self.base}/{path}"
        return super().send(request, **options)


def session(base=BASE_URL):
    """A requests session that sends every `https` request to a local org."""
    made = requests.Session()
    # Ignore proxies and .netrc of this machine.
    made.trust_env = False
    made.mount("https://", StandIn(base))
    return made


def admin(path, body=None):
    """Calls the local org's admin API."""
    answer = requests.post(f"{ADMIN_URL}{path}", json=body, timeout=30)
    answer.raise_for_status()


def visit(url):
    """Has the test that started this script allow access in a browser, and returns the callback URL."""
    print(f"visit {url}", flush=True)
    return sys.stdin.readline().strip()


def equal(found, expected, what="the answer"):
    if found != expected:
        raise AssertionError(f"{what}: expected {expected!r}, found {found!r}")


def holds(condition, expected):
    if not condition:
        raise AssertionError(f"expected {expected}")


def refused(call, kind, code, fields=None, message=None):
    """Expects the client's exception of this class with one error of this code, and returns that error."""
    expected = f"{kind.__name__} with {code}"
    try:
        found = call()
    except kind as error:
        if type(error) is not kind or not isinstance(error.content, list):
            raise AssertionError(f"expected {expected}, found {error!r} with {error.content!r}") from error
        equal([one["errorCode"] for one in error.content], [code], f"the codes of {expected}")
        one = error.content[0]
        if fields is not None:
            equal(one.get("fields"), fields, f"the fields of {expected}")
        if message is not None:
            equal(one["message"], message, f"the message of {expected}")
        return one
    except Exception as error:
        raise AssertionError(f"expected {expected}, found {error!r}") from error
    raise AssertionError(f"expected {expected}, found a response: {found!r}")


class Checks:
    """Runs the checks in order of definition. A failing check does not stop the others."""

    def __init__(self):
        self.failed = 0

    def __call__(self, name):
        def run(check):
            try:
                check()
            except Exception as error:
                self.failed += 1
                print(f"FAILED {name}: {error or type(error).__name__}")
                if not isinstance(error, AssertionError):
                    print(traceback.format_exc())
            else:
                print(f"ok {name}")
            sys.stdout.flush()
            return check

        return run
