"""News to messages: the first of a kind at once, further ones gathered with their number, never a flood.

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

_MOST_REASONS: Final = 5
"""Different beginnings that a message tells; of more it tells how many."""
_KEPT_FREE: Final = {AlertKind.KILL_SWITCH: 1}
"""Messages of the interval that a kind leaves to what is more urgent; one is always left to the run's end."""
_USUALLY_KEPT_FREE: Final = 2
_MOST_TIMES: Final = 16
"""How much longer than at first a kind is gathered that does not come to rest."""

Place = tuple[str, str]
"""Where, and what of it: the place and key of news."""


@frozen(kw_only=True)
class KindDigest:
    """What a message says about one kind."""

    kind: AlertKind
    began: int
    """How often something has begun, or become worse, since the kind's last message."""
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
class _KindState:
    """What is known of one kind, and not told yet."""

    quiet_until: float = float("-inf")
    """Before it, what begins is gathered."""
    quiet_seconds: float = 0.0
    """How long it was to be quiet last."""
    may_tell_end: bool = False
    """Whether the end of it all may be told at once: one end for each message that began something."""
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

    def is_due(self, now: float) -> bool:
        """Whether it is to be told now: a beginning after quiet, or that all that was told is over."""
        if not self.is_pending:
            return False
        return now >= self.quiet_until or (self.may_tell_end and not self.began and not self.open)

    def take(self, kind: AlertKind, now: float, summary_seconds: float) -> KindDigest:
        """What there is to tell; from now on it counts as told."""
        digest = KindDigest(
            kind=kind,
            began=self.began,
            ended=self.ended,
            first=tuple(self.first),
            places=tuple(self.places),
            still=tuple(self.open.values()),
        )
        if now >= self.quiet_until:
            goes_on = now - self.quiet_until < self.quiet_seconds
            self.quiet_seconds = (
                min(2 * self.quiet_seconds, _MOST_TIMES * summary_seconds) if goes_on else summary_seconds
            )
            self.quiet_until = now + self.quiet_seconds
            self.may_tell_end = True
        else:
            self.may_tell_end = False
        self.began = self.ended = 0
        self.first, self.places = [], Counter()
        return digest


class AlertLimiter:
    """Gathers news until they may be told.

    Args:
        kinds: what is told; other news are forgotten.
        summary_seconds: after a message of a kind, how long its further news are gathered; twice as long each time that
            there were some at once, 16 times at most.
        max_messages: in an interval, at most. The last but one is kept for the kill switch, the last for the run's end.
        interval_seconds: of them.
    """

    def __init__(
        self, kinds: Iterable[AlertKind], *, summary_seconds: float, max_messages: int, interval_seconds: float
    ) -> None:
        wanted = {*kinds}
        self._kinds = {kind: _KindState() for kind in AlertKind if kind in wanted}
        self._summary_seconds = summary_seconds
        self._max_messages = max_messages
        self._interval_seconds = interval_seconds
        self._sent: deque[float] = deque(maxlen=max_messages)
        """When messages were made, the newest last."""

    def note(self, news: News) -> None:
        """Something has begun, or is over."""
        state = self._kinds.get(news.kind)
        if state is not None:
            state.note(news)

    def next_message(self, now: float) -> Message | None:
        """What is to be told now; None while nothing is, or too much was told lately."""
        due = [
            kind
            for kind, state in self._kinds.items()
            if state.is_due(now) and self._has_room(now, _KEPT_FREE.get(kind, _USUALLY_KEPT_FREE))
        ]
        return self._message(due, now, is_last=False) if due else None

    def last_message(self, now: float) -> Message | None:
        """Everything that was not told, at the run's end; None where there is nothing, or no room even for that."""
        pending = [kind for kind, state in self._kinds.items() if state.is_pending]
        return self._message(pending, now, is_last=True) if pending and self._has_room(now, 0) else None

    def _has_room(self, now: float, kept_free: int) -> bool:
        """Whether fewer messages than the most, less those kept free, were made in the interval that ends now."""
        in_interval = sum(now - each < self._interval_seconds for each in self._sent)
        return in_interval < self._max_messages - kept_free

    def _message(self, kinds: Iterable[AlertKind], now: float, *, is_last: bool) -> Message:
        self._sent.append(now)
        parts = tuple(self._kinds[kind].take(kind, now, self._summary_seconds) for kind in kinds)
        return Message(parts=parts, is_last=is_last)
