"""A run of two processes on one journal: what either did is in the figures once, the time between is nobody's."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from shutil import copyfile

import pytest

from mm_fsm.core.messages import SIDES
from mm_fsm.core.programme import ProgrammeRule
from mm_fsm.errors import JournalError
from mm_fsm.report.figures import FillModel, MarketFigures
from mm_fsm.report.run_data.fills_log import FillRow
from mm_fsm.report.run_data.from_journal import Replaying, figures_from_journals
from mm_fsm.report.run_data.market_figures import MarketFacts, market_figures
from mm_fsm.report.run_data.market_follower import MarketFollower, RowTaker
from mm_fsm.report.stretches import StretchKind
from mm_fsm.report.why.accounts import read_account
from mm_fsm.runtime.journal import JournalReader, JournalSettings
from tests.runtime.journal.scenario import World, begin, kill, plan_at

AWAY_SECONDS = 7.0


class TwoProcesses:
    """The journal, and what the books were by it once both had been killed: those that a third process begins with."""

    def __init__(self, path: Path, **journal: bool | int) -> None:
        self.path, self.world = path, World()
        plan = plan_at(path, journal_settings=JournalSettings(segment_records=100, **journal))  # type: ignore[arg-type]
        for _ in range(2):
            run = begin(plan)
            self.world.run(run, 40)
            kill(run)
            self.world.pass_time(AWAY_SECONDS)
            self.placed = len(self.world.placements)
        copyfile(path, path.with_name("third.journal"))
        third = begin(plan_at(path.with_name("third.journal"), journal_settings=plan.journal_settings))
        self.ledger = third.machine.machine.context.ledger
        self.markouts = third.machine.machine.context.markouts
        kill(third)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> TwoProcesses:
    return TwoProcesses(tmp_path_factory.mktemp("two") / "run.journal", record_market_data=True)


@pytest.fixture(scope="module")
def market(two: TwoProcesses) -> MarketFigures:
    (found,) = figures_from_journals(two.path.parent, [two.path], None, Replaying()).markets
    return found


def test_money_is_that_of_both_processes(two: TwoProcesses, market: MarketFigures) -> None:
    assert market.profit.fees == two.ledger.fees_paid
    assert market.inventory.final == two.ledger.position
    assert market.profit.volume == two.ledger.volume_quote
    assert market.profit.spread_capture == two.ledger.spread_capture
    parts = market.profit.spread_capture + market.profit.inventory - market.profit.fees
    assert market.profit.net == parts
    assert sum((state.net for state in market.machine.states), Decimal(0)) == market.profit.net


def test_each_fill_of_the_exchange_is_there_once_those_of_the_time_between_too(
    two: TwoProcesses, market: MarketFigures
) -> None:
    """What filled after the last process had ended nobody has heard of."""
    heard = {trade_id for _, trade_id in two.ledger.known_trades()}
    assert market.fills.total == len(heard) > 20
    fees = [Decimal(fee) for fee in market.fills.fee if fee is not None]
    assert sum(fees, Decimal(0)) == two.ledger.fees_paid


def test_each_placement_is_one_order(two: TwoProcesses, market: MarketFigures) -> None:
    assert two.placed - 3 <= market.orders.placed <= two.placed  # the last records may not have reached the disk
    assert sum(market.orders.ended.values()) == market.orders.placed
    assert market.orders.unknown > 0


def test_the_time_between_belongs_to_no_reason_of_the_machine(market: MarketFigures) -> None:
    for side in ("bid", "ask"):
        away = [each.seconds for each in market.holds.totals if (each.side, each.reason) == (side, "not_running")]
        assert away == pytest.approx([AWAY_SECONDS], abs=0.5)
        whole = sum(each.seconds for each in market.holds.totals if each.side == side)
        assert whole == pytest.approx(market.seconds, abs=1e-6)
    assert market.seconds == pytest.approx(2 * 40 + AWAY_SECONDS, abs=3)


def test_quotes_on_both_sides_are_counted_over_both_processes(two: TwoProcesses, market: MarketFigures) -> None:
    """Against the stretches of the same journal: time in which both sides were live, over all the time there is."""
    with JournalReader(two.path) as reader:
        account = read_account(reader)
    bids, asks = ([each for each in account.of(side) if each.kind is StretchKind.LIVE] for side in SIDES)
    both = sum(max(min(bid.end, ask.end) - max(bid.begin, ask.begin), 0) for bid in bids for ask in asks)
    share = both / (account.end - account.begin)
    assert share > 0.2
    assert market.presence.both_live_share == pytest.approx(share, abs=1e-9)
    assert 0.2 < market.presence.both_resting_share < 1 - AWAY_SECONDS / market.seconds


def test_nothing_is_present_while_no_process_runs(two: TwoProcesses) -> None:
    """By a rule that the smallest quote meets, presence is at most the time in which a process ran."""
    rule = ProgrammeRule(within_bps=5_000.0, size=Decimal("0.0001"))
    (found,) = figures_from_journals(two.path.parent, [two.path], None, Replaying(rule=rule)).markets
    present = found.presence.both_share * found.presence.observed_seconds
    assert 20 < present <= found.seconds - AWAY_SECONDS + 0.5


def test_a_follower_that_begins_with_the_second_process_tells_of_that_one_alone(tmp_path: Path) -> None:
    plan, world = plan_at(tmp_path / "run.journal"), World()
    first = begin(plan)
    world.run(first, 40)
    kill(first)
    second = begin(plan)
    machine = second.machine.machine
    before = machine.context.ledger.net_pnl
    booked = set(machine.context.ledger.known_trades())
    follower = MarketFollower(lambda: machine)
    machine.observe(follower)
    world.run(second, 40)
    follower.end()
    assert follower.failure is None
    assert follower.total.net == machine.context.ledger.net_pnl - before
    assert follower.fills.count == len(set(machine.context.ledger.known_trades()) - booked) > 5
    assert sum(follower.state_profits.values(), Decimal(0)) == follower.total.net
    kill(second)


def test_markouts_of_both_processes_are_those_that_the_books_counted(two: TwoProcesses, market: MarketFigures) -> None:
    """Though each segment of a journal that is read back has other objects for the fills that still wait."""
    counts = dict.fromkeys(two.markouts.horizons_seconds, 0)
    for row in market.markouts.rows:
        if row.group == "all":
            counts[row.horizon_seconds] = row.count
    assert counts == {horizon: two.markouts.figures(horizon).count for horizon in counts}
    assert counts[1.0] > 50
    assert sum(counts.values()) + market.markouts.unmeasured == market.orders.maker_fills * len(counts)
    assert_groups_add_up(market)


def assert_groups_add_up(market: MarketFigures) -> None:
    found: Counter[tuple[float, str]] = Counter()
    for row in market.markouts.rows:
        found[row.horizon_seconds, row.group] += row.count
    for horizon in market.markouts.horizons_seconds:
        assert len({found[horizon, group] for group in ("all", "side", "level", "age")}) == 1


def test_figures_of_the_second_process_are_the_books_less_what_they_held_before(tmp_path: Path) -> None:
    plan, world = plan_at(tmp_path / "run.journal"), World()
    first = begin(plan)
    world.run(first, 40)
    kill(first)
    second = begin(plan)
    machine = second.machine.machine
    context, ledger = machine.context, machine.context.ledger
    before = {name: getattr(ledger, name) for name in BOOKED.values()}
    m_before, target = ledger.reference_price, context.target_base
    taken, filled = context.acknowledged_maker_quantity, context.filled_maker_quantity
    rows: list[FillRow] = []
    follower = MarketFollower(lambda: machine, rows=RowTaker(fill=lambda row, _: rows.append(row)))
    machine.observe(follower)
    world.run(second, 40)
    follower.end()
    model = FillModel(kind="paper", is_simulated=True, assumptions=())
    facts = MarketFacts(outcome="unfinished", error=None, market_events=0, fill_model=model, settings={})
    found = market_figures(follower, machine, facts)
    profit, orders = found.profit, found.orders
    for name, booked in BOOKED.items():
        assert getattr(profit, name) == getattr(ledger, booked) - before[booked], name
    assert before["unrealized_pnl"] != 0 != before["realized_pnl"]  # else this would show nothing
    assert profit.net == profit.realized + profit.unrealized - profit.fees + profit.funding
    assert profit.net == profit.spread_capture + profit.inventory - profit.fees + profit.funding
    assert m_before is not None
    assert ledger.reference_price is not None
    assert profit.holding == target * (ledger.reference_price - m_before) != 0
    assert profit.volume == sum(row.price * row.quantity for row in rows)
    assert orders.fills == orders.maker_fills == found.fills.total == len(rows) > 20
    assert sum((row.quantity for row in rows), Decimal(0)) == context.filled_maker_quantity - filled
    ratio = sum(row.quantity for row in rows) / (context.acknowledged_maker_quantity - taken)
    assert orders.fill_ratio == pytest.approx(float(ratio))
    for row in found.markouts.rows:
        if row.group == "all":
            assert row.count == sum(each.markouts.get(row.horizon_seconds) is not None for each in rows)
    assert_groups_add_up(found)
    measured = sum(row.count for row in found.markouts.rows if row.group == "all")
    assert measured + found.markouts.unmeasured == len(rows) * len(found.markouts.horizons_seconds)
    kill(second)


BOOKED = {
    "net": "net_pnl",
    "spread_capture": "spread_capture",
    "inventory": "inventory_pnl",
    "fees": "fees_paid",
    "funding": "funding_received",
    "external_flows": "external_flows",
    "realized": "realized_pnl",
    "unrealized": "unrealized_pnl",
    "volume": "volume_quote",
}
"""Names of the profit's figures, and of what they are the change of."""


def test_without_market_data_no_figure_is_guessed(tmp_path: Path) -> None:
    two = TwoProcesses(tmp_path / "run.journal", record_market_data=False)
    with pytest.raises(JournalError, match="record_market_data = true"):
        figures_from_journals(tmp_path, [two.path], None, Replaying())


@pytest.mark.parametrize("is_closed", [True, False], ids=["closed", "killed"])
@pytest.mark.parametrize("recorded", [(True, False, True), (True, False)], ids=["between", "at-the-end"])
def test_time_without_market_data_is_not_recorded_rather_than_not_running(
    recorded: tuple[bool, ...],
    is_closed: bool,
    tmp_path: Path,
) -> None:
    """Processes of 20 seconds, 7 apart. Of the second one nobody can tell whether it quoted, from the first one's end.

    Nor when it ended, if it was killed: what it did last is not on record. By a rule that the smallest quote meets,
    only time of the others counts as presence.
    """
    path, world = tmp_path / "run.journal", World()
    for market_data in recorded:
        run = begin(plan_at(path, journal_settings=JournalSettings(record_market_data=market_data)))
        world.run(run, 20)
        if is_closed:
            run.close()
        else:
            kill(run)
        world.pass_time(AWAY_SECONDS)
    rule = ProgrammeRule(within_bps=5_000.0, size=Decimal("0.0001"))
    (found,) = figures_from_journals(tmp_path, [path], None, Replaying(rule=rule)).markets
    away = {"not_recorded": AWAY_SECONDS + 20}
    if recorded[-1]:
        away["not_running" if is_closed else "not_recorded"] = AWAY_SECONDS + (0 if is_closed else 20 + AWAY_SECONDS)
    for side in ("bid", "ask"):
        totals = {each.reason: each.seconds for each in found.holds.totals if each.side == side}
        silent = {reason: length for reason, length in totals.items() if reason in {"not_recorded", "not_running"}}
        assert silent == pytest.approx(away, abs=4)  # its last step that moved something is a while before its end
        assert sum(silent.values()) == pytest.approx(sum(away.values()), abs=4 if len(away) == 1 else 2)
        assert sum(totals.values()) == pytest.approx(found.seconds, abs=1e-6)
    present = found.presence.both_share * found.presence.observed_seconds
    assert 0 < present <= found.seconds - sum(away.values()) + 4
    assert sum("has no market data" in note for note in found.notes) == 1
    with JournalReader(path) as reader:
        account = read_account(reader)
    for side in SIDES:
        totals = {each.reason: each.seconds for each in found.holds.totals if each.side == side.value}
        assert totals == pytest.approx({reason: length / 1e9 for reason, length in account.totals(side).items()})
