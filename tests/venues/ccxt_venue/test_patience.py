"""A start meets an exchange in trouble: tried again where that may pass, refused at once where it will not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import ccxt
import pytest
from ccxt.base import errors as vendor
from loguru import logger

from mm_fsm.errors import VenueError
from mm_fsm.testing.rehearsal.client import exchange_factory
from mm_fsm.testing.rehearsal.fault_menu import Fault, FaultKind, Where
from mm_fsm.testing.rehearsal.judge import FaultStruck
from mm_fsm.testing.rehearsal.ready_markets import instrument_of
from mm_fsm.testing.rehearsal.server import RehearsalExchange
from mm_fsm.venues.ccxt_venue.keys import Keys
from mm_fsm.venues.ccxt_venue.market_data import MarketData
from mm_fsm.venues.ccxt_venue.patience import NotOpenedError, may_pass, opened_in_time
from mm_fsm.venues.ccxt_venue.streams import StreamError, Streams
from mm_fsm.venues.wall_clock import WallClock
from tests.venues.ccxt_venue.live_stage import FEES, play, rehearsal_terms, venue_on

SYMBOL = "ETH/USDT"
PATIENT = 60.0


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """What the log says of attempts that failed: the fields of each line."""
    found: list[dict[str, Any]] = []

    def note(message: Any) -> None:
        if message.record["message"] == "venue.not_opened":
            found.append(message.record["extra"])

    sink = logger.add(note, level="WARNING")
    yield found
    logger.remove(sink)


async def opened(*faults: Fault, **changes: Any) -> tuple[Any, int]:
    """The terms, and how often a fault struck; faults are there before the venue opens."""
    async with RehearsalExchange(rehearsal_terms([SYMBOL], 1)) as exchange:
        exchange.inject(*faults)
        venue = venue_on(exchange, [SYMBOL], **changes)
        try:
            terms = await venue.open()
        finally:
            await venue.close()
        return terms[SYMBOL], sum(isinstance(each, FaultStruck) for each in exchange.log.entries)


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        (FaultKind.SERVER_ERROR_BEFORE, Where.MARKET),
        (FaultKind.SERVER_ERROR_BEFORE, Where.ACCOUNT),
        (FaultKind.DROP_BEFORE, Where.MARKET),
        (FaultKind.TRUNCATE, Where.MARKET),
        (FaultKind.TRUNCATE, Where.ACCOUNT),
        (FaultKind.UNKNOWN_BEFORE, Where.ACCOUNT),
    ],
)
def test_what_may_pass_is_tried_again_and_said(where: Where, kind: FaultKind, lines: list[dict[str, Any]]) -> None:
    """Two requests fail; then the terms are the exchange's own."""
    terms, struck = play(lambda: opened(Fault(kind=kind, where=where, times=2)))
    assert terms.fees == FEES
    assert struck == 2
    assert 1 <= len(lines) <= 2
    assert all(each["exchange"] == "binance" and each["doing"].startswith("tried again in ") for each in lines)
    assert "expected an account that can be traded, found " in lines[0]["reason"]


def test_an_answer_that_never_comes_is_a_time_out_that_may_pass(lines: list[dict[str, Any]]) -> None:
    terms, struck = play(lambda: opened(Fault(kind=FaultKind.HANG_BEFORE, where=Where.ACCOUNT)))
    assert terms.fees == FEES
    assert struck == 1
    assert [("RequestTimeout" in each["reason"]) for each in lines] == [True]


@pytest.mark.parametrize("kind", [FaultKind.RATE_LIMITED, FaultKind.BANNED, FaultKind.MAINTENANCE])
def test_a_ban_is_waited_for_and_not_made_longer(kind: FaultKind, lines: list[dict[str, Any]]) -> None:
    """It lasts a second, and is said to: one attempt meets it, the next comes after it."""
    fault = Fault(kind=kind, where=Where.MARKET, seconds=1.0)
    terms, struck = play(lambda: opened(fault))
    assert terms.fees == FEES
    assert struck == 1
    assert lines
    if kind is not FaultKind.MAINTENANCE:
        assert [float(each["doing"].split()[3]) >= 1 for each in lines] == [True]


def test_a_ban_that_outlasts_the_patience_is_refused_at_once(lines: list[dict[str, Any]]) -> None:
    fault = Fault(kind=FaultKind.BANNED, where=Where.MARKET, seconds=3_600.0)
    with pytest.raises(VenueError, match=r"takes no request for 3\d\d\d s"):
        play(lambda: opened(fault, opening_seconds=PATIENT))
    assert lines == []


def test_patience_ends_after_the_stated_time_with_the_last_reason(lines: list[dict[str, Any]]) -> None:
    """Pauses of 0.5 and 1 s fit into two seconds, the next of 2 s does not: three attempts, two lines."""
    fault = Fault(kind=FaultKind.SERVER_ERROR_BEFORE, where=Where.MARKET, times=1_000)
    with pytest.raises(VenueError, match=r"ExchangeNotAvailable.*It was tried for [\d.]+ s of 2\."):
        play(lambda: opened(fault, opening_seconds=2.0))
    assert 1 <= len(lines) <= 2


@pytest.mark.parametrize("seconds", [0.0, PATIENT])
def test_a_wrong_key_is_refused_at_once_whatever_the_patience(lines: list[dict[str, Any]], seconds: float) -> None:
    keys = Keys(parts={"apiKey": "rehearsal-key", "secret": "wr0ng"})
    with pytest.raises(VenueError) as refused:
        play(lambda: opened(keys=keys, opening_seconds=seconds))
    assert not isinstance(refused.value, NotOpenedError)
    assert lines == []


def test_public_streams_of_a_paper_run_or_a_recording_are_opened_as_patiently(lines: list[dict[str, Any]]) -> None:
    async def part() -> Any:
        async with RehearsalExchange(rehearsal_terms([SYMBOL], 1)) as exchange:
            exchange.inject(Fault(kind=FaultKind.SERVER_ERROR_BEFORE, where=Where.MARKET))
            data = MarketData("binance", exchange_factory(exchange.endpoint), {SYMBOL: 5}, WallClock())
            try:
                await data.open(lambda _: None)
            finally:
                await data.close()
            return data.instruments

    assert play(part) == {SYMBOL: instrument_of(SYMBOL)}
    assert len(lines) == 1


def test_streams_that_do_not_come_up_are_tried_again(
    monkeypatch: pytest.MonkeyPatch, lines: list[dict[str, Any]]
) -> None:
    """The exchange answers, but its streams fail at once, twice; what was begun is thrown away each time."""
    start, failures = Streams.start, [TimeoutError(), StreamError("own trades: closed by the other side")]

    async def failing(streams: Streams) -> None:
        if failures:
            raise failures.pop()
        await start(streams)

    monkeypatch.setattr(Streams, "start", failing)
    terms, _ = play(opened)
    assert terms.fees == FEES
    assert ["closed by the other side" in each["reason"] for each in lines] == [True, False]


NEVER = {"ExchangeClosedByUser", "InvalidNonce"}
"""Of the failures that ccxt calls passing or stands aside from: what is ours to correct."""


@pytest.mark.parametrize("name", [name for name in vendor.__all__ if name != "error_hierarchy"])
def test_every_error_of_the_library_either_passes_or_does_not(name: str) -> None:
    """By ccxt's own two families: an operation that failed, or a no of the exchange."""
    kind = getattr(ccxt, name)
    if kind is ccxt.BaseError:
        assert not may_pass(kind("?"))
        return
    assert may_pass(kind("?")) == (issubclass(kind, ccxt.OperationFailed) and name not in NEVER)


def test_a_defect_of_the_program_is_no_trouble_of_the_exchange() -> None:
    assert not may_pass(KeyError("id"))
    assert not may_pass(TypeError("none"))


def test_the_pause_grows_and_the_first_success_is_the_answer() -> None:
    """By the loop's own clock, which a test moves: 0.5, 1, 2, 4, 8, then ten seconds each."""
    attempts: list[float] = []

    async def part() -> str:
        loop, now = asyncio.get_running_loop(), [0.0]

        async def sleep(seconds: float) -> None:
            now[0] += seconds

        async def attempt() -> str:
            attempts.append(now[0])
            if len(attempts) < 8:
                raise NotOpenedError("down", None)
            return "open"

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(loop, "time", lambda: now[0])
            patched.setattr("mm_fsm.venues.ccxt_venue.patience.asyncio.sleep", sleep)
            return await opened_in_time(attempt, 100.0, "test")

    assert asyncio.run(part()) == "open"
    assert [later - earlier for earlier, later in pairwise(attempts)] == [
        0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0
    ]  # fmt: skip
