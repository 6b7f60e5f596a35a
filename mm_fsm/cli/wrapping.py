"""Text in lines of a given width that break between words: nothing is cut off, whatever the width."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.text import Text

from mm_fsm.report.status_words import Answer, Tone

STYLES: Final = {Tone.PLAIN: "", Tone.GOOD: "green", Tone.WARNING: "yellow", Tone.BAD: "bold red"}
LABEL_WIDTH: Final = 9
"""Characters of a question and the space behind it."""
_NARROWEST_WORDS: Final = 12
"""Characters beside a question; with less room the answer stands below it."""
_MEASURE: Final = Console(force_terminal=False, width=80)


def wrapped(text: Text, width: int) -> list[Text]:
    """Lines of at most ``width`` cells. Only a word that is wider than a line goes on in the next one."""
    width = max(width, 2)  # a sign may take two cells
    lines = text.wrap(_MEASURE, width, overflow="fold")
    for line in lines:
        line.rstrip()
    return [*lines] or [Text()]


def answered(answer: Answer, width: int, *, indent: int = 0) -> list[Text]:
    """A question and its answer beside it, all lines of the answer in one column."""
    room = width - indent - LABEL_WIDTH
    words = Text(answer.words, style=STYLES[answer.tone])
    label = Text(" " * indent + answer.question, style="dim")
    if room < _NARROWEST_WORDS:
        return [*wrapped(label, width), *wrapped(words, width)]
    label.pad_right(max(indent + LABEL_WIDTH - label.cell_len, 1))
    lines = []
    for number, line in enumerate(wrapped(words, width - label.cell_len)):
        beginning = label if number == 0 else Text(" " * label.cell_len)
        lines.append(Text.assemble(beginning, line))
    return lines
