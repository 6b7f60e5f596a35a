"""The report's page from a run's figures."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import Any

from attrs import frozen

from mm_fsm.report.figures import RunFigures
from mm_fsm.report.pages import self_contained_page
from mm_fsm.report.run_page import number_texts as texts
from mm_fsm.report.run_page.answers import PageAnswer, answers
from mm_fsm.report.run_page.chart_rows import budget_table, heat_map, request_table, state_tables
from mm_fsm.report.run_page.drawn_rows import DrawnTable
from mm_fsm.report.run_page.page_data import market_data
from mm_fsm.report.run_page.profit_rows import baseline_table, market_amounts, waterfall
from mm_fsm.report.run_page.quality_rows import (
    Fact,
    hold_table,
    inventory_facts,
    order_facts,
    presence_table,
)
from mm_fsm.report.run_page.shown_figures import ShownFigures

_HOME = "mm_fsm.report.run_page"


@frozen(kw_only=True)
class MarketSection:
    """All that the template writes of one market."""

    number: int
    figures: ShownFigures
    amounts: texts.Amounts
    answers: list[PageAnswer]
    waterfall: DrawnTable
    baseline: DrawnTable | None
    inventory: list[Fact]
    presence: DrawnTable
    holds: DrawnTable
    orders: list[tuple[str, list[Fact]]]
    heat_map: str
    states: list[DrawnTable]
    budgets: DrawnTable | None
    requests: DrawnTable | None


def report_page(figures: RunFigures, place: str | None = None) -> str:
    """The whole page, to be written as UTF-8.

    Every number stands in it as text, with its exact value and its place in ``report.json`` beside it.

    Args:
        figures: of the run.
        place: the run's directory as it was given, for commands; its name if nobody says it.
    """
    entry = figures.entry()
    whole = ShownFigures(entry, "")
    place = place or entry["name"]
    sections = [_section(whole.apart(f"markets.{number}"), number, place) for number in range(len(entry["markets"]))]
    return self_contained_page(
        "run.html.jinja",
        title=f"Report of {entry['name']}",
        data={
            "place": place,
            "markets": [market_data(section.figures.entry, section.amounts.decimals) for section in sections],
        },
        home=_HOME,
        styles=["run.css"],
        scripts=["markouts.js", "run.js"],
        has_timelines=True,
        run=whole,
        place=quote(place),
        sections=sections,
        texts=texts,
        settings_text=_setting,
        met_text=_met,
    )


def _section(market: ShownFigures, number: int, place: str) -> MarketSection:
    amounts = market_amounts(market)
    return MarketSection(
        number=number,
        figures=market,
        amounts=amounts,
        answers=answers(market, amounts, place),
        waterfall=waterfall(market, amounts),
        baseline=baseline_table(market, amounts),
        inventory=inventory_facts(market),
        presence=presence_table(market),
        holds=hold_table(market),
        orders=order_facts(market),
        heat_map=heat_map(market, amounts),
        states=state_tables(market, amounts),
        budgets=budget_table(market),
        requests=request_table(market),
    )


def _setting(value: Any) -> str:
    """A setting as a settings file has it, near enough to be read."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {_setting(each)}" for name, each in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_setting, value)) or "none"
    return str(value)


def _met(is_met: bool) -> str:  # noqa: FBT001 - a figure
    return "Met" if is_met else "Missed"
