"""What a desk asks first, answered in a number and a few sentences each, all from the figures below them."""

from __future__ import annotations

from shlex import quote
from typing import Any, Final

from attrs import frozen
from markupsafe import Markup

from mm_fsm.report.run_page.number_texts import (
    NOTHING,
    Amounts,
    bps,
    count,
    duration,
    exact,
    horizon,
    percent,
    plain,
    sentence,
)
from mm_fsm.report.run_page.shown_figures import ShownFigures

SIDE_WORDS: Final = {"bid": "bids", "ask": "asks"}
_LIVE: Final = "live"


@frozen(kw_only=True)
class PageAnswer:
    """One question: the number that answers it, what it is, and what it means."""

    question: str
    headline: Markup | str
    what: str
    sentences: tuple[Markup | str, ...]
    section: str
    """Name of the section that says more."""


def answers(market: ShownFigures, amounts: Amounts, place: str) -> list[PageAnswer]:
    """The four answers about one market; ``place`` is the run's directory, for commands."""
    return [_earned(market, amounts), _knew(market), _not_quoting(market), _plain_quoter(market, amounts, place)]


def _earned(market: ShownFigures, amounts: Amounts) -> PageAnswer:
    profit = market["profit"]
    look = _look(profit["net"]) if profit["intervals"] else ""  # too short to tell is neither good nor bad
    sentences: list[Markup | str] = [noise_sentence(profit["intervals"].get("net"), profit, amounts)]
    if profit["net_bps_of_volume"] is not None:
        sentences.append(
            Markup("{} of {} traded.").format(
                market.show("profit.net_bps_of_volume", bps), market.show("profit.volume", amounts.with_unit)
            )
        )
    sentences.append(Markup("Largest drawdown {}.").format(market.show("drawdown.largest", amounts.with_unit)))
    return PageAnswer(
        question="What did I earn, and is it noise?",
        headline=market.show("profit.net", lambda net: amounts.with_unit(net, signed=True), look),
        what="net profit, against holding the target all the time",
        sentences=tuple(sentences),
        section="profit",
    )


def noise_sentence(found: Any, owner: Any, amounts: Amounts) -> str:
    """Whether a sum is more than noise, by its interval; ``owner`` says why there is none."""
    if found is None:
        reason = owner["no_interval"]
        is_whole = not reason or reason.startswith("too short")
        return sentence((reason or "no interval") if is_whole else f"No interval: {reason}")
    share = percent((owner["terms"] or {}).get("share"), 0)
    lower, upper = (amounts.with_unit(found[bound], signed=True) for bound in ("lower", "upper"))
    if found["doubt"]:
        return f"{share} interval {lower} to {upper}: too narrow to tell it from noise, for {found['doubt']}."
    if not found["excludes_zero"]:
        return f"{share} interval {lower} to {upper}: it holds zero, so this run alone does not tell it from noise."
    side = "above" if found["lower"] > 0 else "below"
    return f"{share} interval {lower} to {upper}: all {side} zero, so it is more than noise."


def _knew(market: ShownFigures) -> PageAnswer:
    question, section = "What did takers know?", "markouts"
    place = _judged(market)
    if place is None or market[place]["gross_bps"] is None:
        return PageAnswer(
            question=question,
            headline=NOTHING,
            what="no own fill was followed long enough",
            sentences=("Markouts need maker fills and the price some time after them.",),
            section=section,
        )
    row, later = market[place], horizon(market["markouts.judged_seconds"])
    captured = market.show("profit.spread_captured_bps", bps)
    sentences = [
        Markup("At the fill quotes captured {}; {} later that was worth {} before fees.").format(
            captured, later, market.show(f"{place}.gross_bps", bps)
        ),
        _verdict(row),
    ]
    worst = _worst_side(market)
    if worst is not None:
        sentences.append(worst)
    return PageAnswer(
        question=question,
        headline=market.show(f"{place}.net_bps", bps, _look(row["net_bps"])),
        what=f"a fill\u2019s worth {later} later, net of fees",
        sentences=tuple(sentences),
        section=section,
    )


def _verdict(row: Any) -> str:
    bounds = row["net_interval_bps"]
    if bounds is None:
        return "Too few fills for an interval."
    said = f"95{chr(0x202F)}% interval {plain(bounds[0], signed=True)} to {bps(bounds[1])}: "
    if bounds[1] < 0:
        return said + "takers knew more than the spread paid for."
    if bounds[0] > 0:
        return said + "the spread paid for what they knew, and for fees."
    return said + "it holds zero."


def _judged(market: ShownFigures, group: str = "all", of: str = "") -> str | None:
    """Place of a group's row at the horizon that adverse selection is judged by."""
    judged = market["markouts.judged_seconds"]
    for number, row in enumerate(market["markouts.rows"]):
        if (row["horizon_seconds"], row["group"], row["of"]) == (judged, group, of):
            return f"markouts.rows.{number}"
    return None


def _worst_side(market: ShownFigures) -> Markup | None:
    places = [place for side in SIDE_WORDS if (place := _judged(market, "side", side)) is not None]
    known = [place for place in places if market[place]["net_bps"] is not None]
    if len(known) < len(SIDE_WORDS):
        return None
    place = min(known, key=lambda each: float(market[each]["net_bps"]))
    text = Markup("Worse side: {}, {} net on {} fills.")
    return text.format(
        SIDE_WORDS[market[place]["of"]], market.show(f"{place}.net_bps", bps), market.show(f"{place}.count", count)
    )


def _not_quoting(market: ShownFigures) -> PageAnswer:
    sentences = [sentence for side in SIDE_WORDS if (sentence := _emptiest(market, side)) is not None]
    programme, share = market["presence.programme"], market["presence.both_share"]
    met = "meets" if market["presence.is_met"] else "misses"
    sentences.append(
        Markup("As the venue sees it {} within {} at full size: {} the {} that a programme asks for.").format(
            percent(share), f"{exact(programme['within_bps'])}\u202fbps", met, percent(programme["asked_share"], 0)
        )
    )
    return PageAnswer(
        question="Where was I not quoting?",
        headline=market.show("presence.both_live_share", percent),
        what="of the time both sides were live",
        sentences=tuple(sentences),
        section="presence",
    )


def _emptiest(market: ShownFigures, side: str) -> Markup | None:
    """For one side, how long it was empty, and the reason that took most of it."""
    totals = [each for each in market.items("holds.totals") if each["side"] == side and each["reason"] != _LIVE]
    held = [each for each in totals if each["seconds"] > 0]
    if not held:
        return Markup("The {} was never empty.").format(side)
    share = sum(float(each["share"]) for each in held)
    first = max(held, key=lambda each: float(each["seconds"]))
    return Markup("{} empty {} of the time, mostly because {} ({} in all).").format(
        side.capitalize(), percent(share), first["why"], first.show("seconds", duration)
    )


def _plain_quoter(market: ShownFigures, amounts: Amounts, place: str) -> PageAnswer:
    question = "What would a plain quoter have made?"
    baseline = market["baseline"]
    if baseline is None:
        return PageAnswer(
            question=question,
            headline=NOTHING,
            what="it was not asked",
            sentences=(f"To run a plain quoter on the same data: mm-fsm report {quote(place)} --baseline",),
            section="baseline",
        )
    net = baseline["figures"]["profit"]["net"]
    difference = next((each["interval"] for each in baseline["differences"] if each["what"] == "net"), None)
    sentences: list[Markup | str] = [
        Markup("It quoted {} apart; this run {} on average.").format(
            *(market.show(f"baseline.{name}", _width) for name in ("spread_bps", "run_spread_bps"))
        )
    ]
    if difference is not None:
        sentences.append(_difference(difference, amounts))
    sentences += [noise_sentence(difference, baseline, amounts), sentence(f"The plain quoter: {baseline['policy']}")]
    return PageAnswer(
        question=question,
        headline=market.show(
            "baseline.figures.profit.net", lambda value: amounts.with_unit(value, signed=True), _look(net)
        ),
        what="net profit of a plain quoter on the same data",
        sentences=tuple(sentences),
        section="baseline",
    )


def _width(spread: float | None) -> str:
    return bps(spread, signed=False)


def _difference(interval: Any, amounts: Amounts) -> str:
    """More or less than the plain quoter, but only where that is more than noise."""
    value = interval["value"]
    if interval["doubt"] or not interval["excludes_zero"]:
        return f"This run less the plain quoter: {amounts.with_unit(value, signed=True)}."
    return f"This run made {amounts.with_unit(abs(value))} {'more' if value >= 0 else 'less'}."


def _look(number: Any) -> str:
    """Classes of a number that is better above zero."""
    return "" if number is None or not float(number) else "gain" if float(number) > 0 else "loss"
