"""A subclass adds, replaces and removes; its parent stays as it was."""

from __future__ import annotations

import dataclasses
from typing import Any

import attrs
import hypothesis.strategies as st
import pytest
from hypothesis import given

from mm_fsm.chart import Chart, State, chart_of, computing, definition_of
from mm_fsm.errors import ChartDefinitionError


class Lamp(Chart):
    """Three states, edges from any state, guards and hooks: the parent of everything here."""

    dark = State(initial=True, purpose="no light", exit="note_exit")
    bright = State(purpose="light")
    broken = State()
    thrown_away = State(final=True)

    overheat = broken.from_.any(but=[broken], cond="is_hot")
    turn_on = dark.to(bright, cond="has_power", unless="is_daylight")
    turn_off = bright.to(dark, unless="has_power")
    repair = broken.to(dark, cond="can_be_repaired")
    throw_away = broken.to(thrown_away)
    fail = broken.from_.any(command=True)

    def __init__(self) -> None:
        self.state: str | None = None
        self.notes: list[str] = []

    def is_hot(self) -> bool:
        return False

    def has_power(self) -> bool:
        return True

    def is_daylight(self) -> bool:
        return False

    def can_be_repaired(self) -> bool:
        return False

    def note_exit(self) -> None:
        self.notes.append("exit")

    def on_enter_bright(self) -> None:
        self.notes.append("bright")


def transitions(chart: type[Chart]) -> list[tuple[str, str, str]]:
    """What the engine itself holds: event, source, target."""
    engine: Any = chart_of(chart)
    return [
        (transition.event, state.id, transition.target.id)
        for state in engine.states
        for transition in state.transitions
    ]


def edges(chart: type[Chart]) -> list[tuple[str, str, str]]:
    return [(edge.event, edge.source, edge.target) for edge in definition_of(chart).edges]


def run(machine: Any, *events: str) -> str:
    engine: Any = chart_of(type(machine))(machine)
    for event in events:
        engine.send(event)
    return str(machine.state)


LAMP_EDGES = [
    ("overheat", "dark", "broken"),
    ("overheat", "bright", "broken"),
    ("turn_on", "dark", "bright"),
    ("turn_off", "bright", "dark"),
    ("repair", "broken", "dark"),
    ("throw_away", "broken", "thrown_away"),
    ("fail", "dark", "broken"),
    ("fail", "bright", "broken"),
    ("fail", "broken", "broken"),
]
LAMP_DIGEST = definition_of(Lamp).digest
LAMP_TRANSITIONS = transitions(Lamp)
LAMP_ENGINE = chart_of(Lamp)


@pytest.fixture(autouse=True)
def parent_stays_as_it_was() -> Any:
    """Whatever a test does with subclasses, the parent is the same afterwards, in every way it can be looked at."""
    yield
    assert edges(Lamp) == LAMP_EDGES
    assert definition_of(Lamp).digest == LAMP_DIGEST
    assert transitions(Lamp) == LAMP_TRANSITIONS
    assert chart_of(Lamp) is LAMP_ENGINE
    assert sorted(LAMP_TRANSITIONS) == sorted(LAMP_EDGES)
    assert Lamp.dark.declared == []
    assert run(Lamp(), "turn_on") == "bright"


def test_subclass_without_a_body_has_the_same_chart_of_its_own() -> None:
    class Same(Lamp):
        pass

    assert edges(Same) == LAMP_EDGES
    assert transitions(Same) == LAMP_TRANSITIONS
    parent: Any = LAMP_ENGINE
    child: Any = chart_of(Same)
    assert {id(state) for state in parent.states}.isdisjoint(id(state) for state in child.states)


def test_added_state_and_edges_stand_behind_the_inherited_ones() -> None:
    class Dimmed(Lamp):
        dim = State()
        turn_down = Lamp.bright.to(dim)
        turn_up = dim.to(Lamp.bright)

    assert [state.id for state in definition_of(Dimmed).states] == ["dark", "bright", "broken", "thrown_away", "dim"]
    assert [edge for edge in edges(Dimmed) if edge not in LAMP_EDGES] == [
        ("overheat", "dim", "broken"),
        ("fail", "dim", "broken"),
        ("turn_down", "bright", "dim"),
        ("turn_up", "dim", "bright"),
    ]
    assert run(Dimmed(), "turn_on", "turn_down") == "dim"


def test_edges_from_any_state_cover_added_states_but_neither_final_nor_excluded_ones() -> None:
    class Longer(Lamp):
        flickering = State()
        sold = State(final=True)
        begin_flickering = Lamp.bright.to(flickering)
        sell = sold.from_.any(but=Lamp.broken, cond="is_hot", ahead_of="turn_on")
        overheat = Lamp.broken.from_.any(but=[Lamp.broken], cond="is_hot", unless="is_daylight")

    assert definition_of(Longer).events[:2] == ("overheat", "sell")
    assert [source for event, source, _ in edges(Longer) if event == "overheat"] == ["dark", "bright", "flickering"]
    assert [source for event, source, _ in edges(Longer) if event == "sell"] == ["dark", "bright", "flickering"]
    assert [source for event, source, _ in edges(Longer) if event == "fail"] == [
        "dark",
        "bright",
        "broken",
        "flickering",
    ]


def test_event_declared_again_replaces_all_its_edges_and_keeps_its_precedence() -> None:
    class Manual(Lamp):
        turn_on = Lamp.dark.to(Lamp.bright) | Lamp.broken.to(Lamp.bright, cond="is_hot")

    assert definition_of(Manual).events == definition_of(Lamp).events
    assert [edge for edge in edges(Manual) if edge[0] == "turn_on"] == [
        ("turn_on", "dark", "bright"),
        ("turn_on", "broken", "bright"),
    ]
    assert next(edge for edge in definition_of(Manual).edges if edge.event == "turn_on").guards == ()


def test_ahead_of_gives_an_event_precedence_over_another() -> None:
    class Careful(Lamp):
        check = Lamp.dark.to(Lamp.broken, ahead_of="turn_on", cond="is_daylight")
        throw_away = Lamp.broken.to(Lamp.thrown_away, cond="is_hot", ahead_of="overheat")

    assert definition_of(Careful).events == (
        "throw_away",
        "overheat",
        "check",
        "turn_on",
        "turn_off",
        "repair",
        "fail",
    )


def test_none_removes_an_event() -> None:
    class Simple(Lamp):
        repair = None

    assert edges(Simple) == [edge for edge in LAMP_EDGES if edge[0] != "repair"]
    assert not hasattr(Simple, "repair")


def test_none_removes_a_state_with_every_edge_that_mentions_it() -> None:
    class Unbreakable(Lamp):
        thrown_away = None
        broken = None

    assert edges(Unbreakable) == [("turn_on", "dark", "bright"), ("turn_off", "bright", "dark")]
    assert not hasattr(Unbreakable, "broken")


def test_removed_state_leaves_its_hooks_behind_without_complaint() -> None:
    class Flickering(Lamp):
        bright = None
        flicker = Lamp.dark.to(Lamp.broken)

    class StillFlickering(Flickering):
        pass

    assert "bright" not in {edge.target for edge in definition_of(StillFlickering).edges}


def test_removed_state_can_be_declared_again_further_down() -> None:
    class Unbreakable(Lamp):
        thrown_away = None
        broken = None

    class Fragile(Unbreakable):
        broken = State("Broken again")
        smash = broken.from_.any(but=[broken])
        glue = broken.to(Unbreakable.dark)

    assert ("smash", "bright", "broken") in edges(Fragile)
    assert "overheat" not in definition_of(Fragile).events


def test_exclusions_of_an_edge_from_any_state_forget_a_removed_state() -> None:
    class Two(Chart):
        left = State(initial=True)
        right = State()
        middle = State()
        swap = left.to(right, cond="is_swapping") | left.to(middle) | right.to(left, unless="is_swapping")
        back = left.from_.any(but=[left, middle], cond="is_swapping")
        from_middle = middle.to(left)

        def is_swapping(self) -> bool:
            return False

    class One(Two):
        middle = None
        swap = Two.left.to(Two.right)

    assert edges(One) == [("swap", "left", "right"), ("back", "right", "left")]
    assert ("back", "middle", "left") not in edges(Two)


def test_state_declared_again_keeps_its_place_and_its_edges() -> None:
    class Documented(Lamp):
        bright = State("Bright", purpose="a lot of light", budget=computing(milliseconds=5), enter="count")

        def count(self) -> None:
            self.notes.append("count")

    assert edges(Documented) == LAMP_EDGES
    assert [state.id for state in definition_of(Documented).states] == ["dark", "bright", "broken", "thrown_away"]
    bright = definition_of(Documented).state("bright")
    assert (bright.purpose, str(bright.budget)) == ("a lot of light", "5 ms computing")
    assert [callback.name for callback in bright.enter] == ["count", "on_enter_bright"]
    machine = Documented()
    run(machine, "turn_on")
    assert machine.notes == ["exit", "count", "bright"]


def test_guard_and_callback_are_overridden_by_name() -> None:
    class Night(Lamp):
        def has_power(self) -> bool:
            return False

        def note_exit(self) -> None:
            self.notes.append("left")
            super().note_exit()

    class Day(Night):
        def has_power(self) -> bool:
            return not super().has_power()

    assert run(Night(), "turn_on") == "dark"
    day = Day()
    assert run(day, "turn_on") == "bright"
    assert day.notes == ["left", "exit", "bright"]
    assert edges(Day) == LAMP_EDGES


def test_hook_added_in_a_subclass_runs_there_only() -> None:
    class Noted(Lamp):
        def after_turn_on(self) -> None:
            self.notes.append("after")

    machine = Noted()
    run(machine, "turn_on")
    assert machine.notes == ["exit", "bright", "after"]
    turn_on = next(edge for edge in definition_of(Noted).edges if edge.event == "turn_on")
    assert [callback.name for callback in turn_on.after] == ["after_turn_on"]


def test_siblings_do_not_see_each_other() -> None:
    class Red(Lamp):
        glowing = State()
        glow = Lamp.bright.to(glowing)
        cool = glowing.to(Lamp.dark)

    class Blue(Lamp):
        glowing = State("Blue glow", final=True)
        glow = Lamp.bright.to(glowing, cond="is_daylight")

    assert ("glow", "bright", "glowing") in edges(Red)
    assert ("cool", "glowing", "dark") in edges(Red)
    assert "cool" not in definition_of(Blue).events
    assert definition_of(Blue).state("glowing").name == "Blue glow"
    assert not definition_of(Red).state("glowing").final


def test_three_levels_each_build_on_the_one_above() -> None:
    class Second(Lamp):
        dim = State()
        turn_down = Lamp.bright.to(dim)
        turn_up = dim.to(Lamp.bright)

    digest, held = definition_of(Second).digest, transitions(Second)

    class Third(Second):
        off = State()
        repair = None
        cut = off.from_(Lamp.dark, Second.dim, command=True)
        restore = off.to(Second.dark)

    class Fourth(Third):
        dim = None

    assert (definition_of(Second).digest, transitions(Second)) == (digest, held)
    assert [edge for edge in edges(Third) if edge[0] in {"cut", "restore", "turn_down", "overheat"}] == [
        ("overheat", "dark", "broken"),
        ("overheat", "bright", "broken"),
        ("overheat", "dim", "broken"),
        ("overheat", "off", "broken"),
        ("turn_down", "bright", "dim"),
        ("cut", "dark", "off"),
        ("cut", "dim", "off"),
        ("restore", "off", "dark"),
    ]
    assert ("cut", "dark", "off") in edges(Fourth)
    assert not [edge for edge in edges(Fourth) if "dim" in edge]


def test_methods_come_from_plain_mixins_on_either_side() -> None:
    class Power:
        def has_power(self) -> bool:
            return False

        def on_enter_broken(self) -> None:
            self.notes.append("broken")  # type: ignore[attr-defined]

    class Mixed(Power, Lamp):
        pass

    class Trailing(Lamp, Power):
        pass

    assert run(Mixed(), "turn_on") == "dark"
    assert run(Trailing(), "turn_on") == "bright"
    machine = Mixed()
    run(machine, "fail")
    assert machine.notes == ["exit", "broken"]


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


def test_settings_of_a_chart_can_change_in_a_subclass() -> None:
    class Sent(Lamp):
        chart_is_automatic = False
        chart_fault_event = "fail"

    assert not definition_of(Sent).automatic
    assert definition_of(Sent).fault_event == "fail"

    class Again(Sent):
        chart_fault_event = None

    assert definition_of(Again).fault_event is None


def test_attribute_that_is_none_stays_an_attribute() -> None:
    class Base(Lamp):
        colour: str | None = "white"
        _cache = None

    class Derived(Base):
        colour = None
        shade: str | None = None

    assert Derived.colour is None
    assert Derived.shade is None


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
