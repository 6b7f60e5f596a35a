"""Estimates of the market's flow run only where a service asks, see no own order, and are part of the books."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mm_fsm.books.facts import MarketTrade
from mm_fsm.books.signals import MarketSignals, Signal, Touch, size_up_to
from mm_fsm.core.messages import BookLevel, Side
from tests.services.situation import SECOND, SYMBOL, Situation, levels, take


def made(*wanted: Signal) -> MarketSignals:
    signals = MarketSignals(half_life_seconds=1e9, shallowest_bps=0.0, deepest_bps=50.0, contract_size=0.5)
    signals.want(wanted)
    return signals


BALANCED = Touch(99.0, 101.0, 5.0, 5.0)


def test_nothing_runs_that_nobody_asked_for() -> None:
    signals = made()
    signals.observe_book(0, BALANCED)
    signals.observe_trade(SECOND, Side.BID, 101.0, 1.0)
    assert (signals.takers, signals.kyle_lambda, signals.touch, signals.intensity) == ({}, None, None, None)
    assert signals.snapshot() == ()
    assert signals.cold is None


def test_takers_who_sell_reach_bids_and_depth_is_measured_from_the_mid() -> None:
    """A sale at 99.9 with the mid at 100 reaches 10 bps deep into the bids."""
    signals = made(Signal.INTENSITY)
    signals.observe_book(0, BALANCED)
    for second in range(1, 61):
        signals.observe_trade(second * SECOND, Side.ASK, 99.9 - 0.001 * second, 1.0)
    assert signals.takers[Side.BID].is_warm
    assert not signals.takers[Side.ASK].is_warm
    assert signals.intensity is None
    assert signals.cold is Signal.INTENSITY
    fit = signals.takers[Side.BID].fit
    assert fit is not None
    # 60 trades in 60 s, on average 10 + 0.1 * 30.5 = 13.05 bps deep: k = 1 / 13.05, A = 1 a second
    assert fit.decay_per_bps.value == pytest.approx(1 / 13.05, rel=1e-6)
    assert fit.rate_per_second.value == pytest.approx(1.0, rel=1e-6)


def test_contracts_count_in_base_units() -> None:
    """600 contracts of half a unit in 600 s: half a unit a second."""
    signals = made(Signal.VOLUME)
    signals.observe_book(0, BALANCED)
    for second in range(1, 601):
        signals.observe_trade(second * SECOND, Side.BID, 101.0, 1.0)
    assert signals.volume is not None
    assert signals.volume.per_second == pytest.approx(0.5, rel=1e-6)


def test_own_orders_are_no_size_at_the_touch() -> None:
    situation = Situation()
    own = (situation.rest(Side.BID, "99.96", "2"), situation.rest(Side.ASK, "100.05", "3"))
    bids = (BookLevel(Decimal("99.96"), Decimal(2)), BookLevel(Decimal("99.95"), Decimal(7)))
    assert size_up_to(bids, own, Decimal("99.95"), Side.BID) == 7
    assert size_up_to(levels("100.05x3"), own, Decimal("100.05"), Side.ASK) == 0


@pytest.mark.parametrize("signal", Signal)
def test_every_signal_is_cold_before_anything_came(signal: Signal) -> None:
    assert made(signal).cold is signal


def test_a_second_wish_leaves_what_runs_alone() -> None:
    signals = made(Signal.VOLUME)
    before = signals.volume
    signals.want([Signal.INTENSITY], [Signal.VOLUME])
    assert signals.volume is before
    assert signals.required == (Signal.INTENSITY,)
    assert set(signals.running) == {Signal.VOLUME, Signal.INTENSITY}


def trade(situation: Situation, side: Side, price: str) -> None:
    now = situation.context.now
    fact: Any = MarketTrade(
        received_at=now,
        symbol=SYMBOL,
        price=Decimal(price),
        size=Decimal(1),
        taker_side=side,
        trade_id=str(now),
        exchange_time=now,
    )
    take(situation.context, fact)


def test_facts_reach_what_runs_and_change_the_digest() -> None:
    situation = Situation()
    situation.context.signals.want([Signal.KYLE_LAMBDA, Signal.TOUCH])
    before = situation.context.digest()
    situation.at(1).book("99.95x4", "100.05x12")
    assert situation.context.signals.touch == Touch(99.95, 100.05, 4.0, 12.0)
    with_book = situation.context.digest()
    trade(situation, Side.BID, "100.05")
    assert len({before, with_book, situation.context.digest()}) == 3
