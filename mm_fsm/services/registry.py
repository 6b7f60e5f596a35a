"""Services by name: the shipped ones, and those that other packages register as entry points.

Groups: ``mm_fsm.spreads``, ``mm_fsm.orders``, ``mm_fsm.inventory``, ``mm_fsm.risk``. An entry point names a class, or a
function, that takes no arguments and returns the service. A shipped spread service other than the default takes its own
table, ``service_options.NAME``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from attrs import asdict, frozen

from mm_fsm.core.settings import ServiceNames
from mm_fsm.core.suggestions import did_you_mean
from mm_fsm.errors import PluginError, Refusals, SettingsError
from mm_fsm.services import protocols
from mm_fsm.services.inventory import DefaultInventoryService
from mm_fsm.services.orders import DefaultOrderService
from mm_fsm.services.pricing.avellaneda_stoikov_spreads import AvellanedaStoikovSpreadService
from mm_fsm.services.pricing.fixed_spreads import FixedSpreadService
from mm_fsm.services.pricing.glft_spreads import GlftSpreadService
from mm_fsm.services.protocols import Services
from mm_fsm.services.risk import DefaultRiskService
from mm_fsm.services.spreads import DefaultSpreadService

DEFAULTS: Final[Mapping[str, type]] = {
    "spreads": DefaultSpreadService,
    "orders": DefaultOrderService,
    "inventory": DefaultInventoryService,
    "risk": DefaultRiskService,
}
_BESIDE_DEFAULT: Final[Mapping[str, Mapping[str, type]]] = {
    "spreads": {
        "avellaneda_stoikov": AvellanedaStoikovSpreadService,
        "fixed": FixedSpreadService,
        "glft": GlftSpreadService,
    },
}
"""Shipped beside the defaults; each takes its options, and its name for what it refuses of them."""
SHIPPED_OPTIONS: Final = tuple(name for services in _BESIDE_DEFAULT.values() for name in services)
"""Tables of ``service_options`` that shipped services read; what stands in others is their packages' own."""

_SERVICE_KEYS: Final = ("services", "service_options")
_PROTOCOLS: Final[Mapping[str, type]] = {
    "spreads": protocols.SpreadService,
    "orders": protocols.OrderService,
    "inventory": protocols.InventoryService,
    "risk": protocols.RiskService,
}


@frozen(kw_only=True)
class RegisteredService:
    """One implementation that settings can name."""

    role: str
    name: str
    origin: str
    """The package that brings it, or ``mm-fsm`` for the shipped ones."""
    target: str
    """``module:attribute``."""
    problem: str | None = None
    """Why settings that name it would be refused; None where it can be made."""


def registered_services() -> Iterator[RegisteredService]:
    """Every implementation that is registered, the shipped ones first. Each is made once, to see whether it can be."""
    for role, default in DEFAULTS.items():
        target = f"{default.__module__}:{default.__qualname__}"
        yield RegisteredService(role=role, name="default", origin="mm-fsm", target=target)
        for name, kind in _BESIDE_DEFAULT.get(role, {}).items():
            target = f"{kind.__module__}:{kind.__qualname__}"
            yield RegisteredService(role=role, name=name, origin="mm-fsm", target=target)
        for point in _entry_points(role):
            origin = point.dist.name if point.dist is not None else "unknown"
            yield RegisteredService(
                role=role, name=point.name, origin=origin, target=point.value, problem=_problem(role, point.name)
            )


def default_services(
    *,
    spreads: protocols.SpreadService | None = None,
    orders: protocols.OrderService | None = None,
    inventory: protocols.InventoryService | None = None,
    risk: protocols.RiskService | None = None,
) -> Services:
    """The shipped services, and yours in place of those that are given."""
    return Services(
        spreads=spreads or DefaultSpreadService(),
        orders=orders or DefaultOrderService(),
        inventory=inventory or DefaultInventoryService(),
        risk=risk or DefaultRiskService(),
    )


def load_services(names: ServiceNames, options: Mapping[str, Any] | None = None) -> Services:
    """Make the services that settings name; ``options`` are the settings' ``service_options``.

    Raises:
        PluginError: a name is not registered, cannot be loaded, or lacks a method of its protocol.
        SettingsError: a shipped service refuses its options.
    """
    return Services(**{role: _load(role, name, options or {}) for role, name in asdict(names).items()})


def refuse_unknown_services(table: Mapping[str, Any]) -> None:
    """Refuse what ``[strategy]`` says of services that are not registered, or that shipped services refuse.

    What other packages bring is not loaded here. A value that is none of a name or a table is refused elsewhere.

    Raises:
        SettingsError: there are such names or options: all of them are told.
    """
    names, options = ({} if not isinstance(each, Mapping) else each for each in map(table.get, _SERVICE_KEYS))
    refusals = Refusals()
    for role in DEFAULTS:
        name = names.get(role, "default")
        if not isinstance(name, str):
            continue
        if name not in _names(role):
            expected = f"one of {', '.join(map(repr, _names(role)))}"
            refusals.errors.append(SettingsError(f"strategy.services.{role}", expected, name, _remedy(role, name)))
        elif name in _BESIDE_DEFAULT.get(role, {}):
            with refusals.gathered():
                _load(role, name, options)
    refusals.settle()


def _problem(role: str, name: str) -> str | None:
    try:
        _load(role, name, {})
    except PluginError as error:
        return str(error)
    return None


def _entry_points(role: str) -> list[EntryPoint]:
    return sorted(entry_points(group=f"mm_fsm.{role}"), key=lambda point: point.name)


def _names(role: str) -> list[str]:
    return ["default", *_BESIDE_DEFAULT.get(role, {}), *(point.name for point in _entry_points(role))]


def _remedy(role: str, name: str) -> str:
    install = f"Install the package that registers it under the entry point group 'mm_fsm.{role}'."
    return did_you_mean(name, _names(role), install)


def _load(role: str, name: str, options: Mapping[str, Any]) -> Any:
    if name == "default":
        return DEFAULTS[role]()
    shipped = _BESIDE_DEFAULT.get(role, {})
    if name in shipped:
        return shipped[name](options.get(name, {}), name)
    points = {point.name: point for point in _entry_points(role)}
    if name not in points:
        expected = f"expected one of {_names(role)}, found {name!r}."
        raise PluginError(f"services.{role}: {expected} {_remedy(role, name)}")
    try:
        service = points[name].load()()
    except Exception as error:
        raise PluginError(
            f"services.{role}: {name!r} ({points[name].value}) could not be made: {error!r}. Repair that package."
        ) from error
    missing = [method for method in _methods(role) if not callable(getattr(service, method, None))]
    if missing:
        raise PluginError(
            f"services.{role}: {name!r} ({points[name].value}) lacks {missing}. "
            f"Implement {_PROTOCOLS[role].__module__}.{_PROTOCOLS[role].__qualname__}."
        )
    return service


def _methods(role: str) -> list[str]:
    return [name for name in vars(_PROTOCOLS[role]) if not name.startswith("_")]
