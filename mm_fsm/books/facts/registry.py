"""Every kind of fact by its name, read from the public table, which is the package itself."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import isclass
from typing import Final

from mm_fsm.books import facts
from mm_fsm.core.messages import Fact

FACTS: Final[Mapping[str, type[Fact]]] = {
    name: kind for name, kind in vars(facts).items() if isclass(kind) and issubclass(kind, Fact)
}
"""Every kind of fact by its name."""
