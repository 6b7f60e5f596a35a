"""Parts of the documents that the program writes: counts of its own charts, the chart itself, tables of what was seen.

``python docs/site/written_parts.py`` writes them again, but for those that measure: they are written when their names
are given. ``--check`` names those that are out of date, and exits with status 1. A part stands between
``<!-- written: NAME -->`` and ``<!-- end of NAME -->``, on lines of its own or in one.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from runpy import run_path

from mm_fsm.books.order_lifecycle import OrderLifecycle
from mm_fsm.chart import definition_of
from mm_fsm.cli.arguments import EXIT_CODES
from mm_fsm.coverage.criteria import Criterion
from mm_fsm.coverage.exclusions import Exclusion, excluded_edges, with_exclusions
from mm_fsm.coverage.obligations import obligations_of
from mm_fsm.coverage.reading import read_chart
from mm_fsm.diagram.mermaid import mermaid_source
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.testing import forced, plan_paths
from mm_fsm.watching.metrics_table import metrics_table

ROOT = Path(__file__).resolve().parents[2]
DEMONSTRATION_LINE = re.compile(r"^\t\$\(BIN\)/mm-fsm (run .*) --out runs/demo$", re.MULTILINE)
"""In the Makefile, which alone says what the demonstration is."""


def demonstration_arguments() -> list[str]:
    """What ``make demo`` gives to ``mm-fsm``, but for the place of its files."""
    (line,) = DEMONSTRATION_LINE.findall((ROOT / "Makefile").read_text(encoding="utf-8"))
    return line.split()


def plans() -> str:
    """How long the plans of our own charts are."""
    lines = ["| chart | criterion | paths | edges taken |", "|---|---|---|---|"]
    for chart in (MarketMakingStateMachine, OrderLifecycle):
        for criterion in ("transitions", "pairs"):
            plan = plan_paths(forced(chart), criterion)
            total = len(obligations_of(plan.driver.model, Criterion(criterion)))
            lines.append(f"| `{chart.__name__}` | `{criterion}` ({total}) | {len(plan.paths)} | {plan.steps} |")
    return "\n".join(lines)


def excluded() -> str:
    """How much of what the criteria ask of the market maker's chart cannot be brought about."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    exclusions = [Exclusion.read(line) for line in settings["tool"]["pytest"]["fsm_exclude"]]
    model = read_chart(MarketMakingStateMachine)
    edges = excluded_edges(model, obligations_of(model, Criterion.TRANSITIONS), exclusions)
    names = {Criterion.PAIRS: "pairs", Criterion.ROUNDTRIP: "round trips", Criterion.MCDC: "decisions"}
    counts = []
    for criterion, name in names.items():
        asked = with_exclusions(model, obligations_of(model, criterion), edges, exclusions)
        counts.append(f"{sum(bool(each.excluded) for each in asked)} of {len(asked)} {name}")
    return f"these are {', '.join(counts[:-1])} and {counts[-1]};"


def chart() -> str:
    """The chart of the market maker, for code hosts that draw Mermaid."""
    return f"```mermaid\n{(ROOT / 'diagrams' / 'market_making.mmd').read_text(encoding='utf-8')}```"


def time_weighted_execution() -> str:
    """The chart of the example of a second strategy."""
    chart = run_path(str(ROOT / "examples" / "time_weighted_execution.py"))["TimeWeightedExecution"]
    return f"```mermaid\n{mermaid_source(definition_of(chart))}```"


def demonstration() -> str:
    """What the demonstration prints at its end."""
    with tempfile.TemporaryDirectory() as place:
        printed = printed_by(
            "-c", "from mm_fsm.cli import main; main()", *demonstration_arguments(), "-q", "--out", place
        )
    lines = [line.rstrip() for line in printed.splitlines()]
    return "\n".join(["```text", *lines, "```"])


def exchanges() -> str:
    """What each exchange can do."""
    return printed_by("-m", "tests.venues.ccxt_venue.exchange_table")


def faults() -> str:
    """What was seen when each fault struck alone."""
    return printed_by("-m", "tests.venues.ccxt_venue.fault_table")


def printed_by(*arguments: str) -> str:
    """What Python prints with these arguments and the modules of this tree, whatever is installed."""
    environment = {**os.environ, "COLUMNS": "80", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *arguments]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment, cwd=ROOT)
    return finished.stdout.strip("\n")


def statuses() -> str:
    """What exit statuses say, as the help has it."""
    return textwrap.fill(EXIT_CODES, 118)


def metrics() -> str:
    """Every metric of a market."""
    return metrics_table()


PARTS: Mapping[str, tuple[str, Callable[[], str]]] = {
    "chart": ("README.md", chart),
    "demonstration": ("README.md", demonstration),
    "statuses": ("README.md", statuses),
    "plans": ("docs/testing.md", plans),
    "excluded": ("docs/coverage.md", excluded),
    "exchanges": ("docs/exchanges.md", exchanges),
    "metrics": ("docs/watching.md", metrics),
    "time_weighted_execution": ("docs/strategies.md", time_weighted_execution),
}
"""Where each part stands, and what makes it."""
MEASURED: Mapping[str, tuple[str, Callable[[], str]]] = {"faults": ("docs/rehearsed.md", faults)}
"""Parts that take minutes and hold times, so that no two runs agree."""


def with_part(text: str, name: str, part: str) -> str:
    """A document's text with the part as it is now.

    Raises:
        ValueError: the document does not have the part once.
    """
    begin, end = f"<!-- written: {name} -->", f"<!-- end of {name} -->"
    place = re.compile(f"({re.escape(begin)}\n?).*?(\n?{re.escape(end)})", re.DOTALL)
    written, count = place.subn(lambda found: f"{found[1]}{part}{found[2]}", text)
    if count != 1:
        raise ValueError(f"{name}: expected one part between {begin} and {end}, found {count}.")
    return written


def main(arguments: list[str]) -> int:
    """Write the parts, or check them."""
    every = {**PARTS, **MEASURED}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(every)}; all but {', '.join(MEASURED)} by default")
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    unknown = {*options.names} - {*every}
    if unknown:
        parser.error(f"expected names of {', '.join(every)}, found {', '.join(sorted(unknown))}")
    stale = []
    for name in options.names or PARTS:
        document, make = every[name]
        path = ROOT / document
        text = path.read_text(encoding="utf-8")
        written = with_part(text, name, make())
        if written != text:
            stale.append(f"{document}: {name}")
            if not options.check:
                path.write_text(written, encoding="utf-8")
    for each in stale:
        print(f"{each} {'is out of date: run make diagrams' if options.check else 'written'}")
    return int(bool(stale) and options.check)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
