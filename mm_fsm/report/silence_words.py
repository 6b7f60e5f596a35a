"""Why each silent side of a market is silent: the reason, who decided, since when, and what would end it.

Everything is what the run wrote into ``status.json``; nothing is worked out here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mm_fsm.core.decisions import HoldReason
from mm_fsm.report.status_words import Entry, StatusAnswer, printable
from mm_fsm.report.table import clock_text, lasting

_PASSES_AT_ONCE: Final = frozenset({HoldReason.ORDERS_IN_FLIGHT, HoldReason.COMPLETED})
"""Nobody asks why: an answer is on its way, or everything is over."""


def silences(entry: Entry) -> Iterator[tuple[str, list[StatusAnswer]]]:
    """Each side that is silent for a reason worth asking about, and what there is to say of it."""
    for name, side in entry["sides"].items():
        if not side["is_live"] and side["reason"] not in _PASSES_AT_ONCE:
            yield name, list(_answers(side, entry["time"]))


def _answers(side: Mapping[str, Any], now: int) -> Iterator[StatusAnswer]:
    detail = f": {printable(side['detail'])}" if side["detail"] else ""
    yield StatusAnswer("why", f"{side['why']}{detail}")
    decided = _decided(side["decided_by"])
    if decided:
        yield StatusAnswer("decided by", decided)
    if side["since"] is not None:
        began = side["began_with"]
        step = "" if began is None else f"; step {began['step']:,}: {printable(began['fact'])}"
        yield StatusAnswer("since", f"{clock_text(side['since'])}, for {lasting(now - side['since'])}{step}")
    yield StatusAnswer("ends", _end(side, now))


def _decided(decision: Mapping[str, Any] | None) -> str:
    """The service that answered, the guards, and the edges that were taken; empty where nobody saw the step."""
    if decision is None:
        return ""
    service = f"the service's {printable(decision['service'])}" if decision["service"] else ""
    guard = f"guard {printable(decision['guard'])}" if decision["guard"] else ""
    edges = f"edge {' then '.join(map(printable, decision['edges']))}" if decision["edges"] else ""
    return "; ".join(filter(None, (service, guard, edges)))


def _end(side: Mapping[str, Any], now: int) -> str:
    if side["until"] is None:
        return str(side["ends_when"])
    return f"{side['ends_when']}; by itself at {clock_text(side['until'])}, in {lasting(side['until'] - now)}"
