"""What every test gets: reproducible hypothesis runs, no network, and recorded market data where it is at hand."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A shared machine makes any deadline a matter of luck. A failing run prints how to repeat it; in continuous integration
# examples derive from the test itself, so that one commit always gives one result.
settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")

pytest_plugins = [
    "pytester",  # runs pytest itself, to test our plugin
    "tests.browser",
]

RECORDED_DATA_VARIABLE = "MM_FSM_DATA"


@pytest.fixture(scope="session")
def recorded_data() -> Callable[[str], Path]:
    """Path of a recording by its name, such as ``gemini_ethusd``; the test is skipped where it is missing.

    Recordings are looked for in the directory that the environment variable MM_FSM_DATA names, else in
    ``../shared/data`` beside the checkout.
    """
    beside_the_checkout = Path(__file__).resolve().parents[2] / "shared" / "data"
    directory = Path(os.environ.get(RECORDED_DATA_VARIABLE) or beside_the_checkout)

    def find(name: str) -> Path:
        path = directory / name
        if not path.exists():
            pytest.skip(f"recording {name!r} is not in {directory}; name its directory in {RECORDED_DATA_VARIABLE}")
        return path

    return find


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that leaves this machine. The loopback interface and local sockets stay open."""
    look_up = socket.getaddrinfo

    def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: socket.socket, *arguments: Any) -> Any:
            address = arguments[-1]  # the last argument of connect, connect_ex and sendto
            if isinstance(address, tuple) and not _is_loopback(address[0]):
                _fail(address)
            return method(self, *arguments)

        return call

    def guarded_look_up(host: bytes | str | None, *arguments: Any, **keywords: Any) -> Any:
        if not _is_loopback(host):
            _fail(host)
        return look_up(host, *arguments, **keywords)

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)


def _is_loopback(host: object) -> bool:
    if host is None:  # getaddrinfo's word for this machine
        return True
    name = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _fail(address: object) -> None:
    # Not an OSError, which code under test would take for an outage and handle.
    pytest.fail(f"a test tried to reach {address!r}: tests use no network", pytrace=True)
