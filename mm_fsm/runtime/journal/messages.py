"""Facts and intents as text: exact decimals as strings, defaults left out, the symbol said once in the journal.

What streams in all the time, market data and timers, has a compact form of its own: one list, its first item a letter.
Everything else is an object under the name of its class.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from inspect import isclass
from typing import Any, Final

from attrs import frozen
from cattrs import Converter
from cattrs.errors import BaseValidationError
from cattrs.gen import make_dict_unstructure_fn

from mm_fsm.books.facts import Heartbeat, MarketBook, MarketTrade, Timer
from mm_fsm.books.facts.registry import FACTS
from mm_fsm.core import messages
from mm_fsm.core.messages import BookLevel, Fact, Intent, Side

_CLASSES: Final[dict[str, type]] = {
    **FACTS,
    **{name: value for name, value in vars(messages).items() if isclass(value) and issubclass(value, Intent)},
}
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False)
"""In ASCII, because a venue's text may hold half a surrogate pair, which UTF-8 cannot. What it is given was copied just
now, which no circle survives: to look for one would take a third of the time."""


class UnreadableMessageError(ValueError):
    """This version does not know a stored fact or intent."""


def _make_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, lambda value, _: Decimal(value))
    converter.register_unstructure_hook(BookLevel, lambda level: [str(level.price), str(level.size)])
    converter.register_structure_hook(BookLevel, lambda value, _: BookLevel(Decimal(value[0]), Decimal(value[1])))
    for cls in _CLASSES.values():
        hook: Any = make_dict_unstructure_fn(cls, converter, _cattrs_omit_if_default=True)
        converter.register_unstructure_hook(cls, hook)
    return converter


_CONVERTER: Final = _make_converter()


@frozen
class MessageCodec:
    """Writes and reads the messages of one market.

    Args:
        symbol: the market's; it is left out of every message and put back.
    """

    symbol: str

    def plain_fact(self, fact: Fact) -> Any:
        """One fact as plain lists, objects, texts and numbers."""
        match fact:
            case MarketBook():
                times = (fact.received_at, fact.exchange_time, int(fact.includes_own_orders))
                return ["B", *times, _flat(fact.bids), _flat(fact.asks)]
            case MarketTrade():
                amounts = (str(fact.price), str(fact.size), fact.taker_side.value, fact.trade_id)
                return ["P", fact.received_at, fact.exchange_time, *amounts]
            case Heartbeat():
                return ["H", fact.received_at]
            case Timer():
                return ["T", fact.received_at]
            case _:
                return self._plain(fact)

    def fact_from(self, plain: Any) -> Fact:
        """The inverse of ``plain_fact``.

        Raises:
            UnreadableMessageError: it is no fact that this version knows.
        """
        try:
            if isinstance(plain, list):
                return self._streaming(plain)
            fact = self._structured(plain)
        except (BaseValidationError, ArithmeticError, LookupError, TypeError, ValueError, InvalidOperation) as error:
            raise UnreadableMessageError(f"fact: expected one of this version's, found {plain!r} ({error})") from error
        if not isinstance(fact, Fact):
            raise UnreadableMessageError(f"fact: expected a fact, found {plain!r}")
        return fact

    def write_fact(self, fact: Fact) -> str:
        """One fact as text."""
        return encode(self.plain_fact(fact))

    def write_intents(self, intents: Iterable[Intent]) -> str | None:
        """The intents of one step as text; None when there are none."""
        plain = [self._plain(intent) for intent in intents]
        return encode(plain) if plain else None

    def read_intents(self, text: str | None) -> tuple[Intent, ...]:
        """The intents that ``write_intents`` wrote.

        Raises:
            UnreadableMessageError: there is one that this version does not know.
        """
        if text is None:
            return ()
        try:
            intents = tuple(self._structured(plain) for plain in json.loads(text))
        except (BaseValidationError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise UnreadableMessageError(f"intents: expected ones of this version, found {text}") from error
        return intents

    def _plain(self, message: Any) -> dict[str, Any]:
        plain: dict[str, Any] = {"": type(message).__name__, **_CONVERTER.unstructure(message)}
        if plain.get("symbol") == self.symbol:
            del plain["symbol"]
        return plain

    def _structured(self, plain: dict[str, Any]) -> Any:
        fields = dict(plain)
        cls = _CLASSES[fields.pop("")]
        if hasattr(cls, "symbol") and "symbol" not in fields:
            fields["symbol"] = self.symbol
        return _CONVERTER.structure(fields, cls)

    def _streaming(self, plain: list[Any]) -> Fact:
        letter, received_at, *rest = plain
        if letter == "B":
            exchange_time, own, bids, asks = rest
            return MarketBook(
                received_at=received_at,
                symbol=self.symbol,
                bids=_levels(bids),
                asks=_levels(asks),
                exchange_time=exchange_time,
                includes_own_orders=bool(own),
            )
        if letter == "P":
            exchange_time, price, size, side, trade_id = rest
            return MarketTrade(
                received_at=received_at,
                symbol=self.symbol,
                price=Decimal(price),
                size=Decimal(size),
                taker_side=Side(side),
                trade_id=trade_id,
                exchange_time=exchange_time,
            )
        if letter == "H":
            return Heartbeat(received_at=received_at, symbol=self.symbol)
        if letter == "T":
            return Timer(received_at=received_at)
        raise LookupError(letter)


def encode(plain: Any) -> str:
    """Plain values as the shortest JSON."""
    return _ENCODER.encode(plain)


def _flat(levels: Iterable[BookLevel]) -> list[str]:
    return [str(amount) for level in levels for amount in level]


def _levels(flat: list[str]) -> tuple[BookLevel, ...]:
    amounts = [Decimal(amount) for amount in flat]
    return tuple(BookLevel(price, size) for price, size in zip(amounts[::2], amounts[1::2], strict=True))
