"""Both sides' time is accounted for without a gap, and each stretch says what began it, who decided, how it ended."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from mm_fsm import DefaultOrderService, MarketMakingContext
from mm_fsm.core.decisions import Hold, HoldReason, OrderChanges, QuotePlan
from mm_fsm.core.messages import SIDES, Intent, Side
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.report.stretches import Stretch, StretchKind, StretchRecorder
from mm_fsm.runtime.journal import JournalReader, replay
from mm_fsm.runtime.recovery import OpenRun
from tests.machine.beginnings import placing, quoting
from tests.machine.bench import SECOND, START, Bench
from tests.machine.scripted import services
from tests.runtime.journal.scenario import World, begin, plan_at, record_two_processes, settings_with

BID, ASK = Side.BID, Side.ASK


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two processes, seven seconds apart, the last one killed."""
    return record_two_processes(tmp_path_factory.mktemp("recorded") / "run.journal", pause_seconds=7)


def replayed(path: Path) -> tuple[list[Stretch], StretchRecorder, list[QuotingMachine]]:
    """All stretches of a journal, and each segment's machine as it ended."""
    found: list[Stretch] = []
    recorder, machines = StretchRecorder(found.append), []
    with JournalReader(path) as reader:
        for segment in reader.segments:
            if segment.is_recovered:
                recorder.begin_process()
            for step in replay(reader, segment):
                recorder.take(step.result, step.machine)
                machine = step.machine
            machines.append(machine)
    recorder.end()
    return found, recorder, machines


def of(side: Side, stretches: list[Stretch]) -> list[Stretch]:
    return [stretch for stretch in stretches if stretch.side is side]


def test_stretches_follow_each_other_from_the_first_step_to_the_last(recorded: Path) -> None:
    """Each begins where the one before ended, with another reason; together they are all of a side's time."""
    found, recorder, _ = replayed(recorded)
    for side in SIDES:
        own = of(side, found)
        assert own[0].begin == recorder.began_at
        assert own[-1].end == recorder.now
        for stretch, following in pairwise(own):
            assert stretch.end == following.begin
            assert stretch.duration > 0
        assert sum(recorder.totals[side].values()) == recorder.now - own[0].begin
    assert recorder.unexplained.total() == 0


def test_the_time_in_which_no_process_ran_is_a_stretch_of_its_own(recorded: Path) -> None:
    """Nothing is known of it but that nobody quoted: both sides, the same seven seconds."""
    found, _, _ = replayed(recorded)
    for side in SIDES:
        (gap,) = (stretch for stretch in of(side, found) if stretch.kind is StretchKind.NOT_RUNNING)
        assert 7 * SECOND <= gap.duration < 9 * SECOND
        assert gap.began is None
        assert gap.ended is not None


def test_totals_are_what_the_machine_counts_itself(tmp_path: Path) -> None:
    """The books keep a count of their own for the report; the two were written apart."""
    with begin(plan_at(tmp_path / "run.journal")) as run:
        World().run(run, 60)
    _, recorder, machines = replayed(tmp_path / "run.journal")
    uptime = machines[-1].uptime
    for side in SIDES:
        held = {reason: length for reason, length in uptime.held[side].items() if length}
        assert dict(recorder.totals[side]) == {**held, "live": uptime.live[side]}


def test_a_run_that_is_followed_and_its_replay_tell_the_same(tmp_path: Path) -> None:
    """One follower, two feeds."""
    live: list[Stretch] = []
    recorder = StretchRecorder(live.append)
    with begin(plan_at(tmp_path / "run.journal")) as run:
        World().run(run, 60, until=lambda result: follow(recorder, result, run))
    recorder.end()
    found, _, _ = replayed(tmp_path / "run.journal")
    assert live == found


def test_watching_changes_no_decision(tmp_path: Path) -> None:
    """The same market with and without a recorder: the same intents."""

    def sent(name: str, recorder: StretchRecorder | None) -> list[Intent]:
        world = World()
        with begin(plan_at(tmp_path / f"{name}.journal")) as run:
            world.run(run, 40, until=lambda result: recorder is not None and follow(recorder, result, run))
        return world.sent

    alone = sent("alone", None)
    assert alone
    assert sent("watched", StretchRecorder()) == alone


def follow(recorder: StretchRecorder, result: StepResult, run: OpenRun) -> bool:
    """Let the recorder take a step of a run that goes on."""
    recorder.take(result, run.machine.machine)
    return False


class Followed:
    """A bench whose steps a recorder takes."""

    def __init__(self, bench: Bench) -> None:
        self.found: list[Stretch] = []
        self.recorder = StretchRecorder(self.found.append)
        tell = bench.tell

        def told(fact: object) -> object:
            result = tell(fact)  # type: ignore[arg-type]
            self.recorder.take(result, bench.machine)
            return result

        bench.tell = told  # type: ignore[assignment,method-assign]

    def last(self, side: Side) -> Stretch:
        """The stretch of a side that ended last."""
        return of(side, self.found)[-1]


def test_stale_data_is_told_with_its_guard_and_the_fact_that_ends_it() -> None:
    """Ten seconds without a book: time alone begins the stretch, the next book ends it."""
    bench, *_ = quoting(reconcile_interval_seconds=1000.0, balances_interval_seconds=1000.0)
    followed = Followed(bench)
    bench.book()
    last_book = bench.now
    while bench.hold(BID) is None:
        bench.wake()
    for name in bench.live():
        bench.confirm_cancel(name)
    bench.later(3)
    bench.book()
    followed.recorder.end()
    (stale,) = (each for each in of(BID, followed.found) if each.reason == HoldReason.STALE_DATA)
    assert stale.begin == last_book + 10 * SECOND
    assert stale.end == last_book + 13 * SECOND
    assert stale.began is not None
    assert stale.began.fact == "time alone"
    assert stale.decision.guard == "must_withdraw"
    assert stale.decision.edges == ("monitoring_orders.quotes_withdrawn",)
    assert "10 s" in stale.detail
    assert stale.ended is not None
    assert stale.ended.fact == "market book 99.99 / 100.01"


def test_a_placement_on_its_way_is_a_class_of_its_own_until_it_is_answered() -> None:
    bench, bid, _ = placing()
    followed = Followed(bench)
    bench.book()
    begun = followed.recorder.current(BID)
    assert begun is not None
    assert begun.kind is StretchKind.ON_ITS_WAY
    bench.later(0.2)
    bench.acknowledge(bid)
    ended = followed.last(BID)
    assert (ended.kind, ended.reason) == (StretchKind.ON_ITS_WAY, HoldReason.ORDERS_IN_FLIGHT)
    assert ended.duration == SECOND // 5
    assert ended.followed_by == "live"
    assert ended.ended is not None
    assert ended.ended.fact.startswith("order acknowledged: quote bid ")


def test_an_order_of_unknown_outcome_is_on_its_way_too() -> None:
    bench, bid, _ = placing()
    followed = Followed(bench)
    bench.lose(bid)
    current = followed.recorder.current(BID)
    assert current is not None
    assert (current.kind, current.reason) == (StretchKind.ON_ITS_WAY, HoldReason.UNKNOWN_ORDER)


def test_a_wait_for_an_answer_that_nobody_owes_is_no_explanation() -> None:
    """A reason is believed only as far as the books bear it out: a defect must not hide behind it."""
    bench, *_ = quoting()
    followed = Followed(bench)
    bench.book()
    side = bench.context.sides[BID]
    side.status = Hold(HoldReason.ORDERS_IN_FLIGHT, "a request awaits its answer")
    followed.recorder.take(bench.last, bench.machine)
    side.status = None
    bench.later(1)
    bench.book()
    followed.recorder.end()
    assert [each.kind for each in of(BID, followed.found)] == [StretchKind.UNEXPLAINED]
    assert followed.recorder.unexplained == {BID: SECOND}
    assert followed.recorder.unexplained[ASK] == 0


def test_what_the_record_leaves_out_is_not_explained() -> None:
    recorder = StretchRecorder()
    recorder.pass_over(START, "lost")
    recorder.pass_over(START + 5 * SECOND, "lost")
    recorder.end()
    assert recorder.unexplained == {BID: 5 * SECOND, ASK: 5 * SECOND}


def test_who_decided_is_told_by_the_answer_that_the_hold_is(tmp_path: Path) -> None:
    """Prices are the spread service's, refusals the risk service's; a wait for the venue's books is nobody's answer."""
    scarce = settings_with(max_orders_per_interval=8, trade_beyond_book_bps=1.0)
    with begin(plan_at(tmp_path / "run.journal", settings=scarce)) as run:
        World().run(run, 60)
    found, _, _ = replayed(tmp_path / "run.journal")
    deciders = {(each.reason, each.decision.service) for each in found if each.kind is StretchKind.HELD}
    assert deciders >= {
        ("risk", "risk.review"),
        ("unsound_book", "spreads.price_quotes"),
        ("warming_up", "spreads.hold_market"),
        ("reconciling", ""),
    }
    (first,) = (each for each in of(BID, found) if each.reason == HoldReason.RECONCILING)
    assert first.decision.guard.startswith("ready_to_quote")


def test_an_order_service_that_places_nothing_is_named() -> None:
    """The quotes are priced and no order comes of them: the order service's doing, until the next refresh."""

    class Idle(DefaultOrderService):
        def plan_changes(self, context: MarketMakingContext, plan: QuotePlan) -> OrderChanges:
            return OrderChanges()

    bench = Bench(services=services(orders=Idle()), is_watched=False)
    followed = Followed(bench)
    bench.run_until(lambda: bench.context.plan is not None, 60)
    current = followed.recorder.current(BID)
    assert current is not None
    assert current.decision.service == "orders.plan_changes"


def test_a_run_of_one_step_has_no_time_to_account_for() -> None:
    bench = Bench()
    followed = Followed(bench)
    bench.book()
    followed.recorder.end()
    assert followed.found == []
    assert followed.recorder.totals == {BID: {}, ASK: {}}


def test_an_entry_is_plain(recorded: Path) -> None:
    """What ``--json`` prints: times as whole nanoseconds."""
    found, _, _ = replayed(recorded)
    entry = found[0].entry()
    assert entry["begin"] == found[0].begin
    assert entry["seconds"] == pytest.approx((entry["end"] - entry["begin"]) / 1e9)
    assert entry["began_with"]["step"] == 1
