"""Questions to the venue that wait for an answer: an answer counts once, for its own question, however late it comes.

What was booked when a question was asked is kept with it, since the answer speaks of that time and of none later.
"""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal
from typing import Final

from attrs import define, field, frozen

from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND

QUESTIONS_KEPT: Final = 256
"""How many questions wait for their answers; an answer to an older one says nothing any more."""


@frozen(kw_only=True)
class AskedQuestion:
    """When something was asked, and what the books said then. Nanoseconds, base units, quote currency."""

    asked_at: int
    position: Decimal
    cash: Decimal


@define(eq=False)
class Questions:
    """The open questions of one machine, by their ids."""

    asked: int = field(default=0, init=False)
    """How many were asked."""
    _open: OrderedDict[str, AskedQuestion] = field(factory=OrderedDict, init=False)

    def next_id(self, now: int) -> str:
        """An id that no other question of this market has, in this process or another."""
        return f"q{now // NANOSECONDS_PER_MILLISECOND:x}-{self.asked + 1}"

    def note(self, question_id: str, question: AskedQuestion) -> None:
        """A question is about to be sent."""
        self.asked += 1
        self._open[question_id] = question
        while len(self._open) > QUESTIONS_KEPT:
            self._open.popitem(last=False)

    def answer(self, question_id: str | None) -> AskedQuestion | None:
        """The question that is answered now; None when it was answered before, or the answer does not say which."""
        return None if question_id is None else self._open.pop(question_id, None)

    def snapshot(self) -> tuple[object, ...]:
        """How many were asked and which are open, for digests."""
        return (self.asked, *self._open)
