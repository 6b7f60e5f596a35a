"""The token: fresh or from a file that only its owner may read, compared whole, and never told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mm_fsm.errors import FileError
from mm_fsm.runtime.loopback_server import Request
from mm_fsm.watching.served.access import Access

TOKEN = "0123456789abcdef0123456789abcdef"


def asked(authorization: str | None) -> Request:
    headers = {} if authorization is None else {"authorization": authorization}
    return Request(method="POST", path="/api/stop", headers=headers)


def written(place: Path, text: str, mode: int = 0o600) -> Path:
    path = place / "token"
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("authorization", "is_admitted"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer {TOKEN}", True),
        (TOKEN, False),
        (f"Basic {TOKEN}", False),
        ("Bearer ", False),
        (f"Bearer {TOKEN[:-1]}", False),
        (f"Bearer {TOKEN}x", False),
        (f"Bearer {TOKEN.upper()}", False),
        ("Bearer \u00e9\u00df", False),
        ("", False),
        (None, False),
    ],
)
def test_only_the_whole_token_is_admitted(authorization: str | None, is_admitted: bool) -> None:
    assert Access(TOKEN).admits(asked(authorization)) is is_admitted


def test_a_fresh_token_is_long_and_another_each_time() -> None:
    tokens = {Access.fresh().token for _ in range(20)}
    assert len(tokens) == 20
    assert min(map(len, tokens)) >= 40


def test_a_token_is_in_no_representation() -> None:
    assert TOKEN not in repr(Access(TOKEN))


def test_a_file_of_its_owner_alone_gives_the_token(tmp_path: Path) -> None:
    assert Access.from_file(written(tmp_path, f"{TOKEN}\n")).token == TOKEN
    assert Access.from_file(written(tmp_path, TOKEN, 0o400)).token == TOKEN


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o610])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(FileError, match="only its owner may read"):
        Access.from_file(written(tmp_path, TOKEN, mode))


@pytest.mark.parametrize(
    "text", ["", "short", "0123456789abcdef 0123456789", "x" * 201, "\x00" * 32, "0123456789\u00e90123456789"]
)
def test_what_is_no_token_is_refused_and_not_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(FileError, match="printable ASCII") as refused:
        Access.from_file(written(tmp_path, text))
    assert not text or text not in str(refused.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="token file"):
        Access.from_file(tmp_path / "missing")
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(FileError):
        Access.from_file(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, TOKEN)
    os.chown(path, 12345, -1)
    with pytest.raises(FileError, match="user 12345's"):
        Access.from_file(path)
