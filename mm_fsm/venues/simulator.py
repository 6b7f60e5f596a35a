"""A market simulator: a random mid price, a book around it, and takers who reach some way from the mid.

The mid follows a Brownian motion. Each step shows the book once. Between two books takers of both sides arrive. A
taker's reach is its distance from the mid just before it, exponentially distributed: takers of one side who reach at
least d arrive at the rate lambda(d) = A exp(-k d) (Avellaneda and Stoikov 2008).

The simulator knows nobody's orders. It prints a ``MarketTrade`` at the price that each taker reaches, also inside the
displayed spread, rounded to the grid towards the mid. A reach of at least d fills an order on the grid at distance d.
So the first order of a queue at distance d trades at exactly the rate A exp(-k d), and a regression of the prints
recovers A and k. A print tells how far a taker went. It sweeps no displayed sizes; they are drawn independently.

A market without adverse selection flatters its makers. So every taker moves the mid permanently by ``impact_bps`` in
the taker's direction. Bursts come at random times, with a livelier mid and one-sided flow: the impact makes a trend.
The defaults resemble a mid-sized spot pair: 0.13 takers a second and side, reaching 3 bps on average, 3 bps of impact,
which with the mid's own 1 bp makes some 1.8 bps per square-root second outside bursts. A maker who stands still
earns his distance less the impact on each fill, before fees.

One seed gives one market, event for event, in every process; only ``random.Random.random`` is drawn from, which
Python keeps stable across versions. Mid, flow, sizes and bursts have streams of their own, so that the mid's own moves
stay the same when the flow is set differently.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Final

from attrs import define, field, frozen

from mm_fsm.books.exact import EXACT
from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.clock import NANOSECONDS_PER_SECOND, nanoseconds
from mm_fsm.core.instrument import BASIS_POINTS, Instrument
from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.core.settings_tables import GIVEN
from mm_fsm.core.validation import decimal_of, number, whole_number
from mm_fsm.errors import SettingsError
from mm_fsm.venues.base import MarketEvent

_SECONDS_PER_HOUR: Final = 3600.0
_SHORTEST_STEP_SECONDS: Final = 1e-6
_NOT_NEGATIVE: Final = number(at_least=0, table="simulator")
_POSITIVE: Final = decimal_of("simulator", "a positive finite decimal", lambda value: value > 0, "Correct the value.")
_STEP: Final = number(at_least=_SHORTEST_STEP_SECONDS, table="simulator")
_SHARE: Final = number(at_least=0, at_most=1, table="simulator")


class PriceProcess(StrEnum):
    """What a basis point refers to in volatility, reach, impact, spread and gaps."""

    GEOMETRIC = "geometric"
    """The mid at the time: the mid stays positive."""
    ARITHMETIC = "arithmetic"
    """The start price: the mid is a Brownian motion in quote currency, as in Avellaneda and Stoikov. It stops at one
    tick."""


class TakerArrivals(StrEnum):
    """How takers arrive within a step."""

    POISSON = "poisson"
    """A Poisson process on each side."""
    AT_MOST_ONE = "at_most_one"
    """At most one on each side in a step, with probability rate * step: the published simulation of Avellaneda and
    Stoikov."""


@frozen(kw_only=True)
class SimulatorSettings:
    """A simulated market. Sizes are contracts, basis points refer to the price that ``price_process`` says.

    Raises:
        SettingsError: a number is not finite or out of its range.
    """

    instrument: Instrument = field(metadata=GIVEN)
    seed: int
    start_price: Decimal = field(validator=_POSITIVE)
    """The first mid, quote per base."""
    level_size: Decimal = field(validator=_POSITIVE)
    """Mean size of a displayed level; each is drawn from 50 % to 150 % of it."""
    taker_size: Decimal = field(validator=_POSITIVE)
    """Mean size of a taker's trade."""
    start_time: int = 0
    """Nanoseconds since the Unix epoch."""
    duration_seconds: float = field(default=600.0, validator=_NOT_NEGATIVE)
    step_seconds: float = field(default=0.5, validator=_STEP)
    """Time between two books."""
    price_process: PriceProcess = PriceProcess.GEOMETRIC
    volatility_bps_per_sqrt_second: float = field(default=1.0, validator=_NOT_NEGATIVE)
    """Of the mid, without impact and bursts."""
    spread_bps: float = field(default=4.0, validator=_NOT_NEGATIVE)
    """Between best bid and best ask, before both are rounded away from the mid; at least one tick."""
    levels: int = field(default=5, validator=whole_number(at_least=1, table="simulator"))
    """Displayed on each side."""
    level_gap_bps: float = field(default=1.0, validator=_NOT_NEGATIVE)
    """Between levels; at least one tick."""
    taker_arrivals: TakerArrivals = TakerArrivals.POISSON
    takers_per_second: float = field(default=0.13, validator=_NOT_NEGATIVE)
    """A: takers of one side, whatever their reach."""
    taker_depth_bps: float = field(default=3.0, validator=_NOT_NEGATIVE)
    """1/k: their mean reach from the mid."""
    taker_size_dispersion: float = field(default=1.0, validator=_SHARE)
    """0: every trade has the mean size. 1: sizes are exponentially distributed. Between: a mixture of the two."""
    impact_bps: float = field(default=3.0, validator=_NOT_NEGATIVE)
    """How far each taker moves the mid for good."""
    bursts_per_hour: float = field(default=6.0, validator=_NOT_NEGATIVE)
    burst_seconds: float = field(default=30.0, validator=_NOT_NEGATIVE)
    """Mean length of a burst, exponentially distributed."""
    burst_volatility_multiplier: float = field(default=2.0, validator=_NOT_NEGATIVE)
    """Volatility of the mid in a burst over that outside."""
    burst_flow_multiplier: float = field(default=3.0, validator=_NOT_NEGATIVE)
    """Takers of one side, drawn at random for each burst, over those outside."""

    def __attrs_post_init__(self) -> None:
        busiest = self.takers_per_second * max(1.0, self.burst_flow_multiplier if self.bursts_per_hour else 1.0)
        if self.taker_arrivals is TakerArrivals.AT_MOST_ONE and busiest * self.step_seconds > 1:
            expected, remedy = "at most one taker a step, bursts included", "Correct the value."
            raise SettingsError("simulator.takers_per_second", expected, self.takers_per_second, remedy)


class MarketSimulator:
    """A market source that draws its events from a seed. Iterating again gives the same events again."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self.settings: Final = settings

    def __iter__(self) -> Iterator[MarketEvent]:
        """Yield a book at every step from the start to the end of the duration, and the takers between them."""
        settings = self.settings
        step = nanoseconds(settings.step_seconds)
        steps = nanoseconds(settings.duration_seconds) // step
        market = _Market(settings)
        for index in range(steps):
            time = settings.start_time + index * step
            market.enter_step(time)
            yield market.book(time)
            yield from market.takers(time, step)
            market.diffuse(step)
        yield market.book(settings.start_time + steps * step)


@define
class _Market:
    """The state of one run."""

    settings: SimulatorSettings
    mid: float = field(init=False)
    """Quote per base."""
    _tick: float = field(init=False)
    _lot: float = field(init=False)
    _level_size: float = field(init=False)
    _taker_size: float = field(init=False)
    _burst_until: int = field(default=0, init=False)
    _burst_side: Side | None = field(default=None, init=False)
    """Whose takers come more often; None outside bursts."""
    _trades: int = field(default=0, init=False)
    _price_stream: Random = field(init=False)
    _flow_stream: Random = field(init=False)
    _size_stream: Random = field(init=False)
    _burst_stream: Random = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.mid = float(self.settings.start_price)
        instrument = self.settings.instrument
        self._tick, self._lot = float(instrument.tick_size), float(instrument.lot_size)
        self._level_size, self._taker_size = float(self.settings.level_size), float(self.settings.taker_size)
        for name in ("price", "flow", "size", "burst"):
            setattr(self, f"_{name}_stream", Random(f"{self.settings.seed}-{name}"))  # noqa: S311 - no secret

    # -- price ------------------------------------------------------------------------------------------------------

    def enter_step(self, time: int) -> None:
        """Begin or end a burst."""
        settings = self.settings
        if self._burst_side is not None:
            if time >= self._burst_until:
                self._burst_side = None
            return
        chance = -math.expm1(-settings.bursts_per_hour * settings.step_seconds / _SECONDS_PER_HOUR)
        if chance and self._burst_stream.random() < chance:
            self._burst_side = Side.BID if self._burst_stream.random() < 0.5 else Side.ASK  # noqa: PLR2004 - a coin
            self._burst_until = time + nanoseconds(_exponential(self._burst_stream) * settings.burst_seconds)

    def diffuse(self, step: int) -> None:
        """Move the mid by its own volatility over ``step`` nanoseconds."""
        settings = self.settings
        bps = settings.volatility_bps_per_sqrt_second * math.sqrt(step / NANOSECONDS_PER_SECOND)
        if self._burst_side is not None:
            bps *= settings.burst_volatility_multiplier
        self._move(bps * _normal(self._price_stream))

    def _move(self, bps: float) -> None:
        if self.settings.price_process is PriceProcess.GEOMETRIC:
            self.mid *= math.exp(bps / float(BASIS_POINTS))
        else:
            self.mid = max(self.mid + self._distance(bps), self._tick)

    def _distance(self, bps: float) -> float:
        """``bps`` in quote currency."""
        arithmetic = self.settings.price_process is PriceProcess.ARITHMETIC
        return bps * (float(self.settings.start_price) if arithmetic else self.mid) / float(BASIS_POINTS)

    # -- book -------------------------------------------------------------------------------------------------------

    def book(self, time: int) -> MarketBook:
        """The displayed book, without anybody's own orders."""
        half_spread = self._distance(self.settings.spread_bps) / 2
        best_bid = math.floor((self.mid - half_spread) / self._tick)
        best_ask = max(math.ceil((self.mid + half_spread) / self._tick), best_bid + 1)
        gap = max(1, round(self._distance(self.settings.level_gap_bps) / self._tick))
        return MarketBook(
            received_at=time,
            symbol=self.settings.instrument.symbol,
            bids=self._levels(best_bid, -gap),
            asks=self._levels(best_ask, gap),
            exchange_time=time,
            includes_own_orders=False,
        )

    def _levels(self, best: int, gap: int) -> tuple[BookLevel, ...]:
        """One side of the book, prices above zero only."""
        tick, mean, draw = self.settings.instrument.tick_size, self._level_size, self._size_stream.random
        prices = [ticks for ticks in range(best, best + gap * self.settings.levels, gap) if ticks > 0]
        return tuple([BookLevel(EXACT.multiply(tick, ticks), self._size(mean * (0.5 + draw()))) for ticks in prices])

    def _price(self, ticks: int) -> Decimal:
        return EXACT.multiply(self.settings.instrument.tick_size, ticks)

    def _size(self, size: float) -> Decimal:
        """``size`` on the grid, one lot at least."""
        return EXACT.multiply(self.settings.instrument.lot_size, max(1, round(size / self._lot)))

    # -- takers -----------------------------------------------------------------------------------------------------

    def takers(self, time: int, step: int) -> Iterator[MarketTrade]:
        """Takers who arrive after ``time`` and before the next step."""
        is_poisson = self.settings.taker_arrivals is TakerArrivals.POISSON
        for offset, side in self._poisson_arrivals(step) if is_poisson else sorted(self._single_arrivals(step)):
            yield self._taker(time + min(max(offset, 1), step - 1), side)

    def _rate(self, side: Side) -> float:
        """Takers a second."""
        in_burst = side is self._burst_side
        return self.settings.takers_per_second * (self.settings.burst_flow_multiplier if in_burst else 1.0)

    def _poisson_arrivals(self, step: int) -> Iterator[tuple[int, Side]]:
        buyers = self._rate(Side.BID)
        rate = buyers + self._rate(Side.ASK)
        if not rate:
            return
        offset = 0.0
        while (offset := offset + _exponential(self._flow_stream) / rate) * NANOSECONDS_PER_SECOND < step:
            side = Side.BID if self._flow_stream.random() * rate < buyers else Side.ASK
            yield nanoseconds(offset), side

    def _single_arrivals(self, step: int) -> Iterator[tuple[int, Side]]:
        for side in Side:
            if self._flow_stream.random() < self._rate(side) * step / NANOSECONDS_PER_SECOND:
                yield int(self._flow_stream.random() * step), side

    def _taker(self, time: int, side: Side) -> MarketTrade:
        settings = self.settings
        reached = self.mid + side.sign * self._distance(settings.taker_depth_bps) * _exponential(self._flow_stream)
        ticks = math.floor(reached / self._tick) if side is Side.BID else math.ceil(reached / self._tick)
        dispersion = settings.taker_size_dispersion
        size = self._size(self._taker_size * (1 - dispersion + dispersion * _exponential(self._flow_stream)))
        self._move(side.sign * settings.impact_bps)
        self._trades += 1
        return MarketTrade(
            received_at=time,
            symbol=settings.instrument.symbol,
            price=self._price(max(ticks, 1)),
            size=size,
            taker_side=side,
            trade_id=f"simulated-{self._trades}",
            exchange_time=time,
        )


def _exponential(stream: Random) -> float:
    """A draw from the exponential distribution of mean 1, by inversion."""
    return -math.log1p(-stream.random())


def _normal(stream: Random) -> float:
    """A draw from the standard normal distribution, by Box and Muller's method; the second of the pair is not used."""
    return math.sqrt(2 * _exponential(stream)) * math.cos(math.tau * stream.random())
