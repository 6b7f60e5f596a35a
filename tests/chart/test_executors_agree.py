"""Table and engine do the same: for this package's charts, the examples', and any flat chart that can be drawn.

The engine is the reference. Each chart runs on both, with an owner whose methods note their name and the state in which
they were called, and raise where a test wants it. Guards are set for each edge as the gate would have found them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from runpy import run_path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from statemachine import State, StateChart
from statemachine.exceptions import InvalidDefinition

from mm_fsm.books.order_lifecycle import OrderLifecycle
from mm_fsm.chart import (
    Chart,
    ChartDefinition,
    EdgeDefinition,
    EngineExecutor,
    Executor,
    Table,
    TableExecutor,
    chart_of,
    definition_of,
    table_of,
)
from mm_fsm.chart import State as OurState
from mm_fsm.coverage.reading import read_chart, read_engine
from mm_fsm.errors import ChartDefinitionError
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.testing.driving.answers import answers_for
from tests.chart.flat_charts import DrawnChart, built, drawn_charts
from tests.chart.lamp import Lamp
from tests.coverage.recording import nobody_watching


@pytest.fixture(autouse=True)
def _nobody_watches_forced_guards() -> Iterator[None]:
    """Guards are answered here, so what is reached is no evidence about the project's own charts."""
    with nobody_watching():
        yield


EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ERRORS: tuple[type[BaseException], ...] = (ArithmeticError, InvalidDefinition, StopIteration)
INTERRUPTIONS: tuple[type[BaseException], ...] = (KeyboardInterrupt, SystemExit, asyncio.CancelledError)


@cache
def known_charts() -> dict[str, type[Chart]]:
    """This package's charts, and every one that an example declares."""
    own: list[type[Chart]] = [MarketMakingStateMachine, OrderLifecycle, Lamp]
    found = {chart.__name__: chart for chart in own}
    for path in sorted(EXAMPLES.glob("*.py")):
        if "from add_a_state import" in path.read_text(encoding="utf-8"):
            continue  # it draws that example's machine
        for name, value in run_path(str(path)).items():
            if isinstance(value, type) and issubclass(value, Chart) and value.__module__ == "<run_path>":
                found[f"{path.stem}:{name}"] = value
    return found


class Owner:
    """Stands in for the machine: its guards answer what they are told, its callbacks note that they were called."""

    def __init__(self, definition: ChartDefinition, failing: dict[int, type[BaseException]]) -> None:
        self.state = definition.initial.id
        self.answers: dict[str, bool] = {}
        self.heard: list[tuple[str, str]] = []
        self.failing = failing
        """Errors, by the number of the call in which each is raised."""
        for name in definition.callback_names:
            setattr(self, name, self._callback(name))
        for name in definition.guard_names:
            setattr(self, name, self._guard(name))

    def _callback(self, name: str) -> Any:
        def call() -> str:
            number = len(self.heard)
            self.heard.append((name, self.state))
            if number in self.failing:
                raise self.failing[number](name)
            return name

        return call

    def _guard(self, name: str) -> Any:
        def answer() -> bool:
            return self.answers.get(name, False)

        return answer


class Walk:
    """One chart on one executor, one edge after the other; ``seen`` is everything that could be noticed."""

    def __init__(self, chart: type[Chart], kind: str, failing: dict[int, type[BaseException]]) -> None:
        self.model = read_chart(chart)
        self.owner = Owner(self.model.definition, failing)
        self.seen: list[object] = []
        self.executor: Executor = (
            EngineExecutor(chart_of(chart), self.owner, "state")
            if kind == "engine"
            else TableExecutor(table_of(chart), self.owner, "state")
        )
        self._do(self.executor.enter_initial_state, "entry")

    def fire(self, place: int) -> None:
        edge = self.model.definition.edges[place]
        source = self.owner.state
        self.owner.answers = dict(answers_for(self.model, [source], place) or {})
        if not self._do(lambda: self.executor.fire(edge), edge.id):
            self.owner.state = source  # as a machine goes on after an interruption

    def _do(self, act: Any, what: str) -> bool:
        """Whether it was not interrupted."""
        try:
            act()
        except Exception as error:  # noqa: BLE001
            self._note(what, error)
        except BaseException as error:  # noqa: BLE001
            self._note(what, error)
            return False
        else:
            self._note(what, None)
        return True

    def _note(self, what: str, error: BaseException | None) -> None:
        self.seen.append((what, type(error), str(error), self.owner.state, tuple(self.owner.heard)))


def next_places(model: Any, state: str) -> list[int]:
    """The edges of a state that can be let pass."""
    return [
        place
        for place, edge in enumerate(model.definition.edges)
        if edge.source == state and answers_for(model, [state], place) is not None
    ]


def hold_together(chart: type[Chart], picks: list[int], failing: dict[int, type[BaseException]]) -> Walk:
    """Walk on both; the walk is chosen by where the reference is."""
    reference, table = (Walk(chart, kind, failing) for kind in ("engine", "table"))
    assert table.seen == reference.seen
    for pick in picks:
        places = next_places(reference.model, reference.owner.state)
        if not places:
            break
        for walk in (reference, table):
            walk.fire(places[pick % len(places)])
        assert table.seen == reference.seen
    return reference


PICKS = st.lists(st.integers(0, 60), min_size=1, max_size=12)
FAILING = st.dictionaries(st.integers(0, 12), st.sampled_from((*ERRORS, *INTERRUPTIONS)), max_size=3)


@settings(max_examples=150)
@given(drawn_charts(), PICKS, FAILING)
def test_any_flat_chart_runs_alike(
    drawn: DrawnChart, picks: list[int], failing: dict[int, type[BaseException]]
) -> None:
    """Callbacks and their order, the state while each runs, errors and interruptions in any of them."""
    hold_together(built(drawn), picks, failing)


@pytest.mark.parametrize("name", sorted(known_charts()))
def test_a_known_chart_runs_alike(name: str) -> None:
    @settings(max_examples=25)
    @given(PICKS, FAILING)
    def run(picks: list[int], failing: dict[int, type[BaseException]]) -> None:
        hold_together(known_charts()[name], picks, failing)

    run()


@pytest.mark.parametrize("name", sorted(known_charts()))
def test_every_edge_of_a_known_chart_runs_alike_whatever_is_raised_in_each_of_its_calls(name: str) -> None:
    """Each edge from its own source, undisturbed, and with an error or an interruption in each of its calls."""
    chart = known_charts()[name]
    model = read_chart(chart)
    for place, edge in enumerate(model.definition.edges):
        if place not in next_places(model, edge.source):
            continue
        calls = fire_from(chart, edge, place, {})
        for number in range(calls):
            for error in (ArithmeticError, KeyboardInterrupt):
                fire_from(chart, edge, place, {number: error})


def fire_from(chart: type[Chart], edge: EdgeDefinition, place: int, failing: dict[int, type[BaseException]]) -> int:
    """Fire one edge on both from its source; how many calls it made."""
    walks = []
    for kind in ("engine", "table"):
        walk = Walk(chart, kind, {})
        walk.owner.heard.clear()
        walk.seen.clear()
        walk.owner.failing = failing
        walk.owner.state = edge.source
        if kind == "engine":
            walk.executor = EngineExecutor(chart_of(chart), walk.owner, "state")
        walk.fire(place)
        walks.append(walk)
    assert walks[0].seen == walks[1].seen
    return len(walks[0].owner.heard)


def test_the_comparison_sees_every_kind_of_call_and_failure() -> None:
    """What the drawn charts leave to chance is there: a chart with a callback in each of the five places."""
    drawn = DrawnChart(
        enter={"north": ("first",), "east": ("second",), "south": (), "gone": ("fourth",)},
        exit={"north": ("third",), "east": ("third",), "south": (), "gone": ()},
        events={},
        hooks=frozenset(),
    )
    seen = hold_together(built(drawn), [1, 0, 0], {}).owner.heard
    assert seen[:3] == [("first", "north"), ("third", "north"), ("second", "east")]


def test_edges_that_share_event_and_source_are_told_apart_by_their_guards() -> None:
    """The one that the gate let pass is taken, not the first."""

    class Fork(Chart):
        chart_is_automatic = False
        here = OurState(initial=True)
        left = OurState()
        right = OurState()
        go = here.to(left, cond="is_left", on="note_left") | here.to(right, on="note_right")
        back = here.from_(left, right)

        def is_left(self) -> bool:
            return False

        def note_left(self) -> None: ...

        def note_right(self) -> None: ...

    left, right = (edge for edge in definition_of(Fork).edges if edge.event == "go")
    for edge, state in ((left, "left"), (right, "right")):
        owner = Owner(definition_of(Fork), {})
        TableExecutor(table_of(Fork), owner, "state").fire(edge)
        assert (owner.state, owner.heard) == (state, [(f"note_{state}", "here")])


def test_an_edge_of_another_chart_is_refused_and_changes_nothing() -> None:
    owner = Owner(definition_of(Lamp), {})
    foreign = definition_of(OrderLifecycle).edges[0]
    with pytest.raises(KeyError):
        TableExecutor(table_of(Lamp), owner, "state").fire(foreign)
    assert (owner.state, owner.heard) == ("dark", [])


class Nested(StateChart[Any]):
    """Of python-statemachine alone: a state within a state."""

    class outer(State.Compound):  # noqa: N801 - the state's name
        inner = State(initial=True)
        other = State()
        move = inner.to(other)

    ended = State(final=True)
    end = outer.to(ended)


class ByItself(StateChart[Any]):
    """Of python-statemachine alone: an edge without an event."""

    solid = State(initial=True)
    liquid = State(final=True)
    solid.to(liquid)


@pytest.mark.parametrize("chart", [Nested, ByItself])
def test_what_a_table_cannot_run_is_refused_when_it_is_compiled(chart: type[StateChart[Any]]) -> None:
    with pytest.raises(ChartDefinitionError, match="Run it by python-statemachine's engine"):
        Table(read_engine(chart).model.definition)


def test_a_callback_that_is_asynchronous_on_one_machine_is_refused_when_it_is_bound() -> None:
    owner: Any = Owner(definition_of(Lamp), {})

    async def later() -> None:
        """Would never be awaited."""

    owner.on_enter_bright = later
    with pytest.raises(ChartDefinitionError, match="'on_enter_bright' is asynchronous on this machine"):
        TableExecutor(table_of(Lamp), owner, "state")
