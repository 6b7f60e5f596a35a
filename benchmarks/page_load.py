"""How long a browser takes to show pages: from asking for the file until all that is in sight has been drawn.

Without a page given, an hour of the demonstration's markets is made first, and its report is opened. Each page is
opened in turns in a fresh context of the Chromium that is installed, so that nothing is cached.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.browser import chromium, launched

WIDTHS = (1280, 390)
"""Pixels: a desk's screen, and a phone's."""
DRAWN = """() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
  const [navigation] = performance.getEntriesByType("navigation");
  const bytes = navigation.decodedBodySize || new TextEncoder().encode(document.documentElement.outerHTML).length;
  resolve({ loaded: navigation.loadEventEnd, drawn: performance.now(), bytes });
})))"""
"""Milliseconds since the page was asked for: its load event has ended; two frames later, so that one was painted."""


def make_demo(directory: Path, seconds: float) -> Path:
    """The report of a simulated run of two markets."""
    options = ["--duration", f"{seconds:g}", "--speed", "max", "--seed", "7", "--out", str(directory), "--quiet"]
    subprocess.run([Path(sys.executable).with_name("mm-fsm"), "run", *options], check=True, capture_output=True)
    return directory / "report.html"


def address_of(page: str) -> str:
    """A file's address, or the address itself."""
    return page if "://" in page else Path(page).resolve().as_uri()


def open_once(browser: Any, page_name: str, width: int) -> dict[str, float]:
    """Times of one opening, milliseconds, and the size of the document in bytes."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    try:
        page = context.new_page()
        page.goto(address_of(page_name), wait_until="load")
        return dict(page.evaluate(DRAWN))
    finally:
        context.close()


def measure(pages: list[str], rounds: int) -> list[dict[str, Any]]:
    """Medians of each page at each width; the first opening warms the browser up and does not count."""
    cases = [(page, width) for page in pages for width in WIDTHS]
    times: dict[tuple[str, int], list[dict[str, float]]] = {case: [] for case in cases}
    with launched() as browser:
        open_once(browser, *cases[0])
        for _ in range(rounds):
            for case in cases:
                times[case].append(open_once(browser, *case))
    return [
        {
            "page": page,
            "bytes": int(times[page, width][0]["bytes"]),
            "width": width,
            "rounds": rounds,
            **{
                f"{name}_ms": statistics.median(each[name] for each in times[page, width])
                for name in ("loaded", "drawn")
            },
            "slowest_ms": max(each["drawn"] for each in times[page, width]),
        }
        for page, width in cases
    ]


def main() -> None:
    """Open each page a few times, in turns."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pages", nargs="*", help="files or addresses; none: the report of a simulated run")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3600.0, help="of market time, of the simulated run")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if chromium() is None:
        sys.exit("page_load: expected Chromium, found none. Install it, or name the program in MM_FSM_CHROMIUM.")
    with tempfile.TemporaryDirectory() as temporary:
        pages = arguments.pages or [str(make_demo(Path(temporary) / "demo", arguments.seconds))]
        found = measure(pages, arguments.rounds)
    if arguments.json:
        print(json.dumps({"pages": found}))
        return
    for each in found:
        print(
            f"{Path(each['page']).name}, {each['bytes'] / 1e6:.2f} MB, {each['width']} pixels wide: "
            f"drawn after {each['drawn_ms']:.0f} ms (slowest of {each['rounds']}: {each['slowest_ms']:.0f} ms)"
        )


if __name__ == "__main__":
    main()
