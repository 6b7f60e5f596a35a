"""Generated tests answer guards themselves, so what they reach is no evidence about the project's own charts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.coverage.recording import nobody_watching


@pytest.fixture(autouse=True)
def _nobody_watches_forced_guards() -> Iterator[None]:
    """Who measures this very run of the tests sees real guards only. A test's own recorder sees everything."""
    with nobody_watching():
        yield
