"""What each criterion asks of each chart, and what a run of it has seen, counted by hand."""

from __future__ import annotations

import asyncio

import pytest
from statemachine.exceptions import TransitionNotAllowed

from mm_fsm.chart import chart_of
from mm_fsm.coverage.criteria import RECORDED, Criterion
from mm_fsm.coverage.result import ChartResult
from tests.coverage.charts import (
    Door,
    Download,
    Lamp,
    Loops,
    Melting,
    Pausing,
    Player,
    Regions,
    Siblings,
    Twice,
)
from tests.coverage.recording import recording

# In order: states, transitions, guards, mcdc, pairs, roundtrip, sneak. None: not defined for states within states.
TOTALS = {
    # guards: unlocked and blocked, twice each. mcdc: two decide, all pass. pairs: push-pull, push-tear_off, pull-push.
    # paths: push-pull, push-tear_off. cells: shut has 2 foreign events, ajar 1, gone 3.
    Door: (3, 3, 4, 3, 3, 2, 6),
    # One guard answers twice, but decides and passes on each of two edges. The event is accepted everywhere.
    Siblings: (2, 2, 2, 4, 2, 1, 0),
    # pairs: note, again and back lead to here, each with 3 followers; move has 1. cells: here 1, there 3.
    Loops: (2, 4, 0, 0, 10, 3, 4),
    # Two events make two edges of one transition; its guard decides once for both.
    Twice: (2, 2, 2, 2, 0, 2, 2),
    # The edge without an event counts as an edge, and is sent nowhere.
    Melting: (2, 2, 2, 2, 2, 1, 1),
    # pairs: faster-stop, stop-play, play-faster, play-stop. cells: slow 1, fast 2, stopped 2.
    Player: (4, 3, 0, 0, 4, None, 5),
    # pairs: in each region go-return and return-go, and finish after each of the four. cells: four states 3, over 5.
    Regions: (8, 5, 0, 0, 8, None, 17),
    # The history state is none that can be active. pairs: faster-pause, pause-resume, resume-pause, resume-faster.
    Pausing: (4, 3, 0, 0, 4, None, 5),
    Download: (2, 2, 2, 2, 2, 1, 2),
    # Without the excluded edge: 3 of 4 transitions, 3 of 4 pairs, 2 of 3 paths.
    Lamp: (3, 3, 2, 2, 3, 2, 5),
}


@pytest.mark.parametrize("chart", TOTALS, ids=lambda chart: chart.__name__)
def test_totals_are_those_counted_by_hand(chart: type) -> None:
    """What is asked for does not depend on any machine having been made."""
    with recording(chart) as seen:
        pass
    results = ChartResult.of(seen.chart, list(RECORDED)).criteria
    assert tuple(result.total if result.is_measured else None for result in results) == TOTALS[chart]
    assert sum(result.covered for result in results) == 0


def test_what_the_lamp_excludes_is_excluded_with_all_that_needs_it() -> None:
    with recording(Lamp) as seen:
        pass
    excluded = {criterion: len(seen.criterion(criterion).excluded) for criterion in RECORDED}
    assert {criterion.value: count for criterion, count in excluded.items() if count} == {
        "transitions": 1,  # explode
        "pairs": 1,  # switch off, then explode
        "roundtrip": 1,  # explode from dark
    }
    assert seen.criterion(Criterion.TRANSITIONS).excluded[0].excluded == "a dark lamp is cold"


def test_flat_with_guards() -> None:
    with recording(Door) as seen:
        door = Door()
        with pytest.raises(TransitionNotAllowed):
            door.send("pull")  # not accepted by shut
        door.unlocked = False
        with pytest.raises(TransitionNotAllowed):
            door.send("push")  # unlocked decides; blocked is not asked
        door.unlocked = True
        door.send("push")
        door.send("pull")
        door.send("push")
        door.send("tear_off")
    assert seen.states == {"shut": 2, "ajar": 2, "gone": 1}
    assert seen.edges == {"shut.push": 2, "ajar.pull": 1, "ajar.tear_off": 1}
    assert seen.answers == {
        ("push", "unlocked", False): 1,
        ("push", "unlocked", True): 2,
        ("push", "blocked", False): 2,
    }
    assert seen.pairs == {("push", "pull"), ("pull", "push"), ("push", "tear_off")}
    assert seen.paths == {"ajar.pull", "ajar.tear_off"}
    assert seen.sneaks == {("shut", "pull")}
    assert [one.gap for one in seen.criterion(Criterion.MCDC).missing] == [
        "state shut, event push: guard blocked was never True while unlocked was True, so it never decided"
    ]
    assert [one.gap for one in seen.criterion(Criterion.GUARDS).missing] == [
        "guard blocked: never answered True (asked by state shut, event push)"
    ]


def test_a_guard_shared_by_two_edges_answers_once_for_both_and_decides_for_each() -> None:
    with recording(Siblings) as seen:
        machine = Siblings()
        machine.send("cross")
        machine.is_free = False
        with pytest.raises(TransitionNotAllowed):
            machine.send("cross")
    assert not seen.criterion(Criterion.GUARDS).missing
    assert [one.key for one in seen.criterion(Criterion.MCDC).missing] == [
        "left --cross [is_free]--> right: is_free decides",
        "right --cross [is_free]--> left: all pass",
    ]


def test_internal_and_self_transitions() -> None:
    """An internal transition enters nothing; a self transition enters its state again."""
    with recording(Loops) as seen:
        machine = Loops()
        for event in ("note", "again", "note", "move", "back"):
            machine.send(event)
    assert seen.edges == {"here.note": 2, "here.again": 1, "here.move": 1, "there.back": 1}
    assert seen.states == {"here": 3, "there": 1}  # the start, again, back; move
    assert seen.pairs == {("note", "again"), ("again", "note"), ("note", "move"), ("move", "back")}
    assert seen.paths == {"here.note", "here.again", "there.back"}


def test_several_events_on_one_edge() -> None:
    """Each event is an edge of its own; the guard that they share decides once."""
    with recording(Twice) as seen:
        machine = Twice()
        machine.may = False
        with pytest.raises(TransitionNotAllowed):
            machine.send("enter")
        machine.may = True
        machine.send("break_in")
    assert seen.edges == {"closed.break_in": 1}
    assert not seen.criterion(Criterion.MCDC).missing
    assert [one.key for one in seen.criterion(Criterion.TRANSITIONS).missing] == ["closed --enter [may]--> opened"]


def test_an_edge_without_an_event() -> None:
    with recording(Melting) as seen:
        machine = Melting()
        machine.send("heat")  # is_cold is asked, and answers False
        machine.send("heat")  # not accepted by liquid
        machine.is_cold = True
        machine.send("heat")  # first the edge without an event is taken, then heat is accepted, then it is taken again
    assert seen.edges == {"solid.heat": 2, "liquid.(no event)": 2}
    assert seen.paths == {"liquid.(no event)"}
    assert seen.sneaks == {("liquid", "heat")}
    assert seen.criterion(Criterion.MCDC).covered == 2


def test_compound() -> None:
    with recording(Player) as seen:
        machine = Player()
        for event in ("faster", "faster", "stop", "play", "stop"):
            machine.send(event)
    assert seen.states == {"playing": 2, "slow": 2, "fast": 1, "stopped": 2}
    assert seen.edges == {"slow.faster": 1, "playing.stop": 2, "stopped.play": 1}
    assert seen.pairs == {("faster", "stop"), ("stop", "play"), ("play", "stop")}
    assert seen.sneaks == {("fast", "faster")}


def test_parallel() -> None:
    """Regions go their own ways: what follows in one is not broken by what happens in the other."""
    with recording(Regions) as seen:
        machine = Regions()
        for event in ("go", "go_right", "return_left", "finish"):
            machine.send(event)
    assert seen.edges == {"l1.go": 1, "r1.go_right": 1, "l2.return_left": 1, "both.finish": 1}
    assert seen.states == {"both": 1, "left": 1, "right": 1, "l1": 2, "l2": 1, "r1": 1, "r2": 1, "over": 1}
    assert seen.pairs == {("go", "return_left"), ("return_left", "finish")}
    # Whatever a region does not accept is sent there too, and leaves it as it is.
    assert seen.sneaks == {("r1", "go"), ("l2", "go_right"), ("r2", "return_left")}


def test_history() -> None:
    """A pair with the edge that resumes is seen for the state that was really restored."""
    with recording(Pausing) as seen:
        machine = Pausing()
        for event in ("faster", "pause", "resume", "pause"):
            machine.send(event)
        assert "fast" not in machine.configuration_values
    assert seen.states == {"playing": 2, "slow": 1, "fast": 2, "paused": 2}
    assert seen.pairs == {("faster", "pause"), ("pause", "resume"), ("resume", "pause")}


def test_asynchronous() -> None:
    async def run() -> None:
        machine = Download()
        await machine.activate_initial_state()
        with pytest.raises(TransitionNotAllowed):
            await machine.send("finish")
        await machine.start()
        await machine.finish()
        machine.online = False
        with pytest.raises(TransitionNotAllowed):
            await machine.start()

    with recording(Download) as seen:
        asyncio.run(run())
    assert seen.edges == {"idle.start": 1, "running.finish": 1}
    assert seen.answers == {("start", "is_online", True): 1, ("start", "is_online", False): 1}
    assert seen.sneaks == {("idle", "finish")}
    assert seen.paths == {"running.finish"}


def test_one_of_our_charts_run_by_its_own_engine() -> None:
    """A chart without a machine of ours around it is watched through python-statemachine."""
    with recording(Lamp) as seen:
        lamp = Lamp()
        engine = chart_of(Lamp)(model=lamp)
        lamp.power = False
        engine.send("switch")
        lamp.power = True
        for event in ("switch", "explode", "burn", "switch"):
            engine.send(event)
    assert seen.edges == {"dark.switch": 1, "lit.burn": 1}
    assert seen.answers == {("switch", "has_power", False): 1, ("switch", "has_power", True): 1}
    assert seen.sneaks == {("lit", "explode"), ("burnt", "switch")}
