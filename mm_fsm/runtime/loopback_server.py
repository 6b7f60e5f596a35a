"""A small web server for this machine alone: pages and figures of a run, read through a browser or a scraper.

It listens on 127.0.0.1 only. A web page from elsewhere that the user's browser has open can still reach it, so each
request has to show where it comes from: ``Host`` must name this server (else a foreign name was made to point here,
DNS rebinding), ``Origin`` must be this server's own where a browser sends one, and other sites may link here but embed
nothing. Requests are not logged: no log holds what stands in a header or an address.

Every account of this machine can connect, and the process may be one that trades: connections are few, and each is over
after a stated time.
"""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Callable, Mapping
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import BoundedSemaphore, Event, Thread
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self, cast
from urllib.parse import parse_qsl, urlsplit

from attrs import evolve, field, frozen
from loguru import logger

from mm_fsm.errors import PortError

ADDRESS: Final = "127.0.0.1"
NAMES: Final = (ADDRESS, "localhost")
"""By which a browser may call the server."""
LARGEST_BODY: Final = 4_096
"""Bytes of a request."""
MOST_CONNECTIONS: Final = 16
"""At once, each with a thread and a descriptor; further ones are closed unread."""
_REQUEST_SECONDS: Final = 10.0
"""From the connection to the request's last byte, however slowly it comes."""
_ANSWER_SECONDS: Final = 30.0
"""For the answer's header, and for its body."""
_PAUSE_SECONDS: Final = 0.1
"""Before the next connection, when this one could not be taken."""
_HTTP_PORT: Final = 80
_PROTECTION: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Headers of every answer; a route may set its own instead. Pages state the rest of their policy themselves."""


@frozen(kw_only=True)
class Request:
    """A request that has passed every check."""

    method: str
    """``GET`` or ``POST``."""
    path: str
    """Without the query."""
    query: Mapping[str, str] = field(factory=dict)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    """By lower-case name; they may hold a secret."""
    body: bytes = field(default=b"", repr=False)


@frozen(kw_only=True)
class Response:
    """What a route answers."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(factory=dict)


Route = Callable[[Request], Response]


def text_response(text: str, status: int = 200) -> Response:
    """An answer in plain text."""
    return Response(body=text.encode(), status=status)


def not_here(text: str) -> Response:
    """An answer for a page that is not there, with the way to the one that is."""
    way = '<p><a href="/">What is shown here</a></p>'
    page = f"<!doctype html><title>Not here</title><p>{escape(text, quote=False)}</p>{way}"
    return evolve(page_response(page), status=404)


def json_response(value: Any, status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(body=json.dumps(value, allow_nan=False).encode(), content_type="application/json", status=status)


def page_response(page: str, headers: Mapping[str, str] | None = None) -> Response:
    """A page of HTML."""
    return Response(body=page.encode(), content_type="text/html; charset=utf-8", headers=headers or {})


class LoopbackServer:
    """Serves ``routes`` in threads of its own while a ``with`` statement lasts.

    Args:
        routes: what answers which request, by ``"GET /path"`` or ``"POST /path"``. A key that ends with a slash takes
            every path below it too; of several that fit, the longest decides.
        port: on 127.0.0.1; 0 takes any free one.
    """

    def __init__(self, routes: Mapping[str, Route], port: int = 0) -> None:
        self._routes = dict(routes)
        self._wanted_port = port
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        """Listen.

        Raises:
            PortError: the port cannot be opened.
        """
        try:
            self._server = _Server(self._wanted_port, self._routes)
        except OSError as error:
            raise PortError(self._wanted_port, error.strerror or str(error)) from None
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True, name="loopback").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._wanted_port if self._server is None else self._server.server_port

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{ADDRESS}:{self.port}/"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, routes: Mapping[str, Route]) -> None:
        self.routes = routes
        self._free = BoundedSemaphore(MOST_CONNECTIONS)
        self._pause = Event()
        super().__init__((ADDRESS, port), _Handler)
        end = "" if self.server_port == _HTTP_PORT else f":{self.server_port}"
        self.hosts = frozenset({f"{name}:{self.server_port}" for name in NAMES} | {f"{name}{end}" for name in NAMES})

    def server_bind(self) -> None:
        """Bind without asking anybody for the address's name, as the standard library's method would."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = ADDRESS, self.server_address[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next connection. Where the system gives none, not at once the next try: it would fail ever again."""
        try:
            return super().get_request()
        except OSError:
            self._pause.wait(_PAUSE_SECONDS)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, while there are not too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            self._pause.wait(_PAUSE_SECONDS)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread could begin
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, in the thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser has gone away in the middle of an answer: nothing to say."""

    def route_of(self, method: str, path: str) -> Route | None:
        """What answers a request; None where nothing does."""
        exact = self.routes.get(f"{method} {path}")
        if exact is not None:
            return exact
        below = [key for key in self.routes if key.endswith("/") and f"{method} {path}".startswith(key)]
        fitting = [key for key in below if key != f"{method} /"]
        return self.routes[max(fitting, key=len)] if fitting else None


class _TimelyReader(io.RawIOBase):
    """Reads a connection until a moment of the monotonic clock; a timeout of the socket would be one for each read."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection = connection
        self._until = until

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there.

        Raises:
            TimeoutError: it is too late.
        """
        left = self._until - monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        """Read for so long, and no longer."""
        super().setup()
        self.rfile = io.BufferedReader(_TimelyReader(self.connection, monotonic() + _REQUEST_SECONDS))

    def do_GET(self) -> None:
        """Answer."""
        self._answer("GET")

    def do_HEAD(self) -> None:
        """Answer without the body."""
        self._answer("GET")

    def do_POST(self) -> None:
        """Answer."""
        self._answer("POST")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing: an address or a header may hold what no log should."""

    def version_string(self) -> str:
        """The program; not what it is built on."""
        return "mm-fsm"

    @property
    def _loopback(self) -> _Server:
        return cast("_Server", self.server)

    def _answer(self, method: str) -> None:
        response = self._refusal(method)
        if response is None:
            body = self._body()
            response = text_response("The request is too long.", 413) if body is None else self._routed(method, body)
        self.close_connection = True  # none is answered any more once the server has ended
        self._send(response)

    def _refusal(self, method: str) -> Response | None:
        """Why a request is not answered: where it comes from, or what it is; None when nothing is wrong."""
        hosts, origins = self.headers.get_all("Host", []), self.headers.get_all("Origin", [])
        if len(hosts) != 1 or hosts[0].lower() not in self._loopback.hosts:
            return text_response("This server answers only to its own name: open http://127.0.0.1.", 421)
        if origins and (len(origins) != 1 or origins[0].lower() != f"http://{hosts[0].lower()}"):
            return text_response("Pages of other origins may not ask here.", 403)
        site = self.headers.get("Sec-Fetch-Site", "none")
        is_link = method == "GET" and self.headers.get("Sec-Fetch-Mode") == "navigate"
        if site not in {"none", "same-origin"} and not is_link:
            return text_response("Pages of other sites may not ask here.", 403)
        if method == "POST" and self.headers.get_content_type() != "application/json":
            return text_response("Send application/json.", 415)
        return None

    def _body(self) -> bytes | None:
        """The request's body; None when it is too long, or nobody says how long."""
        if self.command != "POST":
            return b""
        text = self.headers.get("Content-Length", "")
        if not (text.isascii() and text.isdigit() and int(text) <= LARGEST_BODY):
            return None
        return self.rfile.read(int(text))

    def _routed(self, method: str, body: bytes) -> Response:
        address = urlsplit(self.path)
        route = self._loopback.route_of(method, address.path)
        if route is None:
            other = "POST" if method == "GET" else "GET"
            if self._loopback.route_of(other, address.path) is None:
                return not_here("There is nothing here.")
            return Response(body=f"Use {other}.".encode(), status=405, headers={"Allow": other})
        request = Request(
            method=method,
            path=address.path,
            query=dict(parse_qsl(address.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        try:
            return route(request)
        except Exception as error:  # noqa: BLE001 - one page that cannot be made ends neither the others nor a run
            logger.bind(path=address.path, error=type(error).__name__).error("server.page_failed")
            return text_response(f"This could not be answered: {type(error).__name__}.", 500)

    def _send(self, response: Response) -> None:
        self.connection.settimeout(_ANSWER_SECONDS)
        self.send_response(response.status)
        headers = {**_PROTECTION, **response.headers}
        headers |= {"Content-Type": response.content_type, "Content-Length": str(len(response.body))}
        headers["Connection"] = "close"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
