"""Requests of all markets of an account: cancels first, allowances kept, bans kept to the second, nothing sent late."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from loguru import logger

from mm_fsm.books.facts import CancelRefused, OrderRejected, RequestsSuspended
from mm_fsm.core.messages import OrderPurpose, PlaceOrder, QueryBalances, QueryOwnTrades, RejectionCode, Side
from mm_fsm.runtime.account.settings import AccountSettings
from tests.runtime.account.account_desk import SECOND, Desk, cancel, place

TIGHT = AccountSettings(max_orders=2, order_interval_seconds=10, reserve_share=0, longest_wait_seconds=3)


def test_what_has_room_leaves_at_once() -> None:
    desk = Desk()
    desk.submit(cancel("a"), place("b"), QueryBalances(symbol="A/USD"))
    assert desk.venue.names == ["CancelOrder a", "PlaceOrder b", "QueryBalances A/USD"]
    assert desk.told == []


def test_cancels_leave_before_whatever_waits() -> None:
    """Of both markets, and although no placement may leave."""
    desk = Desk(TIGHT)
    desk.submit(place("a"), place("b"), place("c"))
    assert desk.venue.names == ["PlaceOrder a", "PlaceOrder b"]
    desk.submit(place("d", "B/USD"), cancel("a"), cancel("x", "B/USD"))
    assert desk.venue.names[2:] == ["CancelOrder a", "CancelOrder x"]


def test_a_placement_that_waited_too_long_is_dropped_with_its_reason_and_never_sent() -> None:
    """Three seconds are the longest wait, room comes after ten."""
    desk = Desk(TIGHT)
    desk.submit(place("a"), place("b"), place("c"))
    desk.venue.pass_time(2.9)
    assert desk.told == []
    desk.venue.pass_time(0.2)
    (rejection,) = desk.told
    assert isinstance(rejection, OrderRejected)
    assert (rejection.client_order_id, rejection.code) == ("c", RejectionCode.RATE_LIMIT)
    assert "waited 3.0 s for room (2 orders in 10 s, 2 are allowed)" in rejection.reason
    desk.venue.pass_time(60)
    assert "PlaceOrder c" not in desk.venue.names


def test_a_placement_leaves_at_the_very_time_at_which_there_is_room() -> None:
    desk = Desk(AccountSettings(max_orders=2, order_interval_seconds=1, reserve_share=0, longest_wait_seconds=3))
    start = desk.venue.time
    desk.submit(place("a"), place("b"), place("c"), place("d"), place("e"))
    desk.venue.pass_time(2.5)
    assert [(desk.venue.time_of(name) - start) // SECOND for name in "abcde"] == [0, 0, 1, 1, 2]


def test_a_held_placement_that_is_old_when_it_comes_is_dropped() -> None:
    """It waited for its record, not for room: late is late."""
    desk = Desk(TIGHT)
    desk.account.submit([place("a")], desk.venue.time - 4 * SECOND)
    assert desk.venue.sent == []
    (rejection,) = desk.told
    assert isinstance(rejection, OrderRejected)
    assert rejection.reason == "waited 4.0 s and was dropped, not sent late"


def test_orders_that_reduce_a_position_have_a_reserve_and_do_not_wait_behind_quotes() -> None:
    """Of ten orders two are kept for them."""
    desk = Desk(AccountSettings(max_orders=10, order_interval_seconds=60, reserve_share=0.2, longest_wait_seconds=5))
    desk.submit(*(place(f"q{number}") for number in range(9)))
    assert "PlaceOrder q8" not in desk.venue.names
    desk.submit(place("reducing", purpose=OrderPurpose.ADJUSTMENT))
    assert desk.venue.names[-1] == "PlaceOrder reducing"
    assert len(desk.venue.sent) == 9


def test_a_cancel_of_an_order_that_still_waits_takes_it_out_and_both_are_answered() -> None:
    desk = Desk(TIGHT)
    desk.submit(place("a"), place("b"), place("c"))
    desk.submit(cancel("c"))
    desk.venue.pass_time(60)
    assert desk.venue.names == ["PlaceOrder a", "PlaceOrder b"]
    rejection, refusal = desk.told
    assert isinstance(rejection, OrderRejected)
    assert isinstance(refusal, CancelRefused)
    assert rejection.client_order_id == refusal.client_order_id == "c"


def test_a_ban_is_kept_to_the_second_and_cancels_are_first_after_it() -> None:
    desk = Desk(AccountSettings(longest_wait_seconds=60))
    until = desk.venue.time + 5 * SECOND
    desk.venue.takers["A/USD"](RequestsSuspended(received_at=desk.venue.time, symbol="A/USD", until=until))
    desk.submit(QueryBalances(symbol="B/USD"), place("a", "B/USD"), cancel("b"))
    desk.venue.pass_time(4.999999999)
    assert desk.venue.sent == []
    desk.venue.pass_time(1)
    assert desk.venue.names == ["CancelOrder b", "PlaceOrder a", "QueryBalances B/USD"]
    assert {time for _, time in desk.venue.sent} == {until}


def test_a_shorter_ban_never_replaces_a_longer_one() -> None:
    desk = Desk()
    start = desk.venue.time
    desk.account.suspend(start + 5 * SECOND, "418")
    desk.account.suspend(start + 2 * SECOND, "429")
    desk.submit(cancel("a"))
    desk.venue.pass_time(10)
    assert desk.venue.sent == [(cancel("a"), start + 5 * SECOND)]


def test_cancels_leave_all_through_a_suspension_that_is_not_theirs() -> None:
    """A budget of orders is spent: the venue says so, and that it takes cancels."""
    desk = Desk(AccountSettings(longest_wait_seconds=60))
    until = desk.venue.time + 5 * SECOND
    fact = RequestsSuspended(received_at=desk.venue.time, symbol="A/USD", until=until, takes_cancels=True)
    desk.venue.takers["A/USD"](fact)
    desk.submit(QueryBalances(symbol="B/USD"), place("a", "B/USD"), cancel("b"))
    assert desk.venue.names == ["CancelOrder b"]
    desk.venue.pass_time(6)
    assert desk.venue.names == ["CancelOrder b", "PlaceOrder a", "QueryBalances B/USD"]


@pytest.mark.parametrize("order", [("ban", "budget"), ("budget", "ban")])
def test_cancels_leave_when_the_suspension_ends_that_concerns_them(order: tuple[str, str]) -> None:
    """A ban of 2 s, and a budget that is spent for 30 s, whichever is told first."""
    desk = Desk(AccountSettings(longest_wait_seconds=60))
    start = desk.venue.time
    for kind in order:
        if kind == "ban":
            desk.account.suspend(start + 2 * SECOND, "418")
        else:
            desk.account.suspend(start + 30 * SECOND, "too many orders", takes_cancels=True)
    desk.submit(place("a"), cancel("b"))
    desk.venue.pass_time(29)
    assert desk.venue.sent == [(cancel("b"), start + 2 * SECOND)]
    desk.venue.pass_time(2)
    assert desk.venue.names == ["CancelOrder b", "PlaceOrder a"]


def test_placements_do_not_outlive_a_long_ban() -> None:
    """Dropped after a second, while the ban lasts; the reason says so."""
    desk = Desk()
    desk.account.suspend(desk.venue.time + 30 * SECOND, "418")
    desk.submit(place("a"))
    desk.venue.pass_time(1.1)
    (rejection,) = desk.told
    assert isinstance(rejection, OrderRejected)
    assert "takes no request for another 29.0 s" in rejection.reason


def test_a_budget_of_orders_that_is_spent_is_called_so() -> None:
    desk = Desk()
    desk.account.suspend(desk.venue.time + 30 * SECOND, "too many orders", takes_cancels=True)
    desk.submit(place("a"))
    desk.venue.pass_time(1.1)
    (rejection,) = desk.told
    assert isinstance(rejection, OrderRejected)
    assert "takes no new order for another 29.0 s" in rejection.reason


def test_each_suspension_has_one_line_however_many_markets_hear_of_it() -> None:
    """A spent budget of orders, heard by three markets; a shorter ban, which keeps cancels back and so is news."""
    records: list[Any] = []
    sink = logger.add(lambda message: records.append(message.record), level="INFO")
    desk = Desk()
    for _ in range(3):
        desk.account.suspend(desk.venue.time + 30 * SECOND, "too many orders", takes_cancels=True)
    for _ in range(3):
        desk.account.suspend(desk.venue.time + 5 * SECOND, "418")
    logger.remove(sink)
    assert [(each["message"], each["extra"]["seconds"], each["extra"]["takes_cancels"]) for each in records] == [
        ("account.suspended", 30, True),
        ("account.suspended", 5, False),
    ]


def test_a_question_that_is_asked_again_while_it_waits_is_asked_once_and_as_far_back_as_any() -> None:
    desk = Desk()
    desk.account.suspend(desk.venue.time + 5 * SECOND, "429")
    for since in (70, 50, 90):
        desk.submit(QueryOwnTrades(symbol="A/USD", since=since))
    desk.submit(QueryOwnTrades(symbol="B/USD", since=60))
    desk.venue.pass_time(6)
    assert sorted((each.symbol, each.since) for each, _ in desk.venue.sent if isinstance(each, QueryOwnTrades)) == [
        ("A/USD", 50),
        ("B/USD", 60),
    ]


def test_questions_leave_room_for_cancels() -> None:
    """Of ten requests a minute questions take eight at most; cancels always leave."""
    desk = Desk(AccountSettings(max_requests=10, reserve_share=0.2))
    desk.submit(*(QueryBalances(symbol=f"{number}/USD") for number in range(20)))
    assert len(desk.venue.sent) == 8
    desk.submit(*(cancel(str(number)) for number in range(5)))
    assert len(desk.venue.sent) == 13
    desk.venue.pass_time(59.9)
    assert len(desk.venue.sent) == 13


def test_draining_names_what_still_waited() -> None:
    desk = Desk(TIGHT)
    desk.submit(place("a"), place("b"), place("c"))
    assert asyncio.run(desk.account.drain(1.0)) == (place("c"),)
    assert desk.venue.calls == []


@pytest.mark.parametrize(("longest", "waits"), [(Decimal(1), 1.5), (Decimal(5), 5.5)])
def test_settings_say_how_old_a_placement_may_be(longest: Decimal, waits: float) -> None:
    desk = Desk(
        AccountSettings(max_orders=1, order_interval_seconds=100, reserve_share=0, longest_wait_seconds=longest)
    )
    desk.submit(place("a"), place("b"))
    desk.venue.pass_time(waits - 1)
    assert desk.told == []
    desk.venue.pass_time(1)
    assert len(desk.told) == 1
    assert [each for each, _ in desk.venue.sent if isinstance(each, PlaceOrder)] == [place("a")]


def test_what_there_is_room_for_is_shared_by_both_sides_of_a_step_level_by_level() -> None:
    """Whatever order they come in: of three bids and three asks with room for four, two of each leave."""
    desk = Desk(AccountSettings(max_orders=4, order_interval_seconds=60, reserve_share=0, longest_wait_seconds=5))
    quotes = [evolve(place(f"{side}{level}"), side=side, level=level) for side in Side for level in range(3)]
    desk.submit(*quotes)
    assert {name.removeprefix("PlaceOrder ") for name in desk.venue.names} == {"bid0", "ask0", "bid1", "ask1"}


def test_the_accounts_state_says_what_is_used_and_looking_changes_nothing() -> None:
    """Three orders within ten seconds, of which two had room; then one cancel, which counts as a request only."""
    desk = Desk(TIGHT)
    desk.submit(place("a"), place("b"), place("c"))
    desk.submit(cancel("a"))
    for _ in range(3):
        used = {each.rule: (each.used, each.allowed) for each in desk.account.state().allowances}
        assert used == {"account: orders in 10 s": (2, 2), "account: requests in 60 s": (3, 1_000)}
    desk.venue.pass_time(11)
    used = {each.rule: each.used for each in desk.account.state().allowances}
    assert used == {"account: orders in 10 s": 0, "account: requests in 60 s": 3}
    assert desk.account.state().is_switch_armed is None
