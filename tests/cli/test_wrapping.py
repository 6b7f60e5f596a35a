"""Lines break between words: no line is wider than it may be, and nothing is cut off."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from mm_fsm.cli.wrapping import answered, wrapped
from mm_fsm.report.status_words import StatusAnswer, printable
from tests.report.statuses import texts


def signs(text: str) -> str:
    """Everything but spaces."""
    return "".join(text.split())


@given(st.lists(texts, max_size=8).map(" ".join).map(printable), st.integers(2, 130))
def test_a_wrapped_text_keeps_every_sign_and_every_word_that_fits(text: str, width: int) -> None:
    lines = wrapped(Text(text), width)
    assert max(line.cell_len for line in lines) <= width
    assert signs("".join(line.plain for line in lines)) == signs(text)
    words = [word for line in lines for word in line.plain.split()]
    assert not [word for word in text.split() if Text(word).cell_len <= width and word not in words]


@given(texts.map(printable), st.integers(4, 130), st.integers(0, 2))
def test_an_answer_stands_beside_its_question_and_below_it_where_there_is_no_room(
    text: str, width: int, indent: int
) -> None:
    lines = answered(StatusAnswer("profit", text), width, indent=indent)
    assert all(line.cell_len <= width for line in lines)
    shown = "".join(line.plain for line in lines)
    assert signs(shown) == "profit" + signs(text)
