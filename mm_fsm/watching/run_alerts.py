"""Alerts of one run: looks at its markets and accounts, and tells the targets what people have to know.

Looking and telling return at once; each target has a courier. The run waits for nobody but, for a stated time, at its
end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import Final

from loguru import logger

from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.account.shared_account import SharedAccount
from mm_fsm.runtime.pushed_session import PushedSession
from mm_fsm.runtime.session import PulledSession, Session
from mm_fsm.runtime.shutdown import ending_of
from mm_fsm.runtime.watching_settings import AlertKind, AlertSettings
from mm_fsm.watching.alert_courier import Courier, TakesMessages
from mm_fsm.watching.alert_limiter import URGENT, AlertLimiter, Message
from mm_fsm.watching.alert_texts import body_of, title_of
from mm_fsm.watching.conditions import AccountConditions, Conditions, MarketConditions
from mm_fsm.watching.news import News

LOOK_SECONDS: Final = 0.5
"""Wall time between two looks at everything; a market is also looked at after each of its steps."""
_LEFT: Final = "nobody looks after it any more: start the run again, or look at the venue"


class RunAlerts:
    """Follows a run and tells its trouble.

    Args:
        sessions: the run's markets.
        settings: what is told, and how often.
        targets: where messages go.
        clock: of the wall, seconds, never going back.
    """

    def __init__(
        self,
        sessions: Sequence[Session],
        settings: AlertSettings,
        targets: Iterable[TakesMessages],
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._sessions = tuple(sessions)
        self._settings = settings
        self._clock = clock
        self._markets = {each.symbol: MarketConditions(each, settings.unconfirmed_seconds) for each in sessions}
        self._accounts = _accounts_of(sessions)
        self._limiter = AlertLimiter(
            map(AlertKind, settings.kinds),
            summary_seconds=settings.summary_seconds,
            max_messages=settings.max_messages,
            interval_seconds=settings.message_interval_seconds,
        )
        self._couriers = tuple(map(Courier, targets))
        self._next_look = float("-inf")
        self._has_failed = False

    def take(self, session: Session, result: StepResult) -> None:
        """One step of one session has been taken."""
        self._look(self._markets[session.symbol])
        self.tick()

    def tick(self) -> None:
        """Look at everything now and then, and tell what is due."""
        now = self._clock()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        for conditions in (*self._markets.values(), *self._accounts):
            self._look(conditions)
        self._tell(self._limiter.next_message(now))

    def close(self, error: BaseException | None = None) -> None:
        """Tell what has not been told, and how orders were left; wait for it, but not longer than the settings say.

        The log says what was not taken. Whatever fails here is told before it is raised.
        """
        try:
            if not self._has_failed:
                self._tell_end(error)
        except Exception as failure:
            self._tell_failure(failure, "The run has ended. Look at how its orders were left, here or at the venue.")
            raise
        finally:
            self._end_couriers()

    def abandon(self, failure: Exception) -> None:
        """Looking has failed with this: tell that nobody is told any more. Returns at once; the run goes on."""
        self._has_failed = True
        self._tell_failure(failure, "The run goes on, but nobody is told of it any more: look at it yourself.")

    def _tell_end(self, error: BaseException | None) -> None:
        for conditions in (*self._markets.values(), *self._accounts):
            self._look(conditions)
        for news in self._ending(error):
            self._limiter.note(news)
        self._tell(self._limiter.last_message(self._clock()))

    def _tell_failure(self, failure: Exception, then: str) -> None:
        for courier in self._couriers:
            courier.put("mm-fsm: Alerts have failed", f"{type(failure).__name__}. {then}", is_urgent=True)

    def _end_couriers(self) -> None:
        for courier in self._couriers:
            courier.end()
        until = monotonic() + self._settings.wait_seconds
        for courier in self._couriers:
            courier.wait(until)
        for courier in self._couriers:
            untold = courier.untold()
            if untold:
                logger.bind(target=courier.name, messages="; ".join(untold)).error("alert.not_told")

    def _look(self, conditions: Conditions) -> None:
        is_news = False
        for news in conditions.look():
            self._limiter.note(news)
            is_news = True
        if is_news:
            self._tell(self._limiter.next_message(self._clock()))

    def _tell(self, message: Message | None) -> None:
        if message is not None:
            title, body = title_of(message), body_of(message)
            is_urgent = any(part.kind in URGENT for part in message.parts)
            for courier in self._couriers:
                courier.put(title, body, is_urgent=is_urgent)

    def _ending(self, error: BaseException | None) -> Iterable[News]:
        """What is wrong when the run is left: an error that ends it, and books that nobody confirmed to be empty."""
        if isinstance(error, Exception):
            reason = f"the run ends because of an error, {type(error).__name__}"
            yield News(kind=AlertKind.FAULT, place="run", key="error", begins=True, reason=reason, doing=_LEFT)
        for session in self._sessions:
            ending = ending_of(session.machine.context)
            if not isinstance(session, PulledSession) and not ending.is_book_confirmed_empty:
                reason = str(ending).removeprefix(f"{session.symbol}: ")
                kind = AlertKind.UNCONFIRMED_ORDERS
                yield News(kind=kind, place=session.symbol, key="ending", begins=True, reason=reason, doing=_LEFT)


def _accounts_of(sessions: Iterable[Session]) -> tuple[AccountConditions, ...]:
    """Each account once."""
    venues = {id(each.venue): each.venue for each in sessions if isinstance(each, PushedSession)}
    shared = [venue for venue in venues.values() if isinstance(venue, SharedAccount)]
    return tuple(
        AccountConditions(venue.limits, f"account {number}" if len(shared) > 1 else "account")
        for number, venue in enumerate(shared, 1)
    )
