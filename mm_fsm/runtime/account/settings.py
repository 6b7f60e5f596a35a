"""The table ``[account]``: what the markets of one account may do together."""

from __future__ import annotations

from decimal import Decimal

from attrs import field, frozen

from mm_fsm.core.validation import exact, number, real, whole_number, yes_or_no


@frozen(kw_only=True)
class AccountSettings:
    """Limits over all markets of one account. None: no limit of this kind.

    Raises:
        SettingsError: a value is out of its range.
    """

    max_exposure: Decimal | None = field(default=None, converter=exact, validator=number(above=0, optional=True))
    """Quote currency: the markets' worst cases together, every live order filled. Past it no quote adds, and those that
    would are cancelled."""
    max_loss: Decimal | None = field(default=None, converter=exact, validator=number(above=0, optional=True))
    """Quote currency: once all markets together have lost this since their books began, all are stopped, and reduce
    their positions where ``wind_down_on_fault`` says so."""
    max_orders: int = field(default=80, validator=whole_number(at_least=1))
    """Placements of all markets in an interval."""
    order_interval_seconds: float = field(default=10.0, converter=real, validator=number(above=0))
    max_requests: int = field(default=1_000, validator=whole_number(at_least=1))
    """Placements, cancels and questions of all markets in an interval."""
    request_interval_seconds: float = field(default=60.0, converter=real, validator=number(above=0))
    reserve_share: float = field(default=0.2, converter=real, validator=number(at_least=0, at_most=0.9))
    """Share of both allowances that quotes and questions leave to cancels and to orders that reduce a position."""
    longest_wait_seconds: float = field(default=1.0, converter=real, validator=number(above=0))
    """How old a placement may be when it leaves; an older one is dropped, never sent late."""
    restarts: int = field(default=3, validator=whole_number(at_least=0))
    """How often a market that a bug has ended is restarted from its journal; then it stays down."""
    restart_seconds: float = field(default=10.0, converter=real, validator=number(at_least=5))
    """Before the first restart; twice as long before each further one."""
    is_exclusive: bool = field(default=False, validator=yes_or_no)
    """Whether nobody else trades on this account: only then may a dead man's switch cancel all that rests in it."""
    switch_seconds: float = field(default=30.0, converter=real, validator=number(at_least=5))
    """Of silence after which the venue's dead man's switch cancels everything, where it has one."""
    allows_withdrawal_key: bool = field(default=False, validator=yes_or_no)
    """Whether to trade with a key that may withdraw: who steals it could empty the account."""
