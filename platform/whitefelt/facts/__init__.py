"""The published language: what has happened, as frozen dataclasses of primitives. Owns no tables; imports kernel only.

A listener imports the fact, never the speaker. Facts are additive (see `kernel.outbox.Fact`) and
hold ids, never personal data.
"""
