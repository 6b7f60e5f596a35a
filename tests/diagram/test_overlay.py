"""What is drawn over a chart: the current state, visits, coverage."""

from __future__ import annotations

import pytest

from mm_fsm.diagram import DiagramError, DrawableChart, EdgeStyle, Overlay, StateStyle, dot_source
from tests.diagram.reading import DotPicture, read_dot

APPROVE = "draft --approve [complete and not vetoed]--> done"
REVIEW = "draft --review [stale]--> draft"


def drawn_with(chart: DrawableChart, overlay: Overlay) -> DotPicture:
    return read_dot(dot_source(chart.definition, overlay))


def test_no_overlay_changes_nothing(three: DrawableChart) -> None:
    assert dot_source(three.definition, Overlay()) == dot_source(three.definition)


def test_the_active_state_has_a_box_of_its_own(three: DrawableChart) -> None:
    """A thick border and the fill that only the active state has."""
    boxes = [line for line in dot_source(three.definition, Overlay(active="failed")).splitlines() if "#ffe9a8" in line]
    assert len(boxes) == 1
    assert boxes[0].startswith('\tfailed [label=<<table border="3"')


def test_an_edge_takes_its_style(three: DrawableChart) -> None:
    style = EdgeStyle(color="#00ff00", width=4.5, label_suffix="x 12", dashed=True, tooltip="12 times")
    drawn = drawn_with(three, Overlay(edges={APPROVE: style}))
    edge = next(edge for edge in drawn.edges if "1 approve x 12" in edge.lines)
    assert edge.attributes["color"] == "#00ff00"
    assert edge.attributes["penwidth"] == "4.5"
    assert edge.attributes["style"] == "dashed"
    assert edge.attributes["tooltip"].endswith("12 times")


def test_an_internal_edge_is_coloured_in_its_box(three: DrawableChart) -> None:
    overlay = Overlay(edges={REVIEW: EdgeStyle(color="#00ff00", label_suffix="x 3", tooltip="thrice")})
    drawn = drawn_with(three, overlay)
    assert "↻ 2 review x 3" in drawn.nodes["draft"]
    assert drawn.tooltips["draft"].endswith("review: thrice")
    assert '<font color="#00ff00">review' in dot_source(three.definition, overlay)


def test_a_state_takes_its_style(three: DrawableChart) -> None:
    style = StateStyle(
        fill="#abcdef", border="#123456", width=5, annotations=("7 visits", "1.5 s & more"), dashed=True, tooltip="busy"
    )
    source = dot_source(three.definition, Overlay(states={"draft": style}))
    box = next(line for line in source.splitlines() if line.startswith("\tdraft ["))
    assert 'border="5"' in box
    assert 'style="rounded,dashed" color="#123456" bgcolor="#abcdef"' in box
    drawn = read_dot(source)
    assert drawn.nodes["draft"][-2:] == ("7 visits", "1.5 s & more")
    assert drawn.tooltips["draft"].endswith("busy")


def test_caption_and_legend_say_what_is_drawn(three: DrawableChart) -> None:
    overlay = Overlay(caption="covered by tests", legend=(("#00ff00", "taken"), ("#ff0000", "never taken")))
    heading = drawn_with(three, overlay).heading
    assert heading[0] == "ApprovalMachine covered by tests"
    assert heading[-1] == "■ taken ■ never taken"


def test_the_legend_explains_no_colour_that_an_overlay_has_replaced(three: DrawableChart) -> None:
    """Where every edge has a colour of the overlay's, the colours of commands and faults are not there."""
    styles = {edge.id: EdgeStyle(color="#00ff00") for edge in three.definition.edges}
    heading = " ".join(drawn_with(three, Overlay(edges=styles)).heading)
    assert "command" not in heading
    assert "order in which a state tries its edges" in heading
    some = dict(list(styles.items())[1:])
    assert "command, sent by the host" in " ".join(drawn_with(three, Overlay(edges=some)).heading)


def test_counts_on_a_grouped_arrow_are_listed_by_source(nine: DrawableChart) -> None:
    """Seven edges are one arrow; what differs between them stands beside each source's name."""
    halts = [edge.id for edge in nine.definition.edges if edge.event == "halt"]
    counts = {edge_id: EdgeStyle(label_suffix=f"x {count}") for count, edge_id in enumerate(halts[:2], start=1)}
    drawn = drawn_with(nine, Overlay(edges=counts))
    lines = next(edge.lines for edge in drawn.edges if "1 halt" in edge.lines)
    assert lines == ("1 halt", "[must_halt]", "IDLE x 1", "CALCULATING_SPREADS x 2")


def test_a_missed_edge_is_seen_in_its_group(nine: DrawableChart) -> None:
    """One of seven sources was never taken: the arrow has a line in either colour, the text names that source."""
    taken, missed = (
        EdgeStyle(color="#1a7f37", label_suffix="x 3"),
        EdgeStyle(color="#b00020", label_suffix="never", dashed=True),
    )
    halts = [edge.id for edge in nine.definition.edges if edge.event == "halt"]
    styles = {each: missed if each.startswith("idle ") else taken for each in halts}
    drawn = drawn_with(nine, Overlay(edges=styles))
    (halt,) = [edge for edge in drawn.edges if "1 halt" in edge.lines]
    assert set(halt.attributes["color"].split(":")) == {"#1a7f37", "#b00020"}
    assert "style" not in halt.attributes
    assert "IDLE never" in halt.lines
    assert "MONITORING_ORDERS x 3" in halt.lines


def test_an_arrow_is_dashed_where_all_its_edges_are(nine: DrawableChart) -> None:
    halts = [edge.id for edge in nine.definition.edges if edge.event == "halt"]
    drawn = drawn_with(nine, Overlay(edges=dict.fromkeys(halts, EdgeStyle(color="#aaaaaa", dashed=True))))
    (halt,) = [edge for edge in drawn.edges if "1 halt" in edge.lines]
    assert (halt.attributes["style"], halt.attributes["color"]) == ("dashed", "#aaaaaa")


@pytest.mark.parametrize(
    "overlay",
    [
        Overlay(active="gone"),
        Overlay(states={"gone": StateStyle()}),
        Overlay(edges={"gone": EdgeStyle()}),
    ],
)
def test_an_overlay_of_another_chart_is_refused(three: DrawableChart, overlay: Overlay) -> None:
    with pytest.raises(DiagramError, match=r"overlay on ApprovalMachine: .* found \['gone'\]"):
        dot_source(three.definition, overlay)
