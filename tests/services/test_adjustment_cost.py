"""An adjustment waits or takes, whichever is expected to cost less."""

from __future__ import annotations

import pytest

from mm_fsm.books.signals import Signal, Touch
from mm_fsm.core.decisions import InventoryStep
from mm_fsm.core.messages import Side
from mm_fsm.core.settings import AdjustmentPolicy
from mm_fsm.services.adjustment_cost import adjustment_costs, least_cost_policy
from mm_fsm.services.inventory import DefaultInventoryService
from tests.services.situation import SECOND, Situation


def situation(*, sigma: float, volume_per_second: float | None = 1.0, **changes: object) -> Situation:
    made = Situation(sigma=sigma, adjustment_policy="least_cost", **changes)  # type: ignore[arg-type]
    signals = made.context.signals
    signals.want((), DefaultInventoryService().wanted_signals(made.context.settings))
    if volume_per_second is not None:
        touch = Touch(99.95, 100.05, 1, 1)
        signals.observe_book(0, touch)
        for second in range(1, 601):
            signals.observe_trade(second * SECOND, Side.BID, 100.05, volume_per_second)
    return made


def test_costs_are_those_of_the_formulas() -> None:
    """By hand.

    Spread 10 bps: half is 5e-4. Sigma 1e-3 over 5 s is 4.472e-4 a root second, 0.13145 a day. One unit a second is
    86400 a day, so 864 units have an impact of 0.13145 * sqrt(0.01) = 0.013145. Thirty seconds: 4.472e-4 * 5.477.
    """
    costs = adjustment_costs(situation(sigma=1e-3, taker_bps="10", maker_bps="2").context, 864)
    assert costs is not None
    assert costs.crossing == pytest.approx(5e-4 + 0.013145 + 8e-4, rel=1e-3)
    assert costs.waiting == pytest.approx(2.449e-3, rel=1e-3)


@pytest.mark.parametrize(
    ("sigma", "quantity", "expected"),
    [(1e-3, 1, AdjustmentPolicy.LIMIT), (1e-3, 864, AdjustmentPolicy.PASSIVE), (1e-5, 1, AdjustmentPolicy.PASSIVE)],
)
def test_a_small_size_in_a_lively_market_takes(sigma: float, quantity: float, expected: AdjustmentPolicy) -> None:
    assert least_cost_policy(situation(sigma=sigma).context, quantity) is expected


def test_without_enough_data_it_waits() -> None:
    assert least_cost_policy(situation(sigma=1e-3, volume_per_second=None).context, 1) is AdjustmentPolicy.PASSIVE


def test_nothing_is_estimated_for_the_other_policies() -> None:
    service = DefaultInventoryService()
    assert service.wanted_signals(Situation().context.settings) == frozenset()
    assert service.wanted_signals(situation(sigma=0).context.settings) == {Signal.VOLUME}


@pytest.mark.parametrize(("sigma", "post_only"), [(1e-3, False), (1e-6, True)])
def test_the_reducing_order_follows_the_choice(sigma: float, post_only: bool) -> None:
    made = situation(sigma=sigma, offset="2").reduce("1")
    action = DefaultInventoryService().next_action(made.context)
    assert action is not None
    assert action.step is InventoryStep.PLACE
    assert action.draft is not None
    assert action.draft.post_only is post_only
