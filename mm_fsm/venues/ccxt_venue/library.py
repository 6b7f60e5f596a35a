"""The only place that imports ccxt, half a second and a hundred megabytes for who trades live; and throws away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final

from loguru import logger

from mm_fsm.errors import SettingsError

MakeExchange = Callable[[Mapping[str, Any]], Any]
"""Makes an exchange object of ``ccxt.pro`` with a configuration. Instances are rebuilt, so it is called again."""
REHEARSAL: Final = "mm_fsm.testing.rehearsal."
"""Where factories of the rehearsal exchange are, which comes with an extra of its own."""


def maker_of(exchange: str, factory: str | None, exchange_place: str, factory_place: str) -> MakeExchange:
    """What makes an exchange's objects: the factory that is named, else ccxt's own class.

    The places are where the names stand, for errors.

    Raises:
        SettingsError: there is none.
    """
    return exchange_class(exchange, exchange_place) if factory is None else named_factory(factory, factory_place)


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


@cache
def lineage(name: str) -> tuple[str, ...]:
    """An exchange and those that ccxt derives it from, as ccxt names them, the nearest first."""
    try:
        import ccxt.pro as library  # noqa: PLC0415 - half a second, for who trades only
    except ImportError:
        return (name,)
    made = getattr(library, name, None) if name in library.exchanges else None
    ancestors = (kind.__name__ for kind in getattr(made, "__mro__", ()))
    return tuple(dict.fromkeys((name, *(each for each in ancestors if each in library.exchanges))))


def named_factory(target: str, place: str) -> MakeExchange:
    """A factory that settings name as ``module:function``.

    Raises:
        SettingsError: there is none.
    """
    module, _, attribute = target.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise _missing_module(target, place, module, error) from error
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingsError(place, "a function, as module:function", target, "Correct or install it.") from error
    if not callable(found):
        raise SettingsError(place, "a function", target, "Name one that makes exchange objects of ccxt.pro.")
    made: MakeExchange = found
    return made


def _missing_module(target: str, place: str, module: str, error: ModuleNotFoundError) -> SettingsError:
    """The refusal of a factory whose module is not there, or needs one that is not."""
    missing = error.name or ""
    if missing == module or module.startswith(f"{missing}."):
        return SettingsError(place, "a function, as module:function", target, "Correct or install it.")
    remedy = f"Install {missing}."
    if module.startswith(REHEARSAL):
        remedy = "Install it: pip install 'mm-fsm[rehearsal]'."
    words = f"setting {place!r}: {target} needs the module {missing!r}, which is not there. {remedy}"
    return SettingsError(place, f"the module {missing!r}, which {target} needs", None, remedy, words=words)


async def close_exchange(exchange: Any) -> None:
    """Close an exchange object's connections. Never raises; a half-open one takes ten seconds."""
    try:
        await exchange.close()
    except Exception as error:  # noqa: BLE001 - it is thrown away
        logger.bind(error=type(error).__name__).debug("venue.close_failed")
    finally:
        session = getattr(exchange, "session", None)
        if session is not None and not session.closed:
            await session.close()
        exchange.session = None
