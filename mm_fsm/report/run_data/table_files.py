"""Tables of a run on disk: rows are appended while it runs, and become Parquet at its end where pyarrow is installed.

Without pyarrow a table stays what it was written as: JSON lines, the first one with the names of the columns. Exact
decimals are texts in both, for no column type holds every one of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, Final

from attrs import define, field

from mm_fsm.report.exact import exact_text

ROWS_WAITING: Final = 256
"""Rows in memory before they are appended."""
ROWS_AT_ONCE: Final = 20_000
"""Rows in memory when a table becomes Parquet."""
_SUFFIX: Final = ".jsonl"
Types = Mapping[str, str]
"""Columns of a table with their types: ``int64``, ``float64``, ``string`` or ``bool``. Decimals are strings."""


@define(eq=False)
class TableFile:
    """One table of one market. A disk that takes no more loses the table, never the run.

    Args:
        directory: where it goes.
        name: of the file, without its suffix.
        types: its columns.
    """

    directory: Path
    name: str
    types: Types
    rows: int = field(init=False, default=0)
    failure: str | None = field(init=False, default=None)
    """Why it could not be written; nothing more is then."""
    _waiting: list[str] = field(init=False, factory=list)
    _has_begun: bool = field(init=False, default=False)

    @property
    def path(self) -> Path:
        """Where rows are appended."""
        return self.directory / f"{self.name}{_SUFFIX}"

    def add(self, values: Sequence[object]) -> None:
        """Append one row, in the order of the columns. Never raises for the disk's sake."""
        if self.failure is not None:
            return
        self._waiting.append(_line(values))
        self.rows += 1
        if len(self._waiting) >= ROWS_WAITING:
            self._write()

    def _write(self) -> None:
        """Append what waits: the file is open meanwhile only, so that nothing stays open where a run breaks off."""
        if self.failure is not None:
            return
        try:
            if not self._has_begun:
                self.directory.mkdir(parents=True, exist_ok=True)
                (self.directory / f"{self.name}.parquet").unlink(missing_ok=True)  # of an earlier report on this run
                self._waiting.insert(0, _line(tuple(self.types)))
            with self.path.open("a" if self._has_begun else "w", encoding="utf-8", newline="\n") as file:
                file.writelines(self._waiting)
            self._has_begun = True
        except OSError as error:
            self.failure = error.strerror or str(error)
        self._waiting.clear()

    def finish(self) -> Path | None:
        """Write the rest, and Parquet where that can be; where the table is, or None where it could not be written."""
        if self._waiting or not self._has_begun:
            self._write()
        if self.failure is not None:
            return None
        return to_parquet(self.path, self.types) if find_spec("pyarrow") is not None else self.path


def _line(values: Sequence[object]) -> str:
    return _encode(values) + "\n"


def _exact(value: object) -> str:
    if isinstance(value, Decimal):
        return exact_text(value)
    raise TypeError(f"a table's row: expected plain values and decimals, found {type(value).__name__}.")


_encode: Final = json.JSONEncoder(
    default=_exact, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode
"""Made once: a call of ``json.dumps`` with these options would make it for every row. Rows have no circle."""


def read_rows(path: Path) -> Iterator[list[Any]]:
    """The rows of a table in JSON lines, without the names of its columns."""
    with path.open(encoding="utf-8") as file:
        next(file, None)
        for line in file:
            yield json.loads(line)


def to_parquet(path: Path, types: Types) -> Path:
    """Make Parquet of a table in JSON lines, and take the latter away; it stays where Parquet cannot be written."""
    pa: Any = import_module("pyarrow")  # heavy, and not always installed
    parquet: Any = import_module("pyarrow.parquet")
    target, fresh = path.with_suffix(".parquet"), path.with_suffix(".parquet.part")
    makers = {"int64": pa.int64, "float64": pa.float64, "string": pa.string, "bool": pa.bool_}
    schema = pa.schema([(name, makers[kind]()) for name, kind in types.items()])
    try:
        with parquet.ParquetWriter(fresh, schema, compression="zstd") as writer:
            for rows in _chunks(read_rows(path)):
                columns = dict(zip(types, zip(*rows, strict=True), strict=True))
                writer.write_table(pa.table(columns, schema=schema))
        fresh.replace(target)
        path.unlink()
    except OSError:
        fresh.unlink(missing_ok=True)
        return path
    return target


def _chunks(rows: Iterable[list[Any]]) -> Iterator[list[list[Any]]]:
    left = iter(rows)
    while chunk := list(islice(left, ROWS_AT_ONCE)):
        yield chunk
