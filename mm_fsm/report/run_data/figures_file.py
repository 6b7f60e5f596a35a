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
_MOST_FIELDS: Final = 3
"""That a refusal names."""


class UnusableFiguresError(FileError):
    """The figures that a run left are damaged, or another version's. A journal makes them anew."""


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
    """The figures that a run has left; None where there are none.

    Raises:
        UnusableFiguresError: they are damaged, or of another format.
        FileError: the file cannot be read.
    """
    path = directory / FIGURES_FILE
    remedy = "A journal makes them anew; without one, read them with the version that wrote them, or run it again."
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as failure:
        found = failure.strerror or str(failure)
        raise FileError(str(path), "the figures of a run", found, "Make the file readable.") from None
    except ValueError as failure:
        raise UnusableFiguresError(str(path), "figures in JSON", str(failure), remedy) from None
    expected = f"figures of format {FORMAT}"
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UnusableFiguresError(str(path), expected, _origin(content), remedy)
    try:
        return _CONVERTER.structure(content, RunFigures)
    except (cattrs.BaseValidationError, ValueError, TypeError, KeyError, InvalidOperation) as failure:
        wrong = cattrs.transform_error(failure)  # each names its field, such as $.markets[0].profit.net
        more = f"; and {len(wrong) - _MOST_FIELDS} more" if len(wrong) > _MOST_FIELDS else ""
        raise UnusableFiguresError(str(path), expected, "; ".join(wrong[:_MOST_FIELDS]) + more, remedy) from None


def _origin(content: object) -> str:
    """The format of what was found, and the version that wrote it, as far as it says so."""
    if not isinstance(content, dict):
        return type(content).__name__
    reproduction = content.get("reproduction")
    versions = reproduction.get("versions") if isinstance(reproduction, dict) else None
    version = versions.get("mm-fsm") if isinstance(versions, dict) else None
    return f"format {content.get('format', 'not said')} of mm-fsm {version or 'of a version not said'}"


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter()
    converter.register_structure_hook(Decimal, lambda value, _: Decimal(value))
    converter.register_structure_hook(Any, lambda value, _: value)
    return converter


_CONVERTER: Final = _converter()
