"""What losing fills lead to: wider spreads, and a hold only where the widest is not enough, and not back and forth.

A round trip is to earn 1 bps. A fill is half of one: fills that lose L bps each lack 1 + 2 L, of which 2 are tolerated.
30 fills are needed to judge. Without volatility and market spread the quotes of these situations are 10 bps wide, with
50 at most.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from mm_fsm.core.decisions import HoldReason, QuotePlan
from mm_fsm.core.messages import Side
from mm_fsm.services.adverse_selection import judge_adverse_selection
from mm_fsm.services.spreads import DefaultSpreadService
from tests.services.situation import SECOND, START, Situation


def widening(situation: Situation) -> float:
    return judge_adverse_selection(situation.context).widening_bps


def priced(situation: Situation) -> QuotePlan:
    return DefaultSpreadService().price_quotes(situation.context)


def calm(**settings: object) -> Situation:
    """Quotes are 10 bps wide, whatever the market shows."""
    return Situation(market_spread_share=0.0, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(("fills", "expected"), [(29, 0), (30, 11), (31, 11)])
def test_thirty_fills_are_needed(fills: int, expected: float) -> None:
    assert widening(Situation().losing_fills(fills, 5)) == pytest.approx(expected)


@pytest.mark.parametrize(("loss", "expected"), [(-4, 0), (-0.5, 0), (0, 0), (0.49, 0), (0.51, 2.02), (2.5, 6), (7, 15)])
def test_all_that_is_missing_widens_once_it_is_more_than_is_tolerated(loss: float, expected: float) -> None:
    assert widening(Situation().losing_fills(30, loss)) == pytest.approx(expected)


@pytest.mark.parametrize(("fee", "expected"), [(2.0, 5), (0.0, 0), (-2.0, 0), (10.0, 21)])
def test_what_fills_paid_counts_and_a_rebate_helps(fee: float, expected: float) -> None:
    """Fills that neither gain nor lose before fees: 1 + 2 * fee."""
    assert widening(Situation().losing_fills(30, 0, fee_bps=fee)) == pytest.approx(expected)


def test_a_rebate_pays_for_a_loss() -> None:
    """3 lost, 3 given back: 1 is missing, which is tolerated."""
    assert widening(Situation().losing_fills(30, 3, fee_bps=-3)) == 0


def test_nothing_widens_while_the_interval_has_a_mean_that_would_do() -> None:
    """Two batches of fills that lose 5 on average, 4 and 6: with one degree of freedom t is 12.7, and both count alike.

    The deviation of their mean is sqrt(2 / 1 * (15^2 + 15^2)) / 30 / sqrt(1) = 1, so the mean lies between -17.7 and
    +7.7. At 4.9 and 5.1 the deviation is a tenth of that: -6.27 to -3.73.
    """
    assert widening(Situation().losing_fills(30, 5, spread_bps=1)) == 0
    assert widening(Situation().losing_fills(30, 5, spread_bps=0.1)) == pytest.approx(11, abs=0.1)


def test_only_the_judged_horizon_decides() -> None:
    """Lost for good at 60 s, nothing lost at 30 s."""
    at_thirty, at_sixty = Situation(), Situation(adverse_selection_horizon_seconds=60)
    for situation in (at_thirty, at_sixty):
        tracker = situation.context.markouts
        for batch in range(2):
            begin = START + batch * 480 * SECOND
            tracker.observe(begin, 100.0)
            situation.record_quotes(begin, 15)
            tracker.observe(begin + 31 * SECOND, 99.9)
            tracker.observe(begin + 61 * SECOND, 100.0)
    assert widening(at_thirty) == 0
    assert widening(at_sixty) == pytest.approx(21)  # 10 bps a fill


def test_a_spread_that_is_widened_stays_so_until_less_than_half_of_what_is_tolerated_is_missing() -> None:
    def is_widened(loss: float, *, before: bool) -> bool:
        situation = Situation()
        situation.context.is_widened_for_adverse_selection = before
        return judge_adverse_selection(situation.losing_fills(30, loss).context).is_widened

    assert not is_widened(0.25, before=False)  # 1.5 is missing
    assert is_widened(0.25, before=True)
    assert not is_widened(-0.05, before=True)  # 0.9


def test_both_sides_widen_by_what_is_missing_within_the_bounds() -> None:
    plan = priced(calm().losing_fills(30, 5))
    assert (plan.bid_spread_bps, plan.ask_spread_bps) == pytest.approx((21, 21))
    assert (plan.bid_widening_bps, plan.ask_widening_bps) == pytest.approx((11, 11))
    assert plan.is_widened
    plan = priced(calm(max_spread_bps=18.0).losing_fills(30, 5))
    assert plan.bid_widening_bps == pytest.approx(8)


def test_quotes_that_widening_helped_do_not_end_it() -> None:
    """Fills that earn 0.5 each, the goal, with 11 bps of widening and 5.5 a side: without it they would lose 5."""
    situation = calm().losing_fills(30, -0.5, widened_bps=5.5)
    situation.context.is_widened_for_adverse_selection = True
    assert widening(situation) == pytest.approx(11)


def test_a_fill_is_recorded_with_what_it_paid_and_what_its_own_order_owes_to_widening() -> None:
    """3 bps as charged, not 2 as scheduled; 8.25 as placed, not the 11 bps of the plan as it is now."""
    situation = calm(maker_bps="2").losing_fills(30, 5)
    situation.adopt(priced(situation))
    order = situation.rest(Side.BID, "99.90", "1", level=1, widened_bps=8.25)
    situation.fill(order, "1", fee="0.02997")
    (fill,) = {fill for *_, fill in situation.context.markouts._pending if fill.fee_bps}
    assert (fill.level, fill.widened_bps) == (1, 8.25)
    assert fill.fee_bps == pytest.approx(3)


@pytest.mark.parametrize(("batches", "expected"), [(1, 11), (2, 10.78), (36, 5.424), (118, 1.035), (120, 0)])
def test_what_widens_ages_while_no_quote_fills(batches: int, expected: float) -> None:
    """11 bps are missing. A batch is two minutes, and each that ends without a fill takes 2 %: 0.98^35 is 0.4931.

    117 take it to 1.035, and 119 below half of the 2 bps that are tolerated: four hours.
    """
    situation = calm().losing_fills(30, 5)
    context = situation.context
    context.is_widened_for_adverse_selection = True
    last_fills = context.markouts.quote_edge._number * 120
    situation.at(last_fills - START // SECOND + batches * 120)
    assert widening(situation) == pytest.approx(expected, abs=0.001)


def test_a_fill_after_a_quiet_time_says_whether_the_widening_is_still_needed() -> None:
    """30 fills lost 5 each, five hours ago: 0.98^150 of them, 1.45, are left beside eight that earn 0.5 or lose 5.

    (8 * 0.5 - 1.45 * 5) / 9.45 = -0.344, so 1.69 is missing; with all 30 of them it were 8.7.
    """
    for loss, expected in ((5, 11), (-0.5, 1.69)):
        situation = calm().losing_fills(30, 5)
        situation.at(5 * 3600).book("99.95", "100.05")
        assert widening(situation) == 0
        situation.losing_fills(8, loss)
        situation.context.is_widened_for_adverse_selection = True
        assert widening(situation) == pytest.approx(expected, abs=0.01)


def test_what_was_lost_years_ago_says_nothing() -> None:
    """Nothing is left of it, not even the smallest number there is; no hold comes of that."""
    situation = calm().losing_fills(30, 25)
    situation.at(5 * 365 * 86_400).book("99.95", "100.05")
    plan = priced(situation)
    assert plan.bid_hold is None or plan.bid_hold.reason is not HoldReason.ADVERSE_SELECTION
    assert not plan.is_widened


@pytest.mark.parametrize(("loss", "is_held"), [(19.4, False), (19.6, True)])
def test_quoting_is_held_only_where_the_widest_spread_is_not_enough(loss: float, *, is_held: bool) -> None:
    """From 10 bps the spread can widen by 40: 1 + 2 * 19.5."""
    plan = priced(calm().losing_fills(30, loss))
    for hold in (plan.bid_hold, plan.ask_hold):
        assert (hold is not None) is is_held
        if hold is not None:
            assert hold.reason is HoldReason.ADVERSE_SELECTION
            assert hold.until == START + 60 * SECOND
            assert "40.2 bps; the spread can widen by 40.0" in hold.detail


def test_the_side_that_inventory_widens_does_not_take_room_from_the_other() -> None:
    """Full of inventory, the bid is at its widest; the ask can still widen, and what is missing is little."""
    situation = calm(offset="8", max_position_size=Decimal(10)).losing_fills(30, 5)
    plan = priced(situation)
    assert plan.bid_spread_bps == 50
    assert plan.ask_hold is None


def test_nothing_is_held_while_the_interval_has_a_mean_for_which_the_widest_spread_would_do() -> None:
    """40.2 bps are missing, and with 19.5 and 19.7 as the means of two batches some 2.5 less may be."""
    plan = priced(calm().losing_fills(30, 19.6, spread_bps=0.1))
    assert plan.bid_hold is None
    assert plan.bid_spread_bps == 50


def test_after_a_hold_thirty_new_fills_are_needed_for_another() -> None:
    situation = calm().losing_fills(30, 25)
    context = situation.context
    assert priced(situation).bid_hold is not None
    context.adverse_selection_held_at_fills = context.maker_fill_count
    assert priced(situation.losing_fills(29, 25)).bid_hold is None
    assert priced(situation.losing_fills(1, 25)).bid_hold is not None


def test_more_fills_may_be_asked_for() -> None:
    situation = Situation(adverse_selection_minimum_fills=150)
    assert widening(situation.losing_fills(149, 5)) == 0
    assert widening(situation.losing_fills(1, 5)) == pytest.approx(11)
