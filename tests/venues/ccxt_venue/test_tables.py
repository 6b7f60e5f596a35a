"""The tables of docs/rehearsed.md and docs/exchanges.md say what the cases and the exchanges' own pages say."""

from __future__ import annotations

import re
from pathlib import Path

import ccxt.pro

from mm_fsm.testing.rehearsal.fault_menu import FaultKind
from mm_fsm.venues.ccxt_venue.library import lineage
from tests.venues.ccxt_venue import exchange_table, fault_table
from tests.venues.ccxt_venue.fault_cases import CASES

DOCS = Path(__file__).parents[3] / "docs"
SECONDS = re.compile(r"\d+\.\d+ s|-")


def written(page: str, name: str) -> list[list[str]]:
    """The cells of a table that the program has written into a page, by row."""
    text = (DOCS / page).read_text(encoding="utf-8")
    _, _, rest = text.partition(f"<!-- written: {name} -->\n")
    table, end, _ = rest.partition(f"\n<!-- end of {name} -->")
    assert end
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_every_fault_of_the_menu_has_its_row_as_the_cases_have_it() -> None:
    head, _, *cells = written("rehearsed.md", "faults")
    assert tuple(head) == fault_table.COLUMNS
    assert [(i, w, s, by) for i, w, s, _, by, _ in cells] == [fault_table.fixed_cells(case) for case in CASES]
    assert {injected.strip("`") for injected, *_ in cells} == {kind.value for kind in FaultKind}
    for *_, shown, _, settled in cells:
        assert SECONDS.fullmatch(shown)
        assert SECONDS.fullmatch(settled)


EXPECTED = {
    ("binance", "counters"): "yes",
    ("binance", "late orders refused by"): "a window",
    ("binance", "tests"): "ids, parsers, streams, **traded**",
    ("bitfinex", "books"): "refused: it lacks a fixed smallest step of prices and quantities",
    ("coinbase", "own trades"): "polling",
    ("gate", "counters"): "yes",
    ("kraken", "switch"): "yes",
    ("kraken", "late orders refused by"): "a time in the request",
    ("krakenfutures", "books"): "refused: it lacks a spot market",
    ("okx", "permissions"): "yes",
    ("okx", "counters"): "no",
    ("gemini", "late orders refused by"): "us alone",
}
"""Coinbase streams no own trades; the rest is what the exchanges' own pages say, and what each is."""


def test_what_is_known_of_exchanges_is_in_their_table() -> None:
    """That the table is as it is now, tests/test_documents.py holds."""
    head, _, *rows = written("exchanges.md", "exchanges")
    said = {(row[0], column): cell for row in rows for column, cell in zip(head, row, strict=True)}
    assert {place: said[place] for place in EXPECTED} == EXPECTED


def test_every_exchange_that_the_venue_knows_something_of_has_its_row() -> None:
    _, _, *rows = written("exchanges.md", "exchanges")
    named = {name for table in exchange_table.TABLES for name in table}
    assert [name for name, *_ in rows] == sorted(each for each in ccxt.pro.exchanges if named & {*lineage(each)})
