"""Keys of an account: from the environment or from a file that only its owner may read. They are shown nowhere."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from mm_fsm.errors import SettingsError, VariableError
from mm_fsm.venues.private_file import private_text

_FILE: Final = "venue.key_file"
_HIDDEN: Final = "***"
_SIGNED: Final = re.compile(r"(?i)\b(signature|apikey|api_key|key|token|listenkey)=[^&\s\"']+")
_PARTS: Final = ("apiKey", "secret", "password", "uid")
"""As ccxt names them."""


@frozen(kw_only=True)
class Keys:
    """What signs requests. None of it is in the repr."""

    parts: Mapping[str, str] = field(repr=False, factory=dict)
    """By ccxt's names; empty where the factory brings its own."""

    def scrub(self, text: object) -> str:
        """A vendor's message without keys and signatures, and not longer than a line."""
        shown = _SIGNED.sub(lambda found: f"{found[1]}={_HIDDEN}", str(text))
        for secret in sorted(filter(None, self.parts.values()), key=len, reverse=True):
            shown = shown.replace(secret, _HIDDEN)
        return " ".join(shown.split())[:240]


def keys_from_environment(variables: Mapping[str, str | None]) -> Keys:
    """Keys from environment variables; ``variables`` has their names by ccxt's names of the parts.

    Raises:
        SettingsError: one that is named is not set.
    """
    parts = {}
    for part, variable in variables.items():
        if variable is None:
            continue
        value = os.environ.get(variable)
        if not value:
            remedy = "Set it where the program starts; never write a key into the settings."
            raise VariableError(variable, f"the account's {part}", "not set", remedy)
        parts[part] = value
    return Keys(parts=parts)


def keys_from_file(path: Path) -> Keys:
    """Keys from a file in TOML with ``apiKey``, ``secret`` and, where the exchange wants them, ``password``, ``uid``.

    Raises:
        SettingsError: it cannot be read, others than its owner may read it, or it holds something else.
    """
    parts = _parts_of(private_text(path, _FILE))
    unknown = sorted(set(parts) - set(_PARTS))
    if unknown or not all(isinstance(value, str) and value for value in parts.values()) or "apiKey" not in parts:
        expected = "apiKey and secret, and where the exchange wants them password and uid, each a text"
        raise SettingsError(_FILE, expected, sorted(parts), "Correct the file.")
    return Keys(parts=parts)


def _parts_of(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError:  # its text would be in the cause
        pass
    raise SettingsError(_FILE, "a file in TOML", "something else", "Write apiKey = ... and secret = ...")
