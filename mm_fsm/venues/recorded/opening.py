"""Files to a recording, by what they contain."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from mm_fsm.errors import RecordingError
from mm_fsm.venues.recorded.binance import DEFAULT_REORDER_WINDOW, BinanceRecording
from mm_fsm.venues.recorded.fields import BRIEFLY
from mm_fsm.venues.recorded.files import RecordingFile
from mm_fsm.venues.recorded.recording import Recording
from mm_fsm.venues.recorded.tardis import TardisRecording


def open_recording(
    paths: Sequence[Path],
    *,
    symbol: str | None = None,
    recorded_symbol: str | None = None,
    reorder_window: int | None = None,
    skip_crossed: bool = False,
) -> Recording:
    """Tell by the first line of each file what it is, and make the recording that reads them all.

    Args:
        paths: files of one market, each kind in order of time.
        symbol: what events call the market; None for the name in the files.
        recorded_symbol: the only symbol the files may contain; None for the first one found.
        reorder_window: nanoseconds by which a line may be stamped before an earlier one; None for the format's own.
        skip_crossed: leave crossed books out and count them, where they are otherwise an error.

    Raises:
        RecordingError: a file is missing, empty, or of no known format, or the files do not belong together.
    """
    sorted_out: dict[str, list[Path]] = {"quotes": [], "trades": [], "captures": []}
    for path in paths:
        sorted_out[_kind(RecordingFile(path))].append(path)
    quotes, trades, captures = sorted_out.values()
    if captures and (quotes or trades):
        problem = f"expected files of one format, found {quotes[0].name if quotes else trades[0].name} beside this one."
        raise RecordingError(captures[0].name, 0, problem, "Read CSV files and raw captures one at a time.")
    if trades and not quotes:
        problem = "expected a file of quotes with these trades, found none."
        raise RecordingError(trades[0].name, 0, problem, "Give the quotes of the same days as well.")
    if captures:
        return BinanceRecording(
            captures,
            symbol=symbol,
            recorded_symbol=recorded_symbol,
            reorder_window=DEFAULT_REORDER_WINDOW if reorder_window is None else reorder_window,
            skip_crossed=skip_crossed,
        )
    return TardisRecording(
        quotes,
        trades,
        symbol=symbol,
        recorded_symbol=recorded_symbol,
        reorder_window=reorder_window or 0,
        skip_crossed=skip_crossed,
    )


def _kind(file: RecordingFile) -> str:
    with closing(file.lines()) as lines:
        _, line = next(lines)
    columns = line.strip().split(",")
    if "ask_price" in columns or "bid_price" in columns:
        return "quotes"
    if "side" in columns or "price" in columns:
        return "trades"
    if line.partition(" ")[0].isdecimal():
        return "captures"
    problem = f"expected Tardis columns or '<nanoseconds> <json>', found {BRIEFLY.repr(line.strip())}."
    raise file.error(1, problem, "Give Tardis quotes and trades, or raw captures of Binance futures streams.")
