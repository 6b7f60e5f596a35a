"""How small recordings are written."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

WriteFile = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    """Write lines, each ended, to a file in a folder of the test's own; compressed where it is asked for."""

    def written(name: str, *lines: str, compress: bool = False) -> Path:
        path = tmp_path / name
        content = "".join(f"{line}\n" for line in lines).encode()
        path.write_bytes(gzip.compress(content) if compress else content)
        return path

    return written
