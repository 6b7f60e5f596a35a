"""What the flow of orders says: the book's imbalance, Kyle's lambda, and how much of what is quoted fills."""

from __future__ import annotations

import math

from attrs import define, field

from mm_fsm.core.clock import nanoseconds, seconds
from mm_fsm.errors import FactRefusedError, SettingsError
from mm_fsm.estimators.decay import CONFIDENCE, DecayedSums, Estimate, decay_time


def imbalance(bid_size: float, ask_size: float) -> float:
    """Share of the bid in the size at both touches, 0 to 1.

    Raises:
        FactRefusedError: a size is negative or not finite, or both are zero.
    """
    total = bid_size + ask_size
    if not (bid_size >= 0 and ask_size >= 0 and 0 < total < math.inf):
        raise FactRefusedError("MarketBook", "size", "sizes of at least 0, not both 0", (bid_size, ask_size))
    return bid_size / total


@define(kw_only=True, eq=False)
class ImbalanceEstimator:
    """The imbalance averaged over time: each value counts for as long as it stood.

    Args:
        half_life_seconds: age at which a second counts half; infinite for no forgetting.
        minimum_seconds: observed time without which there is no average.

    Raises:
        SettingsError: the half-life is not above 0.
    """

    half_life_seconds: float = 10.0
    minimum_seconds: float = 5.0

    _tau: float = field(init=False)
    _observed_at: int | None = field(init=False, default=None)
    latest: float | None = field(init=False, default=None)
    """The book's imbalance as it stands; None before the first book."""
    _weighted: float = field(init=False, default=0.0)
    _time: float = field(init=False, default=0.0)
    _observed: float = field(init=False, default=0.0)

    def __attrs_post_init__(self) -> None:
        self._tau = decay_time("imbalance_half_life_seconds", self.half_life_seconds)

    def observe(self, time: int, bid_size: float, ask_size: float) -> None:
        """Take the sizes at both touches at ``time``, nanoseconds. A time before the latest is ignored.

        Raises:
            FactRefusedError: see ``imbalance``.
        """
        value = imbalance(bid_size, ask_size)
        if self._observed_at is not None and self.latest is not None:
            elapsed = seconds(time - self._observed_at)
            if elapsed < 0:
                return
            factor = math.exp(-elapsed / self._tau)
            stood = elapsed if math.isinf(self._tau) else self._tau * (1 - factor)
            self._weighted = self._weighted * factor + self.latest * stood
            self._time = self._time * factor + stood
            self._observed += elapsed
        self._observed_at, self.latest = time, value

    @property
    def is_warm(self) -> bool:
        """Whether enough time was observed for an average."""
        return self._observed >= self.minimum_seconds and self._time > 0

    @property
    def average(self) -> float | None:
        """Time-weighted mean, 0 to 1; None before it is warm."""
        return self._weighted / self._time if self.is_warm else None

    def snapshot(self) -> tuple[int | float | None, ...]:
        """Everything that later averages depend on, in a fixed order: for digests."""
        return (self._observed_at, self.latest, self._weighted, self._time, self._observed)


@define(kw_only=True, eq=False)
class KyleLambdaEstimator:
    """Kyle's lambda: by how much the mid moves for each unit of signed taker volume (Kyle 1985).

    The move of the mid over each interval is regressed on the taker's net volume in it, without forgetting the mean:
    lambda = cov(move, volume) / var(volume), in quote per base for each unit of base.

    Args:
        half_life_seconds: age at which an interval counts half; infinite for no forgetting.
        interval_seconds: over which moves and volumes are taken.
        minimum_intervals: intervals without which there is no estimate.

    Raises:
        SettingsError: a value is out of its range.
    """

    half_life_seconds: float = 1800.0
    interval_seconds: float = 10.0
    minimum_intervals: int = 60

    _interval: int = field(init=False)
    _ends_at: int | None = field(init=False, default=None)
    _mid: float | None = field(init=False, default=None)
    _mid_at_start: float | None = field(init=False, default=None)
    _volume: float = field(init=False, default=0.0)
    _intervals: int = field(init=False, default=0)
    _sums: DecayedSums = field(init=False)

    def __attrs_post_init__(self) -> None:
        tau = decay_time("kyle_half_life_seconds", self.half_life_seconds)
        if not math.isfinite(self.interval_seconds) or nanoseconds(self.interval_seconds) < 1:
            expected = "finite seconds, at least 1e-9"
            raise SettingsError("kyle_interval_seconds", expected, self.interval_seconds, "Correct the value.")
        if self.minimum_intervals < 3:  # noqa: PLR2004 - slope, mean and an error
            raise SettingsError("minimum_intervals", "at least 3", self.minimum_intervals, "Correct the value.")
        self._interval = nanoseconds(self.interval_seconds)
        self._sums = DecayedSums(tau, ("move", "volume", "move squared", "volume squared", "product"))

    def observe_mid(self, time: int, mid: float) -> None:
        """Take the mid at ``time``, nanoseconds.

        Raises:
            FactRefusedError: ``mid`` is not finite or not positive.
        """
        if not 0.0 < mid < math.inf:
            raise FactRefusedError("MarketBook", "mid", "a positive finite number", mid)
        if self._mid is None:
            self._mid_at_start = mid
        self._pass_time(time)
        self._mid = mid

    def observe_trade(self, time: int, signed_quantity: float) -> None:
        """Take a trade: positive where the taker bought, base units.

        Raises:
            FactRefusedError: the quantity is not finite.
        """
        if not math.isfinite(signed_quantity):
            raise FactRefusedError("MarketTrade", "quantity", "a finite number", signed_quantity)
        self._pass_time(time)
        self._volume += signed_quantity

    @property
    def is_warm(self) -> bool:
        """Whether there are enough intervals, with volumes that differ."""
        return self._intervals >= self.minimum_intervals and self._moments()[1] > 0

    @property
    def estimate(self) -> Estimate | None:
        """Lambda with its standard error; None before it is warm."""
        if not self.is_warm:
            return None
        product, of_volume, of_move = self._moments()
        slope = product / of_volume
        count = self._sums.effective_count
        residual = max(of_move - slope * product, 0.0) * count / max(count - 2, 1.0)
        return Estimate(slope, math.sqrt(residual / (of_volume * count)))

    def snapshot(self) -> tuple[int | float | None, ...]:
        """Everything that later estimates depend on, in a fixed order: for digests."""
        state = (self._ends_at, self._mid, self._mid_at_start, self._volume, self._intervals)
        return (*state, *self._sums.snapshot())

    def _moments(self) -> tuple[float, float, float]:
        """Covariance, variance of volume and variance of move."""
        weight = self._sums.weight
        if not weight:
            return 0.0, 0.0, 0.0
        move, volume, move_2, volume_2, product = (value / weight for value in self._sums.values)
        return product - move * volume, volume_2 - volume**2, move_2 - move**2

    def _pass_time(self, time: int) -> None:
        if self._ends_at is None:
            self._ends_at = time - time % self._interval + self._interval
            return
        if time < self._ends_at:
            return
        if self._mid is not None and self._mid_at_start is not None:
            move, volume = self._mid - self._mid_at_start, self._volume
            self._sums.add(self._ends_at, move, volume, move**2, volume**2, move * volume)
            self._intervals += 1
        self._volume, self._mid_at_start = 0.0, self._mid
        self._ends_at = time - time % self._interval + self._interval


@define(kw_only=True, eq=False)
class FillRateEstimator:
    """Share of the quoted quantity that fills, over orders that have left the book.

    Args:
        half_life_seconds: age at which an order counts half; infinite for no forgetting.
        minimum_orders: finished orders without which there is no estimate.

    Raises:
        SettingsError: the half-life is not above 0.
    """

    half_life_seconds: float = 600.0
    minimum_orders: int = 20

    _orders: int = field(init=False, default=0)
    _sums: DecayedSums = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._sums = DecayedSums(decay_time("fill_rate_half_life_seconds", self.half_life_seconds), ("share",))

    def observe(self, time: int, filled_share: float) -> None:
        """Take an order that left the book at ``time``, nanoseconds, and the share of it that filled.

        Raises:
            FactRefusedError: the share is not in 0 to 1.
        """
        if not 0.0 <= filled_share <= 1.0:
            raise FactRefusedError("OrderFilled", "filled_quantity", "a share in 0 to 1", filled_share)
        self._orders += 1
        self._sums.add(time, filled_share)

    @property
    def is_warm(self) -> bool:
        """Whether enough orders have finished."""
        return self._orders >= self.minimum_orders

    @property
    def estimate(self) -> Estimate | None:
        """The share with its standard error by Agresti and Coull's (1998) rule; None before it is warm."""
        if not self.is_warm:
            return None
        count = self._sums.effective_count + CONFIDENCE**2
        share = self._sums["share"] / self._sums.weight
        shrunk = (share * self._sums.effective_count + CONFIDENCE**2 / 2) / count
        return Estimate(share, math.sqrt(shrunk * (1 - shrunk) / count))

    def snapshot(self) -> tuple[int | float | None, ...]:
        """Everything that later estimates depend on, in a fixed order: for digests."""
        return (self._orders, *self._sums.snapshot())
