"""Postbox, the sandbox's mail server: takes every message, delivers none, shows them all in a web inbox."""
