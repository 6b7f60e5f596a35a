"""Fits blocks of lines into so many rows: what matters most is always there, what is left over shows more of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen
from rich.text import Text


@frozen
class Block:
    """Lines that stand together, or not at all.

    Args:
        priority: 0 matters most.
        lines: what is shown; empty where there is nothing to show.
        longer: more of the same, for when there is room, the longest first.
        shorter: less of the same, for when there is none.
    """

    priority: int
    lines: Sequence[Text]
    longer: tuple[Sequence[Text], ...] = ()
    shorter: Sequence[Text] = ()


def fitted(blocks: Iterable[Block], rows: int) -> tuple[list[Text], int]:
    """The lines that ``rows`` rows hold, in the order of the blocks, and how many blocks found no room.

    Each block gets its lines by priority, else its shorter ones, as long as there is room; what is left over goes, by
    priority again, to longer ones.
    """
    blocks = [block for block in blocks if block.lines]
    by_priority = sorted(range(len(blocks)), key=lambda index: blocks[index].priority)
    chosen: dict[int, Sequence[Text]] = {}
    left = rows
    for index in by_priority:
        for lines in filter(None, (blocks[index].lines, blocks[index].shorter)):
            if len(lines) <= left:
                chosen[index] = lines
                left -= len(lines)
                break
    for index in (each for each in by_priority if each in chosen):
        most = len(chosen[index]) + left
        longest = next((each for each in blocks[index].longer if 0 < len(each) <= most), chosen[index])
        left = most - len(longest)
        chosen[index] = longest
    lines = [line for index in range(len(blocks)) for line in chosen.get(index, ())]
    return lines, len(blocks) - len(chosen)
