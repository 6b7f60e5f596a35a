"""One file of lines: how it is opened, counted, and refused."""

from __future__ import annotations

import gzip
import random
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mm_fsm.errors import RecordingError
from mm_fsm.venues.recorded.files import RecordingFile

WriteFile = Callable[..., Path]


def lines_of(file: RecordingFile) -> Iterator[tuple[int, str]]:
    """Every line with its number."""
    for block in file.blocks():
        yield from enumerate(block.text.splitlines(keepends=True), block.first_line)


def test_compression_is_told_by_the_first_bytes_and_not_by_the_name(write: WriteFile) -> None:
    plain = RecordingFile(write("day.csv.gz", "one", "two"))
    packed = RecordingFile(write("day.csv", "one", "two", compress=True))
    assert list(lines_of(plain)) == list(lines_of(packed)) == [(1, "one\n"), (2, "two\n")]


def test_files_compressed_in_several_pieces_are_read_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "day.gz"
    path.write_bytes(gzip.compress(b"one\n") + gzip.compress(b"two\n"))
    assert [line for _, line in lines_of(RecordingFile(path))] == ["one\n", "two\n"]


@pytest.mark.parametrize("compress", [False, True])
def test_position_ends_at_the_size_on_disk(write: WriteFile, *, compress: bool) -> None:
    noise = random.Random(7)  # of little use to a compressor, so that the file is large on disk as well
    path = write("day", *(noise.randbytes(50).hex() for _ in range(20_000)), compress=compress)
    file = RecordingFile(path)
    assert file.position == 0
    seen = [file.position for _ in lines_of(file)]
    assert seen == sorted(seen)
    assert 0 < seen[1000] < file.size
    assert file.position == file.size == path.stat().st_size


def test_another_reading_starts_the_position_anew(write: WriteFile) -> None:
    file = RecordingFile(write("day", *(f"line {number}" for number in range(50_000))))
    list(lines_of(file))
    again = lines_of(file)
    next(again)
    assert file.position < file.size


def test_a_file_is_never_in_memory_as_a_whole(write: WriteFile) -> None:
    noise = random.Random(7)
    path = write("day.gz", *(noise.randbytes(500).hex() for _ in range(6_000)), compress=True)
    assert path.stat().st_size > 3_000_000
    tracemalloc.start()
    try:
        for _ in lines_of(RecordingFile(path)):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000  # a block as bytes and as text; the file's text is 6 MB


def test_a_missing_file_is_named_without_its_folders(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"^absent\.csv: expected a readable file, found: No such file") as caught:
        next(lines_of(RecordingFile(tmp_path / "absent.csv")))
    assert (caught.value.source, caught.value.line) == ("absent.csv", 0)
    with pytest.raises(RecordingError, match=r"^absent\.csv: expected a readable file"):
        _ = RecordingFile(tmp_path / "absent.csv").size


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="expected a readable file, found: Is a directory"):
        next(lines_of(RecordingFile(tmp_path)))


@pytest.mark.parametrize("compress", [False, True])
def test_an_empty_file_is_refused(write: WriteFile, *, compress: bool) -> None:
    with pytest.raises(RecordingError, match=r"^day: expected recorded lines, found an empty file\."):
        next(lines_of(RecordingFile(write("day", compress=compress))))


@pytest.mark.parametrize("kept", [0.5, 0.99])
def test_a_truncated_gzip_file_yields_what_is_whole_and_is_then_refused(write: WriteFile, kept: float) -> None:
    lines = [random.Random(number).randbytes(50).hex() for number in range(20_000)]
    path = write("day.gz", *lines, compress=True)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    read: list[str] = []
    with pytest.raises(RecordingError, match=r"^day\.gz, line \d+: expected a whole compressed file") as caught:
        read.extend(line.rstrip("\n") for _, line in lines_of(RecordingFile(path)))
    assert len(read) > 1_000
    assert read == lines[: caught.value.line - 1]


@pytest.mark.parametrize("place", [-8, 200])
def test_a_damaged_gzip_file_is_refused(write: WriteFile, place: int) -> None:
    path = write("day.gz", *(str(number) for number in range(5_000)), compress=True)
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF  # eight from the end is the checksum
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"expected a whole compressed file, found a broken one \(.+\)\. Copy"):
        list(lines_of(RecordingFile(path)))


def test_text_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_bytes(b"one\ntwo\nthr\xe9e\n")
    with pytest.raises(RecordingError, match=r"^day\.csv, line 3: expected UTF-8 text, found byte 0xe9\."):
        list(lines_of(RecordingFile(path)))
