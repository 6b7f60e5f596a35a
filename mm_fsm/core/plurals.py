"""Numbers of things, in words."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """``1 fill``, ``1,200 fills``: for nouns that take an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
