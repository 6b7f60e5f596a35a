"""Where an account stands against the limits of all its markets together: for people, and for what watches."""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from mm_fsm.core.rate_rules import Allowance


@frozen(kw_only=True)
class AccountState:
    """What the markets of one account have used together. Amounts are quote currency."""

    allowances: tuple[Allowance, ...] = ()
    """Of requests: the account's own, and those that the venue tells."""
    max_exposure: Decimal | None = None
    exposure: Decimal | None = None
    """The worst cases together; None while a price is missing, or where no limit asks for it."""
    max_loss: Decimal | None = None
    result: Decimal | None = None
    """What all markets have earned; None where no limit asks for it."""
    stopped_because: str | None = None
    """Why nothing but what reduces positions is placed any more."""
    is_switch_armed: bool | None = None
    """Whether the venue's dead man's switch counts down; None where there is none to use."""
