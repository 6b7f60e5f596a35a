"""Mixes of faults drawn from seeds, and every judgement by the exchange's own log.

Ten seeds run here; ``python -m tests.venues.ccxt_venue.mixes --seeds 300`` runs so many.
"""

from __future__ import annotations

import pytest

from tests.venues.ccxt_venue.live_stage import play
from tests.venues.ccxt_venue.mixes import Outcome, trade_through


@pytest.mark.parametrize("seed", range(10))
def test_after_a_mix_of_faults_the_books_are_the_exchanges(seed: int) -> None:
    outcome = Outcome()
    play(lambda: trade_through(seed, outcome))
    assert outcome.strikes.total() >= 4
