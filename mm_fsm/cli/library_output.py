"""Keeps what libraries in C write to standard error by themselves, such as warnings about fonts, away from people."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def library_output_hidden() -> Iterator[None]:
    """Send the process's file descriptor 2 elsewhere meanwhile; what Python raises is raised as ever."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as elsewhere:
        kept = os.dup(2)
        try:
            os.dup2(elsewhere.fileno(), 2)
            yield
        finally:
            with suppress(ValueError):
                sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
