"""What is wrong now, read from a market's books and from its account: what people are alerted to.

Troubles are looked for after each step and now and then in between; only what has changed is news. Nothing here asks
a guard or changes a book.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Final

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.clock import nanoseconds, seconds
from mm_fsm.core.decisions import NOTHING_TRADES_AFTER, Fault, FaultCode, HoldReason
from mm_fsm.core.messages import SIDES, Side
from mm_fsm.core.plurals import counted
from mm_fsm.report.plain_words import SELF_EVIDENT, what_is_done, why_held
from mm_fsm.runtime.account.limits import AccountLimits
from mm_fsm.runtime.session import Session
from mm_fsm.runtime.watching_settings import AlertKind
from mm_fsm.watching.news import News, Trouble

_KILLS: Final = frozenset({FaultCode.KILL_SWITCH, FaultCode.EQUITY})
_LIMITS: Final = frozenset({HoldReason.INVENTORY_LIMIT, HoldReason.RISK, HoldReason.REQUESTS_SUSPENDED})
_MOST_IDS: Final = 3
"""Of orders that are named."""

Found = Iterator[tuple[str, Trouble]]


class Conditions(ABC):
    """What is wrong at one place, and what of it is new.

    Args:
        place: its name in messages.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self.open: dict[str, Trouble] = {}
        """By key, as last looked at."""

    @abstractmethod
    def find(self) -> Found:
        """Everything that is wrong now, by key."""

    @property
    def keeps_open(self) -> bool:
        """Whether nothing is over any more: what has ended with something wrong has not recovered."""
        return False

    def look(self) -> Iterator[News]:
        """What has begun, has become worse, or is over since the last look."""
        found, before = dict(self.find()), self.open
        self.open = {**before, **found} if self.keeps_open else found
        for key, trouble in found.items():
            earlier = before.get(key)
            if earlier is None or trouble.marks - earlier.marks:
                yield self._news(key, trouble, begins=True)
        for key, trouble in before.items():
            if key not in self.open:
                yield self._news(key, trouble, begins=False)

    def _news(self, key: str, trouble: Trouble, *, begins: bool) -> News:
        return News(
            kind=trouble.kind, place=self.place, key=key, begins=begins, reason=trouble.reason, doing=trouble.doing
        )


class MarketConditions(Conditions):
    """Of one market, whichever machine makes it.

    Args:
        session: the market.
        unconfirmed_seconds: how long an order's outcome is unknown before that is news.
    """

    def __init__(self, session: Session, unconfirmed_seconds: float) -> None:
        super().__init__(session.symbol)
        self._session = session
        self._patience = nanoseconds(unconfirmed_seconds)
        self._unknown_since: dict[str, int] = {}
        self._limited: dict[HoldReason, dict[Side, str]] = {}
        """In words, which sides each limit holds."""

    @property
    def keeps_open(self) -> bool:
        """Once its machine has ended."""
        return self._session.machine.is_final

    def find(self) -> Found:
        """Faults, a bug, orders, feeds, limits."""
        context = self._session.machine.context
        why_down = self._session.why_down
        if why_down is not None:
            doing = "its orders are cancelled until the venue's lists are empty"
            yield "down", Trouble(kind=AlertKind.FAULT, reason=why_down, doing=doing)
            return
        if context.fault is not None:
            yield "fault", _fault(context, context.fault)
        yield from self._orders(context)
        if not self._session.machine.is_final:
            yield from self._feeds(context)
            yield from self._limits(context)

    def _orders(self, context: MarketMakingContext) -> Found:
        if not context.orders.has_unknown() and not self._unknown_since:
            return
        unknown = {order.client_order_id for order in context.orders.live() if order.is_unknown}
        self._unknown_since = {name: self._unknown_since.get(name, context.now) for name in sorted(unknown)}
        late = [name for name, since in self._unknown_since.items() if context.now - since >= self._patience]
        if late:
            more = f" and {len(late) - _MOST_IDS} more" if len(late) > _MOST_IDS else ""
            reason = f"the outcome of {counted(len(late), 'order')} is unknown: {', '.join(late[:_MOST_IDS])}{more}"
            yield (
                "orders",
                Trouble(
                    kind=AlertKind.UNCONFIRMED_ORDERS,
                    reason=reason if len(late) > 1 else f"the outcome of order {late[0]} is unknown",
                    doing=what_is_done(HoldReason.UNKNOWN_ORDER),
                    marks=frozenset(late),
                ),
            )

    def _feeds(self, context: MarketMakingContext) -> Found:
        if context.account_feed_loss is not None:
            yield "account_feed", _feed(HoldReason.ACCOUNT_FEED_LOST, context.account_feed_loss)
        confirmed, began_at = context.market.confirmed_at, self._session.machine.began_at
        if confirmed is not None:
            if context.is_data_stale:
                yield "data", _feed(HoldReason.STALE_DATA, f"{seconds(context.now - confirmed):.1f} s old")
        elif began_at is not None and context.now >= began_at + nanoseconds(context.settings.long_stale_data_seconds):
            yield "data", _feed(HoldReason.NO_MARKET_DATA, f"for {seconds(context.now - began_at):.0f} s")

    def _limits(self, context: MarketMakingContext) -> Found:
        """Other reasons take turns with a limit: a side counts as held while either says so, it or the books."""
        for side in SIDES:
            held = context.sides[side].status
            for reason, sides in self._limited.items():
                if held is None or (held.reason is not reason and not _still_limits(reason, side, context)):
                    sides.pop(side, None)
            if held is not None and held.reason in _LIMITS:
                detail = "" if held.reason in SELF_EVIDENT or not held.detail else f": {held.detail}"
                words = f"no {side.value}s, {why_held(held.reason)}{detail}"
                self._limited.setdefault(held.reason, {})[side] = words
        is_empty = {side for sides in self._limited.values() for side in sides} == {*SIDES}
        for reason, sides in self._limited.items():
            if sides:
                yield reason.value, _limit(reason, sides, is_empty=is_empty)


class AccountConditions(Conditions):
    """Of the limits that the markets of one account have together.

    Args:
        limits: of the account.
        place: the account's name in messages.
    """

    def __init__(self, limits: AccountLimits, place: str) -> None:
        super().__init__(place)
        self._limits = limits

    def find(self) -> Found:
        """Whether the account has lost what it may lose, or could come to hold more than it may."""
        if self._limits.stopped_because is not None:
            yield (
                "loss",
                Trouble(
                    kind=AlertKind.KILL_SWITCH,
                    reason=self._limits.stopped_because,
                    doing="every market of the account is stopped for good",
                ),
            )
        elif self._limits.is_over:
            yield (
                "exposure",
                Trouble(
                    kind=AlertKind.LIMIT,
                    reason="the markets of the account together could pass account.max_exposure",
                    doing="quotes that would add are cancelled; those that reduce stay",
                ),
            )


def _still_limits(reason: HoldReason, side: Side, context: MarketMakingContext) -> bool:
    """Whether a limit holds a side by the books, although something else is named first; risk is asked each time."""
    if reason is HoldReason.REQUESTS_SUSPENDED:
        return context.are_requests_suspended
    if reason is HoldReason.INVENTORY_LIMIT:
        inventory = context.assess_inventory()
        return inventory.offset * side.sign >= inventory.limit
    return False


def _limit(reason: HoldReason, sides: Mapping[Side, str], *, is_empty: bool) -> Trouble:
    """A second side is news: the market may have no quote at all then, which is another thing than one side."""
    words = "; ".join(sides[side] for side in SIDES if side in sides)
    return Trouble(
        kind=AlertKind.LIMIT,
        reason=f"no quote on either side: {words}" if is_empty else words,
        doing="it quotes again once a limit lets it" if is_empty else what_is_done(reason),
        marks=frozenset(side.value for side in sides),
    )


def _feed(reason: HoldReason, detail: str) -> Trouble:
    return Trouble(kind=AlertKind.FEED_LOST, reason=f"{why_held(reason)}: {detail}", doing=what_is_done(reason))


def _fault(context: MarketMakingContext, fault: Fault) -> Trouble:
    is_kill = fault.code in _KILLS
    doing = what_is_done(HoldReason.FAULT)
    if is_kill or not fault.transient:
        is_reduced = context.settings.wind_down_on_fault and fault.code not in NOTHING_TRADES_AFTER
        then = "reduced" if is_reduced else "kept"
        doing = f"all orders are cancelled until that is confirmed; the position is {then}, and the market ends"
    return Trouble(
        kind=AlertKind.KILL_SWITCH if is_kill else AlertKind.FAULT,
        reason=f"{fault.code.value.replace('_', ' ')}: {fault.reason}",
        doing=doing,
        marks=frozenset({f"{fault.code.value} at {fault.at}"}),
    )
