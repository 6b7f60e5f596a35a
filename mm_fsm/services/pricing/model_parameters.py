"""Parameters that models share: the takers' intensity lambda(d) = A exp(-k d), and volatility, in either unit."""

from __future__ import annotations

from attrs import frozen

from mm_fsm.books.signals import Intensity, Signal
from mm_fsm.core.instrument import BASIS_POINTS
from mm_fsm.errors import SettingsError
from mm_fsm.services.models.distances import Distances
from mm_fsm.services.pricing.inputs import Pricing, PricingInputs
from mm_fsm.services.pricing.options import ESTIMATED, positive, positive_or_estimated

_BASIS_POINTS = float(BASIS_POINTS)


@frozen(kw_only=True)
class ModelOptions:
    """What every model of the takers' intensity needs.

    Raises:
        SettingsError: a value is not above 0, or a parameter is given in no unit or in two.
    """

    risk_aversion: float = positive()
    """gamma, 1/quote currency."""
    decay_per_bps: float | str | None = positive_or_estimated(optional=True)
    """k: the takers' rate falls by 1/e each 1 / k bps of distance from the fair price; or ``"estimated"``."""
    decay_per_price: float | None = positive(optional=True)
    """The same by distance in quote per base."""
    volatility_bps_per_sqrt_s: float | None = positive(optional=True)
    """Per square-root second, bps of the price; by default the machine's own estimate."""
    volatility_price_per_sqrt_s: float | None = positive(optional=True)
    """The same in quote per base."""

    def __attrs_post_init__(self) -> None:
        if (self.decay_per_bps is None) == (self.decay_per_price is None):
            found = "neither" if self.decay_per_bps is None else "both"
            raise SettingsError("decay_per_bps", "this or decay_per_price", found, "Write one of the two.")
        if self.volatility_bps_per_sqrt_s is not None and self.volatility_price_per_sqrt_s is not None:
            remedy = "Write one, or none to have it estimated."
            raise SettingsError("volatility_bps_per_sqrt_s", "this or volatility_price_per_sqrt_s", "both", remedy)

    @property
    def signals(self) -> frozenset[Signal]:
        """Estimates that stand in for parameters."""
        return frozenset({Signal.INTENSITY}) if self.decay_per_bps == ESTIMATED else frozenset()

    def decay(self, inputs: PricingInputs) -> float:
        """k, base per quote.

        Raises:
            ValueError: it is to be estimated, and is not known yet.
        """
        if self.decay_per_price is not None:
            return self.decay_per_price
        per_bps = self.decay_per_bps
        if per_bps == ESTIMATED:
            per_bps = estimated(inputs).decay_per_bps
        return float(per_bps or 0.0) * _BASIS_POINTS / inputs.fair_price

    def volatility(self, inputs: PricingInputs) -> float:
        """Sigma, quote per base per square-root second."""
        if self.volatility_price_per_sqrt_s is not None:
            return self.volatility_price_per_sqrt_s
        if self.volatility_bps_per_sqrt_s is not None:
            return self.volatility_bps_per_sqrt_s / _BASIS_POINTS * inputs.fair_price
        return inputs.absolute_volatility


def estimated(inputs: PricingInputs) -> Intensity:
    """The takers' intensity as estimated.

    Raises:
        ValueError: it is not known yet.
    """
    if inputs.intensity is None:
        raise ValueError("intensity: expected an estimate, found none; the side should be held as it warms up.")
    return inputs.intensity


def pricing_of(distances: Distances, fair_price: float) -> Pricing:
    """Distances in quote per base as a spread around the reservation price."""
    spread = distances.spread / fair_price * _BASIS_POINTS
    return Pricing(spread, spread, (distances.bid - distances.ask) / 2 / fair_price)
