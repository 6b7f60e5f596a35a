"""The presets that are shipped: settings files for a few well-known markets, with their rules, real fees and dates.

A preset is an ordinary settings file for one market, with a table ``[recording]`` besides that says which recordings
it fits. A settings file names one with ``preset = "name"`` and writes only what it wants otherwise.
"""

from __future__ import annotations

import tomllib
from decimal import Decimal
from importlib.resources import files
from typing import Any, Final

from attrs import frozen

from mm_fsm.core.settings_tables import structured
from mm_fsm.core.suggestions import did_you_mean
from mm_fsm.errors import SettingsError

_SUFFIX: Final = ".toml"


@frozen(kw_only=True)
class RecordingMatch:
    """Which recordings a market's settings fit, in the words of the recordings."""

    exchanges: tuple[str, ...]
    symbols: tuple[str, ...]

    def fits(self, exchange: str, symbol: str) -> bool:
        """Whether a recording of ``symbol`` at ``exchange`` is of this market; case does not count."""
        return exchange.upper() in _upper(self.exchanges) and symbol.upper() in _upper(self.symbols)


def preset_names() -> tuple[str, ...]:
    """The names of all presets, sorted."""
    entries = (files("mm_fsm") / "presets").iterdir()
    return tuple(sorted(entry.name.removesuffix(_SUFFIX) for entry in entries if entry.name.endswith(_SUFFIX)))


def preset_text(name: str) -> str:
    """The file of one preset, comments included.

    Raises:
        SettingsError: there is no such preset.
    """
    if name not in preset_names():
        remedy = did_you_mean(name, preset_names(), "Choose one, or leave the key out.")
        raise SettingsError("preset", f"one of {', '.join(preset_names())}", name, remedy)
    return (files("mm_fsm") / "presets" / f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def preset_tables(name: str) -> dict[str, Any]:
    """The tables of one preset.

    Raises:
        SettingsError: there is no such preset.
    """
    return tomllib.loads(preset_text(name), parse_float=Decimal)


def matching_preset(exchange: str, symbol: str) -> str | None:
    """The name of the preset that fits a recording of ``symbol`` at ``exchange``; None when none does."""
    for name in preset_names():
        table = preset_tables(name).get("recording")
        if table is not None and structured(RecordingMatch, table, "recording").fits(exchange, symbol):
            return name
    return None


def _upper(names: tuple[str, ...]) -> set[str]:
    return {name.upper() for name in names}
