"""Signals: the first ends the sessions in order, the second leaves; and what the exit status says of it."""

from __future__ import annotations

import signal

import pytest

from mm_fsm.cli.exit_codes import exit_status
from mm_fsm.cli.interruption import interruptible
from mm_fsm.core.messages import CancelOrder, StopRequested
from mm_fsm.runtime.session import Session, for_simulation, open_simulated_session
from mm_fsm.runtime.settings_file import parse_settings
from mm_fsm.runtime.supervisor import Supervisor
from tests.runtime.settings_texts import MARKET


def session() -> Session:
    (market,) = parse_settings(MARKET)
    return open_simulated_session(for_simulation(market, duration_seconds=3600))


def signalled(supervisor: Supervisor, *, twice: bool) -> list[object]:
    """Facts of a run during which a signal comes after 400 steps, and another one upon the stop it led to."""
    facts: list[object] = []
    with interruptible(supervisor):
        for count, taken in enumerate(supervisor.run()):
            assert taken is not None
            facts.append(taken[1].fact)
            if isinstance(taken[1].fact, StopRequested):
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


def test_a_second_signal_waits_for_nothing() -> None:
    """The stop with its cancels is the last that happens."""
    running = session()
    facts = signalled(Supervisor([running]), twice=True)
    assert isinstance(facts[-1], StopRequested)
    assert not running.machine.is_final


def test_signals_are_given_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with interruptible(Supervisor([])):
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
    ],
)
def test_the_exit_status_is_the_worst_of_it(outcomes: list[str], number: int | None, status: int) -> None:
    """A fault before a position that was left, both before the signal that ended the run."""
    assert exit_status([{"outcome": outcome} for outcome in outcomes], number) == status
