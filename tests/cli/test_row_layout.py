"""Rows are given by priority, and what is left over to longer renditions, by priority again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from mm_fsm.cli.row_layout import Block, fitted


def lines(name: str, count: int) -> list[Text]:
    return [Text(f"{name}{number}") for number in range(count)]


def plain(found: list[Text]) -> list[str]:
    return [line.plain for line in found]


def test_rows_by_hand() -> None:
    """Of three blocks b matters most, then a, then c; what is shown keeps their order."""
    blocks = [
        Block(1, lines("a", 2), longer=(lines("A", 4),)),
        Block(0, lines("b", 2), longer=(lines("B", 3),), shorter=lines("s", 1)),
        Block(2, lines("c", 1)),
    ]
    assert fitted(blocks, 0) == ([], 3)
    assert plain(fitted(blocks, 1)[0]) == ["s0"]
    assert plain(fitted(blocks, 3)[0]) == ["b0", "b1", "c0"]
    assert plain(fitted(blocks, 4)[0]) == ["a0", "a1", "b0", "b1"]
    assert plain(fitted(blocks, 5)[0]) == ["a0", "a1", "b0", "b1", "c0"]
    assert plain(fitted(blocks, 6)[0]) == ["a0", "a1", "B0", "B1", "B2", "c0"]
    assert plain(fitted(blocks, 8)[0]) == ["A0", "A1", "A2", "A3", "B0", "B1", "B2", "c0"]


def test_what_a_shown_block_leaves_out_is_counted_with_blocks_that_find_no_room() -> None:
    """Seven things: three of them in one line, five in two, all in four; another block tells one thing in a line."""
    seven = Block(0, lines("a", 1), longer=(lines("A", 4), lines("B", 2)), things=7, left_out=(4, 0, 2))
    one = Block(1, lines("b", 1))
    assert fitted([seven, one], 0)[1] == 8
    assert fitted([seven, one], 1)[1] == 5
    assert fitted([seven, one], 2)[1] == 4
    assert fitted([seven, one], 3)[1] == 2
    assert plain(fitted([seven, one], 4)[0]) == ["B0", "B1", "b0"]
    assert fitted([seven, one], 5)[1] == 0


block = st.builds(
    lambda priority, count, longer, shorter: Block(
        priority, lines("n", count), tuple(lines("l", each) for each in longer), lines("s", shorter)
    ),
    st.integers(0, 3), st.integers(0, 5), st.lists(st.integers(0, 9), max_size=2), st.integers(0, 3),
)  # fmt: skip


@given(st.lists(block, max_size=6), st.integers(0, 30))
def test_no_more_lines_than_rows_and_nothing_left_out_that_would_fit(blocks: list[Block], rows: int) -> None:
    found, omitted = fitted(blocks, rows)
    assert len(found) <= rows
    if sum(len(each.lines) for each in blocks) <= rows:
        assert omitted == 0
