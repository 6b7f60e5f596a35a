"""News of own orders: told once and each request answered once, in whatever order answer and stream bring it."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve
from ccxt.base.errors import InvalidNonce, OrderNotFound, RateLimitExceeded
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.facts import (
    CancelRefused,
    OrderAcknowledged,
    OrderCanceled,
    OrderRejected,
    OutcomeUnknown,
    QueryFailed,
    RequestsSuspended,
)
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.instrument import Instrument
from mm_fsm.core.messages import (
    CancelOrder,
    Fact,
    OrderPurpose,
    PlaceOrder,
    QueryBalances,
    QueryOrder,
    RejectionCode,
    ReportedStatus,
    RequestKind,
    Side,
)
from mm_fsm.venues.ccxt_venue.account import Account
from mm_fsm.venues.ccxt_venue.client_ids import ClientIds
from mm_fsm.venues.ccxt_venue.keys import Keys
from mm_fsm.venues.ccxt_venue.live_market import LiveMarket, RecentIds, VenueClock
from mm_fsm.venues.ccxt_venue.looks import Looks
from mm_fsm.venues.ccxt_venue.open_order_lists import OpenOrderLists
from mm_fsm.venues.ccxt_venue.own_orders import OwnOrderNews
from mm_fsm.venues.ccxt_venue.own_trades import OwnTradeNews
from mm_fsm.venues.ccxt_venue.payloads import SeenOrder
from mm_fsm.venues.ccxt_venue.requests import OrderRequests
from mm_fsm.venues.ccxt_venue.watch import Watch

SYMBOL = "ETH/USDT"
OURS = "mm-abcdef-ghijkl-1"
INSTRUMENT = Instrument(
    symbol=SYMBOL, base_currency="ETH", quote_currency="USDT", tick_size=Decimal("0.01"), lot_size=Decimal("0.0001")
)
NOW = 1_700_000_000_000_000_000
PLACE = PlaceOrder(
    symbol=SYMBOL,
    client_order_id=OURS,
    side=Side.BID,
    price=Decimal(1999),
    quantity=Decimal("0.5"),
    purpose=OrderPurpose.QUOTE,
    level=0,
)
CANCELED = {"id": "7", "status": "canceled", "filled": "0", "amount": "0.5"}
CANCEL = CancelOrder(symbol=SYMBOL, client_order_id=OURS, venue_order_id=None)


class Bench:
    """An account on an exchange that a test scripts, and everything that its machine is told."""

    def __init__(self, **methods: Any) -> None:
        self.time = NOW
        self.told: list[Fact] = []
        self.asked: list[str] = []
        self.market = LiveMarket(INSTRUMENT, 5, take=self.told.append)
        self.exchange = SimpleNamespace(id="binance", last_response_headers={}, features={}, **self._noted(methods))
        clock = VenueClock(lambda: self.time)
        self.orders = OwnOrderNews(ClientIds("binance", frozenset({"mm"})), clock, lambda: self.time)
        trades = OwnTradeNews(self.exchange, self.orders, clock)
        self.account = Account("binance", self.exchange, Keys(), clock, self.orders, trades, {SYMBOL: self.market})
        self.requests = OrderRequests(self.account)
        self.looks = Looks(self.account, lambda _: None, lambda: None)

    def _noted(self, methods: dict[str, Any]) -> dict[str, Any]:
        def noted(name: str, answer: Any) -> Any:
            async def call(*given: Any) -> Any:
                self.asked.append(name)
                if callable(answer):
                    return answer(*given)
                if isinstance(answer, Exception):
                    raise answer
                return answer

            return call

        return {name: noted(name, answer) for name, answer in methods.items()}

    def kinds(self) -> Counter[type[Fact]]:
        return Counter(type(fact) for fact in self.told)


def seen(status: ReportedStatus | None, filled: str = "0") -> SeenOrder:
    return SeenOrder(
        venue_order_id="7",
        client_text=OURS,
        symbol=SYMBOL,
        side=Side.BID,
        price=Decimal(1999),
        quantity=Decimal("0.5"),
        filled=Decimal(filled),
        status=status,
        exchange_time=NOW,
    )


@given(st.permutations(["answer", "stream", "stream"]), st.permutations(["answer", "stream", "stream"]))
def test_whoever_brings_news_first_it_is_told_once(placing: list[str], cancelling: list[str]) -> None:
    bench = Bench()
    order = bench.orders.place(PLACE, bench.market)
    for source in placing:
        if source == "answer":
            bench.orders.take(order, "7", NOW, from_stream=False)
        else:
            bench.orders.hear(bench.market, seen(ReportedStatus.OPEN), from_stream=True)
    order.is_cancel_owed = True
    for source in cancelling:
        if source == "answer":
            bench.orders.end(order, seen(ReportedStatus.CANCELED), NOW, from_stream=False)
        else:
            bench.orders.hear(bench.market, seen(ReportedStatus.CANCELED), from_stream=True)
    assert bench.kinds() == {OrderAcknowledged: 1, OrderCanceled: 1}
    assert not order.is_placement_owed
    assert not order.is_cancel_owed
    assert bench.orders.awaited == {}


def test_what_an_answer_alone_brings_is_awaited_on_the_stream() -> None:
    bench = Bench()
    order = bench.orders.place(PLACE, bench.market)
    bench.orders.take(order, "7", NOW, from_stream=False)
    assert [*bench.orders.awaited] == [("taken", OURS)]
    bench.orders.hear(bench.market, seen(ReportedStatus.OPEN), from_stream=True)
    assert bench.orders.awaited == {}


def test_an_order_that_comes_to_light_after_its_placement_was_lost_is_told() -> None:
    bench = Bench()
    order = bench.orders.place(PLACE, bench.market)
    bench.orders.lose(order, RequestKind.PLACE, "time-out")
    bench.orders.hear(bench.market, seen(ReportedStatus.OPEN), from_stream=True)
    assert bench.kinds() == {OutcomeUnknown: 1, OrderAcknowledged: 1}


def test_an_end_without_a_figure_says_so() -> None:
    bench = Bench()
    bench.orders.place(PLACE, bench.market)
    vague = SeenOrder(**{**_fields(seen(ReportedStatus.CANCELED)), "filled": None})
    bench.orders.hear(bench.market, vague, from_stream=True)
    assert [fact.filled_quantity for fact in bench.told if isinstance(fact, OrderCanceled)] == [None]


def _fields(order: SeenOrder) -> dict[str, Any]:
    return {name: getattr(order, name) for name in SeenOrder.__annotations__}


def test_orders_of_others_are_told_to_nobody() -> None:
    bench = Bench()
    foreign = SeenOrder(**{**_fields(seen(ReportedStatus.CANCELED)), "client_text": "web_1"})
    bench.orders.hear(bench.market, foreign, from_stream=True)
    unknown = SeenOrder(**{**_fields(seen(ReportedStatus.OPEN)), "client_text": "mm-zzzzzz-zzzzzz-5"})
    bench.orders.hear(bench.market, unknown, from_stream=True)
    assert bench.told == []


def test_a_placement_that_waited_too_long_is_dropped_and_never_sent() -> None:
    bench = Bench(create_order={"id": "7"})

    async def part() -> None:
        await bench.requests.place(PLACE, NOW - nanoseconds(1.5))

    asyncio.run(part())
    assert bench.asked == []
    assert [(fact.code, "1.5 s" in fact.reason) for fact in bench.told if isinstance(fact, OrderRejected)] == [
        (RejectionCode.RATE_LIMIT, True)
    ]


def test_while_the_exchange_takes_no_request_nothing_is_sent() -> None:
    bench = Bench(create_order={"id": "7"}, fetch_balance={})
    bench.account.suspended_until = NOW + nanoseconds(60)

    async def part() -> None:
        await bench.requests.place(PLACE, NOW)
        await bench.looks.answer(QueryBalances(symbol=SYMBOL))

    asyncio.run(part())
    assert bench.asked == []
    assert bench.kinds() == {OrderRejected: 1, QueryFailed: 1}


@pytest.mark.parametrize(
    "answer", [{"id": "7"}, {"id": "7", "status": "open"}, {"id": "7", "status": "closed"}, {}, None]
)
def test_a_cancel_that_was_taken_without_a_word_on_the_order_is_no_outcome(
    answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mm_fsm.venues.ccxt_venue.requests.END_WAIT_SECONDS", 0.0)
    bench = Bench(create_order={"id": "7", "status": "open"}, cancel_order=answer)

    async def part() -> None:
        await bench.requests.place(PLACE, NOW)
        await bench.requests.cancel(CANCEL)

    asyncio.run(part())
    assert bench.kinds() == {OrderAcknowledged: 1, OutcomeUnknown: 1}


def test_a_cancel_waits_for_the_placement_before_it() -> None:
    bench = Bench(
        create_order={"id": "7"}, cancel_order={"id": "7", "status": "canceled", "filled": "0", "amount": "0.5"}
    )

    async def part() -> None:
        placed, cancelled = bench.requests.place(PLACE, NOW), bench.requests.cancel(CANCEL)
        await asyncio.gather(placed, cancelled)

    asyncio.run(part())
    assert bench.asked == ["create_order", "cancel_order"]
    assert [type(fact) for fact in bench.told] == [OrderAcknowledged, OrderCanceled]


def test_two_cancels_of_one_order_have_two_answers() -> None:
    bench = Bench(
        create_order={"id": "7"}, cancel_order={"id": "7", "status": "canceled", "filled": "0", "amount": "0.5"}
    )

    async def part() -> None:
        await bench.requests.place(PLACE, NOW)
        await asyncio.gather(bench.requests.cancel(CANCEL), bench.requests.cancel(CANCEL))

    asyncio.run(part())
    answers = bench.kinds()
    assert answers[OrderCanceled] + answers[OutcomeUnknown] + answers[CancelRefused] == 2


def test_a_placement_without_an_id_in_its_answer_is_unknown() -> None:
    bench = Bench(create_order={"status": "open"})

    async def part() -> None:
        await bench.requests.place(PLACE, NOW)

    asyncio.run(part())
    assert bench.kinds() == {OutcomeUnknown: 1}


@pytest.mark.parametrize(
    "balance",
    [
        {},
        None,
        {"total": {"ETH": None, "USDT": "5"}, "free": {"ETH": "1", "USDT": "5"}},
        {"total": {"ETH": "1", "USDT": "NaN"}, "free": {"ETH": "1", "USDT": "5"}},
        {"total": None, "free": {}},
    ],
)
def test_a_balance_that_is_not_known_is_no_balance(balance: Any) -> None:
    bench = Bench(fetch_balance=balance)
    asyncio.run(bench.looks.answer(QueryBalances(symbol=SYMBOL)))
    assert bench.kinds() == {QueryFailed: 1}


def test_the_oldest_ids_are_forgotten_and_the_newest_kept() -> None:
    ids = RecentIds(most=3)
    for name in ("a", "b", "c", "a", "d"):
        ids.add(name)
    assert [name for name in "abcd" if name in ids] == ["a", "c", "d"]


def _watch(bench: Bench, dead: list[str], *, has_order_stream: bool = True) -> Watch:
    streams = SimpleNamespace(is_up=True, has_order_stream=has_order_stream, lose=dead.append)
    return Watch(bench.account, streams)


def test_news_that_the_stream_does_not_bring_in_two_seconds_proves_it_dead() -> None:
    bench, dead = Bench(fetch_balance={}), list[str]()
    order = bench.orders.place(PLACE, bench.market)
    bench.orders.take(order, "7", NOW, from_stream=False)
    bench.account.suspended_until = NOW + nanoseconds(600)  # so that nothing else is asked
    watch = _watch(bench, dead)
    bench.time += nanoseconds(2.0)
    watch.look(0.0)
    assert dead == []
    bench.time += 1
    watch.look(0.0)
    assert len(dead) == 1
    assert OURS in dead[0]


def test_where_there_is_no_stream_of_own_orders_its_silence_proves_nothing() -> None:
    bench, dead = Bench(fetch_balance={}), list[str]()
    order = bench.orders.place(PLACE, bench.market)
    bench.orders.take(order, "7", NOW, from_stream=False)
    bench.account.suspended_until = NOW + nanoseconds(600)
    bench.time += nanoseconds(5.0)
    _watch(bench, dead, has_order_stream=False).look(0.0)
    assert dead == []
    assert bench.orders.awaited == {}


def test_an_order_listed_as_open_and_as_cancelled_is_no_answer() -> None:
    shown = {"id": "7", "clientOrderId": OURS, "symbol": SYMBOL, "status": "canceled", "amount": "0.5", "filled": "0"}
    bench = Bench(fetch_order=OrderNotFound("no"), fetch_open_orders=[shown], fetch_my_trades=[])
    bench.orders.place(PLACE, bench.market)
    asyncio.run(bench.looks.answer(QueryOrder(symbol=SYMBOL, client_order_id=OURS, venue_order_id=None)))
    assert bench.kinds() == {QueryFailed: 1}


def test_a_refusal_because_of_the_time_has_the_clock_asked_for_again_soon() -> None:
    """Half a second after it was asked for last, not in a minute; and the machine is told that it was the clock."""
    bench = Bench(create_order=InvalidNonce("-1021"), load_time_difference=None)
    bench.exchange.has, bench.exchange.options, bench.exchange.milliseconds = {"fetchTime": True}, {}, lambda: 0
    watch = _watch(bench, [])
    bench.account.on_clock_error = watch.ask_clock_soon

    async def part() -> None:
        for time in (0.0, 0.4):
            watch.look(time)
            await asyncio.sleep(0)
        await bench.requests.place(PLACE, NOW)
        for time in (0.4, 0.5, 30.0):
            watch.look(time)
            await asyncio.sleep(0)

    asyncio.run(part())
    assert bench.asked == ["load_time_difference", "create_order", "load_time_difference"]
    assert [fact.code for fact in bench.told if isinstance(fact, OrderRejected)] == [RejectionCode.CLOCK]


def test_a_spent_budget_of_orders_keeps_no_cancel_and_no_question_back() -> None:
    """Binance's -1015 is about new orders; a ban is about everything, and is told as one although it follows."""
    bench = Bench(
        create_order=RateLimitExceeded('binance {"code":-1015,"msg":"Too many new orders."}'),
        cancel_order=CANCELED,
        fetch_balance={},
    )
    bench.exchange.last_response_headers = {"Retry-After": "7"}
    other = evolve(PLACE, client_order_id="mm-abcdef-ghijkl-2")

    async def part() -> None:
        await bench.requests.place(PLACE, NOW)
        await bench.requests.place(other, NOW)
        bench.market.known.add("mm-abcdef-ghijkl-3")
        await bench.requests.cancel(evolve(CANCEL, client_order_id="mm-abcdef-ghijkl-3", venue_order_id="7"))
        await bench.looks.answer(QueryBalances(symbol=SYMBOL))

    asyncio.run(part())
    assert bench.asked == ["create_order", "cancel_order", "fetch_balance"]
    (told,) = [fact for fact in bench.told if isinstance(fact, RequestsSuspended)]
    assert (told.until, told.takes_cancels) == (NOW + nanoseconds(7), True)
    bench.account.judge(RateLimitExceeded('binance {"code":-1003}'))
    ban = [fact for fact in bench.told if isinstance(fact, RequestsSuspended)][-1]
    assert not ban.takes_cancels
    assert bench.account.suspension_seconds == 7


def test_a_limit_whose_end_is_not_said_holds_orders_back_ever_longer_and_no_cancel() -> None:
    """As at okx or kraken, which name no time: 2, 4, 8 seconds, and 2 again once it was quiet for as long."""
    bench = Bench(create_order=RateLimitExceeded("okx 50011"), cancel_order=CANCELED)

    def told() -> list[tuple[float, bool]]:
        facts = [fact for fact in bench.told if isinstance(fact, RequestsSuspended)]
        return [((fact.until - fact.received_at) / 10**9, fact.takes_cancels) for fact in facts]

    async def place(number: int) -> None:
        await bench.requests.place(evolve(PLACE, client_order_id=f"mm-abcdef-ghijkl-{number}"), bench.time)

    async def part() -> None:
        await place(1)
        await place(2)  # does not leave
        bench.market.known.add("mm-abcdef-ghijkl-9")
        await bench.requests.cancel(evolve(CANCEL, client_order_id="mm-abcdef-ghijkl-9", venue_order_id="7"))

    asyncio.run(part())
    assert bench.kinds()[OutcomeUnknown] == 1, "it may have arrived"
    assert bench.kinds()[OrderRejected] == 1
    assert bench.asked == ["create_order", "cancel_order"]
    for _ in range(2):
        bench.account.judge(RateLimitExceeded("of a request that was under way"))
        bench.time = bench.account.orders_suspended_until
        asyncio.run(place(3))
    assert told() == [(2, True), (4, True), (8, True)]
    bench.time += nanoseconds(8 + 8)
    asyncio.run(place(4))
    assert told()[-1] == (2, True)
    for _ in range(9):
        bench.time = bench.account.orders_suspended_until
        bench.account.judge(RateLimitExceeded("okx 50011"))
    assert told()[-1] == (60, True)


@pytest.mark.parametrize(("markets", "calls"), [(13, 13), (14, 1), (40, 1)])
def test_open_orders_of_many_markets_are_one_question_where_that_costs_less(markets: int, calls: int) -> None:
    """Binance takes 6 a market and 80 for all of them. Each is given its own orders, or none."""
    asked: list[str | None] = []

    class Listing:
        id = "binance"

        async def fetch_open_orders(self, symbol: str | None = None, *_: None) -> list[dict[str, str]]:
            asked.append(symbol)
            every = [{"id": str(number), "symbol": f"{number}/USD"} for number in range(0, markets, 2)]
            return [each for each in every if symbol in {None, each["symbol"]}]

    async def part() -> list[Any]:
        lists = OpenOrderLists(Listing())
        return await asyncio.gather(*(lists.of(f"{number}/USD") for number in range(markets)))

    found = asyncio.run(part())
    assert len(asked) == calls
    assert [[each["id"] for each in orders] for orders in found] == [
        [] if number % 2 else [str(number)] for number in range(markets)
    ]


def test_a_list_of_the_account_with_an_order_of_an_unknown_market_answers_for_none() -> None:
    asked: list[str | None] = []

    class Listing:
        id = "kraken"

        async def fetch_open_orders(self, symbol: str | None = None, *_: None) -> list[dict[str, str]]:
            asked.append(symbol)
            return [{"id": "1"}] if symbol is None else []

    assert asyncio.run(lists_of(Listing(), "A/USD", "B/USD")) == [[], []]
    assert asked[0] is None
    assert {*asked[1:]} == {"A/USD", "B/USD"}


async def lists_of(listing: Any, *symbols: str) -> list[Any]:
    """The lists of markets that ask together."""
    lists = OpenOrderLists(listing)
    return await asyncio.gather(*(lists.of(symbol) for symbol in symbols))


@pytest.mark.parametrize("answer", [None, {"A/USD": []}, "none"])
def test_an_answer_that_is_no_list_is_no_proof_that_nothing_is_open(answer: Any) -> None:
    """Each market is asked for by itself then: an order that is open must not be taken for gone."""

    class Listing:
        id = "kraken"

        async def fetch_open_orders(self, symbol: str | None = None, *_: None) -> Any:
            return answer if symbol is None else [{"id": f"of {symbol}"}]

    assert asyncio.run(lists_of(Listing(), "A/USD", "B/USD")) == [[{"id": "of A/USD"}], [{"id": "of B/USD"}]]


def test_markets_that_asked_before_do_not_count_for_the_next_list() -> None:
    """Two of Kraken's together make a list worth while; one that asks later by itself does not."""
    asked: list[str | None] = []

    class Listing:
        id = "kraken"

        async def fetch_open_orders(self, symbol: str | None = None, *_: None) -> list[Any]:
            asked.append(symbol)
            return []

    async def part() -> None:
        lists = OpenOrderLists(Listing())
        await asyncio.gather(lists.of("A/USD"), lists.of("B/USD"))
        await lists.of("C/USD")

    asyncio.run(part())
    assert asked == [None, "C/USD"]


@pytest.mark.parametrize("code", [-1015, -1003])
def test_a_ban_is_told_again_only_when_it_lasts_more_than_a_second_longer_than_was_told(code: int) -> None:
    """Every refused request of a burst names it, each a little later; a machine needs to hear it once."""
    bench = Bench()

    def refused(retry_after: str) -> list[int]:
        bench.exchange.last_response_headers = {"Retry-After": retry_after}
        bench.account.judge(RateLimitExceeded(f'binance {{"code":{code}}}'))
        return [fact.until for fact in bench.told if isinstance(fact, RequestsSuspended)]

    assert refused("7") == [NOW + nanoseconds(7)]
    assert refused("8") == [NOW + nanoseconds(7)], "a second longer is the same ban"
    assert bench.account.order_suspension_seconds == 8, "it is kept all the same"
    assert refused("9.5") == [NOW + nanoseconds(7), NOW + nanoseconds(9.5)]
    assert refused("3") == [NOW + nanoseconds(7), NOW + nanoseconds(9.5)]
    assert bench.account.order_suspension_seconds == 9.5, "a shorter one ends no longer one"
