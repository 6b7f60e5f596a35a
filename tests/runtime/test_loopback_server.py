"""The loopback server answers this machine's own requests, and none that a page from elsewhere makes a browser send."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from threading import Event
from threading import enumerate as running_threads
from time import monotonic
from typing import Any

import pytest

from mm_fsm.errors import PortError
from mm_fsm.runtime.loopback_server import (
    LARGEST_BODY,
    MOST_CONNECTIONS,
    LoopbackServer,
    Request,
    Response,
    json_response,
    page_response,
    text_response,
)
from tests.patience import PATIENCE

JSON = {"Content-Type": "application/json"}


def echo(request: Request) -> Response:
    return json_response({"path": request.path, "query": dict(request.query), "body": request.body.decode()})


def broken(_request: Request) -> Response:
    raise RuntimeError("secret-in-an-error")


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackServer]:
    routes = {
        "GET /": lambda _: page_response("<p>home"),
        "GET /echo": echo,
        "POST /echo": echo,
        "GET /below/": lambda request: text_response(f"below {request.path}"),
        "GET /below/special": lambda _: text_response("special"),
        "POST /only": echo,
        "GET /broken": broken,
    }
    with LoopbackServer(routes) as opened:
        yield opened


def ask(
    server: LoopbackServer,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
) -> tuple[int, str, Mapping[str, str]]:
    """Status, body and headers; ``Host`` as given, else the server's own."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, {**JSON, **(headers or {})} if body is not None else headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


def test_a_path_is_answered_by_the_route_that_fits_it_best(server: LoopbackServer) -> None:
    assert ask(server, "GET", "/")[:2] == (200, "<p>home")
    assert json.loads(ask(server, "GET", "/echo?a=1&b=%C3%A4")[1])["query"] == {"a": "1", "b": "ä"}
    assert ask(server, "GET", "/below/x/y")[1] == "below /below/x/y"
    assert ask(server, "GET", "/below/special")[1] == "special"
    status, page, _ = ask(server, "GET", "/nowhere")
    assert (status, '<a href="/">' in page) == (404, True)
    assert ask(server, "GET", "/ech")[0] == 404
    assert ask(server, "HEAD", "/echo")[:2] == (200, "")
    assert json.loads(ask(server, "POST", "/echo", body="{}")[1])["body"] == "{}"
    status, _, headers = ask(server, "GET", "/only")
    assert (status, headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "127.0.0.1:{port}"}, 200),
        ({"Host": "localhost:{port}"}, 200),
        ({"Host": "LOCALHOST:{port}"}, 200),
        ({"Host": "attacker.example"}, 421),
        ({"Host": "attacker.example:{port}"}, 421),
        ({"Host": "127.0.0.1.attacker.example:{port}"}, 421),
        ({"Host": "127.0.0.1"}, 421),
        ({"Host": "127.0.0.1:1"}, 421),
        ({"Origin": "http://127.0.0.1:{port}"}, 200),
        ({"Host": "localhost:{port}", "Origin": "http://localhost:{port}"}, 200),
        ({"Host": "localhost:{port}", "Origin": "http://127.0.0.1:{port}"}, 403),
        ({"Origin": "http://attacker.example"}, 403),
        ({"Origin": "https://127.0.0.1:{port}"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_only_the_servers_own_name_and_origin_are_answered(
    server: LoopbackServer, headers: dict[str, str], status: int, method: str
) -> None:
    """The checks come before the routes, so they hold for every page and every wish alike."""
    given = {name: value.format(port=server.port) for name, value in headers.items()}
    assert ask(server, method, "/echo", given, None if method == "GET" else "{}")[0] == status


def test_another_site_may_link_to_a_page_but_cannot_send_a_form(server: LoopbackServer) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert ask(server, "GET", "/", link)[0] == 200
    assert ask(server, "POST", "/echo", link, "{}")[0] == 403
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert ask(server, "POST", "/echo", form, "a=1")[0] == 415
    assert ask(server, "POST", "/echo", {"Content-Type": "text/plain"}, "{}")[0] == 415


def raw(server: LoopbackServer, text: str) -> str:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(text.format(port=server.port).encode())
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(4096), b"")).decode()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("GET / HTTP/1.1\r\n\r\n", "421"),
        ("GET / HTTP/1.0\r\n\r\n", "421"),
        ("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: attacker.example\r\n\r\n", "421"),
        ("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: null\r\nOrigin: http://127.0.0.1:{port}\r\n\r\n", "403"),
        ("PUT / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n", "501"),
        ("POST /echo HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\r\n", "413"),
        ("nonsense\r\n\r\n", "400"),
    ],
)
def test_what_no_browser_sends_is_refused_too(server: LoopbackServer, text: str, status: str) -> None:
    assert f" {status} " in raw(server, text).splitlines()[0] or f"Error code: {status}" in raw(server, text)


def test_a_body_has_a_largest_size(server: LoopbackServer) -> None:
    assert ask(server, "POST", "/echo", body="x" * LARGEST_BODY)[0] == 200
    assert ask(server, "POST", "/echo", body="x" * (LARGEST_BODY + 1))[0] == 413


def test_every_answer_says_that_nobody_may_keep_frame_or_embed_it(server: LoopbackServer) -> None:
    for path, given in (("/", {}), ("/nowhere", {}), ("/", {"Host": "attacker.example"})):
        headers = ask(server, "GET", path, given)[2]
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in headers
        assert "Python" not in headers["Server"]


def test_a_page_that_fails_ends_nothing_and_tells_no_more_than_its_kind(
    server: LoopbackServer, capfd: pytest.CaptureFixture[str]
) -> None:
    status, body, _ = ask(server, "GET", "/broken?token=abc")
    assert (status, body) == (500, "This could not be answered: RuntimeError.")
    assert ask(server, "GET", "/")[0] == 200
    captured = capfd.readouterr()
    assert "secret" not in captured.out + captured.err
    assert "abc" not in captured.out + captured.err


def test_it_listens_on_the_loopback_interface_alone_and_says_so_when_its_port_is_taken(server: LoopbackServer) -> None:
    assert server._server is not None
    assert server._server.socket.getsockname()[0] == "127.0.0.1"
    with (
        pytest.raises(PortError, match=r"expected one that can be listened on, found '.+'\. Name another, or 0"),
        LoopbackServer({}, server.port),
    ):
        pass


def test_nothing_listens_once_it_has_ended() -> None:
    with LoopbackServer({}) as opened:
        port = opened.port
        assert opened.address == f"http://127.0.0.1:{port}/"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def test_a_request_shows_none_of_its_headers_or_its_body() -> None:
    request: Any = Request(method="GET", path="/", headers={"authorization": "Bearer abc"}, body=b"abc")
    assert "abc" not in repr(request)


def test_connections_that_say_nothing_are_few_and_end_on_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen have a thread each, the next is closed at once. Two seconds later there is room again."""
    monkeypatch.setattr("mm_fsm.runtime.loopback_server._REQUEST_SECONDS", 2.0)
    before = {*running_threads()}
    with LoopbackServer({"GET /": lambda _: text_response("home")}) as opened, ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", opened.port), timeout=PATIENCE))
            for _ in range(MOST_CONNECTIONS)
        ]
        further = stack.enter_context(socket.create_connection(("127.0.0.1", opened.port), timeout=PATIENCE))
        assert further.recv(1) == b""
        threads = {*running_threads()} - before
        assert len(threads) <= MOST_CONNECTIONS + 1
        assert [each.recv(1) for each in silent] == [b""] * MOST_CONNECTIONS
        for thread in threads:
            if thread.name != "loopback":
                thread.join(PATIENCE)
        assert ask(opened, "GET", "/")[:2] == (200, "home")


def test_a_request_that_trickles_in_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte each 50 ms is never silent; the whole has a second."""
    monkeypatch.setattr("mm_fsm.runtime.loopback_server._REQUEST_SECONDS", 1.0)
    with (
        LoopbackServer({"GET /": lambda _: text_response("home")}) as opened,
        socket.create_connection(("127.0.0.1", opened.port), timeout=0.05) as slow,
    ):
        slow.sendall(b"GET / HTTP/1.1\r\nX: ")
        until, is_closed = monotonic() + PATIENCE, False
        while not is_closed and monotonic() < until:
            try:
                slow.sendall(b"a")
                is_closed = slow.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                is_closed = True
        assert is_closed


def test_a_system_that_gives_no_connection_is_not_asked_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each accept fails, as without a free descriptor: tried again ten times a second, not as often as it can be."""
    tries, enough = [0], Event()

    def fails(_: object) -> object:
        tries[0] += 1
        if tries[0] == 5:
            enough.set()
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("socketserver.TCPServer.get_request", fails)
    began = monotonic()
    with LoopbackServer({}) as opened, socket.create_connection(("127.0.0.1", opened.port), timeout=PATIENCE):
        assert enough.wait(PATIENCE)
        assert monotonic() - began >= 0.4
