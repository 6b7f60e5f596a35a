"""The figures' format counts up with their shape, and what is not of this format is refused by name."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from shutil import copytree
from typing import Any

import attrs
import pytest

from mm_fsm.core.messages import Side
from mm_fsm.report.figures import RunFigures
from mm_fsm.report.figures.whole_run import FORMAT
from mm_fsm.report.run_data.figures_file import UnusableFiguresError, read_figures
from mm_fsm.report.run_data.hold_bins import HoldBins
from mm_fsm.report.stretches import Stretch, StretchKind
from tests.cli.command_line import run

DIGEST_OF_FORMAT = {3: "642180f9cb6b23d3"}
"""Of the names and types of all figures. A change of any of them is another format: count ``FORMAT`` up."""


def test_the_format_counts_up_with_every_change_of_shape() -> None:
    lines = sorted(set(fields_of(RunFigures, set())))
    assert len(lines) > 150
    digest = sha256("\n".join(lines).encode()).hexdigest()[:16]
    assert digest == DIGEST_OF_FORMAT.get(FORMAT), "figures changed: count FORMAT up, and put its digest here"


def fields_of(kind: Any, seen: set[Any]) -> Iterator[str]:
    """``Class.field: type`` of a class of figures and of those within it."""
    if not attrs.has(kind):
        for inner in typing.get_args(kind):
            yield from fields_of(inner, seen)
        return
    if kind in seen:
        return
    seen.add(kind)
    for name, annotation in typing.get_type_hints(kind, localns=vars(types)).items():
        yield f"{kind.__name__}.{name}: {annotation}"
        yield from fields_of(annotation, seen)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("made") / "run"
    assert run("run", "-q", "--duration", "20", "--seed", "3", "--out", place).status == 0
    return place


@pytest.fixture
def directory(made: Path, tmp_path: Path) -> Path:
    copytree(made, tmp_path / "run")
    return tmp_path / "run"


def change(directory: Path, field: str, value: object = None) -> None:
    """A field of ``report.json`` is another, or is gone."""
    path = directory / "report.json"
    content = json.loads(path.read_text())
    place = content
    *above, last = field.split(".")
    for name in above:
        place = place[int(name) if name.isdigit() else name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    path.write_text(json.dumps(content))


def test_a_figure_that_is_missing_is_named(directory: Path) -> None:
    change(directory, "markets.1.profit.realized")
    with pytest.raises(UnusableFiguresError, match=r"markets\[1\].profit.realized"):
        read_figures(directory)


def test_a_figure_of_another_kind_is_named(directory: Path) -> None:
    change(directory, "markets.0.orders.placed", "many")
    with pytest.raises(UnusableFiguresError, match=r"markets\[0\].orders.placed"):
        read_figures(directory)


def test_another_format_is_said_with_the_version_that_wrote_it(directory: Path) -> None:
    change(directory, "format", FORMAT - 1)
    change(directory, "reproduction.versions.mm-fsm", "0.0.7")
    with pytest.raises(UnusableFiguresError, match=rf"format {FORMAT}, found 'format {FORMAT - 1} of mm-fsm 0.0.7'"):
        read_figures(directory)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": true}', '{"format": 1, "reproduction": []}'])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(UnusableFiguresError, match="A journal makes them anew"):
        read_figures(tmp_path)


def test_older_figures_are_made_anew_from_the_journal(directory: Path) -> None:
    change(directory, "format", FORMAT - 1)
    found = run("report", directory, "-q")
    assert found.status == 0
    assert f"format {FORMAT - 1} of mm-fsm" in " ".join(found.messages.split())
    figures = read_figures(directory)
    assert figures is not None
    assert figures.reproduction.made_by == "journal"


def test_without_a_journal_the_result_is_shown_and_the_way_out_is_said(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    assert run("run", "-q", "--no-journal", "--duration", "20", "--seed", "3", "--out", directory).status == 0
    change(directory, "format", FORMAT - 1)
    found = run("report", directory, "-q")
    assert found.status == 0
    assert "net PnL" in found.output
    assert "read them with the version that wrote them, or run it again" in " ".join(found.messages.split())
    (directory / "result.json").unlink()
    assert run("report", directory, "-q").status != 0


def test_a_stretch_that_no_step_began_has_no_step() -> None:
    bins = HoldBins()
    bins.take(Stretch(side=Side.BID, kind=StretchKind.NOT_RUNNING, reason="not_running", begin=0, end=10**9))
    assert bins.figures().stretches.step == (None,)


def test_the_document_names_every_kind_of_time_that_is_no_hold_reason() -> None:
    document = (Path(__file__).parents[3] / "docs" / "report.md").read_text(encoding="utf-8")
    for kind in set(StretchKind) - {StretchKind.ON_ITS_WAY, StretchKind.HELD}:
        assert f"`{kind.value}`" in document
