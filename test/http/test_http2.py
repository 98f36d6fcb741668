"""What HTTP/2 asks for beside what all the tests show over it (UA_HTTP=2): APA-06."""
import json
import subprocess
from urllib.parse import urlsplit

import http2
import pytest
from client import Client
from mpm import THREADED
from people import signed_in

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


@pytest.mark.parametrize("body, status", [(b'{"login":"nobody","password":"x"}', 401), (b'{"x":"' + b"a" * 65536 + b'"}', 413), (b"", 400)], ids=["short", "long", "none"])
def test_a_body_needs_no_declared_length(h2_server, body, status):
    """BODY-01: without Content-Length, too, it is read to its end; what HTTP/1.1 calls chunked."""
    url = urlsplit(h2_server.base)
    headers = [*http2.first_headers("POST", url, "/auth/login"), (b"accept", b"application/json"), (b"content-type", b"application/json")]
    link = http2.Link(url, None, True, 60)
    found, data = link.ask(headers, body, 60)
    link.close()
    assert dict(found)[b":status"] == b"%d" % status
    assert json.loads(data)["status"] == status


def test_streams_of_one_connection_are_of_one_person_each(h2_server):
    """Many requests at once on one connection, each with a cookie of its own."""
    people = [signed_in(h2_server) for _ in range(3)]
    url = urlsplit(h2_server.base)
    link = http2.Link(url, None, True, 60)
    owners, got = {}, {}
    for number in range(60):
        one, stream = people[number % 3], link.h2.get_next_available_stream_id()
        headers = http2.first_headers("GET", url, "/auth/me")
        link.h2.send_headers(stream, [*headers, (b"cookie", f"userauth={one.cookies['userauth']}".encode())], end_stream=True)
        owners[stream] = one.person.username
    link.flush()
    ended = 0
    while ended < 60:
        for event in link.events():
            kind = type(event).__name__
            assert kind != "StreamReset" and link.last is None
            ended += kind == "StreamEnded"
            if kind == "DataReceived":
                got[event.stream_id] = got.get(event.stream_id, b"") + event.data
    link.close()
    assert {stream: json.loads(data)["username"] for stream, data in got.items()} == owners
