"""The inspector knows no strategy: the example's states, figures and differences are shown like a market maker's."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mm_fsm.report.inspection.comparison import first_differences
from mm_fsm.report.inspection.page import InspectedMarket, inspection_page
from mm_fsm.report.inspection.steps import ShownTexts, Version
from mm_fsm.runtime.journal import JournalReader, verify_run
from tests.browser import OpenPage
from tests.report.inspection.recorded import steps_of, track_of

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def example() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLES))
        import time_weighted_execution

        yield time_weighted_execution
    sys.modules.pop("time_weighted_execution", None)


@pytest.fixture(scope="module")
def journal(example: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("execution")
    example.main(place)
    return place / "run.journal"


def test_its_states_and_figures_are_in_the_steps(journal: Path) -> None:
    steps = steps_of(journal)
    assert {"waiting", "slicing", "done"} <= {step.state for step in steps}
    with JournalReader(journal) as reader:
        assert [step.sequence for step in steps] == list(range(1, reader.last_sequence + 1))
    executed = [step.shown["execution", "executed"] for step in steps]
    assert (executed[0], executed[-1]) == ("0", "2")
    fills = [step for step in steps if step.is_fill]
    assert [step.fact.kind for step in fills] == ["OrderFilled"] * len(fills)
    assert len(fills) >= 10


def test_another_version_of_it_stands_beside_it(journal: Path, example: Any) -> None:
    class Hasty(example.TimeWeightedExecution):  # type: ignore[misc,name-defined]
        """Is always behind."""

        def may_take(self) -> bool:
            """As long as anything is left."""
            return bool(self.executed < self.parent.quantity)

    version = Version(machine_class=Hasty)
    found = first_differences(track_of(journal), track_of(journal, version), is_one_journal=True)
    expected = verify_run(journal, Hasty).differences
    assert [each.sequence for each in found] == [each.sequence for each in expected if "digest" not in each.name]
    assert found


def test_fills_of_another_section_are_no_fills_of_the_books(journal: Path, example: Any) -> None:
    """A figure of the strategy's own happens to be called so, and changes at every step."""

    class Talkative(example.TimeWeightedExecution):  # type: ignore[misc,name-defined]
        def shown(self) -> dict[str, object]:
            return {"planned": {"fills": self.sequence}, **super().shown()}

    steps = steps_of(journal, Version(machine_class=Talkative))
    assert {step.shown["planned", "fills"] for step in steps} == {str(step.sequence) for step in steps}
    assert [step.sequence for step in steps if step.is_fill] == [
        step.sequence for step in steps_of(journal) if step.is_fill
    ]


def test_its_page_steps_through_its_own_chart(journal: Path, open_page: OpenPage) -> None:
    from playwright.sync_api import expect

    track = track_of(journal)
    page = open_page(inspection_page([InspectedMarket((track,))], title="An execution"))
    expect(page.locator("#place")).not_to_be_empty()
    page.keyboard.press("f")
    expect(page.locator(".side-body h3").first).to_have_text("Fact: OrderFilled")
    assert page.locator(".books h3").all_inner_texts()[0].lower() == "execution"
    assert page.locator(".map .current").count() == 1


def test_a_view_of_itself_that_raises_is_told_and_hides_no_step() -> None:
    class Broken:
        def shown(self) -> dict[str, object]:
            raise KeyError("mid")

    texts: Any = ShownTexts()
    assert texts.of(Broken()) == {("problem", "shown()"): "raised KeyError: 'mid'"}


def test_rows_and_parts_are_flat_by_name() -> None:
    class Plain:
        def shown(self) -> dict[str, object]:
            return {"legs": [{"price": 1}, {"price": None}], "none": {}, "flag": True, "tags": ("a", "b")}

    texts: Any = ShownTexts()
    assert texts.of(Plain()) == {
        ("legs", "1", "price"): "1",
        ("legs", "2", "price"): None,
        ("none",): "none",
        ("flag",): "True",
        ("tags",): "a; b",
    }
