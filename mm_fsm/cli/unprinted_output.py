"""When standard output takes no more: a reader that has left, a disk that is full, a caller that closed it."""

from __future__ import annotations

import os
import sys


def unprinted(error: OSError) -> str:
    """What to say of output that a full disk or the like refused."""
    return f"the result could not be printed: {error.strerror}. Make room, or print elsewhere."


def print_no_more() -> None:
    """What is still buffered goes nowhere, so that the interpreter's last flush cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def reopen_what_is_closed() -> None:
    """Give this process the standard streams that its caller closed; call it before any file is opened.

    A file that is opened while descriptor 1 is free becomes standard output, and what is printed would go into it: into
    a journal, say. Output that was closed refuses what is printed, as a full disk does; messages go nowhere.
    """
    for number, access in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, access)  # the lowest number that is free: this one
    # The streams of closed descriptors are None, whatever type checkers know of them.
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8")
