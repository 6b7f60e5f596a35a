"""Draws and watches every chart class of python-statemachine's own tests; run in a process of its own.

Its tests are a package called ``tests``, as ours are, so nothing of ours is imported from there. Classes in modules are
taken as they are; of those inside functions the statements are run that make them: imports, classes, functions and
assignments, in order, each that fails left out. Documents in SCXML, JSON and YAML are loaded. What cannot be made or
walked is named with its reason.

    python tests/sweep/foreign_charts.py DIRECTORY [EVERY]    # EVERY 20: only each twentieth chart
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import importlib
import io
import json
import random
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from inspect import isawaitable
from pathlib import Path
from typing import Any

SECONDS = 5
"""For one chart."""
EVENTS = 40
"""Sent to one machine."""
MUTANTS = 30
"""Made of one chart."""


class TookTooLongError(BaseException):
    """One chart waits for something."""


@contextlib.contextmanager
def timed(seconds: float) -> Iterator[None]:
    """Ends what takes longer, again and again while it does not end."""

    def too_long(*_: object) -> None:
        raise TookTooLongError

    signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


# -- finding charts ---------------------------------------------------------------------------------------------------


def found_charts(root: Path) -> Iterator[tuple[str, Any]]:
    """Names and classes, or what went wrong in place of a class."""
    from statemachine import StateChart

    for path in sorted((root / "tests").rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        if "django_project" in path.parts or path.name == "scrape_images.py":
            yield name, "needs Django, or fetches from the network when it is imported"
            continue
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                module = importlib.import_module(name)
        except BaseException as error:  # a module may raise anything, and skips by an exception
            yield name, f"cannot be imported: {type(error).__name__}: {error}"
            continue
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, StateChart) and value.__module__ == name:
                yield f"{name}:{value.__qualname__}", value
        yield from _in_functions(name, vars(module), ast.parse(path.read_text(encoding="utf-8")))
    yield from _loaded(root)


def _in_functions(module: str, known: dict[str, Any], tree: ast.AST) -> Iterator[tuple[str, Any]]:
    from statemachine import StateChart

    makers = (
        ast.AnnAssign,
        ast.Import,
        ast.ImportFrom,
        ast.ClassDef,
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.Assign,
    )
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if not any(isinstance(node, ast.ClassDef) for node in function.body):
            continue
        names = dict(known)
        for statement in (node for node in function.body if isinstance(node, makers)):
            if isinstance(statement, ast.ClassDef):
                names.pop(statement.name, None)
            with contextlib.suppress(BaseException), timed(1):
                exec(compile(ast.Module([statement], []), module, "exec"), names)
            made = names.get(statement.name) if isinstance(statement, ast.ClassDef) else None
            if isinstance(made, type) and issubclass(made, StateChart):
                yield f"{module}:{function.name}.{made.__name__}", made


def _loaded(root: Path) -> Iterator[tuple[str, Any]]:
    from statemachine.io import load

    suffixes = {".scxml", ".json", ".yaml"}
    for path in sorted(path for path in (root / "tests").rglob("*") if path.suffix in suffixes):
        name = str(path.relative_to(root))
        try:
            yield name, load(path, trusted=True)
        except Exception as error:  # documents that must be refused are among them
            yield name, f"python-statemachine does not load it: {type(error).__name__}"


# -- one chart --------------------------------------------------------------------------------------------------------


class Ear:
    """Counts by itself what a machine does: transitions when they are complete, entries that were not taken back."""

    def __init__(self) -> None:
        self.edges: Counter[tuple[int, Any]] = Counter()
        self.entries: Counter[Any] = Counter()
        self.entered: list[Any] = []
        self.begun = self.complete = 0
        """Transitions; one that fails, or whose own ``after`` does, is never complete."""

    def on_enter_state(self, target: Any) -> None:
        self.entered.append(target.value)

    def on_transition(self) -> None:
        self.begun += 1

    def after_transition(self, event_data: Any) -> None:
        self.complete += 1
        self.edges[id(event_data.transition), event_data.event and str(event_data.event)] += 1
        self.entries.update(self.entered)
        self.entered.clear()

    def rest(self, active: Any) -> None:
        """Nothing is going on: what was entered and is still active began there; the rest was taken back."""
        kept = [value for value in self.entered if value in active]
        self.entries.update(kept)
        self.entered.clear()


async def walk(chart: Any, ear: Ear, seed: int) -> str:
    """Random events to a new machine; why none was made, where it was not."""
    choose = random.Random(seed)
    try:
        machine = chart(listeners=[ear])
        if isawaitable(waiting := machine.activate_initial_state()):
            await waiting
    except TookTooLongError:
        raise
    except BaseException as error:  # pytest's own way to fail is no Exception
        return f"no machine can be made without more: {type(error).__name__}: {error}"
    ear.rest(machine.configuration_values)
    events = [str(event) for event in chart._events if not event.delay and "*" not in event] or ["nothing"]
    for _ in range(EVENTS):
        try:
            if isawaitable(waiting := machine.send(choose.choice(events))):
                await waiting
        except TookTooLongError:
            raise
        except BaseException:
            pass
        ear.rest(machine.configuration_values)
        if machine.is_terminated:
            break
    return ""


def problems_of(chart: Any) -> Iterator[str]:
    """What is wrong with how a chart is drawn and measured."""
    yield from _drawn_wrongly(chart)
    yield from _asked_wrongly(chart)


def _drawn_wrongly(chart: Any) -> Iterator[str]:
    from mm_fsm.diagram import DiagramFormat, drawable, render

    definition = drawable(chart).definition
    for form in DiagramFormat:
        if not render(drawable(chart), form):
            yield f"{form}: empty"
    for what, keys in (("states", definition.states), ("edges", definition.edges)):
        if len({one.id for one in keys}) < len(keys):
            yield f"{what} share an identifier"


def _asked_wrongly(chart: Any) -> Iterator[str]:
    from mm_fsm.coverage.criteria import Criterion
    from mm_fsm.coverage.mutation.making import model_of, mutated
    from mm_fsm.coverage.mutation.mutants import mutants_of
    from mm_fsm.coverage.obligations import obligations_of

    model = model_of(chart)
    for criterion in Criterion:
        keys = [one.key for one in obligations_of(model, criterion)]
        if len(keys) > len(set(keys)):
            yield f"{criterion}: obligations share a key: {[key for key, n in Counter(keys).items() if n > 1][:3]}"
    before = repr(model)
    for mutant in mutants_of(model)[:MUTANTS]:
        with mutated(chart, mutant):
            pass
    if repr(model_of(chart)) != before:
        yield "a mutant has left its fault in the class"


def counted_differently(chart: Any) -> tuple[str, int, list[str]]:
    """Why a chart was not walked, how many transitions were, and where two counts of them differ."""
    from mm_fsm.coverage.reading import read_engine
    from mm_fsm.coverage.recorder import Recorder

    ear, recorder = Ear(), Recorder([chart])
    recorder.start()
    try:
        reason = ""
        for seed in range(3):
            reason = reason or asyncio.run(walk(chart, ear, seed))
        recorder.end_test("walk")
    finally:
        recorder.stop()
    (run,) = recorder.run().charts.values()
    reading = read_engine(chart)
    expected: Counter[int] = Counter()
    unmatched = 0
    for (transition, event), count in ear.edges.items():
        place = reading.edges.get((transition, event))
        if place is None:
            owner = next((one for one in reading.transitions if id(one) == transition), None)
            names = [str(name) for name in owner.events if event and name.match(event)] if owner else []
            place = reading.edges.get((transition, names[0])) if names else None
        if place is None:
            unmatched += count
        else:
            expected[place] += count
    differences = []
    if dict(expected) != {place: count for place, count in run.hits.edges.items() if count}:
        differences.append(f"edges: a listener counts {dict(expected)}, the recorder {dict(run.hits.edges)}")
    if unmatched != run.hits.unmatched:
        differences.append(f"unmatched: a listener counts {unmatched}, the recorder {run.hits.unmatched}")
    states: Counter[str] = Counter()
    for value, count in ear.entries.items():
        states[reading.names[value]] += count
    recorded = {state: count for state, count in run.hits.states.items() if count}
    if dict(states) != recorded and ear.begun == ear.complete:  # documented: one that is not complete is not measured
        differences.append(f"entries: a listener counts {dict(states)}, the recorder {recorded}")
    return reason, sum(expected.values()), differences


def judged(name: str, chart: Any) -> dict[str, Any]:
    """What became of one chart."""
    result: dict[str, Any] = {"name": name, "problems": [], "walked": 0, "reason": ""}
    if isinstance(chart, str):
        return result | {"reason": chart}
    if not chart.states:
        return result | {"reason": "declares no states"}
    result["nested"] = any(state.states for state in chart.states)
    output = io.StringIO()
    try:
        result["problems"] += problems_of(chart)
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output), timed(SECONDS):
            result["reason"], result["walked"], differences = counted_differently(chart)
        result["problems"] += differences
    except TookTooLongError:
        result["reason"] = f"takes longer than {SECONDS} seconds"
    except Exception as error:
        import traceback

        where = traceback.extract_tb(error.__traceback__)[-1]
        result["problems"].append(f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})")
    return result


def main() -> int:
    """Print one line of JSON for each chart."""
    root, every = Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    sys.path[:1] = [str(root)]
    sys.stdin = io.StringIO()
    warnings.simplefilter("ignore")
    real = sys.stdout
    for place, (name, chart) in enumerate(found_charts(root)):
        if place % every == 0:
            print(f"RESULT {json.dumps(judged(name, chart))}", file=real, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
