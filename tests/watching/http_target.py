"""A target on loopback that keeps what it is sent: takes it, refuses it, or never answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Event, Thread
from typing import Any

from tests.patience import PATIENCE

SECRET = "s3cr3t-t0ken"


class HttpTarget:
    """What a server was sent, and how it answers."""

    def __init__(self) -> None:
        self.messages: Queue[dict[str, Any]] = Queue()
        self.status = 200
        self.hangs: Event | None = None
        """Answers only once it is set."""
        self.port = 0

    @property
    def address(self) -> str:
        """As apprise writes it; the path is what must never be shown."""
        return f"json://127.0.0.1:{self.port}/{SECRET}"

    def next(self) -> dict[str, Any]:
        """The next message, which must come."""
        return self.messages.get(timeout=PATIENCE)

    def all(self) -> list[dict[str, Any]]:
        """Every message that has come and was not looked at."""
        found = []
        while not self.messages.empty():
            found.append(self.messages.get())
        return found


@contextmanager
def http_target() -> Iterator[HttpTarget]:
    """A target while the ``with`` statement lasts."""
    target = HttpTarget()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            target.messages.put(json.loads(body))
            if target.hangs is not None:
                target.hangs.wait(PATIENCE)
            self.send_response(target.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    target.port = server.server_port
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield target
    finally:
        if target.hangs is not None:
            target.hangs.set()
        server.shutdown()
        server.server_close()
        thread.join()
