"""Markdown: as written by hand, complete, in order of precedence, and tables that stay tables."""

from __future__ import annotations

from markdown_it import MarkdownIt

from mm_fsm.chart import CallbackDefinition, ChartDefinition, EdgeDefinition, GuardTerm, StateDefinition
from mm_fsm.diagram import DrawableChart, markdown_source
from tests.diagram.reading import expected_lines, markdown_lines

BY_HAND = """\
# ApprovalMachine

Drafts, and approves them.

Generated from the declaration; do not edit. Definition sha256: `{digest}`.

3 states, 7 edges; it starts in `DRAFT`.
When a guard or a callback raises, the machine sends `crash`.

## States

| State | Purpose | Budget | On entry | On exit |
| --- | --- | --- | --- | --- |
| `DRAFT` (initial) | a \\& b: \\<open\\> | 20 ms computing | `price` → `spreads.price_quotes` |  |
| `FAILED` |  | 300 ms waiting |  | `tidy` |
| `DONE` (final) |  |  |  |  |

## Edges

The number is the order in which a state tries its edges; the first whose guards hold is taken.
A command is sent by the host, a fault by the machine itself: they have no number.

| From |  | Event | Guards | To | Actions | Note |
| --- | --- | --- | --- | --- | --- | --- |
| `DRAFT` | 1 | `approve` | `complete`, `not vetoed` | `DONE` | `sign` | two signatures |
| `DRAFT` | 2 | `review` | `stale` | stays: no exit, no entry | `price` → `spreads.price_quotes` |  |
| `DRAFT` |  | `crash` (fault) |  | `FAILED` |  |  |
| `DRAFT` |  | `cancel` (command) |  | `DONE` |  | No test can reach it: nobody sends it |
| `FAILED` | 1 | `retry` | `calm` | `DRAFT` |  |  |
| `FAILED` |  | `crash` (fault) |  | stays: no exit, no entry |  |  |
| `FAILED` |  | `cancel` (command) |  | `DONE` |  | No test can reach it: nobody sends it |

## Guards

| Guard | Holds when | Asked by |
| --- | --- | --- |
| `complete` | Every field is filled in \\| checked. | `approve` |
| `vetoed` |  | `approve` |
| `stale` | The price is older than `limit`. | `review` |
| `calm` |  | `retry` |
"""


def test_the_small_chart_is_written_as_by_hand(three: DrawableChart) -> None:
    assert markdown_source(three.definition, three.owner) == BY_HAND.format(digest=three.definition.digest)


def test_without_the_class_guards_have_no_meaning(three: DrawableChart) -> None:
    source = markdown_source(three.definition)
    assert "| `complete` |  | `approve` |" in source
    assert "Drafts, and approves them." not in source


def test_every_edge_is_written_and_no_other(chart: DrawableChart) -> None:
    """Read back, the table has exactly the definition's edges, guards and internal edges included."""
    definition = chart.definition
    assert markdown_lines(markdown_source(definition, chart.owner)) == expected_lines(definition)


def test_every_state_shows_its_budget_purpose_and_actions(chart: DrawableChart) -> None:
    rows = table_rows(markdown_source(chart.definition, chart.owner))
    for state in chart.definition.states:
        row = next(row for row in rows if row[0].split(" (")[0] == state.name)
        assert row[1] == state.purpose
        assert row[2] == str(state.budget or "")
        for cell, callbacks in ((row[3], state.enter), (row[4], state.exit)):
            for callback in callbacks:
                assert callback.name in cell
                assert all(call in cell for call in callback.calls)


def test_a_chart_of_sent_events_has_no_ranks(chart: DrawableChart) -> None:
    """Where no event fires by itself, the table has no column for the order of trying."""
    source = markdown_source(chart.definition, chart.owner)
    assert ("| From |  | Event |" in source) is chart.definition.automatic
    assert ("Every event is sent by the host" in source) is not chart.definition.automatic


def test_special_characters_stay_in_their_cells() -> None:
    """Read by a Markdown parser, every cell has the text that was declared, and no cell more."""
    nasty = "a|b `c` *d* _e_ <f> \\| [g](h) & # ``"
    states = (
        StateDefinition(id="one", name="o|n`e", purpose=nasty, initial=True, enter=(CallbackDefinition("<lambda>"),)),
        StateDefinition(id="two", name="two", final=True),
    )
    edge = EdgeDefinition(event="g|o", source="one", target="two", guards=(GuardTerm("a and b | c"),), note=nasty)
    rows = table_rows(markdown_source(ChartDefinition(name="Sample", states=states, edges=(edge,))))
    shown = nasty.replace("`c`", "c")
    assert rows == [
        ["State", "Purpose", "Budget", "On entry", "On exit"],
        ["o|n`e (initial)", shown, "", "<lambda>", ""],
        ["two (final)", "", "", "", ""],
        ["From", "", "Event", "Guards", "To", "Actions", "Note"],
        ["o|n`e", "1", "g|o", "a and b | c", "two", "", shown],
        ["Guard", "Holds when", "Asked by"],
        ["a and b | c", "", "g|o"],
    ]


def table_rows(source: str) -> list[list[str]]:
    """Every row of every table, as a Markdown parser reads it, without markup."""
    rows: list[list[str]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(source):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and token.level >= 4 and rows:
            children = token.children or []
            rows[-1].append("".join(child.content for child in children if child.type in {"text", "code_inline"}))
    return rows
