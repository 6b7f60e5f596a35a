"""How good the quotes were: presence, holds, orders, position."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from attrs import frozen
from markupsafe import Markup

from mm_fsm.report.run_page.drawn_rows import (
    Cell,
    DrawnRow,
    DrawnTable,
    Scale,
    bar,
    drawing,
    upright,
    zero_line,
)
from mm_fsm.report.run_page.number_texts import NOTHING, count, duration, exact, percent, plain, words
from mm_fsm.report.run_page.shown_figures import ShownFigures

_LIVE: Final = "live"


@frozen(kw_only=True)
class Fact:
    """One figure with its name and, in small, what it means."""

    name: str
    value: Markup | str
    note: str = ""


def presence_table(market: ShownFigures) -> DrawnTable:
    """Shares of time and of snapshots that met the programme's rule, against what it asks for."""
    asked = market["presence.programme.asked_share"]
    scale = Scale(0.0, 1.0)
    rows = [
        ("Both sides, share of time", "both_share", "fill-own"),
        ("Both sides, share of snapshots", "snapshot_share", "fill-own"),
        ("Bid, share of time", "bid_share", "fill-bid"),
        ("Ask, share of time", "ask_share", "fill-ask"),
    ]
    return DrawnTable(
        caption="Presence by the programme\u2019s rule",
        heads=("As the venue sees it", "Share"),
        rows=tuple(
            DrawnRow(
                name=name,
                cells=(Cell(market.show(f"presence.{path}", percent)),),
                drawing=""
                if market[f"presence.{path}"] is None
                else drawing(bar(scale, 0.0, market[f"presence.{path}"], look), upright(scale, asked, "asked")),
                look="sum" if path == "both_share" else "",
            )
            for name, path, look in rows
        ),
        axis=f"0 to 100\u202f%; the line is the {percent(asked, 0)} asked for",
    )


def hold_table(market: ShownFigures) -> DrawnTable:
    """Reasons by side, the longest first; live time on top."""
    found: dict[str, dict[str, ShownFigures]] = {}
    for each in market.items("holds.totals"):
        found.setdefault(each["reason"], {})[each["side"]] = each
    order = sorted(found, key=lambda reason: (reason != _LIVE, -_seconds(found[reason])))
    held = [each["share"] for reason in order if reason != _LIVE for each in found[reason].values()]
    scale = Scale.around(held)
    return DrawnTable(
        caption="Time of each side by reason",
        heads=("Reason", "Bid", "Bid, share", "Ask", "Ask, share"),
        rows=tuple(_hold_row(reason, found[reason], scale) for reason in order),
        axis=f"0 to {percent(scale.high)} of the time; above the bid, below the ask",
    )


def _seconds(sides: dict[str, ShownFigures]) -> float:
    return sum(float(each["seconds"]) for each in sides.values())


def _hold_row(reason: str, sides: dict[str, ShownFigures], scale: Scale) -> DrawnRow:
    cells: list[Cell] = []
    for side in ("bid", "ask"):
        if side in sides:
            cells += [
                Cell(sides[side].show("seconds", duration), side),
                Cell(sides[side].show("share", percent), "muted"),
            ]
        else:
            cells += [Cell(NOTHING, "muted"), Cell(NOTHING, "muted")]
    if reason == _LIVE:
        return DrawnRow(name="Live", cells=tuple(cells), look="sum")
    why = next(iter(sides.values()))["why"]
    bars = [
        bar(scale, 0.0, sides[side]["share"], f"fill-{side} {place}")
        for side, place in (("bid", "upper"), ("ask", "lower"))
        if side in sides
    ]
    return DrawnRow(
        name=words(reason).capitalize(), note=why, cells=tuple(cells), drawing=drawing(zero_line(scale), *bars)
    )


def order_facts(market: ShownFigures) -> list[tuple[str, list[Fact]]]:
    """Orders sent and what became of them, in three groups with their names."""
    orders = market.below("orders")
    became = [
        Fact(name="Placed", value=orders.show("placed", count)),
        Fact(name="Acknowledged", value=orders.show("acknowledged", count)),
        Fact(name="Cancels sent", value=orders.show("cancels", count)),
        *(Fact(name=f"Ended {words(name)}", value=each.show("", count)) for name, each in orders.names("ended")),
        Fact(name="Fills", value=orders.show("fills", count)),
        Fact(name="Fills as maker", value=orders.show("maker_fills", count)),
        Fact(name="Orders with a fill", value=orders.show("orders_filled", count)),
    ]
    trouble = [
        *(Fact(name=f"Rejected: {words(name)}", value=each.show("", count)) for name, each in orders.names("rejected")),
        Fact(
            name="Cancel races lost",
            value=orders.show("cancel_races_lost", count),
            note="fills after the cancel was sent",
        ),
        Fact(name="Cancels refused", value=orders.show("cancels_refused", count)),
        Fact(name="Unknown for a while", value=orders.show("unknown", count), note="orders without an answer"),
    ]
    return [
        ("In proportion", list(_ratios(orders))),
        ("Sent, and what became of it", became),
        ("What went wrong", trouble),
    ]


def _ratios(orders: ShownFigures) -> Iterator[Fact]:
    yield Fact(
        name="Fill ratio",
        value=orders.show("fill_ratio", lambda share: percent(share, 2)),
        note="of the quantity that the venue took into its book",
    )
    yield Fact(name="Orders per fill", value=orders.show("orders_per_fill", plain))
    yield Fact(name="Cancels per fill", value=orders.show("cancels_per_fill", plain))
    yield Fact(
        name="Quote life, median",
        value=orders.show("life.median_seconds", duration),
        note="from acknowledgement to end",
    )
    yield Fact(name="Quote life, mean", value=orders.show("life.mean_seconds", duration))
    yield Fact(name="Quote life, longest", value=orders.show("life.longest_seconds", duration))
    yield Fact(name="Ended orders measured", value=orders.show("life.count", count))


def inventory_facts(market: ShownFigures) -> list[Fact]:
    """The position's figures, base units."""
    held, base = market.below("inventory"), market["base_currency"]

    def units(value: Any) -> str:
        return NOTHING if value is None else f"{exact(value)}\u202f{base}"

    def rounded(value: float | str) -> str:
        return f"{exact(float(f'{float(value):.4g}'))}\u202f{base}"

    return [
        Fact(name="At the end", value=held.show("final", units), note="less the target, as all of these"),
        Fact(name="Highest", value=held.show("highest", units)),
        Fact(name="Lowest", value=held.show("lowest", units)),
        Fact(name="Largest distance", value=held.show("largest", units)),
        Fact(name="Mean", value=held.show("mean", rounded), note="weighted with time"),
        Fact(name="Mean distance", value=held.show("mean_distance", rounded), note="weighted with time"),
        Fact(name="Limit", value=held.show("limit", rounded)),
        Fact(name="Time at the limit", value=held.show("at_limit_seconds", duration)),
        Fact(
            name="Half-life",
            value=held.show("half_life_seconds", duration),
            note=f"mean of {count(held['half_lives'])} times that a distance halved",
        ),
        Fact(name="Halvings", value=held.show("half_lives", count)),
    ]
