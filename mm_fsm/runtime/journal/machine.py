"""A machine whose every step is in the journal before its intents are handed on."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, Generic, TypeVar

from attrs import evolve

from mm_fsm.books.facts import JournalFailed
from mm_fsm.core.messages import Fact, Intent, PlaceOrder
from mm_fsm.errors import JournalError
from mm_fsm.machine.results import StepResult
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.runtime.journal.writer import Journal

MOST_TELLINGS: Final = 8
"""How often a machine that answers the failure with further placements is told that those stay, too."""
M_co = TypeVar("M_co", bound=StrategyMachine, covariant=True)


class JournaledMachine(Generic[M_co]):
    """Wraps a machine: same ``step``, written down. The host carries out the intents as it would without.

    When the journal cannot be written, placements never leave, cancels and queries always do, and the machine is told
    with a ``JournalFailed`` fact, so that it cancels everything and ends with that reason.

    Args:
        machine: the machine.
        journal: open, with a segment begun for this machine.
    """

    def __init__(self, machine: M_co, journal: Journal) -> None:
        self.machine: Final = machine
        self.journal: Final = journal
        self._is_told = False
        """Whether the machine knows that its journal cannot be written."""

    def step(self, fact: Fact) -> StepResult:
        """One step, on record.

        Raises:
            FactRefusedError: the fact is malformed or impossible; nothing has changed, nothing is recorded.
        """
        result = self.machine.step(fact)
        try:
            self.journal.append(result, self.machine)
        except JournalError as error:
            return self._without_journal(result, error)
        if not result.intents:
            self._keep_up()
        return result

    def _keep_up(self) -> None:
        with suppress(JournalError):  # the next step finds the failure when it writes
            self.journal.keep_up(self.machine)

    def _without_journal(self, result: StepResult, error: JournalError) -> StepResult:
        """The step without its placements, and the machine's answer to the failure."""
        withheld = _placed(result.intents)
        is_told = self._is_told or isinstance(result.fact, JournalFailed)
        result = evolve(result, intents=_without_placements(result.intents))
        for _ in range(MOST_TELLINGS):
            if is_told and not withheld:
                break
            now = self.machine.now
            told = self.machine.step(JournalFailed(received_at=now, reason=str(error), withheld=withheld))
            is_told = self._is_told = True
            withheld = _placed(told.intents)
            result = evolve(
                told,
                fact=result.fact,
                transitions=result.transitions + told.transitions,
                reasons=result.reasons + told.reasons,
                intents=result.intents + _without_placements(told.intents),
                faults=result.faults + told.faults,
            )
        return result

    @property
    def is_final(self) -> bool:
        """Whether the machine has ended."""
        return self.machine.is_final


def _placed(intents: tuple[Intent, ...]) -> tuple[str, ...]:
    return tuple(intent.client_order_id for intent in intents if isinstance(intent, PlaceOrder))


def _without_placements(intents: tuple[Intent, ...]) -> tuple[Intent, ...]:
    return tuple(intent for intent in intents if not isinstance(intent, PlaceOrder))
