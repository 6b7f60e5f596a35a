"""``check --alerts``: a message to each target, so that the first one is not that of the kill switch."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Final

from mm_fsm.cli.consoles import result_console
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.errors import OptionError
from mm_fsm.runtime.settings_file import read_settings
from mm_fsm.watching.alert_targets import AlertTarget, read_targets

LONGEST_WAIT_SECONDS: Final = 30.0
"""For all targets together; one that has not answered by then counts as one that takes nothing."""


def run_alert_check(settings: Path | None, *, as_json: bool) -> int:
    """Send a message to each target of the settings, and print which took it; the exit status.

    Raises:
        SettingsError: there are no settings, they name no target, or an address is none.
    """
    if settings is None:
        raise OptionError("SETTINGS", "a settings file with a table [alerts]", "nothing", "Name one.")
    alerts = read_settings(settings)[0].alerts
    if not alerts.is_on:
        remedy = "Write targets_variable or targets_file below [alerts]."
        raise OptionError("--alerts", "settings that say who is told", "none", remedy)
    targets = read_targets(alerts)
    taken = _sent(targets)
    console = result_console()
    if as_json:
        told = [{"name": target.name, "is_taken": target.name in taken} for target in targets]
        console.out(json.dumps({"targets": told}, indent=2), highlight=False)
    else:
        for target in targets:
            words = "took a message" if target.name in taken else "TOOK NO MESSAGE: check its address and the network"
            console.print(f"target {target.name} {words}", soft_wrap=True, markup=False)
    return ExitCode.SUCCESS if len(taken) == len(targets) else ExitCode.FAILURE


def _sent(targets: Sequence[AlertTarget]) -> set[str]:
    """Names of the targets that took a message in time."""
    taken: set[str] = set()

    def send(target: AlertTarget) -> None:
        if target.send(
            "mm-fsm: a test", f"mm-fsm check --alerts on {socket.gethostname()} sent this. Nothing is wrong."
        ):
            taken.add(target.name)

    # daemons: a target that hangs must not keep the program
    threads = [Thread(target=send, args=(target,), daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    until = monotonic() + LONGEST_WAIT_SECONDS
    for thread in threads:
        thread.join(max(until - monotonic(), 0.0))
    return set(taken)
