"""Runs one command as another user and ties its life to its parent's; then *becomes* the command.

Run by path (`python -I -S exec_wrapper.py OPTIONS -- COMMAND`), never imported by what it starts: it must be quick, and
must not need to read anything after it has given up its rights. Why a program and not `preexec_fn`: code between fork
and exec is unsafe as soon as the parent has threads.

Options: `--uid N --gid N` drop to that identity; `--chdir DIR` enter it *after* the drop (so it also proves that the
identity can reach it); `--death-signal N --parent PID` ask the kernel (Linux) to send that signal when the thread
that started us is gone. Exit status 125: the identity or folder is not to be had; 126: the command cannot be run.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
CANNOT_PREPARE = 125
CANNOT_RUN = 126


def split_arguments(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    """Splits `--name value ... -- command` into the options and the command."""
    end = arguments.index("--")
    options = dict(zip(arguments[0:end:2], arguments[1:end:2], strict=True))
    return options, arguments[end + 1 :]


def drop_identity(uid: int, gid: int) -> None:
    """Gives up every group and the user for good; the order matters, since afterwards we may not change groups."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with_parent(death_signal: int, parent: int) -> None:
    """Asks for the signal at the parent's death; leaves at once if the parent died before we could ask."""
    if sys.platform.startswith("linux"):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit(CANNOT_PREPARE)


def plain_signals() -> None:
    """Undoes what a shell with a background job or a busy parent left behind: ignored and blocked signals."""
    for number in (
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGTERM,
        signal.SIGHUP,
        signal.SIGPIPE,
    ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def main() -> None:
    """Prepares this process and replaces it with the command."""
    options, command = split_arguments(sys.argv[1:])
    try:
        if "--uid" in options:
            drop_identity(int(options["--uid"]), int(options["--gid"]))
        if "--chdir" in options:
            os.chdir(options["--chdir"])
        # Last of all: a change of identity clears the request.
        if "--death-signal" in options:
            die_with_parent(int(options["--death-signal"]), int(options["--parent"]))
    except OSError as error:
        sys.stderr.write(f"cannot prepare {command[0]}: {error}\n")
        sys.exit(CANNOT_PREPARE)
    plain_signals()
    try:
        os.execvp(command[0], command)  # noqa: S606 - running a program as told is what this is for
    except OSError as error:
        sys.stderr.write(f"cannot run {command[0]}: {error}\n")
        sys.exit(CANNOT_RUN)


if __name__ == "__main__":
    main()
