"""A status that lacks something is refused where it is read, by the place of what it lacks."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from time import time
from typing import Any

import pytest
from hypothesis import given

from mm_fsm.errors import FileError
from mm_fsm.report.status import FORMAT, STATUS_FILE, read_status
from mm_fsm.report.status_shape import shape_fault
from mm_fsm.runtime.operations import this_run
from tests.report.statuses import entries, quoting_market


def whole(*markets: dict[str, Any]) -> dict[str, Any]:
    """As a run writes it, through JSON."""
    status = {
        "format": FORMAT, "is_running": True, "run": this_run(), "process": os.getpid(), "host": socket.gethostname(),
        "written_at": time(), "error": None, "symbols": [*markets],
    }  # fmt: skip
    return json.loads(json.dumps(status))  # type: ignore[no-any-return]


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object within, the outermost first."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(each)


@given(entries())
def test_whatever_a_view_can_show_is_whole(entry: dict[str, Any]) -> None:
    assert shape_fault(whole(entry)) == ""


def test_every_key_that_a_run_writes_is_asked_for_and_none_may_be_of_another_kind() -> None:
    """One after the other is taken out, and made an object of its own: no list, text or number is one."""
    status = whole(quoting_market())
    assert shape_fault(status) == ""
    keys = [(place, key) for place, found in enumerate(objects(status)) for key in found if key != "format"]
    assert len(keys) > 100
    for place, key in keys:
        without, changed = deepcopy(status), deepcopy(status)
        del [*objects(without)][place][key]
        [*objects(changed)][place][key] = {"another": "kind"}
        assert shape_fault(without).endswith(f"{key} is missing")
        assert key in shape_fault(changed)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"written_at": 1e300}, "written_at is not from 0 to 253,402,300,799"),
        ({"written_at": "x"}, "written_at is no number"),
        ({"process": -1}, "process is not from 0 to"),
        ({"process": 1.5}, "process is no whole number"),
        ({"symbols": [{}]}, r"symbols\[0\].symbol is missing"),
        ({"symbols": 3}, "symbols is no list"),
    ],
)
def test_the_file_is_refused_with_the_place_of_the_fault(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    (tmp_path / STATUS_FILE).write_text(json.dumps({**whole(quoting_market()), **changes}))
    with pytest.raises(FileError, match=f"a whole status, found .{fault}"):
        read_status(tmp_path)


def test_a_market_that_has_ended_has_ended_somehow() -> None:
    entry = quoting_market()
    assert (
        shape_fault(whole({**entry, "has_ended": True})) == "symbols[0].ending.outcome is unfinished, though has_ended"
    )
