"""Faults as they are ordered: in code, in a file, and drawn from a seed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mm_fsm.errors import SettingsError
from mm_fsm.testing.rehearsal import fault_menu
from mm_fsm.testing.rehearsal.fault_file import read_faults
from mm_fsm.testing.rehearsal.fault_menu import Fault, FaultKind, Where, occasions_of, random_faults
from mm_fsm.testing.rehearsal.fault_script import FaultScript
from mm_fsm.testing.rehearsal.judge import RehearsalLog

DROP = frozenset({FaultKind.DROP_AFTER})
BAN = frozenset({FaultKind.BANNED})
SYMBOL = "ETH/USDT"


class Stage:
    """A script whose time the test sets, seconds."""

    def __init__(self, *faults: Fault) -> None:
        self.now = 0.0
        self.script = FaultScript(lambda: self.now, RehearsalLog(lambda: 0))
        self.script.add(faults)

    def struck(self, where: Where, kinds: frozenset[FaultKind] = DROP, symbol: str | None = SYMBOL) -> bool:
        return self.script.strikes(where, symbol, kinds) is not None


def test_a_fault_strikes_so_many_occasions_after_so_many() -> None:
    stage = Stage(Fault(kind=FaultKind.DROP_AFTER, after=1, times=2))
    assert [stage.struck(Where.PLACE) for _ in range(5)] == [False, True, True, False, False]
    assert stage.script.pending == ()


def test_a_fault_waits_for_its_time_its_place_and_its_market() -> None:
    stage = Stage(Fault(kind=FaultKind.DROP_AFTER, at=5, where=Where.CANCEL, symbol=SYMBOL))
    assert not stage.struck(Where.CANCEL)
    stage.now = 5
    assert not stage.struck(Where.PLACE)
    assert not stage.struck(Where.CANCEL, symbol="SOL/USDT")
    assert stage.struck(Where.CANCEL)


def test_a_fault_that_lasts_strikes_everything_until_its_time_is_over() -> None:
    ban = Fault(kind=FaultKind.BANNED, where=Where.PLACE, seconds=3)
    stage = Stage(ban)
    assert not stage.struck(Where.QUERY, BAN)
    assert stage.struck(Where.PLACE, BAN)
    stage.now = 2.5
    assert stage.struck(Where.QUERY, BAN, symbol=None)
    assert stage.script.seconds_left(ban) == 0.5
    stage.now = 3
    assert not stage.struck(Where.PLACE, BAN)


def test_of_two_faults_that_fit_the_first_one_strikes() -> None:
    first, second = Fault(kind=FaultKind.DROP_AFTER), Fault(kind=FaultKind.DROP_AFTER, times=1)
    script = Stage(first, second).script
    assert script.strikes(Where.PLACE, SYMBOL, DROP) is first
    assert script.strikes(Where.PLACE, SYMBOL, DROP) is second
    assert script.strikes(Where.PLACE, SYMBOL, DROP) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": FaultKind.BOOK_GAP, "where": Where.PLACE},
        {"kind": FaultKind.DROP_AFTER, "times": 0},
        {"kind": FaultKind.DROP_AFTER, "after": -1},
        {"kind": FaultKind.DELAY_AFTER, "seconds": float("nan")},
        {"kind": FaultKind.CLOCK_SKEW, "skew_seconds": float("inf")},
    ],
)
def test_a_fault_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=r"fault\."):
        Fault(**wrong)  # type: ignore[arg-type]


def test_every_kind_can_strike_somewhere_and_says_what_it_does() -> None:
    text = Path(fault_menu.__file__).read_text(encoding="utf-8")
    for kind in FaultKind:
        assert occasions_of(kind)
        assert f'{kind.name} = "{kind.value}"\n    """' in text


def test_one_seed_gives_one_mix() -> None:
    first = random_faults(7, count=40, within_seconds=60)
    assert first == random_faults(7, count=40, within_seconds=60)
    assert first != random_faults(8, count=40, within_seconds=60)
    assert all(0 <= fault.at < 60 for fault in first)
    # drawn once and written down, so that seeds mean the same in every version
    assert [(fault.kind.value, round(fault.at, 3)) for fault in first[:3]] == [
        ("fill_races_cancel", 2.034),
        ("drop_after", 2.95),
        ("maintenance", 3.598),
    ]


def script(directory: Path, text: str) -> Path:
    path = directory / "faults.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_script_is_read_from_a_file(tmp_path: Path) -> None:
    text = """
[[fault]]
kind = "hang_after"
where = "place"
at = 3.5
[[fault]]
kind = "banned"
symbol = "ETH/USDT"
seconds = 20
[mix]
seed = 7
count = 2
within_seconds = 60
kinds = ["truncate"]
"""
    first, second, *mixed = read_faults(script(tmp_path, text))
    assert first == Fault(kind=FaultKind.HANG_AFTER, where=Where.PLACE, at=3.5)
    assert second == Fault(kind=FaultKind.BANNED, symbol="ETH/USDT", seconds=20)
    assert [fault.kind for fault in mixed] == [FaultKind.TRUNCATE] * 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[fault]]\nkind = 'hang'", "one of 'hang_before'"),
        ("[[fault]]\nkind = 'hang_after'\nwher = 'place'", "Did you mean 'where'"),
        ("[[fault]]\nwhere = 'place'", "kind"),
        ("[fault]\nkind = 'hang_after'", r"\[\[fault\]\]"),
        ("[faults]", "Did you mean 'fault'"),
        ("[mix]\nseed = 1\ncount = 2\nwithin_seconds = 3\nkinds = ['none']", "mix.kinds"),
        ("kind =", "a TOML file"),
    ],
)
def test_a_script_that_is_wrong_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        read_faults(script(tmp_path, text))
