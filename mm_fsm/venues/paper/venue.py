"""The paper venue: an exchange of this process and the market that it shows, behind the port."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Final

from mm_fsm.books.facts import StopRequested
from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import Fact, Intent
from mm_fsm.venues.base import MarketEvent, SimulatedVenue
from mm_fsm.venues.port import VenueTerms

PAPER_ACCOUNT: Final = "paper"
END_OF_MARKET: Final = "the market's events have ended"


def paper_terms(instrument: Instrument, fees: Fees, balances: Balances) -> VenueTerms:
    """Terms of an exchange that begins and ends with its process.

    Ids count from 000001: the exchange has seen no earlier one, and so one seed gives one run to the last character.
    """
    tokens = count(1)
    return VenueTerms(
        instrument=instrument,
        fees=fees,
        balances=balances,
        account=PAPER_ACCOUNT,
        outlives_process=False,
        make_token=lambda: f"{next(tokens):06}",
    )


class PaperVenue:
    """A market's events and the exchange that trades against them, in event time.

    When the events have ended it asks for the session's end, with the position kept.

    Args:
        terms: of the exchange.
        market: events in order of their time.
        exchange: what acts on them; an ``UnreliableVenue`` around one is one as well.
        progress: how much of the market's events have been read at an event time, 0 to 1; None when nobody knows.

    Raises:
        RecordingError: the first event is malformed.
    """

    def __init__(
        self,
        terms: VenueTerms,
        market: Iterable[MarketEvent],
        exchange: SimulatedVenue,
        progress: Callable[[int], float] | None = None,
    ) -> None:
        self.terms: Final = terms
        self.exchange: Final = exchange
        self._progress = progress
        self._market = iter(market)
        self._event = next(self._market, None)
        self._event_time = 0
        """Of the last event that happened, nanoseconds."""
        self._has_ended = False

    @property
    def progress(self) -> float | None:
        """How much of the market has happened, 0 to 1; None when nobody knows."""
        return None if self._progress is None else min(max(self._progress(self._event_time), 0.0), 1.0)

    def submit(self, intents: Sequence[Intent], now: int) -> None:
        """Send intents on their way to the exchange."""
        for intent in intents:
            self.exchange.submit(intent, now)

    def next_time(self) -> int | None:
        """When the market or the exchange has something next, nanoseconds; the end of the market comes at once."""
        if self._event is None and not self._has_ended:
            return self._event_time
        due = self.exchange.next_time()
        if self._event is None:
            return due
        time = self._event.received_at
        return time if due is None or time < due else due

    def receive(self, now: int) -> tuple[Fact, ...]:
        """Let market and exchange go on until ``now``; an event comes before what the exchange does at its time.

        Raises:
            RecordingError: the market's next event is malformed.
        """
        due = self.exchange.next_time()
        while self._event is not None:
            time = self._event.received_at
            if time > now or (due is not None and due < time):
                break
            self._event_time = time
            self.exchange.on_market(self._event)
            self._event = next(self._market, None)
            due = self.exchange.next_time()
        if self._event is None and not self._has_ended:
            self._has_ended = True
            return (StopRequested(received_at=now, flatten=False, reason=END_OF_MARKET),)
        return () if due is None or due > now else self.exchange.advance(now)
