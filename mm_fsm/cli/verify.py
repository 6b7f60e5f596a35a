"""``verify``: replay a run's journal and compare every step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mm_fsm.cli.consoles import result_console
from mm_fsm.cli.exit_codes import ExitCode


def verify(
    *,
    journal: Annotated[Path, typer.Argument(metavar="JOURNAL", help="A run's journal, or the directory it is in.")],
    machine: Annotated[
        str | None,
        typer.Option(metavar="MODULE:CLASS", help="Replay with this machine: what would it have done?"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Replay a journal through the machine that wrote it, or another, and name the first difference."""
    raise typer.Exit(run_verify(journal, machine, as_json=as_json))


def run_verify(journal: Path, machine: str | None, *, as_json: bool) -> int:
    """Verify one journal, or every journal below a directory, and print what was found; the exit status.

    Raises:
        JournalError: a file is no sound journal, or there is none.
        PluginError: the machine's class is not there.
    """
    from mm_fsm.errors import JournalError, PluginError  # noqa: PLC0415 - help loads no machine
    from mm_fsm.runtime.journal import verify_run  # noqa: PLC0415
    from mm_fsm.runtime.journal.fingerprint import find_class  # noqa: PLC0415

    try:
        machine_class = None if machine is None else find_class(machine)
    except ValueError as error:
        raise PluginError(f"--machine: {error}. Write it as my_bot.machines:MyMachine.") from error
    paths = sorted(journal.rglob("*.journal")) if journal.is_dir() else [journal]
    if not paths:
        raise JournalError(journal.name, "expected journals below it, found none.", "Name the journal of a run.")
    reports = [verify_run(path, machine_class) for path in paths]
    console = result_console()
    if as_json:
        console.out(json.dumps({"journals": [report.entry() for report in reports]}, indent=2), highlight=False)
    else:
        for report in reports:
            console.print(str(report), highlight=False, markup=False)
    return ExitCode.SUCCESS if all(report.is_clean for report in reports) else ExitCode.FAILURE
