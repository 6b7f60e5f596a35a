"""Addresses are secrets: read from the environment or a private file, and shown nowhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from mm_fsm.errors import SettingsError
from mm_fsm.runtime.watching_settings import AlertSettings
from mm_fsm.watching.alert_targets import read_targets
from tests.watching.http_target import SECRET, HttpTarget, http_target

VARIABLE = "MM_FSM_TEST_TARGETS"


@pytest.fixture
def target() -> Iterator[HttpTarget]:
    with http_target() as made:
        yield made


def private(tmp_path: Path, text: str, mode: int = 0o600) -> AlertSettings:
    file = tmp_path / "targets"
    file.write_text(text)
    file.chmod(mode)
    return AlertSettings(targets_file=str(file))


def test_addresses_come_from_the_environment_and_from_a_file(
    tmp_path: Path, target: HttpTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, f"{target.address}\n{target.address}?method=put")
    settings = AlertSettings(targets_variable=VARIABLE)
    assert [each.name for each in read_targets(settings)] == ["1 (JSON)", "2 (JSON)"]
    in_file = read_targets(private(tmp_path, f"# of the desk\n\n  {target.address}  \n"))
    assert [each.name for each in in_file] == ["1 (JSON)"]
    assert in_file[0].send("a title", "a body")
    assert {key: target.next()[key] for key in ("title",)} == {"title": "a title"}


def test_a_target_that_refuses_or_is_not_there_is_told_by_false(
    target: HttpTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, target.address)
    (found,) = read_targets(AlertSettings(targets_variable=VARIABLE))
    target.status = 500
    assert not found.send("t", "b")
    monkeypatch.setenv(VARIABLE, "json://127.0.0.1:1/nobody")
    (nobody,) = read_targets(AlertSettings(targets_variable=VARIABLE))
    assert not nobody.send("t", "b")


def test_a_service_whose_code_raises_is_told_by_false(target: HttpTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, target.address)
    (found,) = read_targets(AlertSettings(targets_variable=VARIABLE))

    def raises(**_: object) -> bool:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(found._plugin, "notify", raises)
    assert not found.send("t", "b")


@pytest.mark.parametrize(
    ("text", "mode", "expected"),
    [
        (f"json://host/{SECRET}\n", 0o644, "a file that only its owner, this user, may read"),
        (f"no-such-service://host/{SECRET}\n", 0o600, "addresses that apprise knows; number 1 is none"),
        (f"json://host/{SECRET}\n{SECRET}\n", 0o600, "addresses that apprise knows; number 2 is none"),
        (f"# json://host/{SECRET}\n", 0o600, "one address a line"),
        (f"json://host/{SECRET}\n" * 11, 0o600, "at most 10 addresses"),
    ],
)
def test_what_is_wrong_is_refused_without_showing_an_address(
    tmp_path: Path, text: str, mode: int, expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SettingsError) as refused:
        read_targets(private(tmp_path, text, mode))
    assert refused.value.expected == expected
    assert SECRET not in f"{refused.value!r} {refused.value} {caplog.text}"
    assert refused.value.__cause__ is None


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(SettingsError, match=f"environment variable '{VARIABLE}'"):
        read_targets(AlertSettings(targets_variable=VARIABLE))
    with pytest.raises(SettingsError, match="a file that can be read"):
        read_targets(AlertSettings(targets_file="/nowhere/targets"))


def test_no_address_is_in_a_repr_or_a_log(
    target: HttpTarget, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv(VARIABLE, target.address)
    (found,) = read_targets(AlertSettings(targets_variable=VARIABLE))
    for status in (200, 500):
        target.status = status
        found.send("t", "b")
    assert SECRET not in f"{found!r} {found} {caplog.text}"
