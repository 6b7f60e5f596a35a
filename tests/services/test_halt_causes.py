"""What ends trading, and what forbids to begin a cycle."""

from __future__ import annotations

from typing import Any

import pytest

from mm_fsm.core.decisions import FaultCode
from mm_fsm.core.instrument import InstrumentKind
from mm_fsm.core.messages import Side
from mm_fsm.services.risk import DefaultRiskService
from tests.services.situation import Situation, rules

SERVICE = DefaultRiskService()


def halt_code(situation: Situation) -> FaultCode | None:
    cause = SERVICE.halt_cause(situation.context)
    return None if cause is None else cause.code


def test_a_healthy_machine_is_not_stopped() -> None:
    assert halt_code(Situation()) is None


def test_the_kill_switch_acts_at_the_loss_from_the_peak_in_quote_currency() -> None:
    """An offset of 5: from 100 up to 104 is a profit of 20, then down to 100 a loss of 20 from the peak."""
    situation = Situation(offset="5", max_drawdown=20).book("103.95", "104.05").book("100.05", "100.15")
    assert halt_code(situation) is None
    situation.book("99.95", "100.05")
    cause = SERVICE.halt_cause(situation.context)
    assert cause is not None
    assert cause.code is FaultCode.KILL_SWITCH
    assert not cause.transient
    assert "20" in cause.reason


def test_what_the_target_itself_loses_is_no_loss_of_the_machines() -> None:
    """The 10 base units of the target are held, whatever the machine does."""
    assert halt_code(Situation(max_drawdown=20).book("49.95", "50.05")) is None


def test_fees_count_as_a_loss() -> None:
    situation = Situation(max_drawdown=20)
    order = situation.rest(Side.BID, "99.90", "1")
    assert halt_code(situation.fill(order, "1", fee="20.09")) is None  # 0.10 of spread was won
    other = situation.rest(Side.BID, "100.00", "1")
    assert halt_code(situation.fill(other, "1", fee="0.02")) is FaultCode.KILL_SWITCH


def test_too_many_refused_placements_in_a_row_are_a_fault_that_may_pass() -> None:
    situation = Situation(max_rejections_in_a_row=5)
    situation.context.rejections_in_a_row = 4
    assert halt_code(situation) is None
    situation.context.rejections_in_a_row = 5
    cause = SERVICE.halt_cause(situation.context)
    assert cause is not None
    assert (cause.code, cause.transient) == (FaultCode.VENUE, True)


def test_data_that_is_missing_for_long_is_a_fault_that_may_pass() -> None:
    situation = Situation().at(299.9)
    assert halt_code(situation) is None
    cause = SERVICE.halt_cause(situation.at(300).context)
    assert cause is not None
    assert (cause.code, cause.transient) == (FaultCode.LONG_STALE_DATA, True)


def test_a_wind_down_waits_for_data_until_its_own_deadline() -> None:
    assert halt_code(Situation().reduce("0", stopping=True).at(301)) is None


def can_begin(situation: Situation) -> bool:
    fault = SERVICE.check_cycle(situation.context)
    if fault is not None:
        assert fault.code is FaultCode.FUNDS
        assert not fault.transient
    return fault is None


@pytest.mark.parametrize(
    ("base", "quote", "expected"),
    [
        ("0.4", "50.05", True),  # cash for 0.5005 at 100
        ("0.5005", "0", True),  # base for it
        ("0.4", "40", False),  # neither
        ("0.4999", "49.99", False),
    ],
)
def test_a_cycle_begins_when_either_side_can_afford_the_venues_minimum(
    base: str,
    quote: str,
    expected: bool,
) -> None:
    """At 100 the minimum of 50 is 0.5 base units."""
    situation = Situation(rules(minimum_notional="50"), target=base, quote=quote)
    assert can_begin(situation) is expected


def test_what_the_venue_does_not_report_affords_nothing() -> None:
    situation = Situation(rules(minimum_notional="50")).report_balances("0", "0")
    assert not can_begin(situation)


def test_while_orders_are_live_their_locks_are_no_reason_to_stop() -> None:
    situation = Situation(rules(minimum_notional="50"), target="0.6", quote="60")
    situation.rest(Side.BID, "99.90", "0.6")
    situation.rest(Side.ASK, "100.10", "0.6")
    assert can_begin(situation)


@pytest.mark.parametrize(
    ("instrument", "expected"),
    [
        (rules(InstrumentKind.LINEAR, minimum_quantity="3", lot="1"), True),  # 300 of a margin of 300
        (rules(InstrumentKind.LINEAR, minimum_quantity="4", lot="1"), False),
        (rules(InstrumentKind.LINEAR, minimum_quantity="30", lot="1", contract_size="0.1"), True),
    ],
)
def test_contracts_need_margin_for_the_minimum(instrument: Any, expected: bool) -> None:
    assert can_begin(Situation(instrument, quote="300")) is expected
