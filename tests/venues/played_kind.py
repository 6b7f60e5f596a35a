"""A kind of venue as another package would bring it: live by its own account, pushed, and played in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from attrs import evolve, frozen

from mm_fsm.books.facts import BalancesReported
from mm_fsm.core.messages import Fact, Intent
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.core.settings_tables import dotted, structured
from mm_fsm.errors import SettingsError, VenueError
from mm_fsm.venues.paper import PaperPlan, PaperVenue
from mm_fsm.venues.paper.kind import PaperKind
from mm_fsm.venues.port import MarketRequest, PulledVenue, PushedPlan, TakeFact, VenueTerms
from mm_fsm.venues.scripted import PlayedVenue


@frozen(kw_only=True)
class PlayedTable:
    """Its keys of ``[venue]``."""

    account: str
    seconds: float = 40.0
    is_down: bool = False


@frozen(kw_only=True)
class PlayedPlan:
    """A market of one account at the played venue."""

    connection: str
    paper: PaperPlan
    is_down: bool
    is_live: ClassVar[bool] = True
    journal_defaults: ClassVar[Mapping[str, Any]] = {"record_market_data": True}
    reference_price: ClassVar[Decimal | None] = None

    def for_session(
        self, strategy: MarketMakingSettings, *, duration_seconds: float | None, seed: int | None
    ) -> tuple[MarketMakingSettings, PlayedPlan]:
        if seed is not None:
            raise SettingsError("--seed", "nothing for a live venue", seed, "Leave it out.")
        if duration_seconds is not None:
            strategy = evolve(strategy, session_seconds=duration_seconds)
        return strategy, self

    def connect(self, plans: Sequence[PushedPlan]) -> Played:
        mine = [plan for plan in plans if isinstance(plan, PlayedPlan)]
        return Played(self.connection, self.is_down, [plan.paper.open() for plan in mine])


class Played(PlayedVenue):
    """The paper exchange, said to outlive the process."""

    made: ClassVar[list[Played]] = []
    """Every venue that was made, the first first."""

    def __init__(self, account: str, is_down: bool, venues: Sequence[PulledVenue]) -> None:
        super().__init__(*venues)
        self.account = account
        self.is_down = is_down
        self.known: dict[str, Mapping[str, str]] = {}
        self.sent: list[Intent] = []
        self.made.append(self)

    async def open(self) -> Mapping[str, VenueTerms]:
        if self.is_down:
            raise VenueError("played: expected an answer, found none. Check the connection.")
        return {
            symbol: evolve(terms, account=f"played-{self.account}", outlives_process=True)
            for symbol, terms in (await super().open()).items()
        }

    def attach(self, symbol: str, take: TakeFact, known_ids: Mapping[str, str]) -> None:
        self.known[symbol] = known_ids
        super().attach(symbol, lambda fact: take(self._of_account(fact)), known_ids)

    def submit(self, intents: Sequence[Intent], now: int) -> None:
        self.sent += intents
        super().submit(intents, now)

    def _of_account(self, fact: Fact) -> Fact:
        """Balances are the account's: what every market's exchange has of both currencies, together."""
        if not isinstance(fact, BalancesReported):
            return fact
        for symbol, venue in self._venues.items():
            if symbol != fact.symbol:
                others, theirs = venue.terms.instrument, self.exchange_of(symbol).balances
                mine = self._venues[fact.symbol].terms.instrument
                for currency, total, free in (
                    (others.base_currency, theirs.base_total, theirs.base_free),
                    (others.quote_currency, theirs.quote_total, theirs.quote_free),
                ):
                    if currency == mine.base_currency:
                        fact = evolve(fact, base_total=fact.base_total + total, base_free=fact.base_free + free)
                    if currency == mine.quote_currency:
                        fact = evolve(fact, quote_total=fact.quote_total + total, quote_free=fact.quote_free + free)
        return fact

    def exchange_of(self, symbol: str) -> Any:
        """What happened at the exchange, whatever anybody was told."""
        venue = self._venues[symbol]
        assert isinstance(venue, PaperVenue)
        return venue.exchange


class PlayedKind:
    """Reads ``[venue]``."""

    tables: ClassVar[Mapping[str, type]] = {"venue": PlayedTable}

    def plan(self, market: MarketRequest) -> PlayedPlan:
        table = structured(PlayedTable, market.tables["venue"], dotted(market.place, "venue"))
        simulated = {"simulator": {"start_price": 2000, "duration_seconds": Decimal(str(table.seconds))}}
        paper = PaperKind().simulated(evolve(market, tables=simulated))
        return PlayedPlan(connection=table.account, paper=paper, is_down=table.is_down)


class WritesAtOnce(Executor):
    """Instead of threads: played time does not wait for a disk, so what a journal writes is written when it is due."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def submit(self, call: Callable[..., Any], /, *args: Any, **keywords: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(call(*args, **keywords))
        return done


@contextmanager
def installed(
    place: Path, monkeypatch: pytest.MonkeyPatch, target: str = "tests.venues.played_kind:PlayedKind"
) -> Iterator[None]:
    """As if a package had registered the kind ``played`` under ``mm_fsm.venues``; journals do not lag behind it."""
    metadata = place / "played-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: played\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[mm_fsm.venues]\nplayed = {target}\n")
    with monkeypatch.context() as patch:
        patch.syspath_prepend(place)
        patch.setattr("mm_fsm.runtime.journal.group_commit.ThreadPoolExecutor", WritesAtOnce)
        Played.made.clear()
        yield
