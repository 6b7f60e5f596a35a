"""Sessions in wall time end in order when they are asked to, and at once when they are asked again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mm_fsm.books.facts import StopRequested, Timer
from mm_fsm.cli.opening import Opening, opened_in_wall_time
from mm_fsm.core.messages import CancelOrder, PlaceOrder
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.pushed_supervisor import PushedSupervisor
from mm_fsm.runtime.settings_file import parse_settings
from tests.runtime.settings_texts import market_entry
from tests.venues.played_kind import Played, installed

LIVE = """
[market.account]
longest_wait_seconds = 25
[market.venue]
kind = "played"
live = true
account = "7"
seconds = 3600
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory with the kind installed and the user's state in it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with installed(tmp_path / "packages", monkeypatch):
        yield tmp_path


def run(
    place: Path,
    ask: Callable[[PushedSupervisor], None],
    *,
    flatten: bool | None = None,
    wind_down_on_fault: bool = True,
) -> list[StepResult]:
    """Run two markets of one account, and ask for something once both have orders in the book."""
    line = f"[market.strategy]\nwind_down_on_fault = {str(wind_down_on_fault).lower()}\n"
    markets = (market_entry(symbol).partition("[market.simulator]")[0] for symbol in ("A/USD", "B/USD"))
    text = "".join(market.replace("[market.strategy]\n", line) + LIVE for market in markets)
    results = []
    asked = False
    with opened_in_wall_time(
        parse_settings(text), Opening(directory=place, has_journal=True), flatten=flatten
    ) as supervisor:
        for taken in supervisor.run():
            if taken is None:
                continue
            results.append(taken[1])
            if not asked and all(session.machine.context.orders.count for session in supervisor.sessions):
                asked = True
                ask(supervisor)
        assert asked
        finals = [session.machine.is_final for session in supervisor.sessions]
        assert supervisor.unsent == []
    assert all(finals) or supervisor._leaves  # who leaves at once waits for no market, though some may be done
    return results


def stops(results: list[StepResult]) -> list[tuple[str, bool]]:
    return [(fact.reason, fact.flatten) for fact in (each.fact for each in results) if isinstance(fact, StopRequested)]


def names(kind: type[PlaceOrder | CancelOrder]) -> set[str]:
    (venue,) = Played.made
    return {intent.client_order_id for intent in venue.sent if isinstance(intent, kind)}


def test_the_first_step_asks_the_venue(place: Path) -> None:
    """The machine need not wait for the market's first word to begin to reconcile."""
    results = run(place, lambda supervisor: supervisor.leave())
    assert [type(each.fact) for each in results[:2]] == [Timer, Timer]
    assert all(each.intents for each in results[:2])


@pytest.mark.parametrize("flatten", [None, False, True])
def test_a_stop_ends_every_session_in_order(place: Path, flatten: bool | None) -> None:
    """Whether positions are wound down is as asked, else as the settings say: kept."""
    results = run(place, lambda supervisor: supervisor.request_stop("SIGINT"), flatten=flatten)
    assert stops(results) == [("SIGINT", bool(flatten))] * 2
    (venue,) = Played.made
    assert all(venue.exchange_of(symbol).open_orders == () for symbol in ("A/USD", "B/USD"))
    assert venue.drained
    assert venue.closed


def test_leaving_sends_cancels_lets_them_leave_and_waits_for_no_answer(place: Path) -> None:
    """The venue has got a cancel for every order that was out, although no session has ended."""

    def ask(supervisor: PushedSupervisor) -> None:
        supervisor.request_stop("SIGINT")
        supervisor.leave()

    results = run(place, ask)
    assert stops(results) == [("SIGINT", False)] * 2
    assert names(PlaceOrder) == names(CancelOrder)
    (venue,) = Played.made
    assert venue.drained
    assert venue.closed


@pytest.mark.parametrize("winds_down", [True, False])
def test_a_fault_of_the_account_ends_its_sessions_as_any_fault_that_does_not_pass(
    place: Path, winds_down: bool
) -> None:
    """Positions are reduced where the settings say so, whatever is said of signals."""
    results = run(
        place,
        lambda supervisor: supervisor.halt(supervisor.sessions[0].venue, "account.max_loss"),
        flatten=not winds_down,
        wind_down_on_fault=winds_down,
    )
    assert stops(results) == [("account.max_loss", winds_down)] * 2
