"""Quotes of Avellaneda and Stoikov (2008), towards the session's end, or over a horizon that rolls on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import field, frozen

from mm_fsm.books.signals import Signal
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.core.validation import number, real, yes_or_no
from mm_fsm.services.models import avellaneda_stoikov
from mm_fsm.services.pricing.inputs import Pricing, PricingInputs
from mm_fsm.services.pricing.model_parameters import ModelOptions, pricing_of
from mm_fsm.services.pricing.options import parse_options
from mm_fsm.services.spreads import SharedQuoting


@frozen(kw_only=True)
class AvellanedaStoikovOptions(ModelOptions):
    """Below ``[strategy.service_options.avellaneda_stoikov]``.

    Raises:
        SettingsError: a value is out of its range.
    """

    horizon_seconds: float = field(default=60.0, converter=real, validator=number(above=0, at_most=1e9))
    """T - t where the session has no end."""
    symmetric: bool = field(default=False, validator=yes_or_no)
    """The paper's benchmark: the spread averaged over ``horizon_seconds``, always around the fair price."""


class AvellanedaStoikovSpreadService(SharedQuoting):
    """The model is made for a session with an end, and blind to the time it takes to trade back: see ``glft``.

    Raises:
        SettingsError: an option is wrong.
    """

    options_class: ClassVar = AvellanedaStoikovOptions

    def __init__(self, options: Mapping[str, Any], name: str) -> None:
        self.options: AvellanedaStoikovOptions = parse_options(self.options_class, options, name)

    def wanted_signals(self, settings: MarketMakingSettings) -> frozenset[Signal]:
        """What the fair price and estimated parameters need."""
        return super().wanted_signals(settings) | self.options.signals

    def price(self, inputs: PricingInputs) -> Pricing:
        """Around the reservation price s - q gamma sigma^2 (T - t)."""
        options = self.options
        horizon = options.horizon_seconds
        shared = {
            "volatility": options.volatility(inputs),
            "risk_aversion": options.risk_aversion,
            "decay": options.decay(inputs),
            "order_size": inputs.order_size,
        }
        if options.symmetric:
            return pricing_of(avellaneda_stoikov.symmetric_distances(session=horizon, **shared), inputs.fair_price)
        time_left = horizon if inputs.time_left is None else inputs.time_left
        distances = avellaneda_stoikov.distances(position=inputs.position, time_left=time_left, **shared)
        return pricing_of(distances, inputs.fair_price)
