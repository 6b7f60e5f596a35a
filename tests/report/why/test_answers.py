"""Why a side was empty in a recorded run: each proposed change quotes it, shown by a machine of the test's own."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import pytest
from attrs import evolve, fields
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mm_fsm.books.facts import OrderRejected
from mm_fsm.core.instrument import Balances
from mm_fsm.core.messages import SIDES, RejectionCode, Side
from mm_fsm.core.settings import MarketMakingSettings, ServiceNames
from mm_fsm.errors import JournalError, SettingsError
from mm_fsm.report.stretches import Stretch, StretchKind
from mm_fsm.report.why.accounts import read_account, rewound_to
from mm_fsm.report.why.answers import Answer, answerer_for, silent_first
from mm_fsm.report.why.counterfactual import Counterfactual, StepSearch
from mm_fsm.report.why.neighbours import SettingChange, is_searchable
from mm_fsm.report.why.rewinding import RewoundMachine
from mm_fsm.runtime.journal import JournalReader, JournalSettings, writer
from tests.machine.beginnings import placing, quoting
from tests.machine.bench import Bench, settings_with
from tests.report.why.recorded import RECORDS, SCARCE, account_of, is_quoted, made_again, record_run
from tests.runtime.journal.scenario import World, begin, kill, plan_at

BID, ASK = Side.BID, Side.ASK


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record_run(tmp_path_factory.mktemp("recorded") / "run.journal", **SCARCE)


def answers_of(path: Path, most: int = 6) -> list[Answer]:
    """Answers to the longest held stretches of each reason, and to some on their way."""
    with JournalReader(path) as reader:
        account = read_account(reader)
        chosen: dict[str, Stretch] = {}
        for stretch in silent_first(account, None):
            chosen.setdefault(f"{stretch.reason} {stretch.side}", stretch)
        answerer = answerer_for(reader, account)
        return [answerer.answer(stretch) for stretch in list(chosen.values())[:most]]


@pytest.fixture(scope="module")
def answers(journal: Path) -> list[Answer]:
    return answers_of(journal, most=4)


def searches(answers: list[Answer]) -> list[tuple[int, Counterfactual]]:
    found = []
    for answer in answers:
        for stretch, each in ((answer.stretch, answer.at_first_step), (answer.silence, answer.at_silence)):
            if each is not None and stretch is not None and stretch.began is not None:
                found.append((stretch.began.step, each))
    return found


def test_each_proposed_change_quotes_the_side_in_that_step(journal: Path, answers: list[Answer]) -> None:
    proposed = [(step, found.side, each) for step, found in searches(answers) for each in found.changes]
    assert len({each.change.name for _, _, each in proposed}) >= 5
    for step, side, each in proposed:
        result, machine = made_again(journal, step, each.change)
        assert is_quoted(result, machine, side), (step, side, each)


def test_without_a_change_the_step_leaves_the_side_empty(journal: Path, answers: list[Answer]) -> None:
    """Otherwise a proposed change would be none."""
    for step, found in searches(answers):
        if not found.recorded.is_quoted:
            assert not is_quoted(*made_again(journal, step, None), found.side)


def test_a_change_half_as_large_does_not_serve(journal: Path, answers: list[Answer]) -> None:
    """The smallest that was found: nearer by more than the last digit, the step leaves the side empty."""
    compared = 0
    for step, found in searches(answers):
        for change in (each.change for each in found.changes):
            if not isinstance(change.value, float | Decimal) or not isinstance(change.changed, float | Decimal):
                continue
            nearer = type(change.value)(change.value + (change.changed - change.value) * type(change.value)("0.98"))
            if abs(float(nearer) - float(change.changed)) > 0.011 * abs(float(change.changed)):
                shorter = SettingChange(name=change.name, value=change.value, changed=nearer)
                assert not is_quoted(*made_again(journal, step, shorter), found.side), (step, shorter)
                compared += 1
    assert compared


def test_a_setting_that_a_step_does_not_look_at_changes_nothing(journal: Path, answers: list[Answer]) -> None:
    """So leaving it out of the search passes no answer over."""
    step, found = next(each for each in searches(answers) if each[1].tried)
    with JournalReader(journal) as reader:
        rewound = rewound_to(reader, step)
    read = rewound.settings_read()
    assert set(found.tried) | set(found.not_tried) == read
    recorded = rewound.attempt()[0]
    unread = [
        each.name
        for each in fields(MarketMakingSettings)
        if each.name not in read | {"symbol", "strategy_id", "target_base", "session_seconds"}
        and is_searchable(rewound.settings, each.name)
    ]
    assert unread
    for name in unread:
        value = getattr(rewound.settings, name)
        for other in others(value):
            try:
                changed = evolve(rewound.settings, **{name: other})
            except SettingsError:
                continue
            assert rewound.attempt(changed)[0] == recorded, name


def others(value: object) -> list[object]:
    """Other values of a setting."""
    match value:
        case bool():
            return [not value]
        case StrEnum():
            return [each for each in type(value) if each is not value]
        case int():
            return [value * 2, value // 2]
        case float() | Decimal():
            return [value * 2, value / 2]
    return []


def test_a_silence_is_traced_to_the_step_with_which_the_quote_left(answers: list[Answer]) -> None:
    """A doubted book takes the quote out first; its reason stands alone only once the cancel is confirmed."""
    traced = [answer for answer in answers if answer.silence is not None]
    assert traced
    for answer in traced:
        assert answer.silence is not None
        assert answer.silence.begin < answer.stretch.begin
        assert answer.silence.side is answer.stretch.side


def test_a_quote_that_left_with_the_first_step_needs_no_other_setting(answers: list[Answer]) -> None:
    on_its_way = [each for each in answers if each.at_first_step and each.at_first_step.recorded.stages]
    for answer in on_its_way:
        assert answer.at_first_step is not None
        assert answer.at_first_step.changes == ()


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_the_smallest_position_limit_is_the_one_that_a_hand_calculation_gives() -> None:
    """Long 0.499 of at most 0.5: the bid is held, since 0.001 is below the smallest order.

    The smallest bid at about 99.9 has 5 of notional: 0.051. Its room counts fees of some bps in case they are taken in
    base: 0.499 + 0.051 and a little is 0.55 or just above it, 0.551 in three digits at most.
    """
    bench, bid, _ = quoting(max_position_size=Decimal("0.5"), base_order_size=50)
    bench.fill(bid)
    bench.settle()
    assert bench.context.inventory_offset == Decimal("0.499")
    bench.later(6)
    fact = bench.book_fact()
    rewound = RewoundMachine.of(bench.machine, fact)
    found = StepSearch(rewound).search(BID)
    assert not found.recorded.is_quoted
    changes = {each.change.name: each.change for each in found.changes}
    assert Decimal("0.55") <= changes["max_position_size"].changed <= Decimal("0.552")


def test_a_search_leaves_the_machine_as_it_is() -> None:
    bench, *_ = quoting()
    before = bench.fingerprint()
    rewound = RewoundMachine.of(bench.machine, bench.book_fact("99.49", "99.51"))
    for side in SIDES:
        StepSearch(rewound).search(side)
    assert bench.fingerprint() == before


def test_a_hold_with_an_end_of_its_own_is_not_undone_by_the_setting_that_made_it() -> None:
    """The hold and its end stand in the books: a shorter ``post_only_hold_seconds`` comes too late."""
    bench, bid, ask = placing(post_only_retries=0, post_only_hold_seconds=20.0)
    bench.reject(bid, RejectionCode.POST_ONLY)
    bench.acknowledge(ask)
    bench.settle()
    assert bench.hold(BID) == "post_only_rejections"
    bench.later(6)
    found = StepSearch(RewoundMachine.of(bench.machine, bench.book_fact())).search(BID)
    assert "post_only_hold_seconds" not in {each.change.name for each in found.changes}


def test_the_setting_that_makes_a_hold_is_named_in_the_step_that_makes_it() -> None:
    """One rejection where none is allowed; with one allowed the side is priced again at once."""
    bench, bid, ask = placing(post_only_retries=0, post_only_hold_seconds=20.0)
    bench.acknowledge(ask)
    fact = bench.about(OrderRejected, bid, code=RejectionCode.POST_ONLY, reason="would take")
    found = StepSearch(RewoundMachine.of(bench.machine, fact)).search(BID)
    changes = {each.change.name: each.change.changed for each in found.changes}
    assert changes["post_only_retries"] == 1


@pytest.mark.slow
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(seed=st.integers(0, 500))
def test_any_market_is_explained_and_every_change_proven(seed: int, tmp_path: Path) -> None:
    """Whatever the market does: no second without a reason, no change that does not do what it says."""
    path = record_run(tmp_path / f"{seed}.journal", seconds=15, seed=seed, **SCARCE)
    account = account_of(path)
    assert account.unexplained == 0
    for step, found in searches(answers_of(path, most=3)):
        for each in found.changes[:4]:
            assert is_quoted(*made_again(path, step, each.change), found.side)


# -- accounts ----------------------------------------------------------------------------------------------------------


def test_a_window_is_the_same_as_that_part_of_the_whole(journal: Path) -> None:
    """Only the segments that it needs are replayed."""
    whole = account_of(journal)
    third = (whole.end - whole.begin) // 3
    begin, end = whole.begin + third, whole.begin + 2 * third
    with JournalReader(journal) as reader:
        part = read_account(reader, begin, end).clipped(begin, end)
    expected = whole.clipped(begin, end)
    assert part.unexplained == expected.unexplained == 0
    for side in SIDES:
        assert part.totals(side) == expected.totals(side)


@given(share=st.floats(0, 1))
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_at_any_time_there_is_one_answer_a_side(journal: Path, share: float) -> None:
    whole = account_of(journal)
    time = whole.begin + round((whole.end - whole.begin) * share)
    with JournalReader(journal) as reader:
        part = read_account(reader, time, time)
    for side in SIDES:
        here, there = part.at(side, time), whole.at(side, time)
        assert here is not None
        assert there is not None
        assert here.kind is there.kind
        if here.kind is not StretchKind.LIVE:  # one that is quoted may be cut where the replay begins
            assert here == there


def test_a_killed_run_is_explained_as_far_as_it_was_recorded(tmp_path: Path) -> None:
    plan = plan_at(tmp_path / "run.journal")
    world, run = World(), begin(plan)
    world.run(run, 20)
    kill(run)
    account = account_of(tmp_path / "run.journal")
    assert account.unexplained == 0
    assert account.end > account.begin
    assert max(each.end for each in account.stretches) == account.end


def test_a_run_of_two_processes_has_a_gap_that_is_accounted_for(tmp_path: Path) -> None:
    """Seven seconds without a process, in the whole and in a window that begins within them."""
    plan, world = plan_at(tmp_path / "run.journal", journal_settings=RECORDS), World()
    for _ in range(2):
        run = begin(plan)
        world.run(run, 15)
        kill(run)
        world.pass_time(7)
    whole = account_of(plan.path)
    (gap, other) = (each for each in whole.stretches if each.kind is StretchKind.NOT_RUNNING)
    assert (gap.begin, gap.end) == (other.begin, other.end)
    assert 7e9 <= gap.duration < 8e9
    assert whole.unexplained == 0
    begin_of, end_of = gap.begin + gap.duration // 2, whole.end
    with JournalReader(plan.path) as reader:
        part = read_account(reader, begin_of, end_of).clipped(begin_of, end_of)
        answers = answerer_for(reader, part).answers_at(begin_of)
    assert part.unexplained == 0
    for side in SIDES:
        assert part.totals(side) == whole.clipped(begin_of, end_of).totals(side)
    assert [each.stretch.kind for each in answers] == [StretchKind.NOT_RUNNING] * 2
    assert all(each.at_first_step is None for each in answers)


def test_a_side_that_is_never_quoted_is_one_silence(tmp_path: Path) -> None:
    """Without base there is nothing to sell: from the first step to the end the ask is silent, and says why."""
    plan = plan_at(tmp_path / "run.journal", balances=Balances(base=Decimal(0), quote=Decimal(20_000)))
    world = World()
    with begin(plan) as run:
        world.run(run, 20)
    account = account_of(tmp_path / "run.journal")
    assert account.unexplained == 0
    assert StretchKind.LIVE not in {each.kind for each in account.of(ASK)} or account.totals(ASK)["live"] > 0
    assert "funds" in account.totals(ASK) or "below_minimum" in account.totals(ASK)


def test_records_without_market_data_are_not_explained(tmp_path: Path) -> None:
    plan = plan_at(tmp_path / "run.journal", journal_settings=JournalSettings(record_market_data=False))
    with begin(plan) as run:
        World().run(run, 20)
    account = account_of(tmp_path / "run.journal")
    assert account.unexplained == 2 * (account.end - account.begin) > 0


@pytest.mark.parametrize("is_killed", [False, True])
def test_what_a_journal_has_forgotten_is_not_recorded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_killed: bool
) -> None:
    """Against the same run in a journal that keeps everything: the same begin, and the same stretches in what is left.

    The second process begins in what is left, or in what is forgotten; the run began with the first one all the same.
    """
    monkeypatch.setattr(writer, "BYTES_PER_MEGABYTE", 100_000)
    paths = []
    for megabytes in (1, 1_000):
        kept = JournalSettings(record_market_data=True, segment_records=40, max_megabytes=megabytes)
        plan, world = plan_at(tmp_path / f"{megabytes}.journal", journal_settings=kept), World()
        for seconds in (10, 60) if is_killed else (60,):
            run = begin(plan)
            world.run(run, seconds)
            kill(run)
        paths.append(plan.path)
    shortened, whole = map(account_of, paths)
    with JournalReader(paths[0]) as reader:
        left = reader.segments[0].time
    assert shortened.began_at == shortened.begin == whole.begin < left
    assert shortened.end == whole.end
    for side in SIDES:
        first = shortened.of(side)[0]
        assert (first.kind, first.begin, first.end) == (StretchKind.NOT_RECORDED, whole.begin, left)
        assert shortened.totals(side)["not_recorded"] == left - whole.begin
        expected = whole.clipped(left, whole.end).totals(side)
        assert shortened.clipped(left, whole.end).totals(side) == expected
    assert shortened.unexplained == 2 * (left - whole.begin)
    assert shortened.forgotten == left - whole.begin
    assert shortened.clipped(left, whole.end).unexplained == 0
    with JournalReader(paths[0]) as reader:
        answers = answerer_for(reader, read_account(reader, whole.begin, whole.begin)).answers_at(whole.begin)
    assert [each.stretch.kind for each in answers] == [StretchKind.NOT_RECORDED] * 2


def test_a_step_that_is_not_on_record_cannot_be_put_back_to(journal: Path) -> None:
    with JournalReader(journal) as reader, pytest.raises(JournalError, match="expected a step 1000000"):
        rewound_to(reader, 1_000_000)


def test_an_option_of_a_service_may_be_what_would_have_quoted() -> None:
    """Quotes at 25 bps are beyond a band of 20: a spread of 40 or a little less brings them within it."""
    chosen = settings_with(
        services=ServiceNames(spreads="fixed"),
        service_options={"fixed": {"spread_bps": 50.0}},
        price_band_bps=20.0,
        max_slippage_bps=20.0,
    )
    bench = Bench(chosen)
    bench.run_until(lambda: bench.context.plan is not None, 60)
    bench.later(6)
    found = StepSearch(RewoundMachine.of(bench.machine, bench.book_fact())).search(BID)
    changes = {each.change.name: each.change.changed for each in found.changes}
    assert 39.0 < changes["service_options.fixed.spread_bps"] <= 40.0
    assert 25.0 <= changes["price_band_bps"] < 25.6
    assert "service_options.fixed.spread_bps" in found.tried
