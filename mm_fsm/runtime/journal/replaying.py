"""Steps a recorded run again: each segment's machine as it stood, then every fact that the journal has, in order.

A segment without market data lacks facts, so that its decisions cannot be made again: that is said, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar, cast

from attrs import frozen

from mm_fsm.core.messages import Fact
from mm_fsm.errors import FactRefusedError, JournalError, MarketMakerError
from mm_fsm.machine.results import StepResult
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.runtime.journal.database import QuietRow, RecordRow, SegmentOrigin, SegmentRow
from mm_fsm.runtime.journal.fingerprint import find_class
from mm_fsm.runtime.journal.messages import encode
from mm_fsm.runtime.journal.reader import JournalReader

MachineClass = type[StrategyMachine]
MachineT = TypeVar("MachineT", bound=StrategyMachine)
Row = RecordRow | QuietRow


class OtherDefinitionError(ValueError):
    """The machine's class cannot go on where the recorded one stood."""


class RecordedFact(NamedTuple):
    """One fact of a journal: the row that holds it, the number of its step, the fact."""

    row: Row
    sequence: int
    fact: Fact


class Strayed(NamedTuple):
    """How a step made again differs from its record: what differs, and both texts; None where there is nothing."""

    name: str
    recorded: str | None
    replayed: str | None


@frozen
class ReplayedStep(Generic[MachineT]):
    """One step made again. ``machine`` stands where the step left it: read it before the next step is taken."""

    segment: SegmentRow
    row: Row
    sequence: int
    """Of the record; ``result.sequence`` differs only where the replay has strayed."""
    fact: Fact
    result: StepResult
    machine: MachineT
    """Of the class that wrote the segment, or that was asked for."""


def replay(
    reader: JournalReader,
    segment: SegmentRow,
    machine_class: type[MachineT] | None = None,
    services: object = None,
    settings: object = None,
    *,
    on_machine: Callable[[MachineT], None] | None = None,
    may_stray: bool = False,
) -> Iterator[ReplayedStep[MachineT]]:
    """Make every step of a segment again.

    Args:
        reader: of the journal.
        segment: one of its segments.
        machine_class: the machine to replay with; by default the class that wrote it.
        services: the services to replay with, as the class's ``restored`` takes them; by default those that it chooses.
        settings: the settings to replay with, as the class's ``restored`` takes them; by default the recorded ones.
        on_machine: called with the machine as it stands before the segment's first step, to observe it.
        may_stray: go on where a decision differs from the record, as it may under another version of the machine.

    Raises:
        JournalError: the journal is damaged; the segment has no market data; its machine's class is not there or does
            not know the state it stood in; a fact on record is refused; or a decision differs from the record.
    """
    if not segment.has_market_data:
        raise JournalError(
            reader.path.name,
            f"segment {segment.number}: expected every fact, found records without market data.",
            "Run with record_market_data = true below [journal] to explain and inspect what it does.",
        )
    try:
        wanted = machine_class or cast("type[MachineT]", recorded_class(reader, segment))  # what wrote it: any strategy
        machine = restored_machine(reader, segment, wanted, services, settings)
    except OtherDefinitionError as error:
        raise _unlike_record(reader, segment, segment.first_sequence, str(error)) from error
    if on_machine is not None:
        on_machine(machine)
    for row, sequence, fact in recorded_facts(reader, segment):
        try:
            step = ReplayedStep(segment, row, sequence, fact, machine.step(fact), machine)
        except FactRefusedError as error:
            raise _unlike_record(reader, segment, sequence, f"its fact is refused, {error}") from error
        strayed = None if may_stray else strayed_from_record(reader, step)
        if strayed is not None:
            raise _unlike_record(reader, segment, sequence, f"{strayed.name} differ from the record")
        yield step


class Unrecorded(NamedTuple):
    """Until then, nanoseconds, a segment lacks facts: nobody can tell what was decided, nor whether quotes rested."""

    segment: SegmentRow
    until: int

    @property
    def ends_process(self) -> bool:
        """Whether its process is known to have ended then, so that nothing ran until the next one's first step."""
        return self.segment.origin == SegmentOrigin.STOPPED


def replay_run(
    reader: JournalReader,
    segments: Iterable[SegmentRow],
    class_of: Callable[[JournalReader, SegmentRow], type[MachineT]],
    on_machine: Callable[[SegmentRow, MachineT], None],
) -> Iterator[ReplayedStep[MachineT] | Unrecorded]:
    """Make every step of several segments again; those without market data are passed over, from beginning to end.

    Args:
        reader: of the journal.
        segments: some of its segments that follow each other; each is taken when it is due.
        class_of: the machine to replay a segment with.
        on_machine: called with each replayed segment, and its machine as it stands before the first step.

    Raises:
        JournalError: as ``replay`` does, but for want of market data.
    """
    for segment in segments:
        if segment.has_market_data:
            yield from replay(reader, segment, class_of(reader, segment), on_machine=partial(on_machine, segment))
        else:
            yield from _passed_over(reader, segment)


def _passed_over(reader: JournalReader, segment: SegmentRow) -> Iterator[Unrecorded]:
    """A segment that lacks facts, from its beginning to its end; nothing where no time of either is known."""
    times = [row.time for row in reader.rows(segment) if isinstance(row, RecordRow)]
    begin = min(times, default=None) if segment.first_sequence == 1 else segment.time  # before a fact there is no time
    if begin is not None:
        yield Unrecorded(segment, begin)
        yield Unrecorded(segment, max(times, default=begin))


def recorded_facts(reader: JournalReader, segment: SegmentRow) -> Iterator[RecordedFact]:
    """Every fact that a segment has, in order. Without market data what streamed in and moved nothing is missing.

    Raises:
        JournalError: the journal is damaged, or this version does not know a fact.
    """
    for row in reader.rows(segment):
        if isinstance(row, QuietRow):
            for sequence, fact in reader.facts(row):
                yield RecordedFact(row, sequence, fact)
        else:
            yield RecordedFact(row, row.sequence, reader.fact(row))


def recorded_class(reader: JournalReader, segment: SegmentRow) -> MachineClass:
    """The class of the machine that wrote a segment.

    Raises:
        JournalError: it is not there.
    """
    try:
        return find_class(segment.chart.split()[0])
    except ValueError as error:
        raise JournalError(
            reader.path.name, str(error), "Install what wrote the run, or name another machine to replay with."
        ) from error


def restored_machine(
    reader: JournalReader,
    segment: SegmentRow,
    machine_class: type[MachineT],
    services: object = None,
    settings: object = None,
) -> MachineT:
    """A machine as it stood before a segment's first step.

    Raises:
        JournalError: the snapshot does not read.
        OtherDefinitionError: the class cannot go on from it: it remembers something else, or its chart does not have
            the state.
        MarketMakerError: services or settings are refused.
    """
    values = reader.snapshot(segment, machine_class.snapshot_classes)
    try:
        return machine_class.restored(values, services, settings)
    except MarketMakerError:
        raise
    except LookupError as error:
        raise OtherDefinitionError(f"expected {error} in its snapshot, found only {sorted(values)}.") from error
    except ValueError as error:
        raise OtherDefinitionError(str(error)) from error


def strayed_from_record(reader: JournalReader, step: ReplayedStep[Any]) -> Strayed | None:
    """How a step's decision differs from the record; None where it does not."""
    row, result = step.row, step.result
    if result.sequence != step.sequence:
        return Strayed("sequence", str(step.sequence), str(result.sequence))
    is_quiet = isinstance(row, QuietRow)
    for name, found in _decision(reader, result).items():
        recorded = None if is_quiet else getattr(row, name)
        if recorded != found:
            return Strayed(name, recorded, found)
    if isinstance(row, RecordRow) and row.state not in {None, result.state}:
        return Strayed("state", row.state, result.state)
    return None


def _decision(reader: JournalReader, result: StepResult) -> dict[str, str | None]:
    """The columns of a record that describe the step, as this version would write them."""
    transitions = [[t.source, t.event, t.target] for t in result.transitions]
    return {
        "transitions": encode(transitions) if transitions else None,
        "intents": reader.messages.write_intents(result.intents) if result.intents else None,
        "faults": encode([[f.code, f.reason, f.transient] for f in result.faults]) if result.faults else None,
        "reasons": encode(result.reasons) if result.reasons else None,
    }


def _unlike_record(reader: JournalReader, segment: SegmentRow, sequence: int, how: str) -> JournalError:
    return JournalError(
        reader.path.name,
        f"segment {segment.number}, step {sequence}: expected what is on record, found that {how}.",
        "Replay with the version and the settings that wrote the run; mm-fsm verify shows what differs.",
    )
