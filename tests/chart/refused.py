"""A correct chart to get wrong, and what its refusal says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from mm_fsm.chart import Chart, State
from mm_fsm.errors import ChartDefinitionError


def refusal(declare: Callable[[], object], chart: str = "Wrong") -> tuple[str, str]:
    """Problem and remedy with which the class that ``declare`` builds is refused."""
    with pytest.raises(ChartDefinitionError) as caught:
        declare()
    error = caught.value
    assert error.chart == chart
    assert str(error) == f"{chart}: {error.problem} {error.remedy}"
    assert isinstance(error, TypeError)
    return error.problem, error.remedy


class Door(Chart):
    """A correct chart, for subclasses to get wrong."""

    closed = State(initial=True)
    opened = State()
    open_up = closed.to(opened, cond="is_pushed")
    shut = opened.to(closed, unless="is_pushed")

    def is_pushed(self) -> bool:
        return True

    def is_locked(self) -> bool:
        return False

    def ring(self) -> None:
        pass


class Methods:
    def plain(self) -> bool:
        return True

    async def asynchronous(self) -> bool:
        return True

    def generator(self) -> Iterator[bool]:
        yield True

    async def asynchronous_generator(self) -> AsyncIterator[bool]:
        yield True

    def one_parameter(self, event: str) -> bool:
        return bool(event)

    def one_default(self, limit: int = 3) -> bool:
        return bool(limit)

    def keywords_only(self, **details: object) -> bool:
        return bool(details)
