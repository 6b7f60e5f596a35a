"""Some hundred steps together, packed: what a page loads at once, and steps through forwards and backwards.

A window begins with everything that the machine showed before its first step; each step then holds what it changed. So
any step is shown by applying the changes from the window's beginning on, and going back shows exactly what was shown.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Hashable, Sequence
from enum import IntFlag
from typing import Any, Final

from attrs import define, field, frozen

from mm_fsm.machine.strategy import BANDS
from mm_fsm.report.inspection.steps import InspectedStep, Message, Shown
from mm_fsm.report.inspection.watching import TraceEntry

STEPS_A_WINDOW: Final = 500


class StepKind(IntFlag):
    """What one can jump to."""

    TRANSITION = 1
    FILL = 2
    HOLD = 4
    FAULT = 8
    INTENT = 16
    DIFFERENCE = 32


@frozen(kw_only=True)
class WindowPlace:
    """Where a window lies: what a page knows of it before it loads it. Times are nanoseconds."""

    segment: int
    first: int
    last: int
    """Sequence numbers."""
    begin: int
    end: int
    kinds: StepKind
    """Of all its steps together."""

    def entry(self) -> list[Any]:
        """The place as the page has it; times as texts, for they are larger than a page's numbers."""
        return [self.segment, self.first, self.last, str(self.begin), str(self.end), int(self.kinds)]


@frozen
class Window:
    """Steps together: where they lie, and the packed text (JSON, gzip)."""

    place: WindowPlace
    packed: bytes


def kinds_of(step: InspectedStep, before: Shown) -> StepKind:
    """What a step is, against what was shown before it."""
    kinds = StepKind(0)
    if step.transitions:
        kinds |= StepKind.TRANSITION
    if step.is_fill:
        kinds |= StepKind.FILL
    if step.faults:
        kinds |= StepKind.FAULT
    if step.intents:
        kinds |= StepKind.INTENT
    if step.strayed:
        kinds |= StepKind.DIFFERENCE
    bands = {path for path in (*step.shown, *before) if path[0] == BANDS}
    if step.trace is not None and any(step.shown.get(path) != before.get(path) for path in bands):
        kinds |= StepKind.HOLD
    return kinds


@define
class WindowPacker:
    """Packs one window.

    Args:
        before: what the machine showed before the first step.
    """

    before: Shown
    kinds: StepKind = field(default=StepKind(0), init=False)
    shown: Shown = field(init=False)
    """What the machine shows after the latest step."""
    _steps: list[dict[str, Any]] = field(factory=list, init=False)
    _paths: dict[Hashable, int] = field(factory=dict, init=False)
    _entries: dict[Hashable, int] = field(factory=dict, init=False)
    _traces: dict[Hashable, int] = field(factory=dict, init=False)
    _beginning: list[list[Any]] = field(factory=list, init=False)
    _first: InspectedStep | None = field(default=None, init=False)
    _last: InspectedStep | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.shown = self.before
        self._beginning = [[_place(self._paths, path), value] for path, value in self.before.items()]

    @property
    def is_full(self) -> bool:
        """Whether the next step belongs into another window."""
        return len(self._steps) >= STEPS_A_WINDOW

    def add(self, step: InspectedStep, kinds: StepKind) -> None:
        """Add the next step."""
        if self._first is None:
            self._first = step
        self._steps.append({name: value for name, value in self._entry(step, kinds) if value or value == 0})
        self.shown, self._last = step.shown, step
        self.kinds |= kinds

    def _entry(self, step: InspectedStep, kinds: StepKind) -> Sequence[tuple[str, Any]]:
        assert self._first is not None  # noqa: S101 - set by add
        changed = [
            [_place(self._paths, path), value]
            for path, value in step.shown.items()
            if self.shown.get(path, _NOTHING) != value
        ]
        gone = [_place(self._paths, path) for path in self.shown if path not in step.shown]
        return (
            ("n", step.sequence),
            ("t", step.time - self._first.time),
            ("f", step.fact.kind),
            ("v", step.fact.fields),
            ("s", step.state),
            ("a", None if step.trace is None else self._trace(step.trace)),
            ("e", [[each.source, each.event, each.target] for each in step.transitions]),
            ("i", [_message(each) for each in step.intents]),
            ("r", step.reasons),
            ("x", step.faults),
            ("w", None if step.wake_at is None else step.wake_at - step.time),
            ("d", changed),
            ("g", gone),
            ("k", int(kinds)),
            ("o", step.strayed),
        )

    def _trace(self, trace: tuple[TraceEntry, ...]) -> int:
        places = tuple(_place(self._entries, (type(each).__name__, *each)) for each in trace)
        return _place(self._traces, places)

    def finished(self) -> Window:
        """The window.

        Raises:
            ValueError: it has no step.
        """
        first, last = self._first, self._last
        if first is None or last is None:
            raise ValueError("window: expected a step, found none; add one first.")
        content = {
            "segment": first.segment,
            "time": str(first.time),
            "paths": list(self._paths),
            "before": self._beginning,
            "entries": list(self._entries),
            "traces": list(self._traces),
            "steps": self._steps,
        }
        text = json.dumps(content, separators=(",", ":"))
        place = WindowPlace(
            segment=first.segment,
            first=first.sequence,
            last=last.sequence,
            begin=first.time,
            end=last.time,
            kinds=self.kinds,
        )
        return Window(place, gzip.compress(text.encode(), compresslevel=6, mtime=0))


_NOTHING: Final = object()


def unpacked(window: Window) -> dict[str, Any]:
    """The content of a window."""
    content: dict[str, Any] = json.loads(gzip.decompress(window.packed))
    return content


def _message(message: Message) -> list[Any]:
    return [message.kind, message.fields]


def _place(places: dict[Hashable, int], value: Hashable) -> int:
    """The number of a value, which it keeps."""
    return places.setdefault(value, len(places))
