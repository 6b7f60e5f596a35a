"""One market in the live view, made from what the status says of it: nothing is cut off, at any width and height.

A clause that is too long for a line goes on in the next one. What finds no room at all is left out as a whole, what
matters least first, and the panel's edge says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from attrs import evolve
from rich.panel import Panel
from rich.text import Text

from mm_fsm.cli.row_layout import Block, fitted
from mm_fsm.cli.wrapping import STYLES, answered, wrapped
from mm_fsm.core.clock import NANOSECONDS_PER_SECOND
from mm_fsm.core.plurals import counted
from mm_fsm.report.ended_words import ended_answers
from mm_fsm.report.run_condition import RunCondition
from mm_fsm.report.status_words import (
    StatusAnswer,
    Tone,
    amount,
    answers,
    both_sides,
    fills_answers,
    glance_tone,
    headline,
    limit_tone,
    limit_words,
    limits_answer,
    nearness,
    net_profit_words,
    percent,
    price,
    printable,
    profit_words,
    quote_words,
    short_headline,
    side_lines,
    spread_words,
    troubles,
)
from mm_fsm.report.table import clock_text, colored_money

Entry = Mapping[str, Any]

LEVELS_SHOWN: Final = 3
FEWEST_ROWS: Final = 6
"""Of a panel, its edges included; with fewer a market stands in a line."""
EDGES: Final = 4
"""Columns that a panel's edges and the space beside them take."""
_TITLE_EDGES: Final = 6
_GAUGE_HALF_WIDTH: Final = 7
_BAR_WIDTH: Final = 10
_NAME_WIDTH: Final = 19
_FEW_LIMITS: Final = 3
_STATE_STYLES: Final = {"monitoring_orders": "black on green", "error": "white on red", "idle": "black on yellow"}
_OTHER_STATE: Final = "black on cyan"
_SIDE_STYLES: Final = {"bid": "green", "ask": "red"}


class PanelEvent(NamedTuple):
    """Something that happened. Most events are never drawn: they come faster than pictures, so a text is made late."""

    time: int
    """Nanoseconds since 1970."""
    what: str
    rest: str = ""
    """Less important."""
    style: str = ""
    times: int = 1
    """How often it happened, one after the other in one second."""

    def after(self, last: PanelEvent | None) -> PanelEvent:
        """The same, counted on where the last one was like it and of the same second."""
        if last is None or last.shown != self.shown:
            return self
        return self._replace(times=last.times + 1)

    @property
    def shown(self) -> tuple[int, str, str, str]:
        """All that can be seen of it, whole seconds since 1970 first."""
        return self.time // NANOSECONDS_PER_SECOND, self.what, self.rest, self.style

    def text(self) -> Text:
        """One line: the time of day, UTC, and what happened then."""
        times = (f" x {self.times}" if self.times > 1 else "", "dim")
        return Text.assemble((f"{clock_text(self.time)} ", "dim"), (self.what, self.style), (self.rest, "dim"), times)


def market_panel(entry: Entry, width: int, rows: int, recent: Sequence[PanelEvent] = ()) -> Panel:
    """A market in ``width`` columns and ``rows`` rows; the last of ``recent`` fill what is left."""
    title, beside = _title(entry, width - _TITLE_EDGES)
    lines, omitted = panel_lines(entry, width - EDGES, rows - 2, beside)
    lines += _latest(recent, width - EDGES, rows - 2 - len(lines))
    lines += [Text("")] * (rows - 2 - len(lines))
    return Panel(
        Text("\n").join(lines),
        title=title,
        title_align="left",
        subtitle=_subtitle(omitted, width - _TITLE_EDGES),
        subtitle_align="right",
        border_style="dim",
        padding=(0, 1),
        width=width,
    )


def panel_lines(entry: Entry, width: int, rows: int, beside: Sequence[Text] = ()) -> tuple[list[Text], int]:
    """What stands in a panel, in ``width`` columns and ``rows`` rows at most, and how many things found no room.

    ``beside`` is what its upper edge has no room for.
    """
    above = wrapped(Text.assemble(*beside), width) if beside else ()
    return fitted([Block(0, above), *_blocks(entry, width)], rows)


def market_lines(entry: Entry, width: int) -> list[Text]:
    """A market in a line or two, for when there is no room for more."""
    text = Text.assemble(
        (f"{printable(entry['symbol'])} ", "bold"),
        (f"{_state(entry)}: ", "cyan"),
        ("down: nobody quotes it" if entry["why_down"] else headline(entry), STYLES[glance_tone(entry)]),
        "; PnL ",
        colored_money(entry["net_pnl"]),
        f", {counted(entry['fills'], 'fill')}",
    )
    near = max(entry["limits"], key=nearness, default=None)
    if near is not None and limit_tone(near) is not Tone.PLAIN:
        text.append(f"; {near['name']}: {limit_words(near)}", STYLES[limit_tone(near)])
    return wrapped(text, width)


def _glance(entry: Entry) -> str:
    """In a word or three; the sides' own lines say why."""
    return "down" if entry["why_down"] else short_headline(entry)


def _state(entry: Entry) -> str:
    return printable(entry["state"]).replace("_", " ")


def _title(entry: Entry, room: int) -> tuple[Text | None, list[Text]]:
    """What stands in the upper edge, and what finds no room there: symbol, state, and a clause of what it does."""
    symbol = Text(f" {printable(entry['symbol'])} ", "bold")
    state = Text(f" {_state(entry).upper()} ", _STATE_STYLES.get(entry["state"], _OTHER_STATE))
    glance = Text(f" {_glance(entry)} ", STYLES[glance_tone(entry)])
    parts = [symbol, state, glance]
    for count in (3, 2, 1):
        title = Text.assemble(*parts[:count])
        if title.cell_len <= room:
            return title, parts[count:]
    return None, parts


def _subtitle(omitted: int, room: int) -> Text | None:
    """How many things found no room, where there is room to say so."""
    if not omitted:
        return None
    lines = (
        f" {omitted} not shown: make the window taller, or see mm-fsm status ",
        f" {omitted} not shown: mm-fsm status ",
        f" {omitted} more ",
    )
    return next((Text(text, "dim") for text in lines if len(text) <= room), None)


def _blocks(entry: Entry, width: int) -> Iterator[Block]:
    """Everything that there is to show, in the order in which it stands."""
    if entry["has_ended"]:
        for rank, answer in enumerate(ended_answers(entry, RunCondition.ENDED)):
            yield Block(rank, answered(answer, width))
        return
    if entry["why_down"]:
        yield Block(0, answered(StatusAnswer("down", printable(entry["why_down"]), Tone.BAD), width))
    else:
        yield from _quoting(entry, width)
    yield Block(4, _inventory(entry, width))
    if entry["limits"]:
        yield _limits(entry, width)
    yield Block(3, _short_profit(entry, width), longer=(answered(StatusAnswer("profit", profit_words(entry)), width),))
    fills = [answered(answer, width) for answer in fills_answers(entry)]
    yield Block(6, fills[0], longer=([line for lines in fills for line in lines],))
    feed = next(answer for answer in answers(entry) if answer.question == "feed")
    yield Block(1 if feed.tone is Tone.BAD else 5, answered(feed, width))
    yield Block(7, answered(StatusAnswer("spreads", spread_words(entry)), width))


def _quoting(entry: Entry, width: int) -> Iterator[Block]:
    """Quotes against the market, each side, and what is wrong and done about it."""
    sides = [line for answer in _sides(entry) for line in answered(answer, width)]
    ladder = _ladder(entry, width)
    longer = ([*ladder, *sides],) if ladder else ()
    yield Block(0, _short_quoting(entry, width), longer=longer, shorter=sides)
    for answer in troubles(entry):
        yield Block(1, answered(answer, width))


def _sides(entry: Entry) -> Iterator[StatusAnswer]:
    """What each side is doing, in one answer where it is the same."""
    both = both_sides(entry)
    for name, is_live, words in side_lines(entry):
        if both and name != "bid":
            continue
        tone = Tone.GOOD if is_live else Tone.PLAIN if glance_tone(entry) is Tone.PLAIN else Tone.WARNING
        yield StatusAnswer("sides" if both else name, words, tone)


def _short_quoting(entry: Entry, width: int) -> list[Text]:
    """The market's best prices, and each side with its best own order."""
    market = entry["market"]
    found = [StatusAnswer("market", f"{price(entry, market['bid'])} / {price(entry, market['ask'])}"), *_sides(entry)]
    quotes = {side: quote_words(entry, side, counts=False) for side in entry["sides"]}
    if both_sides(entry):
        found += [StatusAnswer(f"own {side}", words) for side, words in quotes.items() if words]
    else:
        found[1:] = [
            evolve(each, words="; ".join(filter(None, (each.words, quotes[each.question])))) for each in found[1:]
        ]
    return [line for answer in found for line in answered(answer, width)]


def _ladder(entry: Entry, width: int) -> list[Text]:
    """Own orders on both sides of the market's best prices, the highest on top, always in as many lines."""
    asks, bids = (entry["quotes"][side][:LEVELS_SHOWN] for side in ("ask", "bid"))
    cells = [("", "", "", "", "")] * (LEVELS_SHOWN - len(asks))
    cells += [_rung(entry, "ask", order) for order in reversed(asks)]
    cells += [(f"market {side}", price(entry, entry["market"][side]), "", "", "bold") for side in ("ask", "bid")]
    cells += [_rung(entry, "bid", order) for order in bids]
    cells += [("", "", "", "", "")] * (LEVELS_SHOWN - len(bids))
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    if sum(widths) + 6 > width:
        return []
    lines = []
    for who, at, size, far, style in cells:
        text = f"{who:<{widths[0]}}  {at:>{widths[1]}}  {size:>{widths[2]}}  {far:>{widths[3]}}"
        lines.append(Text(text.rstrip(), style))
    return lines


def _rung(entry: Entry, side: str, order: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    """Who, price, what is left, the distance from the reference; pale while a request about it is on its way."""
    far = "" if order["distance_bps"] is None else f"{order['distance_bps']:+.1f} bps"
    style = _SIDE_STYLES[side] if order["is_resting"] else f"dim {_SIDE_STYLES[side]}"
    return f"own {side}", price(entry, order["price"]), amount(order["remaining"]), far, style


def _inventory(entry: Entry, width: int) -> list[Text]:
    """Where the position stands between its limits, its target in the middle."""
    inventory, unit = entry["inventory"], entry["market"]["base_currency"]
    words = f"{'+' if float(inventory['offset']) > 0 else ''}{amount(inventory['offset'])} {unit}"
    words += f", {percent(inventory['use'])} of the limit"
    use = inventory["use"]
    tone = Tone.BAD if use > 1 else Tone.WARNING if use >= 0.8 else Tone.PLAIN  # noqa: PLR2004 - as limits are
    lines = answered(StatusAnswer("inventory", words, tone), width)
    gauge = _gauge(inventory["skew"], STYLES[tone] or "cyan")
    if len(lines) == 1 and lines[0].cell_len + gauge.cell_len + 1 <= width:
        return [Text.assemble(lines[0], " ", gauge)]
    return lines


def _gauge(skew: float, style: str) -> Text:
    cells = ["-"] * (2 * _GAUGE_HALF_WIDTH + 1)
    cells[_GAUGE_HALF_WIDTH] = "|"
    cells[_GAUGE_HALF_WIDTH + round(max(-1.0, min(1.0, skew)) * _GAUGE_HALF_WIDTH)] = "#"
    return Text("".join(cells), style=style)


def _limits(entry: Entry, width: int) -> Block:
    """The nearest few, or as many more as there is room for; all in lines with bars where those fit."""
    count = len(entry["limits"])
    few = min(_FEW_LIMITS, count)
    more = range(count, few, -1)
    return Block(
        2,
        answered(limits_answer(entry, few), width),
        longer=(_limit_lines(entry, width), *(answered(limits_answer(entry, each), width) for each in more)),
        things=count,
        left_out=(count - few, 0, *(count - each for each in more)),
    )


def _limit_lines(entry: Entry, width: int) -> list[Text]:
    """Each limit in a line with a bar; none where one of them finds no room."""
    lines = [_limit_line(limit) for limit in entry["limits"]]
    return lines if all(line.cell_len <= width for line in lines) else []


def _limit_line(limit: Mapping[str, Any]) -> Text:
    filled = round(min(1.0, max(0.0, limit["share"] or 0.0)) * _BAR_WIDTH)
    bar = "#" * filled + "." * (_BAR_WIDTH - filled)
    style = STYLES[limit_tone(limit)]
    name = f"{limit['name']} ".ljust(_NAME_WIDTH)
    return Text.assemble((name, "dim"), (bar, style or "cyan"), " ", (limit_words(limit), style))


def _short_profit(entry: Entry, width: int) -> list[Text]:
    return answered(StatusAnswer("profit", f"{net_profit_words(entry)}, {counted(entry['fills'], 'fill')}"), width)


def _latest(recent: Sequence[PanelEvent], width: int, room: int) -> list[Text]:
    """As many of the last events as there is room for, each whole."""
    lines: list[Text] = []
    for event in reversed(recent):
        further = wrapped(event.text(), width)
        if len(lines) + len(further) > room:
            break
        lines[:0] = further
    return lines
