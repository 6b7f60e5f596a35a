"""What every peer is started with and what it answers; nothing but the standard library, for any environment.

A peer's process takes one JSON object as its only argument (``Job``) and prints one as its last line (``answer``).
Seconds are processor time of the whole process, threads included.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GEMINI, BINANCE = "gemini", "binance"
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class Job:
    """One run of one peer.

    Attributes:
        recording: ``gemini`` or ``binance``.
        files: the recorded files.
        policy: the numbers of the policy, by name: bps, quote currency, base units, seconds.
        until: exchange time of the last event to take, nanoseconds; None for all.
        events: how many events that time stands for, asked of the first peer only.
        scratch: a directory for what a peer converts.
    """

    recording: str
    files: list[Path]
    policy: dict[str, Any]
    until: int | None
    events: int | None
    scratch: Path

    @property
    def end(self) -> float:
        """The last time to take."""
        return math.inf if self.until is None else self.until


def job() -> Job:
    """The job of this process."""
    given = json.loads(sys.argv[1])
    return Job(**{**given, "files": [Path(each) for each in given["files"]], "scratch": Path(given["scratch"])})


class Stages:
    """Processor seconds of the stages of a process; made after the imports, which are the first stage."""

    def __init__(self) -> None:
        self._at = time.process_time()
        self.seconds = {"start_and_imports": self._at}

    def end(self, stage: str) -> None:
        """What was worked since the last stage belongs to this one."""
        now = time.process_time()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._at
        self._at = now


def answer(stages: Stages, **figures: Any) -> None:
    """Print what was measured."""
    print(json.dumps({"python": sys.version.split()[0], "seconds": stages.seconds, **figures}))


def gemini_rows(job: Job) -> Iterator[tuple[int, bool, dict[str, str]]]:
    """Exchange time, whether it is a trade, and the row of every quote and trade; file by file."""
    for path in job.files:
        is_trade = "trades" in path.name
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                time_ns = int(row["timestamp"]) * 1000
                if time_ns <= job.end:
                    yield time_ns, is_trade, row


def binance_messages(job: Job, kinds: tuple[str, ...]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Exchange time, kind and content of every message of these kinds; ``snapshot`` is the depth snapshot."""
    marks = tuple(f'"e":"{kind}"' for kind in kinds)
    for path in job.files:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                if "lastUpdateId" in line[:80]:
                    if "snapshot" in kinds:
                        yield 0, "snapshot", json.loads(line.partition(" ")[2])
                elif any(mark in line[:120] for mark in marks):
                    data = json.loads(line.partition(" ")[2])["data"]
                    time_ns = data["T"] * 1_000_000
                    if time_ns <= job.end and data.get("X", "MARKET") == "MARKET":
                        yield time_ns, data["e"], data
