"""``new``: a directory to begin a strategy of one's own in, with tests that pass from the first minute."""

from __future__ import annotations

import keyword
import sys
from collections.abc import Mapping
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Final

from mm_fsm.cli.consoles import print_message, result_console
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.errors import FileError, OptionError

_TEMPLATES: Final[Mapping[str, str]] = {
    "$name.py": "machine.py.txt",
    "test_$name.py": "test_machine.py.txt",
    "settings.toml": "settings.toml.txt",
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
}
"""The files that are made, and what each is made from."""


def run_new(name: str, directory: Path | None) -> int:
    """Write the files of a strategy called ``name``; the exit status.

    Raises:
        OptionError: the name is no name for a module of one's own, or a directory of that name is there.
        FileError: a file is there already, or cannot be written.
    """
    place = Path(name) if directory is None else directory
    _check_name(name, place)
    class_name = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    words = {"name": name, "class_name": class_name}
    contents = {
        place / Template(file).substitute(words): Template(_template(source)).substitute(words)
        for file, source in _TEMPLATES.items()
    }
    _write(contents)
    console = result_console()
    for path in contents:
        console.print(str(path), soft_wrap=True, markup=False)
    machine = f"{name}:{class_name}"
    install = "" if find_spec("pytest") is not None else "pip install 'mm-fsm[test]'; "
    print_message(
        f"now: {install}cd {place}; python -m pytest\n"
        f"then: mm-fsm run settings.toml --machine {machine}; mm-fsm diagram {machine}\n"
        "by name, after pip install -e . there: see its README.md",
        style="dim",
    )
    return ExitCode.SUCCESS


def _check_name(name: str, place: Path) -> None:
    if not name.isidentifier() or keyword.iskeyword(name) or not name.isascii() or not name.strip("_"):
        remedy = "Write letters, digits and underscores, such as my_maker."
        raise OptionError("NAME", "a name for a Python module", name, remedy)
    if place == Path(name) and place.is_dir() and any(place.iterdir()):
        remedy = "choose another name, or remove it"
        words = f"the directory {place} is there already: {remedy}"
        raise OptionError("NAME", "a directory that is not there yet", name, remedy, words=words)
    is_pytests_own = name == "conftest" or name.startswith("test_")
    if is_pytests_own or name in sys.stdlib_module_names or find_spec(name) is not None:
        raise OptionError("NAME", "a name that no module has yet, and no test", name, "Choose another one.")


def _template(source: str) -> str:
    return (files("mm_fsm.cli") / "templates" / source).read_text(encoding="utf-8")


def _write(contents: Mapping[Path, str]) -> None:
    """Write every file, or none if one is there already."""
    for path in contents:
        if path.exists() or path.is_symlink():
            remedy = "Nothing was written. Choose another name or directory, or move the file."
            raise FileError(str(path), "no such file yet", "one", remedy)
    for path, content in contents.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(content)
        except OSError as failure:
            found = failure.strerror or str(failure)
            raise FileError(str(path), "a file that can be written", found, "Name another directory.") from None
