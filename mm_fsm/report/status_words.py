"""What a status says, in words for people: short answers to what is asked of a market, the same in every view.

Everything is made from the entry that ``status.json`` has, so that a terminal, another process and a browser agree.
Texts that come from a venue may hold anything: no control character of theirs gets through.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from attrs import frozen

from mm_fsm.core.decisions import HoldReason
from mm_fsm.core.plurals import counted
from mm_fsm.report.session_report import Outcome
from mm_fsm.report.table import duration, lasting, money, with_interval

Entry = Mapping[str, Any]

NEAR_LIMIT: Final = 0.8
"""Share of a limit from which it is worth a colour."""
_SIGNIFICANT: Final = 4
_MOST_DECIMALS: Final = 12
_DECIMALS_OF_USE: Final = 2
_NAMES_SHOWN: Final = 2
_THOUSAND: Final = 1_000


class Tone(StrEnum):
    """How an answer is to be taken: views colour it."""

    PLAIN = "plain"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


_ENDED: Final = {
    Outcome.COMPLETED: ("ended", Tone.PLAIN),
    Outcome.LATE: ("ended with a position left", Tone.WARNING),
    Outcome.FAULT: ("ended by a fault", Tone.BAD),
}


@frozen
class StatusAnswer:
    """One question that people ask of a market, in a word or two, and its answer."""

    question: str
    words: str
    tone: Tone = Tone.PLAIN


def printable(text: str) -> str:
    """A text in one line that moves no cursor and changes no direction of writing."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def amount(value: object) -> str:
    """A number in four significant digits, never with an exponent."""
    number = float(str(value))
    if not number or not math.isfinite(number):
        return "0" if not number else str(number)
    if abs(number) >= _THOUSAND:
        return f"{number:,.0f}"
    decimals = min(_SIGNIFICANT - 1 - math.floor(math.log10(abs(number))), _MOST_DECIMALS)
    text = f"{number:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def price(entry: Entry, text: str | None) -> str:
    """A price with all decimals that the market's grid has, so that prices stand below each other; ``none`` of none."""
    if text is None:
        return "none"
    decimals = max(len(entry["market"]["tick"].partition(".")[2]), len(text.partition(".")[2]))
    return f"{Decimal(text):.{decimals}f}"


def percent(share: float | None) -> str:
    """A share of one for people; ``?`` while it is not known."""
    return "?" if share is None else f"{share:.0%}"


def headline(entry: Entry) -> str:
    """One clause that says at a glance whether the market is made, and why not."""
    words, why = _headline(entry)
    return f"{words}: {why}" if why else words


def short_headline(entry: Entry) -> str:
    """The same in a word or three, without why."""
    return _headline(entry)[0]


def _headline(entry: Entry) -> tuple[str, str]:
    """Whether the market is made, and why not; empty where there is nothing to add."""
    sides: Mapping[str, Mapping[str, Any]] = entry["sides"]
    if entry["has_ended"]:
        return _ENDED[entry["ending"]["outcome"]][0], ""
    held = [side for side in sides.values() if not side["is_live"]]
    if held and all(side["reason"] == HoldReason.ORDERS_IN_FLIGHT for side in held):
        return "changes its quotes", ""
    live = [name for name, side in sides.items() if side["is_live"]]
    if len(live) == len(sides):
        return "quotes both sides", ""
    if live:
        return f"quotes only {live[0]}s", held[0]["why"]
    reasons = dict.fromkeys(side["why"] for side in held)
    return "silent", "; ".join(reasons)


def side_lines(entry: Entry) -> Iterable[tuple[str, bool, str]]:
    """Name, whether it is live, and the rest of the line, of each side."""
    now = entry["time"]
    for name, side in entry["sides"].items():
        since = "" if side["since"] is None else f" for {lasting(now - side['since'])}"
        if side["is_live"]:
            yield name, True, f"live{since}"
            continue
        detail = f" ({printable(side['detail'])})" if side["detail"] else ""
        last = "" if side["last_live_at"] is None else lasting(now - side["last_live_at"])
        silence = f"; last live {last} ago" if last and not since.endswith(f" {last}") else ""
        yield name, False, f"held{since}: {side['why']}{detail}{silence}"


def answers(entry: Entry) -> Iterator[StatusAnswer]:
    """Everything that is asked of a market which is being made, what matters most first."""
    yield from _sides(entry)
    yield from troubles(entry)
    yield StatusAnswer("market", market_words(entry))
    yield inventory_answer(entry)
    yield limits_answer(entry)
    yield StatusAnswer("profit", profit_words(entry))
    yield from fills_answers(entry)
    yield feed_answer(entry)


def _sides(entry: Entry) -> Iterator[StatusAnswer]:
    for name, is_live, words in side_lines(entry):
        quotes = quote_words(entry, name)
        is_usual = entry["sides"][name]["reason"] == HoldReason.ORDERS_IN_FLIGHT
        tone = Tone.GOOD if is_live else Tone.PLAIN if is_usual else Tone.WARNING
        yield StatusAnswer(name, f"{words}; {quotes}" if quotes else words, tone)


def both_sides(entry: Entry) -> str:
    """What holds for both sides alike, in one clause; empty where they differ."""
    (_, _, bid), (_, _, ask) = side_lines(entry)
    return bid if bid == ask else ""


def troubles(entry: Entry) -> Iterator[StatusAnswer]:
    """Faults, orders of unknown outcome, suspensions, a stop, and what is done about a silent side: where there are."""
    faults, stopping = entry["faults"], entry["stopping"]
    if faults["now"] is not None:
        since = lasting(entry["time"] - faults["now"]["since"])
        reason = printable(faults["now"]["reason"])
        yield StatusAnswer("fault", f"{faults['now']['code'].replace('_', ' ')}, {since} ago: {reason}", Tone.BAD)
        yield StatusAnswer("doing", faults["doing"])
    elif stopping is None:
        for doing in dict.fromkeys(filter(None, (side["doing"] for side in entry["sides"].values()))):
            yield StatusAnswer("doing", doing)
    if stopping is not None and not entry["has_ended"]:
        yield StatusAnswer("stop", _stop_words(entry), Tone.WARNING)
    unknown = entry["unknown_orders"]
    if unknown:
        oldest = lasting(entry["time"] - min(order["since"] for order in unknown))
        names = ", ".join(printable(order["order"]) for order in unknown[:_NAMES_SHOWN])
        more = f" and {len(unknown) - _NAMES_SHOWN} more" if len(unknown) > _NAMES_SHOWN else ""
        yield StatusAnswer(
            "unknown", f"{counted(len(unknown), 'order')} of unknown outcome, for {oldest}: {names}{more}", Tone.BAD
        )
    suspended = entry["requests"]["suspended_until"]
    is_told = any(side["reason"] == HoldReason.REQUESTS_SUSPENDED for side in entry["sides"].values())
    if suspended is not None and not is_told:
        reason = printable(entry["requests"]["suspended_reason"])
        words = f"the venue takes no orders for another {lasting(suspended - entry['time'])}: {reason}"
        yield StatusAnswer("requests", words, Tone.BAD)
    if entry["journal_failure"] is not None:
        yield StatusAnswer("journal", f"it cannot be written: {printable(entry['journal_failure'])}", Tone.BAD)


def _stop_words(entry: Entry) -> str:
    stopping = entry["stopping"]
    reason = printable(stopping["reason"]) or "asked for"
    if stopping["is_late"]:
        return f"{reason}; past its deadline: every order is cancelled, the rest of the position is kept"
    if stopping["keeps_position"] or stopping["deadline"] is None:
        return f"{reason}; every order is cancelled and confirmed gone"
    left = lasting(stopping["deadline"] - entry["time"])
    return f"{reason}; the position is reduced to its target, for another {left} at most"


def market_words(entry: Entry) -> str:
    """Best prices without own orders, their distance, and the volatility over a quote's life."""
    market = entry["market"]
    if market["bid"] is None and market["ask"] is None:
        return "no book yet"
    prices = f"bid {price(entry, market['bid'])}, ask {price(entry, market['ask'])}"
    spread = "" if market["spread_bps"] is None else f", {market['spread_bps']:.1f} bps apart"
    moves = "" if market["volatility_bps"] is None else f"; volatility {market['volatility_bps']:.1f} bps"
    halted = "" if market["is_trading"] else "; the venue has halted trading"
    return prices + spread + moves + halted


def spread_words(entry: Entry) -> str:
    """The market's spread beside the quoted ones, and how much the price moves in a quote's life; bps."""
    market = entry["market"]
    names = ("spread_bps", "quoted_bid_spread_bps", "quoted_ask_spread_bps", "volatility_bps")
    shown, bid, ask, moves = ("?" if market[name] is None else f"{market[name]:.1f}" for name in names)
    quoted = "" if market["quoted_bid_spread_bps"] is None else f", quoted {bid}/{ask}"
    return f"market {shown}{quoted}, volatility {moves} bps"


def inventory_answer(entry: Entry) -> StatusAnswer:
    """How far the position is from its target, and which way."""
    inventory, unit = entry["inventory"], entry["market"]["base_currency"]
    offset, use = float(inventory["offset"]), inventory["use"]
    way = "long" if offset > 0 else "short"
    far = (
        f"{amount(abs(offset))} {unit} {way} of its target, {percent(use)} of the limit" if offset else "at its target"
    )
    tone = Tone.BAD if use > 1 else Tone.WARNING if use >= NEAR_LIMIT else Tone.PLAIN
    return StatusAnswer("inventory", f"{far}; holds {amount(inventory['position'])} {unit}", tone)


def glance_tone(entry: Entry) -> Tone:
    """How a market is to be taken as a whole."""
    if entry["has_ended"]:
        return _ENDED[entry["ending"]["outcome"]][1]
    reasons = [side["reason"] for side in entry["sides"].values() if not side["is_live"]]
    if entry["faults"]["now"] is not None or entry["why_down"] or entry["unknown_orders"]:
        return Tone.BAD
    if not reasons:
        return Tone.GOOD
    is_usual = all(reason == HoldReason.ORDERS_IN_FLIGHT for reason in reasons)
    return Tone.PLAIN if is_usual else Tone.WARNING


def quote_words(entry: Entry, side: str, *, counts: bool = True) -> str:
    """The innermost own order of a side, and how many there are; empty where there is none."""
    orders = entry["quotes"][side]
    if not orders:
        return ""
    first = orders[0]
    far = "" if first["distance_bps"] is None else f" ({first['distance_bps']:+.1f} bps)"
    more = f", {len(orders)} orders" if counts and len(orders) > 1 else ""
    return f"{amount(first['remaining'])} at {price(entry, first['price'])}{far}{more}"


def limit_words(limit: Mapping[str, Any]) -> str:
    """How much of a limit is used, and of how much; where live orders count, what they could make of it."""
    of = f"of {amount(limit['allowed'])} {limit['unit']}".rstrip()
    worst = limit["worst_share"]
    if worst is None:
        return f"{'?' if limit['used'] is None else amount(round(float(limit['used']), _DECIMALS_OF_USE))} {of}"
    at_worst = "" if percent(worst) == percent(limit["share"]) else f" ({percent(worst)} at worst)"
    return f"{percent(limit['share'])}{at_worst} {of}"


def limit_tone(limit: Mapping[str, Any]) -> Tone:
    """Whether a limit is near, or reached."""
    share = limit["share"] or 0.0
    return Tone.BAD if share >= 1 else Tone.WARNING if share >= NEAR_LIMIT else Tone.PLAIN


def limits_answer(entry: Entry, most: int | None = None) -> StatusAnswer:
    """How far each limit is, or each of the ``most`` that are nearest; always in the same order."""
    limits = entry["limits"]
    if most is not None and len(limits) > most:
        least = sorted(map(nearness, limits), reverse=True)[most - 1]
        limits = [limit for limit in limits if nearness(limit) >= least][:most]
    tones = [limit_tone(limit) for limit in limits]
    tone = next((each for each in (Tone.BAD, Tone.WARNING) if each in tones), Tone.PLAIN)
    return StatusAnswer("limits", "; ".join(f"{limit['name']}: {limit_words(limit)}" for limit in limits), tone)


def nearness(limit: Mapping[str, Any]) -> float:
    """How near a limit is, the worst case included: for what is shown first."""
    return max(limit["share"] or 0.0, limit["worst_share"] or 0.0)


def profit_words(entry: Entry) -> str:
    """The net profit and what it is made of."""
    profit = entry["profit"]
    parts = f"spread {money(profit['spread_capture'])}, inventory {money(profit['inventory_pnl'])}"
    funding = f", funding {money(profit['funding'])}" if profit["funding"] != "0" else ""
    return f"{net_profit_words(entry)}: {parts}, fees {money(profit['fees'])}{funding}"


def net_profit_words(entry: Entry) -> str:
    """The net profit alone."""
    return f"net {money(entry['profit']['net_pnl'])} {entry['market']['quote_currency']}"


def fills_answers(entry: Entry, *, is_over: bool = False) -> Iterator[StatusAnswer]:
    """How many, the last of them, and what they are worth so far; ``is_over`` once nobody makes the market."""
    yield StatusAnswer("fills", _fills_words(entry, is_over=is_over))
    edge = entry["quote_edge"]
    if edge["fills"]:
        yield StatusAnswer("edge", f"fills judged so far: {edge['fills']:,}; {_edge_words(edge)}")


def _fills_words(entry: Entry, *, is_over: bool) -> str:
    count, last = entry["fills"], entry["profit"]["last_fill_at"]
    if not count:
        return "none" if is_over else "none yet"
    fills = [each for each in entry["news"] if each["kind"] == "fill"]
    told = f": {printable(fills[-1]['words'])}" if fills else ""
    if last is None:
        return f"{count:,}"
    ended_at = entry["ending"]["at"] if is_over else None
    until = entry["time"] if ended_at is None else ended_at
    since = "ago" if not is_over else "before its last word" if ended_at is None else "before the end"
    return f"{count:,}, the last {lasting(until - last)} {since}{told}"


def _edge_words(edge: Mapping[str, Any]) -> str:
    """What adverse selection is judged by, once there are as many fills as that needs."""
    if edge["net_interval_bps"] is None or edge["fills"] < edge["minimum_fills"]:
        return "too few to say"
    widened = f", widened by {edge['widening_bps']:.1f} bps" if edge["widening_bps"] else ""
    figure = with_interval(edge["net_bps"], edge["net_interval_bps"])
    judged = "as the machine judges it, recent fills counting more"
    return f"{judged}, net of fees after {edge['horizon_seconds']:g} s, bps: {figure}{widened}"


def feed_answer(entry: Entry) -> StatusAnswer:
    """How old market data is, and whether news of own orders arrives."""
    feed = entry["feed"]
    if feed["account_feed_loss"] is not None:
        return StatusAnswer("feed", f"news of own orders is lost: {printable(feed['account_feed_loss'])}", Tone.BAD)
    if feed["age_seconds"] is None:
        return StatusAnswer("feed", "no market data has arrived", Tone.WARNING)
    refused = f"; {feed['refused_facts']:,} messages refused" if feed["refused_facts"] else ""
    limit = feed["stale_after_seconds"]
    tone = Tone.BAD if feed["age_seconds"] >= limit else Tone.PLAIN
    return StatusAnswer("feed", f"{duration(feed['age_seconds'])} old; too old after {limit:g} s{refused}", tone)
