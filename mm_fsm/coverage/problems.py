"""What can be wrong with what a measurement was asked for."""

from __future__ import annotations

from mm_fsm.errors import MarketMakerError


class CoverageError(MarketMakerError, ValueError):
    """An option, a class, an exclusion or a stored result cannot be used.

    Args:
        field: the option, setting or file.
        expected: what it may be.
        found: what it was.
        remedy: what to do about it.
    """

    def __init__(self, field: str, expected: str, found: object, remedy: str) -> None:
        self.field = field
        self.expected = expected
        self.found = found
        self.remedy = remedy
        super().__init__(f"{field}: expected {expected}, found {found}. {remedy}")
