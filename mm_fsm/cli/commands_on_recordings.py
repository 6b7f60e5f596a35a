"""The commands that read recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from mm_fsm.cli.arguments import (
    EXIT_CODES,
    CacheOption,
    CaptureOption,
    ExecutorOption,
    FlattenOption,
    FormatOption,
    JournalOption,
    JsonOption,
    MachineOption,
    MoreFiles,
    OrderOption,
    OutOption,
    PassedOverOption,
    PresetOption,
    QuietOption,
    QuotesOption,
    RefuseOption,
    SettingsOption,
    SymbolsOption,
    TradesOption,
    WindowOption,
    choice_option,
    option,
    parsed_duration,
)
from mm_fsm.cli.option_names import ExecutorName, RecordingFormat

BACKTEST_EPILOG: Final = (
    "Example: mm-fsm backtest --quotes quotes.csv.gz --trades trades.csv.gz\n\n"
    f"The shipped preset that fits the recording is used unless settings are given.\n\n{EXIT_CODES}"
)
CALIBRATE_EPILOG: Final = (
    "Example: mm-fsm calibrate quotes.csv.gz trades.csv.gz --out micro_price.json\n\n"
    "Values are those of [strategy.service_options.glft] and its like; see docs/models.md."
)
TUNE_EPILOG: Final = (
    "Example: mm-fsm tune quotes.csv.gz trades.csv.gz --set target_spread_bps=15:40 --trials 20 --period 4h\n\n"
    "Needs the extra tune; --ray needs the extra cluster. A difference within the noise is called none."
)
CONVERT_EPILOG: Final = (
    "Example: mm-fsm convert quotes.csv.gz trades.csv.gz --to parquet --out recordings\n\n"
    "Parquet keeps everything; the other formats keep what they can hold: see docs/recordings.md."
)


def backtest(
    *,
    quotes: QuotesOption = None,
    trades: TradesOption = None,
    capture: CaptureOption = None,
    more: MoreFiles = None,
    recording_format: FormatOption = None,
    symbol: SymbolsOption = None,
    order: OrderOption = None,
    reorder_window: WindowOption = None,
    max_passed_over: PassedOverOption = None,
    refuse: RefuseOption = None,
    cache: CacheOption = True,
    settings: SettingsOption = None,
    preset: PresetOption = None,
    machine: MachineOption = None,
    executor: ExecutorOption = ExecutorName.TABLE,
    out: OutOption = None,
    journal: JournalOption = True,
    flatten: FlattenOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a market on recorded data, on the paper exchange."""
    from mm_fsm.cli.backtesting import run_backtest
    from mm_fsm.cli.options import RecordingOptions, RunOptions

    recording = RecordingOptions(
        quotes=quotes or [],
        trades=trades or [],
        others=[*(capture or []), *(more or [])],
        format=recording_format,
        symbols=symbol or [],
        order=order,
        reorder_window_seconds=reorder_window,
        max_passed_over=max_passed_over,
        refuse=refuse,
        is_cached=cache,
    )
    options = RunOptions(
        machine=machine,
        executor=executor,
        out=out,
        journal=journal,
        flatten=flatten,
        as_json=as_json,
        quiet=quiet,
    )
    raise typer.Exit(run_backtest(recording, options, settings=settings, preset=preset))


def convert(
    *,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Recorded files.", show_default=False)],
    to: Annotated[
        RecordingFormat, choice_option(RecordingFormat, "--to", help="The format that is written.")
    ] = RecordingFormat.PARQUET,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where files go.")] = Path("recordings"),
    symbol: SymbolsOption = None,
    order: OrderOption = None,
    reorder_window: WindowOption = None,
    max_passed_over: PassedOverOption = None,
    refuse: RefuseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write recorded markets in another format, each in files of its own."""
    from mm_fsm.cli.converting import run_convert
    from mm_fsm.cli.options import RecordingOptions

    recording = RecordingOptions(
        quotes=[],
        trades=[],
        others=files,
        format=None,
        symbols=symbol or [],
        order=order,
        reorder_window_seconds=reorder_window,
        max_passed_over=max_passed_over,
        refuse=refuse,
        is_cached=False,
    )
    raise typer.Exit(run_convert(recording, to, out, as_json=as_json))


def calibrate(
    *,
    quotes: QuotesOption = None,
    trades: TradesOption = None,
    capture: CaptureOption = None,
    more: MoreFiles = None,
    recording_format: FormatOption = None,
    symbol: SymbolsOption = None,
    order: OrderOption = None,
    reorder_window: WindowOption = None,
    max_passed_over: PassedOverOption = None,
    refuse: RefuseOption = None,
    cache: CacheOption = True,
    settings: SettingsOption = None,
    preset: PresetOption = None,
    out: Annotated[Path | None, option("--out", metavar="FILE", help="Write the micro-price model there.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit what the models need to a recording, and print it with intervals."""
    from mm_fsm.cli.calibrating import run_calibrate
    from mm_fsm.cli.options import RecordingOptions

    recording = RecordingOptions(
        quotes=quotes or [],
        trades=trades or [],
        others=[*(capture or []), *(more or [])],
        format=recording_format,
        symbols=symbol or [],
        order=order,
        reorder_window_seconds=reorder_window,
        max_passed_over=max_passed_over,
        refuse=refuse,
        is_cached=cache,
    )
    raise typer.Exit(run_calibrate(recording, settings=settings, preset=preset, out=out, as_json=as_json))


def tune(
    *,
    quotes: QuotesOption = None,
    trades: TradesOption = None,
    capture: CaptureOption = None,
    more: MoreFiles = None,
    recording_format: FormatOption = None,
    symbol: SymbolsOption = None,
    settings: SettingsOption = None,
    preset: PresetOption = None,
    searched: Annotated[
        list[str] | None,
        option("--set", metavar="NAME=LOW:HIGH", help="What is searched; repeat it."),
    ] = None,
    trials: Annotated[int, option("--trials", help="Choices tried on each period.")] = 20,
    period: Annotated[
        float | None, option("--period", metavar="TIME", parser=parsed_duration, help="Days, or hours of one day.")
    ] = None,
    processes: Annotated[int, option("--processes", help="Processes of this machine.")] = 1,
    batch: Annotated[int | None, option("--batch", help="Choices drawn at a time; by default one a process.")] = None,
    ray: Annotated[str | None, option("--ray", metavar="ADDRESS", help="A Ray cluster on the same files.")] = None,
    seed: Annotated[int, option("--seed", help="Of the draws.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Search settings on a recording, and judge the choice where it did not look."""
    from mm_fsm.cli.options import RecordingOptions
    from mm_fsm.cli.tuning import TuneOptions, run_tune

    recording = RecordingOptions(
        quotes=quotes or [],
        trades=trades or [],
        others=[*(capture or []), *(more or [])],
        format=recording_format,
        symbols=symbol or [],
        order=None,
        reorder_window_seconds=None,
        max_passed_over=None, refuse=None, is_cached=False,
    )  # fmt: skip
    options = TuneOptions(
        searched=searched or [],
        trials=trials,
        period_seconds=period,
        processes=processes,
        batch=batch,
        ray=ray,
        seed=seed,
        as_json=as_json,
    )
    raise typer.Exit(run_tune(recording, options, settings=settings, preset=preset))
