"""Mixes of faults drawn from seeds, and every judgement by the exchange's own log.

Ten seeds run here; ``MM_FSM_FAULT_SEEDS=300`` runs so many.
"""

from __future__ import annotations

import os

import pytest

from mm_fsm.books.facts import OrderAcknowledged
from mm_fsm.testing.rehearsal.fault_menu import random_faults
from tests.venues.ccxt_venue.judging import assert_books_equal, assert_nothing_forbidden
from tests.venues.ccxt_venue.live_stage import live, play
from tests.venues.ccxt_venue.test_faults import QUICK, is_calm

SEEDS = int(os.environ.get("MM_FSM_FAULT_SEEDS", "10"))
WITHIN_SECONDS = 4.0


@pytest.mark.parametrize("seed", range(SEEDS))
def test_after_a_mix_of_faults_the_books_are_the_exchanges(seed: int) -> None:
    async def part() -> None:
        async with live(seed=seed, strategy=QUICK) as stage:
            maker, log = stage.maker, stage.exchange.log
            await stage.until(lambda: len(maker.of(OrderAcknowledged)) >= 4)
            faults = random_faults(seed, count=6, within_seconds=WITHIN_SECONDS)
            stage.exchange.inject(*faults)
            await stage.until(lambda: len(log.faults()) >= 4)
            taken = len(maker.of(OrderAcknowledged))
            await stage.until(lambda: len(maker.of(OrderAcknowledged)) > taken + 2 and is_calm(maker))
            await stage.stop()
            assert_nothing_forbidden(stage)
            assert_books_equal(stage)

    play(part, 150)
