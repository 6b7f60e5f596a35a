"""A machine that trades one market: a chart of its own over books, a desk, and a journal's view of both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.digest import BooksDigest
from mm_fsm.books.working_state import ReadFrom
from mm_fsm.chart import ExecutorKind
from mm_fsm.core.decisions import Fault
from mm_fsm.machine.books_on_record import RECORDED, MarketBooksOnRecord, recorded_values, shown
from mm_fsm.machine.desk import Desk
from mm_fsm.machine.order_bookkeeper import MarketBookkeeper
from mm_fsm.machine.strategy import StrategyMachine

_NO_STATE: Final[Any] = None


class TradingMachine(StrategyMachine):
    """Base of strategies that send orders to one market. Guards read ``context``, actions call ``desk``.

    Own orders, fills, money and questions are followed up in every state, whatever the chart does.

    Args:
        bookkeeper: books and desk.
        executor: what runs the chart: ``"table"`` or ``"engine"``.
    """

    recorded: ClassVar[tuple[str, ...]] = RECORDED

    def __init__(self, bookkeeper: MarketBookkeeper, *, executor: str = ExecutorKind.TABLE) -> None:
        self._books: Final = bookkeeper
        super().__init__(bookkeeper, executor=executor)

    @property
    def chart_state(self) -> str:
        """The current state, which lives in the books. Without one python-statemachine enters its first."""
        return self._books.context.current_state or _NO_STATE

    @chart_state.setter
    def chart_state(self, state: str) -> None:
        self._books.context.current_state = state

    @chart_state.deleter
    def chart_state(self) -> None:
        self._books.context.current_state = ""

    context = ReadFrom[MarketMakingContext]("_books.context")
    """The books: guards read them, and change nothing."""

    desk = ReadFrom[Desk]("_books.desk")
    """Stages orders, cancels and questions, and explains."""

    def report_fault(self, fault: Fault) -> None:
        """Note a fault in an action of the edge that acts on it: what was to be placed in this step is withdrawn."""
        self._books.report_fault(fault, self.chart_state)

    def shown(self) -> Mapping[str, object]:
        """Market, inventory, money, own orders, and what a subclass remembers."""
        own = super().shown()
        return {**shown(self.context), **({"remembered": own} if own else {})}

    # -- on record --------------------------------------------------------------------------------------------------

    def digest(self) -> str:
        """Of the books, and of whatever else the machine remembers."""
        others = {name: value for name, value in self.remembered_values().items() if name not in {"context", "visits"}}
        return BooksDigest().of((self.context.digest(), *others.values()))

    def recorded_values(self) -> tuple[str | None, ...]:
        """The amounts of the books by which a record is booked again."""
        return recorded_values(self.context)

    @classmethod
    def books_on_record(cls, values: Mapping[str, Any]) -> MarketBooksOnRecord:
        """The books in a snapshot.

        Raises:
            LookupError: it has none.
        """
        return MarketBooksOnRecord(values["context"])
