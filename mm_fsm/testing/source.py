"""Values as Python source that makes them again, and the imports which that source needs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from inspect import isclass, isroutine
from typing import Any, Final

import attrs

_PLAIN: Final = (str, int, bytes, type(None))
"""What ``repr`` writes as source."""


class Source:
    """Writes values, and remembers what must be imported for them."""

    def __init__(self) -> None:
        self._imports: dict[str, set[str]] = {}
        self.local: dict[str, None] = {}
        """Names that no import reaches: of functions and classes made inside a function, or in the main program."""

    def imports(self) -> list[str]:
        """One line for each module, sorted."""
        return [
            f"from {module} import {', '.join(sorted(names, key=str.lower))}"
            for module, names in sorted(self._imports.items())
        ]

    def name(self, value: Any) -> str:
        """A class or a function by its name."""
        outermost = value.__qualname__.split(".")[0]
        if "<locals>" in value.__qualname__ or value.__module__ == "__main__":
            self.local[value.__name__] = None
            return str(value.__name__)
        if value.__module__ != "builtins":
            self._imports.setdefault(value.__module__, set()).add(outermost)
        return str(value.__qualname__)

    def write(self, value: Any) -> str:
        """Source for a value: of plain types, collections, enumerations, ``attrs`` classes, named functions."""
        if isinstance(value, Enum):
            return f"{self.name(type(value))}.{value.name}"
        if isinstance(value, _PLAIN):
            return repr(value)
        if isinstance(value, float):
            return repr(value) if value - value == 0 else f'float("{value}")'
        if isinstance(value, Decimal):
            return f'{self.name(Decimal)}("{value}")'
        if isclass(value) or isroutine(value):
            return self.name(value)
        return self._write_compound(value)

    def _write_compound(self, value: Any) -> str:
        if attrs.has(type(value)):
            return self._write_call(value, _given_fields(value))
        if isinstance(value, tuple) and hasattr(value, "_asdict"):
            return self._write_call(value, value._asdict())
        if isinstance(value, Mapping):
            return "{" + ", ".join(f"{self.write(key)}: {self.write(item)}" for key, item in value.items()) + "}"
        if isinstance(value, tuple):
            return f"({''.join(f'{self.write(item)}, ' for item in value).rstrip()})"
        if isinstance(value, list):
            return f"[{', '.join(self.write(item) for item in value)}]"
        return repr(value)

    def _write_call(self, value: Any, fields: Mapping[str, Any]) -> str:
        arguments = ", ".join(f"{name}={self.write(item)}" for name, item in fields.items())
        return f"{self.name(type(value))}({arguments})"


def _given_fields(value: Any) -> dict[str, Any]:
    """The fields of an ``attrs`` object that are not as they are by default."""
    fields = [field for field in attrs.fields(type(value)) if field.init]
    return {field.alias: getattr(value, field.name) for field in fields if getattr(value, field.name) != field.default}
