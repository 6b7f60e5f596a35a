"""Estimates of the market's flow, from the facts as they are booked: only those that a chosen service asks for run.

A service names what it needs with ``wanted_signals(settings)``. What the spread service needs is *required*: until it
is warm nothing is quoted. What another service needs may stay cold: that service does without.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from attrs import define, field, frozen

from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.estimators.intensity import IntensityEstimator
from mm_fsm.estimators.order_flow import FillRateEstimator, ImbalanceEstimator, KyleLambdaEstimator
from mm_fsm.estimators.volume import VolumeRateEstimator


class Signal(StrEnum):
    """An estimate that a service may ask for."""

    INTENSITY = "intensity"
    """A and k of the takers, per side."""
    IMBALANCE = "imbalance"
    """The share of the bid at the touch, averaged over time."""
    KYLE_LAMBDA = "kyle_lambda"
    FILL_RATE = "fill_rate"
    """Share of the quoted quantity that fills."""
    VOLUME = "volume"
    """Traded base units a second."""
    TOUCH = "touch"
    """Sizes at the touch, own orders taken out."""


@frozen
class Touch:
    """Best prices, quote per base, and sizes there without own orders, contracts."""

    bid_price: float
    ask_price: float
    bid_size: float
    ask_size: float


@frozen
class Intensity:
    """Of takers of both sides together, as models with one intensity for both take it."""

    rate_per_second: float
    """A, trades a second on one side."""
    decay_per_bps: float
    """k."""


@define(kw_only=True, eq=False)
class MarketSignals:
    """The estimators that run. All times nanoseconds.

    Args:
        half_life_seconds: age at which an observation counts half.
        shallowest_bps: the nearest distance from the mid that is quoted, where the fit of the intensity begins.
        deepest_bps: the furthest, where it ends.
        contract_size: base units of a contract.
    """

    half_life_seconds: float
    shallowest_bps: float
    deepest_bps: float
    contract_size: float

    running: tuple[Signal, ...] = field(init=False, default=())
    required: tuple[Signal, ...] = field(init=False, default=())
    """Those without which nothing is quoted."""
    takers: dict[Side, IntensityEstimator] = field(init=False, factory=dict)
    """By the side of the quotes that they reach: sellers reach bids."""
    imbalance: ImbalanceEstimator | None = field(init=False, default=None)
    kyle_lambda: KyleLambdaEstimator | None = field(init=False, default=None)
    fill_rate: FillRateEstimator | None = field(init=False, default=None)
    volume: VolumeRateEstimator | None = field(init=False, default=None)
    touch: Touch | None = field(init=False, default=None)
    """Of the last sound book; None before there is one, or where nobody asks for it."""
    _mid: float | None = field(init=False, default=None)

    def want(self, required: Iterable[Signal], others: Iterable[Signal] = ()) -> None:
        """Run what is asked for; what runs already goes on."""
        self.required = tuple(sorted(set(required)))
        for signal in sorted({*self.required, *others} - {*self.running}):
            self._start(signal)
            self.running = (*self.running, signal)

    def observe_book(self, time: int, touch: Touch) -> None:
        """Take a sound book."""
        self._mid = mid = (touch.bid_price + touch.ask_price) / 2
        if Signal.TOUCH in self.running:
            self.touch = touch
        for takers in self.takers.values():
            takers.observe_time(time)
        if self.imbalance is not None and touch.bid_size + touch.ask_size > 0:
            self.imbalance.observe(time, touch.bid_size, touch.ask_size)
        if self.kyle_lambda is not None:
            self.kyle_lambda.observe_mid(time, mid)
        if self.volume is not None:
            self.volume.observe_time(time)

    def observe_trade(self, time: int, taker_side: Side, price: float, size: float) -> None:
        """Take a trade, ``size`` in contracts. One before the first sound book has no depth: it is passed over."""
        if self._mid is None:
            return
        quantity = size * self.contract_size
        if self.takers:
            depth = taker_side.sign * (price - self._mid) / self._mid * 10_000
            self.takers[taker_side.opposite].observe_trade(time, depth)
        if self.kyle_lambda is not None:
            self.kyle_lambda.observe_trade(time, taker_side.sign * quantity)
        if self.volume is not None:
            self.volume.observe_trade(time, quantity)

    def observe_finished_quote(self, time: int, filled_share: float) -> None:
        """Take a quote that left the book, and the share of it that filled, 0 to 1."""
        if self.fill_rate is not None:
            self.fill_rate.observe(time, filled_share)

    @property
    def intensity(self) -> Intensity | None:
        """Means over both sides; None while one of them is not warm."""
        fits = [takers.fit for takers in self.takers.values()]
        known = [fit for fit in fits if fit is not None]
        if not known or len(known) < len(fits):
            return None
        rates = [fit.rate_per_second.value for fit in known]
        decays = [fit.decay_per_bps.value for fit in known]
        return Intensity(sum(rates) / len(rates), sum(decays) / len(decays))

    @property
    def cold(self) -> Signal | None:
        """A required signal that is not warm; None when all are."""
        for signal in self.required:
            if not self._is_warm(signal):
                return signal
        return None

    def snapshot(self) -> tuple[object, ...]:
        """Everything that later estimates depend on, in a fixed order: for digests."""
        if not self.running:
            return ()
        estimators = (*self.takers.values(), self.imbalance, self.kyle_lambda, self.fill_rate, self.volume)
        states = [value for each in estimators if each is not None for value in each.snapshot()]
        return (*self.running, *self.required, self._mid, self.touch, *states)

    def _start(self, signal: Signal) -> None:
        half_life = self.half_life_seconds
        if signal is Signal.INTENSITY:
            for side in Side:
                self.takers[side] = IntensityEstimator(
                    half_life_seconds=half_life, shallowest_bps=self.shallowest_bps, deepest_bps=self.deepest_bps
                )
        elif signal is Signal.IMBALANCE:
            self.imbalance = ImbalanceEstimator()
        elif signal is Signal.KYLE_LAMBDA:
            self.kyle_lambda = KyleLambdaEstimator(half_life_seconds=half_life)
        elif signal is Signal.FILL_RATE:
            self.fill_rate = FillRateEstimator(half_life_seconds=half_life)
        elif signal is Signal.VOLUME:
            self.volume = VolumeRateEstimator(half_life_seconds=half_life)

    def _is_warm(self, signal: Signal) -> bool:
        if signal is Signal.INTENSITY:
            return bool(self.takers) and all(takers.is_warm for takers in self.takers.values())
        if signal is Signal.TOUCH:
            return self.touch is not None
        by_signal = {
            Signal.IMBALANCE: self.imbalance,
            Signal.KYLE_LAMBDA: self.kyle_lambda,
            Signal.FILL_RATE: self.fill_rate,
            Signal.VOLUME: self.volume,
        }
        estimator = by_signal[signal]
        return estimator is not None and estimator.is_warm


class _Resting(Protocol):
    """What of an own order is visible in the book."""

    side: Side
    price: Decimal

    @property
    def remaining(self) -> Decimal:
        """Contracts."""
        ...


def size_up_to(levels: Iterable[BookLevel], own: Iterable[_Resting], touch: Decimal, side: Side) -> float:
    """Contracts of others from the best price to the touch, both included; 0 where all of it is our own."""
    shown = sum((level.size for level in levels if (level.price - touch) * side.sign >= 0), ZERO)
    ours = sum(
        (order.remaining for order in own if order.side is side and (order.price - touch) * side.sign >= 0), ZERO
    )
    return float(max(shown - ours, ZERO))


def value_near(
    levels: Iterable[BookLevel], own: Iterable[_Resting], touch: Decimal, reach: Decimal, side: Side
) -> Decimal:
    """Price times contracts of others from the touch to ``reach``, a fraction of it, behind; 0 where all is our own."""
    furthest = touch * reach

    def is_near(price: Decimal) -> bool:
        return 0 <= (touch - price) * side.sign <= furthest

    shown = sum((level.price * level.size for level in levels if is_near(level.price)), ZERO)
    ours = sum((order.price * order.remaining for order in own if order.side is side and is_near(order.price)), ZERO)
    return max(shown - ours, ZERO)
