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
        things: how many things the whole block tells.
        left_out: how many of them ``lines`` leave out, then each of ``longer``; none by default.
    """

    priority: int
    lines: Sequence[Text]
    longer: tuple[Sequence[Text], ...] = ()
    shorter: Sequence[Text] = ()
    things: int = 1
    left_out: tuple[int, ...] = ()

    def missing(self, rendition: int) -> int:
        """How many things are left out by ``lines`` (0) or one of ``longer`` (from 1)."""
        return self.left_out[rendition] if self.left_out else 0


def fitted(blocks: Iterable[Block], rows: int) -> tuple[list[Text], int]:
    """The lines that ``rows`` rows hold, in the order of the blocks, and how many things found no room.

    Each block gets its lines by priority, else its shorter ones, as long as there is room; what is left over goes, by
    priority again, to longer ones.
    """
    blocks = [block for block in blocks if block.lines]
    by_priority = sorted(range(len(blocks)), key=lambda index: blocks[index].priority)
    chosen: dict[int, Sequence[Text]] = {}
    missing = {index: block.things for index, block in enumerate(blocks)}
    left = rows
    for index in by_priority:
        for lines in filter(None, (blocks[index].lines, blocks[index].shorter)):
            if len(lines) <= left:
                chosen[index] = lines
                missing[index] = blocks[index].missing(0)
                left -= len(lines)
                break
    for index in (each for each in by_priority if each in chosen):
        most = len(chosen[index]) + left
        for rendition, lines in enumerate(blocks[index].longer, 1):
            if 0 < len(lines) <= most:
                left = most - len(lines)
                chosen[index], missing[index] = lines, blocks[index].missing(rendition)
                break
    lines = [line for index in range(len(blocks)) for line in chosen.get(index, ())]
    return lines, sum(missing.values())
