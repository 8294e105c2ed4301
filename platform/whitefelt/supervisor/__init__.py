"""Runs the many processes of a platform as one: starts, watches, ends them, and tells others where they are.

Owns no tables. Knows nothing of what it runs: a list of parts (`ProcessSpec`, `ServiceSpec`, `TaskSpec`) is given to
`Supervisor`. `runtime` writes and reads the file by which other commands find the running platform. Imports
`whitefelt.kernel`.
"""

from . import runtime
from .engine import Supervisor
from .errors import AlreadyRunning, BadPlan, NotRunning, StartFailed, SupervisorError
from .specs import ProcessSpec, Server, ServiceSpec, Spec, TaskSpec

__all__ = [
    "AlreadyRunning",
    "BadPlan",
    "NotRunning",
    "ProcessSpec",
    "Server",
    "ServiceSpec",
    "Spec",
    "StartFailed",
    "Supervisor",
    "SupervisorError",
    "TaskSpec",
    "runtime",
]
