"""Every hold reason is classed in every table that tells reasons apart."""

from __future__ import annotations

import pytest

from mm_fsm.core.decisions import HoldReason
from mm_fsm.report.plain_words import ENDS_WHEN, SELF_EVIDENT, WHAT_IS_DONE, WHY_HELD
from mm_fsm.report.silence_words import _PASSES_AT_ONCE
from mm_fsm.report.stretches import _WAITING
from mm_fsm.services.permission import _REASON_OF_REFUSAL, MACHINE, MARKET
from mm_fsm.watching.conditions import _LIMITS

CLASSES = {
    "not_started": "told self-evident",
    "warming_up": "market told self-evident",
    "waiting_for_balances": "told done self-evident",
    "reconciling": "machine refusal told done",
    "account_feed_lost": "machine refusal told done",
    "requests_suspended": "machine refusal told done limit",
    "operator_paused": "machine refusal told done",
    "no_market_data": "market refusal told done self-evident",
    "stale_data": "market refusal told done",
    "one_sided_book": "market told done self-evident",
    "crossed_book": "market told done",
    "market_spread": "market told done",
    "unsound_book": "market told done",
    "trading_halted": "market refusal told done self-evident",
    "inventory_limit": "told done limit",
    "funds": "refusal told done",
    "below_minimum": "refusal told",
    "adverse_selection": "told done",
    "post_only_rejections": "told done",
    "rejected_by_venue": "told done",
    "unknown_order": "refusal told done self-evident wait",
    "bad_message": "told done",
    "risk": "told done limit",
    "orders_in_flight": "refusal told self-evident wait at-once",
    "adjusting_inventory": "machine told self-evident",
    "stopping": "machine told",
    "fault": "machine told done",
    "completed": "told self-evident at-once",
    "custom": "told done",
}
"""What each reason is meant to be: ``machine`` and ``market`` hold both sides, ``refusal`` is led to by a refused
order, ``told`` has words, also for when it ends, with ``done`` something is wrong and done about it, ``self-evident``
needs no detail, ``limit`` is a limit that was reached, ``wait`` awaits the venue's answer, ``at-once`` passes before
anybody asks why. None of the first three: of one side."""

TABLES = {
    "machine": frozenset(each.reason for each in MACHINE),
    "market": frozenset(each.reason for each in MARKET),
    "refusal": frozenset(_REASON_OF_REFUSAL.values()),
    "told": frozenset(WHY_HELD),
    "done": frozenset(WHAT_IS_DONE),
    "self-evident": SELF_EVIDENT,
    "limit": _LIMITS,
    "wait": _WAITING,
    "at-once": _PASSES_AT_ONCE,
}


@pytest.mark.parametrize("reason", HoldReason)
def test_a_reason_is_in_the_tables_that_it_is_meant_for_and_in_no_other(reason: HoldReason) -> None:
    assert reason.value in CLASSES, "say here what the new reason is in each table; HoldReason's docstring lists them"
    assert ENDS_WHEN[reason]
    assert {name for name, table in TABLES.items() if reason in table} == set(CLASSES[reason.value].split())
