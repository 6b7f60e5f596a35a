"""Memory does not grow with the facts: nothing that a run holds on to becomes longer once its bound is reached."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from mm_fsm.books import context, ledger, order_table
from mm_fsm.books.markouts import MarkoutTracker
from mm_fsm.runtime.journal import JournalSettings
from mm_fsm.venues.paper import PaperExchange, PaperSettings
from tests.coverage.recording import nobody_watching
from tests.runtime.journal.containers import sizes
from tests.runtime.journal.scenario import BALANCES, FEES, INSTRUMENT, World, begin, plan_at

KEPT = 40
SHORT = 50
"""Lengths up to which a container may vary as it likes: quotes, settings, reasons, digits of exact sums."""


def test_nothing_grows_longer_with_three_times_the_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every container that machine, journal and exchange hold, with bounds of 40 trades, 40 orders and 30 s."""
    monkeypatch.setattr(ledger, "TRADES_REMEMBERED", KEPT)
    monkeypatch.setattr(order_table, "FINISHED_ORDERS_KEPT", KEPT)
    monkeypatch.setattr(context, "MarkoutTracker", partial(MarkoutTracker, (1.0, 5.0, 10.0, 20.0, 30.0)))
    world = World(exchange=PaperExchange(INSTRUMENT, FEES, BALANCES, PaperSettings(history_seconds=30)))
    settings = JournalSettings(record_market_data=True, segment_records=100)
    run = begin(plan_at(tmp_path / "run.journal", journal_settings=settings))
    with nobody_watching():  # who measures this very run remembers every order until the test ends
        world.run(run, 60)
    counts = run.machine.machine.context
    fills, placed = counts.fill_count, counts.next_order_number
    before = sizes(machine=run.machine, journal=run.journal, exchange=world.exchange)
    world.run(run, 120)
    after = sizes(machine=run.machine, journal=run.journal, exchange=world.exchange)
    assert fills > KEPT
    assert counts.fill_count > 2 * fills
    assert counts.next_order_number > 2 * placed
    assert len(after) > 120  # the walk has seen the insides of machine, journal and exchange
    grown = {place: (before.get(place, 0), size) for place, size in after.items() if size > SHORT}
    assert {place: pair for place, pair in grown.items() if pair[1] > 1.7 * pair[0]} == {}
    run.close()
