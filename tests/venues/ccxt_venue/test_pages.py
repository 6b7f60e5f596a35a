"""A list that is full proves nothing of what it does not show: neither that an order has gone, nor that none traded."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, Literal

import ccxt.pro
import pytest
from attrs import evolve, frozen
from hypothesis import assume, given
from hypothesis import strategies as st

from mm_fsm.books.facts import OpenOrdersReported, OrderNotFound, OrderStatusReported, QueryFailed
from mm_fsm.core.messages import QueryOpenOrders, QueryOrder, ReportedStatus
from mm_fsm.errors import SettingsError, VenueError
from mm_fsm.venues.ccxt_venue.client_ids import RULES, ClientIds
from mm_fsm.venues.ccxt_venue.open_order_lists import CHEAPER_TOGETHER
from mm_fsm.venues.ccxt_venue.own_trade_lists import ALL, MOST_QUESTIONS, OwnTradeLists, UnansweredError
from mm_fsm.venues.ccxt_venue.pages import (
    FILTERED_BY_CCXT,
    FULL_TRADES,
    LISTS_ALL_OPEN,
    MILLISECONDS,
    OFFSETS,
    check_room,
    page_of_open_orders,
    page_of_own_trades,
)
from tests.venues.ccxt_venue.test_inspection import inspected
from tests.venues.ccxt_venue.test_news import NOW, OURS, PLACE, SYMBOL, Bench
from tests.venues.ccxt_venue.test_own_trades import raw_trade
from tests.venues.ccxt_venue.test_parsers import exchange_of

BEGIN = 1_700_000_000_000
"""Milliseconds."""


@frozen(kw_only=True)
class Shop:
    """How an exchange answers a question for own trades."""

    page: int
    first: Literal["oldest", "latest"]
    grain: Literal[1, 1_000] = 1
    """Milliseconds in a unit of the times that it takes."""
    heeds_since: bool = True
    heeds_until: bool = True
    heeds_offset: bool = False

    def exchange(self, times: list[int], asked: list[Any]) -> SimpleNamespace:
        """It has one own trade at each of these times, milliseconds, and ccxt shows what it answers.

        OKX takes milliseconds, Gate and Kraken take seconds, and Kraken has pages.
        """

        async def fetch_my_trades(symbol: str | None, since: int, limit: int | None, params: dict[str, int]) -> Any:
            asked.append((symbol, since, limit, params))
            begin = since // self.grain * self.grain if self.heeds_since else 0
            until = params.get("until")
            end = ALL if until is None or not self.heeds_until else until // self.grain * self.grain
            within = [(time, number) for number, time in enumerate(times) if begin <= time <= end]
            within.sort(reverse=self.first == "latest")
            offset = params.get("ofs", 0) if self.heeds_offset else 0
            shown = within[offset : offset + self.page]
            return [raw_trade(str(number), timestamp=time) for time, number in shown if time >= since]

        features = {"spot": {"fetchMyTrades": {"limit": self.page, "untilDays": 7}}}
        name = "kraken" if self.heeds_offset else "okx" if self.grain == 1 else "gate"
        return SimpleNamespace(id=name, features=features, fetch_my_trades=fetch_my_trades)


def listed(shop: Shop, times: list[int], asked: list[Any] | None = None) -> tuple[set[str], int]:
    lists = OwnTradeLists(shop.exchange(times, [] if asked is None else asked))
    trades, covered = asyncio.run(lists.since(SYMBOL, BEGIN * 1_000_000, max([BEGIN, *times]) * 1_000_000))
    return {trade.trade_id.split("/")[1] for trade in trades}, covered


shops = st.builds(
    Shop,
    page=st.integers(2, 6),
    first=st.sampled_from(["oldest", "latest"]),
    grain=st.sampled_from([1, 1_000]),
    heeds_since=st.booleans(),
    heeds_until=st.booleans(),
)
heeding = st.builds(evolve, shops, heeds_since=st.just(True), heeds_until=st.just(True))
moments = st.lists(st.integers(BEGIN, BEGIN + 60_000), max_size=30)


@given(shops, moments)
def test_no_trade_is_missing_from_what_counts_as_all(shop: Shop, times: list[int]) -> None:
    """Whichever end an exchange shows first, and whatever of the question it heeds: all of them, or no answer.

    One that begins every list with the account's oldest trade could not be asked for later ones at all.
    """
    assume(shop.heeds_since or shop.first == "latest")
    try:
        found, covered = listed(shop, times)
    except UnansweredError:
        return
    assert {str(n) for n, time in enumerate(times) if BEGIN * 1_000_000 <= time * 1_000_000 <= covered} <= found


def fewer_in_three_seconds(times: list[int], most: int) -> list[int]:
    """Those of the times that leave fewer than ``most`` in a second and its neighbours."""
    kept: list[int] = []
    for time in times:
        seconds = [each // 1_000 for each in (*kept, time)]
        if all(sum(abs(each - other) <= 1 for other in seconds) < most for each in seconds):
            kept.append(time)
    return kept


@given(heeding, moments)
def test_an_exchange_that_heeds_the_question_is_answered(shop: Shop, drawn: list[int]) -> None:
    times = fewer_in_three_seconds(drawn, shop.page)
    found, covered = listed(shop, times)
    assert covered == ALL
    assert found == {str(number) for number in range(len(times))}


@pytest.mark.parametrize("first", ["oldest", "latest"])
def test_both_ends_of_a_long_list_are_found(first: Any) -> None:
    """250 trades, a hundred a list: to go on from the latest one would end at once where the latest come first."""
    times = [BEGIN + number * 10_000 for number in range(250)]
    asked: list[Any] = []
    found, covered = listed(Shop(page=100, first=first), times, asked)
    assert (len(found), covered) == (250, ALL)
    assert len(asked) == 7  # halves of halves: four lists that are short, three that are full


def test_more_than_can_be_asked_for_is_told_as_far_as_it_goes() -> None:
    times = [BEGIN + number * 2_000 for number in range(1_000)]
    found, covered = listed(Shop(page=5, first="latest"), times)
    assert covered != ALL
    told = [number for number, time in enumerate(times) if time * 1_000_000 <= covered]
    assert 0 < len(told) < 1_000
    assert {str(number) for number in told} <= found


@pytest.mark.parametrize(("grain", "unit"), [(1, "1 ms"), (1_000, "1000 ms")])
def test_more_trades_at_once_than_a_list_shows_are_no_answer(grain: Any, unit: str) -> None:
    with pytest.raises(UnansweredError, match=f"within {unit}"):
        listed(Shop(page=5, first="latest", grain=grain), [BEGIN] * 5 + [BEGIN + 9_000])


def test_what_lies_before_a_stretch_that_stays_open_is_told_and_no_more() -> None:
    """Three trades, then five in one second of an exchange that shows five and takes whole seconds."""
    times = [BEGIN, BEGIN + 20_000, BEGIN + 40_000, *[BEGIN + 60_100] * 5, BEGIN + 80_000]
    found, covered = listed(Shop(page=5, first="latest", grain=1_000), times)
    assert found >= {"0", "1", "2"}
    assert (BEGIN + 40_000) * 1_000_000 <= covered < (BEGIN + 60_100) * 1_000_000


@pytest.mark.parametrize(
    ("shop", "count", "apart"),
    [
        (Shop(page=20, first="oldest"), 25, 10),
        (Shop(page=50, first="latest", grain=1_000, heeds_offset=True), 60, 10),
        (Shop(page=50, first="latest", grain=1_000, heeds_offset=True), 1_200, 0),
        (Shop(page=50, first="latest"), 500, 7_200),
    ],
)
def test_a_burst_is_found_in_one_look(shop: Shop, count: int, apart: int) -> None:
    times = [BEGIN + 30_000 + number * apart for number in range(count)]
    found, covered = listed(shop, times)
    assert (len(found), covered) == (count, ALL)


def looks_until_all(shop: Shop, times: list[int], *, breaks: int = 0, most: int = 60) -> tuple[list[list[str]], int]:
    """What each look of one that looks again and again shows, until it says that this is all, and how many broke off.

    Time goes on: the latest trade is two minutes old. Every so many questions the exchange cannot be reached.
    """
    asked: list[Any] = []
    exchange = shop.exchange(times, asked)
    answer = exchange.fetch_my_trades

    async def failing(*question: Any) -> Any:
        shown = await answer(*question)
        if breaks and len(asked) % breaks == 0:
            raise ccxt.NetworkError("gone")
        return shown

    exchange.fetch_my_trades = failing
    lists, looks, broken = OwnTradeLists(exchange), [], 0
    latest = (max([BEGIN, *times]) + 120_000) * 1_000_000
    for _ in range(most):
        try:
            trades, covered = asyncio.run(lists.since(SYMBOL, BEGIN * 1_000_000, latest))
        except ccxt.NetworkError:
            broken += 1
            continue
        looks.append([trade.trade_id.split("/")[1] for trade in trades])
        due = {str(n) for n, time in enumerate(times) if time * 1_000_000 <= covered}
        assert due <= {*looks[-1]}
        if covered == ALL:
            return looks, broken
    raise AssertionError("it never ends")


@given(
    st.integers(3, 6),
    st.sampled_from(["oldest", "latest"]),
    st.booleans(),
    st.lists(st.tuples(st.integers(BEGIN, BEGIN + 600_000), st.integers(1, 60)), max_size=6),
    st.sampled_from([0, 0, 29]),
)
def test_any_burst_is_found_in_so_many_looks_nothing_twice_and_nothing_invented(
    page: int, first: Any, has_pages: bool, bursts: list[tuple[int, int]], breaks: int
) -> None:
    """With pages, which are Kraken's, many at one moment; without, ever so many two milliseconds apart."""
    shop = Shop(page=page, first=first)
    times = sorted({moment + 2 * number for moment, count in bursts for number in range(count)})
    if has_pages:
        shop = Shop(page=50, first="latest", grain=1_000, heeds_offset=True)
        times = [moment for moment, count in bursts for _ in range(5 * count)]
    looks, _ = looks_until_all(shop, times, breaks=breaks)
    for look in looks:
        assert len({*look}) == len(look)
        assert {*look} <= {str(number) for number in range(len(times))}
    assert len(looks[-1]) == len(times)


def test_a_look_that_breaks_off_is_gone_on_with() -> None:
    """Every thirtieth question fails; a look that began anew each time would never get past it."""
    times = [BEGIN + number * 2_000 for number in range(200)]
    looks, broken = looks_until_all(Shop(page=5, first="latest"), times, breaks=30)
    assert broken > 0
    assert len(looks[-1]) == 200


def test_an_exchange_without_an_end_to_its_lists_does_not_answer() -> None:
    with pytest.raises(UnansweredError, match="later ones than asked for"):
        listed(Shop(page=5, first="latest", heeds_until=False), [BEGIN + n * 9_000 for n in range(20)])


def test_a_long_time_is_asked_for_in_stretches_that_the_exchange_takes() -> None:
    """Seven days at once; the last stretch is open, as what happens meanwhile belongs to it."""
    asked: list[Any] = []
    day = 86_400_000
    listed(Shop(page=100, first="oldest"), [BEGIN, BEGIN + 20 * day], asked)
    spans = [(since - BEGIN, params.get("until")) for _, since, _, params in asked]
    assert spans == [(0, BEGIN + 7 * day), (7 * day, BEGIN + 14 * day), (14 * day, None)]


def test_a_list_that_ccxt_filters_is_asked_for_as_a_whole() -> None:
    """Kraken shows fifty trades of the account: a market's own would look few, and be not all."""
    asked: list[Any] = []

    async def fetch_my_trades(*question: Any) -> Any:
        asked.append(question)
        return [raw_trade(str(n), symbol=SYMBOL if n % 2 else "SOL/USDT") for n in range(49)]

    exchange = SimpleNamespace(id="kraken", features={}, fetch_my_trades=fetch_my_trades)
    trades, _ = asyncio.run(OwnTradeLists(exchange).since(SYMBOL, BEGIN * 1_000_000, NOW))
    assert len(trades) == 24
    assert asked[0][0] is None


# -- open orders -------------------------------------------------------------------------------------------------------


def shown(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(number), "clientOrderId": f"web{number}", "symbol": SYMBOL, "side": "buy", "price": "1999",
        "amount": "0.5", "filled": "0", "status": "open", **changes,
    }  # fmt: skip


NOT_FOUND = ccxt.OrderNotFound("no")


def asked_about_ours(orders: list[Any], trades: list[Any], limit: int | None, found: Any = NOT_FOUND) -> Bench:
    """OKX is asked for an order of ours whose outcome is not known, and does not find it by itself."""
    bench = Bench(fetch_order=found, fetch_open_orders=orders, fetch_my_trades=trades)
    bench.exchange.id = bench.account.name = "okx"
    bench.exchange.features = {"spot": {"fetchOpenOrders": {"limit": limit}}}
    order = bench.orders.place(PLACE, bench.market)
    order.is_placement_owed = False
    bench.time += 60 * 10**9
    asyncio.run(bench.looks.answer(QueryOrder(symbol=SYMBOL, client_order_id=OURS, venue_order_id=None)))
    return bench


def test_an_order_that_a_full_list_lacks_has_not_gone() -> None:
    (fact,) = asked_about_ours([shown(n) for n in range(100)], [], 100).told
    assert isinstance(fact, QueryFailed)
    assert "100 open orders, and there may be more" in fact.reason


def test_an_order_that_a_shorter_list_lacks_has_gone() -> None:
    (fact,) = asked_about_ours([shown(n) for n in range(99)], [], 100).told
    assert isinstance(fact, OrderNotFound)


def test_an_order_on_a_full_list_is_open() -> None:
    ours = shown(99, clientOrderId=ClientIds("binance", frozenset({"mm"})).encode(OURS))
    (fact,) = asked_about_ours([*(shown(n) for n in range(99)), ours], [], 100).told
    assert isinstance(fact, OrderStatusReported)
    assert fact.status is ReportedStatus.OPEN


@pytest.mark.parametrize(("amount", "fact_type"), [("0.2", QueryFailed), ("0.5", OrderStatusReported)])
def test_what_traded_of_an_order_that_a_full_list_lacks_says_that_it_is_filled_or_nothing(
    amount: str, fact_type: type
) -> None:
    def found(number: str, *_: Any) -> dict[str, Any]:
        return shown(99, id=number or "99", clientOrderId=OURS, status=None)

    bench = asked_about_ours(
        [shown(n) for n in range(99)] + [shown(100)], [raw_trade("1", "99", amount=amount)], 100, found
    )
    answers = [each for each in bench.told if isinstance(each, (QueryFailed, OrderStatusReported))]
    assert [type(each) for each in answers] == [fact_type]


def test_an_order_is_found_gone_after_as_many_looks_as_a_busy_hour_takes() -> None:
    """1,000 trades of other orders, twenty a list: forty questions do not see them all, and the next look goes on."""
    times = [NOW // 1_000_000 - 3_590_000 + number * 3_500 for number in range(1_000)]

    def listed(_: str, since: int, __: int | None, parameters: dict[str, int]) -> list[Any]:
        until = parameters.get("until", ALL)
        within = [(number, time) for number, time in enumerate(times) if since <= time <= until]
        return [raw_trade(str(number), "55", side="sell", timestamp=time) for number, time in within[:20]]

    bench = asked_about_ours([], listed, None)
    question = QueryOrder(symbol=SYMBOL, client_order_id=OURS, venue_order_id=None)
    for _ in range(10):
        if not isinstance(bench.told[-1], QueryFailed):
            break
        assert "more own trades in an hour" in bench.told[-1].reason
        asyncio.run(bench.looks.answer(question))
    assert len(bench.told) > 1
    assert isinstance(bench.told[-1], OrderNotFound)


@pytest.mark.parametrize(("count", "limit"), [(100, 100), (50, None), (120, 100)])
def test_a_full_list_is_no_list_of_open_orders(count: int, limit: int | None) -> None:
    bench = Bench(fetch_open_orders=[shown(n) for n in range(count)])
    bench.exchange.id = "any other"
    bench.exchange.features = {"spot": {"fetchOpenOrders": {"limit": limit}}}
    asyncio.run(bench.looks.answer(QueryOpenOrders(symbol=SYMBOL)))
    (fact,) = bench.told
    assert isinstance(fact, QueryFailed)
    assert f"{count} open orders, and there may be more" in fact.reason


def test_a_shorter_list_is_one() -> None:
    bench = Bench(fetch_open_orders=[shown(n) for n in range(99)])
    bench.exchange.features = {"spot": {"fetchOpenOrders": {"limit": 100}}}
    asyncio.run(bench.looks.answer(QueryOpenOrders(symbol=SYMBOL)))
    (fact,) = bench.told
    assert isinstance(fact, OpenOrdersReported)
    assert len(fact.orders) == 99


def test_who_looks_at_the_account_is_told_that_the_list_may_not_be_all() -> None:
    with pytest.raises(VenueError, match="60 open orders of ETH/USDT, and there may be more"):
        inspected([shown(n) for n in range(60)], page=60)


def test_orders_that_could_fill_a_list_are_refused() -> None:
    exchange = ccxt.pro.bybit()
    check_room(exchange, SYMBOL, 49)
    with pytest.raises(SettingsError, match=r"max_live_orders.*below 50"):
        check_room(exchange, SYMBOL, 50)
    check_room(ccxt.pro.binance(), SYMBOL, 1_000)


# -- what is known of the exchanges ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_known_exchange_says_from_where_on_a_list_is_full(name: str) -> None:
    """A list that is asked for with a length is full at that length, or earlier."""
    exchange = getattr(ccxt.pro, name)()
    trades, orders = page_of_own_trades(exchange), page_of_open_orders(exchange)
    assert trades.full_at is not None
    assert trades.full_at <= (trades.limit or trades.full_at)
    assert orders.full_at is None or orders.full_at <= (orders.limit or orders.full_at)


def test_an_account_is_asked_for_as_a_whole_only_where_its_list_is_all() -> None:
    assert {*CHEAPER_TOGETHER} <= LISTS_ALL_OPEN


def test_the_tables_name_exchanges_of_ccxt() -> None:
    assert LISTS_ALL_OPEN | {*FULL_TRADES, *OFFSETS} | FILTERED_BY_CCXT | MILLISECONDS <= {*ccxt.pro.exchanges}


@pytest.mark.parametrize("name", sorted(MILLISECONDS | {*OFFSETS}))
def test_what_a_stretch_is_asked_for_with_reaches_the_exchange(name: str) -> None:
    """Ccxt builds the request; the times of one that takes milliseconds arrive to the millisecond."""
    exchange, sent = exchange_of(name), []

    def request(*question: Any, **_: Any) -> Any:
        sent.append(question[3])
        return {"data": []}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchange, "request", request)
        patch.setattr(exchange, "walletAddress", "0x" + "1" * 40)
        pages = dict.fromkeys(filter(None, [OFFSETS.get(name)]), 50)
        exchange.fetch_my_trades("ETH/USDT", BEGIN + 123, None, {"until": BEGIN + 200, **pages})
    words = {str(value) for value in sent[-1].values()}
    if name in MILLISECONDS:
        assert words & {str(BEGIN + 123), "2023-11-14T22:13:20.123Z"}
        assert words & {str(BEGIN + 200), "2023-11-14T22:13:20.200Z"}
    assert set(pages.items()) <= set(sent[-1].items())


def test_questions_for_own_trades_are_bounded() -> None:
    asked: list[Any] = []
    listed(Shop(page=5, first="latest"), [BEGIN + number * 2_000 for number in range(1_000)], asked)
    assert len(asked) == MOST_QUESTIONS
