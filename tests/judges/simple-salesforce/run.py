"""simple-salesforce, run against the org that the environment names: every check says what Salesforce would answer."""

import sys

import grants  # noqa: F401
import creates  # noqa: F401
import records  # noqa: F401
from app import check

sys.exit(1 if check.failed else 0)
