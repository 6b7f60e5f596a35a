"""Mermaid: as written by hand, complete, and free of what would end a label or a word of Mermaid's own."""

from __future__ import annotations

import re

import pytest

from mm_fsm.chart import ChartDefinition, EdgeDefinition, StateDefinition
from mm_fsm.diagram import DrawableChart, mermaid_source
from tests.diagram.reading import expected_lines, mermaid_lines

BY_HAND = """\
%% ApprovalMachine
%% mm-fsm definition sha256: {digest}
stateDiagram-v2
    direction TB
    state "DRAFT" as draft
    draft : 20 ms computing
    draft : a & b#58; #60;open#62;
    draft : entry / price → spreads.price_quotes
    draft : ↻ 2 review [stale] / price → spreads.price_quotes
    state "FAILED" as failed
    failed : 300 ms waiting
    failed : exit / tidy
    failed : ↻ crash (fault)
    state "DONE" as done
    [*] --> draft
    draft --> done : 1 approve [complete, not vetoed] / sign
    failed --> draft : 1 retry [calm]
    draft --> failed : crash (fault)
    draft --> done : cancel (command)
    failed --> done : cancel (command)
    done --> [*]
    classDef finalState fill:#e9f6ec,stroke:#2e7d4f
    class done finalState
"""


def test_the_small_chart_is_written_as_by_hand(three: DrawableChart) -> None:
    assert mermaid_source(three.definition) == BY_HAND.format(digest=three.definition.digest)


def test_every_edge_is_written_and_no_other(chart: DrawableChart) -> None:
    """Read back, the text has exactly the definition's edges, guards and internal edges included."""
    definition = chart.definition
    assert mermaid_lines(definition, mermaid_source(definition)) == expected_lines(definition)


def test_every_state_shows_its_budget_purpose_and_actions(chart: DrawableChart) -> None:
    """Each stands on a line of its own state; punctuation that Mermaid would take for its own is coded."""
    source = mermaid_source(chart.definition)
    for state in chart.definition.states:
        lines = re.findall(rf"^    {state.id} : (.*)$", source, re.MULTILINE)
        plain = [re.sub(r"#(\d+);", lambda code: chr(int(code[1])), line) for line in lines]
        assert f'state "{state.name}" as {state.id}' in source
        assert str(state.budget or "") in ["", *plain]
        assert state.purpose in ["", *plain]
        for verb, callbacks in (("entry", state.enter), ("exit", state.exit)):
            for callback in callbacks:
                assert any(line.startswith(f"{verb} / {callback.name}") for line in plain)
                assert all(any(call in line for line in plain) for call in callback.calls)


@pytest.mark.parametrize("word", ["end", "state", "note", "class", "default", "Style"])
def test_a_word_of_mermaid_names_no_state(word: str) -> None:
    """Such a state gets another identifier, one that no other state has, and keeps its name."""
    states = (
        StateDefinition(id=word, name=word, initial=True),
        StateDefinition(id=f"{word}_state", name="other", final=True),
    )
    edges = (EdgeDefinition(event="go", source=word, target=f"{word}_state"),)
    source = mermaid_source(ChartDefinition(name="Sample", states=states, edges=edges))
    assert f'    state "{word}" as {word}_state_\n' in source
    assert f"    {word}_state_ --> {word}_state : 1 go\n" in source


def test_what_ends_a_label_is_coded() -> None:
    """Colon, semicolon, hash, percent, quote, brace and line break never stand in a label as they are."""
    nasty = 'a;b:c#d%%e"f{g}\n%% h'
    states = (
        StateDefinition(id="one", name=nasty, purpose=nasty, initial=True),
        StateDefinition(id="two", name="two", final=True),
    )
    source = mermaid_source(
        ChartDefinition(name=nasty, states=states, edges=(EdgeDefinition(event=nasty, source="one", target="two"),))
    )
    coded = "a#59;b#58;c#35;d#37;#37;e#34;f#123;g#125; #37;#37; h"
    assert f"%% {coded}\n" in source
    assert f'    state "{coded}" as one\n' in source
    assert f"    one : {coded}\n" in source
    assert f"    one --> two : 1 {coded}\n" in source
