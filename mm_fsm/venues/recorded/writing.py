"""Recordings to files: the formats that are read, as far as each can hold what was recorded.

Only ``parquet`` holds everything: exact decimals, both times in nanoseconds, all levels. ``hftbacktest`` holds levels
and times, numbers as floating point; the others hold the best bid and ask, Tardis in microseconds, Binance in
milliseconds (public data in microseconds) and by the exchange's time. A file appears under its name when it is whole.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Final, Protocol

from attrs import frozen

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.clock import NANOSECONDS_PER_MICROSECOND, NANOSECONDS_PER_MILLISECOND
from mm_fsm.core.messages import Side
from mm_fsm.errors import OptionError
from mm_fsm.venues.recorded import hftbacktest
from mm_fsm.venues.recorded.layout import Levels, RecordedEvent, RecordingInfo
from mm_fsm.venues.recorded.parquet import level_columns

_ROWS_AT_ONCE: Final = 8192
_LEVELS: Final = 25
_BUY_OR_SELL: Final = {Side.BID: "buy", Side.ASK: "sell"}


class Writer(Protocol):
    """Takes the events of one market in order."""

    def take(self, event: RecordedEvent) -> None:
        """Write one event."""
        ...

    def finish(self) -> Sequence[bool]:
        """Write what is still held; for each file, whether there is anything in it."""
        ...


class TardisWriter:
    """Quotes and trades as CSV in the columns of Tardis."""

    suffixes: Final = ("_quotes.csv.gz", "_trades.csv.gz")

    def __init__(self, info: RecordingInfo, paths: Sequence[Path], stack: ExitStack) -> None:
        self._market = f"{info.exchange},{info.symbol}"
        self._quotes, self._trades = (stack.enter_context(_compressed(path)) for path in paths)
        times = "exchange,symbol,timestamp,local_timestamp"
        self._quotes.write(f"{times},ask_amount,ask_price,bid_price,bid_amount\n")
        self._trades.write(f"{times},id,side,price,amount\n")
        self._has_rows = [False, False]

    def take(self, event: RecordedEvent) -> None:
        """Write one row."""
        sent, shown = (time // NANOSECONDS_PER_MICROSECOND for time in (stamp_of(event), event.received_at))
        self._has_rows[isinstance(event, MarketTrade)] = True
        if isinstance(event, MarketBook):
            (bid, bid_size), (ask, ask_size) = _best(event.bids), _best(event.asks)
            self._quotes.write(f"{self._market},{sent},{shown},{ask_size},{ask},{bid},{bid_size}\n")
        else:
            side = _BUY_OR_SELL[event.taker_side]
            self._trades.write(
                f"{self._market},{sent},{shown},{event.trade_id},{side},{event.price:f},{event.size:f}\n"
            )

    def finish(self) -> Sequence[bool]:
        """Nothing is held."""
        return self._has_rows


class _TradeNumbers:
    """Trades of Binance have rising numbers: an id that rises stays, for any other the next number is taken.

    Whoever reads the file takes a trade whose number does not rise for a repeated one.
    """

    def __init__(self) -> None:
        self._last = -1

    def number(self, trade_id: str) -> int:
        """The next trade's."""
        self._last = max(self._last + 1, int(trade_id) if trade_id.isdecimal() else 0)
        return self._last


class BinancePublicWriter:
    """``bookTicker`` and ``trades`` as Binance publishes them, with a header."""

    suffixes: Final = ("-bookTicker.csv", "-trades.csv")

    def __init__(self, info: RecordingInfo, paths: Sequence[Path], stack: ExitStack) -> None:
        self._books, self._trades = (stack.enter_context(path.open("w", encoding="utf-8")) for path in paths)
        self._books.write(
            "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time\n"
        )
        self._trades.write("id,price,qty,quote_qty,time,is_buyer_maker\n")
        self._counts = [0, 0]
        self._numbers = _TradeNumbers()

    def take(self, event: RecordedEvent) -> None:
        """Write one row."""
        time = stamp_of(event) // NANOSECONDS_PER_MICROSECOND
        if isinstance(event, MarketBook):
            self._counts[0] += 1
            (bid, bid_size), (ask, ask_size) = _best(event.bids), _best(event.asks)
            row = f"{self._counts[0]},{bid or 0},{bid_size or 0},{ask or 0},{ask_size or 0},{time},{time}\n"
            self._books.write(row)
        else:
            self._counts[1] += 1
            number = self._numbers.number(event.trade_id)
            was_maker = "true" if event.taker_side is Side.ASK else "false"
            quote = event.price * event.size
            self._trades.write(f"{number},{event.price:f},{event.size:f},{quote:f},{time},{was_maker}\n")

    def finish(self) -> Sequence[bool]:
        """Nothing is held."""
        return [count > 0 for count in self._counts]


class BinanceStreamWriter:
    """A capture of the streams ``bookTicker`` and ``trade``."""

    suffixes: Final = ("_stream.gz",)

    def __init__(self, info: RecordingInfo, paths: Sequence[Path], stack: ExitStack) -> None:
        self._symbol = info.symbol
        self._lines = stack.enter_context(_compressed(paths[0]))
        self._books = 0
        self._numbers = _TradeNumbers()

    def take(self, event: RecordedEvent) -> None:
        """Write one message."""
        time = stamp_of(event) // NANOSECONDS_PER_MILLISECOND
        if isinstance(event, MarketBook):
            self._books += 1
            (bid, bid_size), (ask, ask_size) = _best(event.bids), _best(event.asks)
            stream, message = "bookTicker", {"e": "bookTicker", "u": self._books, "s": self._symbol}
            message |= {"b": bid or "0", "B": bid_size or "0", "a": ask or "0", "A": ask_size or "0"}
            message |= {"T": time, "E": time}
        else:
            number = self._numbers.number(event.trade_id)
            stream, message = "trade", {"e": "trade", "E": time, "T": time, "s": self._symbol, "t": number}
            message |= {"p": f"{event.price:f}", "q": f"{event.size:f}", "X": "MARKET"}
            message |= {"m": event.taker_side is Side.ASK}
        body = json.dumps({"stream": f"{self._symbol.lower()}@{stream}", "data": message}, separators=(",", ":"))
        self._lines.write(f"{event.received_at} {body}\n")

    def finish(self) -> Sequence[bool]:
        """Nothing is held."""
        return [True]


class ParquetWriter:
    """Parquet with the columns that ``parquet`` documents."""

    suffixes: Final = (".parquet",)

    def __init__(self, info: RecordingInfo, paths: Sequence[Path], stack: ExitStack) -> None:
        self._arrow = _library("pyarrow")
        self._market = {"exchange": info.exchange, "symbol": info.symbol}
        numbers = [name for place in range(_LEVELS) for name in level_columns(place)]
        texts = ("exchange", "symbol", *numbers, "price", "size", "taker_side", "trade_id")
        times = [(name, self._arrow.int64()) for name in ("received_at", "exchange_time")]
        self._schema = self._arrow.schema([*times, *((name, self._arrow.string()) for name in texts)])
        parquet = _library("pyarrow.parquet")
        self._file = stack.enter_context(parquet.ParquetWriter(paths[0], self._schema, compression="zstd"))
        self._rows: list[dict[str, Any]] = []

    def take(self, event: RecordedEvent) -> None:
        """Write one row, once there are enough of them."""
        row = {**self._market, "received_at": event.received_at, "exchange_time": stamp_of(event)}
        if isinstance(event, MarketBook):
            for place in range(_LEVELS):
                for levels, names in zip((event.bids, event.asks), _pairs(level_columns(place)), strict=True):
                    if place < len(levels):
                        row |= dict(zip(names, map(str, levels[place]), strict=True))
        else:
            row |= {"price": str(event.price), "size": str(event.size), "trade_id": event.trade_id}
            row["taker_side"] = _BUY_OR_SELL[event.taker_side]
        self._rows.append(row)
        if len(self._rows) == _ROWS_AT_ONCE:
            self.finish()

    def finish(self) -> Sequence[bool]:
        """Write the rows that are held."""
        if self._rows:
            self._file.write_table(self._arrow.Table.from_pylist(self._rows, schema=self._schema))
            self._rows.clear()
        return [True]


class HftBacktestWriter:
    """Events of hftbacktest. It holds all of them in memory, as that format's readers do."""

    suffixes: Final = (".npz",)

    def __init__(self, info: RecordingInfo, paths: Sequence[Path], stack: ExitStack) -> None:
        self._path = paths[0]
        self._numpy = _library("numpy")
        self._rows: list[tuple[int, int, int, float, float, int, int, float]] = []
        self._shown: dict[Side, dict[Decimal, Decimal]] = {Side.BID: {}, Side.ASK: {}}
        self._is_first = True

    def take(self, event: RecordedEvent) -> None:
        """Note one trade, or what a book changed; the first book is the snapshot."""
        if isinstance(event, MarketTrade):
            flag = hftbacktest.BUY if event.taker_side is Side.BID else hftbacktest.SELL
            self._note(hftbacktest.TRADE | flag, event, event.price, event.size)
            return
        for side, levels, flag in (
            (Side.BID, event.bids, hftbacktest.BUY),
            (Side.ASK, event.asks, hftbacktest.SELL),
        ):
            kind = (hftbacktest.SNAPSHOT if self._is_first else hftbacktest.DEPTH) | flag
            now = dict(levels)
            for price in self._shown[side].keys() - now.keys():
                self._note(kind, event, price, Decimal(0))
            for price, size in now.items():
                if self._shown[side].get(price) != size:
                    self._note(kind, event, price, size)
            self._shown[side] = now
        self._is_first = self._is_first and not any(self._shown.values())

    def finish(self) -> Sequence[bool]:
        """Write the file."""
        kinds = ["u8", "i8", "i8", "f8", "f8", "u8", "i8", "f8"]
        names = ["ev", "exch_ts", "local_ts", "px", "qty", "order_id", "ival", "fval"]
        data = self._numpy.array(self._rows, dtype=list(zip(names, kinds, strict=True)))
        with self._path.open("wb") as file:
            self._numpy.savez_compressed(file, data=data)
        return [True]

    def _note(self, kind: int, event: RecordedEvent, price: Decimal, size: Decimal) -> None:
        kind |= hftbacktest.AT_EXCHANGE | hftbacktest.AT_RECORDER
        self._rows.append((kind, stamp_of(event), event.received_at, float(price), float(size), 0, 0, 0.0))


_MakeWriter = Callable[[RecordingInfo, Sequence[Path], ExitStack], Writer]

WRITERS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "parquet": ParquetWriter,
        "tardis": TardisWriter,
        "binance-public": BinancePublicWriter,
        "binance-stream": BinanceStreamWriter,
        "hftbacktest": HftBacktestWriter,
    }
)
"""The class of each format's writer."""
_LIBRARIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"parquet": ("pyarrow", "pyarrow.parquet"), "hftbacktest": ("numpy",)}
)
"""What formats need of the extra ``recordings``."""


def check_form(form: str) -> None:
    """Refuse a format that cannot be written here, before there is anything to write.

    Raises:
        SettingsError: there is no such format, or a library for it is missing.
    """
    if form not in WRITERS:
        raise OptionError("--to", f"one of {', '.join(WRITERS)}", form, "Choose one.")
    for name in _LIBRARIES.get(form, ()):
        _library(name)


def write_recording(events: Iterable[RecordedEvent], info: RecordingInfo, form: str, directory: Path) -> list[Path]:
    """Write all events; the files, which begin with the market's name.

    Raises:
        SettingsError: there is no such format, or a library or the directory for it is missing.
        RecordingError: what is read is malformed; nothing is left then.
    """
    check_form(form)  # before a directory is made that would stay empty
    make: _MakeWriter = WRITERS[form]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        names = [f"{info.symbol}{suffix}" for suffix in WRITERS[form].suffixes]
        with ExitStack() as parts:
            places = [parts.enter_context(_whole_file(directory / name)) for name in names]
            with ExitStack() as stack:
                writer = make(info, [place.part for place in places], stack)
                for event in events:
                    writer.take(event)
                is_filled = writer.finish()
            return [place.keep() for place, filled in zip(places, is_filled, strict=True) if filled]
    except OSError as failure:
        found = failure.strerror or str(failure)
        raise OptionError("--out", "a directory to write to", found, "Make room, or name another.") from None


@frozen
class _Place:
    """A file, and where it is written until it is whole."""

    path: Path

    @property
    def part(self) -> Path:
        return self.path.with_name(f".{self.path.name}.part")

    def keep(self) -> Path:
        self.part.replace(self.path)
        return self.path


@contextmanager
def _whole_file(path: Path) -> Iterator[_Place]:
    place = _Place(path)
    try:
        yield place
    finally:
        with suppress(OSError):
            place.part.unlink(missing_ok=True)


def _compressed(path: Path) -> IO[str]:
    return gzip.open(path, "wt", encoding="utf-8", compresslevel=5, newline="\n")


def stamp_of(event: RecordedEvent) -> int:
    """The exchange's stamp; of a book without one its receipt, which every format has a place for."""
    return event.received_at if event.exchange_time is None else event.exchange_time


def _best(levels: Levels) -> tuple[str, str]:
    """Price and size of the best level as text; nothing where nobody quotes."""
    return (f"{levels[0].price:f}", f"{levels[0].size:f}") if levels else ("", "")


def _pairs(names: tuple[str, str, str, str]) -> tuple[tuple[str, str], tuple[str, str]]:
    return names[:2], names[2:]


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        remedy = "Install it, pip install 'mm-fsm[recordings]', or write --to tardis, which needs nothing."
        raise OptionError("--to", "a format whose library is installed", f"no {name}", remedy) from None
