"""Whitefelt: an open-source iGaming platform. Start reading at docs/architecture.md."""

__version__ = "0.1.0"
