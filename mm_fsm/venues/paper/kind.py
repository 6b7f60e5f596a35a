"""``[venue] kind = "paper"``: the embedded exchange on a simulated market."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from importlib import import_module
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeVar

from attrs import evolve, field, frozen

from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.core.settings_tables import dotted, missing_table, structured
from mm_fsm.errors import SettingsError
from mm_fsm.venues.base import MarketEvent
from mm_fsm.venues.paper.exchange import PaperExchange
from mm_fsm.venues.paper.settings import PaperSettings
from mm_fsm.venues.paper.venue import PaperVenue, paper_terms
from mm_fsm.venues.port import MarketRequest, VenuePlan
from mm_fsm.venues.simulator import MarketSimulator, SimulatorSettings

SIMULATED_EPOCH: Final = 1_704_067_200_000_000_000
"""2024-01-01 UTC, nanoseconds: when simulated sessions start unless settings say otherwise."""
DEFAULT_DURATION_SECONDS: Final = 3600.0
"""Length of a simulated session whose settings say nothing about it."""
DEFAULT_START_TICKS: Final = 20_000
"""Start price of a simulated market whose settings name none, in ticks: a tick is half a basis point then."""
LEVEL_ORDERS: Final = 20
"""Size of a displayed level of such a market, in innermost orders of the strategy."""
TAKER_ORDERS: Final = 5
"""Size of a taker's trade there, in innermost orders of the strategy."""
_AFTER_THE_DEADLINE_SECONDS: Final = 60.0
"""How long a simulated market goes on after the last moment of a wind-down."""

PAPER_JOURNAL: Final[Mapping[str, Any]] = MappingProxyType({"record_market_data": True, "synchronise": False})
"""What suits the paper exchange: complete enough to replay, and no more durable than the process it lives in."""

_Value = TypeVar("_Value")


@frozen(kw_only=True)
class PaperTable:
    """``[venue]``: latencies are in ``[paper]``; the market is in ``[simulator]``, unless real streams are named."""

    market: str | None = None
    """``ccxt:EXCHANGE``: that exchange's public streams, in wall time; None for a simulated market."""
    factory: str | None = None
    """``module:function`` that makes exchange objects in place of ccxt's class."""


@frozen(kw_only=True)
class PaperAccount:
    """What every market on the paper exchange has: rules, fees, an account, and how the exchange behaves."""

    instrument: Instrument
    fees: Fees
    balances: Balances
    exchange: PaperSettings = field(factory=PaperSettings)

    is_live: ClassVar[bool] = False
    journal_defaults: ClassVar[Mapping[str, Any]] = PAPER_JOURNAL

    def on(self, market: Iterable[MarketEvent], progress: Callable[[int], float] | None = None) -> PaperVenue:
        """A venue that shows ``market``; ``progress`` says how much of it has been read at an event time, 0 to 1.

        Raises:
            SettingsError: a spot account would start short.
            RecordingError: the first event is malformed.
        """
        exchange = PaperExchange(self.instrument, self.fees, self.balances, self.exchange)
        return PaperVenue(paper_terms(self.instrument, self.fees, self.balances), market, exchange, progress)


@frozen(kw_only=True)
class PaperPlan(PaperAccount):
    """The paper exchange on a simulated market."""

    simulator: SimulatorSettings
    has_start_price: bool
    """Whether the simulator's start price is written, and not a stand-in."""
    has_duration: bool
    """Whether the simulator's duration is written."""

    @property
    def reference_price(self) -> Decimal | None:
        """The simulator's start price, quote per base; None when it is not written."""
        return self.simulator.start_price if self.has_start_price else None

    def for_session(
        self, strategy: MarketMakingSettings, *, duration_seconds: float | None, seed: int | None
    ) -> tuple[MarketMakingSettings, PaperPlan]:
        """A market that lasts as long as the session, wind-down included; ``seed`` is of market and exchange.

        The session's length is ``duration_seconds``, else what the strategy says; else the simulated market ends it,
        after an hour if nothing says when.
        """
        simulator, exchange = self.simulator, self.exchange
        if duration_seconds is None and strategy.session_seconds is None and not self.has_duration:
            duration_seconds = DEFAULT_DURATION_SECONDS
        if duration_seconds is not None:
            strategy = evolve(strategy, session_seconds=duration_seconds)
        if strategy.session_seconds is not None and (duration_seconds is not None or not self.has_duration):
            afterwards = strategy.wind_down_deadline_seconds + _AFTER_THE_DEADLINE_SECONDS
            simulator = evolve(simulator, duration_seconds=strategy.session_seconds + afterwards)
        if seed is not None:
            simulator, exchange = evolve(simulator, seed=seed), evolve(exchange, seed=seed)
        return strategy, evolve(self, simulator=simulator, exchange=exchange)

    def market(self) -> MarketSimulator:
        """The simulated market."""
        return MarketSimulator(self.simulator)

    def open(self) -> PaperVenue:
        """A venue of its own on the simulated market.

        Raises:
            SettingsError: a spot account would start short.
        """
        start, length = self.simulator.start_time, max(nanoseconds(self.simulator.duration_seconds), 1)
        return self.on(self.market(), lambda now: (now - start) / length)


class PaperKind:
    """Reads ``[paper]``, how the exchange behaves, and ``[simulator]``, the market."""

    tables: Final[Mapping[str, type]] = MappingProxyType(
        {"venue": PaperTable, "paper": PaperSettings, "simulator": SimulatorSettings}
    )

    def plan(self, market: MarketRequest) -> VenuePlan:
        """Read the tables.

        Raises:
            SettingsError: ``[instrument]`` or ``[fees]`` is missing, or a table is wrong.
        """
        table = structured(PaperTable, market.tables.get("venue", {}), dotted(market.place, "venue"))
        return self.simulated(market) if table.market is None else _on_streams(market, table.market, table.factory)

    def simulated(self, market: MarketRequest) -> PaperPlan:
        """The paper exchange on a simulated market.

        Raises:
            SettingsError: ``[instrument]`` or ``[fees]`` is missing, or a table is wrong.
        """
        account = paper_account(market)
        simulator = market.tables.get("simulator", {})
        place = dotted(market.place, "simulator")
        return PaperPlan(
            instrument=account.instrument,
            fees=account.fees,
            balances=account.balances,
            exchange=account.exchange,
            simulator=_simulator(simulator, account.instrument, market.strategy, place),
            has_start_price="start_price" in simulator,
            has_duration="duration_seconds" in simulator,
        )


def _on_streams(market: MarketRequest, source: str, factory: str | None) -> VenuePlan:
    """The paper exchange on real streams; the exchange knows the rules, fees have to be written."""
    if "simulator" in market.tables:
        remedy = "Leave one of the two out."
        raise SettingsError(dotted(market.place, "simulator"), "one market", f"a simulated one and {source}", remedy)
    streams = import_module("mm_fsm.venues.ccxt_venue.paper_on_streams")  # only streams need ccxt
    given = {
        "strategy": market.strategy,
        "instrument": market.instrument,
        "fees": _written(Fees, market.fees, "fees", market.place),
        "balances": market.balances,
        "paper": structured(PaperSettings, market.tables.get("paper", {}), dotted(market.place, "paper")),
    }
    plan: VenuePlan = streams.plan_on_streams(source, factory, given, market.place)
    return plan


def paper_account(market: MarketRequest) -> PaperAccount:
    """The exchange that a market's tables describe, whatever market it will show.

    Raises:
        SettingsError: ``[instrument]`` or ``[fees]`` is missing, or ``[paper]`` is wrong.
    """
    return PaperAccount(
        instrument=_written(Instrument, market.instrument, "instrument", market.place),
        fees=_written(Fees, market.fees, "fees", market.place),
        balances=market.balances,
        exchange=structured(PaperSettings, market.tables.get("paper", {}), dotted(market.place, "paper")),
    )


def _written(kind: type[_Value], value: _Value | None, name: str, place: str) -> _Value:
    """The value, which only settings can give here; refused where they do not."""
    if value is None:
        raise missing_table(kind, name, place)
    return value


def _simulator(
    table: Mapping[str, Any], instrument: Instrument, strategy: MarketMakingSettings, place: str
) -> SimulatorSettings:
    """A simulated market; what is not written follows from the instrument's grid and the strategy's order size."""
    fixed = {"seed": 0, "start_time": SIMULATED_EPOCH, "start_price": instrument.tick_size * DEFAULT_START_TICKS}
    sizes = {"level_size": instrument.lot_size, "taker_size": instrument.lot_size}
    given = {"instrument": instrument}
    settings = structured(SimulatorSettings, {**fixed, **sizes, **table}, place, given=given)
    one_order = strategy.base_order_size / settings.start_price / instrument.contract_size
    level_size, taker_size = (
        max(instrument.floor_quantity(orders * one_order), instrument.lot_size)
        for orders in (LEVEL_ORDERS, TAKER_ORDERS)
    )
    return evolve(
        settings,
        level_size=settings.level_size if "level_size" in table else level_size,
        taker_size=settings.taker_size if "taker_size" in table else taker_size,
    )


PAPER: Final = PaperKind()
