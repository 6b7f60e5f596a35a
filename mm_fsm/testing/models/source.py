"""Values as Python source that makes them again, and the imports which that source needs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from inspect import isclass, isroutine
from math import isfinite
from typing import Any

import attrs


class Source:
    """Writes values, and remembers what must be imported for them."""

    def __init__(self) -> None:
        self._imports: dict[str, set[str]] = {}
        self.local: dict[str, None] = {}
        """Names that no import reaches: of functions and classes made inside a function, or in the main program."""

    def imports(self) -> list[str]:
        """One line for each module, sorted."""
        return [
            f"from {module} import {', '.join(sorted(names, key=lambda name: (name[0].islower(), name)))}"
            for module, names in sorted(self._imports.items())
        ]

    def name(self, value: Any) -> str:
        """A class or a function by its name."""
        outermost = value.__qualname__.split(".")[0]
        if "<locals>" in value.__qualname__ or value.__module__ == "__main__":
            self.local[value.__name__] = None
            return str(value.__name__)
        if value.__module__ != "builtins":
            self._imports.setdefault(_address(value.__module__, outermost), set()).add(outermost)
        return str(value.__qualname__)

    def write(self, value: Any) -> str:
        """Source for a value: of plain types, collections, enumerations, ``attrs`` classes, named functions."""
        if isinstance(value, Enum):
            return f"{self.name(type(value))}.{value.name}"
        if isinstance(value, str):
            return json.dumps(value, ensure_ascii=False)
        if isclass(value) or isroutine(value):
            return self.name(value)
        if isinstance(value, Decimal):
            return f'{self.name(Decimal)}("{value}")'
        if attrs.has(type(value)):
            return self._write_attrs(value)
        return self._write_plain(value)

    def _write_plain(self, value: Any) -> str:
        if isinstance(value, tuple) and hasattr(value, "_asdict"):
            arguments = ", ".join(f"{name}={self.write(item)}" for name, item in value._asdict().items())
            return f"{self.name(type(value))}({arguments})"
        if isinstance(value, Mapping):
            return "{" + ", ".join(f"{self.write(key)}: {self.write(item)}" for key, item in value.items()) + "}"
        if isinstance(value, list):
            return f"[{', '.join(self.write(item) for item in value)}]"
        if isinstance(value, tuple):
            return f"({''.join(f'{self.write(item)}, ' for item in value).rstrip()})"
        if isinstance(value, float) and not isfinite(value):
            return f'float("{value}")'
        return repr(value)

    def _write_attrs(self, value: Any) -> str:
        """An ``attrs`` object by the arguments that make it again; those that are as by default are left out."""
        arguments = []
        for one in attrs.fields(type(value)):
            given = getattr(value, one.name)
            if one.init and given != one.default:
                arguments.append(f"{one.alias}={self.write(given)}" if one.kw_only else self.write(given))
        return f"{self.name(type(value))}({', '.join(arguments)})"


def _address(module: str, name: str) -> str:
    """The outermost package that has a name of one of its modules, and has it under this name."""
    found = getattr(sys.modules[module], name, None)
    packages = module.split(".")
    addresses = [".".join(packages[:depth]) for depth in range(1, len(packages) + 1)]
    return next((one for one in addresses if getattr(sys.modules.get(one), name, None) is found), module)
