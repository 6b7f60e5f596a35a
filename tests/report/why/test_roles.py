"""What would have quoted a side is told by class: preferences, then protections, never facts of the venue."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from mm_fsm.core.messages import Side
from mm_fsm.core.setting_fields import SettingRole
from mm_fsm.core.settings import AdjustmentPolicy, MarketMakingSettings, ServiceNames
from mm_fsm.report.stretches import Moment, Stretch, StretchKind
from mm_fsm.report.why.answers import Answer
from mm_fsm.report.why.counterfactual import Counterfactual, ProvenChange, StepSearch
from mm_fsm.report.why.neighbours import SettingChange
from mm_fsm.report.why.printed import answer_text
from mm_fsm.report.why.rewinding import Quoted, RewoundMachine
from mm_fsm.report.why.roles import Direction, direction_of, role_of
from tests.machine.beginnings import quoting

BID = Side.BID
SETTINGS = MarketMakingSettings(symbol="ETH/USD")
KEEPS = Quoted(stages=None, keeps=True)


def printed(found: Counterfactual) -> str:
    moment = Moment(step=9, fact="market book")
    stretch = Stretch(side=BID, begin=0, end=10**9, kind=StretchKind.HELD, reason="risk", began=moment)
    output = StringIO()
    Console(file=output, width=100).print(
        answer_text(Answer(symbol="ETH/USD", stretch=stretch, silence=None, at_first_step=found))
    )
    return " ".join(output.getvalue().split())


def proven(name: str, changed: Any, settings: MarketMakingSettings = SETTINGS) -> ProvenChange:
    change = SettingChange(name=name, value=getattr(settings, name), changed=changed)
    direction = direction_of(settings, change)
    return ProvenChange(change=change, quoted=KEEPS, role=role_of(settings, name), direction=direction)


def test_the_kill_switch_is_told_as_a_limit_that_did_its_work() -> None:
    """By hand: 10 more than the target, and the price falls by 6: a loss of 60 of at most 50."""
    bench, *_ = quoting(target_base=Decimal(90), max_drawdown=Decimal(50), max_inventory_pct=0.5)
    rewound = RewoundMachine.of(bench.machine, bench.book_fact("93.99", "94.01"))
    found = StepSearch(rewound).search(BID)
    (kill_switch,) = [each for each in found.changes if each.change.name == "max_drawdown"]
    assert Decimal(60) < kill_switch.change.changed <= Decimal("60.1")
    assert kill_switch.entry()["class"] == "protection"
    assert kill_switch.entry()["direction"] == "loosened"
    text = printed(found)
    assert "Protections kept it out. Moving one of them alone would have placed bid " in text
    assert "max_drawdown 50 → 60.1 loosened: beyond 60.1 only the moment moves" in text
    assert text.index("no setting that is a matter of taste") < text.index("Protections kept it out")


def test_a_limit_of_the_venue_is_named_and_never_offered() -> None:
    """Two quotes and one more placement fill an allowance of three a minute."""
    bench, bid, _ = quoting(max_orders_per_interval=3, order_interval_seconds=60.0, order_reserve_share=0.0)
    bench.fill(bid)
    bench.settle()
    bench.later(6)
    bench.fill(bench.live(BID)[0])
    bench.later(6)
    rewound = RewoundMachine.of(bench.machine, bench.book_fact())
    found = StepSearch(rewound).search(BID)
    assert not found.recorded.is_quoted
    assert set(found.limits_of_venue) == {"max_orders_per_interval", "order_interval_seconds"}
    assert not {each.change.name for each in found.changes} & set(found.limits_of_venue)
    entry = found.entry()
    assert {"setting": "max_orders_per_interval", "class": "venue"} in entry["limits_of_venue"]
    assert all(each["class"] != "venue" for each in entry["changes"])
    text = printed(found)
    assert "A limit of the venue holds it" in text
    assert "3 →" not in text


def test_where_only_the_venue_holds_a_side_none_of_ones_own_settings_helps() -> None:
    found = Counterfactual(side=BID, recorded=Quoted(stages=None, keeps=False), limits_of_venue=("rate_counter_limit",))
    text = printed(found)
    assert "none of your own settings alone quotes the bid." in text
    assert "not yours to choose: rate_counter_limit." in text


def test_preferences_come_first_then_what_is_loosened_then_what_is_tightened() -> None:
    """A tightening is said to be one, however small it is."""
    changes = (
        proven("max_jump_bps", 99.0),
        proven("max_drawdown", Decimal(501)),
        proven("base_order_size", Decimal(9)),
    )
    ordered = tuple(sorted(changes, key=lambda each: each.rank))
    assert [each.change.name for each in ordered] == ["base_order_size", "max_drawdown", "max_jump_bps"]
    text = printed(Counterfactual(side=BID, recorded=Quoted(stages=None, keeps=False), changes=ordered))
    assert "base_order_size 100 → 9 Protections kept it out." in text
    assert "max_jump_bps 100 → 99 tightened: it would hold quotes at other times" in text


@pytest.mark.parametrize(
    ("name", "value", "changed", "expected"),
    [
        ("max_drawdown", Decimal(500), Decimal(501), Direction.LOOSENED),
        ("max_jump_bps", 100.0, 12.8, Direction.TIGHTENED),
        ("unsound_book_seconds", 10.0, 1.0, Direction.LOOSENED),
        ("order_reserve_share", 0.1, 0.2, Direction.TIGHTENED),
        ("max_position_size", Decimal(1), None, Direction.LOOSENED),
        ("wind_down_on_fault", True, False, Direction.CHANGED),
        ("slow_price_seconds", 60.0, 90.0, Direction.CHANGED),
        ("target_spread_bps", 10.0, 12.0, None),
        ("adjustment_policy", AdjustmentPolicy.PASSIVE, AdjustmentPolicy.MARKET, None),
        ("rate_counter_limit", 125.0, 137.0, None),
        ("service_options.own.most", 1.0, 2.0, Direction.CHANGED),
        ("service_options.fixed.spread_bps", 1.0, 2.0, None),
    ],
)
def test_which_way_a_change_moves_a_protection(name: str, value: Any, changed: Any, expected: Direction | None) -> None:
    settings = MarketMakingSettings(symbol="ETH/USD", services=ServiceNames(spreads="fixed", risk="own"))
    change = SettingChange(name=name, value=value, changed=changed)
    assert direction_of(settings, change) is expected
    assert (role_of(settings, name) is SettingRole.PROTECTION) is (expected is not None)
