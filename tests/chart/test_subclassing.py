"""A subclass adds, replaces and removes; its parent stays as it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mm_fsm.chart import Chart, State, chart_of, computing, definition_of
from tests.chart.lamp import LAMP_EDGES, LAMP_ENGINE, LAMP_TRANSITIONS, Lamp, check_lamp, edges, run, transitions


@pytest.fixture(autouse=True)
def parent_stays_as_it_was() -> Iterator[None]:
    """Whatever a test does with subclasses, the parent is the same afterwards."""
    yield
    check_lamp()


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


def test_removed_state_may_be_one_that_an_edge_from_any_state_excludes() -> None:
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
