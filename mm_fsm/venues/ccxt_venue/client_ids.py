"""Own order ids within each exchange's rules, and back. Nothing is cut off: two ids never become one.

Our ids read ``STRATEGY-RUN-SESSION-NUMBER``: up to twelve letters, digits and underscores, two random parts of six
small letters and digits, a number. Where an exchange takes that text, it gets it. Elsewhere the id is one whole number
in mixed radix, the strategy's name first, written in the letters that the exchange takes.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from typing import Final

from attrs import frozen

from mm_fsm.errors import SettingsError
from mm_fsm.venues.ccxt_venue.by_exchange import ByExchange, ExchangeNames

_PART: Final = string.digits + string.ascii_lowercase
_NAME: Final = string.digits + string.ascii_letters + "_"
_LETTERS: Final = string.digits + string.ascii_letters
_PART_LENGTH: Final = 6
_PART_SIZE: Final = len(_PART) ** _PART_LENGTH
_NUMBERS: Final = 2**24
_OURS: Final = re.compile(
    rf"([0-9A-Za-z_]{{1,12}})-([0-9a-z]{{{_PART_LENGTH}}})-([0-9a-z]{{{_PART_LENGTH}}})-(0|[1-9]\d*)"
)


@frozen
class IdRule:
    """What one exchange takes as a client's order id."""

    pattern: str
    """Regular expression of the texts that it takes."""
    encode: Callable[[str], str]
    """Our id to its text; raises ValueError where that cannot be."""
    decode: Callable[[str], str]
    """The reverse; raises ValueError for a text that ``encode`` never makes."""


def packed(client_order_id: str) -> int:
    """One of our ids as a whole number.

    Raises:
        ValueError: it is none of ours, or its number is too large.
    """
    found = _OURS.fullmatch(client_order_id)
    if found is None:
        raise ValueError(f"client_order_id: expected STRATEGY-RUN-SESSION-NUMBER, found {client_order_id!r}")
    name, run, session, number = found.groups()
    if int(number) >= _NUMBERS:
        raise ValueError(f"client_order_id: expected a number below {_NUMBERS}, found {number}")
    value = _numbered(name, _NAME)
    for part in (run, session):
        value = value * _PART_SIZE + int(part, len(_PART))
    return value * _NUMBERS + int(number)


def unpacked(value: int) -> str:
    """The id that ``packed`` made this number of.

    Raises:
        ValueError: it made it of none.
    """
    value, number = divmod(value, _NUMBERS)
    value, session = divmod(value, _PART_SIZE)
    value, run = divmod(value, _PART_SIZE)
    name = _named(value, _NAME)
    if not 0 < len(name) <= 12:  # noqa: PLR2004 - the longest name of a strategy
        raise ValueError(f"expected an id of ours, found {value}")
    return f"{name}-{_part(run)}-{_part(session)}-{number}"


def _numbered(text: str, letters: str) -> int:
    """Bijective: every text has a number of its own, whatever its length."""
    value = 0
    for letter in text:
        value = value * len(letters) + letters.index(letter) + 1
    return value


def _named(value: int, letters: str) -> str:
    text = ""
    while value:
        value, rest = divmod(value - 1, len(letters))
        text = letters[rest] + text
    return text


def _part(value: int) -> str:
    text = ""
    for _ in range(_PART_LENGTH):
        value, rest = divmod(value, len(_PART))
        text = _PART[rest] + text
    return text


def _as_it_is(pattern: str) -> IdRule:
    return IdRule(pattern, str, str)


def _in_letters(prefix: str, most: int) -> IdRule:
    """Letters and digits only, at most so many behind the prefix."""

    def encode(client_order_id: str) -> str:
        digits = _named(packed(client_order_id), _LETTERS)
        if len(digits) > most:
            raise ValueError(f"{client_order_id!r} needs {len(digits)} letters, and the exchange takes {most}")
        return prefix + digits

    def decode(text: str) -> str:
        if not text.startswith(prefix):
            raise ValueError(f"expected {prefix!r} in front, found {text!r}")
        return unpacked(_numbered(text.removeprefix(prefix), _LETTERS))

    return IdRule(rf"{re.escape(prefix)}[0-9A-Za-z]{{1,{most}}}", encode, decode)


def _in_128_bits(prefix: str) -> IdRule:
    def encode(client_order_id: str) -> str:
        value = packed(client_order_id)
        if value >> 128:
            raise ValueError(f"{client_order_id!r} needs more than the 128 bits that the exchange takes")
        return f"{prefix}{value:032x}"

    def decode(text: str) -> str:
        if not text.startswith(prefix):
            raise ValueError(f"expected {prefix!r} in front, found {text!r}")
        return unpacked(int(text.removeprefix(prefix), 16))

    return IdRule(rf"{prefix}[0-9a-f]{{32}}", encode, decode)


_ANY: Final = _in_letters("", 30)
"""For an exchange whose rule is not known: letters and digits, no more than thirty."""

RULES: Final = ByExchange(
    {
        "binance": _as_it_is(r"[.A-Z:/a-z0-9_-]{1,36}"),
        "okx": _in_letters("", 32),
        "bybit": _as_it_is(r"[A-Za-z0-9_-]{1,36}"),
        "kraken": _in_128_bits(""),
        "coinbase": _as_it_is(r"[A-Za-z0-9_-]{1,36}"),
        "kucoin": _as_it_is(r"[A-Za-z0-9_-]{1,40}"),
        "gate": _in_letters("t-", 28),
        "bitget": _as_it_is(r"[A-Za-z0-9_-]{1,40}"),
        "mexc": _in_letters("", 32),
        "htx": _as_it_is(r"[A-Za-z0-9_-]{1,64}"),
        "cryptocom": _as_it_is(r"[A-Za-z0-9_-]{1,36}"),
        "hyperliquid": _in_128_bits("0x"),
        "deribit": _as_it_is(r"[A-Za-z0-9_-]{1,64}"),
        "bitstamp": _as_it_is(r"[A-Za-z0-9_-]{1,36}"),
        "gemini": _as_it_is(r"[:\-_.#A-Za-z0-9]{1,99}"),
        "bingx": _as_it_is(r"[A-Za-z0-9_-]{1,40}"),
        "krakenfutures": _as_it_is(r"[A-Za-z0-9_-]{1,100}"),
    }
)
"""By exchange, as ccxt names it."""

NO_ROOM: Final = ExchangeNames({"bitfinex"})
"""Exchanges whose client ids are too short to hold ours: after a crash no order could be told from a foreign one."""


@frozen
class ClientIds:
    """Ids of the strategies that trade on one account of one exchange.

    Args:
        exchange: as ccxt names it.
        strategies: names whose ids are ours.

    Raises:
        SettingsError: the exchange cannot hold ids of ours, or not with a name so long.
    """

    exchange: str
    strategies: frozenset[str]

    def __attrs_post_init__(self) -> None:
        if self.exchange in NO_ROOM:
            remedy = "Its client ids are too short to name our orders: choose another exchange."
            raise SettingsError("venue.exchange", "one that takes a client order id of ours", self.exchange, remedy)
        for name in self.strategies:
            longest = f"{name}-{'z' * _PART_LENGTH}-{'z' * _PART_LENGTH}-{_NUMBERS - 1}"
            try:
                fits = re.fullmatch(self._rule.pattern, self._rule.encode(longest))
            except ValueError:
                fits = None
            if fits is None:
                expected = f"a name short enough for the client order ids of {self.exchange}"
                raise SettingsError("strategy.strategy_id", expected, name, "Choose a shorter one, such as 'mm'.")

    @property
    def _rule(self) -> IdRule:
        return RULES.get(self.exchange, _ANY)

    def encode(self, client_order_id: str) -> str:
        """What the exchange is told.

        Raises:
            ValueError: it would not take it.
        """
        text = self._rule.encode(client_order_id)
        if re.fullmatch(self._rule.pattern, text) is None:
            raise ValueError(f"{self.exchange} does not take {text!r} as a client order id")
        return text

    def decode(self, text: str | None) -> str | None:
        """Our id that the exchange shows as ``text``; None for anybody else's."""
        if text is None:
            return None
        try:
            client_order_id = self._rule.decode(text)
        except ValueError:
            return None
        name, dash, _ = client_order_id.partition("-")
        return client_order_id if dash and name in self.strategies else None
