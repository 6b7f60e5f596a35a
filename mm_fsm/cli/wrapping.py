"""Text in lines of a given width that break between words: nothing is cut off, whatever the width."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.text import Text

from mm_fsm.report.status_words import StatusAnswer, Tone

STYLES: Final = {Tone.PLAIN: "", Tone.GOOD: "green", Tone.WARNING: "yellow", Tone.BAD: "bold red"}
LABEL_WIDTH: Final = 10
"""Characters of a question and the space behind it."""
_NARROW: Final = 48
"""Cells of a line; in a narrower one an answer goes on below its question, not beside it."""
_NARROW_INDENT: Final = 2
_MEASURE: Final = Console(force_terminal=False, width=80)


def wrapped(text: Text, width: int) -> list[Text]:
    """Lines of at most ``width`` cells. Only a word that is wider than a line goes on in the next one."""
    width = max(width, 2)  # a sign may take two cells
    lines = text.wrap(_MEASURE, width, overflow="fold")
    for line in lines:
        line.rstrip()
    return [*lines] or [Text()]


def answered(answer: StatusAnswer, width: int, *, indent: int = 0) -> list[Text]:
    """A question and its answer beside it; where there is room, all lines of the answer in one column."""
    label = Text(" " * indent + answer.question, style="dim")
    words = Text(answer.words, style=STYLES[answer.tone])
    if width < _NARROW:
        lines = wrapped(Text.assemble(label, " ", words), width - _NARROW_INDENT)
        return [line if number == 0 else Text.assemble(" " * _NARROW_INDENT, line) for number, line in enumerate(lines)]
    label.pad_right(max(indent + LABEL_WIDTH - label.cell_len, 1))
    beside = Text(" " * label.cell_len)
    lines = wrapped(words, width - label.cell_len)
    return [Text.assemble(beside if number else label, line) for number, line in enumerate(lines)]
