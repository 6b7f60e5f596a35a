"""A strategy of its own on the strategy-neutral base: one order, executed evenly over time (TWAP), with its own states.

Each slice rests at the own side's best price; what it lacks when its time is over is taken from the other side, never
beyond the limit price. Its journal is replayed and shown like a market maker's:

    cd examples; python time_weighted_execution.py /tmp/twap.journal; mm-fsm verify /tmp/twap.journal
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Final, Self

from attrs import frozen

from mm_fsm import (
    Balances, Fact, Fault, FaultCode, Fees, Instrument, MarketMakingContext, MarketMakingSettings, MarketSimulator,
    OrderDraft, OrderPurpose, PaperAccount, SessionRunner, Side, SimulatorSettings, State, StrategyMachine, TimeInForce,
)  # fmt: skip
from mm_fsm.core.clock import nanoseconds
from mm_fsm.machine.desk import OrderIds
from mm_fsm.machine.order_bookkeeper import OrderBookkeeper
from mm_fsm.runtime.journal import JournaledMachine, JournalSettings, begin_journal, verify_run
from mm_fsm.services import permission

MAY_NOT_TRADE: Final = (*permission.NO_QUOTE_LEAVES, *permission.CLOSED_MARKET, *permission.UNSOUND_MARKET)
RETRY_SECONDS: Final = 1.0
MOST_REJECTIONS: Final = 5


@frozen(kw_only=True)
class ParentOrder:
    """What is to be executed: contracts, quote per base, seconds. The limit price is never passed."""

    side: Side
    quantity: Decimal
    limit_price: Decimal
    seconds: float
    slices: int
    grace_seconds: float = 30.0
    """How long after the last slice what is left may still be taken; then it stays."""

    def __attrs_post_init__(self) -> None:
        for name in ("quantity", "limit_price", "seconds", "slices"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name}: expected a finite number above 0, found {getattr(self, name)}.")


class ExecutionBookkeeper(OrderBookkeeper):
    """Counts what was executed, in whatever state a fill arrives."""

    executed = Decimal(0)

    def book(self, fact: Fact, admitted: object, *, is_final: bool) -> str | None:
        """Every fill is in the books once, however often and by whatever way it is reported."""
        command = super().book(fact, admitted, is_final=is_final)
        while self.context.unhandled_fills:
            self.executed += self.context.unhandled_fills.pop().quantity
        return command

    def remembered_values(self) -> Mapping[str, object]:
        """The books, and what they do not count."""
        return {**super().remembered_values(), "executed": self.executed}

    def continue_from(self, values: Mapping[str, Any]) -> None:
        """Go on with them."""
        super().continue_from(values)
        self.executed = values["executed"]


class TimeWeightedExecution(StrategyMachine):
    """Never has two orders in the book, and never orders more than what is left of the parent order."""

    chart_must_reach: ClassVar[tuple[str, ...]] = ("error", "done")
    snapshot_classes = (ParentOrder,)
    remembered = ("parent", "began_at", "slice", "retry_at")
    recorded = ("executed", "cash")

    # fmt: off
    idle = State("IDLE", initial=True, purpose="waits for the first market that may be traded")
    waiting = State("WAITING", enter="cancel_child", purpose="no child is wanted in the book")
    slicing = State("SLICING", enter="rest_slice", purpose="this slice's child rests at the own side's best price")
    catching_up = State("CATCHING_UP", enter="take_arrears", purpose="takes what earlier slices lack")
    closing = State("CLOSING", enter="cancel_child", purpose="stopped, or out of time: what is left stays")
    done = State("DONE", final=True, purpose="nothing is open, every fill is booked")
    error = State("ERROR", enter="cancel_child", purpose="cancels, and asks until nothing is open")

    halt = error.from_.any(but=(error,), cond="must_halt", on="note_halt")
    begin = idle.to(waiting, unless="must_wait", on="begin_schedule")
    finished = waiting.to(done, cond=("all_confirmed", "is_complete"))
    ran_out_of_time = waiting.to(closing, cond="is_too_late")
    fell_behind = waiting.to(catching_up, cond=("all_confirmed", "is_behind", "may_try"), unless="must_wait")
    slice_began = waiting.to(slicing, cond=("all_confirmed", "has_slice", "may_try"), unless="must_wait")
    slice_ended = slicing.to(waiting, cond="is_slice_over", note="its child is cancelled first, then caught up with")
    withdrawn = slicing.to(waiting, cond="must_wait", note="paused, halted, or blind: no child stays")
    child_left = slicing.to(waiting, cond="all_confirmed", note="filled, rejected or taken out")
    caught_up = catching_up.to(waiting, cond="all_confirmed")
    closed = closing.to(done, cond="all_confirmed")
    gave_up = error.to(done, cond="all_confirmed")
    stop = closing.from_.any(but=(closing, error), command=True, on="begin_stopping")
    error_execution = error.from_.any(but=(error,), command=True) | error.to.itself(internal=True, command=True)
    # fmt: on

    def __init__(
        self, parent: ParentOrder, instrument: Instrument, fees: Fees, balances: Balances, run_id: str = "0"
    ) -> None:
        settings = MarketMakingSettings(symbol=instrument.symbol, strategy_id="twap")
        ids = OrderIds.of(settings.strategy_id, run_id, "")
        books = MarketMakingContext(
            settings=settings, instrument=instrument, fees=fees, balances=balances, order_prefix=ids.prefix
        )
        self.parent, self.began_at, self.slice, self.retry_at = parent, 0, 0, 0
        self.bookkeeper = ExecutionBookkeeper(books, ids)
        super().__init__(self.bookkeeper)

    @classmethod
    def made_for(cls, values: Mapping[str, Any]) -> Self:
        """What a replay begins with."""
        books = values["context"]
        return cls(values["parent"], books.instrument, books.fees, books.balances)

    # -- the schedule -----------------------------------------------------------------------------------------------

    @property
    def books(self) -> MarketMakingContext:
        """Orders, money, market."""
        return self.bookkeeper.context

    def start_of(self, slice_number: int) -> int:
        """When a slice begins, nanoseconds; one beyond the last is the end."""
        return self.began_at + nanoseconds(self.parent.seconds) * slice_number // self.parent.slices

    def slice_now(self) -> int:
        """The slice whose time it is; as many as there are once all are over."""
        return max(n for n in range(self.parent.slices + 1) if n == 0 or self.now >= self.start_of(n))

    def lacking(self, slices: int) -> Decimal:
        """Contracts that so many slices should have executed and have not; 0 where no order can be as small."""
        instrument, parent = self.books.instrument, self.parent
        share = parent.quantity * min(slices, parent.slices) / parent.slices
        lacking = instrument.floor_quantity(share) - self.bookkeeper.executed
        price = self.books.market.bid_price or parent.limit_price
        return lacking if instrument.meets_minimums(min(price, parent.limit_price), lacking) else Decimal(0)

    def find_wake_time(self) -> int | None:
        """The next slice, the next attempt, the end of the grace."""
        end = self.start_of(self.parent.slices) + nanoseconds(self.parent.grace_seconds)
        times = (self.start_of(self.slice_now() + 1), self.retry_at, end)
        return min((time for time in times if time > self.now), default=None)

    # -- guards -----------------------------------------------------------------------------------------------------

    def must_halt(self) -> bool:
        """The books or the journal failed, the venue forbids it, or it refused one child after the other."""
        return self.books.pending_fault is not None or self.books.rejections_in_a_row >= MOST_REJECTIONS

    def must_wait(self) -> bool:
        """Paused, blind, not reconciled, or no market."""
        return permission.first_hold(MAY_NOT_TRADE, self.books) is not None

    def all_confirmed(self) -> bool:
        """Nothing is open or unknown, and own trades were looked up since the last child left the book."""
        return self.books.is_everything_confirmed

    def is_complete(self) -> bool:
        """All is executed but what is too small for an order."""
        return not self.lacking(self.parent.slices)

    def is_too_late(self) -> bool:
        """The grace is over."""
        return self.now >= self.start_of(self.parent.slices) + nanoseconds(self.parent.grace_seconds)

    def is_behind(self) -> bool:
        """A slice is over that was not executed in full."""
        return self.lacking(self.slice_now()) > 0

    def has_slice(self) -> bool:
        """The present slice lacks something."""
        return self.lacking(self.slice_now() + 1) > 0

    def is_slice_over(self) -> bool:
        """The next slice has begun."""
        return self.slice_now() > self.slice

    def may_try(self) -> bool:
        """The last attempt is long enough ago."""
        return self.now >= self.retry_at

    # -- actions ----------------------------------------------------------------------------------------------------

    def begin_schedule(self) -> None:
        """The first slice begins now."""
        self.began_at = self.now

    def rest_slice(self) -> None:
        """Join the own side's best price."""
        self.slice = self.slice_now()
        market, is_buy = self.books.market, self.parent.side is Side.BID
        self._place(self.lacking(self.slice + 1), market.bid_price if is_buy else market.ask_price, takes=False)

    def take_arrears(self) -> None:
        """Take the other side's best price, and nothing beyond it."""
        market, is_buy = self.books.market, self.parent.side is Side.BID
        self._place(self.lacking(self.slice_now()), market.ask_price if is_buy else market.bid_price, takes=True)

    def _place(self, wanted: Decimal, price: Decimal | None, *, takes: bool) -> None:
        books, parent, instrument = self.books, self.parent, self.books.instrument
        self.retry_at = self.now + nanoseconds(RETRY_SECONDS)
        if price is None:
            return
        is_buy = parent.side is Side.BID
        price = min(price, instrument.floor_price(parent.limit_price)) if is_buy else max(price, instrument.ceil_price(parent.limit_price))
        room = parent.quantity - self.bookkeeper.executed - books.orders.exposure(parent.side)
        affordable = books.purchasing_power(parent.side, price) / instrument.contract_size
        quantity = instrument.floor_quantity(min(wanted, room, affordable))
        if not instrument.meets_minimums(price, quantity):
            self.bookkeeper.desk.explain(f"no child: {quantity} at {price} is too small")
            return
        self.bookkeeper.desk.place(
            OrderDraft(
                side=parent.side, price=price, quantity=quantity, post_only=not takes,
                purpose=OrderPurpose.ADJUSTMENT if takes else OrderPurpose.QUOTE,
                time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL if takes else TimeInForce.GOOD_TILL_CANCELLED,
            ),
            None,
        )  # fmt: skip

    def cancel_child(self) -> None:
        """Take it out of the book; what became of it is known before another leaves."""
        self.bookkeeper.desk.cancel_all()

    def begin_stopping(self) -> None:
        """What is left stays."""
        self.books.is_stopping = True

    def note_halt(self) -> None:
        """Say why."""
        refused = Fault(code=FaultCode.VENUE, reason=f"{MOST_REJECTIONS} children refused in a row", transient=False)
        self.bookkeeper.report_fault(self.books.pending_fault or refused, self.chart_state)
        self.books.pending_fault, self.books.rejections_in_a_row = None, 0

    # -- what a journal and the inspector ask -----------------------------------------------------------------------

    def recorded_values(self) -> tuple[str | None, ...]:
        """Columns of the journal's records."""
        return str(self.bookkeeper.executed), str(self.books.ledger.cash)

    def shown(self) -> Mapping[str, object]:
        """What the inspector shows at each step."""
        books = self.books
        return {
            "lines": {"bid": books.bid_price, "ask": books.ask_price, "limit": self.parent.limit_price},
            "order": {"executed": self.bookkeeper.executed, "of": self.parent.quantity, "slice": self.slice_now()},
            "children": {o.client_order_id: {"price": o.price, "quantity": o.quantity, "filled": o.filled_quantity,
                                             "status": str(o.status)} for o in books.orders.unsettled_orders()},
        }  # fmt: skip
