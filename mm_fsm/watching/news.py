"""What alerts are made of: something that began, goes on, or is over."""

from __future__ import annotations

from attrs import frozen

from mm_fsm.runtime.watching_settings import AlertKind


@frozen(kw_only=True)
class Trouble:
    """Something that is wrong now."""

    kind: AlertKind
    reason: str
    doing: str
    """What is being done about it."""
    marks: frozenset[str] = frozenset()
    """What it consists of, such as orders: a new one is news although the trouble was there before."""


@frozen(kw_only=True)
class News:
    """A trouble has begun, has become worse, or is over."""

    kind: AlertKind
    place: str
    """The market's symbol, or the account's or the run's name."""
    key: str
    """Tells apart what can be wrong at one place at once."""
    begins: bool
    reason: str = ""
    doing: str = ""
