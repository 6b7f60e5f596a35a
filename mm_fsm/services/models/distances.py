"""How far from the reference price a model quotes."""

from __future__ import annotations

from attrs import frozen

from mm_fsm.errors import SettingsError


@frozen
class Distances:
    """Of the innermost quotes from the reference price, quote per base; negative lies beyond it."""

    bid: float
    ask: float

    @property
    def spread(self) -> float:
        """Both together."""
        return self.bid + self.ask

    def reservation_price(self, reference_price: float) -> float:
        """The middle of the two quotes."""
        return reference_price + (self.ask - self.bid) / 2


def require_positive(**values: float) -> None:
    """Refuse a parameter that is not positive and finite.

    Raises:
        SettingsError: names the first such parameter.
    """
    for name, value in values.items():
        if not 0 < value < float("inf"):
            raise SettingsError(name, "a positive finite number", value, "Fit it from a recording, or correct it.")
