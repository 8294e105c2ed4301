"""The parts of a platform as plain data: what to run, when it counts as ready, what it needs first."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Probe = str | Callable[[], bool]


class Server(Protocol):
    """A server that its own code started and can stop, such as the embedded database."""

    @property
    def pid(self) -> int:
        """Process id of its first process."""

    def is_running(self) -> bool:
        """Whether that process lives."""

    def stop(self, grace_seconds: float) -> None:
        """Ends it in good order, by force if that takes longer."""


@dataclass(frozen=True)
class ProcessSpec:
    """A program to keep running.

    `argv` and `env` may be functions, called at every start, for what is known only once `depends_on` is ready; `env`
    is added to our own environment. `ready` is a URL (`http://...` counts as ready when it answers below 500,
    `tcp://host:port` when it accepts) or a function; without it the process is ready as soon as it runs.
    """

    name: str
    argv: Sequence[str] | Callable[[], Sequence[str]]
    env: Mapping[str, str] | Callable[[], Mapping[str, str]] = field(default_factory=dict)
    ready: Probe | None = None
    stop_signal: int = signal.SIGTERM
    stop_after_seconds: float = 5.0
    restart: bool = True
    depends_on: Sequence[str] = ()
    ready_within_seconds: float = 60.0
    chdir: Path | None = None


@dataclass(frozen=True)
class ServiceSpec:
    """A server with a start function of its own that returns when the server is ready."""

    name: str
    start: Callable[[], Server]
    restart: bool = True
    depends_on: Sequence[str] = ()
    stop_after_seconds: float = 6.0


@dataclass(frozen=True)
class TaskSpec:
    """A step that is done once, such as migrations. `run` gets a function that shows and logs one line."""

    name: str
    run: Callable[[Callable[[str], None]], object]
    depends_on: Sequence[str] = ()


Spec = ProcessSpec | ServiceSpec | TaskSpec
