"""A strategy of its own: one order, executed evenly over time (TWAP), with its own states on the strategy-neutral base.

Each slice rests at its side's best price. What it lacks when its time is over is taken from the other side, at most one
slice in a slice's time, never beyond the limit price. Books, own orders and the journal are the base's:

    python time_weighted_execution.py runs/twap; mm-fsm verify runs/twap
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any, ClassVar, Final, Self

import typer
from attrs import field, frozen
from attrs.validators import gt, lt

from mm_fsm import Balances, Fees, Instrument, OrderBookkeeper, Side, State, TradingMachine
from mm_fsm.core.clock import nanoseconds
from mm_fsm.errors import MarketMakerError
from mm_fsm.runtime.journal import JournaledMachine, JournalSettings, begin_journal, verify_run
from mm_fsm.runtime.paper_run import PAPER_BALANCES, PAPER_FEES, PAPER_INSTRUMENT, trade_on_paper
from mm_fsm.services import permission

NOTHING_WHILE: Final = (*permission.NO_QUOTE_LEAVES, *permission.CLOSED_MARKET, *permission.UNSOUND_MARKET)
RETRY: Final = nanoseconds(1.0)
_AMOUNT: Final[Any] = [gt(0), lt(10**12)]


@frozen(kw_only=True)
class ParentOrder:
    """What to execute: contracts at quote per base or better, in so many slices of so many seconds each."""

    side: Side
    quantity: Decimal = field(validator=_AMOUNT)
    limit_price: Decimal = field(validator=_AMOUNT)
    slices: int = field(validator=_AMOUNT)
    slice_seconds: float = field(validator=_AMOUNT)
    grace_slices: int = 2
    """For so long after the last slice what is left may be taken; then it stays."""


class TimeWeightedExecution(TradingMachine):
    """Never has two orders in the book, and never asks for more than what is left of the parent order."""

    snapshot_classes: ClassVar[tuple[type, ...]] = (ParentOrder,)
    remembered: ClassVar[tuple[str, ...]] = ("parent", "began_at", "retry_at", "take_at", "rested_in")

    # fmt: off
    idle = State("IDLE", initial=True, purpose="until there is a market that may be traded")
    waiting = State("WAITING", enter="cancel_child", purpose="no child is wanted in the book")
    slicing = State("SLICING", enter="rest_slice", purpose="this slice's child rests at its side's best price")
    catching_up = State("CATCHING_UP", enter="take_arrears", purpose="takes what the slices before lack")
    closing = State("CLOSING", enter="cancel_child", purpose="stopped, or out of time: what is left stays")
    done = State("DONE", enter="sum_up", final=True, purpose="nothing is open, every fill is booked")
    error = State("ERROR", enter="cancel_child", purpose="cancels, and asks until nothing is open")

    halt = error.from_.any(but=(error,), cond="must_halt", on="note_halt")
    begin = idle.to(waiting, unless="must_wait", on="begin_schedule")
    finished = waiting.to(done, cond=("all_confirmed", "is_complete"))
    ran_out_of_time = waiting.to(closing, cond="is_too_late")
    fell_behind = waiting.to(catching_up, cond=("may_place", "may_take"))
    slice_began = waiting.to(slicing, cond=("may_place", "has_slice"))
    slice_ended = slicing.to(waiting, cond="is_outdated", note="out with its child; then catch up, or rest anew")
    withdrawn = slicing.to(waiting, cond="must_wait", note="paused, halted or blind: no child stays")
    child_left = slicing.to(waiting, cond="all_confirmed", note="filled, refused or taken out")
    caught_up = catching_up.to(waiting, cond="all_confirmed")
    closed = closing.to(done, cond="all_confirmed")
    gave_up = error.to(done, cond="all_confirmed")
    stop = closing.from_.any(but=(closing, error), command=True, on="begin_closing")
    error_execution = error.from_.any(but=(error,), command=True) | error.to.itself(internal=True, command=True)
    # fmt: on

    def __init__(self, parent: ParentOrder, rules: Instrument, fees: Fees, balances: Balances, run: str) -> None:
        self.orders = OrderBookkeeper.begun(rules, fees, balances, strategy_id="twap", run_id=run)
        self.parent, self.began_at, self.retry_at, self.take_at, self.rested_in = parent, 0, 0, 0, 0
        super().__init__(self.orders)

    @classmethod
    def made_for(cls, values: Mapping[str, Any]) -> Self:
        """A replay makes its machine of what is remembered."""
        books = values["context"]
        return cls(values["parent"], books.instrument, books.fees, books.balances, run="")

    def shown(self) -> Mapping[str, object]:
        """How far the order is, above the books."""
        progress = {"executed": self.executed, "of": self.parent.quantity, "slices over": self.slices_over}
        return {"execution": progress, **super().shown()}

    @property
    def executed(self) -> Decimal:
        """Contracts."""
        return self.orders.traded[self.parent.side]

    @property
    def slices_over(self) -> int:
        """How many slices are over; time goes on after the last."""
        return (self.now - self.began_at) // nanoseconds(self.parent.slice_seconds)

    def lacking(self, slices: int) -> Decimal:
        """Contracts that the first slices should have executed and have not; 0 where no order may be so small.

        Judged at the limit price: what one odd book says must not end the order.
        """
        rules, parent = self.context.instrument, self.parent
        lacking = self.share(slices) - self.executed
        return lacking if rules.meets_minimums(parent.limit_price, lacking) else Decimal(0)

    def share(self, slices: int) -> Decimal:
        """Contracts of the first slices, of all at most, in whole lots."""
        quantity = self.parent.quantity * min(slices, self.parent.slices) / self.parent.slices
        return self.context.instrument.floor_quantity(quantity)

    def find_wake_time(self) -> int | None:
        """The next slice, the next attempt, or when more may be taken."""
        slice_ends_at = self.began_at + (self.slices_over + 1) * nanoseconds(self.parent.slice_seconds)
        hold = permission.answer_hold(self.context, self.parent.side)
        held_until = 0 if hold is None else hold.until or 0
        return min(time for time in (slice_ends_at, self.retry_at, self.take_at, held_until) if time > self.now)

    def must_halt(self) -> bool:
        """Books or journal failed, or trading is not permitted. A refused child only holds its side for a while."""
        return self.context.pending_fault is not None

    def must_wait(self) -> bool:
        """Paused, blind, not reconciled with the venue, or no sound market."""
        return permission.first_hold(NOTHING_WHILE, self.context) is not None

    def all_confirmed(self) -> bool:
        """Nothing is open or unknown, and own trades were looked up since the last child left the book."""
        return self.context.is_everything_confirmed

    def may_place(self) -> bool:
        """All is known, the market may be traded, no answer holds the side, and the last attempt is long enough ago."""
        is_held = permission.answer_hold(self.context, self.parent.side) is not None
        return self.all_confirmed() and not self.must_wait() and not is_held and self.now >= self.retry_at

    def is_complete(self) -> bool:
        """No order may be as small as what is left."""
        return not self.lacking(self.parent.slices)

    def is_too_late(self) -> bool:
        """The grace is over."""
        return self.slices_over >= self.parent.slices + self.parent.grace_slices

    def is_outdated(self) -> bool:
        """The child is of an earlier slice, or what it waits for may be taken."""
        return self.slices_over > self.rested_in or self.may_take()

    def may_take(self) -> bool:
        """The slices over lack something, the other side is within the limit, and the last take is a slice ago."""
        other = self.context.ask_price if self.parent.side is Side.BID else self.context.bid_price
        is_within = other is not None and (other - self.parent.limit_price) * self.parent.side.sign <= 0
        return is_within and self.now >= self.take_at and self.lacking(self.slices_over) > 0

    def has_slice(self) -> bool:
        """The present slice lacks something."""
        return self.lacking(self.slices_over + 1) > 0

    def begin_schedule(self) -> None:
        """The first slice begins now."""
        self.began_at = self.now

    def rest_slice(self) -> None:
        """Join the best price of the own side."""
        self.rested_in = self.slices_over
        self._place(self.lacking(self.slices_over + 1), rests=True)

    def take_arrears(self) -> None:
        """Take the best price of the other side and nothing beyond it; after a pause no more at once than otherwise."""
        self.take_at = self.now + nanoseconds(self.parent.slice_seconds)
        smallest_whole = max(self.share(1), self.context.instrument.minimum_quantity)
        lacking = self.lacking(self.slices_over)
        self._place(lacking if lacking < 2 * smallest_whole else smallest_whole, rests=False)

    def _place(self, quantity: Decimal, *, rests: bool) -> None:
        side, limit = self.parent.side, self.parent.limit_price
        best = self.context.bid_price if rests == (side is Side.BID) else self.context.ask_price
        self.retry_at = self.now + RETRY
        if best is not None:
            price = min(best, limit) if side is Side.BID else max(best, limit)
            left = self.parent.quantity - self.executed - self.context.orders.exposure(side)
            self.orders.place_at_most(side, min(quantity, left), price, rests=rests)

    def cancel_child(self) -> None:
        """Out of the book; another leaves only once it is known what became of it."""
        self.desk.cancel_all()

    def begin_closing(self) -> None:
        """What is left stays."""
        self.context.is_stopping = True

    def sum_up(self) -> None:
        """Say how much was executed."""
        self.desk.explain(f"executed {self.executed} of {self.parent.quantity}")

    def note_halt(self) -> None:
        """Say why, and end."""
        fault, self.context.pending_fault = self.context.pending_fault, None
        if fault is not None:
            self.report_fault(fault)


def main(
    directory: Annotated[Path | None, typer.Argument(help="For the journal; a new one by default.")] = None,
) -> None:
    """Buy 2 ETH in ten minutes on the paper exchange, on record."""
    directory = directory or Path(mkdtemp())
    parent = ParentOrder(side=Side.BID, quantity=Decimal(2), limit_price=Decimal(2100), slices=20, slice_seconds=30)
    machine = TimeWeightedExecution(parent, PAPER_INSTRUMENT, PAPER_FEES, PAPER_BALANCES, run="1")
    settings = JournalSettings(record_market_data=True, synchronise=False)
    names = {"symbol": "ETH/USD", "strategy_id": "twap", "run": "1"}
    with begin_journal(directory / "run.journal", machine, **names, settings=settings) as journal:
        trade_on_paper(JournaledMachine(machine, journal), seconds=900)
    price = machine.context.total_volume / (machine.executed or 1)
    print(f"{machine.chart_state}: bought {machine.executed} of {parent.quantity} at {price:.2f} on average")
    print(verify_run(directory / "run.journal"))


if __name__ == "__main__":
    try:
        typer.run(main)
    except MarketMakerError as refusal:
        sys.exit(str(refusal))
