"""Committed diagrams: written under predictable names, and found out when they no longer fit the definition."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from attrs import evolve

from mm_fsm.chart import (
    Budget,
    BudgetMeasure,
    CallbackDefinition,
    ChartDefinition,
    GuardTerm,
    StateDefinition,
    calls_services,
)
from mm_fsm.diagram import (
    DEFAULT_CHARTS,
    DiagramError,
    DiagramFormat,
    DrawableChart,
    check_diagrams,
    drawable,
    file_stem,
    load_chart,
    render,
    write_diagrams,
)
from tests.diagram.charts.three_states import ApprovalMachine

COMMITTED = Path(__file__).resolve().parents[2] / "diagrams"
TEXTS = (DiagramFormat.DOT, DiagramFormat.MERMAID, DiagramFormat.MARKDOWN)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("MarketMakingStateMachine", "market_making"),
        ("OrderLifecycle", "order_lifecycle"),
        ("ApprovalMachine", "approval"),
        ("HTTPServerChart", "http_server"),
        ("Machine", "machine"),
        ("Level2Book", "level2_book"),
    ],
)
def test_files_are_named_after_the_class(name: str, stem: str) -> None:
    definition = ChartDefinition(name=name, states=(StateDefinition(id="a", name="a", initial=True),), edges=())
    assert file_stem(definition) == stem


def test_written_diagrams_are_fresh(chart: DrawableChart, tmp_path: Path) -> None:
    written = write_diagrams([chart], tmp_path / "new" / "diagrams")
    stem = file_stem(chart.definition)
    assert [path.name for path in written] == [f"{stem}.dot", f"{stem}.svg", f"{stem}.mmd", f"{stem}.md"]
    assert check_diagrams([chart], tmp_path / "new" / "diagrams") == []


def test_a_picture_of_the_same_definition_stays_as_it_is(three: DrawableChart, tmp_path: Path) -> None:
    """As another Graphviz or other fonts would draw it; a picture of another definition is drawn again."""
    write_diagrams([three], tmp_path)
    path = tmp_path / "approval.svg"
    elsewhere = path.read_text(encoding="utf-8").replace("Helvetica", "Arial")
    path.write_text(elsewhere, encoding="utf-8")
    write_diagrams([three], tmp_path)
    assert path.read_text(encoding="utf-8") == elsewhere
    changed = DrawableChart(evolve(three.definition, name="ApprovalChart"), three.owner)
    write_diagrams([changed], tmp_path)
    assert "ApprovalChart" in path.read_text(encoding="utf-8")


def test_the_committed_diagrams_are_of_the_charts_as_they_are() -> None:
    """Otherwise each file is named, with the command that writes it again."""
    assert check_diagrams([load_chart(reference) for reference in DEFAULT_CHARTS], COMMITTED) == []


def test_the_readme_shows_the_chart_as_it_is() -> None:
    """Its Mermaid block is the committed file, which is compared with the definition."""
    readme = (COMMITTED.parent / "README.md").read_text(encoding="utf-8")
    block = readme.partition("```mermaid\n")[2].partition("```\n")[0]
    assert block == (COMMITTED / "market_making.mmd").read_text(encoding="utf-8")


def test_missing_files_are_named(three: DrawableChart, tmp_path: Path) -> None:
    problems = check_diagrams([three], tmp_path)
    assert [re.match(r".*/(approval\.\w+): missing", problem)[1] for problem in problems] == [  # type: ignore[index]
        "approval.dot",
        "approval.svg",
        "approval.mmd",
        "approval.md",
    ]


def changed_guard(chart: DrawableChart) -> DrawableChart:
    first, *rest = chart.definition.edges
    edges = (evolve(first, guards=(*first.guards, GuardTerm("calm"))), *rest)
    return evolve(chart, definition=evolve(chart.definition, edges=edges))


def changed_budget(chart: DrawableChart) -> DrawableChart:
    first, *rest = chart.definition.states
    states = (evolve(first, budget=Budget(21, BudgetMeasure.COMPUTING)), *rest)
    return evolve(chart, definition=evolve(chart.definition, states=states))


def changed_order(chart: DrawableChart) -> DrawableChart:
    first, second, *rest = chart.definition.edges
    return evolve(chart, definition=evolve(chart.definition, edges=(second, first, *rest)))


def changed_note(chart: DrawableChart) -> DrawableChart:
    """Notes are in DOT, SVG and Markdown; in Mermaid only the digest tells."""
    first, *rest = chart.definition.edges
    return evolve(chart, definition=evolve(chart.definition, edges=(evolve(first, note="three signatures"), *rest)))


@pytest.mark.parametrize("change", [changed_guard, changed_budget, changed_order, changed_note])
def test_a_changed_definition_makes_every_file_stale(three: DrawableChart, tmp_path: Path, change: object) -> None:
    """A guard, a budget, the order of two edges, a note: each is found in all four files, by name."""
    assert callable(change)
    write_diagrams([three], tmp_path)
    problems = check_diagrams([change(three)], tmp_path)
    assert len(problems) == 4
    for problem, suffix in zip(problems, ("dot", "svg", "mmd", "md"), strict=True):
        assert f"approval.{suffix}: stale" in problem
        assert "mm-fsm diagram" in problem


@pytest.mark.parametrize("form", TEXTS)
def test_one_changed_byte_is_found(three: DrawableChart, tmp_path: Path, form: DiagramFormat) -> None:
    write_diagrams([three], tmp_path)
    path = tmp_path / f"approval{form.suffix}"
    path.write_bytes(path.read_bytes() + b" ")
    problems = check_diagrams([three], tmp_path)
    assert len(problems) == 1
    assert path.name in problems[0]


def test_an_svg_of_another_renderer_is_stale(three: DrawableChart, tmp_path: Path) -> None:
    """The definition is the same, but the DOT text it was drawn from is not."""
    write_diagrams([three], tmp_path)
    path = tmp_path / "approval.svg"
    path.write_text(
        re.sub(r"dot sha256: \w{6}", "dot sha256: 000000", path.read_text(encoding="utf-8")), encoding="utf-8"
    )
    assert ["another DOT text" in problem for problem in check_diagrams([three], tmp_path)] == [True]


def test_an_svg_of_other_fonts_is_fresh(three: DrawableChart, tmp_path: Path) -> None:
    """An SVG's coordinates depend on the machine's fonts and are not compared."""
    write_diagrams([three], tmp_path)
    path = tmp_path / "approval.svg"
    path.write_text(path.read_text(encoding="utf-8").replace('x="', 'x="1'), encoding="utf-8")
    assert check_diagrams([three], tmp_path) == []


def test_a_truncated_svg_is_stale(three: DrawableChart, tmp_path: Path) -> None:
    write_diagrams([three], tmp_path)
    (tmp_path / "approval.svg").write_bytes(b"\xff\xfe")
    assert ["approval.svg: stale" in problem for problem in check_diagrams([three], tmp_path)] == [True]


def test_checking_needs_nothing_that_draws(
    three: DrawableChart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check compares digests, so it also runs where no picture can be drawn."""
    write_diagrams([three], tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", "")
    assert check_diagrams([three], tmp_path) == []


def test_pictures_that_carry_nothing_are_not_checked(three: DrawableChart, tmp_path: Path) -> None:
    with pytest.raises(DiagramError, match=r"found \['png'\]"):
        check_diagrams([three], tmp_path, [DiagramFormat.SVG, DiagramFormat.PNG])


def test_two_charts_for_one_file_are_refused(three: DrawableChart, tmp_path: Path) -> None:
    """``ApprovalMachine`` and ``Approval`` would both be ``approval.*``; nothing is written."""
    other = evolve(three, definition=evolve(three.definition, name="Approval"))
    with pytest.raises(DiagramError, match="'ApprovalMachine' and 'Approval'"):
        write_diagrams([three, other], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_a_file_is_refused(three: DrawableChart, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    with pytest.raises(DiagramError, match="expected one that can be written"):
        write_diagrams([three], tmp_path / "taken", TEXTS)


def test_a_subclass_drifts_from_its_parents_diagrams(three: DrawableChart, tmp_path: Path) -> None:
    """A subclass that declares other services of a callback makes the parent's committed files stale for it."""
    write_diagrams([three], tmp_path)

    class Dearer(ApprovalMachine):
        @calls_services("risk.approve")
        def price(self) -> None: ...

    dearer = drawable(Dearer)
    renamed = evolve(dearer, definition=evolve(dearer.definition, name="ApprovalMachine"))
    assert len(check_diagrams([renamed], tmp_path)) == 4


@pytest.mark.parametrize("form", TEXTS)
def test_an_edge_shows_its_actions_in_the_order_they_run(three: DrawableChart, form: DiagramFormat) -> None:
    """What runs before, on and after a transition, with its services, is in every text format."""
    first, *rest = three.definition.edges
    edge = evolve(
        first,
        before=(CallbackDefinition("prepare"),),
        on=(CallbackDefinition("perform", ("orders.plan",)),),
        after=(CallbackDefinition("conclude"),),
    )
    changed = evolve(three, definition=evolve(three.definition, edges=(edge, *rest)))
    text = render(changed, form).decode()
    places = [text.index(word) for word in ("prepare", "perform", "orders.plan", "conclude")]
    assert places == sorted(places)
