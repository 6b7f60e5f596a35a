"""The result of a run as tables for people: one column a symbol, read from the entries that JSON has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mm_fsm.core.clock import NANOSECONDS_PER_SECOND, seconds
from mm_fsm.core.plurals import counted
from mm_fsm.runtime.shutdown import Ending

Entry = Mapping[str, Any]
_Cell = Callable[[Entry], str | Text]

_LABEL_WIDTH: Final = 26
_COLUMN_WIDTH: Final = 24
_HOLDS_SHOWN: Final = 3
_NONE: Final = "-"
_OUTCOME_STYLES: Final = {"completed": "green", "late": "yellow", "fault": "bold red", "unfinished": "yellow"}
_BYTES_PER_MEGABYTE: Final = 1_000_000
_SECONDS_PER_MINUTE: Final = 60
_SECONDS_PER_HOUR: Final = 3600


def result_tables(entries: Sequence[Entry], width: int, *, in_full: bool) -> RenderableType:
    """The figures of a run that matter most, or all, as many symbols side by side as ``width`` characters hold."""
    per_table = max(1, (width - _LABEL_WIDTH) // _COLUMN_WIDTH)
    groups = [entries[start : start + per_table] for start in range(0, len(entries), per_table)]
    return Group(*(_table(group, in_full=in_full) for group in groups))


def endings(entries: Sequence[Entry]) -> list[str]:
    """One line for each symbol: whether its book was confirmed empty, and what position is left."""
    return [str(_ending(entry["ending"])) for entry in entries]


def _ending(entry: Entry) -> Ending:
    amounts = {name: Decimal(entry.get(name, 0)) for name in ("position", "offset", "below_lot")}
    return Ending(**{**entry, **amounts, "unconfirmed": tuple(entry["unconfirmed"])})


def duration(seconds: float) -> str:
    """A duration for people: ``1:05:09``, ``5:09``, or ``9.3 s`` below a minute."""
    if seconds < _SECONDS_PER_MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _SECONDS_PER_MINUTE)
    hours, minutes = divmod(minutes, _SECONDS_PER_MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def lasting(nanoseconds: int) -> str:
    """A duration in nanoseconds for people; one that is over is none."""
    return duration(max(seconds(nanoseconds), 0.0))


def clock_text(time: int) -> str:
    """The time of day, UTC, of a time in nanoseconds since 1970: ``12:00:05``."""
    return datetime.fromtimestamp(time // NANOSECONDS_PER_SECOND, UTC).strftime("%H:%M:%S")


def size(in_bytes: int) -> str:
    """A size of a file for people, in millions of bytes."""
    return f"{in_bytes / _BYTES_PER_MEGABYTE:,.1f} MB"


def money(amount: object) -> str:
    """An amount in quote currency, rounded to cents for people."""
    text = f"{float(str(amount)):,.2f}"
    return "0.00" if text == "-0.00" else text


def colored_money(amount: object) -> Text:
    """An amount in quote currency, green or red, with its sign."""
    text = money(amount)
    if text == "0.00":
        return Text(text)
    return Text(text, style="red") if text.startswith("-") else Text(f"+{text}", style="green")


def _table(entries: Sequence[Entry], *, in_full: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("", no_wrap=True)
    for entry in entries:
        table.add_column(Text(entry["symbol"]), justify="right", min_width=12)
    for label, cell in () if in_full else (*_FIRST, *_holds(entries)[:1]):
        table.add_row(Text(label, style="dim"), *(cell(entry) for entry in entries))
    for title, rows in _sections(entries) if in_full else ():
        table.add_row(Text(title, style="bold cyan"))
        for label, cell in rows:
            table.add_row(Text(f"  {label}", style="dim"), *(cell(entry) for entry in entries))
    return table


def _sections(entries: Sequence[Entry]) -> Iterator[tuple[str, Sequence[tuple[str, _Cell]]]]:
    yield "Session", _SESSION
    yield "Profit in quote currency", _PROFIT
    yield "Trading", _TRADING
    horizons = entries[0]["markouts"]
    yield "Markout in bps, by volume (by fill)", [(f"after {each} s", _markout(each)) for each in horizons]
    if "quote_edge" in entries[0]:  # results of earlier versions have none
        rows = [(f"after {each} s", _net_markout(each, "all")) for each in horizons]
        yield "Net of fees (95 % interval)", [*rows, *_by_level(entries)]
    yield "Quoting", [*_QUOTING, *_holds(entries)]
    states = list(dict.fromkeys(state for entry in entries for state in entry["state_seconds"]))
    yield "Time in state (computing)", [(state, _time_in(state)) for state in states]
    yield "Beyond the budget", [(kind, _breaches(kind)) for kind in ("waiting", "computing")]


def _outcome(entry: Entry) -> Text:
    text = Text(entry["outcome"], style=_OUTCOME_STYLES.get(entry["outcome"], ""))
    restarts = len(entry.get("restarts", ()))
    if restarts:
        text.append(f" after {counted(restarts, 'restart')}", style="yellow")
    return text.append(f": {entry['error']}", style="default") if entry["error"] else text


def _rate(value: float | None, digits: int = 1) -> str:
    return _NONE if value is None else f"{value:.{digits}f}"


def _share(value: float) -> str:
    return f"{value:.1%}"


def _fees(entry: Entry) -> str:
    """What is booked, and what was paid that no figure has yet: currencies without a price, fills without their fee."""
    more = entry["additional_data"]
    waiting = [f"{Decimal(amount).normalize():f} {name}" for name, amount in more.get("unpriced_fees", {}).items()]
    if fills := more.get("fills_without_fee", 0):
        waiting.append(f"{fills:,} not told")
    return " + ".join([money(entry["total_fees"]), *waiting])


_SESSION: Final[Sequence[tuple[str, _Cell]]] = (
    ("outcome", _outcome),
    ("restarts because of", lambda entry: "; ".join(entry.get("restarts", ())) or _NONE),
    ("preset", lambda entry: entry["preset"] or _NONE),
    ("event time", lambda entry: duration(entry["execution_time_ms"] / 1000)),
    ("market events", lambda entry: f"{entry['events']:,}"),
    ("events a second", lambda entry: f"{entry['events_per_second']:,.0f}"),
    ("wall time of the run", lambda entry: duration(entry["wall_seconds"])),
    ("journal", lambda entry: _NONE if entry["journal"] is None else size(entry["journal"]["bytes"])),
)
_PROFIT: Final[Sequence[tuple[str, _Cell]]] = (
    ("net PnL", lambda entry: colored_money(entry["net_pnl"])),
    ("= spread capture", lambda entry: money(entry["spread_capture"])),
    ("+ inventory", lambda entry: money(entry["inventory_pnl"])),
    ("- fees", _fees),
    ("+ funding", lambda entry: money(entry["funding"])),
    ("identity gap", lambda entry: str(entry["pnl_identity_gap"])),
    ("realised", lambda entry: money(entry["realized_pnl"])),
    ("unrealised", lambda entry: money(entry["unrealized_pnl"])),
    ("net bps of volume", lambda entry: _rate(entry["net_pnl_bps_of_volume"], 2)),
    ("largest drawdown", lambda entry: money(entry["max_drawdown"])),
    ("holding would have made", lambda entry: money(entry["holding_pnl"])),
)
_TRADING: Final[Sequence[tuple[str, _Cell]]] = (
    ("fills (as maker)", lambda entry: f"{entry['fills']:,} ({entry['maker_fills']:,})"),
    ("volume", lambda entry: money(entry["additional_data"]["total_volume"])),
    ("spread captured, bps", lambda entry: _rate(entry["additional_data"]["average_spread_captured"], 2)),
    ("fill rate", lambda entry: _share(entry["additional_data"]["fill_rate"])),
    ("orders placed", lambda entry: f"{entry['orders']['placed']:,}"),
    ("cancels", lambda entry: f"{entry['orders']['cancels']:,}"),
    ("post-only rejections", lambda entry: f"{entry['orders'].get('rejected_post_only', 0):,}"),
    ("orders for each fill", lambda entry: _rate(entry["order_to_trade_ratio"])),
    ("largest inventory, base", lambda entry: f"{float(entry['max_inventory']):.6g}"),
    ("final position, base", lambda entry: f"{float(entry['additional_data']['base_position']):.6g}"),
)
_QUOTING: Final[Sequence[tuple[str, _Cell]]] = (
    ("both sides live", lambda entry: _share(entry["both_sides_live_share"])),
    ("both sides at the venue", lambda entry: _share(entry.get("both_sides_resting_share", 0.0))),
    ("spreads at a bound", lambda entry: _share(entry["spread_clamped_share"])),
)

_FIRST: Final[Sequence[tuple[str, _Cell]]] = (
    ("outcome", _outcome),
    ("net PnL, quote currency", lambda entry: colored_money(entry["net_pnl"])),
    ("= spread capture", lambda entry: money(entry["spread_capture"])),
    ("+ inventory", lambda entry: money(entry["inventory_pnl"])),
    ("- fees", _fees),
    ("net bps of volume", lambda entry: _rate(entry["net_pnl_bps_of_volume"], 2)),
    ("largest drawdown", lambda entry: money(entry["max_drawdown"])),
    ("fills of orders placed", lambda entry: f"{entry['fills']:,} of {entry['orders']['placed']:,}"),
    ("both sides live", lambda entry: _share(entry["both_sides_live_share"])),
)
"""What a trader looks at first; the commonest reason for a hold follows."""


def _markout(horizon: str) -> _Cell:
    def cell(entry: Entry) -> str:
        figures = entry["markouts"].get(horizon, {}).get("all", {})
        if not figures.get("count"):
            return _NONE
        return f"{figures['volume_weighted_bps']:+.2f} ({figures['trade_weighted_bps']:+.2f})"

    return cell


def _by_level(entries: Sequence[Entry]) -> list[tuple[str, _Cell]]:
    """Net markouts by side and level, at the horizon by which adverse selection is judged."""
    judged = f"{entries[0]['quote_edge']['horizon_seconds']:g}"
    groups = dict.fromkeys(group for entry in entries for group in entry["markouts"].get(judged, {}) if group != "all")
    return [(f"{judged} s, {group.replace('_', ' level ')}", _net_markout(judged, group)) for group in groups]


def _net_markout(horizon: str, group: str) -> _Cell:
    def cell(entry: Entry) -> str:
        figures = entry["markouts"].get(horizon, {}).get(group, {})
        if not figures.get("count"):
            return _NONE
        return with_interval(figures["net_volume_weighted_bps"], figures["net_volume_weighted_interval_bps"])

    return cell


def with_interval(value: float, interval: Sequence[float] | None) -> str:
    """A figure in bps and its interval; ``?`` where there is none yet."""
    return f"{value:+.2f} ({'?' if interval is None else f'{interval[0]:+.2f} to {interval[1]:+.2f}'})"


def _holds(entries: Sequence[Entry]) -> list[tuple[str, _Cell]]:
    """The commonest reasons for which a side was not live, longest first."""
    totals: dict[str, float] = {}
    for entry in entries:
        for reasons in entry["hold_seconds"].values():
            for reason, held in reasons.items():
                totals[reason] = totals.get(reason, 0.0) + held
    commonest = sorted(totals, key=lambda reason: -totals[reason])[:_HOLDS_SHOWN]
    return [(f"held: {reason}", _hold(reason)) for reason in commonest]


def _hold(reason: str) -> _Cell:
    return lambda entry: " / ".join(duration(held.get(reason, 0.0)) for held in entry["hold_seconds"].values())


def _time_in(state: str) -> _Cell:
    def cell(entry: Entry) -> str:
        spent = entry["state_seconds"].get(state, 0.0)
        return f"{duration(spent)} ({duration(entry['computing_seconds'].get(state, 0.0))})"

    return cell


def _breaches(kind: str) -> _Cell:
    def cell(entry: Entry) -> str:
        breaches = entry["budget_breaches"][kind]
        return "\n".join(f"{state} {count:,}" for state, count in breaches.items()) or "none"

    return cell
