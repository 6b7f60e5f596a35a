"""Figures of a run that never was, whole and sound by their own definitions, for tests of the page."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from mm_fsm.core.decisions import HoldReason
from mm_fsm.diagram.loading import load_chart
from mm_fsm.report import figures as f
from mm_fsm.report.plain_words import why_held

BEGIN = 1_772_366_400_000
"""2026-03-01 12:00:00 UTC."""
MACHINE = "mm_fsm.machine.market_making:MarketMakingStateMachine"
HORIZONS = (1.0, 5.0, 30.0, 60.0, 300.0)
REASONS = ("live", "orders_in_flight", "inventory_limit", "adverse_selection", "market_spread", "stale_data", "fault")


def sample_run(
    *, markets: int = 1, rows: int = 1_800, fills: int = 240, with_baseline: bool = True, seed: int = 5
) -> f.RunFigures:
    """A run of ``markets`` markets, an hour long, with so many rows and fills in each."""
    draw = random.Random(seed)
    symbols = ["ETH/USD", "BTC/USD", "SOL/USDT", "XRP/EUR"][:markets]
    return f.RunFigures(
        name="demo",
        markets=tuple(sample_market(symbol, draw, rows, fills, with_baseline=with_baseline) for symbol in symbols),
        reproduction=f.Reproduction(
            command=("mm-fsm", "run", "--duration", "3600", "--speed", "max", "--seed", "7", "--out", "runs/demo"),
            versions={"mm-fsm": "0.1.0", "python": "3.11.7", "python-statemachine": "3.2.2", "platform": "Linux"},
            seeds=dict.fromkeys(symbols, 7),
            recordings=dict.fromkeys(symbols, ()),
            journals={symbol: f"{symbol.replace('/', '-')}/run.journal" for symbol in symbols},
            made_by="run",
        ),
        tables={f"{symbol}/orders": f"{symbol.replace('/', '-')}/orders.parquet" for symbol in symbols},
    )


def sample_market(
    symbol: str, draw: random.Random, rows: int, fills: int, *, with_baseline: bool = False
) -> f.MarketFigures:
    base, quote = symbol.split("/")
    series = sample_series(draw, rows)
    profit = sample_profit(draw)
    end = BEGIN + 3_600_000
    baseline = sample_baseline(symbol, draw, series) if with_baseline else None
    return f.MarketFigures(
        symbol=symbol,
        base_currency=base,
        quote_currency=quote,
        outcome="completed",
        error=None,
        begin_ms=BEGIN,
        end_ms=end,
        seconds=3600.0,
        market_events=42_317,
        profit=profit,
        profit_steps=sample_steps(profit, 120),
        drawdown=sample_drawdown(),
        series=series,
        fills=sample_fills(draw, series, fills),
        inventory=sample_inventory(),
        markouts=sample_markouts(),
        presence=sample_presence(),
        orders=sample_orders(fills),
        holds=sample_holds(draw),
        machine=sample_machine(draw, profit),
        fill_model=sample_fill_model(),
        settings={
            "strategy": {"order_size": "0.5", "position_limit": "3", "levels": 2, "use_micro_price": True},
            "instrument": {"symbol": symbol, "tick_size": "0.01", "lot_size": "0.001"},
        },
        baseline=baseline,
    )


def sample_baseline(symbol: str, draw: random.Random, series: f.Series) -> f.Baseline:
    return f.Baseline(
        policy="a fixed spread of 10 bps on each side, 0.5 ETH, blind to its position.",
        figures=sample_market(symbol, draw, 0, 0),
        differences=tuple(
            f.PairedDifference(what=what, interval=sample_interval(value))
            for what, value in (("net", 6.25), ("spread_capture", -4.5), ("inventory", 11.0), ("fees", 0.25))
        ),
        terms=sample_terms(),
        no_interval="",
        net_per_step=tuple(value * 0.4 for value in series.net),
    )


def sample_drawdown() -> f.Drawdown:
    return f.Drawdown(
        largest=Decimal("7.3125"),
        from_ms=BEGIN + 600_000,
        bottom_ms=BEGIN + 1_500_000,
        recovered_ms=BEGIN + 2_000_000,
        limit=Decimal(200),
    )


def sample_inventory() -> f.Inventory:
    return f.Inventory(
        final=Decimal("0.25"),
        highest=Decimal("2.5"),
        lowest=Decimal("-1.75"),
        largest=Decimal("2.5"),
        mean=0.1625,
        mean_distance=0.8125,
        at_limit_seconds=41.5,
        half_life_seconds=95.5,
        half_lives=18,
        limit=Decimal(3),
    )


def sample_presence() -> f.Presence:
    return f.Presence(
        programme=f.Programme(within_bps=25.0, size=Decimal("0.5"), asked_share=0.8, snapshot_seconds=10.0),
        observed_seconds=3600.0,
        both_share=0.8675,
        bid_share=0.925,
        ask_share=0.9325,
        snapshots=360,
        snapshots_met=311,
        snapshot_share=0.8638888888888889,
        is_met=True,
        both_resting_share=0.91,
        both_live_share=0.8925,
    )


def sample_fill_model() -> f.FillModel:
    return f.FillModel(
        kind="paper",
        is_simulated=True,
        assumptions=(
            f.Assumption(
                name="queue_position",
                value="at the end",
                meaning="An order joins behind all that rests at its price; trades at the price use up the queue.",
            ),
            f.Assumption(
                name="latency", value="40 ms", meaning="From sending to the venue's book, and from there back."
            ),
        ),
    )


def sample_interval(value: float, width: float = 8.0) -> f.BootstrapInterval:
    lower, upper = value - width, value + width
    return f.BootstrapInterval(value=value, lower=lower, upper=upper, excludes_zero=lower > 0 or upper < 0)


def sample_terms() -> f.BootstrapTerms:
    return f.BootstrapTerms(step_seconds=30.0, steps=120, block_seconds=300.0, draws=2_000, seed=1, share=0.95)


def sample_profit(draw: random.Random) -> f.Profit:
    """Every part in cents; the net is their sum."""
    capture = Decimal(draw.randrange(3_000, 6_000)) / 100
    inventory = Decimal(draw.randrange(-2_500, -500)) / 100
    fees = Decimal(draw.randrange(800, 1_500)) / 100
    net = capture + inventory - fees
    return f.Profit(
        net=net,
        spread_capture=capture,
        inventory=inventory,
        fees=fees,
        funding=Decimal(0),
        external_flows=Decimal(0),
        realized=net + fees - Decimal("1.5"),
        unrealized=Decimal("1.5"),
        identity_gap=Decimal(0),
        volume=Decimal("361204.125"),
        net_bps_of_volume=float(net) / 361204.125 * 1e4,
        spread_captured_bps=1.1875,
        holding=Decimal("-12.5"),
        intervals={
            "net": sample_interval(float(net), 14.0),
            "spread_capture": sample_interval(float(capture), 6.0),
            "inventory": sample_interval(float(inventory), 13.0),
            "fees": sample_interval(float(fees), 1.5),
        },
        terms=sample_terms(),
        no_interval="",
    )


def sample_steps(profit: f.Profit, steps: int) -> f.ProfitSteps:
    def rising(total: Decimal) -> tuple[float, ...]:
        return tuple(float(total) * (number + 1) / steps for number in range(steps))

    return f.ProfitSteps(
        step_seconds=30.0,
        end_ms=tuple(BEGIN + 30_000 * (number + 1) for number in range(steps)),
        net=rising(profit.net),
        spread_capture=rising(profit.spread_capture),
        inventory=rising(profit.inventory),
        fees=rising(profit.fees),
    )


def sample_series(draw: random.Random, rows: int) -> f.Series:
    columns: dict[str, list[Any]] = {name: [] for name in f.Series.__annotations__ if name != "bucket_seconds"}
    mid, held, net, best = 3_000.0, 0.0, 0.0, 0.0
    for number in range(rows):
        mid += draw.gauss(0, 0.35)
        held = min(max(held + draw.choice((0, 0, 0, 0.25, -0.25)), -2.5), 2.5)
        net += held * draw.gauss(0, 0.2) + 0.01
        best = max(best, net)
        wide = abs(draw.gauss(0, 0.15))
        is_out = number % 300 > 280
        row = (
            BEGIN + number * 3_600_000 // rows,
            *(round(each, 3) for each in (mid - wide, mid + wide, mid)),
            None if is_out else round(mid - 1.5 - 0.2 * held, 2),
            None if is_out and held > 0 else round(mid + 1.5 - 0.2 * held, 2),
            *(held - 0.25, held + 0.25, held),
            *(round(each, 4) for each in (net - 0.1, net + 0.1, net, best - net)),
            number * 23,
        )
        for name, value in zip(columns, row, strict=True):
            columns[name].append(value)
    return f.Series(bucket_seconds=3_600 / max(rows, 1), **{name: tuple(column) for name, column in columns.items()})


def sample_fills(draw: random.Random, series: f.Series, fills: int) -> f.Fills:
    places = sorted(draw.sample(range(len(series.time_ms)), min(fills, len(series.time_ms))))
    sides = [draw.choice(("bid", "ask")) for _ in places]
    prices = [
        (series.bid if side == "bid" else series.ask)[place] or series.mid[place]
        for place, side in zip(places, sides, strict=True)
    ]
    return f.Fills(
        total=len(places),
        time_ms=tuple(series.time_ms[place] + 125 for place in places),
        step=tuple(series.step[place] + 3 for place in places),
        side=tuple(sides),
        price=tuple(f"{price:.2f}" for price in prices),
        quantity=tuple(draw.choice(("0.5", "0.125")) for _ in places),
        fee=tuple(None if number == 3 else "0.0300125" for number, _ in enumerate(places)),
        mid=tuple(str(series.mid[place]) for place in places),
        level=tuple(draw.choice((0, 0, 1)) for _ in places),
        purpose=tuple("quote" for _ in places),
        liquidity=tuple("maker" for _ in places),
        quote_age_seconds=tuple(round(draw.expovariate(0.2), 3) for _ in places),
        order=tuple(f"mmq{number:05}" for number, _ in enumerate(places)),
        inventory=tuple(str(series.inventory[place]) for place in places),
        net=tuple(str(series.net[place]) for place in places),
        markouts={f"{horizon:g}": tuple(round(draw.gauss(1, 2), 2) for _ in places) for horizon in HORIZONS},
    )


def sample_markouts() -> f.Markouts:
    groups = [
        ("all", ""),
        ("side", "bid"),
        ("side", "ask"),
        ("level", "bid 0"),
        ("level", "ask 0"),
        ("level", "bid 1"),
        ("level", "ask 1"),
        ("age", "under 1 s"),
        ("age", "1 s to 5 s"),
        ("age", "5 s to 30 s"),
        ("age", "30 s or more"),
    ]
    rows = []
    for at, horizon in enumerate(HORIZONS):
        for place, (group, of) in enumerate(groups):
            gross = 1.25 - 0.25 * at - 0.125 * place
            is_rare = of == "30 s or more"
            rows.append(
                f.MarkoutRow(
                    horizon_seconds=horizon,
                    group=group,
                    of=of,
                    count=2 if is_rare else 240 - 15 * place,
                    quantity=60.5,
                    gross_bps=gross,
                    gross_by_fill_bps=gross + 0.0625,
                    net_bps=gross - 0.5,
                    net_interval_bps=None
                    if is_rare
                    else (gross - 0.5 - 0.25 * (at + 1), gross - 0.5 + 0.25 * (at + 1)),
                )
            )
    return f.Markouts(horizons_seconds=HORIZONS, judged_seconds=60.0, rows=tuple(rows), unmeasured=7)


def sample_orders(fills: int) -> f.Orders:
    return f.Orders(
        placed=4_812,
        acknowledged=4_790,
        cancels=4_551,
        ended={"filled": fills, "canceled": 4_530, "rejected": 22, "expired": 0, "open": 0},
        rejected={"post_only": 20, "insufficient_funds": 2},
        cancel_races_lost=9,
        cancels_refused=11,
        unknown=1,
        fills=fills,
        maker_fills=fills,
        orders_filled=fills - 3 if fills else 0,
        fill_ratio=0.0501,
        orders_per_fill=4_812 / fills if fills else None,
        cancels_per_fill=4_551 / fills if fills else None,
        life=f.QuoteLife(
            count=4_790,
            mean_seconds=1.4875,
            median_seconds=0.861,
            longest_seconds=94.25,
            histogram=((0.256, 611), (0.861, 1_902), (2.048, 1_490), (8.192, 700), (97.4, 87)),
        ),
    )


def sample_holds(draw: random.Random) -> f.Holds:
    bins, length = 240, 15.0
    seconds: dict[str, dict[str, list[float]]] = {}
    for side in ("bid", "ask"):
        columns: dict[str, list[float]] = {reason: [] for reason in REASONS}
        for number in range(bins):
            left = length
            for place, reason in enumerate(REASONS[1:]):
                part = round(min(left, draw.random() * (0.9, 8.0, 0.6, 0.3, 0.1, 0.05)[place]), 3)
                part = part if place == 0 or number % (7 + 11 * place) < 2 else 0.0
                columns[reason].append(part)
                left -= part
            columns["live"].append(round(left, 3))
        seconds[side] = columns
    totals = [
        f.HoldTotal(
            side=side,
            reason=reason,
            seconds=round(sum(column), 3),
            share=sum(column) / (bins * length),
            why="quoted" if reason == "live" else why_held(HoldReason(reason)),
        )
        for side, columns in seconds.items()
        for reason, column in columns.items()
    ]
    stretches = 40
    begins = sorted(draw.randrange(0, 3_500_000) for _ in range(stretches))
    reasons = [REASONS[1 + draw.randrange(len(REASONS) - 1)] for _ in begins]
    return f.Holds(
        totals=tuple(sorted(totals, key=lambda each: -each.seconds)),
        over_time=f.HoldsOverTime(
            bin_seconds=length,
            time_ms=tuple(BEGIN + int(number * length * 1_000) for number in range(bins)),
            seconds={
                side: {name: tuple(column) for name, column in columns.items()} for side, columns in seconds.items()
            },
        ),
        stretches=f.Stretches(
            total=3_412,
            side=tuple(draw.choice(("bid", "ask")) for _ in begins),
            reason=tuple(reasons),
            detail=tuple("position 2.5 of 3 ETH" if reason == "inventory_limit" else "" for reason in reasons),
            begin_ms=tuple(BEGIN + begin for begin in begins),
            end_ms=tuple(BEGIN + begin + draw.randrange(500, 60_000) for begin in begins),
            step=tuple(begin // 80 for begin in begins),
            edge=tuple("monitoring_orders.quotes_due" for _ in begins),
            ending=tuple("live" for _ in begins),
        ),
    )


def sample_machine(draw: random.Random, profit: f.Profit) -> f.Machine:
    definition = load_chart(MACHINE).definition
    names = [state.id for state in definition.states]
    weights = [draw.random() ** 3 for _ in names]
    whole = sum(weights)
    nets = [Decimal(draw.randrange(-300, 500)) / 100 for _ in names[1:]]
    return f.Machine(
        machine=MACHINE,
        steps=42_919,
        transitions=18_211,
        faults={},
        states=tuple(
            f.StateFigures(
                state=name,
                visits=(0 if name == "error" else draw.randrange(1, 5_000)),
                seconds=3_600 * weight / whole,
                share=weight / whole,
                mean_visit_seconds=None if name == "error" else 0.5,
                net=net,
                computing_seconds=0.4375,
            )
            for name, weight, net in zip(names, weights, [profit.net - sum(nets), *nets], strict=True)
        ),
        edges=tuple(
            f.EdgeFigures(source=edge.source, event=edge.event, target=edge.target, taken=draw.randrange(0, 3) * 1_117)
            for edge in definition.edges
        ),
        chart_budgets=(
            f.ChartBudget(state=names[1], measure="computing", milliseconds=50, breaches=3, visits=4_100),
            f.ChartBudget(state=names[2], measure="waiting", milliseconds=500, breaches=0, visits=4_100),
        ),
        request_budgets=(
            f.RequestBudgetFigures(
                rule="orders_in_interval",
                limit=300.0,
                unit="orders in 10 s",
                most_used=84.0,
                used_share=0.28,
                at_ms=BEGIN,
            ),
        ),
    )
