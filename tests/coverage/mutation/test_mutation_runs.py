"""``--fsm-mutate`` by running pytest on a suite whose weak spots are known."""

from __future__ import annotations

import json
import os

import pytest

from mm_fsm.coverage.mutation import session  # pytest in this process forgets what it loads itself

CHARTS = """
    from statemachine import State, StateMachine

    class Gate(StateMachine):
        shut = State(initial=True)
        ajar = State()
        push = shut.to(ajar, cond="unlocked", on="ring")
        pull = ajar.to(shut)
        unlocked = True
        rung = 0

        def ring(self):
            self.rung += 1
"""
TESTS = """
    from gates import Gate

    def test_push():
        gate = Gate()
        gate.send("push")
        assert gate.current_state_value == "ajar"

    def test_pull():
        gate = Gate()
        gate.send("push")
        gate.send("pull")
        assert gate.current_state_value == "shut"
"""
MUTATE = ("--fsm-mutate=gates:Gate", "--fsm-cov-criteria=states")
# push: dropped, redirected to shut, guard negated, guard dropped, action dropped; pull: dropped, redirected to ajar.
# Nobody locks the gate, so nobody notices that the guard is not asked; nobody listens to the bell.
SURVIVORS = [
    "  mutation:    state shut, event push: no test notices when guard unlocked is not asked",
    "  mutation:    state shut, event push: no test notices when its action ring is not run",
]


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with one chart and a suite with two weak spots."""
    assert session.MutationSession
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makepyfile(gates=CHARTS, test_gates=TESTS)
    pytester.syspathinsert()
    return pytester


def survivors_in(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if line.startswith("  mutation:")]


def test_survivors_are_those_known_by_hand(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess(*MUTATE)
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    assert survivors_in(result) == SURVIVORS
    result.stdout.fnmatch_lines(["chart *mutants *", "gates:Gate *7 *5 *0 *2 *0 *71%"])


def test_a_test_that_closes_a_gap_is_enough_and_processes_do_not_matter(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_more="""
        import pytest
        from gates import Gate
        from statemachine.exceptions import TransitionNotAllowed

        def test_locked():
            gate = Gate()
            gate.unlocked = False
            with pytest.raises(TransitionNotAllowed):
                gate.send("push")

        def test_bell():
            gate = Gate()
            gate.send("push")
            assert gate.rung == 1
        """
    )
    result = project.runpytest_inprocess(*MUTATE, "--fsm-cov-fail-under=mutation:100", "--fsm-mutate-processes=3")
    assert result.ret == 0
    assert survivors_in(result) == []


def test_a_score_below_its_threshold_fails_and_an_exclusion_counts(project: pytest.Pytester) -> None:
    assert project.runpytest_inprocess(*MUTATE, "--fsm-cov-fail-under=mutation:80").ret == pytest.ExitCode.TESTS_FAILED
    project.makeini("[pytest]\nfsm_exclude =\n    gates:Gate | mutation | *: ring (on) dropped | nobody hears it\n")
    path = project.path / "report.json"
    result = project.runpytest_inprocess(*MUTATE, "--fsm-cov-fail-under=mutation:83", f"--fsm-cov-report=json:{path}")
    assert result.ret == 0
    chart = json.loads(path.read_text(encoding="utf-8"))["charts"]["gates:Gate"]
    figures = chart["criteria"]["mutation"]
    assert (figures["covered"], figures["total"], chart["timed_out"]) == (5, 6, 0)
    assert [one["key"] for one in figures["missing"]] == ["shut --push [unlocked]--> ajar: unlocked dropped"]
    assert [one["reason"] for one in figures["excluded"]] == ["nobody hears it"]


def test_a_test_that_only_looks_at_the_class_notices_nothing(project: pytest.Pytester) -> None:
    """It would see every change of the chart, but it has run none of it."""
    project.makepyfile(
        test_gates="""
        from gates import Gate

        def test_definition():
            assert [t.event for state in Gate.states for t in state.transitions] == ["push", "pull"]
            assert Gate.shut.transitions[0].target is Gate.ajar
        """
    )
    result = project.runpytest_inprocess(*MUTATE)
    assert len(survivors_in(result)) == 7


def test_a_mutant_that_never_ends_is_noticed_and_counted_apart(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mm_fsm.coverage.mutation import suite

    monkeypatch.setattr(suite, "_PATIENCE", 1.0)
    project.makepyfile(
        test_gates="""
        from gates import Gate

        def test_until_it_is_open():
            gate = Gate()
            while gate.current_state_value != "ajar":
                gate.allow_event_without_transition = True
                gate.send("push")
        """
    )
    result = project.runpytest_inprocess(*MUTATE)
    # Dropped, redirected and negated, push never gets there; what pull does is not seen.
    result.stdout.fnmatch_lines(["gates:Gate *7 *0 *3 *4 *0 *42%"])


def test_a_suite_that_fails_is_not_asked(project: pytest.Pytester) -> None:
    project.makepyfile(test_more="def test_red(): assert False")
    result = project.runpytest_inprocess(*MUTATE)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["FAILED --fsm-mutate: the suite must pass before *"])
    result.stdout.no_fnmatch_line("*notices*when*")


def test_a_test_that_passes_only_once_cannot_tell(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_gates="""
        from gates import Gate
        seen = []

        def test_once():
            Gate().send("push")
            seen.append(1)
            assert len(seen) == 1
        """
    )
    result = project.runpytest_inprocess(*MUTATE)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["FAILED --fsm-mutate: test_gates.py::test_once does not pass when it is run again *"])


def test_only_the_named_chart_has_mutants(project: pytest.Pytester) -> None:
    """The mm_fsm charts of this very process are measured too, and have none."""
    result = project.runpytest_inprocess("--fsm-cov", *MUTATE)
    assert survivors_in(result) == SURVIVORS


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fsm-mutate-processes=2"], "--fsm-mutate-processes: expected --fsm-mutate beside it"),
        ([*MUTATE, "--fsm-mutate-processes=0"], "--fsm-mutate-processes: expected a whole number from 1 on"),
        (["--fsm-mutate=gates:Door"], "--fsm-mutate=gates:Door: expected a class that can be imported"),
        (["--fsm-cov", "--fsm-cov-fail-under=mutation:95"], "--fsm-cov-fail-under: expected thresholds for what is"),
        (["--fsm-cov", "--fsm-cov-criteria=mutation"], "--fsm-cov-criteria: expected criteria of states,"),
        ([*MUTATE, "-n1"], "--fsm-mutate: expected all tests in one process"),
    ],
)
def test_what_cannot_be_meant_ends_before_any_test(
    project: pytest.Pytester, arguments: list[str], message: str
) -> None:
    result = project.runpytest_inprocess(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: {message}" in result.stderr.str()
    result.stdout.no_fnmatch_line("*passed*")


def test_a_system_that_cannot_fork_is_refused(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    result = project.runpytest_inprocess(*MUTATE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "expected a system that can fork" in result.stderr.str()


def test_hypothesis_has_its_own_profile_again_afterwards(project: pytest.Pytester) -> None:
    from hypothesis import settings

    before = settings.get_current_profile_name()
    assert project.runpytest_inprocess(*MUTATE).ret == 0
    assert settings.get_current_profile_name() == before
