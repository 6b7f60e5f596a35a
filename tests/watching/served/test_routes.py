"""Who may look at a run through the loopback server, and who may pause, resume and stop it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mm_fsm.runtime.loopback_server import LoopbackServer
from mm_fsm.runtime.operations import OperationsDirectory
from mm_fsm.watching.run_metrics import RunMetrics
from mm_fsm.watching.served.access import Access
from mm_fsm.watching.served.routes import routes_of
from tests.patience import PATIENCE
from tests.watching.served.run_directories import kill, quoting_session, running_directory

TOKEN = "0123456789abcdef0123456789abcdef"
GOOD = {"Authorization": f"Bearer {TOKEN}"}
WISHES = ("pause", "resume", "stop", "unlock")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return running_directory(tmp_path / "run")


@pytest.fixture
def server(run: Path) -> Iterator[LoopbackServer]:
    with LoopbackServer(routes_of(run, Access(TOKEN))) as opened:
        yield opened


def ask(
    server: LoopbackServer, what: str, headers: Mapping[str, str] | None = None, content: Any = None
) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    body = json.dumps(content) if not isinstance(content, str) else content
    connection.request("POST", f"/api/{what}", body, {"Content-Type": "application/json", **(headers or {})})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, json.loads(text) if text.startswith("{") else {"words": text}


def get(server: LoopbackServer, path: str) -> tuple[int, str, Mapping[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("GET", path)
    answer = connection.getresponse()
    text, headers = answer.read().decode(), dict(answer.getheaders())
    connection.close()
    return answer.status, text, headers


def name_of(run: Path) -> str:
    return OperationsDirectory(run).read().run


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}])
@pytest.mark.parametrize("what", WISHES)
def test_without_the_token_nothing_is_asked_of_the_run(
    server: LoopbackServer, run: Path, what: str, headers: dict[str, str]
) -> None:
    before = sorted(path.name for path in run.iterdir())
    status, told = ask(server, what, headers, {"run": name_of(run)})
    assert (status, told["words"]) == (401, "The token is missing or wrong.")
    assert sorted(path.name for path in run.iterdir()) == before


def test_a_token_in_the_address_counts_for_nothing(server: LoopbackServer, run: Path) -> None:
    assert ask(server, f"stop?token={TOKEN}&authorization=Bearer%20{TOKEN}", {}, {"run": name_of(run)})[0] == 401
    assert OperationsDirectory(run).wishes().stop is None


@pytest.mark.parametrize(
    "headers",
    [{"Host": "attacker.example"}, {"Origin": "http://attacker.example"}, {"Sec-Fetch-Site": "cross-site"}],
)
@pytest.mark.parametrize("what", WISHES)
def test_the_token_does_not_help_from_elsewhere(
    server: LoopbackServer, run: Path, what: str, headers: dict[str, str]
) -> None:
    assert ask(server, what, {**GOOD, **headers}, {"run": name_of(run)})[0] in {403, 421}
    assert OperationsDirectory(run).wishes().stop is None


def test_with_the_token_the_run_is_asked_with_a_reason_that_is_plain_text(server: LoopbackServer, run: Path) -> None:
    mine, operations = name_of(run), OperationsDirectory(run)
    status, told = ask(server, "pause", GOOD, {"run": mine, "reason": "figures\x1b[2J at two"})
    assert (status, operations.wishes().pause) == (200, "served page: figures [2J at two")
    assert "within a second" in told["words"]
    assert ask(server, "resume", GOOD, {"run": mine})[0] == 200
    assert operations.wishes().pause is None
    assert ask(server, "stop", GOOD, {"run": mine})[0] == 200
    assert operations.wishes().stop == "served page: no reason given"


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", {"run": 1}, {"run": None}, {"process": 1}, {"run": "a", "reason": 2}]
)
def test_a_wish_that_does_not_say_whom_it_means_is_refused(server: LoopbackServer, content: Any) -> None:
    assert ask(server, "stop", GOOD, content)[0] == 400


def test_a_wish_meets_the_run_that_was_looked_at_and_no_other(server: LoopbackServer, run: Path) -> None:
    """Another process has begun there meanwhile, the run has ended, or it is gone: nothing is left behind."""
    operations, mine = OperationsDirectory(run), name_of(run)
    status, told = ask(server, "stop", GOOD, {"run": mine[::-1]})
    assert (status, "Another run" in told["words"]) == (409, True)
    operations.end()
    assert ask(server, "pause", GOOD, {"run": mine}) == (409, {"words": "The run has ended: nothing listens."})
    (run / "ended").unlink()
    (run / "heartbeat").write_text("0")
    assert "has said nothing" in ask(server, "pause", GOOD, {"run": mine})[1]["words"]
    ask(server, "resume", GOOD, {"run": mine})
    kill(run)
    status, told = ask(server, "stop", GOOD, {"run": name_of(run)})
    assert (status, "is gone" in told["words"]) == (409, True)
    assert operations.wishes().stop is operations.wishes().pause is None


def test_by_default_nobody_can_ask_for_anything(run: Path) -> None:
    with LoopbackServer(routes_of(run, None)) as opened:
        for what in WISHES:
            assert ask(opened, what, GOOD, {"run": name_of(run)})[0] == 404
        assert json.loads(get(opened, "/api/status")[1])["may_control"] is False


def test_no_address_tells_the_token(server: LoopbackServer, run: Path) -> None:
    (run / "report.html").write_text("<p>the report")
    for path in ("/", "/api/status", "/metrics", "/report.html", "/inspect.html", "/nowhere"):
        _, text, headers = get(server, path)
        assert TOKEN not in text + str(headers)
    assert not [path for path in run.rglob("*") if path.is_file() and TOKEN in path.read_text()]


def test_pages_of_the_run_have_an_origin_of_their_own(server: LoopbackServer, run: Path) -> None:
    """A browser sends ``Origin: null`` for such a page, which is refused: it can ask the server nothing."""
    status, text, _ = get(server, "/report.html")
    assert (status, f"mm-fsm report {run}" in text) == (404, True)
    status, text, _ = get(server, "/inspect.html")
    assert (status, f"mm-fsm inspect {run}" in text) == (404, True)
    (run / "report.html").write_text("<p>the report")
    status, text, headers = get(server, "/report.html")
    assert (status, text) == (200, "<p>the report")
    assert headers["Content-Security-Policy"].startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in headers["Content-Security-Policy"]
    assert get(server, "/status.json")[0] == get(server, "/../status.json")[0] == 404


def test_a_scraper_gets_the_figures_that_the_run_wrote(server: LoopbackServer, run: Path) -> None:
    """As the client library wrote them; without the table in the settings there are none, and the answer says so."""
    status, text, _ = get(server, "/metrics")
    assert (status, "enabled = true" in text) == (404, True)
    RunMetrics(run, [quoting_session()])
    status, text, headers = get(server, "/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert 'mm_fsm_side_live{side="ask",symbol="ETH/USD"} 1.0' in text
    kill(run)
    assert get(server, "/metrics")[0] == 503
