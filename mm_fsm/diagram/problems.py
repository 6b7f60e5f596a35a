"""What can go wrong while drawing, each with what to do about it."""

from __future__ import annotations

from mm_fsm.errors import MarketMakerError


class DiagramError(MarketMakerError, RuntimeError):
    """A diagram cannot be drawn, written or checked."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem} {remedy}")


class ChartLoadError(MarketMakerError, LookupError):
    """A chart named on the command line cannot be found, or is no chart that can be drawn."""

    def __init__(self, reference: str, problem: str, remedy: str) -> None:
        self.reference = reference
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"chart {reference!r}: {problem} {remedy}")
