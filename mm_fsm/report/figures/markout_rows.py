"""What became of the price after own fills."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class MarkoutRow:
    """Markouts of one group of own maker fills at one horizon, bps of m at the fill; below 0 is adverse selection.

    sign * (m one horizon later - price) / m at the fill; net of fees less what the fill paid, in the same unit.
    """

    horizon_seconds: float
    group: str
    """``all``; ``side``, ``level`` or ``age``, by which ``of`` tells the fills apart."""
    of: str
    """``bid`` or ``ask``; ``bid 0``, ``ask 1``, ``bid other`` for orders that were no quotes; an age band such as
    ``1 s to 5 s``, from the order's sending to the fill; empty for all."""
    count: int
    quantity: float
    """Contracts."""
    gross_bps: float | None
    """Weighted with quantity, before fees."""
    gross_by_fill_bps: float | None
    """Mean over fills, before fees."""
    net_bps: float | None
    """Weighted with quantity, net of fees."""
    net_interval_bps: tuple[float, float] | None
    """95 %, by batch means over four horizons; None with fewer than two batches."""


@frozen(kw_only=True)
class Markouts:
    """Every group at every horizon, of the fills of the run alone. The groups of one kind add up to all."""

    horizons_seconds: tuple[float, ...]
    judged_seconds: float
    """The horizon by which the machine judges adverse selection."""
    rows: tuple[MarkoutRow, ...]
    unmeasured: int
    """Fills times horizons whose m never was known, the run having ended included."""
