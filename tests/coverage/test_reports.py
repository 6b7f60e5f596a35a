"""The reports: stable JSON, one self-contained HTML page, heat maps whose looks follow the hits."""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from attrs import evolve
from statemachine import State, StateMachine

from mm_fsm.coverage.criteria import RECORDED, Criterion
from mm_fsm.coverage.exclusions import Exclusion
from mm_fsm.coverage.heat_map import heat_map, heat_overlay
from mm_fsm.coverage.html_report import html_page
from mm_fsm.coverage.json_report import json_text
from mm_fsm.coverage.options import Reports
from mm_fsm.coverage.problems import CoverageError
from mm_fsm.coverage.result import ChartResult, RunResult
from mm_fsm.coverage.run import Run
from mm_fsm.coverage.text_report import gap_lines, table_lines
from mm_fsm.coverage.written_reports import write_reports
from tests.coverage.charts import Door, Lamp, Loops, Player, Siblings
from tests.coverage.recording import recording

EVERYTHING = RECORDED


class Awkward(StateMachine):
    """Names that mean something in HTML."""

    a = State('<b>&"first"</b>', initial=True)
    z = State("</script>")
    go = a.to(z)
    back = z.to(a)


def result_of(*charts: tuple[type, tuple[str, ...]], exclusions: tuple[Exclusion, ...] = ()) -> RunResult:
    """One machine of each chart that was sent these events, each by a test of its own."""
    run = Run()
    for chart, events in charts:
        with recording(chart) as seen:
            machine = chart()
            for event in events:
                machine.send(event)
        seen.chart.hits.tests = {place: {f"test_<{chart.__name__}>"} for place in seen.chart.hits.edges}
        run.charts[seen.chart.model.reference] = seen.chart
    return RunResult.of(run, EVERYTHING, exclusions)


def heat_of(chart: type, *events: str) -> ChartResult:
    return result_of((chart, events)).charts[0]


def test_json_is_the_same_for_the_same_hits_and_in_order() -> None:
    first = json_text(result_of((Player, ("stop",)), (Door, ("push",))))
    assert first == json_text(result_of((Door, ("push",)), (Player, ("stop",))))
    report = json.loads(first)
    assert (report["format"], report["version"]) == ("mm-fsm coverage", 1)
    assert list(report["charts"]) == ["tests.coverage.charts:Door", "tests.coverage.charts:Player"]
    door = report["charts"]["tests.coverage.charts:Door"]
    assert door["edges"][0] == {
        "key": "shut --push [unlocked and not blocked]--> ajar",
        "source": "shut",
        "event": "push",
        "target": "ajar",
        "guards": ["unlocked", "not blocked"],
        "hits": 1,
        "answers": [
            {"guard": "unlocked", "expected": True, "true": 1, "false": 0},
            {"guard": "blocked", "expected": False, "true": 0, "false": 1},
        ],
        "tests": ["test_<Door>"],
    }
    assert door["criteria"]["transitions"]["percent"] == 33.3
    assert "roundtrip" not in report["charts"]["tests.coverage.charts:Player"]["criteria"]


class Page(HTMLParser):
    """Checks that tags are closed in order, and notes everything that a browser would fetch."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href") and not (value or "#").startswith(("#", "data:")):
                self.fetched.append(str(value))
            if name == "id":
                self.ids.append(str(value))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None: ...

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page_of(result: RunResult) -> str:
    return html_page(result, {chart.reference: heat_map(chart) for chart in result.charts})


def test_the_page_is_one_well_formed_file_that_fetches_nothing() -> None:
    text = page_of(result_of((Door, ("push",)), (Player, ("stop",))))
    page = Page(text)
    assert page.fetched == []
    assert "@import" not in text
    assert "url(" not in text
    assert len(page.ids) == len(set(page.ids))
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)


def test_a_page_without_a_picture_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can draw, the page has everything else; a picture by itself is still refused."""
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    result = result_of((Door, ("push",)))
    (page,) = write_reports(result, Reports.read([f"html:{tmp_path}/report"]))
    text = page.read_text(encoding="utf-8")
    assert "<svg" not in text
    assert "pip install" in text
    assert "state ajar, event pull: never taken to shut" in text
    with pytest.raises(CoverageError, match="something that can draw"):
        Reports.read([f"svg:{tmp_path}/pictures"])


def test_the_total_is_the_sum_over_charts_and_criteria() -> None:
    """Door, pushed once: 2 of 3 states, 1 of 3 edges, 2 of 4 answers, 1 of 3 decisions, nothing of 3, 2 and 6."""
    result = result_of((Door, ("push",)))
    assert (result.total.covered, result.total.total) == (2 + 1 + 2 + 1, 3 + 3 + 4 + 3 + 3 + 2 + 6)
    assert table_lines(result)[-1].endswith("6/24 25%")
    both = result_of((Door, ("push",)), (Siblings, ("cross",)))
    # Siblings, crossed once: 2 of 2 states, 1 of 2 edges, 1 of 2 answers, 1 of 4 decisions, 0 of 2 and 1.
    assert (both.total.covered, both.total.total) == (6 + 5, 24 + 13)
    last = table_lines(both)[-1].split()
    assert (last[0], last[1:3], last[-2:]) == ("TOTAL", ["4/5", "80%"], ["11/37", "29%"])


def test_names_from_charts_and_tests_are_never_markup() -> None:
    page = Page(page_of(result_of((Awkward, ("go",)))))
    assert "test_<Awkward>" in page.texts
    assert any('<b>&"first"</b>' in text for text in page.texts)


def test_the_page_lists_gaps_edges_guards_states_and_exclusions() -> None:
    line = Exclusion.read("tests.coverage.charts:Door | transitions | ajar --tear_off* | <too strong>")
    page = Page(page_of(result_of((Door, ("push",)), exclusions=(line,))))
    headings = {"What is missing ", "Edges ", "Guards ", "States ", "Excluded "}
    assert headings <= set(page.texts)
    assert "<too strong>" in page.texts
    assert "state ajar, event pull: never taken to shut" in page.texts


@pytest.mark.parametrize(
    ("times", "color", "dashed", "suffix"),
    [
        (0, "#c62828", True, "never"),
        (1, "#5aa2d6", False, "\u00d71"),
        (9, "#5aa2d6", False, "\u00d79"),
        (10, "#1f6fb2", False, "\u00d710"),
        (100, "#08306b", False, "\u00d7100"),
    ],
)
def test_an_edge_is_coloured_by_its_hits_and_dashed_when_missed(
    times: int, color: str, *, dashed: bool, suffix: str
) -> None:
    chart = heat_of(Loops, *["again"] * times)
    style = heat_overlay(chart).edge("here --again--> here")
    assert (style.color, style.dashed, style.label_suffix) == (color, dashed, suffix)


def test_a_tooltip_says_what_guards_answered_and_which_tests_were_there() -> None:
    style = heat_overlay(heat_of(Door, "push")).edge("shut --push [unlocked and not blocked]--> ajar")
    assert style.tooltip.splitlines() == [
        "taken 1 times",
        "unlocked: 1 times True, 0 times False",
        "blocked: 0 times True, 1 times False",
        "by test_<Door>",
    ]


def test_an_excluded_edge_is_grey_and_says_why() -> None:
    with recording(Lamp) as seen:
        pass
    overlay = heat_overlay(ChartResult.of(seen.chart, EVERYTHING))
    style = overlay.edge("dark --explode--> burnt")
    assert (style.color, style.dashed, style.label_suffix) == ("#94a3b8", True, "excluded")
    assert "0 of 4 edges taken, 1 excluded" in overlay.caption


def test_the_picture_shows_missed_edges_dashed_and_nested_states_in_their_frame() -> None:
    root = ET.fromstring(heat_map(heat_of(Player, "stop")))
    graphics = "{http://www.w3.org/2000/svg}"
    kinds = {(group.findtext(f"{graphics}title") or ""): group.get("class") for group in root.iter(f"{graphics}g")}
    assert kinds["cluster playing"] == "cluster"
    edges = {
        group.findtext(f"{graphics}title"): [path.get("stroke-dasharray") for path in group.iter(f"{graphics}path")]
        for group in root.iter(f"{graphics}g")
        if group.get("class") == "edge"
    }
    assert edges["playing->stopped"] == [None]
    assert None not in edges["stopped->playing"]
    assert None not in edges["slow->fast"]


def test_the_table_has_a_row_for_each_chart_and_never_rounds_up() -> None:
    head, line, door, player, _ = table_lines(result_of((Door, ("push", "pull")), (Player, ())))
    assert head.split() == ["chart", *EVERYTHING, "total"]
    assert set(line) == {"-"}
    assert door.split()[:5] == ["tests.coverage.charts:Door", "2/3", "66%", "2/3", "66%"]
    assert player.split()[-5:] == ["-", "0/5", "0%", "2/16", "12%"]


def test_many_gaps_are_counted_unless_all_are_wanted() -> None:
    class Wide(StateMachine):
        start = State(initial=True)
        end = State(final=True)
        go = start.to(end, event=" ".join(f"e{number}" for number in range(25)))

    with recording(Wide) as seen:
        pass
    result = RunResult((ChartResult.of(seen.chart, [Criterion.TRANSITIONS]),))
    short, full = list(gap_lines(result)), list(gap_lines(result, everything=True))
    assert short[-1] == "  transitions: ... and 6 more; -v writes all, the JSON and HTML reports have them"
    assert len(short) == 2 + 20 + 1
    assert len(full) == 2 + 26


def test_pictures_of_charts_with_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    door = heat_of(Door)
    twin = evolve(door, model=evolve(door.model, reference="other:Door"))
    list(write_reports(RunResult((door, twin, heat_of(Loops))), Reports(svg=(tmp_path,))))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["loops.svg", "other.Door.svg", "tests.coverage.charts.Door.svg"]
