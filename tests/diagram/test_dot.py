"""DOT: complete, deterministic, and safe against what names and notes may hold."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.chart import CallbackDefinition, ChartDefinition, EdgeDefinition, GuardTerm, StateDefinition
from mm_fsm.diagram import DrawableChart, PictureFormat, dot_source, picture
from tests.diagram.reading import dot_lines, expected_lines, read_dot

ROOT = Path(__file__).resolve().parents[2]

RENDER_ALL = """
import sys
from mm_fsm.diagram import DiagramFormat, load_chart, render
for name in ("nine_states:NineStateMachine", "three_states:ApprovalMachine", "foreign:TrafficLight"):
    chart = load_chart(f"tests.diagram.charts.{name}")
    for form in (DiagramFormat.DOT, DiagramFormat.MERMAID, DiagramFormat.MARKDOWN):
        sys.stdout.buffer.write(render(chart, form))
"""


def render_in_new_process(hash_seed: str) -> bytes:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(
        [sys.executable, "-c", RENDER_ALL], env=environment, cwd=ROOT, capture_output=True, check=True
    ).stdout


def test_two_processes_write_the_same_bytes() -> None:
    """Every text format is the same whatever the process's hash seed is."""
    first = render_in_new_process("1")
    assert first.count(b"sha256") == 9
    assert first == render_in_new_process("4711")


def test_the_small_chart_is_drawn_as_by_hand(three: DrawableChart) -> None:
    """Boxes, arrows, their words and their colours, written down from the declaration by hand."""
    drawn = read_dot(dot_source(three.definition))
    assert drawn.nodes == {
        "initial marker": (),
        "draft": (
            "DRAFT 20 ms computing",
            "a & b: <open>",
            "entry / price → spreads.price_quotes",
            "↻ 2 review",
            "[stale]",
            "/ price → spreads.price_quotes",
        ),
        "failed": ("FAILED 300 ms waiting", "exit / tidy", "↻ crash"),
        "done": ("DONE",),
        "final marker done": (),
    }
    normal, command, fault, ink = "#334155", "#6d28d9", "#b42318", "#1f2937"
    assert {(edge.tail, edge.head, edge.lines, edge.attributes["color"]) for edge in drawn.edges} == {
        ("initial marker", "draft", (), ink),
        ("draft", "done", ("1 approve", "[complete, not vetoed]", "/ sign"), normal),
        ("failed", "draft", ("1 retry", "[calm]"), normal),
        ("draft", "failed", ("crash",), fault),
        ("draft", "done", ("cancel",), command),
        ("failed", "done", ("cancel",), command),
        ("done", "final marker done", (), ink),
    }
    assert drawn.heading == (
        "ApprovalMachine",
        (
            "━▶ fires by itself when its guards hold ━▶ command, sent by the host ━▶ a guard or callback raised "
            "1 2 3 order in which a state tries its edges"
        ),
        "↻ stays: no exit, no entry ■ final",
    )


def test_notes_and_exclusions_are_tooltips(three: DrawableChart) -> None:
    tooltips = {edge.attributes["tooltip"] for edge in read_dot(dot_source(three.definition)).edges}
    assert r"draft --approve [complete and not vetoed]--> done\ntwo signatures" in tooltips
    assert r"failed --cancel--> done\nexcluded: nobody sends it" in tooltips


def test_every_edge_is_drawn_and_no_other(chart: DrawableChart) -> None:
    """Read back by Graphviz, the picture has exactly the definition's edges, guards and internal edges included."""
    definition = chart.definition
    assert dot_lines(definition, dot_source(definition)) == expected_lines(definition)


def test_every_state_shows_its_budget_purpose_and_actions(chart: DrawableChart) -> None:
    drawn = read_dot(dot_source(chart.definition))
    for state in chart.definition.states:
        text = " ".join(drawn.nodes[state.id])
        assert f"{state.name} {state.budget or ''}".strip() in text
        assert state.purpose in text
        for verb, callbacks in (("entry", state.enter), ("exit", state.exit)):
            for callback in callbacks:
                assert f"{verb} / {callback.name}" in text
                assert all(call in text for call in callback.calls)


def test_an_edge_from_any_state_says_which(nine: DrawableChart) -> None:
    """`halt` comes from one box "any state but ERROR", whose tooltip lists all seven sources."""
    drawn = read_dot(dot_source(nine.definition))
    assert drawn.nodes["any state 1"] == ("any state but", "ERROR")
    assert drawn.tooltips["any state 1"] == (
        "from IDLE, CALCULATING_SPREADS, PLACING_ORDERS, MONITORING_ORDERS, ADJUSTING_SPREADS, ORDER_FILLED, "
        "INVENTORY_MANAGEMENT"
    )
    lines = {edge.lines for edge in drawn.edges if edge.tail == "any state 1"}
    assert lines == {("1 halt", "[must_halt]"), ("error_execution",)}


def test_a_changed_guard_changes_the_text(three: DrawableChart) -> None:
    first, *rest = three.definition.edges
    changed = evolve(three.definition, edges=(evolve(first, guards=(GuardTerm("complete"),)), *rest))
    assert dot_source(changed) != dot_source(three.definition)


NASTY = '<b>&amp; "quoted" \\N \\" {x|y} ]]> --> 100 % ü'


def nasty_chart(name: str, text: str, event: str = "go") -> ChartDefinition:
    call = (CallbackDefinition(text, (text,)),)
    one = StateDefinition(id="one", name=name, purpose=text, initial=True, enter=call, exit=call)
    two = StateDefinition(id="graph", name="<two>", final=True)
    edges = (
        EdgeDefinition(event=event, source="one", target="graph", guards=(GuardTerm(text),), on=call, note=text),
        EdgeDefinition(event=event, source="one", target="one", internal=True, note=text, excluded=text),
    )
    return ChartDefinition(name=name, states=(one, two), edges=edges)


def svg_texts(svg: bytes) -> list[str]:
    root = ET.fromstring(svg.decode())
    return [" ".join((element.text or "").split()) for element in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("text", [NASTY, "\\", '"', "<>", "<b>", "&", "]]>", "\n\x00\x07", "", "日本 語"])
def test_special_characters_are_drawn_as_they_are(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Graphviz draws the text, not markup, and has nothing to complain of; the SVG is well-formed."""
    words = " ".join(svg_texts(picture(nasty_chart("Sample", text), PictureFormat.SVG))).split()
    visible = "".join(sign if sign.isprintable() else " " for sign in text)
    for word in visible.split():
        assert any(word in drawn for drawn in words), word
    assert "Error" not in capfd.readouterr().err


@pytest.mark.parametrize("text", ["R&D &lt;", 'a "b" <c>', "&amp;"])
def test_tooltips_are_text(text: str) -> None:
    """A tooltip shows what was declared: no entity is resolved, and a name like a tag is no markup."""
    root = ET.fromstring(picture(nasty_chart("Sample", text), PictureFormat.SVG).decode())
    titles = [element.attrib.get("{http://www.w3.org/1999/xlink}title", "") for element in root.iter()]
    assert "<two>" in titles
    assert any(text in title.splitlines() for title in titles)


@settings(max_examples=25)
@given(st.text(max_size=30), st.text(max_size=30), st.text(min_size=1, max_size=10))
def test_no_text_breaks_the_picture(name: str, text: str, event: str) -> None:
    """Whatever names, purposes, notes and events hold, Graphviz reads it and the SVG is well-formed."""
    svg = picture(nasty_chart(name, text, event), PictureFormat.SVG)
    assert "<two>" in svg_texts(svg)
