"""Markets ready to rehearse: the rules of well-known Binance spot pairs, and simulated or recorded events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from attrs import evolve, frozen

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.instrument import Instrument
from mm_fsm.core.messages import BookLevel
from mm_fsm.errors import SettingsError
from mm_fsm.testing.rehearsal.terms import RehearsalMarket
from mm_fsm.venues.base import MarketEvent
from mm_fsm.venues.simulator import MarketSimulator, SimulatorSettings

_LEVEL_VALUE: Final = 4000
"""Quote currency that a simulated level displays on average."""
_TAKER_VALUE: Final = 1000
"""Quote currency that a simulated taker trades on average."""
_MOST_LOTS: Final = 10**8
_MOST_VALUE: Final = 9_000_000
"""The largest order: about what Binance takes of its large pairs, in lots and in quote currency."""
_DAY_SECONDS: Final = 86_400.0


@frozen
class _Rules:
    price: str
    """Near which a simulated market begins, quote per base."""
    tick: str
    lot: str


_BINANCE: Final = {
    "BTC": _Rules("60000", "0.01", "0.00001"),
    "ETH": _Rules("3000", "0.01", "0.0001"),
    "BNB": _Rules("600", "0.01", "0.001"),
    "SOL": _Rules("150", "0.01", "0.001"),
    "XRP": _Rules("0.5", "0.0001", "0.1"),
    "ADA": _Rules("0.4", "0.0001", "0.1"),
    "LTC": _Rules("80", "0.01", "0.001"),
}
"""Ticks and lots of Binance's pairs with USDT; prices are round figures."""
_ANY_OTHER: Final = _Rules("100", "0.01", "0.001")


def instrument_of(symbol: str) -> Instrument:
    """The rules of a spot pair such as ``ETH/USDT``; those of an invented pair where it is not well known.

    Raises:
        SettingsError: the symbol is not of the form BASE/QUOTE.
    """
    base, slash, quote = symbol.partition("/")
    if not (base.isalnum() and slash and quote.isalnum() and symbol == symbol.upper()):
        raise SettingsError("rehearsal.symbols", "BASE/QUOTE in capitals, such as ETH/USDT", symbol, "Write it so.")
    rules = _BINANCE.get(base, _ANY_OTHER)
    return Instrument(
        symbol=symbol,
        base_currency=base,
        quote_currency=quote,
        tick_size=Decimal(rules.tick),
        lot_size=Decimal(rules.lot),
        minimum_quantity=Decimal(rules.lot),
        minimum_notional=Decimal(5),
        maximum_quantity=Decimal(rules.lot) * _MOST_LOTS,
        maximum_notional=Decimal(_MOST_VALUE),
    )


def start_price_of(symbol: str) -> Decimal:
    """Where the simulated market of a pair begins, quote per base."""
    return Decimal(_BINANCE.get(symbol.partition("/")[0], _ANY_OTHER).price)


def simulated_market(symbol: str, *, seed: int, step_seconds: float = 0.1, **simulator: Any) -> RehearsalMarket:
    """A simulated market of a day: ten books a second, and takers between them.

    Args:
        symbol: such as ``ETH/USDT``.
        seed: of this market; one seed gives one market.
        step_seconds: between two books.
        simulator: further fields of SimulatorSettings.

    Raises:
        SettingsError: the symbol or a field is wrong.
    """
    instrument, price = instrument_of(symbol), start_price_of(symbol)
    given = {
        "start_price": price,
        "level_size": Decimal(_LEVEL_VALUE) / price,
        "taker_size": Decimal(_TAKER_VALUE) / price,
        "duration_seconds": _DAY_SECONDS,
        **simulator,
    }
    settings = SimulatorSettings(instrument=instrument, seed=seed, step_seconds=step_seconds, **given)
    return RehearsalMarket(instrument=instrument, events=MarketSimulator(settings))


def recorded_market(instrument: Instrument, events: Iterable[MarketEvent]) -> RehearsalMarket:
    """A market from a recording of that instrument, such as ``open_recording`` gives.

    Recorded sizes are cut down to whole lots, as no order there is finer.

    Raises:
        SettingsError: the instrument is no spot instrument.
    """
    return RehearsalMarket(instrument=instrument, events=_InLots(instrument, events))


@frozen
class _InLots:
    """Events of a recording, on the grid of an instrument; iterating again begins anew."""

    instrument: Instrument
    events: Iterable[MarketEvent]

    def __iter__(self) -> Iterator[MarketEvent]:
        for event in self.events:
            if isinstance(event, MarketBook):
                yield evolve(event, bids=self._cut(event.bids), asks=self._cut(event.asks))
            elif isinstance(event, MarketTrade):
                size = self.instrument.floor_quantity(event.size)
                if size:
                    yield evolve(event, size=size)
            else:
                yield event

    def _cut(self, levels: tuple[BookLevel, ...]) -> tuple[BookLevel, ...]:
        cut = (BookLevel(level.price, self.instrument.floor_quantity(level.size)) for level in levels)
        return tuple(level for level in cut if level.size)
