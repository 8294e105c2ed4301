"""Run a command so that Ctrl-C is its own affair: it ends as it likes, and `make` reports its exit code.

On a terminal, Ctrl-C goes to every process of the foreground group, and `make` would answer it with an error of its own
while the command is still shutting down in good order. So the command gets a group of its own and the terminal; this
process stays in make's group, hands on the signals that arrive there, waits, and takes the terminal back. Without a
terminal it becomes the command.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

HANDED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def holds_terminal() -> bool:
    """True when standard input is a terminal and this process is in its foreground group."""
    try:
        return os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


def give_terminal(group: int) -> None:
    """Make that process group the terminal's foreground group; no harm if the terminal has gone."""
    with contextlib.suppress(OSError):
        os.tcsetpgrp(0, group)


def run(command: list[str]) -> int:
    """Run the command in the foreground; its exit code, 128 + n for a death by signal n."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        give_terminal(os.getpgrp())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execvp(command[0], command)  # noqa: S606
    with contextlib.suppress(OSError):
        os.setpgid(child, child)
    give_terminal(child)
    for number in HANDED_ON:
        signal.signal(number, lambda got, _frame: os.kill(child, got))
    try:
        _, status = os.waitpid(child, 0)
    finally:
        give_terminal(os.getpgrp())
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    if holds_terminal():
        sys.exit(run(sys.argv[1:]))
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606
