"""Generated tests know subjects, not strategies: the market maker is one of them, and others can be registered."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

import mm_fsm.testing
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.testing import UnsupportedChartError, fault_tests, register_subject
from mm_fsm.testing.market_maker.subject import MarketMakerSubject
from mm_fsm.testing.subjects import registry
from mm_fsm.testing.subjects.registry import subject_of
from mm_fsm.testing.subjects.subject import BareSubject, Situation, Subject
from tests.testing.faulty import Lamp, Thermostat

GENERIC = ("driving", "paths", "subjects", "faults", "models")
STRATEGIES = ("mm_fsm.services", "mm_fsm.machine.quot", "mm_fsm.machine.market_making", "mm_fsm.machine.desk")
"""What only a strategy knows; ``mm_fsm.books`` but for the facts that every machine is told."""


def imports_of(path: Path) -> set[str]:
    """Every module that a module imports from, type checking included."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


def test_the_generic_part_imports_no_strategy() -> None:
    root = Path(str(mm_fsm.testing.__file__)).parent
    for folder in GENERIC:
        for path in sorted((root / folder).rglob("*.py")):
            for module in imports_of(path):
                assert not module.startswith((*STRATEGIES, "mm_fsm.testing.market_maker")), (path.name, module)
                assert not module.startswith("mm_fsm.books") or module == "mm_fsm.books.facts", (path.name, module)


def test_a_market_maker_and_its_subclasses_have_its_subject() -> None:
    class Cautious(MarketMakingStateMachine):
        pass

    assert isinstance(subject_of(MarketMakingStateMachine), MarketMakerSubject)
    assert subject_of(Cautious) is subject_of(MarketMakingStateMachine)


@pytest.mark.parametrize("chart", [Lamp, Thermostat])
def test_charts_without_books_have_a_bare_subject(chart: type) -> None:
    assert isinstance(subject_of(chart), BareSubject)


def test_a_bare_subject_does_not_know_how_a_machine_is_made() -> None:
    with pytest.raises(UnsupportedChartError, match="it is not known how one is made"):
        fault_tests(Thermostat)


def test_a_registered_subject_says_how_a_machine_is_made_and_what_must_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Thermostat] = []

    class ThermostatSubject(BareSubject):
        situation = Situation()

        def make(self, chart: type, services: Any) -> Any:
            made.append(chart())
            return made[-1]

    subject: Subject = ThermostatSubject()
    monkeypatch.setattr(registry, "_SUBJECTS", dict(registry._SUBJECTS))
    register_subject(Thermostat, subject)
    assert subject_of(Thermostat) is subject
    cases = fault_tests(Thermostat)
    parameters = cases.pytestmark[0].args[1]  # type: ignore[attr-defined]
    before = len(made)
    parameters[0].values[0]()
    assert len(made) == before + 1
