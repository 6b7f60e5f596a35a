"""Why a side is silent, as a page shows it: the reason, who decided, since when, and what would end it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve

from mm_fsm.core.decisions import HoldReason
from mm_fsm.core.messages import SIDES
from mm_fsm.report.plain_words import ENDS_WHEN
from mm_fsm.report.silence_words import silences
from mm_fsm.report.status import SessionStatus
from mm_fsm.report.stretches import StretchKind, StretchRecorder
from mm_fsm.runtime.session import for_session, open_session
from mm_fsm.runtime.settings_file import read_preset

SECOND = 1_000_000_000
NOON = 1_704_110_400 * SECOND
"""2024-01-01 12:00:00 UTC."""


def side(**changes: Any) -> dict[str, Any]:
    """One that has been held for 70 seconds by a service, until it ends by itself in 20."""
    return {
        "is_live": False, "reason": "adverse_selection", "why": "recent fills were followed by losses",
        "detail": "3.1 bps short", "doing": "it waits", "ends_when": "when its pause is over",
        "since": NOON - 70 * SECOND, "until": NOON + 20 * SECOND, "last_live_at": None,
        "began_with": {"step": 1234, "fact": "market book 1 / 2"},
        "decided_by": {"edges": ["a.x", "b.y"], "guard": "data_stale", "service": "spreads.price_quotes"},
        **changes,
    }  # fmt: skip


def told(**changes: Any) -> dict[str, str]:
    live = {"is_live": True, "reason": None}
    found = dict(silences({"time": NOON, "sides": {"bid": side(**changes), "ask": live}}))
    assert [*found] == ["bid"]
    return {each.question: each.words for each in found["bid"]}


def test_every_reason_says_when_it_ends() -> None:
    assert set(ENDS_WHEN) == set(HoldReason)
    assert not [words for words in ENDS_WHEN.values() if not words]


def test_a_silent_side_says_why_who_decided_since_when_and_what_would_end_it() -> None:
    assert told() == {
        "why": "recent fills were followed by losses: 3.1 bps short",
        "decided by": "the service's spreads.price_quotes; guard data_stale; edge a.x then b.y",
        "since": "11:58:50, for 1:10; step 1,234: market book 1 / 2",
        "ends": "when its pause is over; by itself at 12:00:20, in 20.0 s",
    }


def test_what_nobody_saw_or_knows_is_left_out_and_texts_of_a_venue_move_no_cursor() -> None:
    words = told(decided_by=None, began_with=None, until=None, detail="bad\x1b[2J")
    assert words == {
        "why": "recent fills were followed by losses: bad [2J",
        "since": "11:58:50, for 1:10",
        "ends": "when its pause is over",
    }


def test_nobody_asks_why_while_an_answer_is_on_its_way_or_once_all_is_over() -> None:
    for reason in ("orders_in_flight", "completed"):
        assert not list(silences({"time": NOON, "sides": {"bid": side(reason=reason)}}))


@pytest.mark.parametrize(
    ("seconds", "seed", "changes", "reasons"),
    [
        (100, 7, {}, {"warming_up", "orders_in_flight", "stopping", "completed"}),
        (300, 11, {"max_market_spread_bps": 3}, {"reconciling", "market_spread", "completed"}),
    ],
    ids=["usual market", "market often too wide"],
)
def test_the_status_names_the_step_and_the_decision_that_the_whole_record_has(
    seconds: float, seed: int, changes: dict[str, Any], reasons: set[str]
) -> None:
    """Against the record of every stretch, at every later look too: books that went on are asked nothing again."""
    read = read_preset("paper_ethusd")
    read = evolve(read, strategy=evolve(read.strategy, **changes))
    session = open_session(for_session(read, duration_seconds=seconds, seed=seed))
    status, recorder = SessionStatus(session), StretchRecorder()
    seen = set()
    for result in session.runner.run():
        status.follow(result)
        recorder.take(result, session.machine)
        shown = json.loads(json.dumps(status.entry()["sides"]))
        for each in SIDES:
            stretch, side_shown = recorder.current(each), shown[each.value]
            assert stretch is not None
            if side_shown["is_live"]:
                assert (side_shown["began_with"], side_shown["decided_by"]) == (None, None)
            elif stretch.kind is not StretchKind.UNEXPLAINED:
                recorded = stretch.entry()
                assert side_shown["began_with"] == recorded["began_with"]
                assert side_shown["decided_by"] == recorded["decided_by"]
                seen.add(side_shown["reason"])
    assert reasons <= seen
