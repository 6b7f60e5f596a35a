"""The venue of a harness: keeps every order as it really stands, and answers truthfully when it is asked to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from attrs import define, evolve, field

from mm_fsm.core.instrument import ZERO, Balances, Fees, Instrument
from mm_fsm.core.messages import (
    BalancesReported,
    CancelOrder,
    CancelRefused,
    Fact,
    Intent,
    Liquidity,
    OpenOrdersReported,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    OrderStatusReported,
    OwnTradesReported,
    PlaceOrder,
    QueryBalances,
    QueryOpenOrders,
    QueryOrder,
    QueryOwnTrades,
    RejectionCode,
    ReportedOrder,
    ReportedStatus,
    TimeInForce,
)


@define
class VenueOrder:
    """One order as it stands at the venue."""

    intent: PlaceOrder
    is_known: bool = False
    """Whether the placement has reached the venue."""
    is_open: bool = False
    was_rejected: bool = False
    trades: list[OrderFilled] = field(factory=list)

    @property
    def filled(self) -> Decimal:
        """Contracts that have traded."""
        return sum((trade.quantity for trade in self.trades), ZERO)

    @property
    def remaining(self) -> Decimal:
        """Contracts that have not traded."""
        return self.intent.quantity - self.filled

    @property
    def status(self) -> ReportedStatus:
        """What the venue answers about it."""
        if not self.remaining:
            return ReportedStatus.FILLED
        if self.is_open:
            return ReportedStatus.PARTIALLY_FILLED if self.filled else ReportedStatus.OPEN
        return ReportedStatus.REJECTED if self.was_rejected else ReportedStatus.CANCELED


class HarnessVenue:
    """One account at one venue. Nothing happens by itself: every method is something that happens there.

    Args:
        instrument: what is traded.
        fees: what the venue charges.
        balances: the account at the start.
    """

    def __init__(self, instrument: Instrument, fees: Fees, balances: Balances) -> None:
        self.instrument = instrument
        self.fees = fees
        self.balances = balances
        self.orders: dict[str, VenueOrder] = {}
        """Every order that was ever sent, in the order of sending."""
        self.flows: list[tuple[Decimal, Decimal]] = []
        """Deposits and withdrawals: base units and quote currency."""
        self.mark = ZERO
        """The price at which a contract's open position is worth something, quote per base."""

    def note(self, intents: tuple[Intent, ...]) -> None:
        """Remember the orders that a machine has sent; they have not arrived."""
        for intent in intents:
            if isinstance(intent, PlaceOrder):
                self.orders[intent.client_order_id] = VenueOrder(intent)

    def about(self, kind: type[Fact], order_id: str, now: int, **values: Any) -> Any:
        """A fact about one order. Times are nanoseconds."""
        return kind(received_at=now, symbol=self.instrument.symbol, client_order_id=order_id, **values)  # type: ignore[call-arg]

    # -- what happens to orders -------------------------------------------------------------------------------------

    def take(self, order_id: str, now: int) -> Fact:
        """The order arrives and rests."""
        order = self.orders[order_id]
        order.is_known, order.is_open = True, order.remaining > 0
        return self._acknowledgement(order_id, now)

    def _acknowledgement(self, order_id: str, now: int) -> Fact:
        fact: Fact = self.about(OrderAcknowledged, order_id, now, venue_order_id=f"v-{order_id}", exchange_time=now)
        return fact

    def reject(self, order_id: str, now: int, code: RejectionCode) -> Fact:
        """The venue refuses the order."""
        order = self.orders[order_id]
        order.is_known, order.is_open, order.was_rejected = True, False, True
        fact: Fact = self.about(OrderRejected, order_id, now, code=code, reason=code.value)
        return fact

    def trade(self, order_id: str, now: int, quantity: Decimal) -> OrderFilled:
        """The order trades at its price."""
        order = self.orders[order_id]
        intent = order.intent
        is_maker = intent.post_only
        notional = intent.price * quantity * self.instrument.contract_size
        number = sum(len(other.trades) for other in self.orders.values()) + 1
        fill: OrderFilled = self.about(
            OrderFilled,
            order_id,
            now,
            trade_id=f"t-{number}",
            price=intent.price,
            quantity=quantity,
            fee=notional * self.fees.rate(maker=is_maker),
            fee_currency=self.instrument.quote_currency,
            liquidity=Liquidity.MAKER if is_maker else Liquidity.TAKER,
            exchange_time=now,
            side=intent.side,
        )
        order.is_known = True
        order.trades.append(fill)
        order.is_open = order.remaining > 0
        return fill

    def take_out(self, order_id: str, now: int, *, by_itself: bool = False) -> Fact:
        """The order leaves the book: cancelled, or expired by the venue itself."""
        order = self.orders[order_id]
        order.is_known, order.is_open = True, False
        kind = OrderExpired if by_itself else OrderCanceled
        fact: Fact = self.about(kind, order_id, now, exchange_time=now, filled_quantity=order.filled)
        return fact

    def revive(self, order_id: str, now: int) -> Fact:
        """An order that was out of the book is in it again, and the venue says so."""
        order = self.orders[order_id]
        order.is_known = order.is_open = True
        return self.report(order_id, now)

    # -- what it answers --------------------------------------------------------------------------------------------

    def report(self, order_id: str, now: int) -> Fact:
        """How an order stands."""
        order = self.orders[order_id]
        if not order.is_known:
            missing: Fact = self.about(OrderNotFound, order_id, now, exchange_time=now)
            return missing
        fact: Fact = self.about(
            OrderStatusReported, order_id, now, status=order.status, filled_quantity=order.filled, exchange_time=now
        )
        return fact

    def answer(self, intent: Intent, now: int) -> list[Fact]:
        """Do what is asked, and say truthfully what came of it."""
        match intent:
            case PlaceOrder():
                facts = [self.take(intent.client_order_id, now)]
                if (
                    intent.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL
                    and self.orders[intent.client_order_id].is_open
                ):
                    facts.append(self.take_out(intent.client_order_id, now, by_itself=True))
                return facts
            case CancelOrder(client_order_id=order_id):
                if self.orders[order_id].is_open:
                    return [self.take_out(order_id, now)]
                return [self.about(CancelRefused, order_id, now, reason="no such order")]
            case QueryOrder(client_order_id=order_id):
                return [self.report(order_id, now)]
            case QueryOwnTrades(since=since):
                return [self.report_trades(since, now)]
            case QueryBalances():
                return [self.report_balances(now)]
            case QueryOpenOrders():
                return [self.report_open_orders(now)]
            case _:
                raise TypeError(f"intent: expected one of mm_fsm.core.messages, found {type(intent).__name__}.")

    def report_trades(self, since: int, now: int) -> Fact:
        """Every own trade from ``since`` on."""
        trades = [trade for order in self.orders.values() for trade in order.trades if trade.exchange_time >= since]
        return OwnTradesReported(
            received_at=now,
            symbol=self.instrument.symbol,
            fills=tuple(evolve(trade, received_at=now) for trade in trades),
            since=since,
            until=now,
        )

    def report_open_orders(self, now: int) -> Fact:
        """Every order that rests in the book."""
        orders = tuple(
            ReportedOrder(
                client_order_id=order_id,
                venue_order_id=f"v-{order_id}",
                side=order.intent.side,
                price=order.intent.price,
                quantity=order.intent.quantity,
                filled_quantity=order.filled,
            )
            for order_id, order in self.orders.items()
            if order.is_open
        )
        return OpenOrdersReported(received_at=now, symbol=self.instrument.symbol, orders=orders, exchange_time=now)

    def report_balances(self, now: int) -> Fact:
        """The account after every trade and flow; what orders lock is not taken off."""
        base = self.balances.base + sum((base for base, _ in self.flows), ZERO)
        quote = self.balances.quote + sum((quote for _, quote in self.flows), ZERO)
        for order in self.orders.values():
            for trade in order.trades:
                bought = trade.quantity * self.instrument.contract_size * order.intent.side.sign
                base += bought
                quote -= bought * trade.price + trade.fee
        if self.instrument.may_be_short:
            quote += (base - self.balances.base) * self.mark
        return BalancesReported(
            received_at=now,
            symbol=self.instrument.symbol,
            base_total=base,
            base_free=base,
            quote_total=quote,
            quote_free=quote,
        )
