"""What was asked for on the command line, checked before any test runs."""

from __future__ import annotations

import inspect
import os
import pkgutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from attrs import field, frozen
from statemachine import StateChart

from mm_fsm.chart import Chart, ChartDefinition, StateDefinition
from mm_fsm.coverage.criteria import RECORDED, Criterion
from mm_fsm.coverage.exclusions import Exclusion
from mm_fsm.coverage.gate import Baseline, Thresholds, check_measurable, read_baseline, read_criteria, read_thresholds
from mm_fsm.coverage.problems import CoverageError
from mm_fsm.coverage.reading import reference_of
from mm_fsm.diagram import DiagramError, PictureFormat, picture

_REPORT: Final = "--fsm-cov-report"
_CHART: Final = "--fsm-cov"
_MUTATE: Final = "--fsm-mutate"
_PROCESSES: Final = "--fsm-mutate-processes"
_FORMS: Final = "term, term-missing, json:PATH, html:DIR or svg:PATH"


@frozen(kw_only=True)
class Reports:
    """Where the results go."""

    table: bool = False
    gaps: bool = False
    json: tuple[Path, ...] = ()
    html: tuple[Path, ...] = ()
    """Directories; each gets an ``index.html``."""
    svg: tuple[Path, ...] = ()
    """Pictures of one chart where they end in ``.svg``, otherwise directories."""

    @classmethod
    def read(cls, texts: Sequence[str]) -> Self:
        """Read ``--fsm-cov-report`` as often as it was given; the table with its gaps when it was not.

        Raises:
            CoverageError: a report is of no known form, has no place to go, or two go to the same.
        """
        if not texts:
            return cls(table=True, gaps=True)
        places: dict[str, list[Path]] = {"json": [], "html": [], "svg": []}
        for text in texts:
            form, _, place = text.partition(":")
            if form in places and place:
                places[form].append(Path(place))
            elif text not in ("term", "term-missing"):
                raise CoverageError(_REPORT, _FORMS, repr(text), "Correct it.")
        files = [path.resolve() for paths in places.values() for path in paths]
        if len(files) != len(set(files)):
            raise CoverageError(_REPORT, "a place of its own for each report", str(texts), "Change one of them.")
        reports = cls(
            table="term" in texts or "term-missing" in texts,
            gaps="term-missing" in texts,
            json=tuple(places["json"]),
            html=tuple(places["html"]),
            svg=tuple(places["svg"]),
        )
        reports.check_places()
        return reports

    @property
    def pictures_of_one(self) -> tuple[Path, ...]:
        """Pictures that show a single chart."""
        return tuple(path for path in self.svg if path.suffix == ".svg")

    def check_places(self) -> None:
        """Make the directories, and draw something, so that neither fails after an hour of tests.

        Raises:
            CoverageError: a directory cannot be made, or nothing that draws is installed.
        """
        directories = [path.parent for path in (*self.json, *self.pictures_of_one)]
        directories += [path for path in (*self.html, *self.svg) if path not in self.pictures_of_one]
        try:
            for directory in directories:
                directory.mkdir(parents=True, exist_ok=True)
            if self.svg:
                picture(_SPECIMEN, PictureFormat.SVG)
        except OSError as error:
            raise CoverageError(_REPORT, "a place to write to", str(error), "Name another directory.") from error
        except DiagramError as error:
            raise CoverageError(_REPORT, "something that can draw", error.problem, error.remedy) from error


_SPECIMEN: Final = ChartDefinition(
    name="Specimen", states=(StateDefinition(id="only", name="Only", initial=True),), edges=()
)
"""The smallest chart, to try whether it can be drawn."""


@frozen(kw_only=True)
class Options:
    """Everything that was asked for."""

    classes: tuple[type, ...] = ()
    """Charts to measure; empty for every one that is imported."""
    mutate: tuple[type, ...] | None = None
    """Charts to make mutants of; empty for every one that is measured, None when no mutants are asked for."""
    processes: int = 1
    """How many mutants run at a time."""
    criteria: tuple[Criterion, ...] = RECORDED
    reports: Reports = field(factory=Reports)
    thresholds: Thresholds = field(factory=dict)
    baseline: Baseline = field(factory=dict)
    exclusions: tuple[Exclusion, ...] = ()
    with_tests: bool = False

    @property
    def wanted(self) -> frozenset[str] | None:
        """References of the charts to measure; None for every one that is imported."""
        return frozenset(map(reference_of, self.classes)) or None

    @property
    def mutated(self) -> frozenset[str] | None:
        """References of the charts to make mutants of; None for every one that is measured."""
        return frozenset(map(reference_of, self.mutate or ())) or None

    @classmethod
    def read(
        cls,
        *,
        charts: Sequence[str] | None,
        mutate: Sequence[str] | None = None,
        processes: str | None = None,
        criteria: str | None,
        reports: Sequence[str],
        fail_under: str | None,
        baseline: str | None,
        exclude: Iterable[str],
        with_tests: bool,
    ) -> Self:
        """Read the options as pytest has them.

        Raises:
            CoverageError: one cannot be used.
        """
        measured = RECORDED if criteria is None else read_criteria("--fsm-cov-criteria", criteria)
        thresholds = {} if fail_under is None else read_thresholds(fail_under)
        check_measurable(measured if mutate is None else (*measured, Criterion.MUTATION), thresholds)
        classes = tuple(find_chart(name) for name in charts or () if name)
        mutants = tuple(find_chart(name, _MUTATE) for name in mutate or () if name)
        is_every_chart = "" in (mutate or () if charts is None else charts)
        options = cls(
            classes=() if is_every_chart else tuple(dict.fromkeys([*classes, *mutants])),
            mutate=None if mutate is None else () if "" in mutate else mutants,
            processes=_read_processes(processes),
            criteria=measured,
            reports=Reports.read(reports),
            thresholds=thresholds,
            baseline={} if baseline is None else read_baseline(Path(baseline)),
            exclusions=tuple(Exclusion.read(line) for line in exclude),
            with_tests=with_tests,
        )
        if options.reports.pictures_of_one and len(options.classes) != 1:
            raise CoverageError(
                _REPORT,
                f"one chart for {options.reports.pictures_of_one[0]}",
                f"{len(options.classes) or 'every'} chart(s)",
                "Name one with --fsm-cov=module:Class, or write to a directory: svg:pictures.",
            )
        return options


def _read_processes(text: str | None) -> int:
    if text is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not (text.isascii() and text.isdigit() and int(text)):
        raise CoverageError(_PROCESSES, "a whole number from 1 on", repr(text), "Write it like 2, or leave it out.")
    return int(text)


def check_not_orphaned(given: Mapping[str, object], needed: str = _CHART) -> None:
    """Refuse options that mean nothing without another one.

    Raises:
        CoverageError: one was given.
    """
    orphans = [name for name, value in given.items() if value not in (None, False)]
    if orphans:
        raise CoverageError(
            ", ".join(orphans), f"{needed} beside it", "none", f"Add {needed} or {needed}=module:Class."
        )


def find_chart(reference: str, option: str = _CHART) -> type:
    """The class that ``module:Class`` names.

    Raises:
        CoverageError: it cannot be imported, or is no chart with states.
    """
    if ":" not in reference:
        raise CoverageError(
            option, "module:Class", repr(reference), f"Write {option}=module:Class; a path of tests goes before it."
        )
    found = _imported(reference, option)
    if inspect.isclass(found) and (
        (issubclass(found, Chart) and found.__chart__.definition is not None)
        or (issubclass(found, StateChart) and bool(found.states))
    ):
        return found
    raise CoverageError(
        f"{option}={reference}",
        "a chart with states: a class made from mm_fsm.chart.Chart or statemachine.StateChart",
        repr(found),
        "Name the class itself.",
    )


def _imported(reference: str, option: str) -> object:
    """What ``module:name`` names; modules of the current directory are found, as with ``python -m pytest``.

    Raises:
        CoverageError: it cannot be imported.
    """
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        return pkgutil.resolve_name(reference)
    except Exception as error:  # a module may raise anything while it is imported
        raise CoverageError(
            f"{option}={reference}",
            "a class that can be imported",
            f"{type(error).__name__}: {error}",
            "Correct the name, or make its module importable.",
        ) from error
    finally:  # tests find what they would find without --fsm-cov
        sys.path.remove(here)
