"""What is written is read again: exactly, as far as the format can hold it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.errors import OptionError, RecordingError, SettingsError
from mm_fsm.venues.recorded import RecordedEvent, RecordingInfo
from mm_fsm.venues.recorded.writing import WRITERS, write_recording
from tests.venues.recorded.openings import STRICT, opened

START = 1_735_800_000_000_000_000  # nanoseconds
INFO = RecordingInfo(exchange="x", symbol="AB", first_time=START)

PRICES = st.integers(9_000, 11_000).map(lambda ticks: Decimal(ticks).scaleb(-2))
SIZES = st.integers(1, 10_000_000).map(lambda lots: Decimal(lots).scaleb(-4))


@st.composite
def books(draw: st.DrawFn) -> MarketBook:
    """A book that is not crossed, either side possibly empty, with up to three levels."""
    middle = draw(st.integers(9_100, 10_900))
    sides = []
    for sign in (-1, 1):
        steps = draw(st.lists(st.integers(1, 50), max_size=3))
        ticks = [middle + sign * sum(steps[: place + 1]) for place in range(len(steps))]
        sides.append(tuple(BookLevel(Decimal(tick).scaleb(-2), draw(SIZES)) for tick in ticks))
    return MarketBook(
        symbol="AB", received_at=0, exchange_time=0, bids=sides[0], asks=sides[1], includes_own_orders=False
    )


TRADES = st.builds(
    MarketTrade,
    symbol=st.just("AB"),
    received_at=st.just(0),
    exchange_time=st.just(0),
    price=PRICES,
    size=SIZES,
    taker_side=st.sampled_from(Side),
    trade_id=st.just(""),
)


@st.composite
def markets(draw: st.DrawFn, unit: int) -> list[RecordedEvent]:
    """A market of which every time is its own; times are multiples of ``unit`` nanoseconds."""
    events = [draw(books()), *draw(st.lists(st.one_of(books(), TRADES), max_size=8))]
    made: list[RecordedEvent] = []
    for place, event in enumerate(events):
        sent = START + 3 * place * unit
        stamped = evolve(event, exchange_time=sent, received_at=sent + unit)
        made.append(evolve(stamped, trade_id=str(place + 1)) if isinstance(stamped, MarketTrade) else stamped)
    return made


def best_only(event: RecordedEvent) -> RecordedEvent:
    return evolve(event, bids=event.bids[:1], asks=event.asks[:1]) if isinstance(event, MarketBook) else event


def by_exchange(event: RecordedEvent) -> RecordedEvent:
    return evolve(event, received_at=event.exchange_time)


def _again(events: list[RecordedEvent], form: str, folder: Path) -> list[RecordedEvent]:
    paths = write_recording(events, INFO, form, folder)
    assert all(path.is_file() for path in paths)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    return list(opened(paths, symbol="AB", refuse=STRICT, max_book_jump=9, max_print_distance=9))


@pytest.mark.parametrize(("form", "library"), [("parquet", "pyarrow"), ("hftbacktest", "numpy")])
def test_a_format_whose_library_is_missing_leaves_no_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(OptionError, match=r"mm-fsm\[recordings\]"):
        write_recording([], INFO, form, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@given(events=markets(unit=1))
def test_parquet_holds_everything(tmp_path_factory: pytest.TempPathFactory, events: list[RecordedEvent]) -> None:
    assert _again(events, "parquet", tmp_path_factory.mktemp("parquet")) == events


@given(events=markets(unit=1000))
def test_tardis_holds_the_best_levels_in_microseconds(
    tmp_path_factory: pytest.TempPathFactory, events: list[RecordedEvent]
) -> None:
    expected = [best_only(event) for event in events]
    folder = tmp_path_factory.mktemp("tardis")
    assert _again(events, "tardis", folder) == expected


@pytest.mark.parametrize(("form", "unit"), [("binance-public", 1000), ("binance-stream", 1_000_000)])
@given(data=st.data())
def test_binance_formats_hold_the_best_levels_by_the_exchanges_time(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, form: str, unit: int
) -> None:
    events = data.draw(markets(unit=unit))
    expected = [by_exchange(best_only(event)) for event in events]
    assert _again(events, form, tmp_path_factory.mktemp("binance")) == expected


IDS = st.lists(st.one_of(st.integers(0, 20).map(str), st.text("a7", min_size=1, max_size=3)), max_size=8, unique=True)


@pytest.mark.parametrize("form", ["binance-public", "binance-stream"])
@given(ids=IDS)
def test_no_trade_is_lost_in_a_binance_format_whatever_its_id(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str], form: str
) -> None:
    """These formats number trades: an id that is no number gets one that no other trade has."""
    book = MarketBook(received_at=START, symbol="AB", exchange_time=START, bids=(), asks=())
    sent = [START + place * 1_000_000 for place, _ in enumerate(ids, start=1)]
    trades = [
        MarketTrade(
            symbol="AB",
            received_at=time,
            exchange_time=time,
            price=Decimal(100),
            size=Decimal(1),
            taker_side=Side.BID,
            trade_id=trade_id,
        )
        for time, trade_id in zip(sent, ids, strict=True)
    ]
    again = _again([book, *trades], form, tmp_path_factory.mktemp("ids"))
    made = [(event.received_at, int(event.trade_id)) for event in again if isinstance(event, MarketTrade)]
    assert [time for time, _ in made] == sent
    numbers = [number for _, number in made]
    assert numbers == sorted(set(numbers))
    known = [int(trade_id) for trade_id in ids if trade_id.isdecimal()]
    if len(known) == len(ids) and known == sorted(set(known)):
        assert numbers == known, "ids that rise already stay"


@given(events=markets(unit=1))
def test_hftbacktest_holds_changes_of_books(
    tmp_path_factory: pytest.TempPathFactory, events: list[RecordedEvent]
) -> None:
    """A book that shows what the one before did is no change, so it is not written."""
    assume(any(isinstance(event, MarketBook) and (event.bids or event.asks) for event in events))
    expected: list[RecordedEvent] = []
    shown: tuple[object, object] = ((), ())
    for event in events:
        if isinstance(event, MarketBook):
            if (event.bids, event.asks) == shown:
                continue
            shown = (event.bids, event.asks)
        expected.append(event)
    made = _again(events, "hftbacktest", tmp_path_factory.mktemp("hftbacktest"))
    plain = [evolve(event, trade_id="") if isinstance(event, MarketTrade) else event for event in made]
    assert plain == [evolve(event, trade_id="") if isinstance(event, MarketTrade) else event for event in expected]


def test_a_reading_that_is_refused_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> Iterator[RecordedEvent]:
        yield MarketBook(symbol="AB", received_at=1, exchange_time=1, bids=(), asks=())
        raise RecordingError("q.csv", 7, "broken.", "Mend it.")

    for form in WRITERS:
        with pytest.raises(RecordingError):
            write_recording(broken(), INFO, form, tmp_path / form)
        assert list((tmp_path / form).iterdir()) == []


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="expected one of parquet, tardis, "):
        write_recording([], INFO, "csv", tmp_path)
    (tmp_path / "taken").write_text("")
    with pytest.raises(SettingsError, match="expected a directory to write to"):
        write_recording([], INFO, "tardis", tmp_path / "taken")
