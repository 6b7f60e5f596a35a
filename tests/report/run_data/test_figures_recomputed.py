"""Every figure of a run again, from its tables and from what was seen of each step, without the code that gathered it.

Sums of money are compared to the last digit. What is a mean of floats is compared as floats are.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from attrs import define, field, frozen

from mm_fsm.books.facts import MarketBook
from mm_fsm.core.messages import CancelOrder
from mm_fsm.machine.results import StepResult
from mm_fsm.report.figures import MarketFigures
from mm_fsm.runtime.session import PulledSession
from tests.report.run_data.followed import FollowedRun, configured, follow, total

pytest.importorskip("pyarrow")
SECONDS = 900.0
SECOND = 1_000_000_000
SIGNS = {"bid": 1, "ask": -1}


@frozen
class Moment:
    """What was seen once a step had ended."""

    time: int
    state: str
    mid: Decimal | None
    net: Decimal
    position: Decimal
    was_marked: bool
    """Whether a sound book came with the step."""
    doubted_since: int | None
    """Since when no book is believed; None while one is."""


@define
class Witness:
    """Looks at each step by itself, and values the position on its own: cash and position, no ledger."""

    moments: list[Moment] = field(factory=list)

    def watch(self, session: PulledSession, result: StepResult) -> None:
        context = session.machine.context
        cash = context.ledger.cash - context.ledger.starting_cash
        mid = context.market.mid_price
        position = context.base_position - context.target_base
        worth = position * mid if mid is not None else Decimal(0)
        is_book = isinstance(result.fact, MarketBook)
        doubted = context.markouts._blind_since
        was_marked = is_book and mid is not None and doubted is None
        self.moments.append(Moment(result.time, result.state, mid, cash + worth, position, was_marked, doubted))


@frozen
class Seen:
    """A run, its tables, and what a witness saw."""

    run: FollowedRun
    moments: list[Moment]
    fills: pl.DataFrame
    orders: pl.DataFrame
    stretches: pl.DataFrame

    @property
    def figures(self) -> MarketFigures:
        return self.run.figures


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    place, witness = tmp_path_factory.mktemp("tables"), Witness()
    run = follow(configured(SECONDS), place, watch=witness.watch)
    tables = {name: pl.read_parquet(place / f"{name}.parquet") for name in ("fills", "orders", "stretches")}
    assert len(tables["fills"]) > 30
    return Seen(run, witness.moments, **tables)


def rows(frame: pl.DataFrame) -> Iterator[dict[str, Any]]:
    return iter(frame.iter_rows(named=True))


def exact(row: dict[str, Any], name: str) -> Decimal:
    return Decimal(row[name])


# -- money -------------------------------------------------------------------------------------------------------------


def test_the_split_of_the_profit_is_exact_and_without_a_rest(seen: Seen) -> None:
    profit = seen.figures.profit
    capture = sum(
        (SIGNS[r["side"]] * exact(r, "quantity") * (exact(r, "mid") - exact(r, "price")) for r in rows(seen.fills)),
        Decimal(0),
    )
    assert profit.spread_capture == capture
    assert profit.fees == total(seen.fills["fee"])
    assert profit.volume == sum((exact(r, "quantity") * exact(r, "price") for r in rows(seen.fills)), Decimal(0))
    spent = sum((SIGNS[r["side"]] * exact(r, "quantity") * exact(r, "price") for r in rows(seen.fills)), Decimal(0))
    last = seen.moments[-1]
    assert last.mid is not None
    assert profit.net == last.position * last.mid - spent - profit.fees
    assert profit.net == profit.spread_capture + profit.inventory - profit.fees + profit.funding
    assert profit.net == profit.realized + profit.unrealized - profit.fees
    assert profit.identity_gap == 0
    held = Decimal(0)
    for before, after in pairwise(m for m in seen.moments if m.mid is not None):
        held += before.position * (after.mid - before.mid)  # type: ignore[operator]
    assert profit.inventory == held


def test_the_states_share_the_whole_profit_and_the_whole_time(seen: Seen) -> None:
    spent: Counter[str] = Counter()
    gained: defaultdict[str, Decimal] = defaultdict(Decimal)
    for before, after in pairwise(seen.moments):
        spent[before.state] += after.time - before.time
        gained[before.state] += after.net - before.net
    for state in seen.figures.machine.states:
        assert state.seconds == spent[state.state] / SECOND
        assert state.net == gained[state.state]
    assert sum((s.net for s in seen.figures.machine.states), Decimal(0)) == seen.figures.profit.net


def test_edges_and_visits_are_those_of_the_steps(seen: Seen) -> None:
    taken = Counter((t.source, t.event, t.target) for r in seen.run.results for t in r.transitions)
    figures = seen.figures.machine
    assert {(e.source, e.event, e.target): e.taken for e in figures.edges if e.taken} == taken
    assert figures.transitions == taken.total()
    assert figures.steps == len(seen.run.results)
    internal = {"placing_continued", "adjusting_continued", "strays_found"}
    entered = Counter(
        target for (_, event, target), count in taken.items() for _ in range(count) if event not in internal
    )
    entered["idle"] += 1
    assert {s.state: s.visits for s in figures.states if s.visits} == {s: n for s, n in entered.items() if n}


def test_the_drawdown_is_the_largest_fall_from_a_peak_and_its_times_are_right(seen: Seen) -> None:
    peak, peak_at, largest, found = Decimal(0), seen.moments[0].time, Decimal(0), (0, 0)
    for moment in seen.moments:
        if moment.net >= peak:
            peak, peak_at = moment.net, moment.time
        if peak - moment.net > largest:
            largest, found = peak - moment.net, (peak_at, moment.time)
    drawdown = seen.figures.drawdown
    assert drawdown.largest == largest
    assert drawdown.bottom_ms == found[1] // 1_000_000
    assert drawdown.from_ms is not None
    at_peak = [m for m in seen.moments if m.time // 1_000_000 == drawdown.from_ms]
    assert at_peak[-1].net == max(m.net for m in seen.moments if m.time < found[1])


def test_steps_of_time_hold_the_profit_as_it_stood_before_their_end(seen: Seen) -> None:
    steps = seen.figures.profit_steps
    for end, net in zip(steps.end_ms[:-1], steps.net, strict=False):
        before = [m.net for m in seen.moments if m.time < end * 1_000_000]
        assert net == float(before[-1])
    assert steps.net[-1] == float(seen.moments[-1].net)
    assert all(b - a == 10_000 for a, b in pairwise(steps.end_ms[:-1]))


def test_rows_of_the_series_have_the_extremes_and_the_last_values_of_their_time(seen: Seen) -> None:
    series = seen.figures.series
    by_bucket: defaultdict[int, list[Moment]] = defaultdict(list)
    for moment in seen.moments:
        by_bucket[moment.time // (5 * SECOND) * 5_000].append(moment)
    assert series.time_ms == tuple(by_bucket)
    for place, moments in enumerate(by_bucket.values()):
        mids = [float(m.mid) for m in moments if m.mid is not None]
        assert (series.mid_low[place], series.mid_high[place]) == ((min(mids), max(mids)) if mids else (None, None))
        assert series.mid[place] == (mids[-1] if mids else None)
        assert series.inventory[place] == float(moments[-1].position)
        assert series.inventory_high[place] == max(float(m.position) for m in moments)
        nets = [round(float(m.net), 6) for m in moments]
        assert (series.net_low[place], series.net_high[place], series.net[place]) == (min(nets), max(nets), nets[-1])


# -- inventory ---------------------------------------------------------------------------------------------------------


def test_inventory_is_weighted_with_the_time_between_fills(seen: Seen) -> None:
    begin, end = seen.moments[0].time, seen.moments[-1].time
    times, positions = [begin], [Decimal(0)]
    for row in rows(seen.fills):
        times.append(row["time"])
        positions.append(positions[-1] + SIGNS[row["side"]] * exact(row, "quantity"))
    lengths = [later - earlier for earlier, later in pairwise([*times, end])]
    area = sum((p * n for p, n in zip(positions, lengths, strict=True)), Decimal(0))
    distance = sum((abs(p) * n for p, n in zip(positions, lengths, strict=True)), Decimal(0))
    inventory = seen.figures.inventory
    assert (inventory.highest, inventory.lowest, inventory.final) == (max(positions), min(positions), positions[-1])
    assert inventory.largest == max(map(abs, positions))
    assert inventory.mean == pytest.approx(float(area / (end - begin)), rel=1e-12)
    assert inventory.mean_distance == pytest.approx(float(distance / (end - begin)), rel=1e-12)


def test_the_fills_of_the_report_are_those_of_the_table(seen: Seen) -> None:
    shown = seen.figures.fills
    assert shown.total == len(seen.fills)
    assert list(shown.price) == seen.fills["price"].to_list()
    assert list(shown.net) == seen.fills["net"].to_list()
    assert list(shown.step) == seen.fills["step"].to_list()
    seconds = (seen.fills["quote_age"] / SECOND).round(3).to_list()
    assert list(shown.quote_age_seconds) == pytest.approx(seconds)


# -- markouts ----------------------------------------------------------------------------------------------------------


def prevailing(marks: list[Moment], times: list[int], doubts: list[tuple[int, int]], due: int) -> float | None:
    """The last mid at or before a time, the next one where no book was believed then; None after the run's end."""
    if due >= times[-1]:
        return None
    is_doubted = any(since <= due < until for since, until in doubts)
    return float(marks[bisect_right(times, due) - (not is_doubted)].mid or 0)


def doubted_times(moments: list[Moment]) -> list[tuple[int, int]]:
    """From when to when no book was believed."""
    found, since = [], None
    for moment in moments:
        if since is not None and moment.doubted_since is None:
            found.append((since, moment.time))
        since = moment.doubted_since
    return found


def test_markouts_are_the_price_one_horizon_later_by_every_way_of_telling_fills_apart(seen: Seen) -> None:
    marks = [moment for moment in seen.moments if moment.was_marked]
    times, doubts = [moment.time for moment in marks], doubted_times(seen.moments)
    found: defaultdict[tuple[float, str, str], list[tuple[float, float, float]]] = defaultdict(list)
    for row in rows(seen.fills.filter(pl.col("liquidity") == "maker")):
        price, quantity, mid = float(row["price"]), float(row["quantity"]), float(row["mid"])
        for horizon in seen.figures.markouts.horizons_seconds:
            later = prevailing(marks, times, doubts, row["time"] + round(horizon * SECOND))
            column = row[f"markout_{horizon:g}s_bps"]
            if later is None:
                assert column is None
                continue
            bps = SIGNS[row["side"]] * (later - price) / mid * 1e4
            assert column == pytest.approx(bps, rel=1e-12)
            net = bps - float(row["fee"]) / (quantity * mid) * 1e4
            for group, of in (("all", ""), ("side", row["side"]), ("level", level_of(row)), ("age", age_of(row))):
                found[horizon, group, of].append((bps, net, quantity))
    reported = {(r.horizon_seconds, r.group, r.of): r for r in seen.figures.markouts.rows if r.count}
    assert reported.keys() == found.keys()
    for place, marked in found.items():
        row_ = reported[place]
        weight = math.fsum(quantity for _, _, quantity in marked)
        assert row_.count == len(marked)
        assert row_.quantity == pytest.approx(weight)
        assert row_.gross_bps == pytest.approx(math.fsum(bps * q for bps, _, q in marked) / weight)
        assert row_.gross_by_fill_bps == pytest.approx(math.fsum(bps for bps, _, _ in marked) / len(marked))
        assert row_.net_bps == pytest.approx(math.fsum(net * q for _, net, q in marked) / weight)
        if row_.net_interval_bps is not None:
            assert row_.net_interval_bps[0] <= row_.net_bps <= row_.net_interval_bps[1]


def level_of(row: dict[str, Any]) -> str:
    return f"{row['side']} {'other' if row['level'] is None else row['level']}"


def age_of(row: dict[str, Any]) -> str:
    age = row["quote_age"] / SECOND
    if age < 0.5:
        return "below 0.5 s"
    edges = (0.5, 1.0, 5.0, 15.0, 60.0, 300.0)
    for lower, upper in pairwise(edges):
        if age < upper:
            return f"{lower:g} s to {upper:g} s"
    return "300 s and more"


# -- orders ------------------------------------------------------------------------------------------------------------


def test_what_became_of_orders_is_what_their_table_says(seen: Seen) -> None:
    orders, table = seen.figures.orders, seen.orders
    assert orders.placed == len(table)
    assert orders.acknowledged == table["acknowledged"].count()
    assert orders.ended == dict(sorted(table["how"].value_counts().iter_rows()))
    assert orders.fills == len(seen.fills)
    assert orders.orders_filled == (table["fills"] > 0).sum() == seen.fills["client_order_id"].n_unique()
    assert orders.orders_per_fill == len(table) / len(seen.fills)
    by_order = seen.fills.group_by("client_order_id").len()
    joined = table.filter(pl.col("fills") > 0).join(by_order, on="client_order_id")
    assert joined["fills"].to_list() == joined["len"].to_list()
    assert orders.cancel_races_lost == table["fills_after_cancel"].sum() == lost_races(seen)
    filled = total(seen.fills.filter(pl.col("liquidity") == "maker")["quantity"])
    quotes = table.filter(pl.col("acknowledged").is_not_null() & (pl.col("purpose") == "quote"))
    taken = total(quotes["quantity"])
    assert orders.fill_ratio == pytest.approx(float(filled / taken))


def lost_races(seen: Seen) -> int:
    """Fills of a later step than the one with which the cancel of their order left."""
    left: dict[str, int] = {}
    for result in seen.run.results:
        for intent in result.intents:
            if isinstance(intent, CancelOrder):
                left.setdefault(intent.client_order_id, result.sequence)
    return sum(row["step"] > left.get(row["client_order_id"], math.inf) for row in rows(seen.fills))


def test_every_placement_and_cancel_of_a_step_is_counted(seen: Seen) -> None:
    kinds = Counter(type(intent).__name__ for result in seen.run.results for intent in result.intents)
    assert seen.figures.orders.placed == kinds["PlaceOrder"]
    assert seen.figures.orders.cancels == kinds["CancelOrder"]


def test_lives_of_quotes_are_from_acknowledgement_to_end(seen: Seen) -> None:
    lives = seen.orders.filter(pl.col("acknowledged").is_not_null() & pl.col("ended").is_not_null())
    lengths = sorted((lives["ended"] - lives["acknowledged"]).to_list())
    life = seen.figures.orders.life
    assert life.count == len(lengths)
    assert life.mean_seconds == pytest.approx(sum(lengths) / len(lengths) / SECOND, rel=1e-12)
    assert life.longest_seconds == lengths[-1] / SECOND
    middle = lengths[(len(lengths) - 1) // 2] / SECOND
    assert life.median_seconds is not None
    assert middle <= life.median_seconds * (1 + 1e-9) < middle * 2**0.25 * (1 + 1e-6)
    counted = 0
    for edge, orders in life.histogram:
        counted += orders
        assert counted == sum(length / SECOND <= edge * (1 + 1e-12) for length in lengths)


def test_the_most_orders_in_an_interval_are_those_of_the_table(seen: Seen) -> None:
    placed = sorted(seen.orders["placed"].to_list())
    interval = 10 * SECOND
    most = max(place + 1 - bisect_right(placed, time - interval) for place, time in enumerate(placed))
    budget = seen.figures.machine.request_budgets[0]
    assert budget.rule == "orders_in_interval"
    assert budget.most_used == most
    assert budget.used_share == most / budget.limit


# -- presence and holds ------------------------------------------------------------------------------------------------


def test_presence_is_what_the_orders_in_the_book_and_the_market_come_to(seen: Seen) -> None:
    """Each moment by itself: remaining sizes of acknowledged quotes near enough to the middle of then."""
    presence = seen.figures.presence
    rule = presence.programme
    fills = seen.fills.group_by("client_order_id").agg(pl.col("time"), pl.col("quantity"))
    traded = {row["client_order_id"]: list(zip(row["time"], row["quantity"], strict=True)) for row in rows(fills)}
    quotes = [
        row
        for row in rows(seen.orders)
        if row["purpose"] == "quote" and row["acknowledged"] is not None and not row["was_unknown"]
    ]
    spent: Counter[str] = Counter()
    snapshots = snapshots_met = 0
    last = {moment.time: moment for moment in seen.moments}  # of several steps at one time the last one counts
    moments = list(last.values())
    for now, then in zip(moments, [*moments[1:], None], strict=True):
        live = [row for row in quotes if row["acknowledged"] <= now.time and not ended(row, now.time)]
        met = {side: shows(side, live, traded, now, rule) for side in SIGNS}
        if then is not None:
            for side, is_met in met.items():
                spent[side] += is_met * (then.time - now.time)
            spent["both"] += all(met.values()) * (then.time - now.time)
        until = now.time + 1 if then is None else then.time
        count = -(-until // (10 * SECOND)) - -(-now.time // (10 * SECOND))
        snapshots += count
        snapshots_met += count * all(met.values())
    length = moments[-1].time - moments[0].time
    assert presence.observed_seconds == length / SECOND
    assert presence.both_share == spent["both"] / length
    assert (presence.bid_share, presence.ask_share) == (spent["bid"] / length, spent["ask"] / length)
    assert (presence.snapshots, presence.snapshots_met) == (snapshots, snapshots_met)
    assert presence.is_met == (spent["both"] / length >= 0.8 and snapshots_met / snapshots >= 0.8)


def ended(row: dict[str, Any], time: int) -> bool:
    return row["ended"] is not None and row["ended"] <= time


def shows(
    side: str, live: list[dict[str, Any]], traded: dict[str, list[tuple[int, str]]], now: Moment, rule: Any
) -> bool:
    if now.mid is None:
        return False
    shown = Decimal(0)
    for row in live:
        away = (now.mid - Decimal(row["price"])) * SIGNS[side]
        if row["side"] == side and away <= now.mid * Decimal(str(rule.within_bps)) / 10_000:
            gone = [Decimal(quantity) for time, quantity in traded.get(row["client_order_id"], []) if time <= now.time]
            shown += Decimal(row["quantity"]) - sum(gone, Decimal(0))
    return bool(shown >= rule.size)


def test_the_time_of_each_side_is_spent_in_full_and_as_the_machine_counts_it(seen: Seen) -> None:
    """The machine's own uptime is an account of its own; the stretches of the table are another."""
    uptime, holds = seen.run.session.machine.uptime, seen.figures.holds
    for side in ("bid", "ask"):
        found = {each.reason: each.seconds for each in holds.totals if each.side == side}
        assert sum(found.values()) == pytest.approx(seen.figures.seconds, abs=1e-6)
        own = {
            reason: n / SECOND for key, held in uptime.held.items() if key.value == side for reason, n in held.items()
        }
        assert {reason: found.get(reason, 0.0) for reason in own} == pytest.approx(own)
        of_side = seen.stretches.filter(pl.col("side") == side)
        lengths = (
            of_side.with_columns(length=pl.col("end") - pl.col("begin")).group_by("reason").agg(pl.col("length").sum())
        )
        assert found == pytest.approx({reason: length / SECOND for reason, length in lengths.iter_rows()})
        assert of_side["begin"][1:].to_list() == of_side["end"][:-1].to_list()


def test_bins_of_holds_add_up_to_the_totals(seen: Seen) -> None:
    holds = seen.figures.holds
    for each in holds.totals:
        assert sum(holds.over_time.seconds[each.side][each.reason]) == pytest.approx(each.seconds, abs=0.05)
    assert holds.stretches.total == len(seen.stretches)


def test_nothing_in_the_figures_is_no_number(seen: Seen) -> None:
    def walk(value: Any) -> Iterator[Any]:
        if isinstance(value, (tuple, list)):
            for each in value:
                yield from walk(each)
        elif isinstance(value, dict):
            yield from walk(list(value.values()))
        elif hasattr(value, "__attrs_attrs__"):
            for attribute in value.__attrs_attrs__:
                yield from walk(getattr(value, attribute.name))
        else:
            yield value

    plain = list(walk(seen.figures))
    assert len(plain) > 1_000
    assert all(math.isfinite(each) for each in plain if isinstance(each, (int, float, Decimal)))
