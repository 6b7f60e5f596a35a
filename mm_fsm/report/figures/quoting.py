"""What was quoted, what became of it, and why not more was."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from attrs import frozen

STRETCHES_SHOWN: Final = 400


@frozen(kw_only=True)
class Programme:
    """A market maker programme's rule: both sides live at or above a size within some bps of m, a share of the time."""

    within_bps: float
    """X: a bid counts at or above m * (1 - X / 1e4), an ask at or below m * (1 + X / 1e4)."""
    size: Decimal
    """Contracts on each side, summed over the orders that count."""
    asked_share: float
    """Programmes ask for 0.75 to 0.85."""
    snapshot_seconds: float


@frozen(kw_only=True)
class Presence:
    """Presence as the venue sees it: an order counts from its acknowledgement to its end, unknown ones do not."""

    programme: Programme
    observed_seconds: float
    """From the first fact to the last."""
    both_share: float
    """Of the time in which both sides met the rule."""
    bid_share: float
    ask_share: float
    snapshots: int
    """Moments at whole multiples of ``snapshot_seconds`` since 1970 within the run."""
    snapshots_met: int
    snapshot_share: float | None
    """None without a snapshot."""
    is_met: bool
    """Whether ``both_share`` and ``snapshot_share`` reach what is asked."""
    both_resting_share: float
    """Of the time with a quote of whatever size on both sides, as the machine of each process counts it."""
    both_live_share: float
    """The same by the machine's own books: from sending on, less cancels under way."""


@frozen(kw_only=True)
class QuoteLife:
    """How long orders that the venue took were in its book: acknowledgement to end. Ended orders only."""

    count: int
    mean_seconds: float | None
    median_seconds: float | None
    """Upper edge of the class of ``histogram`` that holds the median."""
    longest_seconds: float | None
    histogram: tuple[tuple[float, int], ...]
    """Upper edge in seconds and orders, in ascending order, classes without an order left out. Edges are powers of two
    to the quarter, of a millisecond."""


@frozen(kw_only=True)
class Orders:
    """Orders sent, and what became of them."""

    placed: int
    acknowledged: int
    cancels: int
    """Cancels sent."""
    ended: Mapping[str, int]
    """By ``filled``, ``canceled``, ``rejected``, ``expired``, and ``open`` for what had not ended with the run."""
    rejected: Mapping[str, int]
    """Refused placements by the venue's reason, such as ``post_only``."""
    cancel_races_lost: int
    """Fills that arrived after the cancel of their order was sent."""
    cancels_refused: int
    unknown: int
    """Orders whose outcome was unknown at some time."""
    fills: int
    maker_fills: int
    orders_filled: int
    """Orders with at least one fill."""
    fill_ratio: float | None
    """Filled maker quantity over that of quotes acknowledged, both within the run; None without such a quote. Above 1
    where quotes of an earlier process filled."""
    orders_per_fill: float | None
    """``placed / fills``; None without a fill."""
    cancels_per_fill: float | None
    life: QuoteLife


@frozen(kw_only=True)
class HoldTotal:
    """Time in which one side was not quoted for one reason."""

    side: str
    reason: str
    """A ``HoldReason``, or a kind of stretch without one: ``live``; ``not_running``, between two processes;
    ``not_recorded``, where the journal says nothing; ``unexplained``, a defect."""
    seconds: float
    share: float
    """Of the run."""
    why: str
    """The reason in words."""


@frozen(kw_only=True)
class Stretches:
    """Stretches of time in which one side was live, or held for one reason: columns of one length, in order of time.

    With more than ``STRETCHES_SHOWN`` the longest are shown, those held before those with an order on its way, and live
    ones last; the table beside the report has all.
    """

    total: int
    """Of the run, live ones included; more than the rows where some were left out."""
    side: tuple[str, ...]
    reason: tuple[str, ...]
    """As in ``HoldTotal``."""
    detail: tuple[str, ...]
    begin_ms: tuple[int, ...]
    end_ms: tuple[int, ...]
    step: tuple[int | None, ...]
    """The step that began it, for links to the inspector; None where none did: no process ran, or none is on record."""
    edge: tuple[str, ...]
    """``source.event`` of the edge that step took last; empty where it took none."""
    ending: tuple[str, ...]
    """How it ended: the reason that followed, ``live``, or empty at the end of the run."""


@frozen(kw_only=True)
class HoldsOverTime:
    """Per side and reason, the seconds of each bin of time spent so; the reasons of a side fill each bin."""

    bin_seconds: float
    time_ms: tuple[int, ...]
    """Beginnings of the bins."""
    seconds: Mapping[str, Mapping[str, tuple[float, ...]]]
    """By side, then reason, ``live`` included; one figure a bin."""


@frozen(kw_only=True)
class Holds:
    """Why each side was or was not quoted. The totals of a side add up to the whole run."""

    totals: tuple[HoldTotal, ...]
    """Longest first, ``live`` included."""
    over_time: HoldsOverTime
    stretches: Stretches
