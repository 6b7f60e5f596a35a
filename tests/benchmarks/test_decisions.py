"""Two versions' decisions are written down and compared: what is the same, what differs, and how far a part goes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from benchmarks.decisions import Cut, compare_run, plain

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "decisions.py"


def run(*arguments: str | Path, expected: int = 0) -> str:
    finished = subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120
    )
    assert finished.returncode == expected, finished.stderr
    return finished.stdout


class Side(Enum):
    """As the package has them: a text."""

    BID = "bid"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("2.50"), "2.5"),
        (Decimal("1E+3"), "1000"),
        (Decimal(1000), "1000"),
        (1000, "1000"),
        (Decimal("0E-8"), "0"),
        (Decimal("-0.00000001"), "-0.00000001"),
        (0.1, "0.1"),
        (Side.BID, "bid"),
        (True, True),
        (None, None),
        ((1, Decimal("1.0")), ["1", "1"]),
    ],
)
def test_equal_numbers_are_one_text(value: object, text: object) -> None:
    assert plain(value) == text


def test_a_market_that_is_cut_says_so_and_a_whole_one_does_not() -> None:
    cut, whole = Cut("abc", 2), Cut("abc", 3)
    assert (list(cut), cut.is_cut) == (["a", "b"], True)
    assert (list(whole), whole.is_cut) == (["a", "b", "c"], False)
    assert list(Cut("abc", None)) == ["a", "b", "c"]


DECISIONS: list[dict[str, Any]] = [
    {"time": "10", "intents": [{"kind": "PlaceOrder", "price": "5"}]},
    {"time": "20", "intents": [{"kind": "CancelOrder"}]},
]
END = {"books": {"base_position": "1"}}


def changed(number: int, **values: Any) -> list[dict[str, Any]]:
    return [{**entry, **values} if number == place else entry for place, entry in enumerate([*DECISIONS, END])]


@pytest.mark.parametrize(
    ("after", "is_same", "said"),
    [
        ([*DECISIONS, END], True, "SAME, 3 entries, final books too"),
        (changed(0, wake_at="7"), True, "SAME"),
        ([*DECISIONS, {"until": "25"}], True, "SAME, 2 entries until 25"),
        ([DECISIONS[0], {"until": "20"}], True, "SAME, 1 entries until 20"),
        ([DECISIONS[0], {"until": "21"}], False, "the first without a counterpart:"),
        ([DECISIONS[0], END], False, "DIFFER"),
        (changed(0, intents=[{"kind": "PlaceOrder", "price": "6"}]), False, 'intents[0].price: "5" -> "6"'),
        (changed(0, intents=[]), False, "intents: [{"),
        (changed(2, books={"base_position": "2"}), False, 'books.base_position: "1" -> "2"'),
        ([*DECISIONS, DECISIONS[1], END], False, "DIFFER"),
    ],
)
def test_a_comparison_names_what_differs(after: list[dict[str, Any]], is_same: bool, said: str) -> None:
    lines: list[str] = []
    assert compare_run("day", [*DECISIONS, END], after, lines.append) is is_same
    assert said in "\n".join(lines)


def test_dumps_without_a_common_run_are_not_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(json.dumps({"run": name, **END}) + "\n")
    assert "a: only in" in run("compare", tmp_path / "a", tmp_path / "b", expected=1)


def test_a_simulated_session_is_the_same_twice_and_has_everything(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "b")]
    for file in files:
        run("dump", file, "--only", "simulated", "--seeds", "1", "--seconds", "300")
    assert "final books too" in run("compare", *files)
    *steps, end = map(json.loads, files[0].read_text().splitlines())
    assert {"idle", "calculating_spreads"} <= {source for step in steps for source, _, _ in step["transitions"]}
    assert "PlaceOrder" in {intent["kind"] for step in steps for intent in step["intents"]}
    fills = [fill for step in steps for fill in step["fills"]]
    assert str(len({fill["trade_id"] for fill in fills})) == end["books"]["fill_count"] != "0"
    assert end["state"] == "completed"


def test_part_of_a_recording_is_part_of_a_larger_one(tmp_path: Path, recorded_data: Callable[[str], Path]) -> None:
    recorded_data("gemini_ethusd")
    for name, events in (("long", "400"), ("short", "200")):
        run("dump", tmp_path / name, "--only", "gemini", "--first-events", events)
    assert "gemini: SAME" in run("compare", tmp_path / "long", tmp_path / "short")
