"""Prepared recordings: found by what the files contain and how they are read, used only when whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mm_fsm.venues.recorded import PreparedFiles, ReadingSettings, Recording, open_recording, prepared
from mm_fsm.venues.recorded.prepared import default_directory

QUOTES = "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount"
TRADES = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
START = 1_735_800_000_000_000  # microseconds
COUNT = 5000


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """More rows than one line of a prepared file holds; one of them crossed, one side of another empty."""
    quotes = [f"x,AB,{START + at},{START + at + 7},1.50,{105 + at % 7}.20,{100 + at % 5}.1,2" for at in range(COUNT)]
    quotes[10] = f"x,AB,{START + 10},{START + 17},1,100,101,2"
    quotes[20] = f"x,AB,{START + 20},{START + 27},1,101,,"
    trades = [f"x,AB,{START + at},{START + at + 7},id {at},sell,100.50,0.25" for at in range(0, COUNT, 10)]
    paths = [tmp_path / "q.csv", tmp_path / "t.csv"]
    for path, lines in zip(paths, ([QUOTES, *quotes], [TRADES, *trades]), strict=True):
        path.write_text("\n".join(lines) + "\n")
    return paths


Open = Callable[..., Recording]


@pytest.fixture
def read(tmp_path: Path, files: list[Path]) -> Open:
    """Opens the files with a directory of prepared ones."""

    def opened(symbol: str = "A/B", **reading: object) -> Recording:
        kept = PreparedFiles(tmp_path / "prepared", least_bytes=0)
        settings = ReadingSettings(**reading)  # type: ignore[arg-type]
        return open_recording(files, symbol=symbol, reading=settings, prepared=kept)

    return opened


def test_the_second_run_gives_the_same_from_the_prepared_file(read: Open) -> None:
    first, second = read(), read()
    events = list(first)
    assert list(second) == events
    assert [str(event) for event in read()] == [str(event) for event in events]  # to the last zero of every number
    assert (first.is_prepared, second.is_prepared) == (False, True)
    assert (first.rows, first.books, first.trades) == (second.rows, second.books, second.trades) == (5500, 4999, 500)
    assert first.skipped == second.skipped == {"crossed": 1}
    assert second.position == second.size


def test_the_second_run_says_how_far_it_is_as_the_first_did(read: Open) -> None:
    """By events of 512 a line; not zero until the end, for no source file is opened."""
    list(read())
    second = read()
    shares = [second.position / second.size for _ in second]
    assert shares == sorted(shares)
    for at in (0.25, 0.5, 0.75):
        assert shares[int(at * len(shares))] == pytest.approx(at, abs=512 / len(shares))
    assert shares[-1] == 1.0


def test_what_events_call_the_market_is_no_part_of_what_is_prepared(read: Open) -> None:
    list(read("A/B"))
    renamed = read("AB")
    assert {event.symbol for event in renamed} == {"AB"}
    assert renamed.is_prepared


def test_another_content_another_order_or_other_leniencies_are_read_anew(read: Open, files: list[Path]) -> None:
    list(read())
    for changed in (read(order="exchange"), read(max_passed_over=0.5), read(reorder_window_seconds=1.0)):
        list(changed)
        assert not changed.is_prepared
    files[0].write_text(files[0].read_text().replace("1.50,", "1.75,", 1))
    changed = read()
    list(changed)
    assert not changed.is_prepared
    again = read()
    list(again)
    assert again.is_prepared


def test_what_other_readers_prepared_is_read_anew(read: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    list(read())
    monkeypatch.setattr(prepared, "code_digest", lambda: "of other readers")
    other = read()
    list(other)
    monkeypatch.undo()
    same = read()
    list(same)
    assert (other.is_prepared, same.is_prepared) == (False, True)


def test_the_digest_of_the_code_tells_any_change_of_a_module(tmp_path: Path) -> None:
    found = []
    for content in ("a = 1\n", "a = 2\n"):
        directory = tmp_path / str(len(found))
        (directory / "inner").mkdir(parents=True)
        (directory / "inner" / "module.py").write_text(content)
        found.append(prepared.code_digest(directory))
    assert found[0] != found[1]


def test_the_files_names_and_times_do_not_matter(read: Open, files: list[Path]) -> None:
    list(read())
    os.utime(files[0], (1, 1))
    again = read()
    list(again)
    assert again.is_prepared


def test_a_reading_that_is_given_up_or_refused_leaves_nothing(read: Open, tmp_path: Path) -> None:
    events = iter(read())
    next(events)
    del events
    with pytest.raises(ValueError, match="crossed"):
        list(read(refuse=("crossed",)))
    assert list((tmp_path / "prepared").iterdir()) == []


@pytest.mark.parametrize("damage", ["torn", "changed", "empty", "not json"])
def test_a_damaged_prepared_file_is_not_used_and_made_anew(read: Open, tmp_path: Path, damage: str) -> None:
    events = list(read())
    (path,) = (tmp_path / "prepared").iterdir()
    whole = path.read_bytes()
    damaged = {
        "torn": whole[: len(whole) // 2],
        "changed": whole.replace(b"100.1", b"100.2", 1),
        "empty": b"",
        "not json": b"hello\n",
    }
    path.write_bytes(damaged[damage])
    again = read()
    assert list(again) == events
    assert not again.is_prepared
    assert path.read_bytes() == whole


def test_where_nothing_can_be_written_the_files_are_read_each_time(tmp_path: Path, files: list[Path]) -> None:
    (tmp_path / "taken").write_text("a file, no directory")
    recording = open_recording(files, prepared=PreparedFiles(tmp_path / "taken" / "deeper", least_bytes=0))
    assert len(list(recording)) == 5499
    assert not recording.is_prepared


def test_small_recordings_are_not_kept(tmp_path: Path, files: list[Path]) -> None:
    recording = open_recording(files, prepared=PreparedFiles(tmp_path / "prepared", least_bytes=10_000_000))
    list(recording)
    assert not (tmp_path / "prepared").exists()


def test_the_directory_keeps_what_was_used_last(tmp_path: Path) -> None:
    directory = tmp_path / "prepared"
    directory.mkdir()
    for age, name in enumerate(("new", "middle", "old")):
        path = directory / f"{name}.events"
        path.write_bytes(b"x" * 100)
        os.utime(path, (1000 - age, 1000 - age))
    PreparedFiles(directory, most_bytes=200).make_room()
    assert sorted(path.stem for path in directory.iterdir()) == ["middle", "new"]


def test_they_are_kept_in_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_directory() == tmp_path / "mm-fsm" / "recordings"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert default_directory() == tmp_path / ".cache" / "mm-fsm" / "recordings"
