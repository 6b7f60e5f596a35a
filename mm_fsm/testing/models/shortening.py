"""From a list of moves that fails to the fewest that do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

from mm_fsm.testing.models.acts import Act
from mm_fsm.testing.models.choices import Towards
from mm_fsm.testing.models.plays import Play
from mm_fsm.testing.subjects.ways import Ways

Start = Callable[[], Play]

_WALKS_TRIED: Final = 250
"""More would take longer than a failing test should."""


def failure_of(start: Start, moves: Sequence[Act]) -> Exception | None:
    """What comes of moves; None where nothing fails."""
    try:
        play = start()
        for move in moves:
            play.perform(move)
    except Exception as error:  # noqa: BLE001 - whatever the machine or an invariant raises is the failure
        return error
    return None


def shortened(start: Start, moves: tuple[Act, ...], ways: Ways | None) -> tuple[Act, ...]:
    """The fewest moves that fail in the same way: without any that is not needed, or the first shorter walk that fails.

    Args:
        start: makes a machine.
        moves: what fails.
        ways: through a chart whose guards are forced, so that walks along its edges can be tried; None for others.
    """
    failure = failure_of(start, moves)
    if failure is None:  # it depends on chance or time: nothing can be told from leaving something out
        return moves
    kind = type(failure)
    for place in reversed(range(len(moves))):
        fewer = moves[:place] + moves[place + 1 :]
        if type(failure_of(start, fewer)) is kind:
            moves = fewer
    if ways is not None:
        for walk in islice(_walks(start, ways, len(moves) - 1), _WALKS_TRIED):
            if type(failure_of(start, walk)) is kind:
                return walk
    return moves


def _walks(start: Start, ways: Ways, most: int) -> Iterator[tuple[Act, ...]]:
    """Every walk along the chart's edges from its beginning with at most so many moves, the shortest first."""
    frontier: list[tuple[Act, ...]] = [()]
    for walk in frontier:
        if walk:
            yield walk
        if len(walk) >= most or failure_of(start, walk) is not None:
            continue
        play = start()
        for move in walk:
            play.perform(move)
        for place, edge in enumerate(ways.model.definition.edges):
            if edge.source == play.state and ways.is_goal(place):
                frontier += [(*walk, move) for move in Towards(ways, place)(play)]
