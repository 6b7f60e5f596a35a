"""Quotes of Gueant, Lehalle and Fernandez-Tapia (2013) by their closed form: made for quoting without an end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen

from mm_fsm.books.signals import Signal
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.services.models import glft
from mm_fsm.services.pricing.inputs import Pricing, PricingInputs
from mm_fsm.services.pricing.model_parameters import ModelOptions, estimated, pricing_of
from mm_fsm.services.pricing.options import ESTIMATED, parse_options, positive_or_estimated
from mm_fsm.services.spreads import SharedQuoting


@frozen(kw_only=True)
class GlftOptions(ModelOptions):
    """Below ``[strategy.service_options.glft]``.

    Raises:
        SettingsError: a value is out of its range.
    """

    intensity_per_second: float | str = positive_or_estimated()
    """A: trades a second on one side that would reach the fair price; or ``"estimated"``."""

    @property
    def signals(self) -> frozenset[Signal]:
        """Estimates that stand in for parameters."""
        return super().signals | (frozenset({Signal.INTENSITY}) if self.intensity_per_second == ESTIMATED else set())


class GlftSpreadService(SharedQuoting):
    """Quotes far from any end: what the exact solution settles at.

    Raises:
        SettingsError: an option is wrong.
    """

    options_class: ClassVar = GlftOptions

    def __init__(self, options: Mapping[str, Any], name: str) -> None:
        self.options: GlftOptions = parse_options(self.options_class, options, name)

    def wanted_signals(self, settings: MarketMakingSettings) -> frozenset[Signal]:
        """What the fair price and estimated parameters need."""
        return super().wanted_signals(settings) | self.options.signals

    def price(self, inputs: PricingInputs) -> Pricing:
        """By the closed form; the position moves both quotes by sigma c2 each unit."""
        options = self.options
        intensity = options.intensity_per_second
        distances = glft.asymptotic_distances(
            position=inputs.position,
            volatility=options.volatility(inputs),
            risk_aversion=options.risk_aversion,
            intensity=estimated(inputs).rate_per_second if isinstance(intensity, str) else intensity,
            decay=options.decay(inputs),
            order_size=inputs.order_size,
        )
        return pricing_of(distances, inputs.fair_price)
