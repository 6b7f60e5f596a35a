"""The words of a message: what is wrong, where, why, and what is being done. Bounded, whatever has happened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mm_fsm.runtime.watching_settings import AlertKind
from mm_fsm.watching.alert_limiter import KindDigest, Message
from mm_fsm.watching.news import News

_LONGEST_LINE: Final = 300
_MOST_PLACES: Final = 5
_MOST_STILL: Final = 10
_WORDS: Final = {kind: kind.value.replace("_", " ").capitalize() for kind in AlertKind}


def title_of(message: Message) -> str:
    """What it is about, and where, in one line."""
    parts = []
    for part in message.parts:
        places = part.places or tuple(dict.fromkeys(news.place for news in part.still))
        parts.append(f"{_WORDS[part.kind]}{_how_it_stands(part)}{f': {_named(places)}' if places else ''}")
    return _cut(f"mm-fsm: {'; '.join(parts)}")


def _how_it_stands(part: KindDigest) -> str:
    if not part.still:
        return " over"
    if part.began:
        return ""
    return " partly over" if part.ended else " still"


def body_of(message: Message) -> str:
    """Every kind with its reasons, one to a line."""
    lines = [line for part in message.parts for line in _lines(part)]
    if message.is_last:
        lines.append("The run has ended; this is the last message about it.")
    return "\n".join(map(_cut, lines))


def _lines(part: KindDigest) -> Iterator[str]:
    if part.began > 1:
        over = f", {part.ended} times over" if part.ended else ""
        yield f"{_WORDS[part.kind]}, {part.began} times since the last message{over}:"
    for news in part.first:
        yield _told(news)
    if part.began > len(part.first):
        yield f"and {part.began - len(part.first)} more, at {_named(part.places)}"
    if not part.still:
        yield f"{_WORDS[part.kind]}: over, nothing of it is wrong now"
        return
    untold = [news for news in part.still if news not in part.first]
    for news in untold[:_MOST_STILL]:
        yield f"still so: {_told(news)}"
    if len(untold) > _MOST_STILL:
        yield f"still so: {len(untold) - _MOST_STILL} more"


def _told(news: News) -> str:
    return f"{news.place}: {news.reason}; what is done: {news.doing}"


def _named(places: tuple[str, ...]) -> str:
    more = f" and {len(places) - _MOST_PLACES} more" if len(places) > _MOST_PLACES else ""
    return ", ".join(places[:_MOST_PLACES]) + more


def _cut(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"
