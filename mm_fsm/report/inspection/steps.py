"""A journal as steps: replayed where it has every fact, as recorded where it lacks market data or strays.

What a journal does not hold is left out and said, never guessed: a record without a replay has no guards, no services'
answers, and of the books only what it says itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

from attrs import define, field, frozen

from mm_fsm.books.facts import OrderFilled
from mm_fsm.core.messages import Fact
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import JournalError
from mm_fsm.machine.results import TransitionRecord
from mm_fsm.machine.strategy import COUNTS, FILLS, StrategyMachine
from mm_fsm.report.inspection.plain_text import plain_text, shown_fields
from mm_fsm.report.inspection.watching import StepTrace, TraceEntry
from mm_fsm.runtime.journal.database import RecordRow, SegmentRow
from mm_fsm.runtime.journal.reader import JournalReader
from mm_fsm.runtime.journal.replaying import ReplayedStep, recorded_facts, replay, strayed_from_record

Path = tuple[str, ...]
Shown = Mapping[Path, str | None]
"""What a machine shows, by section and name; None where it knows nothing."""


_QUESTION: Final = "question_id"


@frozen(kw_only=True)
class Message:
    """A fact or an intent: its kind, and its fields as texts."""

    kind: str
    fields: Mapping[str, str]

    @classmethod
    def of(cls, message: object, symbol: str, time: int) -> Message:
        """A fact or an intent for people; the journal's symbol and the step's time are not repeated in it."""
        known = {"symbol": symbol, "received_at": time}
        return cls(kind=type(message).__name__, fields=shown_fields(message, known))


@frozen(kw_only=True)
class InspectedStep:
    """One step, with everything that is known of it. Times are nanoseconds."""

    segment: int
    sequence: int
    time: int
    fact: Message
    is_fill: bool
    state: str
    transitions: tuple[TransitionRecord, ...] = ()
    intents: tuple[Message, ...] = ()
    reasons: tuple[str, ...] = ()
    faults: tuple[tuple[str, str, bool], ...] = ()
    """Code, reason, and whether it may pass by itself."""
    wake_at: int | None = None
    trace: tuple[TraceEntry, ...] | None = None
    """What happened within it, in order; None where it was not replayed."""
    shown: Shown
    """What the machine shows after it."""
    strayed: str = ""
    """What this replay decided differently than the record; empty where it did not."""

    def decision(self, own_names: tuple[str, ...] = ()) -> bytes:
        """A digest of fact and decision; ``own_names``: tokens in order ids that make no difference."""
        decided = (self.fact.kind, _sorted(self.fact), *map(_sorted, self.intents), self.reasons, self.faults)
        text = repr((decided, self.transitions))
        for name in own_names:
            text = text.replace(f"-{name}-", "-~-")
        return blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()


@frozen(kw_only=True)
class Version:
    """With what a journal is replayed; by default what wrote it."""

    machine_class: Any = None
    settings: MarketMakingSettings | None = None

    @property
    def is_recorded(self) -> bool:
        """Whether this is what wrote it."""
        return self.machine_class is None and self.settings is None


@define
class SegmentSteps:
    """The steps of one segment. Iterate once; then ``before`` and ``note`` are known.

    Args:
        reader: of the journal.
        segment: one of its segments.
        version: with what it is replayed. Another version than the recorded one ends with the first step that it
            decides differently: later facts are answers to other orders.
    """

    reader: JournalReader
    segment: SegmentRow
    version: Version = field(factory=Version)
    before: Shown = field(factory=dict, init=False)
    """What the machine shows before the first step; known once the first step is."""
    note: str = field(default="", init=False)
    """What is not known of this segment, and why; empty where everything is."""

    @property
    def symbol(self) -> str:
        """The journal's market."""
        return self.reader.about["symbol"]

    def __iter__(self) -> Iterator[InspectedStep]:
        if not self.segment.has_market_data:
            self.note = (
                "recorded without market data (record_market_data was off): steps that moved nothing, guards, "
                "services' answers and most of the books are not known"
            )
            yield from _Records(self.reader, self.segment).steps() if self.version.is_recorded else ()
            return
        if self._is_of_another_machine():
            self.note = f"as recorded: written by {self.segment.chart.split()[0]}, whose chart is another"
            yield from _Records(self.reader, self.segment).steps()
            return
        last = 0
        try:
            for step in self._replayed():
                last = step.sequence
                yield step
        except JournalError as error:
            self.note = (
                f"its replay ends before step {last + 1 if last else self.segment.first_sequence}: {error.problem}"
            )
        if self.note and self.version.is_recorded:
            yield from (step for step in _Records(self.reader, self.segment).steps() if step.sequence > last)

    def _is_of_another_machine(self) -> bool:
        """Whether another class wrote it than the last segment, whose chart is shown."""
        wrote, last = (segment.chart.split()[0] for segment in (self.segment, self.reader.segments[-1]))
        return self.version.is_recorded and wrote != last

    def _replayed(self) -> Iterator[InspectedStep]:
        traces: list[StepTrace] = []
        texts = ShownTexts()

        def watch(machine: StrategyMachine) -> None:
            traces.append(StepTrace(machine))
            self.before = texts.of(machine)

        fills = None
        steps = replay(
            self.reader,
            self.segment,
            self.version.machine_class,
            None,
            self.version.settings,
            on_machine=watch,
            may_stray=True,
        )
        for step in steps:
            strayed = strayed_from_record(self.reader, step)
            shown = texts.of(step.machine)
            booked, fills = fills or _fills(self.before), _fills(shown)
            is_fill = isinstance(step.fact, OrderFilled) if fills is None else fills != booked
            if strayed is not None and self.version.is_recorded:
                self.note = f"from step {step.sequence} on as recorded: this version decides otherwise ({strayed.name})"
                return
            told = "" if strayed is None else strayed.name
            yield _replayed_step(step, self.symbol, tuple(traces[0].entries), shown, is_fill=is_fill, strayed=told)
            if strayed is not None:
                self.note = (
                    f"ends with step {step.sequence}, the first decided otherwise: later facts answer other orders"
                )
                return


def _replayed_step(
    step: ReplayedStep[StrategyMachine],
    symbol: str,
    trace: tuple[TraceEntry, ...],
    shown: Shown,
    *,
    is_fill: bool,
    strayed: str,
) -> InspectedStep:
    result = step.result
    return InspectedStep(
        segment=step.segment.number,
        sequence=step.sequence,
        time=result.time,
        fact=Message.of(step.fact, symbol, result.time),
        is_fill=is_fill,
        state=result.state,
        transitions=result.transitions,
        intents=tuple(Message.of(each, symbol, result.time) for each in result.intents),
        reasons=result.reasons,
        faults=tuple((plain_text(fault.code), fault.reason, fault.transient) for fault in result.faults),
        wake_at=result.wake_at,
        trace=trace,
        shown=shown,
        strayed=strayed,
    )


def _fills(shown: Shown) -> str | None:
    """How many fills a machine shows; None where it shows no such number."""
    return shown.get((COUNTS, FILLS))


class ShownTexts:
    """Turns what a machine shows into texts; a value that is still the same is not written again."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[object, str | None]] = {}

    def of(self, machine: StrategyMachine) -> Shown:
        """What the machine shows now, flat, in its order."""
        found: dict[Path, str | None] = {}
        try:
            self._flatten(machine.shown(), (), found)
        except Exception as error:  # noqa: BLE001 - a subclass's view of itself must not hide its steps
            found["problem", "shown()"] = f"raised {type(error).__name__}: {error}"
        return found

    def _flatten(self, shown: Mapping[str, Any], path: Path, found: dict[Path, str | None]) -> None:
        known_texts = self._known
        for name, value in shown.items():
            place = (*path, str(name))
            if type(value) not in _SIMPLE:
                inside = _by_name(value)
                if inside is not None:
                    self._flatten(inside, place, found)
                    continue
            known = known_texts.get(place)
            if known is None or not (known[0] is value or (type(known[0]) is type(value) and known[0] == value)):
                text = None if value is None else plain_text(value, place[-1], digits=_SHOWN_DIGITS)
                known = known_texts[place] = (value, text)
            found[place] = known[1]


_SHOWN_DIGITS: Final = 20
"""Of an amount that a machine shows: fees and cash have fewer, averages more."""
_SIMPLE: Final = frozenset((type(None), bool, int, float, str, Decimal))


def _by_name(value: object) -> Mapping[str, Any] | None:
    """What a value holds by name, if it holds several: a mapping, or a sequence of mappings, the rows of a table."""
    if isinstance(value, Mapping):
        return value or None
    if isinstance(value, (list, tuple)) and value and all(isinstance(each, Mapping) for each in value):
        return {str(number): each for number, each in enumerate(value, start=1)}
    return None


@define
class _Records:
    """The records of a segment, without a replay."""

    reader: JournalReader
    segment: SegmentRow
    _state: str = field(default="", init=False)
    _shown: dict[Path, str | None] = field(factory=dict, init=False)

    @property
    def symbol(self) -> str:
        return self.reader.about["symbol"]

    def steps(self) -> Iterator[InspectedStep]:
        for row, sequence, fact in recorded_facts(self.reader, self.segment):
            if isinstance(row, RecordRow):
                yield self._step(row, fact)
            else:
                yield InspectedStep(
                    segment=self.segment.number,
                    sequence=sequence,
                    time=fact.received_at,
                    fact=Message.of(fact, self.symbol, fact.received_at),
                    is_fill=False,
                    state=self._state,
                    shown=dict(self._shown),
                )

    def _step(self, row: RecordRow, fact: Fact) -> InspectedStep:
        self._state = self._state if row.state is None else row.state
        for name, value in self.reader.recorded(row).items():
            if value is not None:
                self._shown["on record", name.replace("_", " ")] = value
        return InspectedStep(
            segment=row.segment,
            sequence=row.sequence,
            time=row.time,
            fact=Message.of(fact, self.symbol, row.time),
            is_fill=isinstance(fact, OrderFilled),
            state=self._state,
            transitions=tuple(TransitionRecord(*names) for names in _listed(row.transitions)),
            intents=tuple(Message.of(each, self.symbol, row.time) for each in self.reader.intents(row)),
            reasons=tuple(_listed(row.reasons)),
            faults=tuple((str(code), str(reason), bool(transient)) for code, reason, transient in _listed(row.faults)),
            shown=dict(self._shown),
        )


def _listed(text: str | None) -> list[Any]:
    found: list[Any] = [] if text is None else json.loads(text)
    return found


def _sorted(message: Message) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A message without the name of its question, which says nothing but when the run began."""
    return message.kind, tuple(sorted((name, text) for name, text in message.fields.items() if name != _QUESTION))
