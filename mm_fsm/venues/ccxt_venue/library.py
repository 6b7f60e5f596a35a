"""The only place that imports ccxt: half a second and a hundred megabytes, for who trades live."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from mm_fsm.errors import SettingsError

MakeExchange = Callable[[Mapping[str, Any]], Any]
"""Makes an exchange object of ``ccxt.pro`` with a configuration. Instances are rebuilt, so it is called again."""


def exchange_class(name: str, place: str) -> MakeExchange:
    """The class of ``ccxt.pro`` for an exchange.

    Raises:
        SettingsError: ccxt has no exchange of this name with streams.
    """
    import ccxt.pro as library  # noqa: PLC0415 - half a second, for who trades only

    if name not in library.exchanges:
        raise SettingsError(place, "an exchange of ccxt.pro", name, "Write its name as ccxt does, such as 'binance'.")
    made: MakeExchange = getattr(library, name)
    return made


def named_factory(target: str, place: str) -> MakeExchange:
    """A factory that settings name as ``module:function``.

    Raises:
        SettingsError: there is none.
    """
    module, _, attribute = target.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingsError(place, "a function, as module:function", target, "Correct or install it.") from error
    if not callable(found):
        raise SettingsError(place, "a function", target, "Name one that makes exchange objects of ccxt.pro.")
    made: MakeExchange = found
    return made
