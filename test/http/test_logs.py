"""What the logs hold: no token, no password, no query; and one line of JSON for each event."""
import http.client
import json
import re

import engines
import pytest
from client import Client
from people import fields_of, letter, register, sign_in, stranger
from server import Server

SCANNER = "203.0.113.44"
QUERY = "canary-of-the-query"
CONF = r"""
UserAuthMailLimit off
UserAuthVerifyOnGet browser
LogLevel info userauth:trace8
CustomLog "${RUN}/logs/access.log" full
CustomLog "${RUN}/logs/plain.log" "%h %u %t \"%m %U %H\" %>s"
"""


@pytest.fixture(scope="module")
def told(run_folder):
    """A server after a whole journey, with its secrets. Both log formats: httpd's usual one and that of `make run`."""
    server = Server(run_folder, conf=CONF)
    try:
        server.start()
        walk(server)
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(told, log_gate):
    log_gate.watch(told)


def as_sent(server, target):
    """A request whose path no library tidies."""
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    link.putrequest("GET", target)
    link.putheader("X-Test-Address", SCANNER)
    link.endheaders()
    assert link.getresponse().status < 500
    link.close()


def walk(server):
    """Registers, follows links in every way, signs in and out, and errs."""
    person = stranger()
    person.password = "canary-marmalade-tuba-77"
    client = Client(server, browser=True)
    client.session.headers["User-Agent"] = 'odd "agent" \\ end'
    client.form("/auth/register", fields_of(person))
    mail = server.wait_mail(person.email)
    tokens = [mail.token("verify"), mail.token("disown")]
    scanner = Client(server, address=SCANNER)
    for verb, token in zip(("verify", "disown"), tokens):
        for query in (
            f"token={token}", f"a=b&token={token}&c=d", f"TOKEN={token}", f"t%6fken={token}", f"token={token}&token={token}"
        ):
            scanner.get(f"/auth/{verb}?{query}")
            scanner.request("HEAD", f"/auth/{verb}?{query}")
            scanner.request("POST", f"/auth/{verb}?{query}", data={})
            scanner.get(f"/auth/nothing?{query}")
            scanner.get(f"/auth/{verb}/?{query}")
            for spelling in (
                f"//auth/{verb}", f"/auth//{verb}", f"/%61uth/{verb}", f"/auth/{verb[0]}%{ord(verb[1]):x}{verb[2:]}",
                f"/x/../auth/{verb}", f"/auth/./{verb}", f"/auth/x/..//{verb}"
            ):
                as_sent(server, f"{spelling}?{query}")
    scanner.json("POST", "/auth/verify", {"token": tokens[0][:-1] + "_"})
    scanner.get("/auth/login?next=/" + QUERY)
    client.post(
        "/auth/login", {"login": person.username, "password": person.password}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    client.json("POST", "/auth/login", {"login": person.email, "password": "canary-wrong-password-1"})
    client.json("POST", "/auth/login", {"login": "canary-pass-as-name-2", "password": "x"})
    client.follow(client.get("/auth/verify?token=" + tokens[0]))
    client.json("POST", "/auth/verify", {"token": tokens[0]})
    sign_in(Client(server), person)
    member = Client(server)
    sign_in(member, person)
    cookies = list(member.cookies.values())
    member.get("/dashboard?" + QUERY)
    member.json("POST", "/auth/logout", {})
    server.person, server.tokens = person, tokens
    server.secrets = [token.split(".")[1] for token in tokens] + cookies + [person.password, "canary-wrong-password-1"]


@pytest.mark.parametrize("name", ["access.log", "plain.log", "error.log", "events.log", "start.log"])
def test_no_secret(told, name):
    """PRIV-01, PRIV-02"""
    text = (told.folder / "logs" / name).read_text(errors="replace")
    for secret in told.secrets:
        assert secret not in text, f"{name} holds a secret"
    assert "canary-pass-as-name-2" not in text, "a password typed into the name's field is kept"


def test_the_access_log_of_make_run_holds_no_query(told):
    text = (told.folder / "logs" / "plain.log").read_text()
    assert "/auth/verify" in text and QUERY not in text and "?" not in text


def test_the_usual_access_log_shows_that_there_was_a_token(told):
    assert any(re.search(r'"GET /auth/verify\?token=[^a-z0-9]', line) for line in told.access_log())


def test_the_database_holds_no_token(told):
    """TOK-10, INV-6"""
    data = engines.contents(told)
    for secret in told.secrets:
        assert secret.encode() not in data


def test_every_event_is_a_line_of_json(told):
    """SMTP-07, INV-10"""
    events = [json.loads(line) for line in told.events()]
    for event in events:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", event["time"])
        assert event["event"] and event["site"] == told.base
    mine = [event["event"] for event in events if event.get("account") == account_id(told)]
    for name, times in (("registered", 1), ("verified", 1), ("login", 2), ("logout", 1)):
        assert mine.count(name) == times, f"{name}: {mine}"
    assert "login_failed" in mine
    assert not any("\x1b" in line for line in told.events())


def account_id(server):
    return server.db("SELECT id FROM account WHERE username = ?", server.person.username)[0]["id"]


def test_events_name_the_client_s_address(told):
    addresses = {json.loads(line)["address"] for line in told.events()}
    assert addresses and "127.0.0.1" not in addresses, "mod_remoteip's address is the client's"


def test_nobody_else_reads_the_event_log_and_the_keys(told):
    """CFG-02"""
    assert (told.folder / "userauth.keys").stat().st_mode & 0o077 == 0
    if engines.NAME == "sqlite3":
        assert (told.folder / "userauth.db").stat().st_mode & 0o007 == 0


@pytest.mark.parametrize("mangled", ["/auth/verify%3Ftoken={}", "/auth/verify?token%3D{}", "/auth/verify%3ftoken%3d{}", "/auth/verify&token={}",
                                     "/auth/verify?{}", "/auth/verify/{}", "/Auth/verify?token={}", "/auth/verify?x=1;token={}",
                                     "/auth/login?next=/auth/verify?token={}"])
def test_a_mangled_link_s_token_is_in_no_log(server, mangled):
    """PRIV-02: mail programs and scanners rewrite links; what is logged then opens nothing either."""
    person = register(Client(server), stranger())
    token = letter(server, person).token("verify")
    Client(server).get(mangled.format(token), headers={"Referer": server.base + "/"})
    assert not [line for line in server.access_log() if token.split(".")[1] in line]
