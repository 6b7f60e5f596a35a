"""How charts' classes are built: what a class body leaves behind, and what a class shows of its chart."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import attrs
import hypothesis.strategies as st
import pytest
from hypothesis import given

from mm_fsm.chart import Chart, State, chart_of, definition_of
from mm_fsm.errors import ChartDefinitionError
from tests.chart.lamp import LAMP_EDGES, Lamp, check_lamp, edges, run, transitions

Level = TypeVar("Level")


@pytest.fixture(autouse=True)
def parent_stays_as_it_was() -> Iterator[None]:
    """Whatever a test does with subclasses, the parent is the same afterwards."""
    yield
    check_lamp()


def test_class_body_that_raises_leaves_nothing_for_the_next_one() -> None:
    with pytest.raises(ZeroDivisionError):

        class Failing(Lamp):
            Lamp.dark.to(Lamp.bright)
            extra = State()
            jump = Lamp.bright.to(extra)
            ratio = 1 / 0

    class Next(Lamp):
        pass

    assert edges(Next) == LAMP_EDGES


def test_class_that_is_refused_leaves_nothing_for_the_next_one() -> None:
    with pytest.raises(ChartDefinitionError):

        class Refused(Lamp):
            jump = Lamp.bright.to(Lamp.dark, cond="nowhere")

    class Next(Lamp):
        jump = Lamp.bright.to(Lamp.dark, cond="is_hot", unless="has_power", ahead_of="overheat")

    assert [edge for edge in edges(Next) if edge not in LAMP_EDGES] == [("jump", "bright", "dark")]


def test_edges_made_outside_any_class_body_change_nothing() -> None:
    Lamp.bright.to(Lamp.dark)

    class Next(Lamp):
        pass

    assert edges(Next) == LAMP_EDGES


def test_handle_is_another_object_in_every_class_body() -> None:
    seen = []

    class One(Lamp):
        seen.append(Lamp.dark)
        seen.append(Lamp.dark)

    class Two(Lamp):
        seen.append(Lamp.dark)

    assert seen[0] is seen[1]
    assert seen[0] is not seen[2]


def test_class_made_by_calling_its_metaclass_is_like_one_made_by_a_body() -> None:
    class Dimmed(Lamp):
        turn_down = Lamp.bright.to(Lamp.dark)

    made = type(Lamp)("Made", (Lamp,), {"repair": None})
    assert "turn_down" not in definition_of(made).events  # type: ignore[arg-type]
    assert "repair" not in definition_of(made).events  # type: ignore[arg-type]


def test_class_that_attrs_or_dataclasses_build_anew_for_slots_keeps_its_chart() -> None:
    @attrs.define(init=False)
    class Slotted(Lamp):
        level: int = 0
        dim = State()
        turn_down = Lamp.bright.to(dim)
        turn_up = dim.to(Lamp.bright)
        repair = None

    @dataclasses.dataclass(slots=True, init=False)
    class Data(Lamp):
        level: int = 0
        dim = State()
        turn_down = Lamp.bright.to(dim)
        turn_up = dim.to(Lamp.bright)
        repair = None

    for chart in (Slotted, Data):
        assert ("turn_down", "bright", "dim") in edges(chart)
        assert "repair" not in definition_of(chart).events


def test_instances_do_not_have_the_states() -> None:
    assert not hasattr(Lamp(), "dark")
    assert not hasattr(Lamp(), "turn_on")


def test_unknown_attribute_of_a_chart_names_its_states() -> None:
    with pytest.raises(AttributeError, match=r"Lamp has no attribute 'drak'; its states are \['bright', 'broken', "):
        _ = Lamp.drak


def test_class_without_states_has_no_chart_and_says_so() -> None:
    class Methods(Chart):
        def is_ready(self) -> bool:
            return True

    for read in (definition_of, chart_of):
        with pytest.raises(ChartDefinitionError) as caught:
            read(Methods)
        assert caught.value.chart == "Methods"
        assert caught.value.problem == "it declares no states."
        assert caught.value.remedy == "Declare at least an initial State."

    class WithStates(Methods):
        one = State(initial=True)
        two = State()
        forth = one.to(two, cond="is_ready")
        back = two.to(one)

    assert edges(WithStates) == [("forth", "one", "two"), ("back", "two", "one")]


def test_generic_class_is_like_any_other() -> None:
    class Dimmer(Lamp, Generic[Level]):
        dim = State()
        turn_down = Lamp.bright.to(dim)
        turn_up = dim.to(Lamp.bright)

    class Numbered(Dimmer[int]):
        turn_up = None
        turn_off = Dimmer.dim.to(Dimmer.dark) | Lamp.bright.to(Lamp.dark, unless="has_power")

    assert ("turn_down", "bright", "dim") in edges(Dimmer)
    assert ("turn_off", "dim", "dark") in edges(Numbered)
    assert run(Numbered(), "turn_on", "turn_down", "turn_off") == "dark"


CHANGES = st.lists(
    st.sampled_from(["remove repair", "remove broken", "add state", "replace turn_on", "state anew", "add edge"]),
    unique=True,
    max_size=4,
)


def changed_body(parent: Any, level: int, changes: list[str]) -> dict[str, Any]:
    """A class body that makes these changes, as far as the parent still has what they change."""
    body: dict[str, Any] = {}
    if "remove repair" in changes and "repair" in definition_of(parent).events:
        body["repair"] = None
    if "remove broken" in changes and hasattr(parent, "broken"):
        body |= {"broken": None, "thrown_away": None}
    if "add state" in changes:
        extra = body[f"extra_{level}"] = State()
        body[f"visit_{level}"] = parent.dark.to(extra, command=True)
        body[f"leave_{level}"] = extra.to(parent.dark)
    if "replace turn_on" in changes:
        body["turn_on"] = parent.dark.to(parent.bright, unless="has_power")
    if "state anew" in changes:
        body["dark"] = State(initial=True, purpose=f"level {level}")
    if "add edge" in changes:
        body[f"jump_{level}"] = parent.bright.to.itself(cond="is_daylight", command=True, internal=True)
    return body


@given(st.lists(CHANGES, max_size=3))
def test_no_series_of_subclasses_changes_its_parents(levels: list[list[str]]) -> None:
    chain: list[Any] = [Lamp]
    before = []
    for level, changes in enumerate(levels):
        parent = chain[-1]
        before.append((parent, definition_of(parent).digest, transitions(parent), chart_of(parent)))
        made = type(Lamp).__prepare__(f"Level{level}", (parent,)) | changed_body(parent, level, changes)
        chain.append(type(Lamp)(f"Level{level}", (parent,), made))
    for parent, digest, held, engine in before:
        assert definition_of(parent).digest == digest
        assert transitions(parent) == held
        assert chart_of(parent) is engine
    assert sorted(transitions(chain[-1])) == sorted(edges(chain[-1]))
