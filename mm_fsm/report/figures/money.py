"""What a run earned and what of it is more than noise."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from attrs import frozen


@frozen(kw_only=True)
class BootstrapInterval:
    """A sum and its interval by the circular block bootstrap (Politis and Romano 1992), widened for few blocks."""

    value: float
    """The sum itself, the sum of its steps."""
    lower: float
    upper: float
    excludes_zero: bool
    """Whether the interval lies on one side of zero."""
    doubt: str = ""
    """Why it is too narrow to go by. Empty: where it excludes zero, the sum is more than noise, at ``share``."""


@frozen(kw_only=True)
class BootstrapTerms:
    """How the intervals were made: with these, everyone gets the same."""

    step_seconds: float
    """Length of one step of time; its profit is one figure."""
    steps: int
    block_seconds: float
    """Neighbours that are drawn together."""
    draws: int
    seed: int
    share: float
    """Of the resampled sums within the interval, before it is widened."""


@frozen(kw_only=True)
class Profit:
    """The split of the profit. ``net = spread_capture + inventory - fees + funding``, without a rest.

    All of it is of the run alone: what earlier processes had booked is subtracted.
    """

    net: Decimal
    spread_capture: Decimal
    """Sum over fills of sign * quantity * (m at the fill - price); sign is +1 where the maker bought."""
    inventory: Decimal
    """Sum of position * change of m."""
    fees: Decimal
    """Paid; rebates lower it."""
    funding: Decimal
    external_flows: Decimal
    """Deposits less withdrawals: no profit."""
    realized: Decimal
    """What was closed, by what it had cost."""
    unrealized: Decimal
    """Its change over the run: what is held, at the last m, less the same at the beginning, which is 0 where the books
    began with the run. ``realized + unrealized - fees + funding = net`` too."""
    identity_gap: Decimal
    """What both identities miss, added without sign, over the books' whole life: 0 in sound books."""
    volume: Decimal
    """Sum of quantity * price."""
    net_bps_of_volume: float | None
    """1e4 * net / volume; None without a fill."""
    spread_captured_bps: float | None
    """1e4 * spread_capture / sum of quantity * m at the fill; None without a fill."""
    holding: Decimal
    """Target * (last m - first m): what holding it gained meanwhile, no part of the profit."""
    intervals: Mapping[str, BootstrapInterval]
    """Of ``net``, ``spread_capture``, ``inventory`` and ``fees``, from the same draws; empty where ``no_interval``."""
    terms: BootstrapTerms | None
    no_interval: str
    """Why there is no interval; empty where there is one."""


@frozen(kw_only=True)
class ProfitSteps:
    """Profit and its parts at the end of each step of time: what intervals and comparisons are made of.

    Columns of one length, cumulative since the begin. Steps end at whole multiples of ``step_seconds`` since 1970, so
    that runs over one period pair; the last one ends with the run. A step holds what was booked before its end.
    """

    step_seconds: float
    """Doubled as often as the run asked for, so that the number of steps is bounded."""
    end_ms: tuple[int, ...]
    net: tuple[float, ...]
    spread_capture: tuple[float, ...]
    inventory: tuple[float, ...]
    fees: tuple[float, ...]


@frozen(kw_only=True)
class Drawdown:
    """The largest loss from the best net profit so far, marked with every sound book.

    The best is that of the books' whole life, earlier processes included: by it the kill switch acts.
    """

    largest: Decimal
    from_ms: int | None
    """When the peak before it was last seen; None without a loss."""
    bottom_ms: int | None
    recovered_ms: int | None
    """When the profit was back at that peak; None if it never was."""
    limit: Decimal
    """``max_drawdown``, the kill switch."""
