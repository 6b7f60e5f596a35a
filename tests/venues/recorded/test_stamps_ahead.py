"""A row stamped far in the future is passed over wherever it stands, at the edges of blocks and files too.

What follows it would look late, and all of it would be passed over instead.
"""

from __future__ import annotations

import pytest

from mm_fsm.venues.recorded import recording as recording_module
from mm_fsm.venues.recorded.layout import Batch
from tests.venues.recorded.openings import opened
from tests.venues.recorded.test_leniencies import QUOTES, TRADES, WriteFile, quote, seconds_of, trade

YEAR = 31_536_000


@pytest.fixture(params=[1, 2, 3, 1_000], ids="blocks of {}".format)
def blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of so many rows: an odd stamp is then the last or the first of its block, or alone in it."""
    size: int = request.param
    batches = recording_module.Recording._batches

    def in_blocks(self: object, layouts: object, wanted: object) -> object:
        for batch, layout in batches(self, layouts, wanted):  # type: ignore[arg-type]
            for first in range(0, len(batch.events), size):
                part = slice(first, first + size)
                yield Batch(batch.events[part], batch.lines[part], batch.prices), layout

    monkeypatch.setattr(recording_module.Recording, "_batches", in_blocks)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("place", range(7))
@pytest.mark.parametrize("ahead", [90, 7_200, YEAR])
def test_the_odd_row_is_passed_over_and_every_other_one_is_shown(write: WriteFile, place: int, ahead: int) -> None:
    rows = [quote(second) for second in range(6)]
    rows.insert(place, quote(place + ahead))
    recording = opened([write("q.csv", QUOTES, *rows)], max_passed_over=0.2)
    shown = seconds_of(recording)
    if place == 6 and ahead < 86_400:  # nothing follows it: the market may have been quiet for so long
        assert shown == [0, 1, 2, 3, 4, 5, 6 + ahead]
        return
    assert shown == [0, 1, 2, 3, 4, 5]
    assert recording.skipped == {"ahead": 1}


@pytest.mark.parametrize("place", [1, 5])
def test_the_last_row_of_a_file_is_held_against_the_first_of_the_next(write: WriteFile, place: int) -> None:
    rows = [quote(second) for second in range(12)]
    rows.insert(place, quote(place + 600))
    files = [write("a.csv", QUOTES, *rows[:6]), write("b.csv", QUOTES, *rows[6:])]
    recording = opened(files, max_passed_over=0.2)
    assert seconds_of(recording) == list(range(12))
    assert recording.skipped == {"ahead": 1}


def test_a_quiet_hour_between_trades_is_none(write: WriteFile) -> None:
    trades = write("t.csv", TRADES, trade(0.5, 1), trade(3_600, 2), trade(7_200, 3))
    quotes = write("q.csv", QUOTES, *(quote(second) for second in range(0, 7_300, 50)))
    recording = opened([quotes], [trades])
    assert recording.skipped == {}
    assert len(list(recording)) > 0
