"""Files to recordings, by what they contain."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from mm_fsm.errors import RecordingError, SettingsError
from mm_fsm.venues.recorded.binance import BinanceCapture
from mm_fsm.venues.recorded.binance_public import (
    BinancePublicAggregates,
    BinancePublicBooks,
    BinancePublicSpotAggregates,
    BinancePublicSpotTrades,
    BinancePublicTrades,
    headerless,
)
from mm_fsm.venues.recorded.fields import BRIEFLY
from mm_fsm.venues.recorded.files import RecordingFile
from mm_fsm.venues.recorded.hftbacktest import HftBacktestEvents
from mm_fsm.venues.recorded.layout import Layout
from mm_fsm.venues.recorded.parquet import PARQUET_MAGIC, ParquetEvents
from mm_fsm.venues.recorded.prepared import PreparedFiles
from mm_fsm.venues.recorded.reading import ReadingSettings
from mm_fsm.venues.recorded.recording import Recording
from mm_fsm.venues.recorded.rows import CsvLayout
from mm_fsm.venues.recorded.tardis import TardisDepth, TardisQuotes, TardisSnapshots, TardisTrades

_BY_COLUMNS: Final[tuple[tuple[set[str], type[CsvLayout]], ...]] = (
    ({"ask_price", "bid_price"}, TardisQuotes),
    ({"asks[0].price", "bids[0].price"}, TardisSnapshots),
    ({"is_snapshot", "side", "price"}, TardisDepth),
    ({"best_bid_price", "best_ask_price", "transaction_time"}, BinancePublicBooks),
    ({"first_trade_id", "transact_time", "is_best_match"}, BinancePublicSpotAggregates),
    ({"first_trade_id", "transact_time"}, BinancePublicAggregates),
    ({"qty", "time", "is_best_match"}, BinancePublicSpotTrades),
    ({"qty", "time", "is_buyer_maker"}, BinancePublicTrades),
    ({"timestamp", "side", "price"}, TardisTrades),
)
"""The first kind whose columns are all there."""
_NEARLY: Final[tuple[tuple[set[str], type[CsvLayout]], ...]] = (
    ({"ask_price"}, TardisQuotes),
    ({"bid_price"}, TardisQuotes),
    ({"side"}, TardisTrades),
    ({"price"}, TardisTrades),
)
"""What a file is taken for when a column is misspelt or missing."""
_KNOWN: Final = (
    "Known are CSV files of Tardis (quotes, trades, book_snapshot, incremental_book_L2) and of Binance's public data "
    "(bookTicker, trades, aggTrades), raw captures of Binance futures streams, files of hftbacktest (.npz), and "
    "Parquet as mm-fsm convert writes it."
)
_AGGREGATES: Final = (BinancePublicAggregates, BinancePublicSpotAggregates)


def open_recording(
    paths: Sequence[Path],
    *,
    symbol: str | None = None,
    recorded_symbol: str | None = None,
    reading: ReadingSettings | None = None,
    prepared: PreparedFiles | None = None,
) -> Recording:
    """Tell by its first line what each file is, and make the recording that reads them all.

    Args:
        paths: files of one market, in any order.
        symbol: what events call the market; None for the name in the files.
        recorded_symbol: the symbol that is taken from the files; None for the first one found. Files that do not say
            their symbol are taken to be of this one.
        reading: what is forgiven, and which clock orders; None for the defaults.
        prepared: where prepared events are kept; None to read the files each time.

    Raises:
        RecordingError: a file is missing, empty, or of no known kind, or the files do not belong together.
        SettingsError: no file is given.
    """
    layouts = [layout_of(path, recorded_symbol) for path in paths]
    return _recording(layouts, symbol=symbol, recorded_symbol=recorded_symbol, reading=reading, prepared=prepared)


def files_by_symbol(paths: Sequence[Path], named: Sequence[str] = ()) -> dict[str, list[Path]]:
    """The files of each market: of those that are named all files, else by the symbol of each file's first row.

    Raises:
        RecordingError: a file is missing, empty, of no known kind, or without a sound row.
    """
    if named:
        return {symbol: list(paths) for symbol in named}
    found: dict[str, list[Path]] = {}
    for path in paths:
        found.setdefault(layout_of(path).describe().symbol, []).append(path)
    return found


def layout_of(path: Path, symbol: str | None = None) -> Layout:
    """The kind of one file, and what reads it.

    Raises:
        RecordingError: the file is missing, empty, or of no known kind.
    """
    file = RecordingFile(path)
    if file.starts_with(PARQUET_MAGIC):
        return ParquetEvents(file, symbol)
    if path.suffix == ".npz":
        return HftBacktestEvents(file, symbol)
    line = file.first_line()
    if line.partition(" ")[0].isdecimal() and "," not in line.partition(" ")[0]:
        return BinanceCapture(file, symbol)
    fields = next(csv.reader([line]), [])
    kind = _kind_of(fields)
    if kind is None:
        problem = f"expected a file of a known kind, found {BRIEFLY.repr(line.strip())}."
        is_toml = path.suffix == ".toml"
        raise file.error(
            1, problem, "A settings file goes to --settings; give a recording here." if is_toml else _KNOWN
        )
    layout = kind(file, symbol)
    missing = [column for column in layout.columns if column not in layout.names]
    if missing:
        columns = ", ".join(layout.columns)
        problem = f"expected columns {columns}; {', '.join(missing)} not found in {BRIEFLY.repr(line.strip())}."
        raise file.error(1, problem, f"Give a file in the columns of {layout.kind}, or convert it first.")
    return layout


def _kind_of(fields: list[str]) -> type[CsvLayout] | None:
    if not fields:
        return None
    names = set(fields)
    for columns, kind in (*_BY_COLUMNS, *_NEARLY):
        if columns <= names:
            return kind
    return headerless(fields)


def _recording(
    layouts: Sequence[Layout],
    *,
    symbol: str | None,
    recorded_symbol: str | None,
    reading: ReadingSettings | None,
    prepared: PreparedFiles | None,
) -> Recording:
    if not layouts:
        raise SettingsError("recording", "at least one file", "none", "Name the files to read.")
    _refuse_twice(layouts)
    kinds: dict[type[Layout], list[Layout]] = {}
    for layout in layouts:
        kinds.setdefault(type(layout), []).append(layout)
    _refuse_strangers(kinds)
    streams = [_in_time_order(files) for files in kinds.values()]
    return Recording(streams, symbol=symbol, recorded_symbol=recorded_symbol, reading=reading, prepared=prepared)


def _in_time_order(layouts: list[Layout]) -> list[Layout]:
    if len(layouts) == 1:
        return layouts
    return sorted(layouts, key=lambda layout: layout.describe().first_time)


def _refuse_twice(layouts: Sequence[Layout]) -> None:
    seen: dict[tuple[int, str], Layout] = {}
    if len(layouts) == 1:
        return
    for layout in layouts:
        content = (layout.file.size, layout.file.digest())
        if content in seen:
            problem = f"expected each file once, found the content of {seen[content].file.name} again."
            raise layout.file.error(0, problem, "Leave it out.")
        seen[content] = layout


def _refuse_strangers(kinds: dict[type[Layout], list[Layout]]) -> None:
    """Refuse kinds that contradict each other: books or trades from two sources would be shown twice."""
    books = [files[0] for kind, files in kinds.items() if kind.has_books]
    trades = [files[0] for kind, files in kinds.items() if kind.has_trades]
    if not books:
        given = trades[0]
        problem = f"expected a file of quotes with these trades ({given.kind}), found none."
        raise given.file.error(0, problem, "Give the quotes of the same days as well.")
    for sources, what, remedy in (
        (books, "books", "Give one kind of books."),
        (trades, "trades", "Give one kind of trades: aggregates are the same trades once more."),
    ):
        if len(sources) > 1:
            problem = f"expected {what} from one source, found {sources[0].kind} in {sources[0].file.name} as well."
            raise RecordingError(sources[1].file.name, 0, problem, remedy)


def swapped(paths: Iterable[Path], expected: str) -> str | None:
    """A remark about a file given as quotes that holds no books, or as trades that holds none; None when all do."""
    for path in paths:
        layout = layout_of(path)
        if not (layout.has_books if expected == "quotes" else layout.has_trades):
            return f"{path.name} was given as {expected} and is read as what it is: {layout.kind}"
    return None
