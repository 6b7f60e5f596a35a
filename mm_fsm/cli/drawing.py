"""``diagram``: charts as files, and the check that they are up to date."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mm_fsm.cli.consoles import print_message, result_console
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.library_output import library_output_hidden
from mm_fsm.cli.user_code import find_modules_here
from mm_fsm.diagram import (
    COMMITTED_FORMATS,
    DEFAULT_CHARTS,
    DiagramFormat,
    check_diagrams,
    load_chart,
    write_diagrams,
)


def run_diagram(chart: str | None, formats: Sequence[str], directory: Path, *, check_only: bool) -> int:
    """Draw or check; the exit status.

    Raises:
        MarketMakerError: a chart cannot be found or drawn, or files cannot be written.
    """
    find_modules_here()
    charts = [load_chart(reference) for reference in ([chart] if chart else DEFAULT_CHARTS)]
    wanted = [DiagramFormat(name) for name in formats] or list(COMMITTED_FORMATS)
    if not check_only:
        with library_output_hidden():
            paths = write_diagrams(charts, directory, wanted)
        for path in paths:
            result_console().print(str(path), soft_wrap=True)
        return ExitCode.SUCCESS
    problems = check_diagrams(charts, directory, wanted)
    for problem in problems:
        print_message(f"mm-fsm: {problem}", style="red")
    if problems:
        return ExitCode.FAILURE
    print_message(f"{len(charts) * len(wanted)} diagrams in {directory} are up to date", style="dim")
    return ExitCode.SUCCESS
