"""The tables of docs/rehearsed.md and docs/exchanges.md say what the cases and the pinned ccxt say."""

from __future__ import annotations

import re
from pathlib import Path

from mm_fsm.testing.rehearsal.fault_menu import FaultKind
from tests.venues.ccxt_venue import exchange_table, fault_table
from tests.venues.ccxt_venue.fault_cases import CASES

DOCS = Path(__file__).parents[3] / "docs"
SECONDS = re.compile(r"\d+\.\d+ s|-")


def between(page: str, begin: str, end: str) -> str:
    """The table that a command has written into a page."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return text[text.index(begin) + len(begin) : text.index(end)].strip()


def test_every_fault_of_the_menu_has_its_row_as_the_cases_have_it() -> None:
    head, _, *rows = between("rehearsed.md", fault_table.BEGIN, fault_table.END).splitlines()
    assert head == fault_table.HEAD.splitlines()[0]
    cells = [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows]
    assert [(i, w, s, by) for i, w, s, _, by, _ in cells] == [fault_table.fixed_cells(case) for case in CASES]
    assert {injected.strip("`") for injected, *_ in cells} == {kind.value for kind in FaultKind}
    for *_, shown, _, settled in cells:
        assert SECONDS.fullmatch(shown)
        assert SECONDS.fullmatch(settled)


def test_what_each_exchange_can_do_is_what_the_pinned_library_says() -> None:
    """Written by: python -m tests.venues.ccxt_venue.exchange_table --write docs/exchanges.md."""
    assert between("exchanges.md", exchange_table.BEGIN, exchange_table.END) == exchange_table.table()
