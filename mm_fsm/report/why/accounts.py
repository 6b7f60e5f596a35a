"""Both sides' time of a recorded run, whole or between two times: every stretch, by replaying its journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from attrs import define, evolve, field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.clock import NANOSECONDS_PER_SECOND
from mm_fsm.core.messages import SIDES, Side
from mm_fsm.errors import JournalError
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.report.market_makers import recorded_market_maker
from mm_fsm.report.stretches import WITHOUT_MARKET_DATA, Stretch, StretchKind, StretchRecorder
from mm_fsm.report.why.rewinding import RewoundMachine
from mm_fsm.runtime.journal.database import SegmentRow
from mm_fsm.runtime.journal.reader import JournalReader
from mm_fsm.runtime.journal.replaying import Unrecorded, recorded_facts, replay_run, restored_machine

FORGOTTEN: Final = "the journal has forgotten it (max_megabytes)"
"""Why time is not on record, in words."""


@frozen(kw_only=True)
class Account:
    """The stretches of one market in a window of its time, those of both sides, in order of their ends."""

    symbol: str
    began_at: int
    """Of the run, nanoseconds: its first step."""
    begin: int
    end: int
    stretches: tuple[Stretch, ...]

    def of(self, side: Side) -> tuple[Stretch, ...]:
        """One side's, in order."""
        return tuple(stretch for stretch in self.stretches if stretch.side is side)

    def totals(self, side: Side) -> Counter[str]:
        """Nanoseconds of one side within the window, by reason."""
        found: Counter[str] = Counter()
        for stretch in self.of(side):
            found[stretch.reason] += stretch.duration
        return found

    @property
    def unexplained(self) -> int:
        """Nanoseconds of both sides that no reason accounts for: of reasons that are none, and between stretches."""
        explained = sum(each.duration for each in self.stretches if each.is_explained)
        return len(SIDES) * (self.end - self.begin) - explained

    @property
    def forgotten(self) -> int:
        """Nanoseconds at its beginning that the journal no longer has, of one side."""
        return sum(each.duration for each in self.of(SIDES[0]) if each.detail == FORGOTTEN)

    def at(self, side: Side, time: int) -> Stretch | None:
        """The stretch of a side at a time, nanoseconds; the last one at the end of the record."""
        own = self.of(side)
        found = [stretch for stretch in own if stretch.begin <= time < stretch.end]
        if not found and own and time == max(each.end for each in own):
            return own[-1]
        return found[0] if found else None

    def silence_before(self, stretch: Stretch) -> Stretch | None:
        """The stretch with which the side fell silent, where ``stretch`` only goes on with it; None if it is the first.

        A quote leaves the book before the reason for it is all that holds the side.
        """
        first = stretch
        for earlier in reversed([each for each in self.of(stretch.side) if each.end <= stretch.begin]):
            if not earlier.kind.is_silent:
                break
            first = earlier
        return None if first is stretch else first

    def clipped(self, begin: int, end: int) -> Account:
        """The same between two times."""
        inside = [
            evolve(each, begin=max(each.begin, begin), end=min(each.end, end))
            for each in self.stretches
            if each.begin < end and each.end > begin
        ]
        return evolve(self, begin=begin, end=end, stretches=tuple(inside))

    def entry(self) -> dict[str, Any]:
        """The totals as JSON has them: whole nanoseconds, and seconds beside them."""
        return {
            "symbol": self.symbol,
            "run_began": self.began_at,
            "begin": self.begin,
            "end": self.end,
            "totals": {
                side.value: {reason: _seconds(length) for reason, length in self.totals(side).most_common()}
                for side in SIDES
            },
            "forgotten_seconds": _seconds(self.forgotten),
            "unexplained_seconds": _seconds(self.unexplained),
        }


def _seconds(length: int) -> float:
    return length / NANOSECONDS_PER_SECOND


def read_account(
    reader: JournalReader,
    begin: int | None = None,
    end: int | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Account:
    """Replay a journal, as far as a window of time needs it, and account for both sides' time.

    What the journal has forgotten of the run's beginning is a stretch of its own, not recorded.
    Stretches that overlap the window are whole: silent ones from where they began to where they ended, in the record.
    One in which a quote rested may be cut where the replay begins and ends; at a single moment, only where it begins.

    Args:
        reader: of the journal.
        begin: nanoseconds; by default the run's first step.
        end: nanoseconds; by default the last step.
        on_progress: told the number of a step now and then.

    Raises:
        JournalError: the journal is damaged, or does not replay as it is recorded.
    """
    return _Accountant(reader, begin, end, on_progress).read()


def rewound_to(reader: JournalReader, sequence: int) -> RewoundMachine:
    """The machine as it stood before a step on record, and the step's fact.

    Raises:
        JournalError: there is no such step, or the journal does not replay.
    """
    segment = next((each for each in reversed(reader.segments) if each.first_sequence <= sequence), None)
    if segment is not None and segment.has_market_data:
        machine = restored_machine(reader, segment, recorded_market_maker(reader, segment))
        for _, number, fact in recorded_facts(reader, segment):
            if number == sequence and isinstance(machine, QuotingMachine):
                return RewoundMachine.of(machine, fact)
            machine.step(fact)
    raise JournalError(
        reader.path.name, f"expected a step {sequence} to be put back to, found none on record.", "Name a later time."
    )


@define
class _Accountant:
    reader: JournalReader
    begin: int | None
    end: int | None
    on_progress: Callable[[int], None]
    _found: list[Stretch] = field(factory=list, init=False)
    _recorder: StretchRecorder = field(init=False)
    _has_begun: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._recorder = StretchRecorder(self._found.append)

    def read(self) -> Account:
        first = self._first_segment()
        recorder, run_began = self._recorder, first_time(self.reader)
        if first == 0 and has_forgotten(self.reader):
            recorder.pass_over(run_began, FORGOTTEN)
        wanted = (segment for segment in self.reader.segments[first:] if not self._has_passed(segment.time))
        for part in replay_run(self.reader, wanted, recorded_market_maker, self._begin):
            if isinstance(part, Unrecorded):
                recorder.pass_over(part.until, WITHOUT_MARKET_DATA, ends_process=part.ends_process)
                continue
            recorder.take(part.result, part.machine)
            self.on_progress(part.sequence)
            if self._has_passed(recorder.now):
                break
        recorder.end()
        if recorder.began_at is None:
            remedy = "Name a run that has begun."
            raise JournalError(self.reader.path.name, "expected at least one step on record, found none.", remedy)
        return Account(
            symbol=self.reader.about["symbol"],
            began_at=run_began,
            begin=recorder.began_at,
            end=recorder.now,
            stretches=tuple(self._found),
        )

    def _first_segment(self) -> int:
        """The last one that begins before the window with both sides quoted, so that silences are whole."""
        segments = self.reader.segments
        if self.begin is None:
            return 0
        number = max((n for n, each in enumerate(segments) if each.time <= self.begin), default=0)
        while number > 0 and self._is_silent_before(segments[number]):
            number -= 1
        return number

    def _is_silent_before(self, segment: SegmentRow) -> bool:
        context: MarketMakingContext = self.reader.snapshot(segment)["context"]
        return segment.is_recovered or any(context.sides[side].status is not None for side in SIDES)

    def _begin(self, segment: SegmentRow, machine: QuotingMachine) -> None:
        """A machine is about to make a segment's steps."""
        recorder = self._recorder
        if not self._has_begun and segment.first_sequence > 1:
            recorder.go_on_from(machine)
        self._has_begun = True
        if segment.is_recovered and recorder.began_at is not None:
            recorder.begin_process()

    def _has_passed(self, time: int) -> bool:
        """Whether the window is over, and so is every silence that began in it."""
        end = self.end
        if end is None or time <= end:
            return False
        current = [self._recorder.current(side) for side in SIDES]
        is_window = self.begin != end
        return all(
            each is None or (is_window and each.kind is StretchKind.LIVE) or each.begin > end for each in current
        )


def has_forgotten(reader: JournalReader) -> bool:
    """Whether a journal no longer has the run's first steps."""
    return reader.segments[0].first_sequence > 1


def first_time(reader: JournalReader) -> int:
    """When a run began, nanoseconds: its first step.

    A journal that forgets it notes its time. In one of an earlier version the machine remembers that of its process.
    """
    first = reader.segments[0]
    if has_forgotten(reader):
        if "began_at" in reader.about:
            return int(reader.about["began_at"])
        machine = restored_machine(reader, first, recorded_market_maker(reader, first))
        if isinstance(machine, QuotingMachine) and machine.began_at is not None:
            return machine.began_at
    for segment in reader.segments:
        for _, _, fact in recorded_facts(reader, segment):
            return fact.received_at
    return 0


def last_time(reader: JournalReader) -> int:
    """When the last step on record was made, nanoseconds; nothing is replayed for it."""
    segment = reader.segments[-1]
    return max((fact.received_at for _, _, fact in recorded_facts(reader, segment)), default=segment.time)
