"""Sessions and the supervisor: several symbols at once, interleaved by event time, stopped together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mm_fsm.books.facts import MarketBook, StopRequested, TradingStatusChanged
from mm_fsm.core.messages import PlaceOrder
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.pacing import Pacer
from mm_fsm.runtime.session import Session, for_session, open_session
from mm_fsm.runtime.settings_file import MarketConfiguration, parse_settings
from mm_fsm.runtime.supervisor import Supervisor
from mm_fsm.venues.base import time_of
from mm_fsm.venues.paper import PaperPlan
from mm_fsm.venues.simulator import SimulatorSettings
from tests.runtime.settings_texts import MARKET, market_entry, with_line

SECOND = 1_000_000_000


def sessions(seconds: float = 60, seed: int = 7, symbols: tuple[str, ...] = ("ETH/USD", "BTC/USD")) -> list[Session]:
    markets = parse_settings("".join(market_entry(symbol) for symbol in symbols))
    return [
        open_session(for_session(market, duration_seconds=seconds, seed=seed + index))
        for index, market in enumerate(markets)
    ]


def simulator_of(configuration: MarketConfiguration) -> SimulatorSettings:
    """The simulated market of a configuration."""
    assert isinstance(configuration.venue, PaperPlan)
    return configuration.venue.simulator


def results(supervisor: Supervisor) -> list[tuple[str, StepResult]]:
    return [(taken[0].symbol, taken[1]) for taken in supervisor.run() if taken is not None]


def test_every_session_runs_to_its_end() -> None:
    running = sessions()
    taken = results(Supervisor(running))
    assert {symbol for symbol, _ in taken} == {"ETH/USD", "BTC/USD"}
    for session in running:
        assert session.machine.is_final
        assert session.machine.context.orders.count == 0
        assert session.machine.context.fill_count > 0


def test_steps_come_in_order_of_event_time() -> None:
    """Over all symbols together the times of facts never go back."""
    times = [result.fact.received_at for _, result in results(Supervisor(sessions()))]
    assert times == sorted(times)


def test_a_session_does_the_same_beside_another_one_and_alone() -> None:
    """Interleaving shares nothing: books and state end with the same digest, run after run."""
    (alone,) = sessions(symbols=("ETH/USD",))
    together = sessions()
    again = sessions()
    for group in ([alone], together, again):
        results(Supervisor(group))
    digest = alone.machine.context.digest()
    assert together[0].machine.context.digest() == digest == again[0].machine.context.digest()
    assert together[1].machine.context.digest() == again[1].machine.context.digest()
    assert together[1].machine.context.digest() != digest


def test_another_seed_is_another_session() -> None:
    first, second = sessions(symbols=("A",), seed=1), sessions(symbols=("A",), seed=2)
    results(Supervisor(first))
    results(Supervisor(second))
    assert first[0].machine.context.digest() != second[0].machine.context.digest()


def live_after(supervisor: Supervisor, steps: int) -> Iterator[tuple[str, StepResult]]:
    """Results of a run that is asked to stop after some steps."""
    for count, taken in enumerate(supervisor.run()):
        if count == steps:
            assert all(session.machine.context.orders.count for session in supervisor.sessions)
            supervisor.request_stop("SIGINT")
        if taken is not None:
            yield taken[0].symbol, taken[1]


def test_a_stop_ends_every_session_and_keeps_the_position() -> None:
    """Both machines are told, cancel everything, send nothing more, and end with what they held."""
    running = sessions(3600)
    taken = list(live_after(Supervisor(running), 400))
    stops = [index for index, (_, result) in enumerate(taken) if isinstance(result.fact, StopRequested)]
    assert [taken[index][0] for index in stops] == ["ETH/USD", "BTC/USD"]
    afterwards = [intent for _, result in taken[stops[0] :] for intent in result.intents]
    assert not [intent for intent in afterwards if isinstance(intent, PlaceOrder)]
    for session in running:
        context = session.machine.context
        assert session.machine.is_final
        assert context.orders.count == 0
        assert session.machine.result().success
        assert session.machine.now < simulator_of(session.configuration).start_time + 3600 * SECOND


def test_leaving_gives_up_what_has_not_ended_once_cancels_are_sent() -> None:
    """After the second request nothing is waited for; the stop, with its cancels, has gone out."""
    running = sessions(3600)
    supervisor = Supervisor(running)
    seen = []
    for count, taken in enumerate(supervisor.run()):
        if count == 400:
            supervisor.request_stop("SIGINT")
            supervisor.leave()
        if taken is not None:
            seen.append(taken[1])
    assert isinstance(seen[-1].fact, StopRequested)
    assert seen[-1].intents
    assert not any(session.machine.is_final for session in running)


def test_a_paced_run_does_what_an_unpaced_one_does() -> None:
    """Waiting is told as None and changes nothing."""
    wall = [0.0]

    def pause(seconds: float) -> None:
        wall[0] += seconds

    free, paced = sessions(30), sessions(30)
    results(Supervisor(free))
    taken = list(Supervisor(paced, Pacer(2.0, lambda: wall[0], pause)).run())
    assert None in taken
    assert [each.machine.context.digest() for each in paced] == [each.machine.context.digest() for each in free]
    assert wall[0] == pytest.approx(
        (paced[1].runner.now - simulator_of(paced[1].configuration).start_time) / SECOND / 2, rel=0.05
    )


def test_the_end_of_the_market_ends_the_session_with_its_position_kept() -> None:
    """A recording simply stops; orders are cancelled and confirmed, and what is held is held."""
    (market,) = parse_settings(with_line("simulator", "duration_seconds = 60"))
    session = open_session(for_session(market))
    results(Supervisor([session]))
    context = session.machine.context
    assert session.machine.is_final
    assert context.keeps_position
    assert context.stop_reason == "the market's events have ended"
    assert session.machine.result().success


def test_a_halt_in_the_market_is_taken_at_the_time_it_was_received() -> None:
    """A change of trading status has no exchange time; it lies between two books by its time of receipt."""
    (market,) = parse_settings(MARKET)
    configuration = for_session(market, duration_seconds=30)
    plan = configuration.venue
    assert isinstance(plan, PaperPlan)
    halted_at = plan.simulator.start_time + 15 * SECOND
    halt = TradingStatusChanged(received_at=halted_at, symbol="ETH/USD", trading=False)
    events = list(plan.market())
    earlier = [event for event in events if time_of(event) <= halted_at]
    session = open_session(configuration, plan.on([*earlier, halt, *events[len(earlier) :]]))
    facts = [result.fact for _, result in results(Supervisor([session]))]
    position = next(index for index, fact in enumerate(facts) if isinstance(fact, TradingStatusChanged))
    books = [(index, fact) for index, fact in enumerate(facts) if isinstance(fact, MarketBook)]
    assert all((index < position) is (book.exchange_time <= halted_at) for index, book in books)
    assert not session.machine.context.market.is_trading


@pytest.mark.parametrize(
    ("line", "duration", "expected"),
    [
        pytest.param(None, None, 3600, id="an-hour"),
        pytest.param(("strategy", "session_seconds = 90"), None, 90, id="as-the-strategy-says"),
        pytest.param(("strategy", "session_seconds = 90"), 30.0, 30, id="as-asked"),
        pytest.param(("simulator", "duration_seconds = 50"), None, None, id="as-long-as-the-market"),
    ],
)
def test_how_long_a_simulated_session_lasts(
    line: tuple[str, str] | None, duration: float | None, expected: float | None
) -> None:
    """The market outlasts the session by the wind-down's deadline of 300 s and a minute."""
    (market,) = parse_settings(MARKET if line is None else with_line(*line))
    configuration = for_session(market, duration_seconds=duration)
    assert configuration.strategy.session_seconds == expected
    assert simulator_of(configuration).duration_seconds == (50 if expected is None else expected + 360)
