"""Files are known by what they contain."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.errors import RecordingError, SettingsError
from mm_fsm.venues.base import MarketSource
from mm_fsm.venues.recorded import Recording
from tests.venues.recorded.openings import opened

WriteFile = Callable[..., Path]

QUOTES = (
    "exchange,symbol,timestamp,ask_amount,ask_price,bid_price,bid_amount",
    "gemini,ETHUSD,1625097600000000,1,2279.63,2271.58,1",
)
TRADES = ("exchange,symbol,timestamp,id,side,price,amount", "gemini,ETHUSD,1625097600000000,1,buy,2279.63,1")
BOOK = '{"e":"bookTicker","u":1,"s":"X","b":"63943.90","B":"46.371","a":"63944.00","A":"0.095","T":1721347022507}'
CAPTURE = (f'1721347021080832061 {{"stream":"x@bookTicker","data":{BOOK}}}',)


def test_quotes_and_trades_are_told_apart_whatever_their_names_and_order(write: WriteFile) -> None:
    paths = [write("one.gz", *TRADES, compress=True), write("two", *QUOTES)]
    recording = opened(paths, symbol="ETH/USD", recorded_symbol="ETHUSD")
    assert isinstance(recording, Recording)
    assert [(type(event).__name__, event.symbol) for event in recording] == [
        ("MarketTrade", "ETH/USD"),
        ("MarketBook", "ETH/USD"),
    ]


def test_a_raw_capture_is_recognised(write: WriteFile) -> None:
    recording = opened([write("one.csv", *CAPTURE)])
    assert isinstance(recording, Recording)
    assert len(list(recording)) == 1


def test_a_window_that_is_asked_for_is_used(write: WriteFile) -> None:
    late = QUOTES[1].replace("1625097600000000", "1625097599999999")
    path = write("one", *QUOTES, late)
    with pytest.raises(RecordingError, match=r"--reorder-window 1e-06 \(seconds\)"):
        list(opened([path], reorder_window_seconds=0))
    assert len(list(opened([path], reorder_window_seconds=1e-06))) == 2


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a": TRADES}, "a: expected a file of quotes with these trades (tardis trades), found none."),
        (
            {"a": QUOTES, "b": CAPTURE},
            "b: expected books from one source, found tardis quotes in a as well.",
        ),
        ({"a": CAPTURE, "b": TRADES}, "b: expected trades from one source, found binance-stream capture in a as well."),
        ({"a": ("hello",)}, "a, line 1: expected a file of a known kind, found 'hello'."),
        ({"a": ()}, "a: expected recorded lines, found an empty file."),
    ],
)
def test_files_that_make_no_recording_are_refused(
    write: WriteFile, files: dict[str, tuple[str, ...]], expected: str
) -> None:
    paths = [write(name, *lines) for name, lines in files.items()]
    with pytest.raises(RecordingError) as caught:
        opened(paths)
    assert str(caught.value).startswith(expected)


def test_a_recording_is_a_market_source(write: WriteFile) -> None:
    source: MarketSource = opened([write("one", *QUOTES)])
    assert [event.received_at for event in source] == [1_625_097_600_000_000_000]


PATCHES = st.one_of(st.binary(max_size=20), st.text('0123456789.-e,"{}[]:\nNan', max_size=20).map(str.encode))


@given(
    lines=st.sampled_from([QUOTES, TRADES, CAPTURE]),
    compress=st.booleans(),
    damage=st.tuples(st.integers(0, 400), st.integers(0, 40), PATCHES),
)
def test_whatever_is_damaged_is_read_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    lines: tuple[str, ...],
    compress: bool,
    damage: tuple[int, int, bytes],
) -> None:
    sound, damaged = (tmp_path_factory.getbasetemp() / name for name in ("sound", "damaged"))
    sound.write_text("".join(f"{line}\n" for line in QUOTES))
    content = "".join(f"{line}\n" for line in lines).encode()
    content = gzip.compress(content) if compress else content
    place, length, patch = damage
    damaged.write_bytes(content[:place] + patch + content[place + length :])
    with suppress(RecordingError):
        for event in opened([sound, damaged] if lines is TRADES else [damaged]):
            assert event.exchange_time > 0


def test_no_file_is_refused() -> None:
    with pytest.raises(SettingsError, match="expected at least one file"):
        opened([])
