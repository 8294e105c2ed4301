"""What keeps the platform from starting, or from being found; each message is a sentence for the operator."""

from __future__ import annotations


class SupervisorError(RuntimeError):
    """Anything below."""


class AlreadyRunning(SupervisorError):
    """Another supervisor holds the data folder."""


class NotRunning(SupervisorError):
    """No platform runs on the data folder."""


class StartFailed(SupervisorError):
    """A part did not come up."""


class BadPlan(SupervisorError):
    """The list of parts contradicts itself."""
