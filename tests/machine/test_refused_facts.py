"""A fact that is malformed or impossible is refused with a readable error, and nothing at all has changed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest
from attrs import evolve

from mm_fsm.books.facts import (
    MarketBook,
    MessageRefused,
    OpenOrdersReported,
    OrderFilled,
    OrderStatusReported,
    OwnTradesReported,
    QueryFailed,
    RequestsSuspended,
)
from mm_fsm.books.facts.registry import FACTS
from mm_fsm.core.instrument import InstrumentKind
from mm_fsm.core.messages import (
    BookLevel,
    Fact,
    Liquidity,
    OrderFact,
    RejectionCode,
    ReportedOrder,
    ReportedStatus,
    RequestKind,
    Side,
    VenueFact,
)
from mm_fsm.errors import FactRefusedError
from tests.machine.bench import SECOND, SPOT, SYMBOL, Bench

ONE = Decimal(1)
ORDER = "mm-run-1"
NAN, INFINITE, SIGNAL = Decimal("NaN"), Decimal("Infinity"), Decimal("sNaN")

NOT_A_TIME = [None, -1, 2**63, 1.5, True, "now", Decimal(5), float("nan"), []]
NOT_A_DECIMAL = [None, 1, 1.0, True, "1", float("nan"), float("inf"), NAN, SIGNAL, INFINITE, -INFINITE, (), [1]]
NOT_AN_AMOUNT = [*NOT_A_DECIMAL, Decimal("1E+30"), Decimal("1E-30"), Decimal("1E+999999")]
NOT_POSITIVE = [*NOT_AN_AMOUNT, Decimal(0), Decimal(-1)]
NOT_A_NAME = [None, "", 5, ["x"], {}, b"x"]
NOT_A_TEXT = [None, 5, ["x"], b"x"]
NOT_A_SYMBOL = [*NOT_A_NAME, "ETH/USD", "btc/usd"]
NOT_OURS = [*NOT_A_NAME, "mm-run-999", "somebody-else"]
NOT_TRUE_OR_FALSE = [None, 0, 1, "yes"]
NOT_A_MEMBER = [None, "nonsense", 5, ["bid"], "OPEN"]
NOT_A_TUPLE = [None, 5, "text", [], {}]


def not_time_of_the_venue(now: int) -> list[object]:
    """A venue's clock may run ahead of the host's by a minute, not by more: later books would all look old."""
    return [*NOT_A_TIME, now + 61 * SECOND, 10**30]


def level(price: object, size: object = ONE) -> BookLevel:
    return BookLevel(price, size)  # type: ignore[arg-type]


def bad_levels(sign: int) -> list[object]:
    """Levels of one side that no book can have; ``sign`` +1 for asks, whose prices rise."""
    good = level(Decimal(100))
    return [
        *NOT_A_TUPLE,
        (5,),
        ((Decimal(100), ONE),),  # no BookLevel, only a pair
        *((level(price),) for price in NOT_POSITIVE),
        *((level(Decimal(100), size),) for size in [*NOT_A_DECIMAL, Decimal(0), Decimal(-1)]),
        (good, level(Decimal(100))),
        (good, level(Decimal(100) - sign)),
        (good, None),
    ]


FIELDS: dict[str, Callable[[int], list[object]]] = {
    # what no fact may hold in a field of that name; ``now`` is the time of the fact
    "received_at": lambda now: NOT_A_TIME,
    "exchange_time": not_time_of_the_venue,
    "since": lambda now: [*NOT_A_TIME, now + 1],
    "until": not_time_of_the_venue,
    "symbol": lambda now: NOT_A_SYMBOL,
    "client_order_id": lambda now: NOT_OURS,
    "venue_order_id": lambda now: NOT_A_NAME,
    "trade_id": lambda now: NOT_A_NAME,
    "funding_id": lambda now: NOT_A_NAME,
    "flow_id": lambda now: NOT_A_NAME,
    "currency": lambda now: NOT_A_NAME,
    "fee_currency": lambda now: [*NOT_A_NAME, "BNB"],
    "reason": lambda now: NOT_A_TEXT,
    "price": lambda now: NOT_POSITIVE,
    "size": lambda now: NOT_POSITIVE,
    "quantity": lambda now: [*NOT_POSITIVE, Decimal("1.001"), Decimal("1E-25")],  # the order is for 1
    "fee": lambda now: NOT_AN_AMOUNT,
    "amount": lambda now: NOT_AN_AMOUNT,
    "base": lambda now: NOT_AN_AMOUNT,
    "quote": lambda now: NOT_AN_AMOUNT,
    "base_total": lambda now: NOT_AN_AMOUNT,
    "base_free": lambda now: NOT_AN_AMOUNT,
    "quote_total": lambda now: NOT_AN_AMOUNT,
    "quote_free": lambda now: NOT_AN_AMOUNT,
    "filled_quantity": lambda now: [value for value in NOT_AN_AMOUNT if value is not None] + [-ONE, Decimal("1.001")],
    "taker_side": lambda now: [*NOT_A_MEMBER, "buy"],
    "side": lambda now: ["nonsense", 5, "buy", Side.ASK],  # the order is a bid
    "liquidity": lambda now: NOT_A_MEMBER,
    "code": lambda now: NOT_A_MEMBER,
    "request": lambda now: NOT_A_MEMBER,
    "status": lambda now: NOT_A_MEMBER,
    "trading": lambda now: NOT_TRUE_OR_FALSE,
    "flatten": lambda now: NOT_TRUE_OR_FALSE,
    "includes_own_orders": lambda now: NOT_TRUE_OR_FALSE,
    "takes_cancels": lambda now: NOT_TRUE_OR_FALSE,
    "bids": lambda now: bad_levels(-1),
    "asks": lambda now: bad_levels(1),
    "question_id": lambda now: [value for value in NOT_A_NAME if value is not None],
    "withheld": lambda now: [*NOT_A_TUPLE, (5,), (None,)],
    "instrument": lambda now: [
        None,
        "BTC/USD",
        evolve(SPOT, symbol="ETH/USD"),
        evolve(SPOT, base_currency="ETH"),
        evolve(SPOT, quote_currency="EUR"),
        evolve(SPOT, kind=InstrumentKind.LINEAR),
        evolve(SPOT, kind=InstrumentKind.LINEAR, contract_size=Decimal(10)),
    ],
    "fills": lambda now: [
        *NOT_A_TUPLE,
        (5,),
        *((evolve(example(OrderFilled, now), **{name: value}),) for name, value in bad_fill_values(now)),
        (example(OrderFilled, now), evolve(example(OrderFilled, now), trade_id="other", quantity=Decimal("0.6"))),
    ],
    "orders": lambda now: [
        *NOT_A_TUPLE,
        (5,),
        *((evolve(reported_order(), **{name: value}),) for name, value in bad_order_values()),
    ],
}

EXEMPT: dict[tuple[type[Fact], str], list[object]] = {
    # values that are fine after all in one fact's field of that name
    (OrderFilled, "client_order_id"): ["mm-run-999"],  # of this run, from a journal whose end is torn
    (QueryFailed, "client_order_id"): [None, "mm-run-999", "somebody-else"],
    (MessageRefused, "client_order_id"): [None, "mm-run-999", "somebody-else"],
    (MessageRefused, "side"): [Side.ASK],
    (MarketBook, "exchange_time"): [None],  # no stamp
    (OrderFilled, "fee"): [None],  # not known yet
    (OrderFilled, "fee_currency"): [None, "BNB"],
    (OrderFilled, "liquidity"): [None],
}


def bad_values(kind: type[Fact], name: str, now: int) -> list[object]:
    """What a field of one fact may not hold."""
    if (kind, name) == (RequestsSuspended, "until"):
        return NOT_A_TIME  # any time ahead is fine
    fine = [repr(value) for value in EXEMPT.get((kind, name), [])]
    return [value for value in FIELDS[name](now) if repr(value) not in fine]


def bad_fill_values(now: int) -> list[tuple[str, object]]:
    """Faults of one trade of ours in a list of trades. A trade of somebody else's order is passed over instead."""
    names = [name for name in attrs.fields_dict(OrderFilled) if name != "client_order_id"]
    bad = [(name, value) for name in names for value in bad_values(OrderFilled, name, now)]
    return [*bad, ("client_order_id", None)]


def bad_order_values() -> list[tuple[str, object]]:
    values: dict[str, list[object]] = {
        "client_order_id": [None, 5],
        "venue_order_id": NOT_A_NAME,
        "side": [None, "buy", 5],
        "price": NOT_POSITIVE,
        "quantity": NOT_POSITIVE,
        "filled_quantity": [*NOT_AN_AMOUNT, -ONE, Decimal(2)],
    }
    return [(name, value) for name, bad in values.items() for value in bad]


def reported_order() -> ReportedOrder:
    return ReportedOrder(
        client_order_id=ORDER,
        venue_order_id="venue",
        side=Side.BID,
        price=Decimal(99),
        quantity=ONE,
        filled_quantity=Decimal(0),
    )


VALUES: dict[str, Any] = {
    "symbol": SYMBOL,
    "client_order_id": ORDER,
    "venue_order_id": "venue",
    "trade_id": "trade",
    "funding_id": "funding",
    "flow_id": "flow",
    "currency": "BNB",
    "fee_currency": "USD",
    "reason": "why",
    "price": Decimal("99.9"),
    "size": ONE,
    "quantity": Decimal("0.5"),
    "fee": Decimal("0.01"),
    "amount": ONE,
    "base": ONE,
    "quote": ONE,
    "base_total": ONE,
    "base_free": ONE,
    "quote_total": ONE,
    "quote_free": ONE,
    "filled_quantity": None,
    "taker_side": Side.BID,
    "side": Side.BID,
    "liquidity": Liquidity.MAKER,
    "code": RejectionCode.OTHER,
    "request": RequestKind.CANCEL,
    "status": ReportedStatus.OPEN,
    "trading": True,
    "flatten": True,
    "includes_own_orders": False,
    "takes_cancels": False,
    "bids": (level(Decimal(99)), level(Decimal(98))),
    "asks": (level(Decimal(101)), level(Decimal(102))),
    "withheld": (),
    "instrument": SPOT,
    "orders": (reported_order(),),
    "since": 5,
    "question_id": None,
}
"""What a good fact holds, by the field's name; times are the fact's own."""


def example(kind: type[Fact], now: int) -> Any:
    """A good fact."""
    fields = attrs.fields_dict(kind)
    values = {name: VALUES.get(name, now) for name in fields}
    if "fills" in fields:
        values["fills"] = (example(OrderFilled, now),)
    return kind(**values)


KINDS: list[type[Fact]] = [*FACTS.values()]


def quoting() -> Bench:
    """A machine with a bid for 1 and an ask resting."""
    bench = Bench(is_watched=False).start_quoting()
    assert bench.own(ORDER).quantity == 1
    assert bench.own(ORDER).side is Side.BID
    bench.later(1)
    return bench


def test_the_tables_of_this_module_cover_every_field() -> None:
    assert {name for kind in KINDS for name in attrs.fields_dict(kind)} <= set(FIELDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_fact_of_every_kind_is_taken(kind: type[Fact]) -> None:
    bench = quoting()
    assert bench.tell(example(kind, bench.now)).sequence == len(bench.results)


@pytest.mark.parametrize("kind", KINDS)
def test_every_bad_value_in_every_field_is_refused_and_changes_nothing(kind: type[Fact]) -> None:
    bench = quoting()
    for name in attrs.fields_dict(kind):
        for value in bad_values(kind, name, bench.now):
            fact = evolve(example(kind, bench.now), **{name: value})
            error = bench.refuses(fact)
            assert error is not None, f"{kind.__name__}.{name} = {value!r} was taken"
            assert str(error).startswith(f"{error.fact}.")
            assert error.expected
            assert error.remedy.endswith(".")


@pytest.mark.parametrize("kind", [Fact, VenueFact, OrderFact])
def test_a_fact_of_no_kind_is_refused(kind: type[Fact]) -> None:
    bench = quoting()
    assert bench.refuses(example(kind, bench.now)) is not None


@pytest.mark.parametrize("thing", [None, 5, "text", object()])
def test_what_is_no_fact_at_all_is_refused(thing: Any) -> None:
    bench = quoting()
    before = bench.fingerprint()
    with pytest.raises(FactRefusedError, match=r"type: expected one of"):
        bench.machine.step(thing)
    assert bench.fingerprint() == before


def test_status_reports_that_contradict_themselves_are_refused() -> None:
    bench = quoting()
    for status, filled in ((ReportedStatus.FILLED, Decimal("0.5")), (ReportedStatus.REJECTED, Decimal("0.5"))):
        fact = evolve(example(OrderStatusReported, bench.now), status=status, filled_quantity=filled)
        assert bench.refuses(fact) is not None


def test_more_fills_than_the_order_has_left_are_refused_one_by_one_and_in_a_list() -> None:
    bench = quoting()
    bench.fill(ORDER, "0.7")
    assert bench.refuses(evolve(example(OrderFilled, bench.now), quantity=Decimal("0.301"))) is not None
    first, second = (
        evolve(example(OrderFilled, bench.now), trade_id=f"new-{n}", quantity=Decimal("0.2")) for n in (1, 2)
    )
    assert bench.refuses(evolve(example(OwnTradesReported, bench.now), fills=(first, second))) is not None
    assert bench.own(ORDER).filled_quantity == Decimal("0.7")


def test_one_trade_that_a_list_names_twice_is_booked_once() -> None:
    bench = quoting()
    fill = evolve(example(OrderFilled, bench.now), quantity=Decimal("0.7"))
    bench.tell(evolve(example(OwnTradesReported, bench.now), fills=(fill, fill)))
    assert bench.own(ORDER).filled_quantity == Decimal("0.7")
    assert bench.context.fill_count == 1


def test_trades_and_open_orders_of_others_on_the_account_are_passed_over() -> None:
    bench = quoting()
    position = bench.context.base_position
    foreign = evolve(example(OrderFilled, bench.now), client_order_id="other-1", fee=NAN, symbol="ETH/USD")
    bench.tell(evolve(example(OwnTradesReported, bench.now), fills=(foreign,)))
    order = evolve(reported_order(), client_order_id="", price=NAN)
    bench.tell(evolve(example(OpenOrdersReported, bench.now), orders=(order, reported_order())))
    assert bench.context.base_position == position
    assert sorted(bench.live()) == ["mm-run-1", "mm-run-2"]


def test_a_fee_of_nothing_needs_no_price_of_its_currency() -> None:
    bench = quoting()
    bench.tell(evolve(example(OrderFilled, bench.now), fee=Decimal(0), fee_currency="BNB"))
    assert bench.context.fees_paid == 0


def test_a_mid_that_needs_one_decimal_more_than_the_ledger_has_is_refused_before_it_is_booked() -> None:
    bench = quoting()
    finest = Decimal("100.000000000000000000000001")  # 24 decimals; half of it has 25
    book = evolve(example(MarketBook, bench.now), bids=(level(Decimal(99)),), asks=(level(finest),))
    assert bench.refuses(book) is not None
    behind = (level(Decimal(100)), level(finest))  # the best price, once own orders are taken out
    book = evolve(example(MarketBook, bench.now), bids=(level(Decimal(99)),), asks=behind, includes_own_orders=True)
    assert bench.refuses(book) is not None


def test_a_machine_that_was_told_nothing_refuses_and_stays_new() -> None:
    bench = Bench()
    for kind in KINDS:
        fact = evolve(example(kind, bench.now), received_at=-1)
        assert bench.refuses(fact) is not None
    assert bench.machine.sequence == 0
    assert bench.state == "idle"
