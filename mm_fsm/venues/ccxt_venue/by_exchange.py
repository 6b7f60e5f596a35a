"""Tables of what is known of exchanges. One that ccxt derives from another has its rules, unless it has its own.

Gate EU is Gate at another address, OKX US is OKX: ccxt derives their classes, and what a table says of the ancestor
holds for them. Every table that names exchanges is one of these two.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import TypeVar

from mm_fsm.venues.ccxt_venue.library import lineage

Value = TypeVar("Value")


class ByExchange(Mapping[str, Value]):
    """Something by exchange, as ccxt names it. Iterated, it gives the names that are written alone."""

    def __init__(self, written: Mapping[str, Value]) -> None:
        self._written = dict(written)

    def __getitem__(self, name: str) -> Value:
        """What holds for an exchange: its own entry, else that of its nearest ancestor."""
        found = _written_name(self._written, name)
        if found is None:
            raise KeyError(name)
        return self._written[found]

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)


class ExchangeNames(AbstractSet[str]):
    """Exchanges, as ccxt names them. Iterated, it gives the names that are written alone."""

    def __init__(self, written: Iterable[str]) -> None:
        self._written = frozenset(written)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _written_name(self._written, name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)


def _written_name(written: Container[str], name: str) -> str | None:
    """The exchange whose entry holds for another one."""
    return name if name in written else next((each for each in lineage(name) if each in written), None)
