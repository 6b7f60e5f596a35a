"""Signals: the first ends the sessions in order, the second leaves; and what the exit status says of it."""

from __future__ import annotations

import signal

import pytest

from mm_fsm.books.facts import StopRequested
from mm_fsm.cli.exit_codes import exit_status
from mm_fsm.cli.interruption import interruptible
from mm_fsm.core.messages import CancelOrder, Fact, PlaceOrder
from mm_fsm.runtime.session import Session, for_session, open_session
from mm_fsm.runtime.settings_file import parse_settings
from mm_fsm.runtime.supervisor import Supervisor
from tests.runtime.settings_texts import MARKET, with_line


def session(line: str = "") -> Session:
    (market,) = parse_settings(with_line("strategy", line) if line else MARKET)
    return open_session(for_session(market, duration_seconds=3600))


def signalled(supervisor: Supervisor, *, twice: bool) -> list[Fact]:
    """Facts of a run during which a signal comes after 400 steps, and another one upon the stop it led to."""
    facts: list[Fact] = []
    with interruptible() as interruption:
        interruption.ends(supervisor)
        for count, taken in enumerate(supervisor.run()):
            assert taken is not None
            facts.append(taken[1].fact)
            if isinstance(taken[1].fact, StopRequested) and not isinstance(facts[-2], StopRequested):
                assert any(isinstance(intent, CancelOrder) for intent in taken[1].intents)
            if count == 400 or (twice and isinstance(taken[1].fact, StopRequested)):
                signal.raise_signal(signal.SIGINT)
    return facts


def test_one_signal_ends_the_session_in_order() -> None:
    running = session()
    facts = signalled(Supervisor([running]), twice=False)
    stop = next(index for index, fact in enumerate(facts) if isinstance(fact, StopRequested))
    assert 400 < stop < len(facts) - 1
    assert running.machine.is_final
    assert running.machine.result().success


class _Pausing(Supervisor):
    """Notes what it was asked for."""

    asked: tuple[str, ...] = ()

    def pause(self, reason: str) -> None:
        self.asked += (reason,)


@pytest.mark.parametrize(("resumes", "asked"), [(False, ("SIGUSR1",)), (True, ())])
def test_a_pause_that_comes_while_sessions_are_opened_is_not_lost(*, resumes: bool, asked: tuple[str, ...]) -> None:
    supervisor = _Pausing([session()])
    with interruptible() as interruption:
        signal.raise_signal(signal.SIGUSR1)
        if resumes:
            signal.raise_signal(signal.SIGUSR2)
        interruption.ends(supervisor)
    assert supervisor.asked == asked


def test_a_second_signal_waits_for_nothing() -> None:
    """The stop with its cancels, and the one that leaves, are the last that happens."""
    running = session()
    facts = signalled(Supervisor([running]), twice=True)
    assert [isinstance(fact, StopRequested) for fact in facts[-3:]] == [False, True, True]
    assert not running.machine.is_final


def test_a_wind_down_that_was_asked_for_ends_at_the_target() -> None:
    running = session()
    facts = signalled(Supervisor([running], flatten=True), twice=False)
    (stop,) = [fact for fact in facts if isinstance(fact, StopRequested)]
    assert stop.flatten
    assert running.machine.is_final
    assert abs(running.machine.context.inventory_offset) < running.machine.context.instrument.minimum_quantity


def test_settings_may_ask_for_the_wind_down() -> None:
    running = session("flatten_on_signal = true")
    facts = signalled(Supervisor([running]), twice=False)
    assert [fact.flatten for fact in facts if isinstance(fact, StopRequested)] == [True]
    kept = session("flatten_on_signal = true")
    facts = signalled(Supervisor([kept], flatten=False), twice=False)
    assert [fact.flatten for fact in facts if isinstance(fact, StopRequested)] == [False]


def test_a_second_signal_cuts_a_wind_down_short() -> None:
    """It comes in the step that places the first reducing order: a cancel for that order is the last to leave."""
    running = session()
    supervisor = Supervisor([running], flatten=True)
    placed = cancelled = ""
    with interruptible() as interruption:
        interruption.ends(supervisor)
        for taken in supervisor.run():
            assert taken is not None
            fact, intents = taken[1].fact, taken[1].intents
            context = running.machine.context
            if context.inventory_offset and not context.is_stopping and interruption.signal_number is None:
                signal.raise_signal(signal.SIGTERM)
            reducing = [i for i in intents if isinstance(i, PlaceOrder) and context.is_stopping]
            if reducing and not placed:
                placed = reducing[0].client_order_id
                signal.raise_signal(signal.SIGTERM)
            if isinstance(fact, StopRequested) and not fact.flatten:
                cancelled = next(i.client_order_id for i in intents if isinstance(i, CancelOrder))
    assert placed
    assert cancelled == placed
    assert not running.machine.is_final
    assert context.orders.count == 1


def test_a_signal_before_the_first_event_ends_the_session_with_its_first_step() -> None:
    """It came while sessions were being opened: nothing is ever placed."""
    running = session()
    supervisor = Supervisor([running])
    with interruptible() as interruption:
        signal.raise_signal(signal.SIGINT)
        interruption.ends(supervisor)
        results = [taken[1] for taken in supervisor.run() if taken is not None]
    assert isinstance(results[0].fact, StopRequested)
    assert not any(isinstance(intent, PlaceOrder) for result in results for intent in result.intents)
    assert running.machine.is_final


def test_signals_are_given_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with interruptible():
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] != before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize(
    ("outcomes", "number", "status"),
    [
        (["completed", "completed"], None, 0),
        (["completed", "fault"], None, 1),
        (["late", "fault"], None, 1),
        (["completed", "late"], None, 3),
        (["completed"], signal.SIGINT, 130),
        (["unfinished"], signal.SIGINT, 130),
        (["completed"], signal.SIGTERM, 143),
        (["late"], signal.SIGTERM, 3),
        (["fault"], signal.SIGINT, 1),
        (["unfinished"], None, 1),
        (["completed", "completed, book not confirmed"], None, 4),
        (["unfinished, book not confirmed"], signal.SIGINT, 4),
        (["fault", "fault, book not confirmed", "late"], signal.SIGTERM, 4),
    ],
)
def test_the_exit_status_is_the_worst_of_it(outcomes: list[str], number: int | None, status: int) -> None:
    """Orders that may be open, then a fault, then a position that was left, then the signal that ended the run."""
    entries = [
        {"outcome": outcome.partition(",")[0], "ending": {"is_book_confirmed_empty": "not confirmed" not in outcome}}
        for outcome in outcomes
    ]
    assert exit_status(entries, number) == status


def test_what_could_not_be_written_fails_the_run() -> None:
    entries = [{"outcome": "completed", "ending": {"is_book_confirmed_empty": True}}]
    assert exit_status(entries, None, is_something_unwritten=True) == 1


def test_a_second_signal_while_sessions_are_being_opened_waits_for_nothing() -> None:
    """The first is kept until there is something that can end in order; an exchange may take a minute to answer."""
    with interruptible() as interruption:
        signal.raise_signal(signal.SIGINT)
        assert interruption.signal_number == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
