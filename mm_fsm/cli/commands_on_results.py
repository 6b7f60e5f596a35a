"""Commands on what runs have left: report, compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from mm_fsm.cli.arguments import JsonOption, QuietOption, number_from, option
from mm_fsm.cli.commands_on_runs import LATEST

REPORT_EPILOG: Final = (
    "Example: mm-fsm report runs/demo --baseline\n\n"
    "It writes report.html and report.json into the directory; of a run that was killed it makes them from the "
    "journal.\n\n"
    "Exit status: 0 printed and written; 1 it could not be written; 2 no such run, or a journal that does not replay."
)
COMPARE_EPILOG: Final = (
    "Example: mm-fsm compare runs/before runs/after\n\n"
    "The first run is the reference. Differences of profit are paired by blocks of time over what both have in "
    "common.\n\n"
    "Exit status: 0 at least one pair; 1 no two runs share a market and two blocks of time; 2 no such run."
)


def report(
    *,
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="What run or backtest has written; the last run by default.")
    ] = LATEST,
    brief: Annotated[bool, option("--brief", help="Print what run and backtest print: what matters most.")] = False,
    baseline: Annotated[
        bool, option("--baseline", help="Make the market again with a plain quoter, and set it beside the run.")
    ] = False,
    within_bps: Annotated[
        float | None, option("--within-bps", metavar="BPS", help="Presence: how near an order must be to the middle.")
    ] = None,
    size: Annotated[
        float | None, option("--size", metavar="CONTRACTS", help="Presence: how much each side must show.")
    ] = None,
    asked_share: Annotated[
        float | None, option("--asked-share", metavar="SHARE", help="Presence: of the time; programmes ask for 0.8.")
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Print the result of an earlier run with every figure, and write its page anew."""
    from mm_fsm.cli.reporting import ReportOptions, run_report

    rule: dict[str, Any] = {"within_bps": within_bps, "size": size, "asked_share": asked_share}
    options = ReportOptions(
        directory=directory,
        brief=brief,
        as_json=as_json,
        quiet=quiet,
        baseline=baseline,
        programme={name: value for name, value in rule.items() if value is not None},
    )
    raise typer.Exit(run_report(options))


def compare(
    *,
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Directories of runs, the reference first.")],
    block: Annotated[
        float | None,
        option(
            "--block",
            metavar="SECONDS",
            help="Profits drawn together; else 300, or twice the half-life of positions.",
            parser=number_from(1, kind=float),
        ),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Set runs side by side, with intervals of what one earned more than the other over the same time."""
    from mm_fsm.cli.reporting import run_compare

    raise typer.Exit(run_compare(runs, block_seconds=block, as_json=as_json, quiet=quiet))
