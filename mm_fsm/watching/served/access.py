"""The token that pause, resume and stop need: made for one process, or read from a file that only its owner may read.

It is compared in constant time, comes in the header ``Authorization`` alone, and stands in no log, page or error.
"""

from __future__ import annotations

import hmac
import os
import stat
from pathlib import Path
from secrets import token_urlsafe
from typing import Final

from attrs import field, frozen

from mm_fsm.errors import FileError
from mm_fsm.runtime.loopback_server import Request

SHORTEST: Final = 20
"""Characters of a token from a file: nobody guesses that."""
LONGEST: Final = 200
_BYTES: Final = 32
_SCHEME: Final = "bearer "
_REMEDY: Final = "Make one: (umask 077; openssl rand -hex 32 > FILE)."


@frozen
class Access:
    """Who may do more than look.

    Args:
        token: what must come with a request; it is in no ``repr``.
    """

    token: str = field(repr=False)

    @classmethod
    def fresh(cls) -> Access:
        """A token that nobody has seen."""
        return cls(token_urlsafe(_BYTES))

    @classmethod
    def from_file(cls, path: Path) -> Access:
        """The token that a file holds.

        Raises:
            FileError: it cannot be read, others may read it, or it holds no token. Its content is never told.
        """
        try:
            with path.open("rb") as file:
                found = os.fstat(file.fileno())
                _refuse_shared(path, found)
                text = file.read(LONGEST + 2)
        except OSError as error:
            raise FileError(str(path), "a token file", error.strerror or str(error), _REMEDY) from None
        token = text.decode("ascii", "replace").strip()
        if not (SHORTEST <= len(token) <= LONGEST and token.isascii() and token.isprintable() and " " not in token):
            expected = f"{SHORTEST} to {LONGEST} printable ASCII characters without spaces"
            raise FileError(str(path), expected, f"{len(token)} characters that are not", _REMEDY)
        return cls(token)

    def admits(self, request: Request) -> bool:
        """Whether a request brings the token. It takes as long whatever the request brings."""
        given = request.headers.get("authorization", "")
        has_scheme = given[: len(_SCHEME)].lower() == _SCHEME
        is_right = hmac.compare_digest(given[len(_SCHEME) :].encode(), self.token.encode())
        return has_scheme and is_right


def _refuse_shared(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise FileError(str(path), "a regular file", "something else", _REMEDY)
    if found.st_uid != os.geteuid():
        raise FileError(str(path), "a file of yours", f"user {found.st_uid}'s", _REMEDY)
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        raise FileError(str(path), "a file that only its owner may read", f"mode {mode:o}", f"Run chmod 600 {path}.")
