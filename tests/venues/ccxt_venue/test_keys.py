"""Keys come from places that others cannot read, and are shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from mm_fsm.errors import SettingsError
from mm_fsm.venues.ccxt_venue.keys import Keys, keys_from_environment, keys_from_file

SECRET = "s3cr3t-of-the-account"
NAMES = {"apiKey": "MY_KEY", "secret": "MY_SECRET", "password": None, "uid": None}


def key_file(place: Path, text: str = f'apiKey = "the-key"\nsecret = "{SECRET}"\n', mode: int = 0o600) -> Path:
    path = place / "keys.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_file_that_only_its_owner_may_read_is_taken(tmp_path: Path) -> None:
    assert dict(keys_from_file(key_file(tmp_path)).parts) == {"apiKey": "the-key", "secret": SECRET}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666, 0o644])
def test_a_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SettingsError, match="chmod 600") as refused:
        keys_from_file(key_file(tmp_path, mode=mode))
    assert SECRET not in str(refused.value)


OTHER_FILES = (
    "not toml =",
    f'secret = "{SECRET}"',
    f'apiKey = 5\nsecret = "{SECRET}"',
    f'apiKey = ""\nsecret = "{SECRET}"',
    f'apiKey = "a"\nsecret = "{SECRET}"\nother = "x"',
)


@pytest.mark.parametrize("text", OTHER_FILES)
def test_another_file_is_refused_without_a_word_of_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="key_file") as refused:
        keys_from_file(key_file(tmp_path, text))
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="can be read"):
        keys_from_file(tmp_path / "nothing.toml")


def test_keys_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "the-key")
    monkeypatch.setenv("MY_SECRET", SECRET)
    assert dict(keys_from_environment(NAMES).parts) == {"apiKey": "the-key", "secret": SECRET}


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "the-key")
    monkeypatch.delenv("MY_SECRET", raising=False)
    with pytest.raises(SettingsError, match="MY_SECRET"):
        keys_from_environment(NAMES)


def test_no_repr_and_no_vendor_message_shows_them() -> None:
    keys = Keys(parts={"apiKey": "the-key", "secret": SECRET})
    assert "the-key" not in repr(keys)
    assert SECRET not in f"{keys!s} {keys!r}"
    message = f"binance GET https://api/x?a=1&signature=abcdef0123&timestamp=5 {SECRET} the-key\n" + 500 * "x"
    shown = keys.scrub(message)
    assert not any(part in shown for part in ("abcdef0123", SECRET, "the-key", "\n"))
    assert "timestamp=5" in shown
    assert len(shown) <= 240
