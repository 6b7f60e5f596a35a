"""The exchange's log as a file of JSON lines, written as things happen and read again by who judges later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Final, TextIO

import attrs
import cattrs

from mm_fsm.errors import RecordingError
from mm_fsm.testing.rehearsal import judge
from mm_fsm.testing.rehearsal.judge import LogEntry, RehearsalLog

_KIND: Final = "entry"
_KINDS: Final[Mapping[str, type[LogEntry]]] = {
    kind.__name__: kind
    for kind in vars(judge).values()
    if isinstance(kind, type) and issubclass(kind, LogEntry) and kind is not LogEntry
}

_converter: Final = cattrs.Converter()
_converter.register_structure_hook(Decimal, lambda value, _: Decimal(value))


class LogFile:
    """Writes each entry on a line of its own, at once, so that the file is whole whenever the exchange dies."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, entry: LogEntry) -> None:
        """Add an entry."""
        values = attrs.asdict(entry, value_serializer=_plain)
        self._file.write(json.dumps({_KIND: type(entry).__name__, **values}) + "\n")
        self._file.flush()


def read_log(path: Path) -> RehearsalLog:
    """The log that was written to a file; a last line that was cut short is left out.

    Raises:
        RecordingError: a line is no entry.
    """
    log = RehearsalLog(lambda: 0)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        if not line.endswith("\n"):
            break
        try:
            values = json.loads(line)
            log.write(_converter.structure(values, _KINDS[values.pop(_KIND)]))
        except (ValueError, TypeError, KeyError, cattrs.BaseValidationError) as error:
            raise RecordingError(path.name, number, "expected an entry of a rehearsal's log.", "Restore it.") from error
    return log


def _plain(_instance: Any, _field: Any, value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.value if isinstance(value, Enum) else value
