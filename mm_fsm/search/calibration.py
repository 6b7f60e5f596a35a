"""What the models need to know of a market, fitted to all of a recording at once, each value with its 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from attrs import define, field, frozen

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.instrument import Instrument
from mm_fsm.core.messages import Side
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import SettingsError
from mm_fsm.estimators.decay import Estimate
from mm_fsm.estimators.ewma import EwmaVolatility
from mm_fsm.estimators.intensity import IntensityEstimator, IntensityFit
from mm_fsm.estimators.micro_price import MicroPriceModel, TopOfBook, fit_micro_price
from mm_fsm.estimators.order_flow import KyleLambdaEstimator
from mm_fsm.estimators.two_scale import TwoScaleVolatility
from mm_fsm.estimators.volume import VolumeRateEstimator
from mm_fsm.venues.base import MarketEvent


@frozen(kw_only=True)
class Calibration:
    """A market's parameters; None where the recording is too short to tell. Volatilities are fractions."""

    market: str
    sellers: IntensityFit | None
    """Who reach bids."""
    buyers: IntensityFit | None
    """Who reach asks."""
    ewma: Estimate | None
    """Per square-root second."""
    two_scale: Estimate | None
    kyle_lambda: Estimate | None
    """Quote per base for each base unit of net taker volume."""
    volume_per_second: float | None
    """Base units."""
    micro_price: MicroPriceModel | None

    @property
    def intensity(self) -> Estimate | None:
        """Mean intensity of both sides, trades a second on one side, for models with one A."""
        if self.sellers is None or self.buyers is None:
            return None
        return _mean(self.sellers.rate_per_second, self.buyers.rate_per_second)

    @property
    def decay_per_bps(self) -> Estimate | None:
        """Mean decay of both sides, 1/bps, for models with one k."""
        if self.sellers is None or self.buyers is None:
            return None
        return _mean(self.sellers.decay_per_bps, self.buyers.decay_per_bps)


@define(kw_only=True)
class Calibrator:
    """Takes a market's events in order, and fits once they have all been taken.

    Args:
        settings: samples, scale, and the distances that are quoted: the intensity is fitted over those.
        instrument: tick and contract size.

    Raises:
        SettingsError: a value is out of its range.
    """

    settings: MarketMakingSettings
    instrument: Instrument
    _takers: dict[Side, IntensityEstimator] = field(init=False)
    _ewma: EwmaVolatility = field(init=False)
    _two_scale: TwoScaleVolatility = field(init=False)
    _kyle: KyleLambdaEstimator = field(init=False)
    _volume: VolumeRateEstimator = field(init=False)
    _tops: list[TopOfBook] = field(init=False, factory=list)
    _mid: float | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        settings, ever = self.settings, math.inf
        self._takers = {
            side: IntensityEstimator(
                half_life_seconds=ever, shallowest_bps=settings.min_spread_bps / 2, deepest_bps=settings.max_spread_bps
            )
            for side in Side
        }
        sample = settings.volatility_sample_seconds
        self._ewma = EwmaVolatility(half_life_seconds=ever, sample_interval_seconds=sample)
        self._two_scale = TwoScaleVolatility(
            half_life_seconds=ever, sample_interval_seconds=1.0, scale=settings.volatility_scale
        )
        self._kyle = KyleLambdaEstimator(half_life_seconds=ever)
        self._volume = VolumeRateEstimator(half_life_seconds=ever)

    def take(self, event: MarketEvent) -> None:
        """Take the next event."""
        if isinstance(event, MarketBook):
            self._take_book(event)
        elif isinstance(event, MarketTrade) and self._mid is not None:
            quantity = float(self.instrument.base_quantity(event.size))
            sign, time = event.taker_side.sign, event.received_at
            depth = sign * (float(event.price) - self._mid) / self._mid * 10_000
            self._takers[event.taker_side.opposite].observe_trade(time, depth)
            self._kyle.observe_trade(time, sign * quantity)
            self._volume.observe_trade(time, quantity)

    def fit(self) -> Calibration:
        """Everything that can be told."""
        return Calibration(
            market=self.instrument.symbol,
            sellers=self._takers[Side.BID].fit,
            buyers=self._takers[Side.ASK].fit,
            ewma=self._ewma.estimate,
            two_scale=self._two_scale.estimate,
            kyle_lambda=self._kyle.estimate,
            volume_per_second=self._volume.per_second,
            micro_price=self._fit_micro_price(),
        )

    def _take_book(self, book: MarketBook) -> None:
        if not book.bids or not book.asks or book.bids[0].price >= book.asks[0].price:
            return
        (bid, bid_size), (ask, ask_size) = (
            (float(level.price), float(level.size)) for level in (book.bids[0], book.asks[0])
        )
        self._mid = mid = (bid + ask) / 2
        time = book.received_at
        for observe in (self._ewma.observe, self._two_scale.observe, self._kyle.observe_mid):
            observe(time, mid)
        self._volume.observe_time(time)
        for takers in self._takers.values():
            takers.observe_time(time)
        self._tops.append(TopOfBook(bid_price=bid, ask_price=ask, bid_size=bid_size, ask_size=ask_size))

    def _fit_micro_price(self) -> MicroPriceModel | None:
        tick = float(self.instrument.tick_size)
        try:
            return fit_micro_price(self._tops, tick_size=tick, market=self.instrument.symbol)
        except SettingsError:  # a book that never moved
            return None


def calibrate(events: Iterable[MarketEvent], settings: MarketMakingSettings, instrument: Instrument) -> Calibration:
    """Fit a market.

    Raises:
        SettingsError: a setting is out of its range.
        RecordingError: an event is malformed.
    """
    calibrator = Calibrator(settings=settings, instrument=instrument)
    for event in events:
        calibrator.take(event)
    return calibrator.fit()


def calibrated_settings(found: Calibration, model_file: str | None = None) -> Iterator[str]:
    """Lines of TOML, ready to paste below a market's other tables."""
    yield f"# {found.market}: fitted values with 95 % intervals"
    if model_file is not None and found.micro_price is not None:
        yield "[strategy]"
        yield 'fair_price = "micro_price"'
        yield f'micro_price_model = "{model_file}"  # {found.micro_price.quotes:,} quotes'
        yield ""
    volatility = found.two_scale or found.ewma
    for service, needs_rate in (("glft", True), ("avellaneda_stoikov", False)):
        yield f"[strategy.service_options.{service}]"
        yield "# risk_aversion =   # 1/quote currency: yours to choose"
        if needs_rate:
            yield _line("intensity_per_second", found.intensity)
        yield _line("decay_per_bps", found.decay_per_bps)
        yield _line("volatility_bps_per_sqrt_s", volatility, scale=1e4)
        yield ""
    for side, fit in (("sellers, who reach bids", found.sellers), ("buyers, who reach asks", found.buyers)):
        if fit is not None:
            rate, decay = _with_interval(fit.rate_per_second), _with_interval(fit.decay_per_bps)
            yield f"# {side}: A {rate} a second, k {decay} per bps, R^2 {fit.r_squared:.3f}"
    for name, estimate in (("EWMA", found.ewma), ("two-scale", found.two_scale)):
        if estimate is not None:
            yield f"# {name} volatility: {_with_interval(estimate, 1e4)} bps per square-root second"
    if found.kyle_lambda is not None:
        yield f"# Kyle's lambda: {_with_interval(found.kyle_lambda)} quote per base for each unit of base"
    if found.volume_per_second is not None:
        yield f"# traded: {found.volume_per_second:.6g} base units a second"


def _line(name: str, estimate: Estimate | None, scale: float = 1.0) -> str:
    if estimate is None:
        return f"# {name} =   # the recording is too short to tell"
    lower, upper = estimate.interval
    return f"{name} = {estimate.value * scale:.6g}  # {lower * scale:.6g} to {upper * scale:.6g}"


def _with_interval(estimate: Estimate, scale: float = 1.0) -> str:
    lower, upper = estimate.interval
    return f"{estimate.value * scale:.6g} ({lower * scale:.6g} to {upper * scale:.6g})"


def _mean(one: Estimate, other: Estimate) -> Estimate:
    """The mean of two independent estimates."""
    return Estimate((one.value + other.value) / 2, math.hypot(one.standard_error, other.standard_error) / 2)
