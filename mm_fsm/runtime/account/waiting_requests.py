"""Requests of all markets that have not left yet, and in which order they may: cancels, then placements, questions.

Times are host time, nanoseconds.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from attrs import define, evolve, field, frozen

from mm_fsm.books.request_rates import RequestRates
from mm_fsm.core.clock import nanoseconds, seconds
from mm_fsm.core.messages import CancelOrder, Intent, OrderPurpose, PlaceOrder, QueryOrder, QueryOwnTrades
from mm_fsm.core.rate_rules import Allowance
from mm_fsm.runtime.account.settings import AccountSettings
from mm_fsm.runtime.account.venue_usage import VenueUsage

QuestionKey = tuple[type[Intent], str, str]


@frozen
class Waiting:
    """An intent, and when the step was that it came from."""

    intent: Intent
    time: int


@frozen
class Dropped:
    """A placement that will never leave, and why."""

    placement: PlaceOrder
    reason: str


def key_of(question: Intent) -> QuestionKey:
    """Equal for questions of which one answer serves all."""
    order = question.client_order_id if isinstance(question, QueryOrder) else ""
    return (type(question), question.symbol, order)


@define(eq=False)
class WaitingRequests:
    """What waits, and what the account's allowances still take.

    Args:
        settings: the allowances.
    """

    settings: AccountSettings
    suspended_until: int = field(default=0, init=False)
    """The venue takes no placement and no question before this time: it would refuse them, and lengthen the ban."""
    cancels_suspended_until: int = field(default=0, init=False)
    """It takes no cancel before this time, which is no later."""
    usage: VenueUsage = field(init=False)
    """What the venue says of its own counters."""
    _cancels: dict[str, Waiting] = field(factory=dict, init=False)
    _placements: deque[Waiting] = field(factory=deque, init=False)
    _questions: dict[QuestionKey, Waiting] = field(factory=dict, init=False)
    _orders: RequestRates = field(init=False)
    _requests: RequestRates = field(init=False)

    def __attrs_post_init__(self) -> None:
        share = self.settings.reserve_share
        self.usage = VenueUsage(share)
        orders, requests = self.settings.order_interval_seconds, self.settings.request_interval_seconds
        self._orders = RequestRates(
            most_orders=self.settings.max_orders, interval=nanoseconds(orders), reserve_share=share
        )
        self._requests = RequestRates(
            most_orders=self.settings.max_requests, interval=nanoseconds(requests), reserve_share=share
        )

    @property
    def intents(self) -> tuple[Intent, ...]:
        """Everything that waits, in the order in which it would leave."""
        return tuple(each.intent for each in (*self._cancels.values(), *self._placements, *self._questions.values()))

    def allowances(self, now: int) -> tuple[Allowance, ...]:
        """What is used of the account's own allowances, and of those that the venue tells. Changes nothing."""
        (orders,), (requests,) = self._orders.allowances(now), self._requests.allowances(now)
        requests = evolve(requests, rule=requests.rule.replace("orders", "requests"))
        found = (orders, requests, *self.usage.allowances(now))
        return tuple(evolve(each, setting="account", rule=f"account: {each.rule}") for each in found)

    @property
    def has_cancels(self) -> bool:
        """Whether a cancel waits."""
        return bool(self._cancels)

    def add(self, intent: Intent, time: int) -> Dropped | None:
        """Queue an intent. A cancel drops its order's placement where that still waits, and is not queued itself.

        Returns the dropped placement; None where none was dropped.
        """
        if isinstance(intent, PlaceOrder):
            self._placements.append(Waiting(intent, time))
        elif isinstance(intent, CancelOrder):
            return self._add_cancel(intent, time)
        else:
            self._add_question(intent, time)
        return None

    def take_due(self, now: int) -> tuple[list[Waiting], list[Dropped]]:
        """What may leave now, in order, counted as sent; and the placements that have waited too long."""
        dropped = self._too_old(now)
        due = self._cancels_due(now)
        if now < self.suspended_until:
            return due, dropped
        due += self._placements_due(now)
        due += self._questions_due(now)
        return due, dropped

    def next_time(self, now: int) -> int | None:
        """When to look again; None when nothing waits."""
        times = []
        if self._placements:
            oldest = min(each.time for each in self._placements)
            times.append(oldest + nanoseconds(self.settings.longest_wait_seconds) + 1)
            kinds = {_is_quote(each) for each in self._placements}
            times.append(min(self._room_at(now, is_quote=each) for each in kinds))
        if self._questions:
            times.append(self._room_for_question_at(now))
        if self._cancels:
            times.append(self.cancels_suspended_until)
        if not times:
            return None
        if now < self.suspended_until:
            return min((self.suspended_until, *(time for time in times if time > now)))
        return max(min(times), now + 1)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _add_cancel(self, cancel: CancelOrder, time: int) -> Dropped | None:
        for waiting in self._placements:
            if isinstance(waiting.intent, PlaceOrder) and waiting.intent.client_order_id == cancel.client_order_id:
                self._placements.remove(waiting)
                return Dropped(waiting.intent, "its cancel came before it could leave")
        self._cancels[cancel.client_order_id] = Waiting(cancel, time)
        return None

    def _add_question(self, question: Intent, time: int) -> None:
        key = key_of(question)
        before = self._questions.pop(key, None)
        if before is not None and isinstance(question, QueryOwnTrades) and isinstance(before.intent, QueryOwnTrades):
            question = evolve(question, since=min(question.since, before.intent.since))
        self._questions[key] = Waiting(question, time)

    def _too_old(self, now: int) -> list[Dropped]:
        limit = nanoseconds(self.settings.longest_wait_seconds)
        old = [each for each in self._placements if now - each.time > limit]
        for each in old:
            self._placements.remove(each)
        why = self._why(now)
        return [
            Dropped(each.intent, f"waited {seconds(now - each.time):.1f} s{why} and was dropped, not sent late")
            for each in old
            if isinstance(each.intent, PlaceOrder)
        ]

    def _why(self, now: int) -> str:
        if now < self.suspended_until:
            taken = "new order" if self.cancels_suspended_until < self.suspended_until else "request"
            return f" as the venue takes no {taken} for another {seconds(self.suspended_until - now):.1f} s"
        why = self._why_no_room(now, is_quote=True)
        return f" for room ({why})" if why else ""

    def _why_no_room(self, now: int, *, is_quote: bool) -> str | None:
        """Why no placement may leave, by our own allowances and by the venue's counters."""
        return (
            self._orders.why_not(now, is_quote=is_quote)
            or self._requests.why_not(now, is_quote=is_quote)
            or self.usage.why_not(now, is_order=True, is_quote=is_quote)
        )

    def _cancels_due(self, now: int) -> list[Waiting]:
        """All of them, but in a ban. No allowance holds them back."""
        if now < self.cancels_suspended_until:
            return []
        due = [*self._cancels.values()]
        self._cancels.clear()
        for _ in due:
            self._requests.note_placement(now)
            self.usage.note_sent(now)
        return due

    def _placements_due(self, now: int) -> list[Waiting]:
        """Those that have room, inner levels of a step first, lest one side takes all of it.

        An order that reduces a position does not wait behind quotes.
        """
        due: list[Waiting] = []
        full: set[bool] = set()
        for each in sorted(self._placements, key=_by_level):
            is_quote = _is_quote(each)
            if is_quote in full or self._why_no_room(now, is_quote=is_quote):
                full.add(is_quote)  # there is no room for any other of its kind either
                continue
            self._orders.note_placement(now)
            self._requests.note_placement(now)
            self.usage.note_sent(now, is_order=True)
            self._placements.remove(each)
            due.append(each)
        return due

    def _questions_due(self, now: int) -> list[Waiting]:
        due = []
        for key in [*self._questions]:
            if self._room_for_question_at(now) > now:
                break
            self._requests.note_placement(now)
            self.usage.note_sent(now, is_question=True)
            due.append(self._questions.pop(key))
        return due

    def _room_at(self, now: int, *, is_quote: bool) -> int:
        return max(
            self._orders.room_at(now, is_quote=is_quote),
            self._requests.room_at(now, is_quote=is_quote),
            self.usage.room_at(now, is_order=True, is_quote=is_quote),
        )

    def _room_for_question_at(self, now: int) -> int:
        usage = self.usage.room_at(now, is_order=False, is_quote=True)
        return max(self._requests.room_at(now, is_quote=True), usage)


_QUOTE: Final = OrderPurpose.QUOTE


def _by_level(waiting: Waiting) -> tuple[int, int]:
    return waiting.time, waiting.intent.level if isinstance(waiting.intent, PlaceOrder) else 0


def _is_quote(waiting: Waiting) -> bool:
    return isinstance(waiting.intent, PlaceOrder) and waiting.intent.purpose is _QUOTE
