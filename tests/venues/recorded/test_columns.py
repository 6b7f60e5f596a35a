"""Columns and rows give the same: events, counts and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.errors import RecordingError
from mm_fsm.venues.recorded.binance import BinanceCapture
from mm_fsm.venues.recorded.layout import RecordedEvent
from mm_fsm.venues.recorded.tardis import TardisQuotes, TardisTrades
from tests.venues.recorded.openings import opened

QUOTES = "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount"
TRADES = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
START = 1_735_800_000_000_000  # microseconds

NUMBERS = st.one_of(
    st.sampled_from(["100", "100.1", "100.2", "99.95", "0.5", "1e2", "1.000E+2", "1000", "0", "", "-1", "NaN", "1_0"]),
    st.decimals(99, 101, places=3).map(str),
)
STAMPS = st.one_of(
    st.integers(0, 3_000_000).map(lambda after: str(START + after)),
    st.sampled_from([str(START)[:-3], f"{START}000", "x", "", f"+{START}", "٣" * 16]),
)
MOSTLY_PLAIN = st.sampled_from(["x"] * 30 + ["y"])
QUOTE_ROWS = st.tuples(MOSTLY_PLAIN, st.just("AB"), STAMPS, STAMPS, NUMBERS, NUMBERS, NUMBERS, NUMBERS).map(",".join)
SOUND_QUOTES = st.builds(
    lambda after, bid, gap: f"x,AB,{START + after},{START + after},1,{bid + gap}.5,{bid}.25,2",
    st.integers(0, 200_000),
    st.integers(100, 105),
    st.integers(0, 3),
)
SIDES = st.sampled_from(["buy", "sell", "unknown"])
TRADE_ROWS = st.tuples(
    st.just("x"), st.just("AB"), STAMPS, STAMPS, st.sampled_from(["", "1", "2", "3", "4"]), SIDES, NUMBERS, NUMBERS
).map(",".join)
ODD_LINES = st.sampled_from(["", QUOTES, TRADES, 'x,"AB', "x,AB", ",,,,,,,", '"x","AB",1,1,1,1,1,1'])


def _outcome(files: list[Path]) -> tuple[list[RecordedEvent], dict[str, int], str]:
    recording = opened(files, max_passed_over=0.6)
    events: list[RecordedEvent] = []
    problem = ""
    try:
        events.extend(recording)
    except RecordingError as error:
        problem = str(error)
    return events, dict(recording.skipped), problem


def _without_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    for layout in (TardisQuotes, TardisTrades):
        monkeypatch.setattr(layout, "plain", lambda *_: None)
    monkeypatch.setattr(BinanceCapture, "_plain", lambda *_: None)


def _same_both_ways(files: list[Path]) -> None:
    in_columns = _outcome(files)
    with pytest.MonkeyPatch.context() as patched:
        _without_columns(patched)
        assert _outcome(files) == in_columns


@given(
    quotes=st.lists(st.one_of(SOUND_QUOTES, QUOTE_ROWS, ODD_LINES), min_size=1, max_size=12),
    trades=st.lists(st.one_of(TRADE_ROWS, ODD_LINES), max_size=8),
)
def test_csv_in_columns_gives_what_its_rows_give(
    tmp_path_factory: pytest.TempPathFactory, quotes: list[str], trades: list[str]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    first = f"x,AB,{START},{START},1,100.2,100.1,2"
    (folder / "q").write_text("\n".join([QUOTES, first, *quotes]) + "\n")
    (folder / "t").write_text("\n".join([TRADES, f"x,AB,{START},{START},0,buy,100,1", *trades]) + "\n")
    _same_both_ways([folder / "q", folder / "t"])


@given(rows=st.lists(SOUND_QUOTES, min_size=1, max_size=30))
def test_sound_quotes_are_read_in_columns(tmp_path_factory: pytest.TempPathFactory, rows: list[str]) -> None:
    """Otherwise the comparison would compare nothing."""
    path = tmp_path_factory.getbasetemp() / "sound"
    path.write_text("\n".join([QUOTES, *rows]) + "\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TardisQuotes, "judge", lambda *_: _refuse)
        assert len(list(opened([path]))) == len(rows)
    _same_both_ways([path])


def _refuse(*_: Any) -> Any:
    raise AssertionError("a row was looked at")


def _line(stream: str, data: dict[str, object], *, spaced: bool) -> str:
    separators = None if spaced else (",", ":")
    return f"17358000{json.dumps({'stream': f'ab@{stream}', 'data': data}, separators=separators)}".replace(
        "17358000{", "1735800000000000000 {"
    )


def _book(number: int, after: int, bid: str, ask: str) -> Callable[[bool], str]:
    stamp = START // 1000 + after
    data = {"e": "bookTicker", "u": number, "s": "AB", "b": bid, "B": "1.5", "a": ask, "A": "2", "T": stamp, "E": stamp}
    return lambda spaced: _line("bookTicker", data, spaced=spaced)


def _trade(number: int, after: int, price: str, market: str) -> Callable[[bool], str]:
    stamp = START // 1000 + after
    data = {
        "e": "trade",
        "E": stamp,
        "T": stamp,
        "s": "AB",
        "t": number,
        "p": price,
        "q": "0.5",
        "X": market,
        "m": True,
    }
    return lambda spaced: _line("trade", data, spaced=spaced)


def _depth(previous: int, last: int) -> Callable[[bool], str]:
    stamp = START // 1000
    data = {"e": "depthUpdate", "E": stamp, "T": stamp, "s": "AB", "U": last, "u": last, "pu": previous}
    return lambda spaced: _line("depth@0ms", data | {"b": [["1.00", "5"]], "a": []}, spaced=spaced)


SMALL = st.integers(0, 9)
MESSAGES = st.one_of(
    st.builds(
        _book, SMALL, st.integers(0, 400), st.sampled_from(["100", "100.1"]), st.sampled_from(["100.1", "100.2"])
    ),
    st.builds(
        _trade, SMALL, st.integers(0, 400), st.sampled_from(["100.1", "0", "x"]), st.sampled_from(["MARKET", "NA"])
    ),
    st.builds(_depth, SMALL, SMALL),
)


@given(messages=st.lists(MESSAGES, max_size=12), spaced=st.booleans())
def test_a_capture_in_columns_gives_what_its_lines_give(
    tmp_path_factory: pytest.TempPathFactory, messages: list[Callable[[bool], str]], *, spaced: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "capture"
    first = _book(0, 0, "100", "100.1")
    path.write_text("\n".join(make(spaced) for make in [first, *messages]) + "\n")
    _same_both_ways([path])


def test_a_plain_capture_is_read_in_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        _book(1, 0, "100", "100.1"),
        _trade(1, 1, "100", "MARKET"),
        _depth(1, 2),
        _depth(2, 5),
        _book(2, 2, "100", "101"),
    ]
    path = tmp_path / "capture"
    path.write_text("\n".join(make(False) for make in lines) + "\n")
    _same_both_ways([path])
    monkeypatch.setattr(BinanceCapture, "_judged", _refuse)
    recording = opened([path])
    assert len(list(recording)) == 3
    assert recording.skipped == {"depth": 2}
