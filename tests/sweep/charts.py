"""Draws and watches every chart class of python-statemachine's own tests, and prints what was found.

python tests/sweep/charts.py [EVERY]
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.sweep.source import fetch

WORKER = Path(__file__).with_name("foreign_charts.py")


def results_of(directory: Path, every: int = 1) -> Iterator[dict[str, Any]]:
    """What became of each chart, in a process of its own: its tests and ours are packages of one name.

    Raises:
        RuntimeError: the process ended with an error of its own.
    """
    command = [sys.executable, str(WORKER), str(directory), str(every)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=directory) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        marker = "RESULT "
        yield from (json.loads(line.removeprefix(marker)) for line in process.stdout if line.startswith(marker))
        errors = process.stderr.read()
    if process.returncode:
        raise RuntimeError(f"expected the sweep to end well, found exit code {process.returncode}: {errors}")


def main() -> int:
    """Print counts, reasons and problems; 1 when there is a problem."""
    every = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    results = list(results_of(fetch(), every))
    charts = [result for result in results if "nested" in result]
    walked = [result for result in charts if result["walked"]]
    print(f"{len(results)} named, {len(charts)} charts, {sum(chart['nested'] for chart in charts)} of them nested")
    print(f"{len(walked)} walked, {sum(result['walked'] for result in walked)} transitions counted alike")
    for reason, count in Counter(result["reason"].partition(":")[0] for result in results).most_common():
        if reason:
            print(f"  {count:4} {reason}")
    problems = [(result["name"], problem) for result in results for problem in result["problems"]]
    for name, problem in problems:
        print(f"PROBLEM {name}: {problem}")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
