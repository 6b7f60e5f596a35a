"""The rule of a market maker programme: what presence at the venue is held against."""

from __future__ import annotations

from decimal import Decimal

from attrs import field, frozen

from mm_fsm.core.validation import exact, number, real


@frozen(kw_only=True)
class ProgrammeRule:
    """What a market maker programme asks for: both sides in the book, near enough and large enough, most of the time.

    Raises:
        SettingsError: a number is out of its range.
    """

    within_bps: float = field(default=50.0, converter=real, validator=number(above=0, at_most=5_000, table="programme"))
    """Distance from the middle of the market within which an order counts, bps of it."""
    size: Decimal | None = field(
        default=None, converter=exact, validator=number(above=0, optional=True, table="programme")
    )
    """Contracts on each side, summed over the orders that count; None: half of the innermost quote of a flat book."""
    asked_share: float = field(default=0.8, converter=real, validator=number(above=0, at_most=1, table="programme"))
    """Of time, and of snapshots. Programmes ask for 0.75 to 0.85."""
    snapshot_seconds: float = field(
        default=10.0, converter=real, validator=number(at_least=0.1, at_most=86_400, table="programme")
    )
    """Time between two snapshots, at whole multiples since 1970."""
