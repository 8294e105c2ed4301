"""The demo: which processes there are, what the two operators start with, and what is told when all is ready.

Top layer, beside app and cli. Owns no tables: everything it makes goes through the modules' faces.
"""

from whitefelt.demo.plan import Demo

__all__ = ["Demo"]
