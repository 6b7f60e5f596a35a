"""When standard output takes no more: a reader that has left, or a disk that is full."""

from __future__ import annotations

import os


def unprinted(error: OSError) -> str:
    """What to say of output that a full disk or the like refused."""
    return f"the result could not be printed: {error.strerror}. Make room, or print elsewhere."


def print_no_more() -> None:
    """What is still buffered goes nowhere, so that the interpreter's last flush cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
