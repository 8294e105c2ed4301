"""Messages to players: what they should hear of by mail when something happened. Service mails only, no marketing yet.

Listens to facts; nobody below knows it. Mails go out through a connector (`crm.ports.MessageVendor`), outside of any
transaction, at least once: a repeated mail carries the same Message-ID.
Owns no tables. Imports: kernel, facts, tenancy, accounts.
"""

from whitefelt.crm.letters import Letter
from whitefelt.crm.sending import send

__all__ = ["Letter", "send"]
