"""docs/rehearsal.md says what there is: every fault, every question, a script that is read."""

from __future__ import annotations

import re
from pathlib import Path

from mm_fsm.testing.rehearsal.fault_file import read_faults
from mm_fsm.testing.rehearsal.fault_menu import FaultKind, Where
from mm_fsm.testing.rehearsal.judge import RehearsalLog

TEXT = (Path(__file__).parents[3] / "docs" / "rehearsal.md").read_text(encoding="utf-8")


def test_every_fault_has_its_row_in_the_menus_order() -> None:
    menu = TEXT[TEXT.index("| kind | what happens") : TEXT.index("## The judge")]
    assert re.findall(r"^\| `(\w+)`", menu, re.MULTILINE) == [kind.value for kind in FaultKind]


def test_every_occasion_is_named() -> None:
    sentence = TEXT[TEXT.index("Occasions are") : TEXT.index("Each strike")]
    assert re.findall(r"`(\w+)`", sentence) == [where.value for where in Where]


def test_every_question_to_the_log_is_named_and_there() -> None:
    questions = set(re.findall(r"`(\w+)\(", TEXT[TEXT.index("| question |") :]))
    public = {name for name in vars(RehearsalLog) if not name.startswith("_")}
    assert questions == public - {"now", "on_entry", "write", "entries", "of"}


def test_the_script_is_read(tmp_path: Path) -> None:
    block = re.search(r"```toml faults\n(.*?)```", TEXT, re.DOTALL)
    assert block is not None
    path = tmp_path / "faults.toml"
    path.write_text(block[1], encoding="utf-8")
    assert len(read_faults(path)) == 2 + 12
