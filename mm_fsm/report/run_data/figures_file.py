"""``report.json``: the figures of a run on disk, and back."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

import cattrs

from mm_fsm.errors import FileError
from mm_fsm.report.figures import RunFigures
from mm_fsm.report.figures.whole_run import FORMAT

FIGURES_FILE: Final = "report.json"
PAGE_FILE: Final = "report.html"


def write_figures(directory: Path, figures: RunFigures) -> Path:
    """Write ``report.json``, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    path = directory / FIGURES_FILE
    text = json.dumps(figures.entry(), separators=(",", ":"), ensure_ascii=False, allow_nan=False) + "\n"
    replace_text(path, text)
    return path


def replace_text(path: Path, text: str) -> None:
    """Write a file so that who reads it meanwhile finds the old one or the new one.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.part")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def read_figures(directory: Path) -> RunFigures | None:
    """The figures that a run has left; None where there are none, or an earlier version's.

    Raises:
        FileError: the file is damaged.
    """
    path = directory / FIGURES_FILE
    remedy = "Remove it: mm-fsm report makes it again from the journal."
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as failure:
        raise FileError(str(path), "the figures of a run", failure.strerror or str(failure), remedy) from None
    except ValueError as failure:
        raise FileError(str(path), "figures in JSON", str(failure), remedy) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return None
    try:
        return _CONVERTER.structure(content, RunFigures)
    except (cattrs.BaseValidationError, ValueError, TypeError, KeyError, InvalidOperation) as failure:
        raise FileError(str(path), "the figures of this version of mm-fsm", str(failure), remedy) from None


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter()
    converter.register_structure_hook(Decimal, lambda value, _: Decimal(value))
    converter.register_structure_hook(Any, lambda value, _: value)
    return converter


_CONVERTER: Final = _converter()
