"""Why a side is silent, as a page shows it: the reason, who decided, since when, and what would end it."""

from __future__ import annotations

import json
from typing import Any

from mm_fsm.core.decisions import HoldReason
from mm_fsm.core.messages import SIDES
from mm_fsm.report.plain_words import ENDS_WHEN
from mm_fsm.report.silence_words import silences
from mm_fsm.report.status import SessionStatus
from mm_fsm.report.stretches import StretchRecorder
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


def test_the_status_names_the_step_and_the_decision_that_the_whole_record_has() -> None:
    """Against the record of every stretch, on the step that began each one."""
    session = open_session(for_session(read_preset("paper_ethusd"), duration_seconds=100, seed=7))
    status, recorder = SessionStatus(session), StretchRecorder()
    seen = set()
    for result in session.runner.run():
        status.follow(result)
        recorder.take(result, session.machine)
        for each in SIDES:
            stretch, history = recorder.current(each), status.sides[each]
            assert stretch is not None
            shown = json.loads(json.dumps(status.entry()["sides"][each.value]))
            if shown["is_live"]:
                assert (shown["began_with"], shown["decided_by"]) == (None, None)
            elif history.began is result and stretch.began is not None and stretch.began.step == result.sequence:
                recorded = stretch.entry()
                assert shown["began_with"] == recorded["began_with"]
                assert shown["decided_by"] == recorded["decided_by"]
                seen.add(shown["reason"])
    assert {"warming_up", "orders_in_flight", "stopping", "completed"} <= seen
