"""A real browser for tests of pages: any request that leaves the page, console message or error of a page is a failure.

It is the distribution's Chromium, driven by playwright. Where either is missing, the tests skip and say so.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from attrs import define, field

CHROMIUM_VARIABLE = "MM_FSM_CHROMIUM"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
OpenPage = Callable[..., Any]


def chromium() -> str | None:
    """The program that MM_FSM_CHROMIUM names, else the one on PATH."""
    named = os.environ.get(CHROMIUM_VARIABLE)
    return named or next((found for name in _NAMES if (found := shutil.which(name))), None)


@contextmanager
def launched() -> Iterator[Any]:
    """The browser that ``chromium`` found, running."""
    from playwright.sync_api import sync_playwright

    # Inside a container its own sandbox cannot be set up by root; what it opens here is made by these tests.
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium(), args=arguments)
        try:
            yield running
        finally:
            running.close()


@define(eq=False, slots=False)  # playwright keeps attributes of its own at what listens to it
class Watch:
    """What a page did that no page may do."""

    origin: str
    """Address of the page."""
    expected: tuple[str, ...] = ()
    """Parts of lines that are no problem here."""
    problems: list[str] = field(factory=list)

    def on_request(self, request: Any) -> None:
        """Note a request to anywhere but where the page came from; a page in a file asks for itself only."""
        is_file = urlsplit(self.origin).scheme == "file"
        home = _document if is_file else _server
        if not request.url.startswith("data:") and home(request.url) != home(self.origin):
            self._add(f"the page asked for {request.url}")

    def on_console(self, message: Any) -> None:
        """Note what the page, or the browser about it, wrote to the console."""
        if message.type in {"error", "warning", "assert"}:
            self._add(f"console {message.type}: {message.text}")

    def on_error(self, error: Any) -> None:
        """Note an exception that nothing in the page caught."""
        self._add(f"page error: {error}")

    def _add(self, problem: str) -> None:
        if not any(part in problem for part in self.expected):
            self.problems.append(problem)


def _document(url: str) -> str:
    return url.split("#", maxsplit=1)[0]


def _server(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for the tests of a module, closed when they are through."""
    pytest.importorskip("playwright.sync_api", reason='needs playwright: pip install "mm-fsm[browser]"')
    if chromium() is None:
        pytest.skip(f"needs Chromium: install your distribution's, or name the program in {CHROMIUM_VARIABLE}")
    with launched() as running:
        yield running


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[OpenPage]:
    """Opens a page by its text, file or loopback address: ``open_page(where, width=1280, height=800, dark=False)``.

    The test fails at its end if any page asked for anything elsewhere, wrote an error or warning to the console, or
    raised an error. ``allowed`` are parts of such lines that the test expects.
    """
    contexts: list[Any] = []
    watches: list[Watch] = []

    def show(
        where: str | Path, *, width: int = 1280, height: int = 800, dark: bool = False, allowed: tuple[str, ...] = ()
    ) -> Any:
        if isinstance(where, str) and where.lstrip().startswith("<"):
            path = tmp_path / f"page-{len(contexts)}.html"
            path.write_text(where, encoding="utf-8")
            where = path
        url = where.resolve().as_uri() if isinstance(where, Path) else where
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        page, watch = context.new_page(), Watch(url, allowed)
        watches.append(watch)
        page.on("request", watch.on_request)
        page.on("console", watch.on_console)
        page.on("pageerror", watch.on_error)
        page.goto(url, wait_until="load")
        return page

    yield show
    for context in contexts:
        context.close()
    assert [problem for watch in watches for problem in watch.problems] == []


def scrolls_sideways(page: Any) -> bool:
    """Whether the page as a whole is wider than the window; parts may scroll in frames of their own."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def wider_than_the_page(page: Any) -> list[str]:
    """Elements that reach beyond the window without a frame that scrolls them, for people to find them by."""
    found = page.evaluate(
        """() => [...document.body.querySelectorAll("*")].filter((one) => {
             if (one.closest(".scroll, .map, .contents, svg, .visually-hidden")) return false;
             return one.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5;
           }).map((one) => one.tagName + "." + one.className)"""
    )
    return [str(one) for one in found]
