"""One HTML page with all that it needs inside: nothing is loaded from anywhere, and no text in it becomes code."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jinja2 import Environment

HOME: Final = "mm_fsm.report.pages"
"""The package with what all pages share."""

_STYLES: Final = ("page.css",)
_SCRIPTS: Final = ("page.js",)
_TIMELINE_STYLES: Final = ("vendor/uplot/uPlot.min.css",)
_TIMELINE_SCRIPTS: Final = ("vendor/uplot/uPlot.iife.min.js", "timeline.js")

_ESCAPES: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
"""What could end a script element, as JSON writes it otherwise. All else that is not ASCII is escaped anyway."""


def self_contained_page(
    template: str,
    *,
    title: str,
    data: Any = None,
    home: str = HOME,
    styles: Iterable[str] = (),
    scripts: Iterable[str] = (),
    has_timelines: bool = False,
    asks_own_server: bool = False,
    **shown: Any,
) -> str:
    """The page that ``template`` makes of ``shown``, which is escaped wherever the template writes it.

    Its Content-Security-Policy lets exactly the scripts and styles run that are inside, by their hashes: no other
    script, no attribute with code or style, and no request. Style comes from classes; scripts may set it.

    Args:
        template: name of a Jinja template in ``home`` that extends ``base.html.jinja``.
        title: of the document; plain text.
        data: what scripts read with ``pageData()``: anything that JSON has. Amounts are exact as texts.
        home: the package that has the template, and files of ``styles`` and ``scripts``.
        styles: names of style sheets after the shared one.
        scripts: names of scripts after the shared ones.
        has_timelines: whether uPlot and ``timeline.js`` are inside.
        asks_own_server: whether scripts may send requests to the address that the page came from.
        shown: names and values for the template.

    Raises:
        ValueError: the data have a number that is not finite, or a script or style would end its own element.
        TypeError: the data have what JSON does not know.
    """
    css = [_text(HOME, name) for name in (*_STYLES, *(_TIMELINE_STYLES if has_timelines else ()))]
    code = [_text(HOME, name) for name in (*_SCRIPTS, *(_TIMELINE_SCRIPTS if has_timelines else ()))]
    css += [_text(home, name) for name in styles]
    code += [_text(home, name) for name in scripts]
    page = _environment(home).get_template(template)
    return page.render(
        **shown,
        page_title=title,
        page_policy=_policy(css, code, asks_own_server=asks_own_server),
        page_styles=css,
        page_scripts=code,
        page_data=data_text(data),
    )


def _environment(home: str) -> Environment:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only a page needs it

    return Environment(
        autoescape=True,
        loader=ChoiceLoader([PackageLoader(home, ""), PackageLoader(HOME, "")]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )


def data_text(data: Any) -> str:
    """JSON that can stand in a script element: no text in it can end the element, or begin a comment.

    Raises:
        ValueError: a number is not finite.
        TypeError: there is something that JSON does not know.
    """
    return json.dumps(data, allow_nan=False, separators=(",", ":")).translate(_ESCAPES)


def _policy(styles: Iterable[str], scripts: Iterable[str], *, asks_own_server: bool) -> str:
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(map(_hash, scripts)),
        "style-src": " ".join(map(_hash, styles)),
        "img-src": "data:",
        "connect-src": "'self'" if asks_own_server else "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {allowed}" for name, allowed in rules.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _text(package: str, name: str) -> str:
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    for end in ("</script", "</style", "<!--"):
        if end in text.lower():
            raise ValueError(f"{package}, {name}: expected no {end!r}, which ends its element. Write it in two parts.")
    return text
