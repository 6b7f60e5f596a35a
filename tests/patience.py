"""How long a test waits for what must come. It measures nothing: a busy machine may take as long as it likes.

What must not come is never waited for, and no test asserts that something was quick: a benchmark does.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Final

PATIENCE: Final = 200.0
"""Seconds. Only what hangs takes so long; less than the suite's own limit for a test, so that a test says what hung."""
_BETWEEN_LOOKS: Final = 0.02


def until(holds: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    """Wait for something that another process or thread does; ``process`` must live meanwhile."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it never came true"
        time.sleep(_BETWEEN_LOOKS)
