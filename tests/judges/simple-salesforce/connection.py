"""The connection of the checks that read and write records, and the records they created."""

from simple_salesforce.exceptions import SalesforceMalformedRequest

from app import client, connected
from judge import refused

tokens = connected()
sf = client(tokens["access_token"])
leads = sf.Lead
made = {}


def malformed(record, code, fields=None, message=None, headers=None):
    return refused(lambda: leads.create(record, headers=headers), SalesforceMalformedRequest, code, fields, message)
