"""What a test module sees: cases, their names, what is skipped, and what fails at collection."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mm_fsm.books.order_lifecycle import OrderLifecycle
from mm_fsm.coverage.criteria import Criterion
from mm_fsm.coverage.obligations import obligations_of
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.testing import forced, plan_paths

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
LIGHT = """
    from statemachine import State, StateMachine

    class Light(StateMachine):
        green = State(initial=True)
        yellow = State()
        red = State()
        broken = State(final=True)

        slow = green.to(yellow, cond="has_traffic")
        stop = yellow.to(red)
        go = red.to(green, unless="has_traffic")
        smash = red.to(broken) | green.to(broken)

        def has_traffic(self):
            return False
"""


def run(pytester: pytest.Pytester, test: str, *options: str) -> pytest.RunResult:
    """Run one test module beside the light's, measured."""
    pytester.makepyfile(light=LIGHT, test_light=test)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-n0", "-v", *options)


def test_the_few_lines_of_the_document_cover_its_chart(pytester: pytest.Pytester) -> None:
    """Guards are forced, so that a machine which never has traffic is covered in structure."""
    (example, _, _), (shown,) = (
        re.findall(rf"```{kind}\n(.*?)```", DOCUMENT, re.DOTALL) for kind in ("python", "console")
    )
    command, *table = [line for line in shown.splitlines() if line]
    pytester.makepyfile(test_light=example)
    program, quiet, *options = command.removeprefix("$ ").split()
    assert (program, quiet) == ("pytest", "-q")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-n0", "-v", *options)
    # Two ways into broken, each with a round or the way before it: 2 paths; 4 states by 4 events less 5 edges.
    result.assert_outcomes(passed=2 + 11)
    result.stdout.fnmatch_lines(
        [
            "*::test_every_pair[[]1-slow-stop-go-2_more-smash[]] PASSED*",
            "*::test_every_pair[[]2-slow-stop-go-smash[]] PASSED*",
            "*::test_nothing_sneaks[[]go in green[]] PASSED*",
            *table,
        ]
    )


@pytest.mark.parametrize("chart", [MarketMakingStateMachine, OrderLifecycle], ids=lambda chart: chart.__name__)
@pytest.mark.parametrize("criterion", ["transitions", "pairs"])
def test_the_figures_of_the_document_are_right(chart: type, criterion: str) -> None:
    driver = forced(chart)
    plan = plan_paths(driver, criterion)
    total = len(obligations_of(driver.model, Criterion(criterion)))
    row = f"| `{chart.__name__}` | `{criterion}` ({total}) | {len(plan.paths)} | {plan.steps} |"
    assert row in DOCUMENT.splitlines()


def test_what_is_left_out_is_a_skipped_case_with_its_reason(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        from light import Light
        from mm_fsm.testing import fsm_paths, sneak_tests

        @fsm_paths(Light, exclude={"red --smash*": "too dear"})
        def test_edges(path):
            path.run()

        test_sneaks = sneak_tests(Light, exclude={"* in broken": "nobody listens"})
        """,
        "-rs",
    )
    result.assert_outcomes(passed=1 + 7, skipped=1 + 4)
    result.stdout.fnmatch_lines(["SKIPPED*red --smash--> broken: too dear", "SKIPPED*go in broken: nobody listens"])


def test_a_path_that_real_guards_refuse_fails_with_the_path_tried(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        from light import Light
        from mm_fsm.testing import fsm_paths, real

        @fsm_paths(real(Light, {}), "transitions")
        def test_edges(path):
            path.run()
        """,
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        ["*InfeasibleError: light:Light: expected green --slow [[]has_traffic[]]--> yellow; found that it took*"]
    )


def test_a_chart_that_paths_cannot_be_planned_on_fails_at_collection(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        from statemachine import State, StateChart
        from mm_fsm.testing import fsm_paths

        class Regions(StateChart):
            class both(State.Parallel):
                class left(State.Compound):
                    l1 = State(initial=True)
                    l2 = State(final=True)
                    go = l1.to(l2)

                class right(State.Compound):
                    r1 = State(initial=True)
                    r2 = State(final=True)
                    go_right = r1.to(r2)

        @fsm_paths(Regions)
        def test_paths(path):
            path.run()
        """,
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*UnsupportedChartError: test_light:Regions: it has states that are parallel*"])


def test_workers_collect_the_same_cases(pytester: pytest.Pytester) -> None:
    """pytest-xdist refuses to run when they do not."""
    pytester.makepyfile(
        test_orders="""
        from mm_fsm.books.order_lifecycle import OrderLifecycle
        from mm_fsm.testing import fsm_paths

        @fsm_paths(OrderLifecycle, "roundtrip")
        def test_trips(path):
            path.run()
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "-n2").assert_outcomes(passed=86)
