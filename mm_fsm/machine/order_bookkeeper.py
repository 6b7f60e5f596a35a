"""Bookkeepers of strategies that trade one market: its books, a desk over them, and follow-ups that never wait.

Own orders and their lifecycle, exact money, questions about whatever is not known, the comparison with the venue's
account: a strategy that has such a bookkeeper has all of it, under a chart of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Self

from attrs import evolve

from mm_fsm.books import booking
from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts import StopRequested
from mm_fsm.books.working_state import Fill
from mm_fsm.core.clock import NEVER
from mm_fsm.core.decisions import Fault, OrderDraft
from mm_fsm.core.instrument import ZERO, Balances, Fees, Instrument
from mm_fsm.core.messages import SIDES, Fact, OrderPurpose, Side, TimeInForce
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.machine.bookkeeper import Bookkeeper
from mm_fsm.machine.deadlines import Deadlines
from mm_fsm.machine.desk import Desk, OrderIds
from mm_fsm.services import permission


class MarketBookkeeper(Bookkeeper):
    """What bookkeepers of one market share.

    Args:
        context: the books.
        ids: what client order ids begin with.
    """

    def __init__(self, context: MarketMakingContext, ids: OrderIds) -> None:
        super().__init__()
        self.context = context
        self.desk = Desk(context, self.draft, ids)
        self._deadlines = Deadlines.of(context.settings)

    @property
    def now(self) -> int:
        """The latest time any fact carried, nanoseconds."""
        return self.context.now

    def admit(self, fact: Fact) -> object:
        """Refuse a malformed or impossible fact."""
        return booking.admit(self.context, fact)

    def withdraw_placements(self) -> None:
        """Placements of this step never leave."""
        self.desk.withdraw_placements()

    def report_fault(self, fault: Fault, state: str) -> None:
        """Note a fault in an action of the edge that acts on it: what was to be placed in this step is withdrawn."""
        fault = evolve(fault, state=state, at=self.now)
        self.draft.note_fault(fault)
        self.withdraw_placements()
        self.note_fault(fault)

    def note_fault(self, fault: Fault) -> None:
        """Remember a fault; one that is not transient is latched, and stays the fault that is named."""
        context = self.context
        context.faults_noted += 1
        if not fault.transient:
            context.latched[fault.code] = fault
        if context.fault is None or context.fault.transient:
            context.fault = fault

    def cancel_all_live(self, *, is_final: bool) -> None:
        """Every live order has a cancel in flight, whatever a subclass does."""
        del is_final
        self.desk.cancel_strays()

    # -- going on where another left off ----------------------------------------------------------------------------

    def remembered_values(self) -> Mapping[str, object]:
        """Books and order ids."""
        return {"context": self.context, "order_ids": self.desk.ids}

    def continue_from(self, values: Mapping[str, Any]) -> None:
        """Go on with the books of another machine."""
        self.context = self.desk.context = values["context"]
        self.desk.ids = values["order_ids"]
        self._deadlines = Deadlines.of(self.context.settings)


class OrderBookkeeper(MarketBookkeeper):
    """Books every kind of fact, whatever the state; asks and cancels until nothing is open; counts what was traded.

    The command ``stop`` is sent with each fact from the wish on until the chart's action sets ``context.is_stopping``.
    """

    def __init__(self, context: MarketMakingContext, ids: OrderIds) -> None:
        super().__init__(context, ids)
        self.traded = dict.fromkeys(SIDES, ZERO)
        """Contracts that own orders traded, by side: late fills, and fills found by asking, included."""

    @classmethod
    def begun(cls, instrument: Instrument, fees: Fees, balances: Balances, *, strategy_id: str, run_id: str) -> Self:
        """Books of a run that begins, with the shipped settings for requests, reconciliation and stale data.

        Args:
            instrument: the venue's rules.
            fees: what the venue charges.
            balances: the part of the account that the strategy may use.
            strategy_id: what client order ids begin with.
            run_id: in every client order id, and never used before on the account.
        """
        settings = MarketMakingSettings(symbol=instrument.symbol, strategy_id=strategy_id)
        ids = OrderIds.of(strategy_id, run_id, "")
        context = MarketMakingContext(
            settings=settings, instrument=instrument, fees=fees, balances=balances, order_prefix=ids.prefix
        )
        return cls(context, ids)

    def book(self, fact: Fact, admitted: object, *, is_final: bool) -> str | None:
        """Apply a fact to the books, count its fills, and find a stop in it."""
        context = self.context
        for remark in booking.book(context, fact, admitted) or ():
            self.draft.explain(remark)
        while context.unhandled_fills:
            fill = context.unhandled_fills.pop()
            self.traded[self._side_of(fill)] += fill.quantity
        is_wanted = isinstance(fact, StopRequested) or bool(context.stop_reason)
        return "stop" if is_wanted and not (is_final or context.is_stopping) else None

    def _side_of(self, fill: Fill) -> Side:
        """The order's; of an order long forgotten, the one that the venue reported, which its admission asked for."""
        order = self.context.orders.get(fill.client_order_id)
        side = fill.side if order is None else order.side
        assert side is not None  # noqa: S101 - admitted
        return side

    def place_at_most(self, side: Side, quantity: Decimal, price: Decimal, *, rests: bool) -> bool:
        """Stage one order for what the account affords of ``quantity``, and the venue takes in one order.

        Nothing is staged while the venue's answers hold the side.

        Args:
            side: buys or sells.
            quantity: contracts, rounded down to the venue's lot.
            price: quote per base, rounded to the venue's tick away from the market.
            rests: whether it only joins the book (post-only, until cancelled), or only takes what is there at once.

        Returns:
            Whether it was staged; where not, the step's reasons say why.
        """
        context, rules = self.context, self.context.instrument
        hold = permission.answer_hold(context, side)
        if not context.may_trade or hold is not None:
            self.draft.explain(f"no order: {hold.reason if hold is not None else 'a fault is latched'}")
            return False
        price = rules.floor_price(price) if side is Side.BID else rules.ceil_price(price)
        affordable = context.purchasing_power(side, price) / rules.contract_size if price > 0 else ZERO
        quantity = rules.floor_quantity(min(quantity, affordable))
        if price > 0:
            quantity = rules.within_maximums(price, quantity)
        if not rules.meets_minimums(price, quantity):
            self.draft.explain(f"no order: {side} {quantity} at {price} is below the venue's minimum")
            return False
        draft = OrderDraft(
            side=side,
            price=price,
            quantity=quantity,
            purpose=OrderPurpose.QUOTE if rests else OrderPurpose.ADJUSTMENT,
            post_only=rests,
            time_in_force=TimeInForce.GOOD_TILL_CANCELLED if rests else TimeInForce.IMMEDIATE_OR_CANCEL,
        )
        return self.desk.place(draft, None)

    def follow_up(self, state: str, *, is_final: bool) -> None:
        """Cancel what came alive again, ask about what is not known, compare the books with the account."""
        del state
        self.desk.stage_follow_ups(is_final=is_final, looks_up_trades=True)

    def find_wake_time(self, *, is_final: bool) -> int | None:
        """The earliest time, after now, at which time alone changes something in the books or in what is known."""
        earliest = self._deadlines.next_but_of_data(self.context, is_final=is_final)
        if not is_final:
            earliest = min(earliest, self._deadlines.next_of_data(self.context))
        return None if earliest == NEVER else earliest

    def remembered_values(self) -> Mapping[str, object]:
        """Books, order ids, and what was traded."""
        return {**super().remembered_values(), "traded": self.traded}

    def continue_from(self, values: Mapping[str, Any]) -> None:
        """Go on with the books of another machine."""
        super().continue_from(values)
        self.traded = values["traded"]
