"""Files that a command writes at its end: whether they can be written is asked before its work, which takes long."""

from __future__ import annotations

from pathlib import Path

from mm_fsm.errors import OptionError


def require_writable(option: str, path: Path) -> None:
    """Try a file that will be written, and leave it as it is.

    Args:
        option: what named the file, for errors.
        path: the file; it need not be there.

    Raises:
        OptionError: it cannot be written.
    """
    is_new = not path.exists()
    try:
        path.open("ab").close()
        if is_new:
            path.unlink()
    except OSError as error:
        found = f"{path}: {error.strerror or error}"
        raise OptionError(option, "a file that can be written", found, "Name another.") from None
