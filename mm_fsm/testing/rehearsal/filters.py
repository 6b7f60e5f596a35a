"""The market's rules for one order: Binance's filters of price, quantity, worth, and number of open orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from mm_fsm.core.instrument import Instrument
from mm_fsm.testing.rehearsal.refusals import RefusedError, filter_failure
from mm_fsm.testing.rehearsal.terms import DIGITS
from mm_fsm.testing.rehearsal.venue_market import VenueMarket
from mm_fsm.testing.rehearsal.venue_orders import OrderRequest, OrderType

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
    if request.quantity is not None and not _is_lot(request.quantity, instrument):
        raise filter_failure("MARKET_LOT_SIZE" if request.type is OrderType.MARKET else "LOT_SIZE")
    price = request.price or market.displayed.mid
    if request.quote_quantity is not None:
        notional = request.quote_quantity
    else:
        notional = (price or Decimal(0)) * (request.quantity or Decimal(0))
    most = instrument.maximum_notional
    if notional < instrument.minimum_notional or (most is not None and notional > most):
        raise filter_failure("NOTIONAL")
    if len(market.orders.open) >= market.market.most_open_orders:
        raise filter_failure("MAX_NUM_ORDERS")


def largest_quantity(instrument: Instrument) -> Decimal:
    """The largest quantity of one order."""
    most = instrument.maximum_quantity
    return instrument.lot_size * MOST_STEPS if most is None else most


def _is_lot(quantity: Decimal, instrument: Instrument) -> bool:
    smallest = max(instrument.minimum_quantity, instrument.lot_size)
    return quantity <= largest_quantity(instrument) and _is_step(quantity, instrument.lot_size, smallest)


def _is_step(value: Decimal, step: Decimal, smallest: Decimal) -> bool:
    return smallest <= value <= step * MOST_STEPS and value % step == 0
