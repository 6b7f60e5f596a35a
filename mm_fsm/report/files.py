"""What a run leaves on disk: the result as JSON, and for each symbol its fills and its transitions as CSV.

::

    <directory>/result.json
    <directory>/<symbol>/fills.csv
    <directory>/<symbol>/transitions.csv
    <directory>/<symbol>/run.journal     unless none was wanted

Times are nanoseconds since 1970 of the facts; money, prices and quantities are exact.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import attrs
from attrs import define, field

from mm_fsm.books.facts import OrderFilled, OwnTradesReported
from mm_fsm.errors import FileError
from mm_fsm.machine.results import StepResult
from mm_fsm.report.exact import exact_text
from mm_fsm.report.session_report import SessionReport
from mm_fsm.runtime.session import Session

RESULT_FILE: Final = "result.json"
JOURNAL_FILE: Final = "run.journal"
FILL_COLUMNS: Final = (
    "time",
    "trade_id",
    "client_order_id",
    "side",
    "price",
    "quantity",
    "fee",
    "fee_currency",
    "liquidity",
    "mid_price",
    "inventory_offset",
    "net_pnl",
)
"""The last three are of the moment after the fill was booked. Empty: not known then."""
TRANSITION_COLUMNS: Final = ("time", "step", "source", "event", "target", "reasons")
"""``reasons`` are the whole step's, with its first transition."""


_WITH_FILLS: Final = (OrderFilled, OwnTradesReported)
_FIELDS: Final = tuple(field.name for field in attrs.fields(SessionReport))


def as_text(entries: Sequence[Mapping[str, Any]]) -> str:
    """The result of a run as one JSON object, ``{"symbols": [...]}``."""
    return json.dumps({"symbols": list(entries)}, indent=2, allow_nan=False) + "\n"


def write_result(directory: Path, entries: Sequence[Mapping[str, Any]]) -> Path:
    """Write the result of a run.

    Raises:
        FileError: the directory cannot be written to.
    """
    path = directory / RESULT_FILE
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path.write_text(as_text(entries), encoding="utf-8")
    except OSError as failure:
        raise _unwritable(path, failure) from None
    return path


def missing_run(place: Path) -> FileError:
    """The refusal of a place where nothing is, whichever command was to read a run there."""
    remedy = "Name the directory of a run: the one that --out named, else one below runs (runs/latest is its last run)."
    return FileError(str(place.absolute()), "a run", "nothing", remedy)


def read_result(directory: Path) -> list[dict[str, Any]]:
    """The entries that ``write_result`` wrote, of a directory or of the file itself.

    Raises:
        FileError: there are none.
    """
    if not directory.exists():
        raise missing_run(directory)
    path = directory / RESULT_FILE if directory.is_dir() else directory
    remedy = "Name a directory of mm-fsm run or backtest; of a run that was killed there is only the journal."
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as failure:
        raise FileError(str(path), "a result file", failure.strerror or str(failure), remedy) from None
    except ValueError as failure:
        raise FileError(str(path), "a result in JSON", str(failure), remedy) from None
    entries = content.get("symbols") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise FileError(str(path), "an object with 'symbols'", type(content).__name__, remedy)
    for entry in entries:
        missing = [name for name in _FIELDS if name not in entry]
        if missing:
            found = f"none of {', '.join(missing)}"
            raise FileError(str(path), "the result of this version of mm-fsm", found, "Make the run again.")
    return entries


def symbol_directory(directory: Path, symbol: str) -> Path:
    """Where the files of one symbol go: ``ETH/USD`` becomes ``ETH-USD``."""
    return directory / (re.sub(r"[^A-Za-z0-9._-]+", "-", symbol).strip(".-") or "symbol")


@define(eq=False)
class SessionFiles(AbstractContextManager["SessionFiles"]):
    """Writes one session's fills and transitions while it runs; use it in a ``with`` statement."""

    session: Session
    directory: Path
    _stack: ExitStack = field(factory=ExitStack, init=False)
    _fills: Any = field(init=False)
    _transitions: Any = field(init=False)
    _written: set[str] = field(factory=set, init=False)
    failure: str | None = field(default=None, init=False)
    """Why something could not be written; nothing more is written then. The session itself goes on."""

    def __enter__(self) -> Self:
        """Make the files.

        Raises:
            FileError: the directory cannot be written to.
        """
        with ExitStack() as stack:
            self._fills = self._open(stack, "fills.csv", FILL_COLUMNS)
            self._transitions = self._open(stack, "transitions.csv", TRANSITION_COLUMNS)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the files."""
        self._attempt(self._stack.close)

    def take(self, result: StepResult) -> None:
        """Write what one step adds."""
        if self.failure is None and (result.transitions or isinstance(result.fact, _WITH_FILLS)):
            self._attempt(lambda: self._take(result))

    def _attempt(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as failure:
            self.failure = self.failure or failure.strerror or str(failure)

    def _take(self, result: StepResult) -> None:
        for fill in self._new_fills(result):
            self._fills.writerow(self._fill_row(fill))
        reasons = "; ".join(result.reasons)
        for transition in result.transitions:
            row = (result.time, result.sequence, transition.source, transition.event, transition.target, reasons)
            self._transitions.writerow(row)
            reasons = ""

    def _open(self, stack: ExitStack, name: str, columns: Sequence[str]) -> Any:
        path = self.directory / name
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
        except OSError as failure:
            raise _unwritable(path, failure) from None
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        return writer

    def _new_fills(self, result: StepResult) -> Iterator[OrderFilled]:
        """Fills that were booked for the first time: as they came, or when own trades were looked up."""
        fact = result.fact
        fills = (fact,) if isinstance(fact, OrderFilled) else fact.fills if isinstance(fact, OwnTradesReported) else ()
        for fill in fills:
            if fill.trade_id not in self._written:
                self._written.add(fill.trade_id)
                yield fill

    def _fill_row(self, fill: OrderFilled) -> tuple[str, ...]:
        context = self.session.machine.context
        order = context.orders.get(fill.client_order_id)
        side = fill.side if order is None else order.side
        mid = context.mid_price
        return (
            str(fill.received_at),
            fill.trade_id,
            fill.client_order_id,
            "" if side is None else side.value,
            exact_text(fill.price),
            exact_text(fill.quantity),
            "" if fill.fee is None else exact_text(fill.fee),
            fill.fee_currency or "",
            "" if fill.liquidity is None else fill.liquidity.value,
            "" if mid is None else exact_text(mid),
            exact_text(context.inventory_offset),
            exact_text(context.net_pnl),
        )


def _unwritable(path: Path, failure: OSError) -> FileError:
    found = failure.strerror or str(failure)
    return FileError(str(path), "a file that can be written", found, "Name another directory with --out.")
