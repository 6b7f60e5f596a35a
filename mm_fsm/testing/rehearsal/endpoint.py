"""How a client finds a rehearsal exchange: port, test authority, key. It can be written to a file and read again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from attrs import asdict, field, frozen

from mm_fsm.errors import SettingsError, VariableError

VARIABLE: Final = "MM_FSM_REHEARSAL"
"""Environment variable that names the file."""


@frozen(kw_only=True)
class Endpoint:
    """Where a rehearsal exchange is. Its key opens nothing else."""

    port: int
    """On 127.0.0.1."""
    authority: str
    """The test authority's certificate, PEM."""
    api_key: str
    secret: str = field(repr=False)

    def save(self, path: Path) -> None:
        """Write it to a file that only its owner may read."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Endpoint:
        """Read a file that ``save`` has written.

        Raises:
            SettingsError: it is not there, or no such file.
        """
        remedy = "Start mm-fsm rehearse, and name the file that it writes."
        try:
            values: Any = json.loads(path.read_text(encoding="utf-8"))
            return cls(**values)
        except (OSError, ValueError, TypeError) as error:
            raise SettingsError("rehearsal", "a file that mm-fsm rehearse wrote", path.name, remedy) from error

    @classmethod
    def from_environment(cls) -> Endpoint:
        """Read the file that the environment variable MM_FSM_REHEARSAL names.

        Raises:
            SettingsError: the variable is not set, or its file cannot be read.
        """
        path = os.environ.get(VARIABLE)
        if not path:
            remedy = "mm-fsm rehearse prints the line that sets it."
            raise VariableError(VARIABLE, "the name of a file that mm-fsm rehearse wrote", "not set", remedy)
        return cls.load(Path(path))
