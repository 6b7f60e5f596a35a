"""Pictures: drawn by pygraphviz or by a dot program, marked with what they were drawn from, or a readable refusal."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from mm_fsm.diagram import DiagramError, DrawableChart, PictureFormat, digest_in_svg, dot_source, picture
from mm_fsm.diagram.pictures import dot_digest_in_svg

ROOT = Path(__file__).resolve().parents[2]


def without_pygraphviz(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Make pygraphviz impossible to import, and leave ``path`` as the only place for programs."""
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", str(path))


def test_who_does_not_draw_does_not_pay() -> None:
    """Importing the package loads neither Graphviz library."""
    script = "import sys, mm_fsm.diagram; print(sorted({'graphviz', 'pygraphviz'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout.strip() == "[]"


def put_dot_program(directory: Path, script: str) -> None:
    program = directory / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("form", "magic"),
    [(PictureFormat.PNG, b"\x89PNG\r\n\x1a\n"), (PictureFormat.PDF, b"%PDF-"), (PictureFormat.SVG, b"<?xml")],
)
def test_every_format_is_what_it_says(three: DrawableChart, form: PictureFormat, magic: bytes) -> None:
    """The first bytes are those that each format's specification demands."""
    assert picture(three.definition, form).startswith(magic)


def test_a_png_is_sharp(three: DrawableChart) -> None:
    """144 dots per inch: the PNG is as many pixels wide as twice the SVG's points, give or take a pixel."""
    png = picture(three.definition, PictureFormat.PNG)
    root = ET.fromstring(picture(three.definition, PictureFormat.SVG).decode())
    assert int.from_bytes(png[16:20], "big") == pytest.approx(2 * float(root.attrib["width"].removesuffix("pt")), abs=2)


def test_an_svg_says_what_it_was_drawn_from(three: DrawableChart) -> None:
    svg = picture(three.definition, PictureFormat.SVG).decode()
    assert f"<!-- mm-fsm definition sha256: {three.definition.digest} -->" in svg
    assert digest_in_svg(svg) == three.definition.digest
    assert dot_digest_in_svg(svg) == hashlib.sha256(dot_source(three.definition).encode()).hexdigest()


def test_a_foreign_svg_carries_no_digest() -> None:
    assert digest_in_svg("<svg><!-- sha256: abc --></svg>") is None


def test_without_anything_to_draw_with_the_extra_is_named(
    three: DrawableChart, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_pygraphviz(monkeypatch, tmp_path)
    with pytest.raises(DiagramError, match=r'found neither\. Install the extra: pip install "mm-fsm\[pictures\]"'):
        picture(three.definition, PictureFormat.SVG)


def test_a_dot_program_serves_instead(three: DrawableChart, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The program gets the DOT text on its input and the format as an argument; its picture is marked like any."""
    put_dot_program(tmp_path, 'read first; while read line; do :; done; echo "<svg>$2 $first</svg>"')
    without_pygraphviz(monkeypatch, tmp_path)
    svg = picture(three.definition, PictureFormat.SVG).decode()
    assert f"<svg>-Tsvg // mm-fsm definition sha256: {three.definition.digest}</svg>" in svg
    assert digest_in_svg(svg) == three.definition.digest


def test_a_failing_dot_program_is_quoted(three: DrawableChart, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put_dot_program(tmp_path, "while read line; do :; done; echo no fonts >&2; exit 3")
    without_pygraphviz(monkeypatch, tmp_path)
    with pytest.raises(DiagramError, match="could not draw the PNG: expected a picture, found 'no fonts'"):
        picture(three.definition, PictureFormat.PNG)
