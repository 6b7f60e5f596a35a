"""News to messages: the first of a kind at once, further ones gathered with their number, never a flood.

Each urgency has messages of its own, so that what is chatty and harmless keeps nothing waiting that matters. Half of
them may leave one after the other; the others leave evenly spaced, which bounds how late anything is told.

Pure: time comes in with each call, seconds of any clock that never goes back. What is kept is bounded by the number of
markets, however much happens: numbers, what is wrong now, and a few reasons.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Final

from attrs import define, field, frozen

from mm_fsm.runtime.watching_settings import AlertKind
from mm_fsm.watching.news import News

URGENT: Final = frozenset({AlertKind.KILL_SWITCH, AlertKind.FAULT, AlertKind.UNCONFIRMED_ORDERS})
"""Kinds after which somebody has to look at once."""
_REMINDED: Final = frozenset({AlertKind.FAULT, AlertKind.UNCONFIRMED_ORDERS})
"""Kinds that are told again while they stay: one message may be lost, or not read."""
_MOST_REASONS: Final = 5
"""Different beginnings that a message tells; of more it tells how many."""
Place = tuple[str, str]
"""Where, and what of it: the place and key of news."""


@frozen(kw_only=True)
class KindDigest:
    """What a message says about one kind."""

    kind: AlertKind
    began: int
    """How often something has begun, or become worse, since the kind's last message; 0 in a reminder."""
    ended: int
    """How often something was over."""
    first: tuple[News, ...]
    """The first of what has begun."""
    places: tuple[str, ...]
    """Where it has begun, each once."""
    still: tuple[News, ...]
    """Everything that is wrong now, told before or not."""


@frozen(kw_only=True)
class Message:
    """One message to people."""

    parts: tuple[KindDigest, ...]
    """The most urgent kind first."""
    is_last: bool = False
    """Whether the run ends with it."""


@define
class _Room:
    """Messages of one urgency: some one after the other, further ones evenly spaced."""

    most: int
    """Messages in an interval, at most."""
    interval_seconds: float
    sent: deque[float] = field(factory=deque)

    @property
    def spaced(self) -> int:
        """Of the most, as many are sure to come in any interval, evenly spaced; the others may come at once."""
        return (self.most + 1) // 2

    @property
    def gap_seconds(self) -> float:
        """After the last message, how long until there is room again, whatever left before it."""
        return self.interval_seconds / self.spaced

    def is_free(self, now: float, besides: int = 0) -> bool:
        """Whether a message may leave now, and so many besides it.

        With ``at_once + spaced = most + 1``, the gap alone never lets more than the most leave: of so many in one
        interval, ``spaced - 1`` have kept the gap, so the first of them is out of it one gap after the last.
        """
        while self.sent and now - self.sent[0] >= self.interval_seconds:
            self.sent.popleft()
        if not self.sent or len(self.sent) + besides < self.most + 1 - self.spaced:
            return True
        return len(self.sent) < self.most and now - self.sent[-1] >= self.gap_seconds


@define
class _KindState:
    """What is known of one kind, and not told yet."""

    rooms: tuple[_Room, ...]
    """Where its messages count: in the first that is free."""
    told_at: float = float("-inf")
    """When a message said something of it last."""
    began: int = 0
    ended: int = 0
    first: list[News] = field(factory=list)
    places: Counter[str] = field(factory=Counter)
    open: dict[Place, News] = field(factory=dict)

    def note(self, news: News) -> None:
        place = (news.place, news.key)
        if news.begins:
            self.began += 1
            self.places[news.place] += 1
            if len(self.first) < _MOST_REASONS:
                self.first.append(news)
            self.open[place] = news
        elif self.open.pop(place, None) is not None:
            self.ended += 1

    @property
    def is_pending(self) -> bool:
        return bool(self.began or self.ended)

    def take(self, kind: AlertKind, now: float) -> KindDigest:
        """What there is to tell; from now on it counts as told."""
        digest = KindDigest(
            kind=kind,
            began=self.began,
            ended=self.ended,
            first=tuple(self.first),
            places=tuple(self.places),
            still=tuple(self.open.values()),
        )
        self.told_at = now
        self.began = self.ended = 0
        self.first, self.places = [], Counter()
        return digest


class AlertLimiter:
    """Gathers news until they may be told. Whatever message leaves takes everything along that waits.

    Args:
        kinds: what is told; other news are forgotten.
        summary_seconds: after a message about a kind, how long its further news are gathered.
        max_messages: in an interval, at most; at least 5. One is for the run's end; of the others each urgency has some
            of its own: limits, feeds, and what is urgent. The kill switch has some more when those are spent.
        interval_seconds: of them. A fault, or orders of unknown outcome, that stay are told again so often.
    """

    def __init__(
        self, kinds: Iterable[AlertKind], *, summary_seconds: float, max_messages: int, interval_seconds: float
    ) -> None:
        limits, feeds, kills = (max(1, max_messages * percent // 100) for percent in (15, 25, 10))
        limit, feed, kill, urgent = (
            _Room(most, interval_seconds) for most in (limits, feeds, kills, max_messages - 1 - limits - feeds - kills)
        )
        rooms = {AlertKind.LIMIT: (limit,), AlertKind.FEED_LOST: (feed,), AlertKind.KILL_SWITCH: (urgent, kill)}
        wanted = {*kinds}
        self._kinds = {kind: _KindState(rooms.get(kind, (urgent,))) for kind in AlertKind if kind in wanted}
        self._summary_seconds = summary_seconds
        self._interval_seconds = interval_seconds

    def note(self, news: News) -> None:
        """Something has begun, or is over."""
        state = self._kinds.get(news.kind)
        if state is not None:
            state.note(news)

    def latest_seconds(self, kind: AlertKind) -> float:
        """How long after it began a thing of this kind is told, at the latest, if it is asked often enough."""
        return max(self._summary_seconds, self._kinds[kind].rooms[0].gap_seconds)

    def next_message(self, now: float) -> Message | None:
        """What is to be told now; None while nothing is, or too much was told lately."""
        for kind, state in self._kinds.items():
            room = self._room(kind, state, now)
            if room is not None:
                room.sent.append(now)
                return self._message(now, besides=kind)
        return None

    def last_message(self, now: float) -> Message | None:
        """Everything that was not told, at the run's end, once; None where there is nothing."""
        is_pending = any(state.is_pending for state in self._kinds.values())
        return self._message(now, is_last=True) if is_pending else None

    def _room(self, kind: AlertKind, state: _KindState, now: float) -> _Room | None:
        """Where a message about this kind counts, if it is to be told now: a beginning, an end, or a reminder."""
        since = now - state.told_at
        if state.began:
            is_due, besides = since >= self._summary_seconds, 0
        elif state.ended:
            # an end comes at once where a beginning has room after it; a limit comes and goes by nature
            is_due, besides = kind is not AlertKind.KILL_SWITCH and not state.open, 1
        else:
            is_due, besides = kind in _REMINDED and bool(state.open) and since >= self._interval_seconds, 0
        return next((room for room in state.rooms if room.is_free(now, besides)), None) if is_due else None

    def _message(self, now: float, *, besides: AlertKind | None = None, is_last: bool = False) -> Message:
        """Everything that waits, and the kind that a message is about in any case."""
        parts = [state.take(kind, now) for kind, state in self._kinds.items() if state.is_pending or kind is besides]
        return Message(parts=tuple(parts), is_last=is_last)
