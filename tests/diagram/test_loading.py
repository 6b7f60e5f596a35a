"""Charts found by name, and readable refusals of what is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from mm_fsm.books.order_lifecycle import OrderLifecycle
from mm_fsm.chart import definition_of
from mm_fsm.diagram import DEFAULT_CHARTS, ChartLoadError, drawable, load_chart
from mm_fsm.errors import ChartDefinitionError, MarketMakerError

CHARTS = "tests.diagram.charts"


def test_our_chart_is_found_with_its_class() -> None:
    found = load_chart("mm_fsm.books.order_lifecycle:OrderLifecycle")
    assert found.owner is OrderLifecycle
    assert found.definition == definition_of(OrderLifecycle)
    assert "mm_fsm.books.order_lifecycle:OrderLifecycle" in DEFAULT_CHARTS


def test_a_foreign_chart_is_found() -> None:
    assert [state.id for state in load_chart(f"{CHARTS}.foreign:TrafficLight").definition.states] == [
        "green",
        "red",
        "off",
    ]


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("", "expected module:Class"),
        ("no_colon", "expected module:Class"),
        ("a:b:c", "expected module:Class"),
        (":Class", "expected module:Class"),
        ("module:", "expected module:Class"),
        ("../path.py:Class", "expected module:Class"),
        ("no_such_module:Class", "found none called 'no_such_module'"),
        ("tests.no_such.module:Class", "found none called 'tests.no_such'"),
        (f"{CHARTS}.foreign:Traffic", r"found the charts \['Abstract', 'Alike', .*'TrafficLight'\]"),
        ("mm_fsm.errors:Chart", "found no chart in that module"),
        ("docs:Chart", "found only a directory of that name here"),
        (f"{CHARTS}.foreign:TrafficLight.Inner", "expected an attribute 'Inner' of TrafficLight"),
        (f"{CHARTS}.foreign:light", "expected a class, found a str"),
        ("mm_fsm.errors:MarketMakerError", "found another class"),
        (f"{CHARTS}.foreign:Abstract", "expected states, found none"),
    ],
)
def test_a_wrong_reference_is_refused(reference: str, message: str) -> None:
    """Each message says what was expected and what was found."""
    with pytest.raises(ChartLoadError, match=message) as caught:
        load_chart(reference)
    assert isinstance(caught.value, MarketMakerError)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_module_at_all", "found ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("1 / 0", "found ZeroDivisionError: division by zero"),
        ("def broken(:", "found SyntaxError"),
    ],
)
def test_a_module_that_does_not_import_is_quoted(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that is there but fails is not called missing."""
    (tmp_path / "failing_chart_module.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ChartLoadError, match=message):
        load_chart("failing_chart_module:Anything")


def test_a_wrong_declaration_keeps_its_own_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the chart's own checks say reaches the user unchanged."""
    text = "from mm_fsm.chart import Chart, State\nclass Bad(Chart):\n    one = State()\n"
    (tmp_path / "wrongly_declared_chart.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ChartDefinitionError, match="Bad"):
        load_chart("wrongly_declared_chart:Bad")


def test_an_instance_is_no_chart() -> None:
    with pytest.raises(ChartLoadError, match="found a int"):
        drawable(7)
