"""Fault scripts as files: a table ``[[fault]]`` for each fault, and ``[mix]`` for a random mix."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import frozen

from mm_fsm.core.settings_tables import structured, unknown_keys
from mm_fsm.errors import Refusals, SettingsError
from mm_fsm.testing.rehearsal.fault_menu import Fault, FaultKind, random_faults


@frozen(kw_only=True)
class Mix:
    """Keys of ``[mix]``."""

    seed: int
    count: int
    """How many faults."""
    within_seconds: float
    """They are due at random times until then."""
    kinds: tuple[str, ...] = ()
    """What to choose from; everything where it is left out."""

    def drawn(self) -> tuple[Fault, ...]:
        """The faults of the mix.

        Raises:
            SettingsError: a kind is none of the menu.
        """
        kinds = tuple(_kind(name) for name in self.kinds) or tuple(FaultKind)
        return random_faults(self.seed, count=self.count, within_seconds=self.within_seconds, kinds=kinds)


def read_faults(path: Path) -> tuple[Fault, ...]:
    """The faults of a script, in the order in which they stand there; those of a mix come last.

    Raises:
        SettingsError: the file cannot be read, or something in it is wrong.
    """
    try:
        tables: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError("faults", "a TOML file", path.name, f"Correct it: {error}.") from error
    Refusals(unknown_keys(tables, ("fault", "mix"), "")).settle()
    written = tables.get("fault", [])
    if not isinstance(written, list):
        raise SettingsError("fault", "tables [[fault]]", "something else", "Write [[fault]], once for each fault.")
    faults = tuple(structured(Fault, table, f"fault.{number}") for number, table in enumerate(written, start=1))
    mix = tables.get("mix")
    return faults if mix is None else (*faults, *structured(Mix, mix, "mix").drawn())


def _kind(name: str) -> FaultKind:
    try:
        return FaultKind(name)
    except ValueError:
        raise SettingsError("mix.kinds", "names of the fault menu", name, "See docs/rehearsal.md.") from None
