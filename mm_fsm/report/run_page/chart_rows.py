"""How the chart was used: as a heat map, state by state, edge by edge, and how its budgets were kept."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from typing import Any, Final

import attrs
from markupsafe import Markup

from mm_fsm.chart import ChartDefinition, EdgeDefinition
from mm_fsm.diagram import EdgeStyle, Overlay, PictureFormat, StateStyle, picture
from mm_fsm.diagram.loading import load_chart
from mm_fsm.errors import MarketMakerError
from mm_fsm.report.pages import embedded_picture
from mm_fsm.report.run_page.drawn_rows import Cell, DrawnRow, DrawnTable, Scale, bar, drawing, zero_line
from mm_fsm.report.run_page.number_texts import Amounts, count, duration, instant, percent
from mm_fsm.report.run_page.shown_figures import ShownFigures

_OWN: Final = "mm_fsm."
_NEVER: Final = "#ffffff"
_HEATS: Final = ("#f3f7fb", "#e3eef8", "#d0e3f4", "#bad6ee", "#a3c8e8")
"""From seldom to often; all text reads on each."""

_Edge = tuple[str, str, str]
"""Source, event and target."""


def heat_map(market: ShownFigures, amounts: Amounts) -> str:
    """The chart with visits, dwell time and profit at each state, as SVG to embed; empty where it cannot be drawn.

    A machine of another package is drawn where its module is loaded, as in the run itself: what a file of figures
    names is never imported.
    """
    definition = _definition(market["machine.machine"])
    if definition is None:
        return ""
    taken: dict[_Edge, int] = {}
    for each in market["machine.edges"]:
        key = (each["source"], each["event"], each["target"])
        taken[key] = max(taken.get(key, 0), each["taken"])
    used = _as_used(definition, taken)
    try:
        drawn = picture(used, PictureFormat.SVG, _overlay(used, market["machine"], taken, amounts))
    except MarketMakerError:
        return ""
    return _with_node_names(embedded_picture(drawn.decode(), ""))


def _with_node_names(svg: str) -> str:
    """States by ``data-node``, for the script; hints would only repeat what is drawn here, so they are left out."""
    named = re.sub(r'class="node">\s*<title>([^<]*)</title>', r'class="node" data-node="\1">', svg)
    return re.sub(r' id="[^"]*"|</?a\b[^>]*>\s*|<title>[^<]*</title>\s*', "", named)


def _definition(reference: str) -> ChartDefinition | None:
    module = reference.split(":", maxsplit=1)[0]
    if not module.startswith(_OWN) and module not in sys.modules:
        return None
    try:
        return load_chart(reference).definition
    except MarketMakerError:
        return None


def _as_used(definition: ChartDefinition, taken: Mapping[_Edge, int]) -> ChartDefinition:
    """The chart with the edges that were taken, without guards and actions: what is left says how it was used."""
    states = tuple(attrs.evolve(state, purpose="", budget=None, enter=(), exit=()) for state in definition.states)
    edges: dict[_Edge, EdgeDefinition] = {}
    for edge in definition.edges:
        key = (edge.source, edge.event, edge.target)
        if taken.get(key):
            edges.setdefault(
                key, attrs.evolve(edge, guards=(), before=(), on=(), after=(), note="", excluded="", number=1)
            )
    return attrs.evolve(definition, states=states, edges=tuple(edges.values()))


def _overlay(
    definition: ChartDefinition, machine: Mapping[str, Any], taken: Mapping[_Edge, int], amounts: Amounts
) -> Overlay:
    most = max((each["visits"] for each in machine["states"]), default=0)
    figures = {each["state"]: each for each in machine["states"]}
    states = {
        state.id: StateStyle(
            fill=_heat(each["visits"], most),
            dashed=not each["visits"],
            annotations=(
                f"{count(each['visits'])} visit{'' if each['visits'] == 1 else 's'}",
                f"{duration(each['seconds'])}, {percent(each['share'])} of the time",
                f"{amounts.with_unit(each['net'], signed=True)} profit",
            ),
        )
        for state in definition.states
        if (each := figures.get(state.id)) is not None
    }
    edges = {}
    for edge in definition.edges:
        number = taken[edge.source, edge.event, edge.target]
        edges[edge.id] = EdgeStyle(width=0.8 + 0.5 * len(str(number)), label_suffix=f" \u00d7{count(number)}")
    return Overlay(states=states, edges=edges, caption="as it was used: what was never taken is left out")


def _heat(visits: int, most: int) -> str:
    """Shades by the root of the share of the most: the eye takes area, not length."""
    if not visits:
        return _NEVER
    return _HEATS[min(int(math.sqrt(visits / most) * len(_HEATS)), len(_HEATS) - 1)]


def state_tables(market: ShownFigures, amounts: Amounts) -> list[DrawnTable]:
    """Dwell time and visits by state, then profit by state."""
    states = market.rows("machine.states")
    shares, nets = (
        Scale(0.0, max([0.01, *(each["share"] for each in states)])),
        Scale.around(float(each["net"]) for each in states),
    )
    dwell = tuple(
        DrawnRow(
            name=each["state"],
            place=each.around,
            cells=(
                Cell(each.show("visits", count)),
                Cell(each.show("seconds", duration)),
                Cell(each.show("share", percent), "muted"),
                Cell(each.show("mean_visit_seconds", duration), "muted"),
                Cell(each.show("computing_seconds", duration), "muted"),
            ),
            drawing=drawing(bar(shares, 0.0, each["share"], "fill-own")),
        )
        for each in states
    )
    profit = tuple(
        DrawnRow(
            name=each["state"],
            place=each.around,
            cells=(Cell(each.show("net", lambda net: amounts.text(net, signed=True))),),
            drawing=drawing(zero_line(nets), bar(nets, 0.0, float(each["net"]), _fill(each["net"]))),
        )
        for each in states
    )
    return [
        DrawnTable(
            caption="Visits and time by state",
            heads=("State", "Visits", "Time", "Share", "Mean visit", "Computing"),
            rows=dwell,
            axis=f"0 to {percent(shares.high)} of the time",
        ),
        DrawnTable(
            caption="Net profit by the state that it was booked in",
            heads=("State", f"Net profit, {amounts.currency}"),
            rows=profit,
            axis=amounts.currency,
        ),
    ]


def _fill(net: str) -> str:
    return "fill-gain" if float(net) >= 0 else "fill-loss"


def budget_table(market: ShownFigures) -> DrawnTable | None:
    """The chart's time budgets; None where it has none."""
    budgets = market.rows("machine.chart_budgets")
    if not budgets:
        return None
    scale = Scale.around(_share(each) for each in budgets)
    rows = tuple(
        DrawnRow(
            name=each["state"],
            place=each.around,
            note=each["measure"],
            cells=(
                Cell(each.show("milliseconds", lambda value: f"{count(value)}\u202fms")),
                Cell(each.show("breaches", count), "strong"),
                Cell(each.show("visits", count), "muted"),
            ),
            drawing=drawing(bar(scale, 0.0, _share(each), "fill-loss")),
        )
        for each in budgets
    )
    return DrawnTable(
        caption="Time budgets of states",
        heads=("State", "Budget", "Visits beyond it", "Visits"),
        rows=rows,
        axis=f"0 to {percent(scale.high, 2)} of the visits beyond their budget" if any(map(_share, budgets)) else "",
    )


def _share(budget: ShownFigures) -> float:
    return budget["breaches"] / budget["visits"] if budget["visits"] else 0.0


def request_table(market: ShownFigures) -> DrawnTable | None:
    """How near requests came to the venue's rules; None where it has none."""
    budgets = market.rows("machine.request_budgets")
    if not budgets:
        return None
    scale = Scale.around((each["used_share"] for each in budgets), 1.0)
    rows = tuple(
        DrawnRow(
            name=each["rule"].replace("_", " "),
            place=each.around,
            note=Markup("{}{}").format(each["unit"], _when(each)),
            cells=(
                Cell(each.show("limit", _short)),
                Cell(each.show("most_used", _short)),
                Cell(each.show("used_share", percent), "muted"),
            ),
            drawing=drawing(bar(scale, 0.0, each["used_share"], "fill-own")),
        )
        for each in budgets
    )
    return DrawnTable(
        caption="The venue\u2019s rules about requests",
        heads=("Rule", "Limit", "Most used", "Share"),
        rows=rows,
        axis="0 to the limit",
    )


def _when(budget: ShownFigures) -> Markup:
    if budget["at_ms"] is None:
        return Markup("")
    return Markup("; most used at {} UTC").format(budget.show("at_ms", instant))


def _short(number: float) -> str:
    return f"{number:,.6g}".replace(",", "\u202f")
