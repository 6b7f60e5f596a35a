"""``serve``: a run in a browser on this machine, from a process of its own."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Final

from mm_fsm.cli.asked_for import port_asked_for
from mm_fsm.cli.consoles import message_console, print_message
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.errors import FileError, OptionError
from mm_fsm.runtime.loopback_server import LoopbackServer
from mm_fsm.watching.served.access import Access
from mm_fsm.watching.served.routes import routes_of

_ENDS: Final = frozenset({signal.SIGINT, signal.SIGTERM})


def run_serve(directory: Path, *, port: int, control: bool, token_file: Path | None) -> int:
    """Serve a run's page until Ctrl-C or SIGTERM; the exit status.

    Raises:
        SettingsError: there is no such directory, the port is taken, or the token file is refused.
    """
    if not directory.is_dir():
        raise FileError(str(directory), "the directory of a run", "none", "Name the one that --out named.")
    place = directory.resolve()  # of this run for good: runs/latest may soon be another one, which nobody meant
    access = _access(control=control, token_file=token_file)
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)  # before there are threads, which inherit it
    try:
        with port_asked_for("--port"), LoopbackServer(routes_of(place, access), port) as server:
            print_message(f"{place} is shown at {server.address}\nCtrl-C ends that, and nothing else")
            if access is not None and token_file is None:
                print_message(f"token for pause, resume and stop, as long as this process lives: {access.token}")
            signal.sigwait(_ENDS)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
    return ExitCode.SUCCESS


def _access(*, control: bool, token_file: Path | None) -> Access | None:
    if token_file is not None:
        return Access.from_file(token_file)
    if not control:
        return None
    if not message_console().is_terminal:
        remedy = "Name a file that only you may read: --token-file FILE."
        raise OptionError("--control", "a terminal to print the token on", "a file or a pipe", remedy)
    return Access.fresh()
