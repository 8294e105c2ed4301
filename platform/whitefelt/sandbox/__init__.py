"""The sandbox: vendors of our own making, each its own process that speaks HTTP like the real thing.

Purpose: demos and tests meet real wires, real signatures and real delays without a contract with anybody.

- ``whitefelt.sandbox.studio``  Lumen Forge, a game studio (docs/protocols/native-play.md, sandbox-studio.md)
- ``whitefelt.sandbox.psp``     Sandpay, a payment provider (docs/protocols/sandbox-psp.md)
- ``whitefelt.sandbox.eid``     Nordkey, an electronic identity (docs/protocols/sandbox-eid.md)
- ``whitefelt.sandbox.mail``    Postbox, a mail server that delivers nothing and shows everything

Every vendor starts with ``python -m whitefelt.sandbox.<vendor> --port N --data DIR --config FILE.json``, binds
127.0.0.1, answers ``GET /healthz``, logs to standard error, ends on SIGTERM and keeps its books in an SQLite file
in DIR.

Owned tables: none in the platform's database. Allowed imports: the standard library, Flask and aiosmtpd; nothing of
whitefelt, because a simulator that shares code with a connector proves nothing. In production every vendor refuses to
start.
"""
