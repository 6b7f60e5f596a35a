"""``[venue] kind = "paper"`` with ``market = "ccxt:EXCHANGE"``: real streams, paper fills, no keys, no orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from attrs import evolve, frozen
from loguru import logger

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import Fact, Intent
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.core.settings_tables import dotted
from mm_fsm.errors import SettingsError
from mm_fsm.venues.ccxt_venue.library import MakeExchange, maker_of
from mm_fsm.venues.ccxt_venue.market_data import MarketData
from mm_fsm.venues.ccxt_venue.market_rules import agreed
from mm_fsm.venues.paper.exchange import PaperExchange
from mm_fsm.venues.paper.settings import PaperSettings
from mm_fsm.venues.paper.venue import paper_terms
from mm_fsm.venues.port import PushedPlan, TakeFact, VenueTerms
from mm_fsm.venues.recorded.fields import MalformedFieldError
from mm_fsm.venues.recorded.reading import ReadingSettings
from mm_fsm.venues.recorded.soundness import MarketDoubt
from mm_fsm.venues.wall_clock import WallClock


@frozen(kw_only=True)
class StreamedPaperPlan:
    """One market's real streams, and the paper exchange on them."""

    exchange: str
    """As ccxt names it."""
    factory: str | None
    place: str
    strategy: MarketMakingSettings
    instrument: Instrument | None
    fees: Fees
    balances: Balances
    paper: PaperSettings
    is_live: ClassVar[bool] = False
    journal_defaults: ClassVar[Mapping[str, Any]] = {"record_market_data": True, "synchronise": False}
    reference_price: ClassVar[Decimal | None] = None

    @property
    def connection(self) -> str:
        """Each market has streams and an exchange of its own."""
        return f"paper ccxt:{self.exchange} {self.factory} {self.strategy.symbol}"

    def for_session(
        self, strategy: MarketMakingSettings, *, duration_seconds: float | None, seed: int | None
    ) -> tuple[MarketMakingSettings, StreamedPaperPlan]:
        """A session of so many seconds; ``seed`` is of the exchange's latencies."""
        paper = self.paper if seed is None else evolve(self.paper, seed=seed)
        if duration_seconds is not None:
            strategy = evolve(strategy, session_seconds=duration_seconds)
        return strategy, evolve(self, strategy=strategy, paper=paper)

    def connect(self, plans: Sequence[PushedPlan]) -> StreamedPaperVenue:
        """The venue.

        Raises:
            SettingsError: exchange or factory are not there.
        """
        del plans
        place = dotted(self.place, "venue")
        make = maker_of(self.exchange, self.factory, dotted(place, "market"), dotted(place, "factory"))
        return StreamedPaperVenue(self, make)


class StreamedPaperVenue:
    """A paper exchange in wall time, shown what an exchange's public streams bring.

    What cannot be believed is shown to nobody, by the rules of a replay: no fill on paper comes of one wild print.

    Args:
        plan: the market.
        make: makes exchange objects.
        clock: of the host; the wall's by default.
    """

    def __init__(self, plan: StreamedPaperPlan, make: MakeExchange, clock: WallClock | None = None) -> None:
        self._plan = plan
        self._clock = clock or WallClock()
        self._data = MarketData(
            plan.exchange, make, {plan.strategy.symbol: plan.strategy.max_live_orders + 1}, self._clock
        )
        self.doubted: Counter[str] = Counter()
        """Books and trades that were passed over, by the fault as a recording's rows have it."""
        self._doubt = MarketDoubt(ReadingSettings())
        self._exchange: PaperExchange | None = None
        self._raw: Any = None
        self._take: TakeFact | None = None
        self._alarm: Callable[[], None] | None = None

    async def open(self) -> Mapping[str, VenueTerms]:
        """Connect to the streams, and say the terms.

        Raises:
            SettingsError: the exchange's rules and the settings disagree, or a spot account would start short.
            VenueError: the exchange cannot be reached.
        """
        plan, symbol = self._plan, self._plan.strategy.symbol
        await self._data.open(self._show)
        said = self._data.instruments[symbol]
        instrument = agreed(_Named(plan.exchange), said, plan.instrument)
        self._exchange = PaperExchange(instrument, plan.fees, plan.balances, plan.paper)
        return {symbol: paper_terms(instrument, plan.fees, plan.balances)}

    def attach(self, symbol: str, take: TakeFact, known_ids: Mapping[str, str]) -> None:
        """Begin to give facts to ``take``."""
        del symbol, known_ids
        self._take = take

    def submit(self, intents: Sequence[Intent], now: int) -> None:
        """Send intents on their way to the paper exchange."""
        del now  # what waited leaves only now
        if self._exchange is not None:
            for intent in intents:
                self._exchange.submit(intent, self.now())
            self._set_alarm()

    def now(self) -> int:
        """Host time."""
        return self._clock.now()

    def call_at(self, time: int, call: Callable[[], None]) -> Callable[[], None]:
        """Call back at host time ``time``."""
        return self._clock.call_at(time, call)

    async def drain(self, seconds: float) -> tuple[Intent, ...]:
        """The exchange lives in this process: nothing is on its way to anybody else."""
        del seconds
        return ()

    async def close(self) -> None:
        """Listen no more."""
        self._take = None
        if self._alarm is not None:
            self._alarm()
        await self._data.close()

    def _show(self, event: MarketBook | MarketTrade) -> None:
        if self._exchange is not None and self._take is not None and self._is_believed(event):
            self._exchange.on_market(event)
            self._bring()

    def _is_believed(self, event: MarketBook | MarketTrade) -> bool:
        """Whether it is near what was there before; the log names the first that is not, the tenth, the hundredth."""
        try:
            self._doubt.check(event)
        except MalformedFieldError as wrong:
            self.doubted[wrong.fault] += 1
            count = self.doubted[wrong.fault]
            if str(count).strip("0") == "1":
                fields = {"symbol": event.symbol, "fault": wrong.fault, "problem": wrong.problem, "count": count}
                logger.bind(**fields, doing="passed over").warning("market.doubted")
            return False
        return True

    def _bring(self) -> None:
        """Give the machine everything that is due."""
        exchange = self._exchange
        while exchange is not None and (due := exchange.next_time()) is not None and due <= self.now():
            for fact in exchange.advance(self.now()):
                self._tell(fact)
        self._set_alarm()

    def _tell(self, fact: Fact) -> None:
        if self._take is not None:
            self._take(fact)

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm()
            self._alarm = None
        due = None if self._exchange is None or self._take is None else self._exchange.next_time()
        if due is not None:
            self._alarm = self._clock.call_at(due, self._bring)


@frozen
class _Named:
    """An exchange's name, for errors."""

    id: str


def plan_on_streams(market: str, factory: str | None, plan: Mapping[str, Any], place: str) -> StreamedPaperPlan:
    """The plan for ``market``, as settings write it.

    Raises:
        SettingsError: it names no exchange of ccxt's.
    """
    source, _, exchange = market.partition(":")
    if source != "ccxt" or not exchange:
        remedy = "Write 'ccxt:' and the exchange's name in ccxt, or leave the key out for a simulated market."
        raise SettingsError(dotted(place, "venue.market"), "'ccxt:EXCHANGE'", market, remedy)
    return StreamedPaperPlan(exchange=exchange, factory=factory, place=place, **plan)
