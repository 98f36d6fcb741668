"""Platform traps (traps.md) that show at the server's edge: what logs hold, what bodies cost, what pages say."""
import http.client
import re
from pathlib import Path
from urllib.parse import quote, urlencode

import engines
import http2
import pytest
from client import Client, the_form
from people import PASSWORD, fields_of, letter, sign_in, stranger
from server import wait_for

STATUS = '<Location "/server-status">\nSetHandler server-status\n</Location>\nExtendedStatus On\n'
TRACE = "LogLevel info userauth:trace8\n"


def everything_written(server):
    """All bytes of logs, database and events."""
    return engines.contents(server) + b"".join(path.read_bytes() for path in server.folder.glob("logs/*"))


def test_no_secret_is_written_anywhere(new_server):
    """PRIV-01, trap 25, INV-6, trap 18: passwords, cookies, link tags: in no log, database or status page."""
    server = new_server(head="ExtendedStatus On\n" + TRACE, conf=STATUS.replace("ExtendedStatus On\n", ""))
    secrets = {PASSWORD}
    person = stranger()
    browser = Client(server, browser=True)
    browser.form("/auth/register", fields_of(person))
    mail = letter(server, person)
    for verb in ("verify", "disown"):
        secrets.add(mail.token(verb).partition(".")[2])
    token = mail.token("verify")
    scanner = Client(server)
    for link in (f"/auth/verify?token={token}", f"/auth/verify?x=1&token={token}&y=2", f"/auth/verify?TOKEN={token}",
                 f"/auth/verify?tok%65n={token}", f"/auth/verify?token={token}&token={token}", f"/auth/verify/?token={token}",
                 f"/auth/verify?token={quote(token, safe='').replace('.', '%2e')}", f"/auth/unknown?token={token}",
                 f"/auth/verify?code=12345678&token={token}", f"/auth/?token={token}", f"/auth?token={token}"):
        for method in ("GET", "HEAD", "OPTIONS", "POST", "PATCH"):
            scanner.request(method, link)
    seen = browser.get(f"/auth/verify?token={token}")
    while seen.is_redirect and "login" not in seen.headers["Location"]:
        seen = browser.follow(seen)
    secrets.update(value for name, value in browser.cookies.items())
    wrong = "wrong-canary-password-71"
    secrets.add(wrong)
    browser.form("/auth/login", {"login": person.email, "password": wrong})
    entered = browser.form("/auth/login", {"login": person.email, "password": PASSWORD, "remember": "1"})
    assert entered.headers["Location"] == "/dashboard"
    secrets.update(value for name, value in browser.cookies.items())
    page = browser.get("/auth/logout").text
    secrets.add(the_form(page)["hidden"]["csrf"])
    shown = browser.get("/server-status").text
    assert "/auth/verify" in shown
    browser.form("/auth/logout", {})
    server.stop()
    written = everything_written(server)
    # A registration cookie begins with the account's id, which is no secret.
    secrets = {value.partition(".")[2] if re.match(r"[0-9a-f-]{36}\.", value) else value for value in secrets}
    assert len(secrets) >= 8 and all(len(value) >= 16 for value in secrets), secrets
    for secret in secrets:
        assert secret.encode() not in written, f"{secret} is written somewhere"
        assert secret not in shown
    assert any("token=***" in line for line in server.access_log())
    assert sum("/auth/verify" in line for line in server.access_log()) > 30


@pytest.mark.parametrize("spoil", ["Cookie: " + "x" * 9000, "Bad Header", "Host: a b", "X: " + "\x01"], ids=["long", "no-colon", "host", "control"])
def test_a_token_in_a_request_that_httpd_refuses_is_not_logged(new_server, spoil):
    """Trap 25: a 400 before post_read_request is logged as well."""
    import socket

    server = new_server()
    with socket.create_connection(("127.0.0.1", server.port), 20) as link:
        request = f"GET /auth/verify?token=11111111-2222-4333-8444-555555555555.canaryCanaryCanary HTTP/1.1\r\nHost: localhost\r\n{spoil}\r\n\r\n"
        link.sendall(request.encode("latin-1"))
        assert link.recv(12) in (b"HTTP/1.1 400", b"HTTP/1.1 431")
    wait_for(server.access_log, what="the access log")
    server.stop()
    assert not [line for line in server.access_log() if "canaryCanary" in line]


def test_a_link_works_although_its_token_is_masked(new_server):
    """The masked query is for others; the page itself reads what was sent."""
    server = new_server()
    client = Client(server)
    person = stranger()
    client.json("POST", "/auth/register", fields_of(person))
    answer = client.get(letter(server, person).link("verify") + "&x=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/login?notice=verified")
    wait_for(lambda: [line for line in server.access_log() if f"/auth/verify?token=***&x=1 {http2.NAME}" in line], what="its line")


def test_other_queries_are_logged_as_they_are(new_server):
    server = new_server()
    (server.folder / "htdocs" / "a.txt").write_text("a")
    Client(server).get("/a.txt?ticket=of-the-application&codes=1")
    Client(server).get("/auth/login?next=%2Fa.txt")
    wait_for(lambda: len(server.access_log()) >= 3, what="the access log")
    lines = "\n".join(server.access_log())
    assert "/a.txt?ticket=of-the-application&codes=1" in lines and "/auth/login?next=%2Fa.txt" in lines


def rss(server):
    """The memory of all children together, in bytes."""
    total = 0
    for pid in server.children():
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        total += int(found[1]) * 1024 if found else 0
    return total


@pytest.mark.parametrize("size", [65537, 1 << 20, 4 << 20, 16 << 20])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_body_of_empty_pairs_costs_nothing(server, size, chunked):
    """Trap 17, BODY-02: 413 and no growth (mod_auth_form grew a child by 955 MB)."""
    Client(server).post("/auth/login", {"login": "x", "password": "y"})
    before = rss(server)
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    link.putrequest("POST", "/auth/login")
    link.putheader("Content-Type", "application/x-www-form-urlencoded")
    block = b"=&" * 4096
    try:
        if chunked:
            link.putheader("Transfer-Encoding", "chunked")
            link.endheaders()
            for _ in range(size // len(block) + 1):
                link.send(b"%x\r\n" % len(block) + block + b"\r\n")
            link.send(b"0\r\n\r\n")
        else:
            link.putheader("Content-Length", str(size))
            link.endheaders()
            for _ in range(size // len(block)):
                link.send(block)
            link.send(b"=" * (size % len(block)))
    except OSError:
        pass  # the server may answer and close before it was all sent
    try:
        assert link.getresponse().status == 413
    except (ConnectionResetError, BrokenPipeError):
        assert size > 65537  # the answer was lost in the reset; the next check still counts
    assert rss(server) - before < 24 << 20
    assert Client(server).get("/auth/login").status_code == 200


def test_the_policy_lets_a_sign_in_end_elsewhere(server):
    """Trap 27: no form-action in the CSP; Referrer-Policy that keeps Origin on own submits."""
    page = Client(server).get("/auth/login?next=%2Fdashboard")
    policy = page.headers["Content-Security-Policy"]
    assert "form-action" not in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert page.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("where", ["https://evil.example/", "//evil.example", "/\\evil.example", "/%2f/evil.example", "javascript:alert(1)"])
def test_a_sign_in_trusts_no_field_for_its_target(server, where):
    """Trap 18: mod_auth_form redirects to whatever the form says; we to a local path or the dashboard."""
    from people import join

    client = Client(server)
    person = join(server, client)
    assert sign_in(client, person, next=where).headers["Location"] == "/dashboard"
    other = Client(server)
    data = urlencode({"login": person.username, "password": PASSWORD})
    answer = other.post(f"/auth/login?next={quote(where, safe='')}", data, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard")


def files_of(pid):
    """What a process has open; what it closes meanwhile is not."""
    names = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            names.add(str(link.readlink()))
        except FileNotFoundError:
            pass
    return names


def has_database(pid):
    return any("userauth.db" in name for name in files_of(pid))


@engines.ONLY_A_FILE
def test_a_child_connects_after_the_fork(new_server):
    """Trap 13, DB-19: the parent keeps no descriptor of the database."""
    server = new_server()
    wait_for(lambda: any(has_database(child) for child in server.children()), what="a child with the database open")
    assert not has_database(server.process.pid), files_of(server.process.pid)


def test_a_changed_schema_heals_by_itself(new_server):
    """Trap 4, UPG-02: another process changes the schema; prepared statements fail once and are made anew."""
    server = new_server()
    people = []
    tidied = ["ANALYZE TABLE account", "OPTIMIZE TABLE account"] if engines.NAME == "mysql" else ["ANALYZE", "VACUUM"]
    changed = ["ALTER TABLE account ADD COLUMN more BIGINT DEFAULT 0", "CREATE INDEX account_more ON account (more)"]
    for statement in ("CREATE TABLE more (a TEXT)", *tidied, *changed, "DROP TABLE more"):
        server.db(statement)
        for _ in range(6):
            person = stranger()
            people.append(person.email)
            assert Client(server).json("POST", "/auth/register", fields_of(person)).status_code == 201
            assert Client(server).json("GET", "/auth/health").status_code == 200
    wait_for(lambda: server.db("SELECT COUNT(*) FROM outbox WHERE state <> 1")[0][0] == 0, 30, "all mails")
    assert sorted(mail.to for mail in server.mails()) == sorted(people), "a mail was sent twice or not at all"
