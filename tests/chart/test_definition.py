"""The neutral definition: what it says of a chart, and that its digest is one of everything in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from mm_fsm.chart import (
    Budget,
    BudgetMeasure,
    CallbackDefinition,
    Chart,
    ChartDefinition,
    EdgeDefinition,
    GuardTerm,
    Hierarchy,
    Nesting,
    Origin,
    State,
    StateDefinition,
    computing,
    definition_of,
    waiting,
)


class Ferry(Chart):
    """A small chart with everything a definition can hold."""

    chart_fault_event = "error_execution"

    at_quay = State(initial=True, purpose="takes cars on board", budget=waiting(milliseconds=500), enter="open_gate")
    at_sea = State("AT SEA", exit=("blow_horn", "slow_down"), budget=computing(milliseconds=20))
    sunk = State(final=True)

    leave = at_quay.to(at_sea, cond=("is_full", "is_calm"), unless="is_late", before="close_gate", note="by the tide")
    arrive = at_sea.to(at_quay, after="blow_horn")
    roll = at_sea.to.itself(internal=True, cond="is_calm", excluded="the sea is never calm", ahead_of="arrive")
    error_execution = sunk.from_.any(command=True, on="call_for_help")

    def is_full(self) -> bool:
        return True

    def is_calm(self) -> bool:
        return True

    def is_late(self) -> bool:
        return True

    def open_gate(self) -> None: ...

    def close_gate(self) -> None: ...

    def blow_horn(self) -> None: ...

    def slow_down(self) -> None: ...

    def call_for_help(self) -> None: ...

    def on_arrive(self) -> None: ...


FERRY = ChartDefinition(
    name="Ferry",
    states=(
        StateDefinition(
            id="at_quay",
            name="At quay",
            purpose="takes cars on board",
            initial=True,
            budget=Budget(500, BudgetMeasure.WAITING),
            enter=(CallbackDefinition("open_gate"),),
        ),
        StateDefinition(
            id="at_sea",
            name="AT SEA",
            budget=Budget(20, BudgetMeasure.COMPUTING),
            exit=(CallbackDefinition("blow_horn"), CallbackDefinition("slow_down")),
        ),
        StateDefinition(id="sunk", name="Sunk", final=True),
    ),
    edges=(
        EdgeDefinition(
            event="leave",
            source="at_quay",
            target="at_sea",
            guards=(GuardTerm("is_full"), GuardTerm("is_calm"), GuardTerm("is_late", expected=False)),
            before=(CallbackDefinition("close_gate"),),
            note="by the tide",
        ),
        EdgeDefinition(
            event="roll",
            source="at_sea",
            target="at_sea",
            guards=(GuardTerm("is_calm"),),
            internal=True,
            excluded="the sea is never calm",
        ),
        EdgeDefinition(
            event="arrive",
            source="at_sea",
            target="at_quay",
            on=(CallbackDefinition("on_arrive"),),
            after=(CallbackDefinition("blow_horn"),),
        ),
        EdgeDefinition(
            event="error_execution",
            source="at_quay",
            target="sunk",
            command=True,
            on=(CallbackDefinition("call_for_help"),),
        ),
        EdgeDefinition(
            event="error_execution",
            source="at_sea",
            target="sunk",
            command=True,
            on=(CallbackDefinition("call_for_help"),),
        ),
    ),
    fault_event="error_execution",
)


def test_definition_says_what_the_class_body_wrote() -> None:
    assert definition_of(Ferry) == FERRY


def test_definition_lists_events_guards_and_callbacks_once_in_order() -> None:
    assert FERRY.events == ("leave", "roll", "arrive", "error_execution")
    assert FERRY.guard_names == ("is_full", "is_calm", "is_late")
    assert FERRY.callback_names == (
        "open_gate",
        "blow_horn",
        "slow_down",
        "close_gate",
        "on_arrive",
        "call_for_help",
    )


def test_initial_state_and_edges_of_a_state() -> None:
    assert FERRY.initial.id == "at_quay"
    assert [edge.event for edge in FERRY.edges_from("at_sea")] == ["roll", "arrive", "error_execution"]
    assert list(FERRY.edges_from("sunk")) == []


def test_state_is_found_by_its_name_and_an_unknown_one_is_an_error() -> None:
    assert FERRY.state("sunk").final
    with pytest.raises(KeyError) as caught:
        FERRY.state("on_land")
    assert caught.value.args == ("Ferry has no state 'on_land'; it has ['at_quay', 'at_sea', 'sunk'].",)


def test_edge_is_identified_by_source_event_guards_and_target() -> None:
    assert [edge.id for edge in FERRY.edges] == [
        "at_quay --leave [is_full and is_calm and not is_late]--> at_sea",
        "at_sea --roll [is_calm]--> at_sea",
        "at_sea --arrive--> at_quay",
        "at_quay --error_execution--> sunk",
        "at_sea --error_execution--> sunk",
    ]


def test_budget_reads_as_time_and_measure() -> None:
    assert str(waiting(milliseconds=300)) == "300 ms waiting"
    assert str(computing(milliseconds=10)) == "10 ms computing"


@pytest.mark.parametrize("milliseconds", [0, -1])
def test_budget_that_is_not_positive_is_refused(milliseconds: int) -> None:
    with pytest.raises(ValueError, match=f"expected a positive number, found {milliseconds}"):
        waiting(milliseconds=milliseconds)


CHANGES: list[tuple[str, Any]] = [
    ("name", "Barge"),
    ("fault_event", None),
    ("automatic", False),
    ("states", FERRY.states[:-1]),
    ("edges", FERRY.edges[::-1]),
    ("hierarchy", Hierarchy(parents={"at_sea": "docked"}, nesting={"docked": Nesting.COMPOUND})),
    ("origins", {"depart": Origin.FAULT}),
]
STATE_CHANGES: dict[str, Any] = {
    "id": "quay",
    "name": "Quay",
    "purpose": "",
    "initial": False,
    "final": True,
    "budget": Budget(500, BudgetMeasure.COMPUTING),
    "enter": (),
    "exit": (CallbackDefinition("open_gate"),),
}
EDGE_CHANGES: dict[str, Any] = {
    "event": "depart",
    "source": "at_sea",
    "target": "sunk",
    "guards": FERRY.edges[0].guards[::-1],
    "internal": True,
    "command": True,
    "before": (CallbackDefinition("close_gate", ("risk.review",)),),
    "on": (CallbackDefinition("close_gate"),),
    "after": (CallbackDefinition("close_gate"),),
    "note": "",
    "excluded": "never",
    "number": 2,
}
CHANGES += [
    (f"state {name}", attrs.evolve(FERRY.states[0], **{name: value})) for name, value in STATE_CHANGES.items()
] + [(f"edge {name}", attrs.evolve(FERRY.edges[0], **{name: value})) for name, value in EDGE_CHANGES.items()]


def test_changes_cover_every_field() -> None:
    assert {name for name, _ in CHANGES} == {
        *(field.name for field in attrs.fields(ChartDefinition)),
        *(f"state {field.name}" for field in attrs.fields(StateDefinition)),
        *(f"edge {field.name}" for field in attrs.fields(EdgeDefinition)),
    }


@pytest.mark.parametrize(("name", "value"), CHANGES, ids=[name for name, _ in CHANGES])
def test_digest_changes_with_every_part_of_the_definition(name: str, value: Any) -> None:
    if isinstance(value, StateDefinition):
        changed = attrs.evolve(FERRY, states=(value, *FERRY.states[1:]))
    elif isinstance(value, EdgeDefinition):
        changed = attrs.evolve(FERRY, edges=(value, *FERRY.edges[1:]))
    else:
        changed = attrs.evolve(FERRY, **{name: value})
    assert changed.digest != FERRY.digest
    assert len(changed.digest) == 64


def test_digest_is_the_same_in_every_process() -> None:
    program = (
        "import runpy, sys; names = runpy.run_path(sys.argv[1]); print(names['definition_of'](names['Ferry']).digest)"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program, __file__],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == FERRY.digest
