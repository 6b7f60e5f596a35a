"""Generated model tests find what is planted, with the fewest moves, and print a test that repeats it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import strategies as st

from mm_fsm.books.facts import OrderFilled, StopRequested
from mm_fsm.books.order_lifecycle import OrderLifecycle
from mm_fsm.core.messages import Liquidity
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.testing import (
    BrokenPromiseError,
    GeneratedTestError,
    ModelMismatchError,
    Send,
    Step,
    Tell,
    UnsupportedChartError,
    market_facts,
    model_test,
    replay,
)
from tests.machine.scripted import services
from tests.testing.faulty import Lamp, Nested, Pausable, Thermostat, ask_for_a_pause, was_never_paused
from tests.testing.played import (
    Crashing,
    Download,
    Guarded,
    Lazy,
    Lift,
    Melting,
    Moody,
    Relay,
    Restless,
    Sloppy,
    Vault,
    holds_no_more_than_it_began_with,
    is_not_stopping,
    stays_shut,
)


def failure_of(test: Callable[[], None]) -> GeneratedTestError:
    """What a generated test that must fail raises."""
    with pytest.raises(GeneratedTestError) as raised:
        test()
    return raised.value


def run_text(source: str) -> None:
    """Run the test that is in a text, as if it had been pasted into a file of its own."""
    names: dict[str, Any] = {"__name__": "pasted"}
    exec(compile(source, "pasted.py", "exec"), names)
    (test,) = [value for name, value in names.items() if name.startswith("test_")]
    test()


# -- clean charts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chart", [OrderLifecycle, Lamp, Relay, Melting, Download, Guarded])
def test_a_clean_chart_passes(chart: type) -> None:
    model_test(chart, examples=20)()


def test_a_clean_machine_of_another_strategy_passes() -> None:
    model_test(Thermostat, make=Thermostat, examples=20)()


# -- planted defects --------------------------------------------------------------------------------------------------


def test_an_invariant_that_four_events_break_is_found_with_those_four() -> None:
    found = failure_of(model_test(Vault, invariants=[stays_shut]))
    assert found.moves == (
        Send("wake"),
        Send("dial", ["knows_first"]),
        Send("dial_again", ["knows_second"]),
        Send("pull"),
    )
    assert isinstance(found.__cause__, BrokenPromiseError)


def test_a_machine_that_goes_elsewhere_than_its_definition_says_is_found() -> None:
    found = failure_of(model_test(Lift))
    assert found.moves == (Send("up"), Send("up"))
    assert isinstance(found.__cause__, ModelMismatchError)
    assert (found.__cause__.expected, found.__cause__.found) == ("the state 'second'", "the state 'ground'")


def test_a_callback_that_raises_is_found_with_the_moves_that_lead_to_it() -> None:
    found = failure_of(model_test(Crashing))
    assert found.moves == (Send("go"), Send("back"), Send("go"))
    assert isinstance(found.__cause__, OSError)


def test_a_command_of_another_strategy_is_sent() -> None:
    test = model_test(
        Pausable, make=Pausable, commands={"pause": ask_for_a_pause}, invariants=[was_never_paused], examples=20
    )
    assert failure_of(test).moves == (Step(["is_cold"]), Send("pause"))


def test_a_broken_invariant_of_the_market_maker_is_found_with_forced_guards() -> None:
    found = failure_of(model_test(MarketMakingStateMachine, invariants=[is_not_stopping]))
    assert found.moves == (Send("stop"),)


def test_a_broken_invariant_of_the_market_maker_is_found_by_a_fact() -> None:
    found = failure_of(model_test(MarketMakingStateMachine, invariants=[is_not_stopping], facts=market_facts()))
    (move,) = found.moves
    assert isinstance(move, Tell)
    assert isinstance(move.fact, StopRequested)


def test_one_fact_is_enough_to_buy_something() -> None:
    """The opening leaves a market maker with its first two orders on their way: the bid's fill."""
    test = model_test(
        MarketMakingStateMachine, invariants=[holds_no_more_than_it_began_with], facts=market_facts(), steps=40
    )
    (move,) = failure_of(test).moves
    assert isinstance(move, Tell)
    assert isinstance(move.fact, OrderFilled)
    assert move.fact.client_order_id == "mm-test-1"


def test_a_market_maker_that_rests_where_an_edge_is_due_is_found() -> None:
    """ready_to_quote leads to CALCULATING_SPREADS, which is left at once; with its own guards, in the opening."""
    found = failure_of(model_test(Lazy))
    assert found.moves == (Step(["ready_to_quote"]),)
    assert isinstance(found.__cause__, ModelMismatchError)
    assert found.__cause__.expected == "calculating_spreads --spreads_calculated--> placing_orders"
    assert failure_of(model_test(Lazy, facts=market_facts())).moves == ()


def test_a_market_maker_that_goes_elsewhere_than_its_definition_says_is_found() -> None:
    """Four edges: ready and spreads_calculated in one step, orders_placed, fills_arrived."""
    found = failure_of(model_test(Restless))
    assert found.moves == (Step(["ready_to_quote"]), Step(["wait_is_over"]), Step(["has_fills"]))


def test_a_refused_fact_that_changes_something_is_found() -> None:
    nobodys = OrderFilled(
        received_at=1_700_000_010_000_000_000,
        symbol="ETH/USD",
        client_order_id="nobody's",
        trade_id="1",
        price=Decimal(2000),
        quantity=Decimal(1),
        fee=Decimal(0),
        fee_currency="USD",
        liquidity=Liquidity.MAKER,
        exchange_time=1_700_000_010_000_000_000,
    )
    found = failure_of(model_test(Sloppy, facts=st.just(nobodys), examples=3))
    assert found.moves == (Tell(nobodys),)
    assert isinstance(found.__cause__, ModelMismatchError)
    assert found.__cause__.expected == "that a refused fact changes nothing"
    replay(MarketMakingStateMachine, [Tell(nobodys)], real_guards=True)


# -- the printed test -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "error"),
    [
        pytest.param(model_test(Vault, invariants=[stays_shut]), BrokenPromiseError, id="invariant"),
        pytest.param(model_test(Lift), ModelMismatchError, id="mismatch"),
        pytest.param(model_test(Crashing), OSError, id="error"),
        pytest.param(
            model_test(
                Pausable, make=Pausable, commands={"pause": ask_for_a_pause}, invariants=[was_never_paused], examples=20
            ),
            BrokenPromiseError,
            id="command",
        ),
        pytest.param(
            model_test(MarketMakingStateMachine, services=services, invariants=[is_not_stopping]),
            BrokenPromiseError,
            id="services",
        ),
        pytest.param(
            model_test(
                MarketMakingStateMachine,
                invariants=[holds_no_more_than_it_began_with],
                facts=market_facts(),
                steps=40,
            ),
            BrokenPromiseError,
            id="facts",
        ),
    ],
)
def test_the_printed_test_fails_in_the_same_way(
    test: Callable[[], None], error: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    found = failure_of(test)
    assert found.source in capsys.readouterr().out
    with pytest.raises(error) as raised:
        run_text(found.source)
    assert str(raised.value) == str(found.__cause__)


def test_the_printed_test_reads_well() -> None:
    assert (
        failure_of(model_test(Vault, invariants=[stays_shut])).source
        == """\
from mm_fsm.testing import Send, replay
from tests.testing.played import Vault, stays_shut


def test_vault_after_4_moves() -> None:
    replay(
        Vault,
        [
            Send("wake"),
            Send("dial", ("knows_first",)),
            Send("dial_again", ("knows_second",)),
            Send("pull"),
        ],
        invariants=[stays_shut],
    )"""
    )


def test_names_that_nothing_can_import_are_said_to_be_needed() -> None:
    def never(_vault: Vault) -> bool:
        return False

    found = failure_of(model_test(Vault, invariants=[never]))
    assert found.moves == ()
    assert found.source.startswith("# Paste it where never is defined.\n")


def test_every_run_is_the_same() -> None:
    first, second = (failure_of(model_test(Vault, invariants=[stays_shut])) for _ in range(2))
    assert first.source == second.source


def test_a_failure_that_does_not_come_again_is_called_so() -> None:
    Moody.pokes = 0
    assert "it does not fail again" in str(failure_of(model_test(Moody)))


def test_under_pytest_the_failing_test_prints_one_that_fails_and_passes_once_the_chart_is_right(
    pytester: pytest.Pytester,
) -> None:
    chart = """
        from statemachine import State, StateMachine

        class Door(StateMachine):
            shut = State(initial=True)
            ajar = State()
            push = shut.to(ajar)
            pull = ajar.to(shut)
            slams = 0

            def on_pull(self):
                self.slams += 1

        def is_quiet(door):
            return door.slams < {limit}
    """
    pytester.makepyfile(door=chart.format(limit=2))
    pytester.makepyfile("from door import *; from mm_fsm.testing import model_test; "
                        "test_door = model_test(Door, invariants=[is_quiet])")  # fmt: skip
    pytester.syspathinsert()
    failed = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    failed.assert_outcomes(failed=1)
    lines = failed.outlines
    start = next(number for number, line in enumerate(lines) if line.startswith("from door import"))
    end = next(number for number, line in enumerate(lines) if number > start and line == "    )")
    pytester.makepyfile(test_pasted="\n".join(lines[start : end + 1]))
    assert [line.strip() for line in lines if line.strip().startswith("Send(")] == [
        'Send("push"),', 'Send("pull"),', 'Send("push"),', 'Send("pull"),'
    ]  # fmt: skip
    pytester.runpytest_subprocess("test_pasted.py").assert_outcomes(failed=1)
    pytester.makepyfile(door=chart.format(limit=3))
    pytester.runpytest_subprocess("test_pasted.py").assert_outcomes(passed=1)


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chart", "options", "said"),
    [
        pytest.param(Nested, {}, "last is history", id="nested"),
        pytest.param(Thermostat, {}, "it is not known how one is made", id="no make"),
        pytest.param(Lamp, {"services": services}, "services are given", id="services for a lamp"),
        pytest.param(Lamp, {"facts": market_facts()}, "it is told no facts", id="facts for a lamp"),
        pytest.param(Vault, {"invariants": [lambda vault: True]}, "<lambda> has no name", id="lambda"),
        pytest.param(int, {}, "it is no chart with states", id="no chart"),
    ],
)
def test_what_cannot_be_tested_so_is_refused_when_the_test_is_made(
    chart: type, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UnsupportedChartError, match=said):
        model_test(chart, **options)


@pytest.mark.parametrize(
    ("chart", "moves", "options"),
    [
        pytest.param(Vault, [Step()], {}, id="a step of a chart"),
        pytest.param(MarketMakingStateMachine, [Tell(StopRequested(received_at=1))], {}, id="a fact, guards forced"),
        pytest.param(MarketMakingStateMachine, [Step()], {"real_guards": True}, id="forced guards that are real"),
    ],
)
def test_a_move_that_cannot_be_made_is_refused(chart: type, moves: list[Any], options: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedChartError, match="cannot be done to it"):
        replay(chart, moves, **options)


def test_an_illegal_event_of_the_market_maker_changes_nothing() -> None:
    replay(MarketMakingStateMachine, [Send("recover"), Step(["ready_to_quote"]), Send("ready"), Send("recover")])


def test_facts_may_be_drawn_plainly() -> None:
    facts = st.just(StopRequested(received_at=1_700_000_010_000_000_000))
    test = model_test(MarketMakingStateMachine, facts=facts, invariants=[is_not_stopping], examples=5)
    assert failure_of(test).moves == (Tell(StopRequested(received_at=1_700_000_010_000_000_000)),)


def on_its_table() -> Pausable:
    return Pausable(executor="table")


def on_its_engine() -> Pausable:
    return Pausable(executor="engine")


@pytest.mark.parametrize("make", [on_its_table, on_its_engine])
def test_the_same_moves_are_found_whatever_runs_the_machine(make: Callable[[], Pausable]) -> None:
    commands = {"pause": ask_for_a_pause}
    model_test(Pausable, make=make, commands=commands)()
    test = model_test(Pausable, make=make, commands=commands, invariants=[was_never_paused])
    assert failure_of(test).moves == (Step(["is_cold"]), Send("pause"))
