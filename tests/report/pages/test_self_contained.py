"""What every page keeps: all inside, nothing asked for, and no text that becomes code."""

from __future__ import annotations

import base64
import hashlib
import html
import importlib.metadata
import json
import re
import tomllib
from importlib.resources import files

import pytest

from mm_fsm.report.pages import self_contained_page
from mm_fsm.report.pages.self_contained import data_text

pytestmark = pytest.mark.smoke

VENDOR = files("mm_fsm.report.pages").joinpath("vendor", "uplot")
HOSTILE = "</script><script>alert(1)</script><!--<script>\u2028]]>&amp;'\""


def page(**more: object) -> str:
    return self_contained_page("base.html.jinja", title="A page", **more)  # type: ignore[arg-type]


def policy_of(text: str) -> dict[str, str]:
    found = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
    assert found is not None
    rules = [rule.split(" ", 1) for rule in html.unescape(found[1]).split("; ")]
    return dict(rules)


def test_only_what_is_inside_may_run_and_nothing_may_be_asked_for() -> None:
    """The hashes of the policy are those of the elements, computed here by the standard's rule, in their order."""
    text = page(has_timelines=True)
    policy = policy_of(text)
    for kind, rule in (("script", "script-src"), ("style", "style-src")):
        bodies = re.findall(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        hashes = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies]
        assert len(hashes) >= 2
        assert policy[rule] == " ".join(f"'sha256-{one}'" for one in hashes)
    assert policy["default-src"] == policy["connect-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["img-src"] == "data:"


def test_a_page_that_asks_its_own_server_may_ask_no_other() -> None:
    assert policy_of(page(asks_own_server=True))["connect-src"] == "'self'"


def test_no_address_is_fetched() -> None:
    """Addresses may be named in a comment of a library; no element and no style leads there."""
    text = page(has_timelines=True)
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', text) == []
    assert "@import" not in text
    assert "url(" not in text


@pytest.mark.parametrize("place", ["data", "title"])
def test_no_text_ends_its_element(place: str) -> None:
    hostile = {"data": {"name": [HOSTILE]}} if place == "data" else {}
    text = self_contained_page("base.html.jinja", title=HOSTILE if place == "title" else "A page", **hostile)  # type: ignore[arg-type]
    assert len(re.findall("<script", text)) == 2
    assert "alert(1)</script>" not in text
    assert "<!--" not in text


def test_data_are_read_as_they_were_given() -> None:
    given = {"text": HOSTILE, "number": 0.1, "list": [1, None, True], "exact": "0.10"}
    text = data_text(given)
    assert json.loads(text) == given
    assert not {"<", ">", "&", "\u2028"} & set(text)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_is_refused(number: float) -> None:
    """A browser would refuse the whole page's data otherwise."""
    with pytest.raises(ValueError, match="JSON compliant"):
        page(data={"figure": number})


@pytest.mark.parametrize("name", ["LICENSE", "dist/uPlot.iife.min.js", "dist/uPlot.min.css"])
def test_what_is_shipped_of_others_is_unchanged(name: str) -> None:
    provenance = tomllib.loads(VENDOR.joinpath("provenance.toml").read_text(encoding="utf-8"))
    shipped = VENDOR.joinpath(name.removeprefix("dist/")).read_bytes()
    assert hashlib.sha256(shipped).hexdigest() == provenance["files"][name]


def test_what_is_shipped_of_others_says_its_version_and_licence() -> None:
    provenance = tomllib.loads(VENDOR.joinpath("provenance.toml").read_text(encoding="utf-8"))
    assert f"(v{provenance['version']})" in VENDOR.joinpath("uPlot.iife.min.js").read_text(encoding="utf-8")[:80]
    assert "Permission is hereby granted, free of charge" in VENDOR.joinpath("LICENSE").read_text(encoding="utf-8")
    assert {entry.name for entry in VENDOR.iterdir()} - {"provenance.toml"} == {
        name.removeprefix("dist/") for name in provenance["files"]
    }


def luminance(color: str) -> float:
    """Relative luminance of ``#rrggbb``, as WCAG 2.2 defines it."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "muted", "link", "bid", "ask", "gain", "loss", "warn"])
def test_text_stands_out_from_what_is_behind_it(scheme: str, name: str) -> None:
    """A ratio of 4.5 at least: WCAG 2.2, level AA, on the page and on what is raised from it."""
    style = files("mm_fsm.report.pages").joinpath("page.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colors = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light if scheme == "light" else dark))
    for ground in ("paper", "raised"):
        darker, lighter = sorted(luminance(colors[each]) for each in (name, ground))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, ground


def test_the_wheel_names_both_licences() -> None:
    """Where it is installed from a wheel, its metadata have the text of each."""
    metadata = importlib.metadata.metadata("mm-fsm")
    assert {"LICENSE", "mm_fsm/report/pages/vendor/uplot/LICENSE"} <= set(metadata.get_all("License-File") or ())
