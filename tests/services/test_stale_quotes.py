"""When quotes no longer stand: age, a move of the mid, inventory crossing its mark, a side missing without a reason.

Half-spreads are 0.10, so that a move of more than a quarter of it, 0.025, makes quotes stale.
"""

from __future__ import annotations

from typing import Any

import pytest

from mm_fsm.core.decisions import Hold, HoldReason
from mm_fsm.core.messages import Side
from mm_fsm.services.spreads import DefaultSpreadService
from tests.services.situation import SECOND, START, Situation, rules

SERVICE = DefaultSpreadService()


def quoting(*arguments: Any, **changes: Any) -> Situation:
    """Quotes priced a moment ago, all of them resting."""
    settings = {"target_spread_bps": 20, "market_spread_share": 0, "max_position_size": 4}
    situation = Situation(*arguments, **(settings | changes))
    return situation.adopt(SERVICE.price_quotes(situation.context))


def is_stale(situation: Situation) -> bool:
    return SERVICE.are_quotes_stale(situation.context)


def test_quotes_stand_right_after_they_were_placed() -> None:
    assert not is_stale(quoting())


def test_without_priced_quotes_there_is_something_to_price() -> None:
    assert is_stale(Situation())


@pytest.mark.parametrize(("seconds", "expected"), [(4.999, False), (5, True), (6, True)])
def test_quotes_are_stale_at_the_refresh_interval(seconds: float, expected: bool) -> None:
    assert is_stale(quoting().at(seconds)) is expected


def test_the_refresh_interval_is_a_setting() -> None:
    assert not is_stale(quoting(refresh_interval_seconds=8).at(7.9))


@pytest.mark.parametrize(
    ("bid", "ask", "expected"),
    [
        ("99.97", "100.08", False),  # mid 100.025: exactly the tolerance
        ("99.97", "100.09", True),  # mid 100.03
        ("99.92", "100.03", False),  # mid 99.975
        ("99.92", "100.02", True),  # mid 99.97
    ],
)
def test_quotes_are_stale_once_the_mid_moved_by_more_than_a_quarter_of_the_half_spread(
    bid: str,
    ask: str,
    expected: bool,
) -> None:
    assert is_stale(quoting().book(bid, ask)) is expected


def test_the_narrower_side_sets_the_tolerance() -> None:
    """An s of 1/2 widens the bid to 45 bps and leaves the ask at 20: the tolerance is still 0.025."""
    assert is_stale(quoting(offset="2").book("99.98", "100.08"))


@pytest.mark.parametrize(
    ("bid", "ask", "expected"),
    [("100.0", "100.1", False), ("100.0", "100.2", True)],  # mids 100.05 and 100.10 on a grid of 0.05
)
def test_a_move_within_a_tick_never_makes_quotes_stale(bid: str, ask: str, expected: bool) -> None:
    assert is_stale(quoting(rules(tick="0.05")).book(bid, ask)) is expected


def test_moves_count_from_where_quotes_were_priced_not_from_the_last_book() -> None:
    situation = quoting().book("99.97", "100.07")
    assert not is_stale(situation)
    assert is_stale(situation.book("99.99", "100.09"))


def test_crossing_four_fifths_of_the_position_limit_makes_quotes_stale() -> None:
    """From 3.1 to 3.2 of 4."""
    situation = quoting(offset="3.1")
    assert not is_stale(situation.buy("0.09"))
    assert is_stale(situation.buy("0.01"))


def test_crossing_it_short_does_too() -> None:
    assert is_stale(quoting(offset="-3.1").sell("0.1"))


def test_being_beyond_the_mark_since_the_last_calculation_does_not() -> None:
    """An edge, not a level: priced at 3.3 of 4, growing to 3.5 crosses nothing."""
    situation = quoting(offset="3.3")
    assert not is_stale(situation)
    assert not is_stale(situation.buy("0.2"))


def test_the_mark_can_be_crossed_again_after_a_calculation_below_it() -> None:
    situation = quoting(offset="3.3").sell("0.3")
    situation.adopt(SERVICE.price_quotes(situation.context))
    assert not is_stale(situation)
    assert is_stale(situation.buy("0.3"))


def test_the_mark_is_a_setting() -> None:
    situation = quoting(offset="1.9", inventory_reprice_share=0.5)
    assert not is_stale(situation.buy("0.09"))
    assert is_stale(situation.buy("0.01"))


@pytest.mark.parametrize("side", Side)
def test_a_side_that_lost_its_orders_without_a_reason_makes_quotes_stale(side: Side) -> None:
    situation = quoting()
    *others, last = situation.context.live_quotes(side)
    for order in others:
        situation.cancel(order)
    assert not is_stale(situation)
    assert is_stale(situation.cancel(last))


def test_a_side_that_is_held_for_a_reason_is_no_missing_side() -> None:
    """The bid is held at the position limit."""
    situation = quoting(offset="4")
    assert situation.context.live_quotes(Side.BID) == ()
    assert not is_stale(situation)


def test_a_side_whose_hold_is_over_is_missing() -> None:
    situation = Situation()
    until = START + 3 * SECOND
    situation.context.sides[Side.BID].hold = Hold(HoldReason.POST_ONLY_REJECTIONS, "", until)
    situation.adopt(SERVICE.price_quotes(situation.context))
    assert not is_stale(situation.at(2.999))
    assert is_stale(situation.at(3))


def test_a_side_that_risk_refused_is_no_missing_side() -> None:
    situation = quoting()
    for order in situation.context.live_quotes(Side.ASK):
        situation.cancel(order)
    situation.context.sides[Side.ASK].refusal = Hold(HoldReason.RISK, "order_rate")
    assert not is_stale(situation)


@pytest.mark.parametrize(("bid", "ask"), [(None, "100.05"), ("99.95", None), ("100.05", "100.05"), ("100.06", "99.96")])
def test_a_book_that_must_not_be_quoted_makes_live_quotes_stale(bid: str | None, ask: str | None) -> None:
    assert is_stale(quoting().book(bid, ask))


def test_a_halt_makes_live_quotes_stale() -> None:
    assert is_stale(quoting().halt())


def test_quotes_that_were_taken_out_for_the_market_are_not_asked_for_at_every_fact() -> None:
    situation = quoting().book(None, "100.05")
    for order in situation.context.orders.live():
        situation.cancel(order)
    situation.adopt(SERVICE.price_quotes(situation.context))
    assert not is_stale(situation)
