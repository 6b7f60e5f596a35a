"""What losing fills lead to: wider spreads, then a hold, and not back and forth.

2 bps of average loss are tolerated, more than 10 hold both sides for a minute, and 30 fills are needed to judge.
"""

from __future__ import annotations

import pytest

from mm_fsm.core.decisions import HoldReason
from mm_fsm.core.messages import Side
from mm_fsm.services.adverse_selection import judge_adverse_selection
from mm_fsm.services.spreads import DefaultSpreadService
from tests.services.situation import SECOND, START, Situation


def excess(situation: Situation) -> float:
    return judge_adverse_selection(situation.context).excess_bps


@pytest.mark.parametrize(("fills", "expected"), [(29, 0), (30, 3), (31, 3)])
def test_thirty_fills_are_needed(fills: int, expected: float) -> None:
    assert excess(Situation().losing_fills(fills, 5)) == pytest.approx(expected)


@pytest.mark.parametrize(("loss", "expected"), [(-4, 0), (0, 0), (1.9, 0), (2.5, 0.5), (7, 5)])
def test_only_what_exceeds_the_tolerated_loss_widens(loss: float, expected: float) -> None:
    assert excess(Situation().losing_fills(30, loss)) == pytest.approx(expected)


def test_a_loss_that_shows_only_after_thirty_seconds_counts() -> None:
    """5 s after the fills the mid still is 100, 30 s after it is 6 bps below: 6 - 2."""
    situation = Situation()
    tracker = situation.context.markouts
    tracker.observe(START, 100.0)
    for _ in range(30):
        tracker.record_fill(START, Side.BID, 100.0, 1.0, 100.0)
    tracker.observe(START + 10 * SECOND, 99.94)
    tracker.observe(START + 40 * SECOND, 100.0)
    assert excess(situation) == pytest.approx(4)


def test_the_worse_of_both_horizons_counts() -> None:
    """Sold at 100: 8 bps lost after 5 s, 3 bps won after 30 s: 8 - 2."""
    situation = Situation()
    tracker = situation.context.markouts
    tracker.observe(START, 100.0)
    for _ in range(30):
        tracker.record_fill(START, Side.ASK, 100.0, 1.0, 100.0)
    tracker.observe(START + SECOND, 100.08)
    tracker.observe(START + 10 * SECOND, 99.97)
    tracker.observe(START + 40 * SECOND, 100.0)
    assert excess(situation) == pytest.approx(6)


def test_a_spread_that_is_widened_stays_so_until_the_loss_is_below_half_the_tolerated_one() -> None:
    def is_widened(loss: float, *, before: bool) -> bool:
        situation = Situation()
        situation.context.is_widened_for_adverse_selection = before
        return judge_adverse_selection(situation.losing_fills(30, loss).context).is_widened

    assert not is_widened(1.5, before=False)
    assert is_widened(1.5, before=True)
    assert not is_widened(0.9, before=True)


def test_a_heavy_loss_holds_both_sides_for_a_while() -> None:
    situation = Situation().losing_fills(30, 11)
    plan = DefaultSpreadService().price_quotes(situation.context)
    for hold in (plan.bid_hold, plan.ask_hold):
        assert hold is not None
        assert hold.reason is HoldReason.ADVERSE_SELECTION
        assert hold.until == START + 60 * SECOND
        assert "11.0 bps" in hold.detail


def test_a_loss_below_the_mark_only_widens() -> None:
    situation = Situation().losing_fills(30, 9.9)
    assert judge_adverse_selection(situation.context).hold is None


def test_after_a_hold_thirty_new_fills_are_needed_for_another() -> None:
    situation = Situation().losing_fills(30, 11)
    context = situation.context
    context.adverse_selection_held_at_fills = context.maker_fill_count
    situation.at(100).losing_fills(29, 11)
    assert judge_adverse_selection(context).hold is None
    situation.at(200).losing_fills(1, 11)
    assert judge_adverse_selection(context).hold is not None


def test_more_fills_may_be_asked_for_than_the_usual_window_holds() -> None:
    situation = Situation(adverse_selection_minimum_fills=150)
    assert excess(situation.losing_fills(149, 5)) == 0
    assert excess(situation.at(100).losing_fills(1, 5)) == pytest.approx(3)
