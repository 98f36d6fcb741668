"""Restarts: graceful under load, children that come and go or are killed, and what survives them."""
import http.client
import os
import signal
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path

import engines
import apps
import http2
import pytest
from bad_smtp import BadSmtp
from client import Client
from confhelp import site
from mpm import TWO_CHILDREN
from people import PASSWORD, fields_of, is_signed_in, join, letter, register, sign_in, signed_in, stranger, wait_sent
from quiet import Quiet
from server import wait_for

GATED = '<Location "/private">\nAuthType UserAuth\nRequire valid-user\n</Location>\n'
FREE = """
UserAuthRateLimit login off
UserAuthRateLimit register off
UserAuthRateLimit token off
UserAuthRateLimit mail off
"""
KILLED = r"AH00051|AH00052|exit signal Killed|AH00045|AH00046"
RATE = 200  # requests a second


class Load:
    """Requests at a steady rate, each on a connection of its own; what came of each is counted."""

    def __init__(self, server, client, paths, rate=RATE, threads=20):
        self.port, self.paths = server.port, paths
        self.cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        self.pause = threads / rate
        self.answers = Counter()
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, args=(i * self.pause / threads,)) for i in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def _run(self, begin):
        due = time.monotonic() + begin
        number = 0
        while not self.stopping.wait(max(0, due - time.monotonic())):
            due += self.pause
            number += 1
            answer = self._one(self.paths[number % len(self.paths)])
            with self.lock:
                self.answers[answer] += 1

    def _one(self, path):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Host": "localhost", "Cookie": self.cookie, "Connection": "close", "Accept": "application/json, */*;q=0.1"}
        try:
            link.request("GET", path, headers=headers)
            answer = link.getresponse()
            answer.read()
            return (path, answer.status)
        except (OSError, http.client.HTTPException) as error:
            return (path, repr(error))
        finally:
            link.close()

    def wait(self, count):
        """Until so many more answers are there."""
        target = sum(self.answers.values()) + count
        wait_for(lambda: sum(self.answers.values()) >= target, 60, f"{count} answers")


def test_graceful_restarts_under_load_lose_nothing(new_server):
    """PROC-03: 200 requests a second, a new connection each: none is lost, nobody is signed out, no child aborts."""
    server = new_server(start=False, conf=GATED + FREE)
    apps.put(server, "private/a.txt", "private")
    server.start()
    client = signed_in(server)
    first = set(server.children())
    paths = ["/private/a.txt", "/dashboard", "/auth/resend"]
    with Load(server, client, paths) as load:
        load.wait(RATE // 2)
        for _ in range(4):
            server.graceful()
            load.wait(RATE)
    total = sum(load.answers.values())
    assert total >= 4 * RATE
    assert load.answers == {(path, 200): load.answers[(path, 200)] for path in paths}, load.answers
    assert is_signed_in(client)
    wait_for(lambda: not first & set(server.children()), 60, "the first children to be gone")


def test_submits_during_graceful_restarts(new_server):
    """Trap 24: old and new children share one writer lock; every registration stands and each mail arrives once."""
    server = new_server(conf=FREE)
    persons, stop, failed = [], threading.Event(), []

    def people():
        while not stop.is_set():
            try:
                persons.append(register(Client(server)))
            except Exception as error:  # whatever it is, the test has to see it
                failed.append(repr(error))

    threads = [threading.Thread(target=people) for _ in range(3)]
    for thread in threads:
        thread.start()
    for n in range(1, 5):
        wait_for(lambda n=n: len(persons) >= 10 * n or failed, 60, "registrations")
        server.graceful()
    stop.set()
    for thread in threads:
        thread.join()
    assert failed == []
    for person in persons:
        wait_sent(server, person.email, seconds=60)
    got = Counter(mail.to for mail in server.mails())
    assert got == Counter({person.email: 1 for person in persons})


@pytest.mark.parametrize("how", ["graceful", "stop", "SIGHUP"])
def test_a_restart_signs_nobody_out(new_server, how):
    server = new_server()
    client = signed_in(server)
    if how == "graceful":
        server.graceful()
    elif how == "stop":
        server.restart()
    else:
        before = server.log().count("resuming normal operations")
        os.kill(server.process.pid, signal.SIGHUP)
        wait_for(lambda: server.log().count("resuming normal operations") > before, what="the restart")
    assert is_signed_in(client)
    sign_in(Client(server), client.person)


def test_changed_directives_count_after_a_graceful_restart(new_server):
    """PROC-05: name, path, lifetimes, bounds of hashes, another vhost's lines: new for all, sessions kept."""
    server = new_server(conf="UserAuthSiteName Before\n")
    client = signed_in(server)
    server.conf = "UserAuthSiteName After\nUserAuthPath /in\nUserAuthHashConcurrency 1\nUserAuthHashQueue 5\nUserAuthSessionIdle 2h\n"
    server.graceful()
    wait_for(lambda: client.get("/in/resend").status_code == 200, what="the new path")
    assert "· After</title>" in client.get("/in/resend").text
    assert client.get("/auth/resend").status_code == 404
    assert is_signed_in(client)
    answer = Client(server).post("/in/login", {"login": client.person.username, "password": PASSWORD})
    assert answer.status_code == 303
    server.conf = "UserAuthSessionLifetime 1s\n"
    server.renew()
    other = Client(server)
    answer = other.post("/auth/login", {"login": client.person.username, "password": PASSWORD})
    assert answer.status_code == 303
    wait_for(lambda: not is_signed_in(other), what="the new lifetime to end the session")


@engines.ONLY_A_FILE
def test_a_graceful_restart_while_somebody_else_writes(new_server):
    """PROC-03, DB-01: an administrator holds SQLite's lock, requests wait for it in turn, and logs are rotated."""
    server = new_server(conf=FREE)
    member, others = signed_in(server), sqlite3.connect(server.folder / "userauth.db", isolation_level=None)
    server.expect_log("UA0|AH0")
    posts = [threading.Thread(target=lambda: Client(server).json("POST", "/auth/register", fields_of(stranger()))) for _ in range(20)]
    others.execute("BEGIN IMMEDIATE")
    try:
        for post in posts:
            post.start()
            time.sleep(0.1)
        os.kill(server.process.pid, signal.SIGUSR1)
        wait_for(lambda: server.process.poll() is not None or server.log().count("resuming normal operations") > 1, 60, "the restart")
        assert server.process.poll() is None, "Apache has ended"
    finally:
        others.close()
        for post in posts:
            post.join()
    wait_for(lambda: is_signed_in(member), 20, "the site to be back")


def test_a_wait_after_failures_survives_a_restart(new_server):
    """BF-11."""
    server = new_server()
    person = join(server)
    for _ in range(5):
        Client(server).json("POST", "/auth/login", {"login": person.email, "password": "wrong-horse-battery-1"})
    server.restart()
    answer = Client(server).json("POST", "/auth/login", {"login": person.email, "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (429, "account_locked")


def test_mails_that_wait_survive_a_restart(new_server, tmp_path):
    """INV-4: queued with the account, sent after the restart, once."""
    bad = BadSmtp(tmp_path / "smtp")
    bad.start()
    bad.stop()
    server = new_server(site=False, conf=site(FREE, UserAuthMail=f"smtp://localhost:{bad.port} accounts@example.com"))
    server.expect_log("UA0201|UA0202")
    persons = [register(Client(server)) for _ in range(3)]
    server.restart()
    bad.start()
    try:
        messages = bad.wait_for(3, 30)
        for person in persons:
            wait_sent(server, person.email)
        assert Counter(m.recipients[0] for m in bad.messages()) == Counter(p.email for p in persons) and len(messages) == 3
    finally:
        server.stop()
        bad.stop()


@pytest.mark.parametrize("mode", ["silent", "stall-middle"])
def test_a_sender_that_is_held_does_not_hold_a_graceful_restart(new_server, tmp_path, mode):
    """Trap 23: the old child goes, another one has the mail; nothing aborts."""
    with BadSmtp(tmp_path / "smtp", mode=mode) as bad:
        server = new_server(site=False, conf=site(FREE, UserAuthMail=f"smtp://localhost:{bad.port} accounts@example.com"))
        person = register(Client(server))
        wait_for(lambda: bad.connections, what="the sender")
        if mode != "silent":
            bad.seen("middle", 20)
        old = set(server.children())
        bad.set_mode("ok")
        server.graceful()
        messages = bad.wait_for(1, 45)
        assert [m.recipients for m in messages] == [[person.email]]
        wait_for(lambda: not old & set(server.children()), 45, "the old children to be gone")
        wait_sent(server, person.email)
        assert len(bad.messages()) == 1
        server.expect_log("UA0201: .*stopped|UA0202")
        server.stop()


def test_children_that_end_after_ten_connections(new_server):
    """PROC-08: 0 lines of an exit signal; every request is answered, mails go out, sessions hold."""
    server = new_server(start=False, head="MaxConnectionsPerChild 10\n" + TWO_CHILDREN, conf=GATED + FREE)
    apps.put(server, "private/a.txt", "private")
    server.start()
    client = signed_in(server)
    first = set(server.children())
    with Load(server, client, ["/private/a.txt", "/dashboard", "/auth/resend"], rate=60, threads=6) as load:
        persons = [register(Client(server)) for _ in range(5)]
        load.wait(150)
    assert set(status for _, status in load.answers) == {200}, load.answers
    for person in persons:
        wait_sent(server, person.email)
    assert is_signed_in(client)
    # Connections that clients keep count once: some more, until each child has had its ten (cgid's daemon stays).
    wait_for(lambda: Client(server).get("/auth/login") and len(first & set(server.children())) <= 1, 30, "new children")
    server.graceful()
    server.stop()
    assert "exit signal" not in server.log()


@pytest.mark.parametrize("how", ["TERM", "WINCH", "INT"])
def test_the_server_ends_cleanly(new_server, how):
    """PROC-08: libraries are left in order; no child dies by a signal, with a mail on its way as well."""
    server = new_server(conf=FREE)
    signed_in(server)
    person = register(Client(server))
    wait_for(Quiet(lambda: [server.process.pid, *server.children()]), what="quiet threads")  # mpm_event may crash by itself when TERM meets a busy worker
    os.kill(server.process.pid, getattr(signal, f"SIG{how}"))
    server.process.wait(30)
    assert "exit signal" not in server.log() and "Segmentation" not in server.log()
    server.process = None
    server.start()
    assert letter(server, person, seconds=30).token("verify")


def test_killed_children_hold_no_hash_slot_and_no_lock(new_server):
    """Trap 33, trap 3: children are killed while they hash and write; afterwards people register and sign in."""
    server = new_server(conf=FREE + "UserAuthHashConcurrency 2\nUserAuthHashQueue 16\n")
    person = join(server)
    server.expect_log(KILLED + "|AH00484|AH00485|AH10159|AH10392|AH10393: children are killed")

    def try_it():
        try:
            Client(server).json("POST", "/auth/login", {"login": person.username, "password": PASSWORD})
            register(Client(server))
        except Exception:  # the connection of a killed child: that is the point
            pass

    for _ in range(6):
        threads = [threading.Thread(target=try_it) for _ in range(8)]
        for thread in threads:
            thread.start()
        victims = [pid for pid in server.children() if is_worker(pid)]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        for thread in threads:
            thread.join()
        wait_for(lambda v=victims: not any(Path(f"/proc/{p}").exists() for p in v), what="the victims' end")
        wait_for(lambda: answers(server), 30, "new children")
    for _ in range(4):
        sign_in(Client(server), person)
        wait_sent(server, register(Client(server)).email, seconds=20)
    engines.check_sound(server)


def test_a_killed_parent(new_server):
    """PROC-02: what manages the service ends the rest and starts it again; nothing that was left over hinders that."""
    server = new_server(conf=FREE + "UserAuthSessionCacheTTL 2s\n")
    client = signed_in(server)
    waiting = register(Client(server))
    for _ in range(3):
        os.kill(server.process.pid, signal.SIGKILL)
        server.kill()
        server.expect_log("AH00098|UA020[1-4]")
        server.start()
        assert is_signed_in(client)
        sign_in(Client(server), client.person)
    wait_sent(server, waiting.email)
    assert len(server.mails(waiting.email)) == 1
    engines.check_sound(server)


def is_worker(pid):
    """cgid's daemon has no thread beside its first."""
    try:
        return len(os.listdir(f"/proc/{pid}/task")) > 1
    except OSError:
        return False


def answers(server):
    try:
        return Client(server).get("/auth/login").status_code == 200
    except Exception:
        return False


PREFORK = pytest.mark.skipif(http2.USED, reason="mod_http2 does not support prefork, and crashes there by itself at the end")


@pytest.mark.parametrize("mpm", [pytest.param("prefork", marks=PREFORK), "worker"])
def test_other_process_models(new_server, mpm):
    """APA-07: the journey, a gate, a graceful restart and an end without a word in the log."""
    server = new_server(start=False, mpm=mpm, conf=GATED)
    apps.put(server, "private/a.txt", "private")
    server.start()
    client = signed_in(server)
    assert client.get("/private/a.txt").text == "private"
    server.graceful()
    assert is_signed_in(client)
    register(Client(server))
    server.stop()
    assert "exit signal" not in server.log()
