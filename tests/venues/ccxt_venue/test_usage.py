"""What exchanges tell of their request counters in headers, and what is made of it.

The time is 22:13:27 UTC by the exchange's clock; ours is a day behind, as only what is left of an interval counts.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.facts import RequestsSuspended
from mm_fsm.core.messages import Fact
from mm_fsm.testing.rehearsal.client import exchange_factory
from mm_fsm.testing.rehearsal.server import RehearsalExchange
from mm_fsm.testing.rehearsal.terms import RequestLimits
from mm_fsm.venues.ccxt_venue.usage import UsageReader, listen_to_usage
from mm_fsm.venues.port import Counted, MeteredVenue, Usage
from tests.venues.ccxt_venue.live_stage import play, rehearsal_terms, until, venue_on
from tests.venues.ccxt_venue.test_news import PLACE

TIME = 1_700_000_007_000
NOW = (TIME - 86_400_000) * 1_000_000
MILLISECOND = 1_000_000


def told(exchange: str, headers: dict[str, str], *, method: str = "GET", path: str = "/any") -> dict[str, Usage]:
    reader = UsageReader(exchange=exchange, now=lambda: NOW)
    found = reader.read(method, f"https://api.example{path}?symbol=X", headers, TIME)
    return {usage.name: usage for usage in found}


def test_binance_tells_weight_and_orders_by_interval() -> None:
    """7 s into an interval of ten, 27 s into the minute, 7,993 s before the day ends, of 6,000, 100 and 200,000."""
    found = told(
        "binance",
        {
            "X-MBX-USED-WEIGHT": "123",
            "x-mbx-used-weight-1m": "123",
            "X-MBX-ORDER-COUNT-10S": "7",
            "X-MBX-ORDER-COUNT-1D": "4000",
            "X-MBX-USED-WEIGHT-3W": "1",
            "X-MBX-ORDER-COUNT-1H": "many",
        },
    )
    left = {name: (usage.until - NOW) // MILLISECOND for name, usage in found.items()}
    assert left == {
        "X-MBX-USED-WEIGHT-1M": 33_000,
        "X-MBX-ORDER-COUNT-10S": 3_000,
        "X-MBX-ORDER-COUNT-1D": 6_393_000,
    }
    assert {name: (each.used, each.limit, each.counts is Counted.ORDERS) for name, each in found.items()} == {
        "X-MBX-USED-WEIGHT-1M": (123, 6_000, False),
        "X-MBX-ORDER-COUNT-10S": (7, 100, True),
        "X-MBX-ORDER-COUNT-1D": (4_000, 200_000, True),
    }


def test_limits_are_those_that_the_exchange_says() -> None:
    reader = UsageReader(exchange="binance", now=lambda: NOW)
    reader.take_limits(
        [
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 50},
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": None},
        ]
    )
    headers = {"X-MBX-ORDER-COUNT-10S": "1", "X-MBX-USED-WEIGHT-1M": "1"}
    assert [usage.limit for usage in reader.read("GET", "https://x/y", headers, TIME)] == [50, 6_000]


def test_bybit_tells_what_is_left_of_an_address() -> None:
    headers = {
        "X-Bapi-Limit": "20",
        "X-Bapi-Limit-Status": "3",
        "X-Bapi-Limit-Reset-Timestamp": str(TIME + 400),
    }
    (usage,) = told("bybit", headers, method="POST", path="/v5/order/create").values()
    assert (usage.used, usage.limit, usage.counts) == (17, 20, Counted.ORDERS)
    assert usage.until == NOW + 400 * MILLISECOND
    (usage,) = told("bybit", headers, path="/v5/order/realtime").values()
    assert usage.counts is Counted.QUESTIONS
    assert told("bybit", headers, method="POST", path="/v5/order/cancel") == {}


def test_gate_tells_it_in_seconds() -> None:
    headers = {
        "X-Gate-RateLimit-Limit": "10",
        "X-Gate-RateLimit-Requests-Remain": "0",
        "X-Gate-RateLimit-Reset-Timestamp": str(TIME // 1_000 + 1),
    }
    (usage,) = told("gate", headers, method="POST", path="/api/v4/spot/orders").values()
    assert (usage.used, usage.limit, usage.counts) == (10, 10, Counted.ORDERS)
    assert usage.until == NOW + 1_000 * MILLISECOND
    assert told("gate", headers, method="DELETE", path="/api/v4/spot/orders/7") == {}


def test_kucoin_tells_what_is_left_of_its_pool_and_for_how_long() -> None:
    headers = {"gw-ratelimit-limit": "500", "gw-ratelimit-remaining": "300", "gw-ratelimit-reset": "1489"}
    (usage,) = told("kucoin", headers).values()
    assert (usage.used, usage.limit, usage.until) == (200, 500, NOW + 1_489 * MILLISECOND)


@given(
    st.sampled_from(["binance", "bybit", "gate", "kucoin", "okx"]),
    st.dictionaries(
        st.sampled_from(["X-MBX-USED-WEIGHT-1M", "X-MBX-ORDER-COUNT-10S", "X-Bapi-Limit", "X-Bapi-Limit-Status"])
        | st.sampled_from(["X-Bapi-Limit-Reset-Timestamp", "gw-ratelimit-limit", "gw-ratelimit-remaining"])
        | st.sampled_from(["gw-ratelimit-reset", "X-Gate-RateLimit-Limit", "X-Gate-RateLimit-Requests-Remain"]),
        st.text(max_size=5) | st.integers().map(str),
    ),
)
def test_no_header_makes_a_crash(exchange: str, headers: dict[str, str]) -> None:
    for usage in told(exchange, headers).values():
        assert usage.until >= usage.read_at


def test_errors_are_read_as_well_as_answers_and_the_answer_goes_on_unchanged() -> None:
    exchange = SimpleNamespace(
        fetch=None,
        milliseconds=lambda: TIME + 250,
        options={"timeDifference": 250},
        on_rest_response=lambda code, _reason, _url, _method, _headers, body, *_: f"{code} {body}",
    )
    heard: list[Usage] = []
    listen_to_usage(exchange, UsageReader(exchange="binance", now=lambda: NOW), heard.append)
    answer = exchange.on_rest_response(429, "", "https://x", "GET", {"X-MBX-USED-WEIGHT-1M": "6001"}, "no", {}, None)
    assert answer == "429 no"
    assert [(usage.used, usage.until) for usage in heard] == [(6_001, NOW + 33_000 * MILLISECOND)]


def test_a_count_says_when_its_request_left() -> None:
    """Two requests at once: the one that left first is answered last."""
    time = [NOW]
    heard: list[Usage] = []

    async def fetch(name: str, answered: asyncio.Event) -> None:
        await answered.wait()
        exchange.on_rest_response(200, "", "https://x", "GET", {"X-MBX-ORDER-COUNT-10S": name}, "", {}, None)

    exchange = SimpleNamespace(fetch=fetch, milliseconds=lambda: TIME, options={}, on_rest_response=lambda *_: None)

    async def part() -> None:
        listen_to_usage(exchange, UsageReader(exchange="binance", now=lambda: time[0]), heard.append)
        first, second = asyncio.Event(), asyncio.Event()
        tasks = [asyncio.create_task(exchange.fetch("1", first))]
        await asyncio.sleep(0)
        time[0] += 100 * MILLISECOND
        tasks.append(asyncio.create_task(exchange.fetch("2", second)))
        for answered in (second, first):
            await asyncio.sleep(0)
            time[0] += 400 * MILLISECOND
            answered.set()
        await asyncio.gather(*tasks)

    asyncio.run(part())
    assert {each.used: (each.asked_at - NOW) // MILLISECOND for each in heard} == {1: 0, 2: 100}
    assert [each.used for each in heard] == [2, 1]


@pytest.mark.parametrize("orders", [40, 70])
def test_a_rehearsal_tells_its_own_limits_and_counts(orders: int) -> None:
    """Through unmodified ccxt: the last counter heard is the exchange's own."""

    async def part() -> None:
        limits = RequestLimits(orders_per_ten_seconds=orders)
        async with RehearsalExchange(rehearsal_terms(["ETH/USDT"], 1, limits=limits)) as exchange:
            heard: dict[str, Usage] = {}

            def hear(usage: Usage) -> None:
                heard[usage.name] = usage

            venue = venue_on(exchange, ["ETH/USDT"], make=exchange_factory(exchange.endpoint))
            assert isinstance(venue, MeteredVenue)
            venue.report_usage(hear)
            try:
                await venue.open()
                account: Any = venue._opened()
                await account.exchange.create_order("ETH/USDT", "limit", "buy", 0.01, 1000, {"clientOrderId": "web_1"})
            finally:
                await venue.close()
        assert (heard["X-MBX-ORDER-COUNT-10S"].used, heard["X-MBX-ORDER-COUNT-10S"].limit) == (1, orders)
        assert heard["X-MBX-USED-WEIGHT-1M"].used > 1
        assert 0 < heard["X-MBX-ORDER-COUNT-10S"].until - heard["X-MBX-ORDER-COUNT-10S"].read_at <= 10**10

    play(part)


def test_a_spent_budget_of_orders_is_told_as_one_that_takes_cancels() -> None:
    """One order in ten seconds; the exchange itself refuses the second, by unmodified ccxt's own error."""

    async def part() -> None:
        limits = RequestLimits(orders_per_ten_seconds=1)
        async with RehearsalExchange(rehearsal_terms(["ETH/USDT"], 1, limits=limits)) as exchange:
            told: list[Fact] = []
            venue = venue_on(exchange, ["ETH/USDT"], make=exchange_factory(exchange.endpoint))
            try:
                await venue.open()
                venue.attach("ETH/USDT", told.append, {})
                venue.submit([evolve(PLACE, client_order_id=f"mm-abcdef-ghijkl-{n}") for n in (1, 2)], venue.now())
                await until(lambda: any(isinstance(fact, RequestsSuspended) for fact in told))
                (suspension,) = [fact for fact in told if isinstance(fact, RequestsSuspended)]
                assert suspension.takes_cancels
                assert venue._opened().suspension_seconds == 0
            finally:
                await venue.close()

    play(part)
