"""The matching without a network: an engine with a clock that the test sets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from attrs import define, field

from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import Side
from mm_fsm.testing.rehearsal.engine import MatchingEngine
from mm_fsm.testing.rehearsal.fault_menu import Where
from mm_fsm.testing.rehearsal.judge import RehearsalLog
from mm_fsm.testing.rehearsal.venue_orders import InForce, OrderRequest, OrderType, VenueOrder
from tests.testing.rehearsal.stage import terms

MARKET = "ETHUSDT"


def request(
    side: Side,
    quantity: str | None,
    price: str | None,
    kind: OrderType = OrderType.LIMIT,
    **changes: Any,
) -> OrderRequest:
    given: dict[str, Any] = {
        "symbol": MARKET,
        "side": side,
        "type": kind,
        "in_force": InForce.GTC,
        "quantity": None if quantity is None else Decimal(quantity),
        "price": None if price is None else Decimal(price),
        "client_order_id": "mine",
    }
    return OrderRequest(**{**given, **changes})


@define
class Hall:
    """An engine, what it tells of the account, and shorthands for what is asked of it."""

    changes: dict[str, Any] = field(factory=dict)
    now: int = 1_700_000_000_000
    events: list[tuple[Where, dict[str, Any]]] = field(factory=list)
    engine: MatchingEngine = field(init=False)
    _placed: int = 0

    def __attrs_post_init__(self) -> None:
        log = RehearsalLog(lambda: self.now * 1_000_000)
        self.engine = MatchingEngine(terms(**self.changes), log, lambda: self.now)
        self.engine.listeners.user = lambda where, _, event: self.events.append((where, event))

    @property
    def log(self) -> RehearsalLog:
        return self.engine.log

    def place(self, side: Side, quantity: str | None, price: str | None, *given: Any, **changes: Any) -> VenueOrder:
        self._placed += 1
        changes = {"client_order_id": f"order-{self._placed}", **changes}
        return self.engine.place(request(side, quantity, price, *given, **changes))

    def total(self, currency: str) -> Decimal:
        return self.engine.wallet.free(currency) + self.engine.wallet.locked(currency)

    def executions(self) -> list[tuple[str, str]]:
        """Execution and status of each report."""
        return [(event["x"], event["X"]) for where, event in self.events if where is Where.ORDERS]

    def fees(self, currency: str) -> Decimal:
        return sum((fill.fee for fill in self.log.fills() if fill.fee_currency == currency), ZERO)
