"""Numbers of things, in words."""

from __future__ import annotations

import pytest

from mm_fsm.core.plurals import counted


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 fills"), (1, "1 fill"), (2, "2 fills"), (1_200, "1,200 fills"), (-1, "-1 fills")]
)
def test_one_thing_is_one(number: int, words: str) -> None:
    assert counted(number, "fill") == words
