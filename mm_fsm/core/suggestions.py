"""What a misspelt name may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def closest(found: object, names: Iterable[str]) -> str | None:
    """The name most like ``found``, case aside; None when none is close."""
    if not isinstance(found, str):
        return None
    folded = {name.casefold(): str(name) for name in names}
    close = get_close_matches(found.casefold(), folded, n=1)
    return folded[close[0]] if close else None


def did_you_mean(found: object, names: Iterable[str], otherwise: str) -> str:
    """The remedy for a name that is not among ``names``; ``otherwise`` stands where none is close."""
    close = closest(found, names)
    return otherwise if close is None else f"Did you mean {close!r}?"
