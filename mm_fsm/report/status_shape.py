"""What ``status.json`` has, key by key: a file that lacks one is refused where it is read, and trips no view later."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from mm_fsm.core.clock import NANOSECONDS_PER_SECOND
from mm_fsm.report.session_report import Outcome

Shape = Callable[[object, str], str]
"""Takes a value and where it stands; gives the first fault in words, empty if there is none."""


_LAST_SECOND: Final = 253_402_300_799
"""Of the year 9999: no calendar goes further."""
_LARGEST_PROCESS: Final = 2**31 - 1


def shape_fault(status: object) -> str:
    """What is missing or of another kind in a status, and where; empty if every view can show it."""
    return _STATUS(status, "")


def _of(kind: type | tuple[type, ...], name: str) -> Shape:
    def fault(value: object, place: str) -> str:
        return "" if isinstance(value, kind) else f"{place} is no {name}"

    return fault


def _one_of(names: Collection[str]) -> Shape:
    return lambda value, place: "" if value in names else f"{place} is none of {', '.join(names)}"


def _number(value: object, place: str) -> str:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return "" if is_number else f"{place} is no number"


def _within(most: int, *, is_whole: bool = True) -> Shape:
    def fault(value: object, place: str) -> str:
        if is_whole and not isinstance(value, int):
            return f"{place} is no whole number"
        is_within = isinstance(value, (int, float)) and 0 <= value <= most
        return _number(value, place) or ("" if is_within else f"{place} is not from 0 to {most:,}")

    return fault


def _amount(value: object, place: str) -> str:
    """An exact decimal number, as a text; estimates are floats."""
    try:
        return "" if isinstance(value, str) and Decimal(value).is_finite() else _number(value, place)
    except InvalidOperation:
        return f"{place} is no number"


def _optional(shape: Shape) -> Shape:
    return lambda value, place: "" if value is None else shape(value, place)


def _each(shape: Shape) -> Shape:
    def fault(value: object, place: str) -> str:
        if not isinstance(value, list):
            return f"{place} is no list"
        return next(filter(None, (shape(each, f"{place}[{number}]") for number, each in enumerate(value))), "")

    return fault


def _object(**shapes: Shape) -> Shape:
    def fault(value: object, place: str) -> str:
        if not isinstance(value, Mapping):
            return f"{place or 'the whole'} is no object"
        lead = f"{place}." if place else ""
        for name, shape in shapes.items():
            if name not in value:
                return f"{lead}{name} is missing"
            if found := shape(value[name], f"{lead}{name}"):
                return found
        return ""

    return fault


_TEXT: Final = _of(str, "text")
_FLAG: Final = _of(bool, "truth value")
_MAYBE_TEXT: Final = _optional(_TEXT)
_MAYBE_NUMBER: Final = _optional(_number)
_MAYBE_AMOUNT: Final = _optional(_amount)

_TIME: Final = _within(_LAST_SECOND * NANOSECONDS_PER_SECOND)
_MAYBE_TIME: Final = _optional(_TIME)

_SIDE: Final = _object(
    is_live=_FLAG, since=_MAYBE_TIME, last_live_at=_MAYBE_TIME, reason=_MAYBE_TEXT, why=_MAYBE_TEXT,
    doing=_MAYBE_TEXT, ends_when=_MAYBE_TEXT, detail=_MAYBE_TEXT, until=_MAYBE_TIME,
    began_with=_optional(_object(step=_number, fact=_TEXT)),
    decided_by=_optional(_object(edges=_each(_TEXT), guard=_TEXT, service=_TEXT)),
)  # fmt: skip
_ORDER: Final = _object(
    price=_amount, remaining=_amount, distance_bps=_MAYBE_NUMBER, status=_TEXT, is_resting=_FLAG, purpose=_TEXT
)
_LIMIT: Final = _object(
    setting=_TEXT, name=_TEXT, used=_MAYBE_AMOUNT, allowed=_amount, unit=_TEXT, share=_MAYBE_NUMBER,
    worst_share=_MAYBE_NUMBER, then=_TEXT,
)  # fmt: skip
_MADE: Final = _object(
    symbol=_TEXT, state=_TEXT, has_real_orders=_FLAG, has_ended=_FLAG,
    ending=_object(
        outcome=_one_of([*Outcome]), reason=_TEXT, error=_MAYBE_TEXT, at=_MAYBE_TIME, base_currency=_TEXT,
        is_book_confirmed_empty=_FLAG, unconfirmed=_each(_TEXT), position=_amount, offset=_amount, below_lot=_amount,
    ),
    why_down=_MAYBE_TEXT, time=_TIME, last_fact_at=_TIME, net_pnl=_amount, fills=_number,
    quote_edge=_object(
        horizon_seconds=_number, fills=_number, net_bps=_MAYBE_NUMBER, net_interval_bps=_optional(_each(_number)),
        widening_bps=_number, minimum_fills=_number,
    ),
    sides=_object(bid=_SIDE, ask=_SIDE),
    market=_object(
        bid=_MAYBE_AMOUNT, ask=_MAYBE_AMOUNT, reference=_MAYBE_AMOUNT, spread_bps=_MAYBE_NUMBER,
        volatility_bps=_MAYBE_NUMBER, quoted_bid_spread_bps=_MAYBE_NUMBER, quoted_ask_spread_bps=_MAYBE_NUMBER,
        is_trading=_FLAG, tick=_TEXT, base_currency=_TEXT, quote_currency=_TEXT,
    ),
    quotes=_object(bid=_each(_ORDER), ask=_each(_ORDER)),
    profit=_object(
        net_pnl=_amount, spread_capture=_amount, inventory_pnl=_amount, fees=_amount, funding=_amount, volume=_amount,
        last_fill_at=_MAYBE_TIME,
    ),
    inventory=_object(position=_amount, offset=_amount, limit=_amount, use=_number, skew=_number),
    limits=_each(_LIMIT),
    requests=_object(suspended_until=_MAYBE_TIME, suspended_reason=_TEXT, awaiting_answer=_number),
    feed=_object(
        age_seconds=_MAYBE_NUMBER, behind_seconds=_number, stale_after_seconds=_number,
        account_feed_loss=_MAYBE_TEXT, refused_facts=_number,
    ),
    faults=_object(
        noted=_number,
        now=_optional(_object(code=_TEXT, reason=_TEXT, since=_TIME, is_transient=_FLAG)),
        latched=_each(_object(code=_TEXT, reason=_TEXT)), doing=_TEXT,
    ),
    unknown_orders=_each(_object(order=_TEXT, side=_TEXT, since=_TIME)),
    pause=_MAYBE_TEXT,
    stopping=_optional(_object(reason=_TEXT, keeps_position=_FLAG, deadline=_MAYBE_TIME, is_late=_FLAG)),
    journal_failure=_MAYBE_TEXT,
    news=_each(_object(time=_TIME, kind=_TEXT, words=_TEXT)),
)  # fmt: skip


def _market(value: object, place: str) -> str:
    """One market; one that has ended has ended somehow."""
    fault = _MADE(value, place)
    if fault or not isinstance(value, Mapping):
        return fault
    is_open = value["has_ended"] and value["ending"]["outcome"] == Outcome.UNFINISHED
    return f"{place}.ending.outcome is unfinished, though has_ended" if is_open else ""


_STATUS: Final = _object(
    is_running=_FLAG, run=_TEXT, process=_within(_LARGEST_PROCESS), host=_TEXT,
    written_at=_within(_LAST_SECOND, is_whole=False), error=_MAYBE_TEXT, symbols=_each(_market),
)  # fmt: skip
