"""What cannot be asked for: edges that say so themselves, and lines of ``fsm_exclude`` in pytest's settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, Self

from attrs import evolve, field, frozen

from mm_fsm.coverage.criteria import Criterion
from mm_fsm.coverage.model import ChartModel
from mm_fsm.coverage.obligations import Obligation
from mm_fsm.coverage.problems import CoverageError

_FORM: Final = "module:Class | criterion | key, with * for anything | reason"
_FIELD: Final = "fsm_exclude"
_FIELDS: Final = 4


@frozen
class Exclusion:
    """One line of ``fsm_exclude``."""

    reference: str
    criterion: Criterion
    pattern: str
    reason: str
    _expression: re.Pattern[str] = field(init=False, repr=False, eq=False)

    @_expression.default
    def _compile(self) -> re.Pattern[str]:
        return re.compile(".*".join(re.escape(part) for part in self.pattern.split("*")))

    @classmethod
    def read(cls, line: str) -> Self:
        """Read a line.

        Raises:
            CoverageError: it is not of the form, names no criterion, or gives no reason.
        """
        parts = [part.strip() for part in line.split(" | ")]
        if len(parts) != _FIELDS or not all(parts):
            raise CoverageError(_FIELD, f"lines like {_FORM!r}", repr(line), "Write all four parts, the reason too.")
        reference, criterion, pattern, reason = parts
        if criterion not in set(Criterion):
            raise CoverageError(_FIELD, f"a criterion of {[*map(str, Criterion)]}", repr(criterion), "Correct it.")
        return cls(reference, Criterion(criterion), pattern, reason)

    def covers(self, reference: str, obligation: Obligation) -> bool:
        """Whether the line is about this obligation of that chart."""
        return (
            reference == self.reference
            and obligation.criterion is self.criterion
            and self._expression.fullmatch(obligation.key) is not None
        )

    def __str__(self) -> str:
        return f"{self.reference} | {self.criterion} | {self.pattern} | {self.reason}"


def excluded_edges(
    model: ChartModel, transitions: Iterable[Obligation], exclusions: Sequence[Exclusion]
) -> dict[int, str]:
    """The edges that cannot be taken, with the reason: their own, or that of a line about transitions."""
    reasons = {place: edge.excluded for place, edge in enumerate(model.definition.edges) if edge.excluded}
    for obligation in transitions:
        for exclusion in exclusions:
            if exclusion.covers(model.reference, obligation):
                reasons.setdefault(obligation.edges[0], exclusion.reason)
    return reasons


def with_exclusions(
    model: ChartModel, obligations: Iterable[Obligation], edges: dict[int, str], exclusions: Sequence[Exclusion]
) -> tuple[Obligation, ...]:
    """The obligations, each that cannot be asked for with its reason.

    What needs an excluded edge is excluded with it: its own decisions and mutants, pairs and paths through it. A
    guard is excluded when every edge that asks it is, and so is a mutant that is about several edges.
    """
    return tuple(evolve(one, excluded=_reason(model, one, edges, exclusions)) for one in obligations)


def _reason(model: ChartModel, one: Obligation, edges: dict[int, str], exclusions: Sequence[Exclusion]) -> str:
    own = next((exclusion.reason for exclusion in exclusions if exclusion.covers(model.reference, one)), "")
    gone = [place for place in one.edges if place in edges]
    all_needed = one.criterion not in (Criterion.GUARDS, Criterion.MCDC, Criterion.MUTATION)
    if own or not gone or (not all_needed and len(gone) < len(one.edges)):
        return own
    return edges[gone[0]]
