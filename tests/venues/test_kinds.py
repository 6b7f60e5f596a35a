"""Kinds of venue by name: the shipped ones, and those of other packages, found by their entry points."""

from __future__ import annotations

from pathlib import Path

import pytest

from mm_fsm.errors import PluginError, SettingsError
from mm_fsm.venues.kinds import kinds_reading, load_kind, registered_kinds
from mm_fsm.venues.paper.kind import PaperKind
from mm_fsm.venues.recorded.kind import RecordedKind
from tests.venues.played_kind import PlayedKind, installed


class Tableless:
    """A kind that does not say what it reads."""

    tables = {"moon": object}  # noqa: RUF012 - as a careless package would

    def plan(self) -> None:
        """Never called."""


class Broken:
    """A kind that cannot be made."""

    def __init__(self) -> None:
        raise OSError("no library")


def test_the_shipped_kinds() -> None:
    assert isinstance(load_kind("paper"), PaperKind)
    assert isinstance(load_kind("recorded"), RecordedKind)
    assert kinds_reading("simulator") == ("paper",)
    assert kinds_reading("paper") == ("paper", "recorded")
    assert kinds_reading("moon") == ()


def test_another_package_brings_a_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with installed(tmp_path, monkeypatch):
        assert isinstance(load_kind("played"), PlayedKind)
        (found,) = (kind for kind in registered_kinds() if kind.name == "played")
    assert (found.origin, found.target) == ("played", "tests.venues.played_kind:PlayedKind")


@pytest.mark.parametrize("name", ["moon", "Paper", "", 3, None])
def test_a_kind_that_is_not_there_is_refused_with_those_that_are(name: object) -> None:
    with pytest.raises(
        SettingsError, match=r"'venue\.kind': expected one of 'paper', 'recorded'.*(Choose one|Did you mean 'paper')"
    ) as caught:
        load_kind(name)
    assert caught.value.found == name


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("tests.venues.test_kinds:Broken", "could not be made: OSError.*Repair that package"),
        ("tests.venues.test_kinds:Nobody", "could not be made"),
        ("tests.venues.test_kinds:Path", r"lacks \['tables', 'plan'\]"),
        ("tests.venues.test_kinds:Tableless", "reads no table 'venue'"),
    ],
)
def test_a_broken_package_is_named(target: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with installed(tmp_path, monkeypatch, target), pytest.raises(PluginError, match=problem):
        load_kind("played")
