"""The fixtures that every test relies on do what they say."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

OUTSIDE = ("192.0.2.1", 9)
"""An address reserved for documentation (RFC 5737): nobody answers there."""


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_a_connection_to_another_machine_fails_the_test(method: str) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as outgoing,
        pytest.raises(pytest.fail.Exception, match=r"192\.0\.2\.1"),
    ):
        getattr(outgoing, method)(OUTSIDE)


def test_a_datagram_to_another_machine_fails_the_test() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outgoing,
        pytest.raises(pytest.fail.Exception, match="no network"),
    ):
        outgoing.sendto(b"hello", OUTSIDE)


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"exchange\.invalid"):
        socket.create_connection(("exchange.invalid", 443))


def test_this_machine_can_be_reached() -> None:
    """A connection over the loopback interface carries bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(("localhost", server.getsockname()[1])) as client:
            client.sendall(b"hello")
        accepted, _ = server.accept()
        with accepted:
            assert accepted.recv(5) == b"hello"


def test_a_missing_recording_skips_with_its_name(recorded_data: Callable[[str], Path]) -> None:
    with pytest.raises(pytest.skip.Exception, match="no_such_market"):
        recorded_data("no_such_market")
