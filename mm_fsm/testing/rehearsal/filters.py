"""The market's rules for one order: Binance's filters PRICE_FILTER, LOT_SIZE, NOTIONAL and MAX_NUM_ORDERS."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from mm_fsm.testing.rehearsal.refusals import RefusedError, filter_failure
from mm_fsm.testing.rehearsal.terms import DIGITS
from mm_fsm.testing.rehearsal.venue_market import VenueMarket
from mm_fsm.testing.rehearsal.venue_orders import OrderRequest

MOST_STEPS: Final = 10**11
"""Ticks in the largest price and lots in the largest quantity."""


def check_filters(market: VenueMarket, request: OrderRequest) -> None:
    """Refuse an order that is off the market's rules.

    Raises:
        RefusedError: naming the first filter that fails.
    """
    instrument = market.instrument
    for value in (request.price, request.quantity, request.quote_quantity):
        if value is not None and -int(value.normalize().as_tuple().exponent) > DIGITS:
            raise RefusedError(-1111, "Parameter has too much precision.")
    if request.price is not None and not _is_step(request.price, instrument.tick_size, instrument.tick_size):
        raise filter_failure("PRICE_FILTER")
    smallest = max(instrument.minimum_quantity, instrument.lot_size)
    if request.quantity is not None and not _is_step(request.quantity, instrument.lot_size, smallest):
        raise filter_failure("LOT_SIZE")
    price = request.price or market.displayed.mid
    if request.quote_quantity is not None:
        notional = request.quote_quantity
    else:
        notional = (price or Decimal(0)) * (request.quantity or Decimal(0))
    if notional < instrument.minimum_notional:
        raise filter_failure("NOTIONAL")
    if len(market.orders.open) >= market.market.most_open_orders:
        raise filter_failure("MAX_NUM_ORDERS")


def _is_step(value: Decimal, step: Decimal, smallest: Decimal) -> bool:
    return smallest <= value <= step * MOST_STEPS and value % step == 0
