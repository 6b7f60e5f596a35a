"""The log's judgements, on logs written by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from mm_fsm.core.messages import Liquidity, Side
from mm_fsm.testing.rehearsal.fault_menu import Where
from mm_fsm.testing.rehearsal.judge import (
    BalanceChanged,
    LogEntry,
    OrderAccepted,
    OrderEnded,
    OrderRefused,
    OrderTraded,
    RehearsalLog,
    RequestAnswered,
    StreamSubscribed,
)
from tests.testing.rehearsal.stage import SYMBOL, instrument


def log_of(*entries: LogEntry) -> RehearsalLog:
    log = RehearsalLog(lambda: 0)
    for entry in entries:
        log.write(entry)
    return log


def accepted(number: int, **changes: Any) -> OrderAccepted:
    given: dict[str, Any] = {
        "time": number,
        "order_id": number,
        "client_order_id": f"order-{number}",
        "symbol": SYMBOL,
        "side": Side.BID,
        "price": Decimal("1999.01"),
        "quantity": Decimal("0.01"),
        "is_post_only": True,
    }
    return OrderAccepted(**{**given, **changes})


def ended(number: int) -> OrderEnded:
    return OrderEnded(time=number, order_id=number, client_order_id=f"order-{number}", symbol=SYMBOL, status="CANCELED")


def traded(number: int, **changes: Any) -> OrderTraded:
    given: dict[str, Any] = {
        "time": number,
        "trade_id": 1,
        "order_id": number,
        "client_order_id": f"order-{number}",
        "symbol": SYMBOL,
        "side": Side.BID,
        "price": Decimal(1999),
        "quantity": Decimal("0.01"),
        "fee": Decimal(0),
        "fee_currency": "ETH",
        "liquidity": Liquidity.MAKER,
    }
    return OrderTraded(**{**given, **changes})


def asked(status: int) -> RequestAnswered:
    return RequestAnswered(
        time=0,
        where=Where.QUERY,
        method="GET",
        path="/",
        symbol=None,
        client_order_id=None,
        status=status,
        code=None,
        weight=1,
    )


def numbers(orders: Any) -> list[int]:
    return [order.order_id for order in orders]


def test_open_orders_are_those_that_have_not_ended() -> None:
    log = log_of(accepted(1), accepted(2, symbol="SOL/USDT"), ended(1), accepted(3))
    assert numbers(log.open_orders()) == [2, 3]
    assert numbers(log.open_orders(SYMBOL)) == [3]


def test_orphans_are_open_orders_that_nobody_knows() -> None:
    assert numbers(log_of(accepted(1), accepted(2)).orphans(["order-2", "order-9"])) == [1]


def test_a_client_id_that_was_accepted_twice_is_a_duplicate() -> None:
    log = log_of(accepted(1), ended(1), accepted(2, client_order_id="order-1"), accepted(3))
    assert log.duplicates() == {"order-1": 2}


def test_prices_and_sizes_off_the_grid_are_found_refused_or_not() -> None:
    refused = OrderRefused(time=0, client_order_id="a", symbol=SYMBOL, code=-1013, message="LOT_SIZE")
    funds = OrderRefused(time=0, client_order_id="b", symbol=SYMBOL, code=-2010, message="funds")
    bad_price, bad_size = accepted(1, price=Decimal("1999.001")), accepted(2, quantity=Decimal("0.00001"))
    log = log_of(bad_price, bad_size, accepted(3), accepted(4, price=None), refused, funds)
    assert log.off_grid([instrument()]) == (bad_price, bad_size, refused)


def test_a_post_only_order_that_took_is_found() -> None:
    taker = {"liquidity": Liquidity.TAKER}
    log = log_of(accepted(1), accepted(2, is_post_only=False), traded(1), traded(1, **taker), traded(2, **taker))
    assert [(fill.order_id, fill.liquidity) for fill in log.post_only_takes()] == [(1, Liquidity.TAKER)]


def test_orders_after_a_moment() -> None:
    assert numbers(log_of(accepted(1), accepted(2), accepted(3)).orders_after(2)) == [3]


def test_the_most_orders_that_were_open_at_once() -> None:
    log = log_of(accepted(1), accepted(2), ended(1), accepted(3), ended(2), accepted(4, side=Side.ASK))
    assert log.most_open(SYMBOL, Side.BID) == 2


def test_positions_and_balances_are_what_the_last_entries_say() -> None:
    changed = [BalanceChanged(time=0, currency="ETH", free=Decimal(free), locked=Decimal(1)) for free in ("1", "1.5")]
    log = log_of(traded(1), traded(2, side=Side.ASK, quantity=Decimal("0.03")), *changed)
    assert log.position_change(SYMBOL) == Decimal("-0.02")
    assert log.balances() == {"ETH": Decimal("2.5")}


def test_requests_during_a_suspension_are_counted_but_for_the_first_of_each() -> None:
    log = log_of(*(asked(status) for status in (200, 429, 429, 418, 200, 418, 200)))
    assert [request.status for request in log.asked_while_refused()] == [429, 418]


def test_an_order_before_anybody_listens_is_found() -> None:
    heard = StreamSubscribed(time=0, stream="user")
    book = StreamSubscribed(time=0, stream="ethusdt@depth@100ms")
    assert log_of(book, accepted(1), heard).first_order_unheard() == accepted(1)
    assert log_of(heard, accepted(1)).first_order_unheard() is None
