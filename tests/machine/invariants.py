"""What must hold after every step of a market maker, whatever it was told, computed apart from the machine's own code.

``Watch`` keeps its own account from the fills that were taken, its own list of what was sent, and looks at every
result and at the machine's orders. It is told nothing in advance: it works for scripted facts and for random ones.
"""

from __future__ import annotations

from collections import Counter, deque
from decimal import Decimal

from mm_fsm.books.facts import ExternalFlow, FundingPaid, OrderFilled, OwnTradesReported
from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.decisions import Hold, HoldReason
from mm_fsm.core.messages import CancelOrder, Fact, OrderPurpose, PlaceOrder, QueryOrder, Side
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult

NONE = Decimal(0)
LIVE = {
    OrderStatus.PENDING_NEW,
    OrderStatus.OPEN,
    OrderStatus.PARTIALLY_FILLED,
    OrderStatus.PENDING_CANCEL,
    OrderStatus.UNKNOWN,
}


class Account:
    """Position and cash from fills alone: what went in and out, each trade once."""

    def __init__(self, machine: MarketMakingStateMachine) -> None:
        self.instrument = machine.context.instrument
        self.base = machine.context.balances.base
        self.cash = machine.context.balances.quote
        self.filled: Counter[str] = Counter()
        """Contracts by order."""
        self._seen: set[tuple[str, str]] = set()

    def take(self, fact: Fact, sent: dict[str, PlaceOrder]) -> None:
        """Book what an accepted fact says about money."""
        match fact:
            case OrderFilled():
                self._fill(fact, sent)
            case OwnTradesReported():
                for fill in fact.fills:
                    self._fill(fill, sent)
            case FundingPaid() if self._is_new("funding", fact.funding_id):
                self.cash += fact.amount
            case ExternalFlow() if self._is_new("flow", fact.flow_id):
                self.base += fact.base
                self.cash += fact.quote

    def _is_new(self, kind: str, name: str) -> bool:
        is_new = (kind, name) not in self._seen
        self._seen.add((kind, name))
        return is_new

    def _fill(self, fill: OrderFilled, sent: dict[str, PlaceOrder]) -> None:
        order = sent.get(fill.client_order_id)
        if order is None or not self._is_new(order.side.value, fill.trade_id):
            return
        self.filled[fill.client_order_id] += fill.quantity  # type: ignore[assignment]
        bought = fill.quantity * self.instrument.contract_size * (1 if order.side is Side.BID else -1)
        self.base += bought
        self.cash -= bought * fill.price
        if fill.fee_currency == self.instrument.quote_currency:
            self.cash -= fill.fee
        elif fill.fee_currency == self.instrument.base_currency:
            self.base -= fill.fee


class Watch:
    """Checks every step. Times are nanoseconds."""

    def __init__(self, machine: MarketMakingStateMachine) -> None:
        self.machine = machine
        self.are_levels_counted = True
        """Whether the order service keeps to one order a level."""
        self.account = Account(machine)
        self.sent: dict[str, PlaceOrder] = {}
        self.cancels: Counter[str] = Counter()
        self.placed_at: deque[int] = deque()
        self.states: Counter[str] = Counter()
        self.was_final = False
        self.now = 0

    def note_interrupted(self, fact: Fact) -> None:
        """A step was interrupted: its fact is booked, and there is no result to look at."""
        self.account.take(fact, self.sent)
        self.now = max(self.now, fact.received_at)

    def check(self, fact: Fact, result: StepResult) -> None:
        """Everything below, after one step."""
        self.account.take(fact, self.sent)
        self.states[result.state] += 1
        self.now = max(self.now, fact.received_at)
        self._check_result(fact, result)
        self._check_money()
        self._check_placements(result)
        self._note_intents(result)
        self._check_orders(result)
        self._check_sides()
        self.was_final = self.machine.is_final

    def _check_result(self, fact: Fact, result: StepResult) -> None:
        machine = self.machine
        assert result.fact is fact
        assert result.time == self.now == machine.now, "time is the latest that any fact carried"
        assert result.wake_at is None or result.wake_at > result.time
        assert result.state == machine.chart_state
        visited = [result.transitions[0].source] if result.transitions else []
        visited += [transition.target for transition in result.transitions]
        assert not visited or visited[-1] == result.state
        for one, following in zip(result.transitions, result.transitions[1:], strict=False):
            assert one.target == following.source, "transitions follow upon each other"
        assert not (self.was_final and result.transitions), "nothing leaves a final state"

    def _check_money(self) -> None:
        context = self.machine.context
        assert context.ledger.identity_gap() == 0
        assert context.base_position == self.account.base
        assert context.ledger.cash == self.account.cash
        for order in context.orders.unsettled_orders():
            assert order.filled_quantity == self.account.filled[order.client_order_id]

    # -- placements -------------------------------------------------------------------------------------------------

    def _check_placements(self, result: StepResult) -> None:
        placements = [intent for intent in result.intents if isinstance(intent, PlaceOrder)]
        if not placements:
            return
        context, settings = self.machine.context, self.machine.context.settings
        market = context.market
        assert not result.faults, "nothing is placed in a step in which something failed"
        assert "error" not in {result.state, *(transition.target for transition in result.transitions)}
        assert result.state not in {"completed", "idle"}
        assert market.has_book
        assert market.confirmed_at is not None
        assert market.is_trading
        assert self.now - market.confirmed_at < nanoseconds(settings.stale_data_seconds), "the data is too old"
        cancelled = {intent.client_order_id for intent in result.intents if isinstance(intent, CancelOrder)}
        for placement in placements:
            self._check_one_placement(placement)
            self._check_nothing_beside(placement, cancelled)
        for side in {placement.side for placement in placements}:
            self._check_exposure(side, [placement for placement in placements if placement.side is side])
        self._check_rate(len(placements))

    def _check_one_placement(self, placement: PlaceOrder) -> None:
        context, instrument = self.machine.context, self.machine.context.instrument
        price, quantity = placement.price, placement.quantity
        assert placement.client_order_id not in self.sent, "an order id is used once"
        assert placement.symbol == context.settings.symbol
        for value, step in ((price, instrument.tick_size), (quantity, instrument.lot_size)):
            assert isinstance(value, Decimal)
            assert value.is_finite()
            assert value > 0
            assert value % step == 0
        assert quantity >= instrument.minimum_quantity
        assert price * quantity * instrument.contract_size >= instrument.minimum_notional
        mid = context.mid_price
        assert mid is not None
        assert abs(price - mid) * 10_000 <= mid * Decimal(str(context.settings.price_band_bps))
        if placement.post_only:
            best = context.market.ask_price if placement.side is Side.BID else context.market.bid_price
            assert best is None or (best - price) * placement.side.sign > 0, "a passive order would take"
        else:
            assert placement.purpose is not OrderPurpose.QUOTE
        if placement.purpose is not OrderPurpose.QUOTE:
            offset = context.base_position - context.target_base
            assert offset * placement.side.sign < 0, "a reducing order adds to the position"
            assert quantity * instrument.contract_size <= abs(offset), "a reducing order flips the position"
        if context.is_stopping:
            assert placement.purpose is OrderPurpose.WIND_DOWN
            assert not context.keeps_position
        else:
            assert placement.purpose is not OrderPurpose.WIND_DOWN

    def _check_nothing_beside(self, placement: PlaceOrder, cancelled: set[str]) -> None:
        """One order where one is meant: of its level none is on its way to the venue, or has been leaving before."""
        if placement.purpose is not OrderPurpose.QUOTE:
            return
        for other in self.machine.context.live_quotes(placement.side):
            name = other.client_order_id
            if name not in self.sent or other.level != placement.level:
                continue  # it leaves with this one, or serves another level
            assert other.status is not OrderStatus.PENDING_NEW, "another order of the level is on its way"
            is_leaving = other.cancel_in_flight or other.cancel_due
            assert not is_leaving or name in cancelled, "another order of the level has not left yet"
            assert other.acknowledged or name not in cancelled, "another order of the level may still arrive"

    def _check_exposure(self, side: Side, placements: list[PlaceOrder]) -> None:
        """The worst case: everything that may still trade on the side does."""
        context, instrument = self.machine.context, self.machine.context.instrument
        new = {placement.client_order_id for placement in placements}
        orders = [order for order in context.orders.unsettled_orders() if order.side is side]
        others = [order for order in orders if order.client_order_id not in new]
        assert not any(order.status is OrderStatus.UNKNOWN for order in others), "the side has an UNKNOWN order"
        assert not any(order.status not in LIVE for order in others), "fills of the side are missing"
        contracts = sum((order.quantity - order.filled_quantity for order in others), NONE)
        contracts += sum((placement.quantity for placement in placements), NONE)
        mid = context.mid_price
        assert mid is not None
        added = contracts * instrument.contract_size
        worst = (context.base_position - context.target_base) * side.sign + added
        if worst > 0:
            settings, equity = context.settings, self._equity(mid)
            assert equity > 0
            assert worst * mid <= settings.max_quote_exposure
            assert worst * mid <= Decimal(str(settings.max_inventory_pct)) * equity * Decimal("1.000000000000001")
            assert settings.max_position_size is None or worst <= settings.max_position_size
        if not instrument.may_be_short and side is Side.ASK:
            assert added <= context.base_position, "a spot account would go short"
        if not instrument.may_be_short and side is Side.BID:
            cost = sum((order.price * (order.quantity - order.filled_quantity) for order in others), NONE)
            cost += sum((placement.price * placement.quantity for placement in placements), NONE)
            assert cost <= context.ledger.cash, "more cash is bid than there is"
        opposite = context.orders.live(side.opposite)
        for placement in placements:
            assert all((other.price - placement.price) * side.sign > 0 for other in opposite), "own orders would meet"

    def _equity(self, mid: Decimal) -> Decimal:
        context = self.machine.context
        spot = self.account.cash + self.account.base * mid - context.ledger.third_currency_fees
        first = context.first_mid_price
        if not context.instrument.may_be_short or first is None:
            return spot
        return spot - context.balances.base * first

    def _check_rate(self, count: int) -> None:
        settings = self.machine.context.settings
        self.placed_at.extend([self.now] * count)
        while self.placed_at[0] <= self.now - nanoseconds(settings.order_interval_seconds):
            self.placed_at.popleft()
        assert len(self.placed_at) <= settings.max_orders_per_interval
        assert self.machine.context.orders.count <= settings.max_live_orders

    # -- orders and states ------------------------------------------------------------------------------------------

    def _note_intents(self, result: StepResult) -> None:
        for intent in result.intents:
            assert intent.symbol == self.machine.context.settings.symbol
            if isinstance(intent, PlaceOrder):
                self.sent[intent.client_order_id] = intent
            elif isinstance(intent, CancelOrder | QueryOrder):
                assert intent.client_order_id in self.sent, "only what was sent is cancelled or asked about"
                self.cancels[intent.client_order_id] += isinstance(intent, CancelOrder)

    def _check_orders(self, result: StepResult) -> None:
        machine, orders = self.machine, self.machine.context.orders
        live = [order for order in orders.unsettled_orders() if order.status in LIVE]
        for order in live:
            self._check_deadlines(order, result)
            if result.state in {"error", "completed", "idle"}:
                self._check_leaving(order, result)
        if machine.is_final and not self.was_final:
            assert not list(orders.unsettled_orders()), "COMPLETED with an order live, UNKNOWN or missing fills"
        for side in Side:
            staying = [order for order in live if order.side is side and not order.cancel_in_flight]
            quotes = [order for order in staying if order.purpose is OrderPurpose.QUOTE]
            known = [order for order in quotes if order.status is not OrderStatus.UNKNOWN]
            assert not self.are_levels_counted or len(known) <= machine.context.settings.num_price_levels, (
                "more quotes than levels"
            )
        known = [order for order in live if not order.cancel_in_flight and order.status is not OrderStatus.UNKNOWN]
        reducing = [order for order in known if order.purpose is not OrderPurpose.QUOTE]
        assert len(reducing) <= 1, "one reducing order at a time"

    def _check_leaving(self, order: OwnOrder, result: StepResult) -> None:
        state = result.state
        if order.status is OrderStatus.UNKNOWN:
            assert order.query_due is not None, f"nobody asks about an UNKNOWN order in {state}"
            return
        sent = self.cancels[order.client_order_id]
        assert sent, f"{state} relies on a cancel that was never sent"
        if not order.cancel_in_flight:  # repeated cancels did not take it out, and the next one has a time
            assert sent > 1, f"an order is {order.status} in {state} without a cancel in flight"
            assert result.wake_at is not None
            assert result.wake_at <= order.cancel_retry_at, f"nobody repeats the cancel of an order in {state}"

    def _check_deadlines(self, order: OwnOrder, result: StepResult) -> None:
        """Whatever waits for an answer has an end, and the host is told to come back for it."""
        awaits = order.status in {OrderStatus.PENDING_NEW, OrderStatus.PENDING_CANCEL}
        assert not awaits or order.answer_due is not None
        assert order.status is not OrderStatus.UNKNOWN or order.query_due is not None
        for deadline in (order.answer_due, order.query_due):
            if deadline is not None:
                suspended_until = self.machine.context.requests_suspended_until
                comes_back_at = max(deadline, suspended_until) if deadline == order.query_due else deadline
                assert comes_back_at > self.now, "an overdue request is still waited for"
                assert result.wake_at is not None
                assert result.wake_at <= comes_back_at

    def _check_sides(self) -> None:
        context = self.machine.context
        for side in Side:
            status = context.sides[side].status
            resting = [
                order
                for order in context.live_quotes(side)
                if order.status in {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED} and not order.cancel_in_flight
            ]
            if status is None:
                assert resting, "a side is called live, and no quote rests there"
            else:  # one whose cancel was refused rests until its next cancel
                staying = [order for order in resting if not order.is_cancel_paced]
                assert not staying, f"a side with a quote is called held: {status}"
                assert isinstance(status, Hold)
                assert isinstance(status.reason, HoldReason)
