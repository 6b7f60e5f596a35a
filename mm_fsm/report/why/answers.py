"""The answer to "why is this side empty?": the stretch, who decided, and what would have had to differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field, frozen

from mm_fsm.core.messages import SIDES, Side
from mm_fsm.report.stretches import Stretch, StretchKind
from mm_fsm.report.why.accounts import Account, rewound_to
from mm_fsm.report.why.counterfactual import Counterfactual, StepSearch
from mm_fsm.report.why.rewinding import RewoundMachine
from mm_fsm.runtime.journal.reader import JournalReader

Rewind = Callable[[int], RewoundMachine]
"""Puts the machine back to before the step with a number."""


@frozen(kw_only=True)
class Answer:
    """Why one side is as it is."""

    symbol: str
    stretch: Stretch
    silence: Stretch | None = None
    """The stretch with which the side fell silent, where this one goes on with it."""
    at_first_step: Counterfactual | None = None
    """What would have quoted the side in the stretch's first step; None where there is nothing to ask."""
    at_silence: Counterfactual | None = None
    """The same for the step with which the side fell silent."""

    def entry(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "symbol": self.symbol,
            **self.stretch.entry(),
            "counterfactual": None if self.at_first_step is None else self.at_first_step.entry(),
            "silent_since": None
            if self.silence is None
            else {
                **self.silence.entry(),
                "counterfactual": None if self.at_silence is None else self.at_silence.entry(),
            },
        }


@define
class Answerer:
    """Answers for one market. Searches of one step serve both sides.

    Args:
        account: the stretches.
        rewind: puts the machine back.
        on_progress: told the share of one search that is done.
        can_rewind: whether it can be put back to before a step.
    """

    account: Account
    rewind: Rewind
    on_progress: Callable[[float], None] = lambda _: None
    can_rewind: Callable[[int], bool] = lambda _: True
    _searches: dict[int, StepSearch] = field(factory=dict, init=False)

    def answer(self, stretch: Stretch) -> Answer:
        """Why a side was as it was in one stretch of the account.

        Raises:
            JournalError: the record cannot be replayed to its first step.
        """
        silence = self.account.silence_before(stretch) if stretch.kind.is_silent else None
        return Answer(
            symbol=self.account.symbol,
            stretch=stretch,
            silence=silence,
            at_first_step=self._search(stretch),
            at_silence=None if silence is None else self._search(silence),
        )

    def answers_at(self, time: int) -> list[Answer]:
        """Why each side is as it is at a time, nanoseconds.

        Raises:
            JournalError: the record cannot be replayed to a first step.
        """
        found = [self.account.at(side, time) for side in SIDES]
        return [self.answer(stretch) for stretch in found if stretch is not None]

    def _search(self, stretch: Stretch) -> Counterfactual | None:
        if not stretch.kind.is_silent or stretch.began is None:
            return None
        step = stretch.began.step
        if not self.can_rewind(step):
            return None
        if step not in self._searches:
            self._searches[step] = StepSearch(self.rewind(step), self.on_progress)
        return self._searches[step].search(stretch.side)


def answerer_for(
    reader: JournalReader, account: Account, on_progress: Callable[[float], None] = lambda _: None
) -> Answerer:
    """Answers from a journal."""
    return Answerer(account, lambda step: rewound_to(reader, step), on_progress)


def silent_first(account: Account, side: Side | None) -> list[Stretch]:
    """Silent stretches, the longest held ones first, then what was on its way."""
    own = [each for each in account.stretches if each.kind.is_silent and side in {None, each.side}]
    return sorted(own, key=lambda each: (each.kind is not StretchKind.HELD, -each.duration, each.begin))
