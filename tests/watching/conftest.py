"""What the log says, for tests of what watches a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from loguru import logger


@pytest.fixture
def messages() -> Iterator[list[str]]:
    """The names of the events that are logged meanwhile."""
    found: list[str] = []
    handler = logger.add(lambda message: found.append(message.record["message"]), level="DEBUG", format="{message}")
    yield found
    logger.remove(handler)
