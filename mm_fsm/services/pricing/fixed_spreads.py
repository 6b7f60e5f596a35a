"""A fixed spread around the fair price, whatever the volatility and the position: the plainest benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen

from mm_fsm.services.pricing.inputs import Pricing, PricingInputs
from mm_fsm.services.pricing.options import parse_options, positive
from mm_fsm.services.spreads import SharedQuoting


@frozen(kw_only=True)
class FixedOptions:
    """Below ``[strategy.service_options.fixed]``.

    Raises:
        SettingsError: the spread is not above 0.
    """

    spread_bps: float | None = positive(optional=True)
    """Whole spread; ``target_spread_bps`` where it is left out."""


class FixedSpreadService(SharedQuoting):
    """Quotes the same spread always. Sizes, limits and holds still follow the position.

    Raises:
        SettingsError: an option is wrong.
    """

    options_class: ClassVar = FixedOptions

    def __init__(self, options: Mapping[str, Any], name: str) -> None:
        self.options: FixedOptions = parse_options(self.options_class, options, name)

    def price(self, inputs: PricingInputs) -> Pricing:
        """Half of the spread on either side of the fair price."""
        spread = self.options.spread_bps or inputs.settings.target_spread_bps
        return Pricing(spread, spread, 0.0)
