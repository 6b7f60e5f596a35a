"""Market, quotes, position, profit and fills over time, in columns of bounded length."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from attrs import frozen

FILLS_SHOWN: Final = 3_000


@frozen(kw_only=True)
class Series:
    """Market, own best quotes, position and profit over time: one row for each of equally long stretches with a step.

    Columns of one length. Within a stretch the extremes are kept, so that no spike is lost, and the last value for the
    rest. Empty columns: there was no market data.
    """

    bucket_seconds: float
    """Length of a stretch; doubled as often as the run asked for, so that the number of rows is bounded."""
    time_ms: tuple[int, ...]
    """Beginning of the stretch."""
    mid_low: tuple[float | None, ...]
    mid_high: tuple[float | None, ...]
    mid: tuple[float | None, ...]
    """m at the end of the stretch; None before the first sound book."""
    bid: tuple[float | None, ...]
    """Own best bid that the venue had acknowledged, at the end of the stretch; None: the side was empty."""
    ask: tuple[float | None, ...]
    inventory_low: tuple[float, ...]
    """Position less target."""
    inventory_high: tuple[float, ...]
    inventory: tuple[float, ...]
    net_low: tuple[float, ...]
    net_high: tuple[float, ...]
    net: tuple[float, ...]
    """Net profit since the begin of the run."""
    drawdown: tuple[float, ...]
    """Largest within the stretch, at least 0."""
    step: tuple[int, ...]
    """Sequence number of the last step of the stretch, for links to the inspector."""


@frozen(kw_only=True)
class Fills:
    """Own fills in the order they were booked: columns of one length, at most ``FILLS_SHOWN`` of them.

    With more fills, evenly spaced ones are shown and the table beside the report has all.
    """

    total: int
    """Fills of the run; more than the rows where some were left out."""
    time_ms: tuple[int, ...]
    step: tuple[int, ...]
    side: tuple[str, ...]
    """``bid`` bought, ``ask`` sold."""
    price: tuple[str, ...]
    quantity: tuple[str, ...]
    fee: tuple[str | None, ...]
    """Quote currency: what the fill's booking changed the ledger's fees by; None while the venue has not told it."""
    mid: tuple[str | None, ...]
    """m when it was booked."""
    level: tuple[int | None, ...]
    """Of the quote, 0 innermost; None for an order that was no quote."""
    purpose: tuple[str | None, ...]
    """``quote``, ``adjustment`` or ``wind_down``."""
    liquidity: tuple[str | None, ...]
    """``maker`` or ``taker``."""
    quote_age_seconds: tuple[float | None, ...]
    """From when the order was sent to when its fill was received."""
    order: tuple[str, ...]
    """Client order id."""
    inventory: tuple[str, ...]
    """Position less target, afterwards."""
    net: tuple[str, ...]
    """Net profit, afterwards."""
    markouts: Mapping[str, tuple[float | None, ...]]
    """By horizon in seconds: bps of m at the fill, before fees; None: no maker, or m was not known then."""


@frozen(kw_only=True)
class Inventory:
    """Position less target, base units, weighted with time."""

    final: Decimal
    highest: Decimal
    lowest: Decimal
    largest: Decimal
    """Largest distance from the target."""
    mean: float
    """Time-weighted."""
    mean_distance: float
    """Time-weighted mean of the distance from the target."""
    at_limit_seconds: float
    """Time with the distance at or above ``position_limit``."""
    half_life_seconds: float | None
    """Mean time in which a distance halves: from each largest distance since the target was last crossed to the first
    moment at half of it or less. None without such a time."""
    half_lives: int
    """How many times the mean is of."""
    limit: Decimal
    """``position_limit`` at the end: the smallest of the limits that are set."""
