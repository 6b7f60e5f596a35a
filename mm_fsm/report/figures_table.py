"""Figures of runs as tables for a terminal: a run and its baseline, or several runs, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mm_fsm.report.figures import (
    BootstrapInterval,
    MarketComparison,
    MarketFigures,
    PairedDifference,
    RunFigures,
)
from mm_fsm.report.table import colored_money, duration, money

_NONE: Final = "-"
_LABEL_WIDTH: Final = 28
_COLUMN_WIDTH: Final = 26
Cell = str | Text


def figures_table(figures: RunFigures, width: int) -> RenderableType:
    """Each market of a run, with its baseline beside it where there is one."""
    parts: list[RenderableType] = []
    for market in figures.markets:
        columns = [(market.symbol, market)]
        if market.baseline is not None:
            columns.append(("plain quoter", market.baseline.figures))
        parts += _side_by_side(columns, width)
        if market.baseline is not None:
            parts.append(Text(f"plain quoter: {market.baseline.policy}", style="dim"))
            widths = (_number(each) for each in (market.baseline.spread_bps, market.baseline.run_spread_bps))
            parts.append(Text("plain quoter's best quotes {} bps apart, the run's {} on average".format(*widths)))
            parts += _differences("run less plain quoter", market.baseline.differences, market.baseline.no_interval)
        parts.append(Text())
    return Group(*parts)


def comparison_tables(comparisons: Iterable[MarketComparison], width: int) -> RenderableType:
    """Each market with its runs, and their differences to the first."""
    parts: list[RenderableType] = []
    for comparison in comparisons:
        parts.append(Text(comparison.symbol, style="bold cyan"))
        parts += (Text(each, style="bold red") for each in comparison.other_markets)
        parts += _side_by_side([(run.name, run.figures) for run in comparison.runs], width)
        for pair in comparison.pairs:
            length = duration((pair.end_ms - pair.begin_ms) / 1000)
            title = f"{pair.name} less {pair.reference}, over {length} in common"
            parts += _differences(title, pair.differences, "")
        parts.append(Text())
    return Group(*parts)


def _side_by_side(columns: Sequence[tuple[str, MarketFigures]], width: int) -> list[RenderableType]:
    """As many columns in one table as the width holds."""
    in_one = max((width - _LABEL_WIDTH) // _COLUMN_WIDTH, 1)
    return [_table(columns[start : start + in_one]) for start in range(0, len(columns), in_one)]


def _table(columns: Sequence[tuple[str, MarketFigures]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("", no_wrap=True)
    for name, _ in columns:
        table.add_column(Text(name, overflow="fold"), justify="right", min_width=12)
    for label, cell in _ROWS:
        table.add_row(Text(label, style="dim"), *(cell(market) for _, market in columns))
    return table


def _differences(title: str, differences: Sequence[PairedDifference], refused: str) -> list[RenderableType]:
    if refused:
        return [Text(f"{title}: {refused}", style="yellow")]
    table = Table(title=Text(title, style="bold"), title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in ("", "difference", "95 % interval", ""):
        table.add_column(name, justify="left" if not name else "right")
    for each in differences:
        what = each.interval
        verdict = Text(_verdict(what), style="dim")
        table.add_row(each.what.replace("_", " "), colored_money(what.value), _bounds(what), verdict)
    doubts = dict.fromkeys(each.interval.doubt for each in differences if each.interval.doubt)
    return [table, *(Text(f"{title}: too narrow an interval: {doubt}", style="yellow") for doubt in doubts)]


def _verdict(interval: BootstrapInterval) -> str:
    if interval.doubt:
        return "too narrow to tell"
    return "more than noise" if interval.excludes_zero else "not told from noise"


def _bounds(interval: BootstrapInterval) -> str:
    return f"{money(interval.lower)} to {money(interval.upper)}"


def _share(value: float | None) -> str:
    return _NONE if value is None else f"{value:.1%}"


def _number(value: float | None, digits: int = 2) -> str:
    return _NONE if value is None else f"{value:,.{digits}f}"


def _net_interval(market: MarketFigures) -> str:
    found = market.profit.intervals.get("net")
    return _NONE if found is None else _bounds(found)


def _markout(market: MarketFigures) -> str:
    judged = market.markouts.judged_seconds
    for row in market.markouts.rows:
        if row.group == "all" and row.horizon_seconds == judged and row.net_bps is not None:
            return f"{row.net_bps:+.2f} after {judged:g} s"
    return _NONE


def _half_life(market: MarketFigures) -> str:
    found = market.inventory.half_life_seconds
    return _NONE if found is None else duration(found)


_ROWS: Final[Sequence[tuple[str, Callable[[MarketFigures], Cell]]]] = (
    ("outcome", lambda market: market.outcome if market.error is None else f"{market.outcome}: {market.error}"),
    ("event time", lambda market: duration(market.seconds)),
    ("net PnL", lambda market: colored_money(market.profit.net)),
    ("  95 % interval", _net_interval),
    ("= spread capture", lambda market: money(market.profit.spread_capture)),
    ("+ inventory", lambda market: money(market.profit.inventory)),
    ("- fees", lambda market: money(market.profit.fees)),
    ("+ funding", lambda market: money(market.profit.funding)),
    ("net bps of volume", lambda market: _number(market.profit.net_bps_of_volume)),
    ("largest drawdown", lambda market: money(market.drawdown.largest)),
    ("fills", lambda market: f"{market.orders.fills:,} of {market.orders.placed:,} orders"),
    ("net markout, bps", _markout),
    ("both sides, by the rule", lambda market: _share(market.presence.both_share)),
    ("largest inventory, base", lambda market: f"{float(market.inventory.largest):.6g}"),
    ("half-life of inventory", _half_life),
)
