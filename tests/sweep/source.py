"""The source distribution of python-statemachine, with its own tests, at the version that is installed.

It is fetched from the package index once, by ``python tests/sweep/source.py``, which setting up the environment calls,
into a directory that git ignores. Tests fetch nothing.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache"
VERSION = version("python-statemachine")
DIRECTORY = CACHE / f"python_statemachine-{VERSION}"


def fetch() -> Path:
    """The directory of the unpacked distribution, fetched where it is not there.

    Raises:
        RuntimeError: the index cannot be reached, or has no source distribution.
    """
    if DIRECTORY.is_dir():
        return DIRECTORY
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--no-binary", ":all:", "--no-build-isolation", "--dest", directory]
        done = subprocess.run(
            [*command, f"python-statemachine=={VERSION}"], check=False, capture_output=True, text=True
        )
        archives = list(Path(directory).glob("*.tar.gz"))
        if not archives:
            raise RuntimeError(f"python-statemachine {VERSION}: expected a source distribution, found: {done.stderr}")
        CACHE.mkdir(exist_ok=True)
        with tarfile.open(archives[0]) as archive:
            archive.extractall(CACHE, filter="data")
    return DIRECTORY


if __name__ == "__main__":
    try:
        fetch()
    except RuntimeError as error:
        print(f"not fetched, tests that need it are skipped: {error}", file=sys.stderr)
