"""Marks each number of the page with its place in ``report.json`` and its exact value there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen
from markupsafe import Markup

Text = Callable[[Any], str]


@frozen
class ShownFigures:
    """The figures below one place of ``report.json``, by names and numbers joined with dots."""

    entry: Any
    """As JSON has it."""
    place: str
    """Of ``entry`` in the whole, empty for the whole."""
    beneath: str = ""
    """The place that marks are relative to: the page names it once, around them."""
    around: str = ""
    """What the page names there: this place, relative to the one that it names further out."""

    def below(self, path: str) -> ShownFigures:
        """The same, from a place further down."""
        return ShownFigures(self[path], self._place(path), self.beneath)

    def apart(self, path: str) -> ShownFigures:
        """The same, with marks relative to that place."""
        place = self._place(path)
        return ShownFigures(self[path], place, f"{place}.", place.removeprefix(self.beneath))

    def items(self, path: str) -> list[ShownFigures]:
        """One for each element of a list."""
        return [self.below(f"{path}.{number}") for number in range(len(self[path]))]

    def rows(self, path: str) -> list[ShownFigures]:
        """One for each element of a list, with marks relative to it: for rows that name their place."""
        return [self.apart(f"{path}.{number}") for number in range(len(self[path]))]

    def names(self, path: str) -> list[tuple[str, ShownFigures]]:
        """Name and value of each entry of a mapping; a name may hold dots."""
        return [
            (name, ShownFigures(value, f"{self._place(path)}.{name}", self.beneath))
            for name, value in self[path].items()
        ]

    def __getitem__(self, path: str) -> Any:
        """What stands at a place.

        Raises:
            KeyError: nothing does.
        """
        found = self.entry
        for name in path.split(".") if path else ():
            found = found[name] if isinstance(found, Mapping) else found[int(name)]
        return found

    def show(self, path: str, text: Text = str, look: str = "") -> Markup:
        """A number as ``text`` says it, marked; ``look`` are names of classes."""
        value = self[path]
        exact = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        place = self._place(path).removeprefix(self.beneath)
        looks = Markup(' class="{}"').format(look) if look else ""
        return Markup('<data value="{}" data-of="{}"{}>{}</data>').format(exact, place, looks, text(value))

    def _place(self, path: str) -> str:
        return ".".join(part for part in (self.place, path) if part)
