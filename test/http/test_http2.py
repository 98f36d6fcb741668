"""What HTTP/2 asks for beside what all the tests show over it (UA_HTTP=2)."""
import subprocess

import http2
import pytest
from client import Client
from mpm import THREADED

pytestmark = pytest.mark.skipif(not THREADED, reason="mod_http2 needs threads")


@pytest.fixture
def h2_server(new_server):
    return new_server(head="" if http2.USED else http2.LINES)


def submit(server, folder, length):
    """What curl shows of a sign-in with so long a body."""
    body = folder / "body"
    body.write_text("login=a&pad=" + "x" * (length - len("login=a&pad=")))
    command = ["curl", "-sS", "--http2-prior-knowledge", "-H", f"Origin: {server.base}", "--data-binary", f"@{body}", f"{server.base}/auth/login"]
    return subprocess.run([*command, "-w", "%{http_version} %{http_code}"], capture_output=True, text=True)


@pytest.mark.parametrize("length", [65537, 200000, 1000000])
def test_a_form_that_is_too_long_is_answered_in_words(h2_server, tmp_path, length):
    """BODY-01: browsers show an error of theirs when the answer comes before they have sent all."""
    said = submit(h2_server, tmp_path, length)
    assert said.returncode == 0, said.stderr
    assert said.stdout.endswith("2 413")
    assert "A form can hold at most 64 KiB." in said.stdout


def test_nobody_reads_without_end(h2_server, tmp_path):
    """BODY-01"""
    submit(h2_server, tmp_path, 30_000_000)
    assert Client(h2_server).get("/auth/login").status_code == 200
