"""The answers that single out one edge, against every assignment of answers there is."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.chart import ChartDefinition, EdgeDefinition, Gate, GuardTerm, StateDefinition
from mm_fsm.coverage.model import ChartModel, flat_model
from mm_fsm.testing.driving.answers import answers_for, answers_for_rest

GUARDS = ("a", "b", "c")


@st.composite
def charts(draw: st.DrawFn) -> ChartModel:
    """One state with a few edges to itself: of two events, fired or sent, with any of three guards."""
    drawn = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["go", "come"]),
                st.booleans(),
                st.dictionaries(st.sampled_from(GUARDS), st.booleans(), max_size=3),
            ),
            min_size=1,
            max_size=5,
        )
    )
    return flat_model(
        "any:Chart",
        ChartDefinition(
            name="Chart",
            states=(StateDefinition(id="here", name="here", initial=True),),
            edges=tuple(
                EdgeDefinition(
                    event=f"{event}_by_command" if command else event,
                    source="here",
                    target="here",
                    command=command,
                    guards=tuple(GuardTerm(name, expected) for name, expected in guards.items()),
                )
                for event, command, guards in drawn
            ),
            automatic=draw(st.booleans()),
        ),
    )


class Answering:
    """Guards that answer as they are told, and False where they are told nothing."""

    def __init__(self, answers: Mapping[str, bool]) -> None:
        self.a = lambda: answers.get("a", False)
        self.b = lambda: answers.get("b", False)
        self.c = lambda: answers.get("c", False)


def chosen(model: ChartModel, place: int, answers: Mapping[str, bool]) -> bool:
    """Whether a gate lets this edge pass: the one that is next by itself, or the one that its event takes."""
    edge = model.definition.edges[place]
    gate = Gate(model.definition, Answering(answers))
    if edge.command or not model.definition.automatic:
        return gate.first_for_command("here", edge.event) is edge
    return gate.first_enabled("here") is edge


def assignments() -> list[dict[str, bool]]:
    return [dict(zip(GUARDS, values, strict=True)) for values in product([False, True], repeat=len(GUARDS))]


@settings(max_examples=200)
@given(model=charts(), data=st.data())
def test_answers_single_out_an_edge_whenever_any_do(model: ChartModel, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(model.definition.edges) - 1))
    answers = answers_for(model, ["here"], place)
    if answers is None:
        assert not any(chosen(model, place, any_answers) for any_answers in assignments())
    else:
        others = {name: data.draw(st.booleans(), label=name) for name in GUARDS if name not in answers}
        assert chosen(model, place, {**answers, **others}), "whatever guards answer that are not named"


@settings(max_examples=200)
@given(model=charts())
def test_answers_let_a_machine_rest_whenever_any_do(model: ChartModel) -> None:
    if not model.definition.automatic:
        assert answers_for_rest(model, ["here"]) == {}
        return
    answers = answers_for_rest(model, ["here"])
    resting = [
        any_answers
        for any_answers in assignments()
        if Gate(model.definition, Answering(any_answers)).first_enabled("here") is None
    ]
    if answers is None:
        assert resting == []
    else:
        assert Gate(model.definition, Answering(answers)).first_enabled("here") is None
