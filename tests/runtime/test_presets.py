"""The shipped presets: they load, they pay, and they fit the recordings they are meant for."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mm_fsm.core.instrument import InstrumentKind
from mm_fsm.errors import SettingsError
from mm_fsm.runtime.presets import matching_preset, preset_names, preset_text
from mm_fsm.runtime.settings_file import read_preset
from mm_fsm.venues.paper import PaperPlan, QueueModel

pytestmark = pytest.mark.smoke

SHIPPED = ("binance_spot_ethusdt", "binance_usdm_btcusdt", "gemini_ethusd", "paper_btcusd", "paper_ethusd")


def paper_plan(name: str) -> PaperPlan:
    """What a preset says about the paper exchange."""
    plan = read_preset(name).venue
    assert isinstance(plan, PaperPlan)
    return plan


def test_the_presets_are_those_that_are_documented() -> None:
    assert preset_names() == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_preset_can_earn_something(name: str) -> None:
    """No spread it may quote is below two maker fees and the edge, and its orders meet the venue's minimums."""
    market, plan = read_preset(name), paper_plan(name)
    floor = 2 * float(plan.fees.maker_bps) + market.strategy.min_edge_bps
    assert floor <= market.strategy.min_spread_bps < market.strategy.max_spread_bps
    price = plan.simulator.start_price
    smallest = market.strategy.base_order_size * Decimal("0.7") ** 2  # the third level, at the default decay
    quantity = plan.instrument.floor_quantity(smallest / price)
    assert plan.instrument.meets_minimums(price, quantity)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_preset_is_pessimistic_and_says_where_its_numbers_are_from(name: str) -> None:
    exchange = paper_plan(name).exchange
    assert exchange.queue is QueueModel.PESSIMISTIC
    assert exchange.order_latency_seconds >= 0.05
    assert "Fees" in preset_text(name) or "fees are those" in preset_text(name)


def test_the_rules_of_gemini() -> None:
    """Gemini's API fee schedule of 2020-09-23, lowest volume: maker 0.100 %, taker 0.350 %."""
    market = paper_plan("gemini_ethusd")
    assert (market.fees.maker_bps, market.fees.taker_bps) == (10, 35)
    instrument = market.instrument
    rules = (instrument.tick_size, instrument.lot_size, instrument.minimum_quantity)
    assert rules == (Decimal("0.01"), Decimal("0.000001"), Decimal("0.001"))


def test_the_rules_of_binance_futures() -> None:
    """Regular user: maker 0.02 %, taker 0.05 %; smallest notional 100 USDT since 2023-11-02."""
    market = paper_plan("binance_usdm_btcusdt")
    assert (market.fees.maker_bps, market.fees.taker_bps) == (2, 5)
    assert market.instrument.kind is InstrumentKind.LINEAR
    assert market.instrument.minimum_notional == 100
    assert market.balances.leverage > 1


@pytest.mark.parametrize(
    ("exchange", "symbol", "expected"),
    [
        ("gemini", "ETHUSD", "gemini_ethusd"),
        ("Gemini", "ethusd", "gemini_ethusd"),
        ("binance_usdm", "BTCUSDT", "binance_usdm_btcusdt"),
        ("binance-futures", "BTCUSDT", "binance_usdm_btcusdt"),
        ("binance", "ETHUSDT", "binance_spot_ethusdt"),
        ("gemini", "BTCUSD", None),
        ("kraken", "ETHUSD", None),
    ],
)
def test_a_recording_finds_its_preset(exchange: str, symbol: str, expected: str | None) -> None:
    assert matching_preset(exchange, symbol) == expected


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"setting 'preset': expected one of .*gemini_ethusd.* found 'nyse'"):
        read_preset("nyse")
