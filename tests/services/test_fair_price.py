"""Quotes may lie around another price than the mid; money never does."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import SettingsError
from mm_fsm.estimators.micro_price import MicroPriceModel, micro_price_model
from mm_fsm.services.fair_price import fair_price
from mm_fsm.services.spreads import DefaultSpreadService
from tests.services.situation import SYMBOL, Situation

ROWS = [[-2.0, -1.0, 1.0, 2.0]]
MODEL = MicroPriceModel(tick_size=0.01, adjustments=ROWS, quotes=9, data_digest="d", market=SYMBOL)


def situation(kind: str, bids: str = "99.95x30", asks: str = "100.05x10", **settings: object) -> Situation:
    made = Situation(fair_price=kind, **settings)  # type: ignore[arg-type]
    service = DefaultSpreadService()
    made.context.signals.want(service.wanted_signals(made.context.settings))
    return made.book(bids, asks)


def test_the_weighted_mid_leans_to_the_thin_side() -> None:
    """I = 30 / 40, so 0.75 * 100.05 + 0.25 * 99.95 = 100.025; the ledger stays at the mid."""
    context = situation("weighted_mid").context
    assert fair_price(context) == Decimal("100.025")
    assert context.mid_price == 100
    assert context.ledger.reference_price == 100
    plan = DefaultSpreadService().price_quotes(context)
    assert plan.reference_price == Decimal("100.025")
    mid_plan = DefaultSpreadService().price_quotes(Situation().context)
    assert plan.bids[0].price > mid_plan.bids[0].price
    assert plan.asks[0].price > mid_plan.asks[0].price


def test_the_micro_price_adds_what_the_model_says() -> None:
    """I = 0.75 is in the last of four bins: two ticks of 0.01."""
    context = situation("micro_price", micro_price_model=MODEL.dumps()).context
    assert fair_price(context) == Decimal("100.02")


def test_no_model_leads_out_of_the_touch() -> None:
    far = MicroPriceModel(tick_size=0.01, adjustments=[[900.0]], quotes=9, data_digest="d", market=SYMBOL)
    context = situation("micro_price", micro_price_model=far.dumps()).context
    assert fair_price(context) == Decimal("100.05")


def test_a_move_of_the_fair_price_alone_makes_quotes_stale() -> None:
    service = DefaultSpreadService()
    made = situation("weighted_mid", asks="100.05x30")
    made.adopt(service.price_quotes(made.context))
    assert not service.are_quotes_stale(made.context)
    made.book("99.95x3000", "100.05x1")
    assert service.are_quotes_stale(made.context)


def test_a_micro_price_needs_a_model_of_this_market() -> None:
    with pytest.raises(SettingsError, match="micro_price_model"):
        MarketMakingSettings(symbol=SYMBOL, fair_price="micro_price")
    model = micro_price_model(MODEL.dumps())
    model.require_market(SYMBOL, 0.01)
    with pytest.raises(SettingsError, match="a model of OTHER"):
        model.require_market("OTHER", 0.01)
    with pytest.raises(SettingsError, match=r"ticks of 0\.1"):
        model.require_market(SYMBOL, 0.1)
    with pytest.raises(SettingsError, match="a fitted model"):
        micro_price_model("no model")
