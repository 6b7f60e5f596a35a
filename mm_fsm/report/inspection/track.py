"""One journal under one version of its machine, as windows of steps with an overview: what a page shows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from attrs import field, frozen

from mm_fsm.chart import ChartDefinition, definition_of
from mm_fsm.report.inspection.overview import Overview
from mm_fsm.report.inspection.plain_text import time_text
from mm_fsm.report.inspection.steps import SegmentSteps, Version
from mm_fsm.report.inspection.windows import Window, WindowPacker, kinds_of
from mm_fsm.runtime.journal.database import SegmentRow
from mm_fsm.runtime.journal.reader import JournalReader
from mm_fsm.runtime.journal.replaying import recorded_class


@frozen(kw_only=True)
class InspectedSegment:
    """One segment of a journal, and what is not known of it."""

    number: int
    origin: str
    """Why it was begun."""
    time: int
    """Nanoseconds; 0 where no fact had told one yet."""
    first_sequence: int
    note: str
    """Empty where everything is known."""

    def entry(self) -> dict[str, Any]:
        """The segment as the page has it."""
        return {
            "number": self.number,
            "origin": self.origin,
            "time": time_text(self.time) if self.time else "before the first fact",
            "first": self.first_sequence,
            "note": self.note,
        }


@frozen(kw_only=True)
class Track:
    """The steps of one journal, packed."""

    symbol: str
    title: str
    """What was replayed, with what."""
    definition: ChartDefinition
    segments: tuple[InspectedSegment, ...]
    windows: tuple[Window, ...]
    overview: Overview
    own_names: tuple[str, ...] = ()
    """Tokens that are in the run's order ids."""
    decisions: dict[int, bytes] = field(factory=dict, repr=False)
    """A digest of each step's fact and decision, by its sequence number."""

    @property
    def size(self) -> int:
        """Bytes of the packed windows."""
        return sum(len(window.packed) for window in self.windows)

    def entry(self) -> dict[str, Any]:
        """Everything but the windows, as the page has it."""
        return {
            "symbol": self.symbol,
            "title": self.title,
            "steps": len(self.decisions),
            "ownNames": list(self.own_names),
            "chart": chart_entry(self.definition),
            "segments": [segment.entry() for segment in self.segments],
            "windows": [window.place.entry() for window in self.windows],
            "overview": self.overview.entry(),
        }


def read_track(
    reader: JournalReader, version: Version | None = None, on_progress: Callable[[int], None] | None = None
) -> Track:
    """Make every step of a journal again, and pack it.

    Args:
        reader: of the journal.
        version: with what it is replayed; by default what wrote it.
        on_progress: called now and then with the latest step's sequence number.

    Raises:
        JournalError: the journal is damaged, or its machine's class is not there.
    """
    return _Reading(reader, version or Version(), on_progress).track()


class _Reading:
    def __init__(self, reader: JournalReader, version: Version, on_progress: Callable[[int], None] | None) -> None:
        self.reader = reader
        self.version = version
        self.on_progress = on_progress
        self.overview = Overview()
        self.windows: list[Window] = []
        self.segments: list[InspectedSegment] = []
        self.decisions: dict[int, bytes] = {}
        self.own_names = tuple(
            sorted({reader.about["run"], *(each.session for each in reader.segments)} - {""}, key=len, reverse=True)
        )

    def track(self) -> Track:
        for segment in self.reader.segments:
            self._read(segment)
        about = self.reader.about
        definition = definition_of(self._class())
        return Track(
            symbol=about["symbol"],
            title=self._title(),
            definition=definition,
            segments=tuple(self.segments),
            windows=tuple(self.windows),
            overview=self.overview,
            own_names=self.own_names,
            decisions=self.decisions,
        )

    def _title(self) -> str:
        version, about = self.version, self.reader.about
        if version.is_recorded:
            return f"{self.reader.path.name}, run {about['run']}, written by mm-fsm {about.get('version', 'unknown')}"
        changed = [
            *([version.machine_class.__name__] if version.machine_class is not None else []),
            *(["other settings"] if version.settings is not None else []),
        ]
        return f"{self.reader.path.name}, replayed with {' and '.join(changed)}"

    def _class(self) -> Any:
        if self.version.machine_class is not None:
            return self.version.machine_class
        return recorded_class(self.reader, self.reader.segments[-1])

    def _read(self, segment: SegmentRow) -> None:
        steps = SegmentSteps(self.reader, segment, self.version)
        if segment.is_recovered:
            self.overview.begin_process()
        for window in self._windows(steps):
            self.windows.append(window)
            if self.on_progress is not None:
                self.on_progress(window.place.last)
        self.segments.append(
            InspectedSegment(
                number=segment.number,
                origin=segment.origin,
                time=segment.time,
                first_sequence=segment.first_sequence,
                note=steps.note,
            )
        )

    def _windows(self, steps: SegmentSteps) -> Iterator[Window]:
        packer: WindowPacker | None = None
        for step in steps:
            if packer is None:
                packer = WindowPacker(steps.before)
            elif packer.is_full:
                yield packer.finished()
                packer = WindowPacker(packer.shown)
            kinds = kinds_of(step, packer.shown)
            packer.add(step, kinds)
            self.overview.add(step, kinds)
            self.decisions[step.sequence] = step.decision(self.own_names)
        if packer is not None:
            yield packer.finished()


def chart_entry(definition: ChartDefinition) -> dict[str, Any]:
    """A chart as the page has it: states and edges in declared order, so that their places name them."""
    return {
        "name": definition.name,
        "states": [
            {
                "id": state.id,
                "name": state.name,
                "purpose": state.purpose,
                "budget": "" if state.budget is None else str(state.budget),
            }
            for state in definition.states
        ],
        "edges": [
            {
                "id": edge.id,
                "event": edge.event,
                "source": edge.source,
                "target": edge.target,
                "guards": [[guard.name, guard.expected] for guard in edge.guards],
                "note": edge.note,
                "internal": edge.internal,
                "command": edge.command,
            }
            for edge in definition.edges
        ],
    }
