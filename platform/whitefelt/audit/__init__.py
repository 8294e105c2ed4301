"""Audit: who did what, to what, why, with which values before and after? One append-only, hash-chained log per tenant.

An entry is written in the transaction of the change it describes, so neither can exist without the other. It holds ids
and the values that changed: never secrets, and no more personal data than the change itself needs.
Owns: audit_log, audit_head. Imports: kernel, facts.
"""

from whitefelt.audit.queries import Entry, entries, entry
from whitefelt.audit.recording import record
from whitefelt.audit.verify import verify

__all__ = ["Entry", "entries", "entry", "record", "verify"]
