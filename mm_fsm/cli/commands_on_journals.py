"""Commands that look into what a run has recorded, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from mm_fsm.cli.arguments import JsonOption, QuietOption, number_from, option
from mm_fsm.cli.commands_on_runs import LATEST

INSPECT_EPILOG: Final = (
    "Example: mm-fsm inspect runs/demo, then open runs/demo/inspect.html\n\n"
    "What would another version have done? mm-fsm inspect runs/demo --machine my_bot:MyMachine --settings new.toml\n\n"
    "Two runs side by side: mm-fsm inspect runs/demo --against runs/other\n\n"
    "A page above 12 MB is not written unless --out names it: it is served on this machine until Ctrl-C.\n\n"
    "Exit status: 0 the page is written, or was served; 2 no sound journal, or nothing in it to show."
)


def inspect(
    *,
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run's directory, or a journal; the last run by default.")
    ] = LATEST,
    symbol: Annotated[str | None, option("--symbol", metavar="SYMBOL", help="This market only.")] = None,
    against: Annotated[
        Path | None,
        option("--against", metavar="RUN", help="Another run, side by side; the first difference is marked."),
    ] = None,
    machine: Annotated[
        str | None, option(metavar="MODULE:CLASS", help="Side by side with what this machine decides.")
    ] = None,
    settings: Annotated[
        Path | None, option(metavar="SETTINGS.toml", help="Side by side with the strategy it has for the market.")
    ] = None,
    out: Annotated[
        Path | None, option("--out", metavar="FILE", help="The page, however large; else RUN/inspect.html.")
    ] = None,
    serve: Annotated[bool, option("--serve", help="Serve the page on 127.0.0.1 until Ctrl-C; write no file.")] = False,
    port: Annotated[
        int,
        typer.Option(metavar="NUMBER", help="Where it is served; 0 for any free one.", parser=number_from(0, 65535)),
    ] = 0,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a page that steps through a run: chart, facts, guards, services' answers, orders and books, each way."""
    from mm_fsm.cli.inspector import InspectOptions, run_inspector

    options = InspectOptions(
        symbol=symbol,
        against=against,
        machine=machine,
        settings=settings,
        out=out,
        serves=serve,
        port=port,
        as_json=as_json,
        quiet=quiet,
    )
    raise typer.Exit(run_inspector(run, options))
