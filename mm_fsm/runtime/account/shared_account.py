"""Stands between a pushed venue and the machines of one account, and is a pushed venue itself.

It counts the requests of all markets together and lets cancels go first, keeps the limits that hold over all markets,
and gives each machine the account's balances less what the others hold. Which venue it is, it does not know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

from attrs import frozen
from loguru import logger

from mm_fsm.books.facts import BalancesReported, CancelRefused, OpenOrdersReported, OrderRejected, RequestsSuspended
from mm_fsm.core.clock import seconds as seconds_of
from mm_fsm.core.messages import CancelOrder, Fact, Intent, PlaceOrder, QueryBalances, RejectionCode
from mm_fsm.errors import SettingsError
from mm_fsm.runtime.account.account_state import AccountState
from mm_fsm.runtime.account.books import AccountBooks, less_what_others_hold
from mm_fsm.runtime.account.dead_mans_switch import DeadMansSwitch
from mm_fsm.runtime.account.limits import AccountLimits
from mm_fsm.runtime.account.settings import AccountSettings
from mm_fsm.runtime.account.waiting_requests import Dropped, Waiting, WaitingRequests
from mm_fsm.runtime.account.withheld_lines import WithheldLines
from mm_fsm.venues.inspection import InspectedVenue, Permissions
from mm_fsm.venues.port import MeteredVenue, PunctualVenue, PushedVenue, SwitchedVenue, TakeFact, VenueTerms

MOST_BALANCE_QUESTIONS: Final = 3
"""Times that balances are asked for while other markets of the account trade; then the last answer stands."""


@frozen
class _BalanceQuestion:
    """A question for balances that is under way, and what the other markets had booked when it was asked."""

    question: QueryBalances
    marks: tuple[object, ...]
    times: int


class SharedAccount:
    """A pushed venue for several markets of one account.

    Args:
        venue: the account's connection.
        settings: what the markets may do together.
        on_loss: is told, once, that the account has lost what it may lose.
    """

    def __init__(
        self, venue: PushedVenue, settings: AccountSettings, on_loss: Callable[[str], None] | None = None
    ) -> None:
        self.settings: Final = settings
        self.limits: Final = AccountLimits(settings, on_loss)
        """What the markets may do together."""
        self.switch: DeadMansSwitch | None = None
        """The venue's dead man's switch; None where it has none, or where the account is shared with others."""
        self._venue = venue
        self._books: dict[str, AccountBooks] = {}
        self._takers: dict[str, TakeFact] = {}
        self._waiting = WaitingRequests(settings)
        self._withheld = WithheldLines()
        self._asked: dict[str, _BalanceQuestion] = {}
        self._alarm: tuple[int, Callable[[], None]] | None = None

    # -- the port ---------------------------------------------------------------------------------------------------

    async def open(self) -> Mapping[str, VenueTerms]:
        """Open the account's connection.

        Raises:
            SettingsError: the venue's rules and the settings disagree, or the keys may do what nobody should risk.
            VenueError: the venue cannot be reached.
        """
        if isinstance(self._venue, PunctualVenue):
            self._venue.drop_after(self.settings.longest_wait_seconds)
        if isinstance(self._venue, MeteredVenue):
            self._venue.report_usage(self._waiting.usage.note)
        terms = await self._venue.open()
        check_one_quote_currency(terms.values(), self.settings)
        if isinstance(self._venue, InspectedVenue):
            check_permissions(await self._venue.permissions(), self.settings)
        has_switch = all(each.capabilities.cancels_when_silent for each in terms.values())
        if self.settings.is_exclusive and has_switch and isinstance(self._venue, SwitchedVenue):
            self.switch = DeadMansSwitch(
                self._venue, self.settings.switch_seconds, terms, self._venue.call_at, self._venue.now
            )
        return terms

    def read_books(self, symbol: str, books: AccountBooks) -> None:
        """Say which books a market keeps; the limits over all markets count those that are known."""
        self._books[symbol] = books
        self.limits.read(symbol, books)

    def attach(self, symbol: str, take: TakeFact, known_ids: Mapping[str, str]) -> None:
        """From now on pass one market's facts to ``take``."""
        self._takers[symbol] = take
        self._venue.attach(symbol, lambda fact: self._bring(symbol, fact), known_ids)

    def submit(self, intents: Sequence[Intent], now: int) -> None:
        """Take the intents of one step: cancels leave now, the others as soon as there is room."""
        for intent in intents:
            reason = self.limits.why_refused(intent) if isinstance(intent, PlaceOrder) else None
            if reason is not None and isinstance(intent, PlaceOrder):
                self._reject(intent, RejectionCode.ACCOUNT_LIMIT, reason)
                continue
            if isinstance(intent, QueryBalances):
                self._asked[intent.symbol] = _BalanceQuestion(intent, self._marks(intent.symbol), 1)
            dropped = self._waiting.add(intent, now)
            if dropped is not None:
                self._drop(dropped)
                self._refuse_cancel(dropped.placement)
        self._let_leave()

    def now(self) -> int:
        """Host time, nanoseconds."""
        return self._venue.now()

    def call_at(self, time: int, call: Callable[[], None]) -> Callable[[], None]:
        """Call back once host time has reached ``time``."""
        return self._venue.call_at(time, call)

    async def drain(self, seconds: float) -> tuple[Intent, ...]:
        """Let what was submitted leave, for so long; what never left, and what still waited for room.

        Cancels wait for the end of a ban that is over in time.
        """
        ban = seconds_of(self._waiting.cancels_suspended_until - self.now())
        if self._waiting.has_cancels and 0 < ban <= seconds:
            await asyncio.sleep(ban)
        self._let_leave()
        self._set_alarm(None)
        unsent = (*self._waiting.intents, *await self._venue.drain(max(seconds - max(ban, 0), 0)))
        if self.switch is not None and (unsent or self.switch.is_held):
            self.switch.stop()
        elif self.switch is not None:
            await self.switch.disarm()
        return unsent

    async def close(self) -> None:
        """Disconnect."""
        self._set_alarm(None)
        if self.switch is not None:
            self.switch.stop()
        await self._venue.close()

    def state(self) -> AccountState:
        """Where the account stands now. Changes nothing."""
        limits, switch = self.limits, self.switch
        return AccountState(
            allowances=self._waiting.allowances(self.now()),
            max_exposure=self.settings.max_exposure,
            exposure=limits.exposure,
            max_loss=self.settings.max_loss,
            result=limits.result,
            stopped_because=limits.stopped_because,
            is_switch_armed=None if switch is None or switch.forbidden_because is not None else switch.is_armed,
        )

    def note_book(self, symbol: str, *, is_confirmed: bool) -> None:
        """Nobody makes a market: whether its book is confirmed empty. Until then the dead man's switch may fire."""
        if self.switch is not None:
            self.switch.note_book(symbol, is_confirmed=is_confirmed)

    # -- requests ---------------------------------------------------------------------------------------------------

    def suspend(self, until: int, reason: str, *, takes_cancels: bool = False) -> None:
        """Send nothing before ``until``, or nothing but cancels: it would be refused, and lengthen the ban."""
        waiting = self._waiting
        is_news = until > (waiting.suspended_until if takes_cancels else waiting.cancels_suspended_until)
        if is_news:
            told = {"seconds": seconds_of(until - self.now()), "reason": reason, "takes_cancels": takes_cancels}
            logger.bind(**told).warning("account.suspended")
        if not takes_cancels:
            waiting.cancels_suspended_until = max(waiting.cancels_suspended_until, until)
        waiting.suspended_until = max(waiting.suspended_until, until)
        self._let_leave()

    def _let_leave(self) -> None:
        now = self.now()
        due, dropped = self._waiting.take_due(now)
        for step, group in groupby(due, key=_step_of):
            self._venue.submit([each.intent for each in group], step[1])
        for each in dropped:
            self._drop(each)
        self._set_alarm(self._waiting.next_time(now))

    def _set_alarm(self, at: int | None) -> None:
        if self._alarm is not None:
            if self._alarm[0] == at:
                return
            self._alarm[1]()
            self._alarm = None
        if at is not None:
            self._alarm = (at, self._venue.call_at(at, self._wake))

    def _wake(self) -> None:
        self._alarm = None
        self._let_leave()

    def _drop(self, dropped: Dropped) -> None:
        self._reject(dropped.placement, RejectionCode.RATE_LIMIT, dropped.reason)

    def _reject(self, order: PlaceOrder, code: RejectionCode, reason: str) -> None:
        self._withheld.note(order, reason, self.now())
        self._tell(
            OrderRejected(
                received_at=self.now(),
                symbol=order.symbol,
                client_order_id=order.client_order_id,
                code=code,
                reason=reason,
            )
        )

    def _refuse_cancel(self, order: PlaceOrder) -> None:
        self._tell(
            CancelRefused(
                received_at=self.now(),
                symbol=order.symbol,
                client_order_id=order.client_order_id,
                reason="the order never left",
            )
        )

    def _tell(self, fact: OrderRejected | CancelRefused) -> None:
        take = self._takers.get(fact.symbol)
        if take is not None:
            take(fact)

    # -- balances ---------------------------------------------------------------------------------------------------

    def _bring(self, symbol: str, fact: Fact) -> None:
        if isinstance(fact, BalancesReported) and symbol in self._books:
            if self._ask_again(symbol):
                return
            fact = self._share(symbol, fact)
        elif isinstance(fact, OpenOrdersReported) and self.switch is not None and symbol in self._books:
            strategy_id = self._books[symbol].context.settings.strategy_id
            has_foreign = any(not each.is_of(strategy_id) for each in fact.orders)
            self.switch.note_open_orders(symbol, has_foreign=has_foreign)
        elif isinstance(fact, RequestsSuspended):
            self.suspend(fact.until, fact.reason, takes_cancels=fact.takes_cancels)
        self._takers[symbol](fact)
        cancels = self.limits.note_fact(symbol, self.now())
        if cancels:
            self.submit(cancels, self.now())

    def _share(self, symbol: str, fact: BalancesReported) -> BalancesReported:
        others = [books.holdings for name, books in self._books.items() if name != symbol]
        return less_what_others_hold(fact, self._books[symbol].instrument, others)

    def _ask_again(self, symbol: str) -> bool:
        """Ask once more where another market has traded since the question: nobody knows which side of it this is."""
        asked, marks = self._asked.pop(symbol, None), self._marks(symbol)
        if asked is None or asked.times >= MOST_BALANCE_QUESTIONS or asked.marks == marks:
            return False
        self._asked[symbol] = _BalanceQuestion(asked.question, marks, asked.times + 1)
        self._waiting.add(asked.question, self.now())
        self._let_leave()
        return True

    def _marks(self, symbol: str) -> tuple[object, ...]:
        """Changes whenever another market books a fill or a fee in a currency that it shares."""
        if symbol not in self._books:
            return ()
        instrument = self._books[symbol].instrument
        mine = (instrument.base_currency, instrument.quote_currency)
        others = [(books, books.holdings) for name, books in self._books.items() if name != symbol]
        return tuple(
            (books.context.fill_count, *map(held.get, mine))
            for books, held in others
            if any(currency in held for currency in mine)
        )


def check_permissions(found: Permissions, settings: AccountSettings) -> None:
    """Refuse keys that may withdraw, unless settings allow them, and keys that may not trade.

    Raises:
        SettingsError: the keys are refused.
    """
    if found.withdraw and not settings.allows_withdrawal_key:
        remedy = "Make a key that may only trade, or write allows_withdrawal_key = true below [account]."
        raise SettingsError("account.allows_withdrawal_key", "a key that may not withdraw", "one that may", remedy)
    if found.trade is False:
        raise SettingsError("venue", "a key that may trade", "one that may not", "Allow spot trading for the key.")


def check_one_quote_currency(terms: Iterable[VenueTerms], settings: AccountSettings) -> None:
    """Refuse limits that would add up amounts of different currencies.

    Raises:
        SettingsError: the markets have more than one quote currency, and a limit over all of them is set.
    """
    currencies = sorted({each.instrument.quote_currency for each in terms})
    name = "max_exposure" if settings.max_exposure is not None else "max_loss"
    if len(currencies) > 1 and getattr(settings, name) is not None:
        remedy = "Leave the limit out, or make markets of one quote currency in a run of their own."
        raise SettingsError(f"account.{name}", "markets with one quote currency", ", ".join(currencies), remedy)


def _step_of(waiting: Waiting) -> tuple[str, int, bool]:
    """What is handed on together: intents of one step, cancels for themselves."""
    return waiting.intent.symbol, waiting.time, isinstance(waiting.intent, CancelOrder)
