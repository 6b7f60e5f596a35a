"""The price around which quotes lie: the mid, the weighted mid, or the micro-price.

Only quoting uses it. Limits, the ledger and every risk check go on with the mid of a sound book.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.signals import Signal, Touch
from mm_fsm.core.settings import FairPrice, MarketMakingSettings
from mm_fsm.estimators.micro_price import micro_price_model

_DECIMALS_OF_A_TICK: Final = 6
"""A float's last digits are no part of a price."""


def fair_price_signals(settings: MarketMakingSettings) -> frozenset[Signal]:
    """What the chosen fair price is computed from, beside the mid."""
    return frozenset() if settings.fair_price is FairPrice.MID else frozenset({Signal.TOUCH})


def fair_price(context: MarketMakingContext) -> Decimal | None:
    """Quote per base, within the touch; the mid where sizes are not known. None before there is a mid."""
    mid, settings = context.mid_price, context.settings
    if mid is None or settings.fair_price is FairPrice.MID:
        return mid
    touch = context.signals.touch
    if touch is None or touch.bid_size + touch.ask_size <= 0:
        return mid
    if settings.fair_price is FairPrice.WEIGHTED_MID:
        adjustment = weighted_mid_adjustment(touch)
    else:
        model = micro_price_model(settings.micro_price_model)
        adjustment = model.adjustment(touch.bid_price, touch.ask_price, touch.bid_size, touch.ask_size)
    reach, tick = (touch.ask_price - touch.bid_price) / 2, context.instrument.tick_size
    bounded = max(-reach, min(adjustment, reach))
    return mid + Decimal(repr(round(bounded / float(tick), _DECIMALS_OF_A_TICK))) * tick


def weighted_mid_adjustment(touch: Touch) -> float:
    """What the weighted mid I ask + (1 - I) bid adds to the mid, I being the bid's share of the sizes."""
    share = touch.bid_size / (touch.bid_size + touch.ask_size)
    return (share - 0.5) * (touch.ask_price - touch.bid_price)
