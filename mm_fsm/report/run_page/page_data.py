"""What the page's script draws over time, and lists: columns of one market, packed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mm_fsm.report.run_page.packed_columns import packed, packed_exactly, packed_to_draw


def market_data(market: Mapping[str, Any], decimals: int) -> dict[str, Any]:
    """One market's columns. What is drawn is rounded to what can be seen; fills and times are exact.

    ``decimals`` are those of its amounts of money in sentences.
    """
    return {
        "symbol": market["symbol"],
        "base": market["base_currency"],
        "quote": market["quote_currency"],
        "decimals": decimals,
        "begin": market["begin_ms"],
        "end": market["end_ms"],
        "series": _series(market["series"]),
        "baseline": _baseline(market["baseline"]),
        "parts": _parts(market["profit_steps"]),
        "fills": _fills(market["fills"]),
        "holds": _holds(market["holds"]),
        "stretches": _stretches(market["holds"]["stretches"]),
        "markouts": _markouts(market["markouts"]["rows"]),
        "limit": market["inventory"]["limit"],
        "life": market["orders"]["life"]["histogram"],
        "edges": [
            [each[name] for name in ("source", "event", "target", "taken")] for each in market["machine"]["edges"]
        ],
        "states": {
            each["state"]: {"visits": each["visits"], "seconds": each["seconds"], "net": float(each["net"])}
            for each in market["machine"]["states"]
        },
    }


def _series(series: Mapping[str, Any]) -> dict[str, Any]:
    groups = (
        ("mid", "mid_low", "mid_high", "bid", "ask"),
        ("inventory", "inventory_low", "inventory_high"),
        ("net", "net_low", "net_high", "drawdown"),
    )
    columns: dict[str, Any] = {"time": packed(series["time_ms"], 0)}
    for names in groups:
        columns.update(zip(names, packed_to_draw(*(series[name] for name in names)), strict=True))
    return columns


def _baseline(baseline: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if baseline is None:
        return None
    return {"net": packed_to_draw(baseline["net_per_step"])[0], "final": baseline["figures"]["profit"]["net"]}


def _parts(steps: Mapping[str, Any]) -> dict[str, Any]:
    names = ("net", "spread_capture", "inventory", "fees")
    drawn = packed_to_draw(*(steps[name] for name in names))
    return {"end": packed(steps["end_ms"], 0), **dict(zip(names, drawn, strict=True))}


def _fills(fills: Mapping[str, Any]) -> dict[str, Any]:
    exact = ("price", "quantity", "fee", "mid", "inventory", "net")
    return {
        "total": fills["total"],
        "time": packed(fills["time_ms"], 0),
        "step": packed(fills["step"], 0),
        **{name: packed_exactly(fills[name]) for name in exact},
        **{name: _words(fills[name]) for name in ("side", "purpose", "liquidity")},
        "level": packed(fills["level"], 0),
        "age": packed(fills["quote_age_seconds"], 3),
        "order": _alike(fills["order"]),
        "markouts": {horizon: packed(column, 2) for horizon, column in fills["markouts"].items()},
    }


def _holds(holds: Mapping[str, Any]) -> dict[str, Any]:
    over_time = holds["over_time"]
    totals: dict[str, float] = {}
    for each in holds["totals"]:
        totals[each["reason"]] = totals.get(each["reason"], 0.0) + each["seconds"]
    return {
        "bin": over_time["bin_seconds"],
        "time": packed(over_time["time_ms"], 0),
        "reasons": sorted(totals, key=lambda reason: (reason != "live", -totals[reason], reason)),
        "why": {each["reason"]: each["why"] for each in holds["totals"]},
        "seconds": {
            side: {reason: packed(column, 3) for reason, column in reasons.items()}
            for side, reasons in over_time["seconds"].items()
        },
    }


def _stretches(stretches: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "total": stretches["total"],
        "begin": packed(stretches["begin_ms"], 0),
        "end": packed(stretches["end_ms"], 0),
        "step": packed(stretches["step"], 0),
        **{name: _words(stretches[name]) for name in ("side", "reason", "detail", "edge", "ending")},
    }


def _markouts(rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Every number exactly, as text: the page's script makes tables of them."""
    names = ("horizon_seconds", "count", "quantity", "gross_bps", "gross_by_fill_bps", "net_bps")
    return {
        "names": ["group", "of", *names, "low", "high"],
        "rows": [
            [row["group"], row["of"], *map(_text, (*map(row.get, names), *(row["net_interval_bps"] or (None, None))))]
            for row in rows
        ],
    }


def _text(number: float | None) -> str | None:
    return None if number is None else str(number)


def _words(column: list[str | None]) -> dict[str, Any]:
    """A column of few different texts: each once, and where it stands."""
    known = list(dict.fromkeys(column))
    places = {text: place for place, text in enumerate(known)}
    return {"words": known, "places": packed([places[text] for text in column], 0)}


def _alike(column: list[str]) -> dict[str, Any]:
    """A column of texts that begin alike: the beginning once, and the rest of each."""
    first, last = min(column, default=""), max(column, default="")
    length = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return {"begin": first[:length], "rests": [text[length:] for text in column]}
