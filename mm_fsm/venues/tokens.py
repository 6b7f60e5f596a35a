"""Parts of client order ids that no other process makes."""

from __future__ import annotations

import os
from typing import Final

TOKEN_LENGTH: Final = 6
_LETTERS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def random_token() -> str:
    """Six letters and digits from the operating system's randomness: the same again once in two thousand million."""
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in os.urandom(TOKEN_LENGTH))
