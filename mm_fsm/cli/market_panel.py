"""One market in the live view: own quotes against the market, inventory, profit, why a side is held, what happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from rich.panel import Panel
from rich.text import Text

from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.instrument import BASIS_POINTS
from mm_fsm.core.messages import Side
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.report.status import SessionStatus
from mm_fsm.report.status_words import headline, side_lines
from mm_fsm.report.table import colored_money, money, size
from mm_fsm.runtime.session import Session

LEVELS_SHOWN: Final = 3
FIXED_ROWS: Final = 2 * LEVELS_SHOWN + 10
"""Rows that are always there, the border included; recent transitions come on top."""

_GAUGE_HALF_WIDTH: Final = 7
_NEAR_LIMIT: Final = 0.8
_STATE_STYLES: Final = {"monitoring_orders": "black on green", "error": "white on red", "idle": "black on yellow"}
_OTHER_STATE: Final = "black on cyan"
_SIDE_STYLES: Final = {Side.BID: "green", Side.ASK: "red"}


def market_panel(status: SessionStatus, recent: Sequence[Text], rows: int) -> Panel:
    """A market in ``rows`` rows; the last transitions fill what is left."""
    session, machine, entry = status.session, status.session.machine, status.entry()
    lines = [*_ladder(machine), _inventory(machine), *_profit(machine), _spreads(machine), *_sides(entry)]
    room = rows - FIXED_ROWS
    shown = list(recent)[-room:] if room > 0 else []
    lines += [*shown, *(Text("") for _ in range(room - len(shown)))]
    state = machine.chart_state
    title = Text.assemble(
        (f" {session.symbol} ", "bold"), (f" {state.upper()} ", _STATE_STYLES.get(state, _OTHER_STATE))
    )
    title.append_text(_glance(entry, with_reasons=False))
    content = Text("\n", no_wrap=True, overflow="ellipsis").join(lines)
    return Panel(
        content,
        title=title,
        title_align="left",
        subtitle=_journal(session),
        subtitle_align="right",
        border_style="dim",
        padding=(0, 1),
    )


def _journal(session: Session) -> Text | None:
    if session.journal is None:
        return None
    status = session.journal.status
    if status.failure is not None:
        return Text(f" journal cannot be written: {status.failure} ", style="white on red")
    return Text(f" journal {size(status.size)} ", style="dim")


def market_line(status: SessionStatus) -> Text:
    """A market in one row, for when there is no room for more."""
    machine = status.session.machine
    context = machine.context
    line = _line((f"{status.session.symbol} ", "bold"), (machine.chart_state, "cyan"), " PnL ")
    line.append(colored_money(context.net_pnl))
    line.append(f" fills {context.fill_count} ").append(_gauge(machine))
    return line.append_text(_glance(status.entry(), with_reasons=True))


def _glance(entry: Mapping[str, Any], *, with_reasons: bool) -> Text:
    words = headline(entry)
    is_quoted = all(side["is_live"] for side in entry["sides"].values())
    return Text(f" {words if with_reasons else words.partition(':')[0]} ", style="green" if is_quoted else "yellow")


def _line(*parts: str | tuple[str, str]) -> Text:
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def _ladder(machine: QuotingMachine) -> Iterator[Text]:
    """Own orders on both sides of the market's best prices, the highest price on top."""
    context = machine.context
    asks, bids = (_innermost(context.orders.live(side), side) for side in (Side.ASK, Side.BID))
    for _ in range(LEVELS_SHOWN - len(asks)):
        yield Text("")
    for order in reversed(asks):
        yield _order_line(machine, order)
    for label, price in (("ask", context.ask_price), ("bid", context.bid_price)):
        yield _line((f"mkt {label} ", "dim"), ("-" if price is None else f"{price:>10f}", "bold"))
    for order in bids:
        yield _order_line(machine, order)
    for _ in range(LEVELS_SHOWN - len(bids)):
        yield Text("")


def _innermost(orders: Iterable[OwnOrder], side: Side) -> list[OwnOrder]:
    return sorted(orders, key=lambda order: -side.sign * order.price)[:LEVELS_SHOWN]


def _order_line(machine: QuotingMachine, order: OwnOrder) -> Text:
    """Side, price, what is left, and the distance from the mid; pale while a request about it is on its way."""
    mid = machine.context.mid_price or order.price
    style = _SIDE_STYLES[order.side] if order.is_resting else f"dim {_SIDE_STYLES[order.side]}"
    distance = (order.price - mid) / mid * BASIS_POINTS
    return Text(f"own {order.side} {order.price:>10f} {order.remaining:>8.4g} {distance:>+5.1f} bp", style=style)


def _gauge(machine: QuotingMachine) -> Text:
    """Where the position stands between its limits, its target in the middle."""
    inventory = machine.context.assess_inventory()
    cells = ["-"] * (2 * _GAUGE_HALF_WIDTH + 1)
    cells[_GAUGE_HALF_WIDTH] = "|"
    cells[_GAUGE_HALF_WIDTH + round(inventory.skew * _GAUGE_HALF_WIDTH)] = "#"
    style = "red" if inventory.use > 1 else "yellow" if inventory.use > _NEAR_LIMIT else "cyan"
    return Text("".join(cells), style=style)


def _inventory(machine: QuotingMachine) -> Text:
    inventory = machine.context.assess_inventory()
    line = _line(("inv ", "dim"))
    return line.append(_gauge(machine)).append(f" {float(inventory.offset):+.3g} ({inventory.use:.0%})")


def _profit(machine: QuotingMachine) -> tuple[Text, Text]:
    context = machine.context
    ledger = context.ledger
    total = _line(("PnL ", "dim")).append(colored_money(ledger.net_pnl))
    total.append(f" fills {context.fill_count:,} volume {ledger.volume_quote:,.0f}", style="dim")
    parts = f"spread {money(ledger.spread_capture)} inv {money(ledger.inventory_pnl)} fees {money(ledger.fees_paid)}"
    return total, _line((f"= {parts}", "dim"))


def _spreads(machine: QuotingMachine) -> Text:
    context = machine.context
    market = "-" if context.market_spread_bps is None else f"{context.market_spread_bps:.1f}"
    volatility = "-" if context.volatility is None else f"{1e4 * context.volatility:.1f}"
    quoted = "-" if context.plan is None else f"{context.plan.bid_spread_bps:.1f}/{context.plan.ask_spread_bps:.1f}"
    return _line((f"spread {quoted} mkt {market} vol {volatility} bp", "dim"))


def _sides(entry: Mapping[str, Any]) -> Iterator[Text]:
    for name, is_live, words in side_lines(entry):
        yield _line((f"{name} ", "dim"), (words, "green" if is_live else "yellow"))
