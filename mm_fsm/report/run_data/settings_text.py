"""The settings of a run as they came to be, in TOML, every value spelled out: the file alone repeats the run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import attrs

from mm_fsm.core.settings_tables import known_keys
from mm_fsm.report.exact import exact_text
from mm_fsm.runtime.settings_file import MarketConfiguration
from mm_fsm.services.registry import SHIPPED_OPTIONS
from mm_fsm.venues.paper import PaperAccount, PaperPlan
from mm_fsm.venues.recorded.kind import RecordedPlan

SETTINGS_FILE: Final = "settings.toml"
SHOWN_TABLES: Final = ("instrument", "fees", "balances")
"""Tables that every market has beside its strategy."""
Tables = dict[str, dict[str, Any]]


def settings_tables(configuration: MarketConfiguration, recording: Sequence[Path] = ()) -> Tables:
    """The tables of one market, as a settings file has them.

    Args:
        configuration: the market.
        recording: files that the venue plays where the configuration does not name them.

    Options of services of other packages are left out: nobody here knows what they hold. So are the tables of venues
    that are not built in, but for their kind.
    """
    venue = configuration.venue
    tables: Tables = {"strategy": _strategy(configuration)}
    instrument, fees = configuration.instrument, configuration.fees
    if isinstance(venue, PaperAccount):
        instrument, fees = venue.instrument, venue.fees
    for name, value in (("instrument", instrument), ("fees", fees), ("balances", configuration.balances)):
        if value is not None:
            tables[name] = table_of(value)
    files = tuple(recording) or (venue.files if isinstance(venue, RecordedPlan) else ())
    if files:
        tables["venue"] = {"kind": "recorded", "files": [str(file.resolve()) for file in files]}
        reading = venue.reading if isinstance(venue, RecordedPlan) else configuration.reading
        tables["reading"] = table_of(reading)
    else:
        tables["venue"] = {"kind": configuration.venue_kind}
    if isinstance(venue, PaperAccount):
        tables["paper"] = table_of(venue.exchange)
    if isinstance(venue, PaperPlan) and not files:
        tables["simulator"] = table_of(venue.simulator)
    tables["programme"] = table_of(configuration.programme)
    return tables


def table_of(value: Any) -> dict[str, Any]:
    """An attrs object as a table: keys that a settings file may have, and no key that is None."""
    found = {name: getattr(value, name) for name in known_keys(type(value))}
    return {name: _plain(each) for name, each in found.items() if each is not None}


def _plain(value: Any) -> Any:
    if attrs.has(type(value)):
        return table_of(value)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (tuple, list, frozenset, set)):
        return [_plain(each) for each in value]
    return value


def _strategy(configuration: MarketConfiguration) -> dict[str, Any]:
    table = table_of(configuration.strategy)
    options = {name: table["service_options"][name] for name in SHIPPED_OPTIONS if name in table["service_options"]}
    table.pop("service_options")
    return {**table, "service_options": options} if options else table


def left_out(configuration: MarketConfiguration) -> tuple[str, ...]:
    """Names of service options that ``settings_tables`` leaves out."""
    return tuple(sorted(configuration.strategy.service_options.keys() - set(SHIPPED_OPTIONS)))


def settings_text(markets: Sequence[Tables]) -> str:
    """A settings file of these markets."""
    if len(markets) == 1:
        return "\n".join(_lines(markets[0], ""))
    return "\n".join(line for tables in markets for line in ("[[market]]", *_lines(tables, "market.")))


def _lines(tables: Mapping[str, Mapping[str, Any]], place: str) -> Iterator[str]:
    for name, table in tables.items():
        yield from _table(f"{place}{name}", table)


def _table(name: str, table: Mapping[str, Any]) -> Iterator[str]:
    yield f"[{name}]"
    for key, value in table.items():
        if not isinstance(value, Mapping):
            yield f"{key} = {_written(value)}"
    yield ""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _table(f"{name}.{key}", value)


def _written(value: Any) -> str:
    """A value in TOML. A basic string of TOML takes what JSON's escapes are."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return exact_text(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, str):
        return json.dumps(value)
    return repr(value)
