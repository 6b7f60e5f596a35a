"""What commands do with recorded files: find their markets, open them, and say what was passed over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import evolve

from mm_fsm.cli.consoles import print_message
from mm_fsm.cli.options import RecordingOptions
from mm_fsm.errors import OptionError, RecordingError, SettingsError
from mm_fsm.venues.recorded import Order, PreparedFiles, ReadingSettings, Recording, RecordingInfo, open_recording
from mm_fsm.venues.recorded.opening import files_by_symbol, swapped
from mm_fsm.venues.recorded.prepared import default_directory

NO_TRADES_GIVEN: Final = "no trades were given: an order is filled only when the other side's quotes reach its price"
NO_TRADES_FOUND: Final = (
    "the recording has no trades: an order was filled only when the other side's quotes reached its price"
)


def recorded_files(given: RecordingOptions, command: str) -> dict[str, list[Path]]:
    """Files by the market that is taken from them.

    Args:
        given: what the command line says.
        command: the command that needs them, for errors.

    Raises:
        SettingsError: no file is given.
        RecordingError: a file is missing, or of no known kind.
    """
    if not given.files:
        remedy = f"mm-fsm {command} FILE..., or with --quotes FILE --trades FILE"
        raise OptionError(
            "--quotes", "at least one recorded file", None, remedy, words=f"Name the recorded files: {remedy}."
        )
    for remark in (swapped(given.quotes, "quotes"), swapped(given.trades, "trades")):
        if remark is not None:
            print_message(remark, style="yellow")
    return files_by_symbol(given.files, given.symbols)


def described(files: Sequence[Path], given: RecordingOptions, symbol: str) -> RecordingInfo:
    """What is recorded of one market.

    Raises:
        RecordingError: the files are malformed, or of another format than the one that is asked for.
    """
    recording = open_recording(files, recorded_symbol=symbol)
    if given.format is not None and recording.formats != (given.format,):
        problem = f"expected the format {given.format}, found {' and '.join(recording.formats)}."
        raise RecordingError(files[0].name, 0, problem, "Leave --format out, or name the other one.")
    return recording.describe()


def opened_for(
    files: Sequence[Path], given: RecordingOptions, info: RecordingInfo, reading: ReadingSettings, symbol: str
) -> Recording:
    """The recording of one market, read as settings and the command line say; ``symbol`` is its name in events."""
    return open_recording(
        files,
        symbol=symbol,
        recorded_symbol=info.symbol,
        reading=reading_of(given, reading),
        prepared=PreparedFiles(default_directory()) if given.is_cached else None,
    )


def reading_of(given: RecordingOptions, reading: ReadingSettings) -> ReadingSettings:
    """The settings, with what the command line says otherwise.

    Raises:
        OptionError: it names a fault that there is not; the parser has looked at the rest.
    """
    changes: dict[str, Any] = {
        "order": None if given.order is None else Order(given.order),
        "reorder_window_seconds": given.reorder_window_seconds,
        "max_passed_over": given.max_passed_over,
        "refuse": None if given.refuse is None else tuple(given.refuse),
    }
    try:
        return evolve(reading, **{name: value for name, value in changes.items() if value is not None})
    except SettingsError as error:
        raise OptionError("--refuse", error.expected, error.found, error.remedy) from None


def figures_of(recording: Recording, info: RecordingInfo) -> dict[str, Any]:
    """What was read of a recording, and what was passed over."""
    return {
        "exchange": info.exchange,
        "symbol": info.symbol,
        "formats": list(recording.formats),
        "order": str(recording.order),
        "rows": recording.rows,
        "books": recording.books,
        "trades": recording.trades,
        "passed_over": dict(sorted(recording.skipped.items())),
    }


def remarks_on(recording: Recording, info: RecordingInfo) -> Iterator[str]:
    """What there is to say about a recording that has been read."""
    if recording.has_trades and not recording.trades:
        yield f"{info.symbol}: {NO_TRADES_FOUND}"
    if recording.skipped:
        skipped = ", ".join(f"{count:,} {kind}" for kind, count in sorted(recording.skipped.items()))
        total = sum(recording.skipped.values())
        yield f"{info.symbol}: of {recording.rows:,} rows, {total:,} were not used: {skipped}"
