"""What random sessions are made of."""

from __future__ import annotations

from typing import Any

from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from mm_fsm.books.facts import JournalFailed
from mm_fsm.books.facts.registry import FACTS
from mm_fsm.core.messages import Fact
from tests.machine.storm import Operation, Storm, operations, sessions

NOT_BROUGHT = {JournalFailed}
"""It names orders that never left, which the bench's venue has already: ``test_faults.py`` brings it by hand."""


MOST_ROUNDS = 60
"""Of 30 sessions each; the rarest kind came in the fourth when this was written."""


def test_random_sessions_bring_every_kind_of_fact() -> None:
    """All but one: a new kind that no operation brings would be in no random session at all."""
    expected = set(FACTS.values()) - NOT_BROUGHT
    brought: set[type[Fact]] = set()
    for number in range(MOST_ROUNDS):

        @seed(number)
        @settings(database=None, deadline=None, max_examples=30, derandomize=False, phases=[Phase.generate])
        @given(session=sessions(), played=st.lists(operations(), min_size=20, max_size=60))
        def play(session: Any, played: list[Operation]) -> None:
            brought.update(type(result.fact) for result in Storm(session).play(played).results)

        play()
        if brought == expected:
            break
    assert brought == expected
