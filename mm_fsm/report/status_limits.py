"""How far a market is from each of its limits, with what happens there: for the views, the status file, and alerts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from attrs import frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.clock import seconds
from mm_fsm.core.exact import exact
from mm_fsm.core.instrument import ZERO, InstrumentKind
from mm_fsm.core.messages import SIDES
from mm_fsm.core.rate_rules import Allowance
from mm_fsm.runtime.account.account_state import AccountState
from mm_fsm.runtime.account.books import AccountBooks
from mm_fsm.runtime.session import Session

Amount = Decimal | float | int
_WAITS: Final = "quotes wait for room; cancels still leave"


@frozen(kw_only=True)
class Limit:
    """One limit, and how much of it is used."""

    setting: str
    """What sets it, as in a settings file."""
    name: str
    used: Amount | None
    """None while nobody knows."""
    allowed: Amount
    unit: str
    then: str
    """What happens when all of it is used."""
    worst: Amount | None = None
    """What would be used if every live order filled; None where orders do not count."""

    @property
    def share(self) -> float | None:
        """Used over allowed; None while it is not known, above 1 beyond the limit."""
        return _share(self.used, self.allowed)

    @property
    def worst_share(self) -> float | None:
        """Used over allowed if every live order filled."""
        return _share(self.worst, self.allowed)


def limits_of(session: Session) -> Iterator[Limit]:
    """Every limit of a session and of its account, what is nearest to money first. Changes nothing."""
    context = session.machine.context
    yield from _money(context)
    account = session.account_state
    if account is not None:
        yield from _account(account, context.instrument.quote_currency)
    yield from _requests(context)
    if account is not None:
        yield from map(_allowance, account.allowances)
    yield from _health(context, max(session.now, context.now))


def _money(context: MarketMakingContext) -> Iterator[Limit]:
    settings, instrument, mid = context.settings, context.instrument, context.mid_price
    base, quote = instrument.base_currency, instrument.quote_currency
    offset = abs(context.inventory_offset)
    worst = max(offset, *(_beyond(context, side.sign, context.inventory_offset) for side in SIDES))
    yield Limit(
        setting=_what_bounds_position(context),
        name="position",
        used=offset,
        allowed=context.position_limit,
        worst=worst,
        unit=base,
        then="only the side that reduces the position is quoted",
    )
    yield Limit(
        setting="max_quote_exposure",
        name="exposure",
        used=None if mid is None else offset * mid,
        allowed=settings.max_quote_exposure,
        worst=AccountBooks(context).exposure,
        unit=quote,
        then="no order that adds to it leaves",
    )
    yield Limit(
        setting="max_drawdown",
        name="drawdown",
        used=context.ledger.drawdown,
        allowed=settings.max_drawdown,
        unit=quote,
        then="trading ends for good: the kill switch",
    )
    if instrument.kind is InstrumentKind.LINEAR and settings.min_liquidation_distance and mid is not None:
        held = abs(context.base_position)
        most = max(_beyond(context, side.sign, context.base_position) for side in SIDES)
        equity = max(context.limit_equity or ZERO, ZERO)
        yield Limit(
            setting="min_liquidation_distance",
            name="margin",
            used=held * mid,
            allowed=equity / exact(settings.min_liquidation_distance),
            worst=max(most, held) * mid,
            unit=quote,
            then="no order that adds to the position leaves",
        )
    if settings.max_missing_equity_share < 1:
        yield from _missing_equity(context)


def _missing_equity(context: MarketMakingContext) -> Iterator[Limit]:
    equity, at_hand = context.equity, context.limit_equity
    known = equity is not None and at_hand is not None and equity > 0
    yield Limit(
        setting="max_missing_equity_share",
        name="missing equity",
        used=max(equity - at_hand, ZERO) if known and equity is not None and at_hand is not None else None,
        allowed=ZERO if equity is None else exact(context.settings.max_missing_equity_share) * max(equity, ZERO),
        unit=context.instrument.quote_currency,
        then="it is a fault that is never retried",
    )


def _account(account: AccountState, quote: str) -> Iterator[Limit]:
    if account.max_exposure is not None:
        yield Limit(
            setting="account.max_exposure",
            name="account exposure",
            used=account.exposure,
            allowed=account.max_exposure,
            unit=quote,
            then="quotes that add are cancelled in every market",
        )
    if account.max_loss is not None:
        yield Limit(
            setting="account.max_loss",
            name="account loss",
            used=None if account.result is None else max(-account.result, ZERO),
            allowed=account.max_loss,
            unit=quote,
            then="all markets of the account stop for good",
        )


def _requests(context: MarketMakingContext) -> Iterator[Limit]:
    settings = context.settings
    yield from map(_allowance, context.request_rates.allowances(context.now))
    yield Limit(
        setting="max_live_orders",
        name="live orders",
        used=context.orders.count,
        allowed=settings.max_live_orders,
        unit="",
        then="no further order leaves",
    )
    yield Limit(
        setting="max_rejections_in_a_row",
        name="refusals in a row",
        used=context.rejections_in_a_row,
        allowed=settings.max_rejections_in_a_row,
        unit="",
        then="it is a fault, and all orders are cancelled",
    )


def _allowance(each: Allowance) -> Limit:
    return Limit(setting=each.setting, name=each.rule, used=each.used, allowed=each.allowed, unit="", then=_WAITS)


def _health(context: MarketMakingContext, now: int) -> Iterator[Limit]:
    settings, confirmed = context.settings, context.market.confirmed_at
    yield Limit(
        setting="stale_data_seconds",
        name="data age",
        used=None if confirmed is None else max(seconds(now - confirmed), 0.0),
        allowed=settings.stale_data_seconds,
        unit="s",
        then="quotes are cancelled until data is fresh",
    )
    if context.recovery_attempts or context.session_recoveries:
        yield Limit(
            setting="max_recovery_attempts",
            name="recoveries",
            used=context.recovery_attempts,
            allowed=settings.max_recovery_attempts,
            unit="",
            then="it winds down or ends",
        )


def _beyond(context: MarketMakingContext, sign: int, position: Decimal) -> Decimal:
    """How far from zero a position would be on one side, with that side's orders filled; base units."""
    side = next(side for side in SIDES if side.sign == sign)
    return sign * position + context.instrument.base_quantity(context.orders.exposure(side))


def _what_bounds_position(context: MarketMakingContext) -> str:
    """Which of the limits of a position is the smallest now."""
    settings, mid, equity = context.settings, context.mid_price, context.limit_equity
    if mid is None or equity is None:
        return "max_inventory_pct"
    found = {
        "max_inventory_pct": exact(settings.max_inventory_pct) * max(equity, ZERO) / mid,
        "max_quote_exposure": settings.max_quote_exposure / mid,
    }
    if settings.max_position_size is not None:
        found["max_position_size"] = settings.max_position_size
    return min(found, key=lambda name: found[name])


def _share(used: Amount | None, allowed: Amount) -> float | None:
    if used is None:
        return None
    if not allowed > 0:
        return 1.0 if used else 0.0
    return float(used) / float(allowed)
