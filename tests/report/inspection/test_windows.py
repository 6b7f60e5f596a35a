"""Windows hold every step, and applying their changes from the beginning shows what was shown; columns are bounded."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.machine.results import TransitionRecord
from mm_fsm.report.inspection import overview as overview_module
from mm_fsm.report.inspection.overview import Overview
from mm_fsm.report.inspection.steps import InspectedStep, Message
from mm_fsm.report.inspection.watching import EdgeTaken, GuardAnswer, ServiceAnswer
from mm_fsm.report.inspection.windows import STEPS_A_WINDOW, StepKind, Window, WindowPacker, kinds_of, unpacked
from tests.report.inspection.recorded import record, steps_of, track_of

SECTIONS = st.sampled_from(
    [("bands", "bid"), ("bands", "ask"), ("lines", "mid"), ("money", "cash"), ("orders", "1", "price")]
)
SHOWN = st.dictionaries(SECTIONS, st.sampled_from([None, "1", "2", "live", "</script><script>x"]), max_size=5)


def step_at(sequence: int, shown: dict[tuple[str, ...], str | None], **changes: Any) -> InspectedStep:
    values: dict[str, Any] = {
        "segment": 1,
        "sequence": sequence,
        "time": 1_700_000_000_000_000_000 + sequence,
        "fact": Message(kind="Timer", fields={}),
        "is_fill": False,
        "state": "idle",
        "trace": (),
        "shown": shown,
    }
    return InspectedStep(**{**values, **changes})


def applied(content: dict[str, Any], number: int) -> dict[tuple[str, ...], str | None]:
    """What a page shows at a step: the beginning, then every change up to it."""
    paths = [tuple(path) for path in content["paths"]]
    shown = {paths[place]: value for place, value in content["before"]}
    for step in content["steps"][: number + 1]:
        shown.update({paths[place]: value for place, value in step.get("d", [])})
        for place in step.get("g", []):
            del shown[paths[place]]
    return shown


@given(st.lists(SHOWN, min_size=1, max_size=12), SHOWN)
def test_changes_lead_to_exactly_what_was_shown(shown: list[Any], before: Any) -> None:
    packer = WindowPacker(before)
    for sequence, each in enumerate(shown, start=1):
        packer.add(step_at(sequence, each), StepKind(0))
    content = unpacked(packer.finished())
    for number, each in enumerate(shown):
        assert applied(content, number) == each


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("run") / "run.journal", processes=2, seconds=60)


def test_windows_hold_every_step_of_a_journal(journal: Path) -> None:
    steps, track = steps_of(journal), track_of(journal)
    unread = iter(steps)
    for window in track.windows:
        content = unpacked(window)
        assert 1 <= len(content["steps"]) <= STEPS_A_WINDOW
        for number, found in enumerate(content["steps"]):
            assert_same(content, number, found, next(unread))
        assert window.place.first == content["steps"][0]["n"]
        assert window.place.last == content["steps"][-1]["n"]
        assert content["segment"] == window.place.segment
    assert next(unread, None) is None
    assert len(track.decisions) == len(steps)


def assert_same(content: dict[str, Any], number: int, found: dict[str, Any], step: InspectedStep) -> None:
    entries = [content["entries"][place] for place in content["traces"][found["a"]]]
    kinds = {"GuardAnswer": GuardAnswer, "ServiceAnswer": ServiceAnswer, "EdgeTaken": EdgeTaken}
    assert tuple(kinds[kind](*rest) for kind, *rest in entries) == step.trace
    assert (found["n"], int(content["time"]) + found["t"]) == (step.sequence, step.time)
    assert (found["f"], found.get("v", {})) == (step.fact.kind, dict(step.fact.fields))
    assert found["s"] == step.state
    assert tuple(TransitionRecord(*each) for each in found.get("e", [])) == step.transitions
    assert [Message(kind=kind, fields=fields) for kind, fields in found.get("i", [])] == list(step.intents)
    assert tuple(found.get("r", [])) == step.reasons
    assert (found["t"] + found["w"] + int(content["time"]) if "w" in found else None) == step.wake_at
    assert applied(content, number) == step.shown


def test_what_one_can_jump_to() -> None:
    before = {("bands", "bid"): "live", ("money", "cash"): "1"}
    held = {("bands", "bid"): "held: funds", ("money", "cash"): "1"}
    assert kinds_of(step_at(1, before), before) == StepKind(0)
    assert kinds_of(step_at(1, held), before) == StepKind.HOLD
    assert kinds_of(step_at(1, {("money", "cash"): "2"}), before) == StepKind.HOLD  # the side is not shown any more
    assert kinds_of(step_at(1, {}, trace=None), before) == StepKind(0)  # nobody knows: it was not replayed
    assert kinds_of(step_at(1, before, is_fill=True), before) == StepKind.FILL
    assert kinds_of(step_at(1, before, faults=(("funds", "none", True),)), before) == StepKind.FAULT
    moved = (TransitionRecord("idle", "ready", "busy"),)
    assert kinds_of(step_at(1, before, transitions=moved, strayed="intents"), before) == (
        StepKind.TRANSITION | StepKind.DIFFERENCE
    )


@given(
    st.lists(st.tuples(st.integers(0, 400_000_000), st.sampled_from(["idle", "busy", "done"])), min_size=2, max_size=60)
)
def test_columns_hold_all_the_time_and_every_fill_however_few_they_are(moves: list[tuple[int, str]]) -> None:
    """Time in each state, summed over all columns, is the time between the steps, counted here by itself."""
    overview, time, expected = Overview(), 0, Counter[str]()
    steps = []
    for sequence, (pause, state) in enumerate(moves, start=1):
        steps.append(step_at(sequence, {("lines", "mid"): str(sequence)}, time=time, state=state))
        expected[state] += pause
        time += pause
    steps.append(step_at(len(steps) + 1, {}, time=time, state="done"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overview_module, "MOST_COLUMNS", 7)
        for step in steps:
            overview.add(step, StepKind.FILL)
    columns = overview._columns.values()
    assert len(columns) <= 7
    found = sum((column.states for column in columns), Counter[str]())
    assert found == +expected
    assert sum(column.kinds[int(StepKind.FILL)] for column in columns) == len(steps)
    lows, highs = zip(*(column.lines["mid"] for column in columns if column.lines), strict=True)
    assert (min(lows), max(highs)) == (1.0, float(len(moves)))
    places = [entry["p"] for entry in overview.entry()["columns"]]
    assert places[0] == 0
    assert all(later == earlier + 1 for earlier, later in pairwise(places))


def test_time_without_a_process_is_nobodys() -> None:
    """A second between two segments of one process counts; ten between two processes do not."""
    overview, second = Overview(), 1_000_000_000
    for sequence, (time, segment) in enumerate([(0, 1), (2, 1), (3, 2), (13, 3), (14, 3)], start=1):
        if segment == 3 and sequence == 4:
            overview.begin_process()
        overview.add(step_at(sequence, {}, time=time * second, segment=segment), StepKind(0))
    states = sum((column.states for column in overview._columns.values()), Counter[str]())
    assert states == {"idle": 4 * second}


def test_a_window_without_a_step_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a step"):
        WindowPacker({}).finished()


def test_a_window_is_the_same_bytes_each_time() -> None:
    def packed() -> Window:
        packer = WindowPacker({})
        packer.add(step_at(1, {("money", "cash"): "1"}), StepKind(0))
        return packer.finished()

    assert packed() == packed()
