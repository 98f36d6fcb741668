"""/auth/health: for load balancers: 200 or 503, in JSON, without secrets."""
import engines
import pytest
from bad_smtp import BadSmtp
from client import Client
from confhelp import site
from pages import problem, refused
from people import join, register
from server import Server, wait_for


def test_fine(server, client):
    for headers in ({}, {"Accept": "text/html"}, {"Accept": "application/json"}, {"Accept": "*/*"}):
        answer = client.get("/auth/health", headers=headers)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.json()


def test_head_options_and_others(client):
    head = client.request("HEAD", "/auth/health")
    assert (head.status_code, head.content) == (200, b"")
    assert client.request("OPTIONS", "/auth/health").status_code == 204
    answer = client.request("POST", "/auth/health")
    assert answer.status_code == 405 and "GET" in answer.headers["Allow"]


def test_no_secrets(server):
    """Nothing of the machine and of the people."""
    client = Client(server)
    person = register(client)
    text = client.get("/auth/health").text.lower()
    for word in (
        str(server.folder).lower(), "sqlite", "/var", "userauth.db", "password", person.username, person.email, "smtp", "pid",
        "version", "apache"
    ):
        assert word not in text
    assert not client.get("/auth/health", headers={"Cookie": "userauth=" + "A" * 43}).headers.get("Set-Cookie")


@pytest.mark.parametrize("known", [True, False])
def test_mails_to_nobody_show_as_others_do(new_server, tmp_path, known):
    """ENUM-06: who asks for a reset learns nothing of the address from what becomes of the mails."""
    with BadSmtp(tmp_path / "smtp") as smtp:
        server = new_server(site=False, conf=site("UserAuthMailLimit off\n", UserAuthMail=f"smtp://localhost:{smtp.port} a@example.com"))
        client = Client(server)
        person = register(client)
        smtp.wait_for(1)
        server.db("UPDATE account SET enabled = 1, verified = 1")
        email = person.email if known else "nobody@example.org"

        def health():
            return client.get("/auth/health").json()["mail"]

        wait_for(lambda: server.db("SELECT COUNT(*) FROM outbox WHERE state = 0")[0][0] == 0, what="the first mail to be marked")
        assert health() == "ok"
        smtp.set_mode("mail-452")
        server.expect_log("UA0201|UA0202")
        assert client.json("POST", "/auth/forgot", {"email": email}).status_code == 202
        wait_for(lambda: health() == "delayed", what="the failure to show")
        assert "MAIL failed: 452 (reply 452)" in server.log() and "UA0202" not in server.log()
        smtp.set_mode("ok")
        wait_for(lambda: health() == "ok", what="its end to show")
        assert server.log().count("UA0202") == 1
        assert len(smtp.messages()) == (2 if known else 1)


@pytest.fixture(scope="module")
def broken(run_folder):
    """A server with a person, whose database can be taken away: broken.take(), broken.give_back()."""
    server = Server(run_folder)
    try:
        server.start()
        server.person = join(server)
        yield server
    finally:
        server.stop()


def is_let_in(server):
    answer = Client(server).json("POST", "/auth/login", {"login": server.person.username, "password": server.person.password})
    return answer.status_code == 200


@pytest.fixture
def outage(broken, log_gate):
    log_gate.watch(broken)
    broken.expect_log(r"UA\d+")
    tables = engines.tables(broken)
    for table in tables:
        broken.db(f'ALTER TABLE {table} RENAME TO away_{table}')
    yield broken
    for table in tables:
        broken.db(f'ALTER TABLE away_{table} RENAME TO {table}')
    wait_for(lambda: Client(broken).get("/auth/health").status_code == 200, 5, "the server to recover")
    wait_for(lambda: is_let_in(broken), 5, "a sign-in after the outage")


def test_storage_gone(outage):
    """INV-7: nothing is let in, the cause is in the log only, and it recovers by itself."""
    client = Client(outage)
    answer = client.get("/auth/health")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert isinstance(answer.json(), dict)
    login = {"login": outage.person.username, "password": outage.person.password}
    for text in (
        answer.text,
        str(problem(client.json("POST", "/auth/login", login), 503, "storage_unavailable")),
        refused(client.post("/auth/login", login), 503).text,
        refused(client.get("/auth/verify?token=x"), 503).text,
        str(problem(client.json(
            "POST", "/auth/register", {"username": "new-one", "email": "new@example.org", "password": login["password"]}
        ), 503, "storage_unavailable")),
    ):
        assert not any(word in text.lower() for word in ("sqlite", "no such table", "userauth.db", "apr"))
    assert Client(outage).get("/dashboard", headers={"Cookie": "userauth=" + "A" * 43}).status_code == 503
    assert outage.log().count("UA0") >= 1
    outage.expect_log(r"UA\d+")
