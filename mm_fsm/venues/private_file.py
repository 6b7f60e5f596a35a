"""Files that hold secrets: read only where nobody but the user who runs the program may read them."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from mm_fsm.errors import SettingsError

_READABLE_BY_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def private_text(path: Path, setting: str) -> str:
    """The text of a file that only its owner, this user, may read; ``setting`` is what names it.

    Raises:
        SettingsError: it cannot be read, or others may read it too. Nothing of the text is in the error.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())  # of the file that is read, whatever the path leads to later
            is_private = not status.st_mode & _READABLE_BY_OTHERS and status.st_uid == os.geteuid()
            content = file.read() if is_private else b""
    except OSError as error:
        found = error.strerror or "an error"
        raise SettingsError(setting, "a file that can be read", found, "Check the path.") from None
    if not is_private:
        found = f"mode {stat.S_IMODE(status.st_mode):o} of user {status.st_uid}"
        expected = "a file that only its owner, this user, may read"
        raise SettingsError(setting, expected, found, f"Run chmod 600 {path.name}, as the user who trades.")
    return content.decode("utf-8", "replace")
