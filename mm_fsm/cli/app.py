"""The commands and what they accept. Each loads what it does its work with when it runs, so that help is quick."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer
from typer.core import TyperGroup

from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.errors import MarketMakerError

RecordingFormat = Literal["tardis", "binance-stream"]

_EXIT_CODES: Final = (
    "Exit status: 0 success; 1 a session ended with a fault; 2 bad usage, settings or recording; 3 a wind-down passed "
    "its deadline with a position left; 130 interrupted, 143 terminated (orders cancelled, position kept)."
)


class DiagramFormatName(StrEnum):
    """The formats of diagrams, by name: loading what draws them would slow down every command's help."""

    DOT = "dot"
    SVG = "svg"
    PNG = "png"
    PDF = "pdf"
    MERMAID = "mermaid"
    MARKDOWN = "markdown"


class _Commands(TyperGroup):
    """Tells what is refused in one line, with exit status 2; a traceback is for what is broken."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except MarketMakerError as error:
            from mm_fsm.cli.consoles import print_message

            print_message(f"mm-fsm: {error}", style="red")
            raise typer.Exit(ExitCode.BAD_INPUT) from None


app = typer.Typer(
    cls=_Commands,
    name="mm-fsm",
    help="Make a market with one declared state machine: on paper, and on recorded data. No order leaves for a venue.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer's call
    if wanted:
        from importlib.metadata import version

        typer.echo(f"mm-fsm {version('mm-fsm')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """What stands before a command."""


def _positive(value: float | None) -> float | None:
    if value is not None and not (value > 0 and math.isfinite(value)):
        raise typer.BadParameter(f"expected seconds above 0, found {value:g}.")
    return value


def _speed(value: str) -> str:
    try:
        is_fine = value == "max" or (float(value) > 0 and math.isfinite(float(value)))
    except ValueError:
        is_fine = False
    if not is_fine:
        raise typer.BadParameter(f"expected 'max' or a number above 0 (1 is real time), found {value!r}.")
    return value


OutOption = Annotated[Path | None, typer.Option(help="Where results are written.", file_okay=False, show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object; progress goes to standard error.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
SettingsArgument = Annotated[
    Path | None, typer.Argument(metavar="SETTINGS.toml", help="Settings; see mm-fsm check.", show_default=False)
]
PresetOption = Annotated[str | None, typer.Option(help="A shipped preset; see mm-fsm plugins.", show_default=False)]


@app.command(
    epilog="Example: mm-fsm run --duration 3600 --seed 7 --out runs/demo\n\n"
    f"Without settings two shipped presets are run at once.\n\n{_EXIT_CODES}"
)
def run(
    settings: SettingsArgument = None,
    duration: Annotated[
        float | None,
        typer.Option(
            help="Seconds of event time, then wind down; else as settings say, else an hour.",
            callback=_positive,
            show_default=False,
        ),
    ] = None,
    speed: Annotated[
        str, typer.Option(help="Event time against the clock: a factor (1 is real time), or max.", callback=_speed)
    ] = "max",
    seed: Annotated[int | None, typer.Option(help="Of the simulated markets.", min=0, show_default=False)] = None,
    out: OutOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a market on the paper exchange against a simulated market, one or several symbols at once."""
    from mm_fsm.cli.running import run_simulation

    raise typer.Exit(
        run_simulation(
            settings, duration_seconds=duration, speed=speed, seed=seed, out=out, as_json=as_json, quiet=quiet
        )
    )


@app.command(
    epilog="Example: mm-fsm backtest --quotes quotes.csv.gz --trades trades.csv.gz\n\n"
    f"The shipped preset that fits the recording is used unless settings are given.\n\n{_EXIT_CODES}"
)
def backtest(
    quotes: Annotated[
        list[Path], typer.Option(help="Tardis quotes, CSV, also gzip; again for more.", show_default=False)
    ] = [],
    trades: Annotated[
        list[Path], typer.Option(help="Tardis trades, CSV, also gzip; again for more.", show_default=False)
    ] = [],
    capture: Annotated[
        list[Path], typer.Option(help="Raw Binance futures stream captures, in order.", show_default=False)
    ] = [],
    more: Annotated[
        list[Path], typer.Argument(help="Further files, as in --capture FIRST SECOND.", show_default=False)
    ] = [],
    recording_format: Annotated[
        RecordingFormat | None, typer.Option("--format", help="Refuse any other format.", show_default=False)
    ] = None,
    settings: Annotated[Path | None, typer.Option(help="Settings in TOML.", show_default=False)] = None,
    preset: PresetOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a market on recorded data, on the paper exchange."""
    from mm_fsm.cli.backtesting import run_backtest

    files = [*quotes, *trades, *capture, *more]
    raise typer.Exit(
        run_backtest(files, recording_format, settings=settings, preset=preset, out=out, as_json=as_json, quiet=quiet)
    )


@app.command(epilog="Example: mm-fsm check settings.toml --price 2500")
def check(
    settings: SettingsArgument = None,
    preset: PresetOption = None,
    price: Annotated[
        str | None, typer.Option(help="Reference price; else the simulator's start price.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check settings, and print what would be quoted in a calm market: levels that survive, and why others do not."""
    from mm_fsm.cli.checking import run_check

    raise typer.Exit(run_check(settings, preset=preset, price=price, as_json=as_json))


@app.command(epilog="Example: mm-fsm report runs/demo")
def report(
    directory: Annotated[Path, typer.Argument(help="What run or backtest has written.")],
    as_json: JsonOption = False,
) -> None:
    """Print the result of an earlier run."""
    from mm_fsm.cli.running import print_result
    from mm_fsm.report.files import read_result

    print_result(read_result(directory), as_json=as_json)


@app.command(epilog="Example: mm-fsm diagram --check, or: mm-fsm diagram my_bot:MyMachine --format svg --out pictures")
def diagram(
    chart: Annotated[
        str | None, typer.Argument(metavar="MODULE:CLASS", help="Else this package's own charts.", show_default=False)
    ] = None,
    formats: Annotated[
        list[DiagramFormatName],
        typer.Option("--format", help="Again for more; else dot, svg, mermaid and markdown.", show_default=False),
    ] = [],
    out: Annotated[Path, typer.Option(help="Where the diagrams are.", file_okay=False)] = Path("diagrams"),
    check_only: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail when a diagram is missing or stale.")
    ] = False,
) -> None:
    """Draw charts from their definitions, or check that drawn ones are up to date."""
    from mm_fsm.cli.drawing import run_diagram

    raise typer.Exit(run_diagram(chart, formats, out, check_only=check_only))


@app.command(epilog="Example: mm-fsm plugins --json")
def plugins(as_json: JsonOption = False) -> None:
    """List what settings can name: services, also those that other packages bring, and presets."""
    from mm_fsm.cli.listing import print_plugins

    print_plugins(as_json=as_json)
