"""The figures of a run from its journals, by replay: of a run that was killed, or that still runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from attrs import define, evolve, field, frozen

from mm_fsm.core.clock import seconds
from mm_fsm.core.programme import ProgrammeRule
from mm_fsm.errors import JournalError
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.report.exact import as_json
from mm_fsm.report.figures import Assumption, FillModel, MarketFigures, RunFigures
from mm_fsm.report.files import symbol_directory
from mm_fsm.report.market_makers import recorded_market_maker
from mm_fsm.report.run_data.market_figures import MarketFacts, market_figures
from mm_fsm.report.run_data.market_follower import MarketFollower, RowTaker
from mm_fsm.report.run_data.market_tables import MarketTables
from mm_fsm.report.run_data.run_origin import MarketOrigin, RunOrigin, notes_on
from mm_fsm.report.run_data.settings_text import SHOWN_TABLES, table_of
from mm_fsm.report.session_report import outcome_of
from mm_fsm.report.stretches import WITHOUT_MARKET_DATA
from mm_fsm.report.table import duration
from mm_fsm.report.why.accounts import first_time, has_forgotten
from mm_fsm.runtime.journal import JournalReader
from mm_fsm.runtime.journal.database import SegmentRow
from mm_fsm.runtime.journal.replaying import Unrecorded, replay_run
from mm_fsm.venues.base import MarketEvent

_UNKNOWN_MODEL: Final = FillModel(
    kind="not known",
    is_simulated=True,
    assumptions=(Assumption(name="fills", value="not known", meaning="the run does not say at which venue it traded"),),
)
_NO_CLOCK: Final = "made from the journal: what each state took to compute is not known"


@frozen(kw_only=True)
class Replaying:
    """How journals are replayed for figures."""

    rule: ProgrammeRule | None = None
    """Of the programme; None for the run's own."""
    tables_below: Path | None = None
    """The run's directory, where tables are written; None writes none."""
    on_progress: Callable[[float], None] = lambda _: None
    """Told the share of all steps that have been made, 0 to 1."""


@define(eq=False)
class _Replay:
    """One market's journal, step by step into a follower."""

    reader: JournalReader
    rule: ProgrammeRule
    rows: RowTaker
    follower: MarketFollower | None = field(init=False, default=None)
    machine: QuotingMachine | None = field(init=False, default=None)
    market_events: int = field(init=False, default=0)
    notes: list[str] = field(init=False, factory=list)

    def run(self, on_step: Callable[[int], None]) -> None:
        """Replay every segment that can be.

        Raises:
            JournalError: none can be, or one strays from its record.
        """
        for part in replay_run(self.reader, self.reader.segments, recorded_market_maker, self._begin):
            if isinstance(part, Unrecorded):
                self._pass_over(part)
                continue
            assert self.follower is not None  # noqa: S101 - made before the first step
            self.follower.take(part.result, part.machine)
            self.market_events += isinstance(part.fact, MarketEvent)
            on_step(part.sequence)
        if self.follower is None:
            raise JournalError(
                str(self.reader.path),
                "expected market data on record, found none in any segment.",
                "mm-fsm status RUN says what its fills came to and how it was left. Run with record_market_data = true "
                "below [journal] for figures of a run that is killed.",
            )
        self.follower.end()

    def _pass_over(self, part: Unrecorded) -> None:
        number = part.segment.number
        note = f"segment {number} has no market data: nothing of it is in the figures, its time counts as not quoted"
        if note not in self.notes and not part.ends_process:  # no step follows the last snapshot of a process
            self.notes.append(note)
        if self.follower is not None:
            self.follower.pass_over(part.until, WITHOUT_MARKET_DATA, ends_process=part.ends_process)

    def _begin(self, segment: SegmentRow, machine: QuotingMachine) -> None:
        self.machine = machine
        if self.follower is not None and segment.is_recovered:
            self.follower.begin_process()
        if self.follower is None:
            self.follower = MarketFollower(self._current, self.rule, self.rows)
        self.follower.begin_machine(machine)

    def _current(self) -> QuotingMachine:
        assert self.machine is not None  # noqa: S101 - set before anything is followed
        return self.machine


def figures_from_journals(
    directory: Path, journals: Sequence[Path], origin: RunOrigin | None, replaying: Replaying
) -> RunFigures:
    """Make the figures of a run again.

    Args:
        directory: of the run.
        journals: one for each market.
        origin: what the run said of itself as it began; None where it said nothing.
        replaying: how.

    Raises:
        JournalError: a journal is damaged, cannot be replayed here, or strays from its record.
    """
    markets: list[MarketFigures] = []
    places: dict[str, str] = {}
    paths: dict[str, str] = {}
    versions: dict[str, str] = {}
    found: dict[str, MarketOrigin] = {}
    for number, path in enumerate(_in_order(journals, origin)):
        whole = evolve(replaying, on_progress=_part(replaying.on_progress, number, len(journals)))
        with JournalReader(path) as reader:
            symbol = reader.about["symbol"]
            known = None if origin is None else origin.markets.get(symbol)
            market = _market(reader, known, whole, places)
            versions.setdefault("mm-fsm", reader.about.get("version", "not known"))
        markets.append(market)
        paths[symbol] = str(path)
        found[symbol] = known or _origin_of(market)
    said = origin or RunOrigin(command=(), versions=versions)
    said = evolve(said, markets=found)
    return RunFigures(
        name=directory.resolve().name,
        markets=tuple(markets),
        reproduction=said.reproduction(journals=paths, made_by="journal"),
        tables=places,
        notes=notes_on(said),
    )


def _in_order(journals: Sequence[Path], origin: RunOrigin | None) -> list[Path]:
    """As the run had its markets."""
    if origin is None:
        return list(journals)
    places = {symbol_directory(Path(), symbol).name: place for place, symbol in enumerate(origin.markets)}
    return sorted(journals, key=lambda path: places.get(path.parent.name, len(places)))


def _part(tell: Callable[[float], None], number: int, of: int) -> Callable[[float], None]:
    return lambda done: tell((number + done) / of)


def _market(
    reader: JournalReader, origin: MarketOrigin | None, replaying: Replaying, places: dict[str, str]
) -> MarketFigures:
    place, symbol = replaying.tables_below, reader.about["symbol"]
    tables = None if place is None else MarketTables(symbol_directory(place, symbol))
    rule = replaying.rule or (ProgrammeRule() if origin is None else origin.programme)
    played = _Replay(reader, rule, RowTaker() if tables is None else tables.rows)
    last = max(reader.last_sequence, 1)
    played.run(lambda sequence: replaying.on_progress(sequence / last))
    assert played.follower is not None and played.machine is not None  # noqa: PT018, S101 - run() says otherwise
    forgotten = _forgotten(reader, played.follower)
    notes = [*([] if forgotten is None else [forgotten_text(forgotten)]), *played.notes, _NO_CLOCK]
    if tables is not None and place is not None:
        for name, path, failure in tables.finish(played.follower):
            if path is not None:
                places[f"{path.parent.name}/{name}"] = path.relative_to(place).as_posix()
            if failure is not None:
                notes.append(f"table {name}: not all could be written: {failure}")
    facts = MarketFacts(
        outcome=outcome_of(played.machine).value,
        error=played.machine.result().error,
        market_events=played.market_events,
        fill_model=_UNKNOWN_MODEL if origin is None else origin.fill_model,
        settings=_settings(played.machine) if origin is None else origin.settings,
        notes=tuple(notes),
    )
    return evolve(market_figures(played.follower, played.machine, facts), forgotten_seconds=forgotten)


def _forgotten(reader: JournalReader, follower: MarketFollower) -> float | None:
    """Seconds of the run's beginning that its journal no longer has; None where it has all."""
    if not has_forgotten(reader):
        return None
    return seconds(max((follower.began_at or 0) - first_time(reader), 0))


def forgotten_text(lacking: float) -> str:
    """What to know before any figure of a run whose beginning is gone."""
    rest = "every figure is of the rest only (journal.max_megabytes)"
    return f"the journal has forgotten the first {duration(lacking)} of the run: {rest}"


def _settings(machine: QuotingMachine) -> Mapping[str, Mapping[str, object]]:
    """What the books hold of the settings."""
    context = machine.context
    values = {"strategy": context.settings, **{name: getattr(context, name) for name in SHOWN_TABLES}}
    tables = {name: table_of(value) for name, value in values.items()}
    tables["strategy"].pop("service_options", None)
    shown: Mapping[str, Mapping[str, object]] = as_json(tables)
    return shown


def _origin_of(market: MarketFigures) -> MarketOrigin:
    return MarketOrigin(
        preset="",
        seed=None,
        recordings=(),
        settings=market.settings,
        fill_model=market.fill_model,
        left_out=(),
        programme=ProgrammeRule(),
    )
