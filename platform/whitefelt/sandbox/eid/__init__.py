"""Nordkey, the sandbox's electronic identity: order, approve, collect (docs/protocols/sandbox-eid.md).

``people`` is pure and knows the test persons; ``orders`` keeps the books; ``app`` serves relying parties, the person's
browser and the control.
"""
