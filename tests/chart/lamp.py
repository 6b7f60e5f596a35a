"""A chart whose subclasses must never change it, and how to look at it."""

from __future__ import annotations

from typing import Any

from mm_fsm.chart import Chart, State, chart_of, definition_of


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


def check_lamp() -> None:
    """The lamp is as it was, in every way it can be looked at."""
    assert edges(Lamp) == LAMP_EDGES
    assert definition_of(Lamp).digest == LAMP_DIGEST
    assert transitions(Lamp) == LAMP_TRANSITIONS
    assert chart_of(Lamp) is LAMP_ENGINE
    assert sorted(LAMP_TRANSITIONS) == sorted(LAMP_EDGES)
    assert Lamp.dark.declared == []
    assert run(Lamp(), "turn_on") == "bright"
