"""The commands and what they accept. Each loads what it does its work with when it runs, so that help is quick."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from mm_fsm.cli.arguments import (
    EXIT_CODES,
    ExecutorOption,
    FilesOption,
    FlattenOption,
    JournalOption,
    JsonOption,
    MachineOption,
    OutOption,
    PresetOption,
    QuietOption,
    SettingsArgument,
    choice_option,
    number_from,
    option,
    parsed_duration,
)
from mm_fsm.cli.commands_on_journals import INSPECT_EPILOG, inspect
from mm_fsm.cli.commands_on_recordings import (
    BACKTEST_EPILOG,
    CALIBRATE_EPILOG,
    CONVERT_EPILOG,
    TUNE_EPILOG,
    backtest,
    calibrate,
    convert,
    tune,
)
from mm_fsm.cli.commands_on_results import COMPARE_EPILOG, REPORT_EPILOG, compare, report
from mm_fsm.cli.commands_on_runs import (
    LATEST,
    PAUSE_EPILOG,
    RESUME_EPILOG,
    SERVE_EPILOG,
    STATUS_EPILOG,
    STOP_EPILOG,
    WATCHDOG_EPILOG,
    WHY_EPILOG,
    pause,
    resume,
    serve,
    status,
    stop,
    watchdog,
    why,
)
from mm_fsm.cli.exit_codes import INTERRUPTED, READER_LEFT, ExitCode
from mm_fsm.cli.option_names import DiagramFormatName, ExecutorName
from mm_fsm.cli.record_command import RECORD_EPILOG, record
from mm_fsm.errors import MarketMakerError

_FORMATS: Final = ", ".join(DiagramFormatName)


class _Commands(TyperGroup):
    """Prints a refusal as one line and exits with status 2. Only a defect of the program shows a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except MarketMakerError as error:
            from mm_fsm.cli.consoles import print_message

            print_message(f"mm-fsm: {error}", style="red")
            raise typer.Exit(ExitCode.BAD_INPUT) from None
        except BrokenPipeError:  # a reader such as head has read enough
            from mm_fsm.cli.unprinted_output import print_no_more

            print_no_more()
            raise typer.Exit(READER_LEFT) from None
        except KeyboardInterrupt:  # outside the sessions, which handle signals themselves
            raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(
    cls=_Commands,
    name="mm-fsm",
    help="Make a market with one declared state machine: on paper, on recorded data, and at a venue. "
    "Real orders leave only where settings and the command line both say so.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's call
    if wanted:
        from importlib.metadata import version

        typer.echo(f"mm-fsm {version('mm-fsm')}")
        raise typer.Exit


def _speed(value: str) -> str:
    try:
        is_sound = value == "max" or (float(value) > 0 and math.isfinite(float(value)))
    except ValueError:
        is_sound = False
    if not is_sound:
        raise typer.BadParameter(f"expected 'max' or a number above 0 (1 is real time), found {value!r}.")
    return value


def _exact(value: str) -> Decimal:
    try:
        return Decimal(value)
    except InvalidOperation:
        raise typer.BadParameter(f"expected a number, found {value!r}.") from None


@app.callback()
def _mm_fsm(
    *,
    _version: Annotated[
        bool, option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What may stand before a command."""


@app.command(
    epilog="Example: mm-fsm run --duration 15m --seed 7 --out runs/demo\n\n"
    "Without settings two shipped presets run at once. Ctrl-C cancels every order and confirms it.\n\n"
    f"{EXIT_CODES}"
)
def run(
    *,
    settings: SettingsArgument = None,
    duration: Annotated[
        float | None,
        option(
            metavar="DURATION",
            parser=parsed_duration,
            help="Of event time, such as 90s or 1h, then wind down; else as settings say, or an hour.",
        ),
    ] = None,
    speed: Annotated[
        str,
        typer.Option(metavar="FACTOR", callback=_speed, help="Event time against the clock: 1 is real time, or max."),
    ] = "max",
    seed: Annotated[
        int | None, option(metavar="NUMBER", help="Of the simulated markets.", parser=number_from(0))
    ] = None,
    live: Annotated[
        bool, option("--live", help="Let real orders leave, where settings say live = true; refused otherwise.")
    ] = False,
    machine: MachineOption = None,
    executor: ExecutorOption = ExecutorName.TABLE,
    out: OutOption = None,
    journal: JournalOption = True,
    flatten: FlattenOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a market on the venue that settings name, one or several symbols at once; on paper without settings."""
    from mm_fsm.cli.options import RunOptions
    from mm_fsm.cli.running import run_simulation

    options = RunOptions(
        machine=machine,
        executor=executor,
        out=out,
        journal=journal,
        flatten=flatten,
        as_json=as_json,
        quiet=quiet,
    )
    raise typer.Exit(run_simulation(settings, options, duration_seconds=duration, speed=speed, seed=seed, live=live))


app.command(epilog=BACKTEST_EPILOG)(backtest)
app.command(epilog=CONVERT_EPILOG)(convert)
app.command(epilog=CALIBRATE_EPILOG)(calibrate)
app.command(epilog=TUNE_EPILOG)(tune)
app.command(epilog=RECORD_EPILOG)(record)


@app.command(epilog="Example: mm-fsm check settings.toml --price 2500, or: mm-fsm check settings.toml --venue")
def check(
    *,
    settings: SettingsArgument = None,
    preset: PresetOption = None,
    price: Annotated[
        str | None, option(metavar="PRICE", help="Reference price; else the simulator's start price.")
    ] = None,
    venue: Annotated[
        bool, option("--venue", help="Connect and show the account: permissions, balances, orders. Nothing is sent.")
    ] = False,
    alerts: Annotated[bool, option("--alerts", help="Send a test message to each target of [alerts].")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check settings and print what they would quote in a calm market: levels that survive, and why others do not."""
    if venue:
        from mm_fsm.cli.inspecting import run_inspection

        raise typer.Exit(run_inspection(settings, as_json=as_json))
    if alerts:
        from mm_fsm.cli.alert_checking import run_alert_check

        raise typer.Exit(run_alert_check(settings, as_json=as_json))
    from mm_fsm.cli.checking import run_check

    raise typer.Exit(run_check(settings, preset=preset, price=price, as_json=as_json))


app.command(epilog=PAUSE_EPILOG)(pause)
app.command(epilog=RESUME_EPILOG)(resume)
app.command(epilog=STOP_EPILOG)(stop)
app.command(epilog=WATCHDOG_EPILOG)(watchdog)
app.command(epilog=STATUS_EPILOG)(status)
app.command(epilog=SERVE_EPILOG)(serve)
app.command(epilog=WHY_EPILOG)(why)


app.command(epilog=REPORT_EPILOG)(report)
app.command(epilog=COMPARE_EPILOG)(compare)


app.command(epilog=INSPECT_EPILOG)(inspect)


@app.command(epilog="Example: mm-fsm diagram --check, or: mm-fsm diagram my_bot:MyMachine --format svg --out pictures")
def diagram(
    *,
    chart: Annotated[
        str | None, typer.Argument(metavar="MODULE:CLASS", help="Else this package's own.", show_default=False)
    ] = None,
    formats: Annotated[
        list[DiagramFormatName] | None,
        choice_option(
            DiagramFormatName,
            "--format",
            metavar="FORMAT",
            help=f"{_FORMATS}; again for more. Else all but png and pdf.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the diagrams are.", metavar="DIR")] = Path("diagrams"),
    check_only: Annotated[bool, option("--check", help="Write nothing; fail when one is missing or stale.")] = False,
) -> None:
    """Draw charts from their definitions, or check that drawn ones are up to date."""
    from mm_fsm.cli.drawing import run_diagram

    raise typer.Exit(run_diagram(chart, formats or [], out, check_only=check_only))


@app.command(epilog="Example: mm-fsm plugins --json")
def plugins(*, as_json: JsonOption = False) -> None:
    """List what can be named: venue kinds, services and machines, also those of other packages, and presets."""
    from mm_fsm.cli.listing import print_plugins

    raise typer.Exit(print_plugins(as_json=as_json))


@app.command(
    epilog="Example: mm-fsm verify runs/demo\n\n"
    "What would another version have done? mm-fsm verify runs/demo --machine my_bot:MyMachine --settings new.toml\n\n"
    "Exit status: 0 clean; 1 something differs; 2 no sound journal."
)
def verify(
    *,
    journal: Annotated[
        Path, typer.Argument(metavar="JOURNAL", help="A journal, or a run's directory; the last run by default.")
    ] = LATEST,
    machine: Annotated[
        str | None, option(metavar="MODULE:CLASS", help="Replay with this machine, not the one that wrote it.")
    ] = None,
    settings: Annotated[
        Path | None, option(metavar="SETTINGS.toml", help="Replay with the strategy that it has for the market.")
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Replay journals through the machine that wrote them, or another, and name the first differences."""
    from mm_fsm.cli.verify import run_verify

    raise typer.Exit(run_verify(journal, machine=machine, settings=settings, as_json=as_json, quiet=quiet))


@app.command(
    epilog="Example: mm-fsm rehearse BTC/USDT ETH/USDT --seed 7 --faults faults.toml\n\n"
    "It prints how clients find it, and what it saw once Ctrl-C ends it. No order leaves this machine."
)
def rehearse(
    *,
    symbols: Annotated[
        list[str] | None,
        typer.Argument(metavar="SYMBOL...", help="Spot pairs; else BTC/USDT and ETH/USDT.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Of the simulated markets.", parser=number_from(0))] = 0,
    speed: Annotated[float, typer.Option(metavar="FACTOR", help="Market time against the clock.")] = 1.0,
    port: Annotated[
        int, typer.Option(metavar="NUMBER", help="On 127.0.0.1; 0 for any free one.", parser=number_from(0, 65535))
    ] = 0,
    recording: Annotated[
        FilesOption, option(metavar="FILE", help="A recorded market, not a simulated one; again for more files.")
    ] = None,
    balance: Annotated[
        list[str] | None, option(metavar="CURRENCY=AMOUNT", help="Of the account; again for more.")
    ] = None,
    maker_bps: Annotated[str, typer.Option(metavar="NUMBER", help="Maker fee, basis points.")] = "10",
    taker_bps: Annotated[str, typer.Option(metavar="NUMBER", help="Taker fee, basis points.")] = "10",
    bnb_fees: Annotated[bool, option("--bnb-fees", help="Take fees in BNB, at a discount.")] = False,
    faults: Annotated[Path | None, option(metavar="FILE.toml", help="What goes wrong: docs/rehearsal.md.")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where its log and endpoint go.")] = Path("runs/rehearsal"),
    as_json: JsonOption = False,
) -> None:
    """Open an exchange on this machine that answers as Binance's spot market does, with faults on order."""
    try:
        from mm_fsm.cli.rehearsing import RehearseOptions, run_rehearsal
    except ModuleNotFoundError as error:
        from mm_fsm.errors import PluginError

        problem = f"mm-fsm rehearse: expected the module {error.name!r}, found none."
        raise PluginError(f"{problem} Install it: pip install 'mm-fsm[rehearsal]'.") from None

    options = RehearseOptions(
        symbols=tuple(symbols or ()),
        seed=seed,
        speed=speed,
        port=port,
        recording=tuple(recording or ()),
        balances=tuple(balance or ()),
        maker_bps=_exact(maker_bps),
        taker_bps=_exact(taker_bps),
        bnb_fees=bnb_fees,
        faults=faults,
        out=out,
        as_json=as_json,
    )
    raise typer.Exit(run_rehearsal(options))


@app.command(
    epilog="Example: mm-fsm new my_maker\n\nThen, in the directory it makes: python -m pytest, and "
    "mm-fsm run --machine my_maker:MyMaker"
)
def new(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the module, such as my_maker.", show_default=False)],
    directory: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Where it goes; a new directory NAME otherwise.", show_default=False),
    ] = None,
) -> None:
    """Begin a strategy of your own: a machine, its settings, and tests that pass and measure what they cover."""
    from mm_fsm.cli.scaffold import run_new

    raise typer.Exit(run_new(name, directory))
