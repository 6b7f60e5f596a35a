"""What can be wrong with a chart that tests are to be made for, and with one on its way."""

from __future__ import annotations

from collections.abc import Sequence

from mm_fsm.errors import MarketMakerError


class UnsupportedChartError(MarketMakerError, TypeError):
    """Tests of this kind cannot be made for this chart; raised when they are collected.

    Args:
        chart: ``module:Class``.
        problem: what is asked for and what the chart is.
        remedy: what to do about it.
    """

    def __init__(self, chart: str, problem: str, remedy: str) -> None:
        self.chart = chart
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{chart}: {problem} {remedy}")


class StrayedError(MarketMakerError, AssertionError):
    """A machine did not take exactly the edges that it should; fails the test.

    Args:
        chart: ``module:Class``.
        path: keys of the edges taken so far, as they should be.
        wanted: keys of the edges that were to be taken next.
        found: what happened instead.
    """

    def __init__(self, chart: str, path: Sequence[str], wanted: Sequence[str], found: str) -> None:
        self.chart = chart
        self.path = tuple(path)
        self.wanted = tuple(wanted)
        self.found = found
        lines = [f"{chart}: expected {', then '.join(wanted) or 'to rest'}; found {found}.", "Path tried:"]
        lines += [f"  {key}" for key in path] or ["  (none: in the initial state)"]
        super().__init__("\n".join(lines))


class SneakedError(MarketMakerError, AssertionError):
    """Something came of an event that was sent where it is not accepted; fails the test.

    Args:
        chart: ``module:Class``.
        state: where it was sent.
        event: what was sent.
        found: what came of it.
    """

    def __init__(self, chart: str, state: str, event: str, found: str) -> None:
        self.chart = chart
        self.state = state
        self.event = event
        self.found = found
        super().__init__(
            f"{chart}: expected that nothing comes of event {event!r} in state {state!r}, which does not accept it; "
            f"found {found}."
        )


class InfeasibleError(StrayedError):
    """The real guards could not be made to let a path through: it is infeasible, or a condition is wrong."""


class BrokenPromiseError(MarketMakerError, AssertionError):
    """Something that must be true of a machine is not; fails the test.

    Args:
        promise: what must be true.
        found: what is.
    """

    def __init__(self, promise: str, found: object) -> None:
        self.promise = promise
        self.found = found
        super().__init__(f"expected that {promise}; found {found}.")


class ModelMismatchError(MarketMakerError, AssertionError):
    """A machine did something else than its chart's definition says; fails the test.

    Args:
        move: what was done to it.
        state: where it was.
        expected: what the definition says.
        found: what happened.
    """

    def __init__(self, move: object, state: str, expected: str, found: str) -> None:
        self.move = move
        self.state = state
        self.expected = expected
        self.found = found
        super().__init__(f"{move} in {state!r}: the definition says {expected}; found {found}.")


class NotAgainError(MarketMakerError, AssertionError):
    """What failed does not fail again with the same moves; ``first`` is what it was."""

    def __init__(self, first: BaseException) -> None:
        self.first = first
        super().__init__(
            f"it does not fail again, so that the machine, or an invariant, depends on chance, on time or on what ran "
            f"before. It was {type(first).__name__}: {first}"
        )


class GeneratedTestError(MarketMakerError, AssertionError):
    """A generated test has failed; ``source`` is a test that repeats it.

    Args:
        chart: ``module:Class``.
        moves: the shortest list of moves found that fails.
        failure: what came of them.
        source: a test, as text.
    """

    def __init__(self, chart: str, moves: Sequence[object], failure: BaseException, source: str) -> None:
        self.chart = chart
        self.moves = tuple(moves)
        self.source = source
        super().__init__(
            f"{chart} fails after {len(moves)} moves: {type(failure).__name__}: {failure}\n"
            "The test that was printed repeats it: paste it into a file of tests."
        )


def require(holds: object, promise: str, found: object) -> None:
    """Fail the test where a promise is broken.

    Raises:
        BrokenPromiseError: it does not hold.
    """
    if not holds:
        raise BrokenPromiseError(promise, found)
