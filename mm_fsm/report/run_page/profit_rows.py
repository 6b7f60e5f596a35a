"""Profit and its split as a waterfall with intervals, and a plain quoter on the same data beside it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from attrs import frozen
from markupsafe import Markup

from mm_fsm.report.run_page.drawn_rows import Cell, DrawnRow, DrawnTable, Scale, bar, drawing, whisker, zero_line
from mm_fsm.report.run_page.number_texts import NOTHING, Amounts, count, percent
from mm_fsm.report.run_page.shown_figures import ShownFigures


@frozen
class _Part:
    name: str
    label: str
    meaning: str
    sign: int


_PARTS: Final = (
    _Part("spread_capture", "Spread capture", "price against the middle at each fill", 1),
    _Part("inventory", "Inventory", "position carried through the market\u2019s moves", 1),
    _Part("fees", "Fees", "paid less rebates", -1),
    _Part("funding", "Funding", "received", 1),
)

_SIGNS: Final = {"net": 1, **{part.name: part.sign for part in _PARTS}}
"""Of what adds to the profit; fees take from it."""


def market_amounts(market: ShownFigures) -> Amounts:
    """How this market's money is written: with decimals enough for the parts of its profit."""
    profit = market["profit"]
    return Amounts.of(market["quote_currency"], [profit["net"], *(profit[part.name] for part in _PARTS)])


def waterfall(market: ShownFigures, amounts: Amounts) -> DrawnTable:
    """From spread capture to the net profit, each part where the ones before it end."""
    profit = market["profit"]
    parts = [part for part in _PARTS if part.name != "funding" or float(profit["funding"])]
    ends = [0.0]
    for part in parts:
        ends.append(ends[-1] + part.sign * float(profit[part.name]))
    bounds = [bound for each in profit["intervals"].values() for bound in (each["lower"], each["upper"])]
    net_bounds = [profit["intervals"]["net"][bound] for bound in ("lower", "upper")] if bounds else []
    scale = Scale.around(ends, *net_bounds)
    rows = [
        _part_row(market, amounts, part, bar(scale, begin, end, _fill(end - begin)), scale)
        for part, begin, end in zip(parts, ends, ends[1:], strict=False)
    ]
    net = float(profit["net"])
    drawn = [zero_line(scale), bar(scale, 0.0, net, "fill-own raised")]
    if net_bounds:
        drawn.append(whisker(scale, net_bounds, "beneath"))
    rows.append(
        DrawnRow(
            name="Net profit",
            cells=(_amount(market, "profit.net", amounts), _bounds(market, "net", 1, amounts)),
            drawing=drawing(*drawn),
            look="sum",
        )
    )
    return DrawnTable(
        caption="How the net profit adds up",
        heads=("Part", f"Amount, {amounts.currency}", _interval_head(profit)),
        rows=tuple(rows),
        axis=f"{amounts.currency}, each part beginning where the one before it ends",
    )


def _interval_head(owner: Any) -> str:
    return f"{percent(owner['terms']['share'], 0)} interval" if owner["terms"] else "Interval"


def _part_row(market: ShownFigures, amounts: Amounts, part: _Part, drawn: Markup, scale: Scale) -> DrawnRow:
    return DrawnRow(
        name=part.label,
        note=part.meaning,
        cells=(
            _amount(market, f"profit.{part.name}", amounts, part.sign),
            _bounds(market, part.name, part.sign, amounts),
        ),
        drawing=drawing(zero_line(scale), drawn),
    )


def _fill(change: float) -> str:
    return "fill-gain" if change >= 0 else "fill-loss"


def _amount(figures: ShownFigures, path: str, amounts: Amounts, sign: int = 1) -> Cell:
    """What it adds to the profit: fees count below zero."""
    return Cell(_signed(figures, path, amounts, sign))


def _bounds(market: ShownFigures, name: str, sign: int, amounts: Amounts) -> Cell:
    if name not in market["profit.intervals"]:
        return Cell(NOTHING, "muted")
    first, last = _in_order(market, f"profit.intervals.{name}", amounts, sign)
    return Cell(Markup("{} to {}").format(first, last), "muted")


def baseline_table(market: ShownFigures, amounts: Amounts) -> DrawnTable | None:
    """This run and the plain quoter, and the difference with its interval; None without a plain quoter."""
    baseline = market["baseline"]
    if baseline is None:
        return None
    places = {each["what"]: f"baseline.differences.{at}.interval" for at, each in enumerate(baseline["differences"])}
    scale = Scale.around(
        _SIGNS[what] * market[place][bound] for what, place in places.items() for bound in ("value", "lower", "upper")
    )
    rows = [
        DrawnRow(
            name=label,
            cells=_both(market, name, amounts, places.get(name)),
            drawing=_difference(market, places.get(name), scale, _SIGNS[name]),
            look="sum" if name == "net" else "",
        )
        for name, label in (*((part.name, part.label) for part in _PARTS[:3]), ("net", "Net profit"))
    ]
    return DrawnTable(
        caption="This run and a plain quoter on the same data",
        heads=("Figure", "This run", "Plain quoter", f"Difference, {amounts.currency}"),
        rows=(*rows, *_plain_rows(market, amounts)),
        axis=f"this run less the plain quoter, {amounts.currency}",
    )


def _both(market: ShownFigures, name: str, amounts: Amounts, difference: str | None) -> tuple[Cell, ...]:
    path, sign = f"profit.{name}", _SIGNS[name]
    cells = [_amount(market, path, amounts, sign), _amount(market, f"baseline.figures.{path}", amounts, sign)]
    if difference is None:
        return (*cells, Cell(NOTHING, "muted"))
    text = Markup('{} <span class="muted">({} to {})</span>')
    value = _signed(market, f"{difference}.value", amounts, sign)
    return (*cells, Cell(text.format(value, *_in_order(market, difference, amounts, sign))))


def _signed(market: ShownFigures, path: str, amounts: Amounts, sign: int) -> Markup:
    return market.show(path, lambda value: amounts.text(sign * Decimal(str(value)), signed=True))


def _in_order(market: ShownFigures, place: str, amounts: Amounts, sign: int) -> tuple[Markup, Markup]:
    """Both bounds of an interval, the lower one first once the sign is turned."""
    lower, upper = (_signed(market, f"{place}.{bound}", amounts, sign) for bound in ("lower", "upper"))
    return (lower, upper) if sign > 0 else (upper, lower)


def _difference(market: ShownFigures, place: str | None, scale: Scale, sign: int) -> Markup | str:
    if place is None:
        return ""
    value, *bounds = (sign * market[place][name] for name in ("value", "lower", "upper"))
    return drawing(
        zero_line(scale), bar(scale, 0.0, value, f"{_fill(value)} raised"), whisker(scale, bounds, "beneath")
    )


def _plain_rows(market: ShownFigures, amounts: Amounts) -> Iterator[DrawnRow]:
    texts: tuple[tuple[str, str, Any], ...] = (
        ("Largest drawdown", "drawdown.largest", amounts.text),
        ("Fills", "orders.fills", count),
        ("Volume", "profit.volume", amounts.text),
        ("Both sides at the venue within the rule", "presence.both_share", percent),
    )
    for name, path, text in texts:
        cells = (Cell(market.show(path, text)), Cell(market.show(f"baseline.figures.{path}", text)))
        yield DrawnRow(name=name, cells=(*cells, Cell("")))
