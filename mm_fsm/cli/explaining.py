"""Why a side is as it is, worked out beside a run: in a process of its own, for which trading never waits.

The process gets what the run's machine was captured as, through a pipe, and answers through another. It belongs to no
terminal, so Ctrl-C does not reach it, and it gives way to everything else that wants the processor.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from threading import Thread
from time import perf_counter
from typing import Any, Final

from mm_fsm.report.why.answers import Answer
from mm_fsm.report.why.last_steps import CapturedSteps, explain_last_step

_NICENESS: Final = 10


class Explanation:
    """An answer that is on its way.

    Args:
        symbol: the market.
        captured: what its machine remembers, and its latest facts.
    """

    def __init__(self, symbol: str, captured: CapturedSteps) -> None:
        self.symbol: Final = symbol
        self.answers: Sequence[Answer] | None = None
        """One for each side; None until they are there."""
        self.problem = ""
        """Why there will be none."""
        self._began = perf_counter()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False
        Thread(target=self._work, args=(captured,), daemon=True, name="explanation").start()

    @property
    def elapsed(self) -> float:
        """Seconds since it was asked for."""
        return perf_counter() - self._began

    def close(self) -> None:
        """Nobody waits for it any more."""
        self._is_closed = True
        if self._process is not None:
            self._process.kill()

    def _work(self, captured: CapturedSteps) -> None:
        try:
            content = pickle.dumps(captured)
            with _explainer() as process:
                self._process = process
                if self._is_closed:
                    process.kill()
                output, errors = process.communicate(content)
            if process.returncode:
                self.problem = _last_line(errors) or f"its process ended with status {process.returncode}"
                return
            self.answers = pickle.loads(output)  # noqa: S301 - our own process wrote it
        except Exception as error:  # noqa: BLE001 - a machine of a user's own may not be captured: it only has no answer
            self.problem = repr(error)


def _explainer() -> subprocess.Popen[Any]:
    """A process that finds every module that this one finds, a user's own machine among them."""
    return subprocess.Popen(  # noqa: S603 - this very module
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)},
        start_new_session=True,
    )


def _last_line(errors: bytes) -> str:
    return next(reversed(errors.decode(errors="replace").strip().splitlines()), "")


def main() -> None:
    """Read what was captured, answer, and end."""
    os.nice(_NICENESS)
    captured: CapturedSteps = pickle.load(sys.stdin.buffer)  # noqa: S301 - the run that asks wrote it
    sys.stdout.buffer.write(pickle.dumps(explain_last_step(captured)))


if __name__ == "__main__":
    main()
