"""UserAuthEventLog: one line an event, to a file or a program; whatever becomes of either holds nobody up."""
import json
import os
import re
import signal
import time
from pathlib import Path

import http2
import pytest
import requests
from client import Client
from confhelp import refused, site
from people import join, register, sign_in
from server import wait_for

KEYS = ["time", "event", "site", "address", "account", "detail", "request"]
NO_LIMITS = "UserAuthRateLimit token off\nUserAuthRateLimit login off\nUserAuthMailLimit off\n"


def events(text):
    return [json.loads(line) for line in text.splitlines()]


def used_token(server):
    """A link that was used: each further use is one event and costs no hash."""
    client = Client(server)
    person = register(client)
    token = server.wait_mail(person.email).token("verify")
    assert client.json("POST", "/auth/verify", {"token": token}).status_code == 200
    return client, token


def refuse(client, token, times):
    """So many events; the slowest answer in seconds."""
    slowest = 0
    for _ in range(times):
        start = time.monotonic()
        assert client.json("POST", "/auth/verify", {"token": token}).status_code == 410
        slowest = max(slowest, time.monotonic() - start)
    return slowest


def stored(server, kind):
    return server.db("SELECT COUNT(*) FROM event WHERE kind = ?", kind)[0][0]


def httpd_refuses(client, headers):
    """Control characters in headers end in 400; over HTTP/2, where they make a request malformed (RFC 9113, 8.1.1),
    its stream is reset instead."""
    ask = lambda: client.json("POST", "/auth/login", {"login": "nobody", "password": "wrong-1"}, headers=headers)
    if not http2.USED:
        return ask().status_code == 400
    with pytest.raises(requests.ConnectionError, match="reset the stream: 1"):
        ask()
    return True


def test_each_event_is_one_line_with_the_same_keys(server):
    """INV-10, SMTP-07"""
    client = Client(server, address="2001:db8::7")
    before = len(server.events())
    assert httpd_refuses(client, {"User-Agent": 'x\x1b[31m"\\\xff\u2028'.encode()})
    assert httpd_refuses(client, {"Referer": b'http://evil/\x1b]0;x\x07"'})
    headers = {"User-Agent": 'x[31m"\\\xff\u2028'.encode(), "Referer": b'http://evil/]0;x\x85"'}
    for login, status in (('no\r\nbody"\x85', 400), ('no\u2028body"\\\xff', 401)):
        assert client.json("POST", "/auth/login", {"login": login, "password": "wrong-1"}, headers=headers).status_code == status
    client.session.headers.update(headers)
    person = join(server, Client(server))
    sign_in(client, person)
    lines = wait_for(lambda: [line for line in server.events()[before:] if '"login"' in line] and server.events()[before:])
    for line in lines:
        assert re.fullmatch(r"[\x20-\x7e]+", line), line
        event = json.loads(line)
        assert list(event) == KEYS
        assert all(isinstance(value, str) for value in event.values())
    mine = [event for event in events("\n".join(lines)) if event["account"] == person.id]
    assert [event["event"] for event in mine] == ["registered", "verified", "login"]
    assert [event["event"] for event in events("\n".join(lines)) if event["address"] == "2001:db8::7"] == ["login_failed", "login"]
    assert mine[-1]["address"] == "2001:db8::7"
    row = server.db("SELECT kind, address FROM event WHERE id = ?", mine[-1]["request"])
    assert [tuple(r) for r in row] == [("login", "2001:db8::7")], "the line names its row"


def test_a_program_reads_them(new_server):
    """And httpd starts it again when it dies: from then on it reads on."""
    server = new_server(conf=NO_LIMITS + 'UserAuthEventLog "|/usr/bin/tee -a ${RUN}/logs/piped.log"')
    file = server.folder / "logs" / "piped.log"
    client, token = used_token(server)
    wait_for(lambda: file.exists() and '"verified"' in file.read_text(), what="the program to write")
    reader = next(pid for pid in server.children() if b"tee" in Path(f"/proc/{pid}/cmdline").read_bytes())
    server.expect_log("AH00106|AH00109|piped log program")
    os.kill(reader, signal.SIGKILL)
    assert refuse(client, token, 20) < 5
    wait_for(lambda: file.read_text().count("token_refused") == 20, 30, "the lines to arrive")
    assert [list(event) for event in events(file.read_text())] == [KEYS] * len(file.read_text().splitlines())
    assert stored(server, "token_refused") == 20


def test_a_program_that_never_reads_holds_nobody_up(new_server):
    """DISK-01: a pipe holds 64 KiB; what comes then is lost there, kept in the database, and said once."""
    server = new_server(conf=NO_LIMITS + 'UserAuthEventLog "|/bin/sleep 1000"')
    server.expect_log("UA0004")
    client, token = used_token(server)
    assert refuse(client, token, 400) < 5
    assert len(re.findall("UA0004: UserAuthEventLog: lines are being lost", server.log())) == 1
    assert stored(server, "token_refused") == 400
    assert not re.search("exit signal|Segmentation", server.log())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_said_once_and_over(new_server):
    """DISK-01"""
    server = new_server(conf=NO_LIMITS + "UserAuthEventLog /dev/full")
    server.expect_log("UA0004")
    client, token = used_token(server)
    refuse(client, token, 10)
    assert len(re.findall("UA0004", server.log())) == 1
    assert stored(server, "token_refused") == 10
    server.conf = NO_LIMITS + 'UserAuthEventLog "${RUN}/logs/other.log"'
    server.renew()
    refuse(client, token, 1)
    found = wait_for(lambda: re.search(r"UA0005: UserAuthEventLog works again; (\d+) lines were lost", server.log()))
    assert int(found.group(1)) >= 12
    assert [e["event"] for e in events((server.folder / "logs" / "other.log").read_text())] == ["token_refused"]


def test_it_is_opened_anew_by_a_graceful_restart(new_server):
    """DISK-02"""
    server = new_server(conf=NO_LIMITS)
    log = server.folder / "logs" / "events.log"
    client, token = used_token(server)
    log.rename(log.with_suffix(".1"))
    server.renew()
    refuse(client, token, 3)
    assert [e["event"] for e in events(log.read_text())] == ["token_refused"] * 3
    assert log.stat().st_mode & 0o037 == 0, "nobody else reads it"


def test_reached_limits_are_told_once(new_server):
    """By whatever request: the page of a bad link, too."""
    server = new_server(conf="UserAuthRateLimit token 3/1h")
    client = Client(server, address="198.51.100.77")
    answers = [client.get("/auth/verify?token=guess").status_code for _ in range(6)]
    assert answers == [400] * 3 + [429] * 3
    mine = [e for e in events("\n".join(server.events())) if e["address"] == "198.51.100.77"]
    assert [(e["event"], e["detail"]) for e in mine] == [("rate_limited", "token")]


def test_what_could_make_a_writer_wait_is_refused(new_server):
    server = new_server(start=False, site=False)
    os.mkfifo(server.folder / "logs" / "fifo")
    for target, said in (
        ("${RUN}/logs/fifo", "not a plain file"), ("${RUN}/logs", "not a plain file"), ("|", "name the program"),
        ("${RUN}/nowhere/events.log", "there is no folder")
    ):
        server.conf = site(f'UserAuthEventLog "{target}"')
        refused(server, "UserAuthEventLog: .*" + said, line="UserAuthEventLog")
