"""What can be wrong with what a test generator was asked for, and what a generated test finds."""

from __future__ import annotations

from collections.abc import Iterable

from mm_fsm.chart import EdgeDefinition
from mm_fsm.errors import MarketMakerError


class GenerationError(MarketMakerError, ValueError):
    """Tests cannot be generated from this chart, or not with these arguments.

    Args:
        chart: name of the class.
        problem: what was expected and what was found.
        remedy: what to do about it.
    """

    def __init__(self, chart: str, problem: str, remedy: str) -> None:
        self.chart = chart
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{chart}: {problem} {remedy}")


class PathNotTakenError(MarketMakerError, AssertionError):
    """A machine did not go the way that a test meant it to go.

    Args:
        path: the edges that were to be taken.
        taken: how many of them were.
        reason: what happened instead.
    """

    def __init__(self, path: Iterable[EdgeDefinition], taken: int, reason: str) -> None:
        self.path = tuple(path)
        self.taken = taken
        self.reason = reason
        tried = describe_path(self.path)
        super().__init__(f"took {taken} of {len(self.path)} edges of {tried}: {reason}")


def describe_path(path: Iterable[EdgeDefinition]) -> str:
    """A path in one line: state --event--> state --event--> state."""
    edges = tuple(path)
    if not edges:
        return "the empty path"
    return edges[0].source + "".join(f" --{edge.event}--> {edge.target}" for edge in edges)
