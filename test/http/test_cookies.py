"""The cookies: names and attributes on http://localhost and under https, and what becomes of foreign ones."""
import re

import engines
import pytest
from client import Client
from pages import problem
from people import PASSWORD, fields_of, is_signed_in, join, register, sign_in, signed_in, stranger
from server import Server

SECRET = r"[A-Za-z0-9_-]{43,}"
SCANNER = "203.0.113.55"


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf="UserAuthMailLimit off\nUserAuthLockAfter 1000\n")
    try:
        server.start()
        server.person = join(server)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def safe(run_folder):
    """The same with https."""
    server = Server(run_folder, tls=True)
    try:
        server.start()
        server.person = join(server)
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


def cookies(answer):
    """name -> (value, attributes in lower case) of every Set-Cookie."""
    found = {}
    for line in answer.raw.headers.getlist("Set-Cookie"):
        first, *rest = [part.strip() for part in line.split(";")]
        name, _, value = first.partition("=")
        assert name not in found, f"{name} is set twice"
        found[name] = (value, {part.lower() for part in rest})
    return found


def journey(server):
    """Every cookie that the journey sets, by name."""
    seen = {}
    client = Client(server)
    seen |= cookies(client.get("/auth/login"))
    person = stranger()
    seen |= cookies(client.json("POST", "/auth/register", fields_of(person)))
    token = server.wait_mail(person.email).token("verify")
    seen |= cookies(Client(server, address=SCANNER, browser=True).get(f"/auth/verify?token={token}"))
    assert client.json("POST", "/auth/verify", {"token": token}).status_code == 200
    answer = client.json("POST", "/auth/login", {"login": person.username, "password": PASSWORD, "remember": True})
    kept = cookies(answer)
    return seen | {name: value for name, value in kept.items() if value[0]}


def test_on_localhost(site):
    seen = journey(site)
    assert {"userauth", "userauth-device", "userauth-registration"} <= set(seen)
    for name, (value, attributes) in seen.items():
        assert name.startswith("userauth") and value
        assert {"httponly", "samesite=lax", "path=/"} <= attributes, name
        assert "secure" not in attributes, name
        assert not any(part.startswith("domain") for part in attributes), name
        assert not any(
            part.startswith("expires") for part in attributes
        ) or any(part.startswith("max-age") for part in attributes)
    assert re.fullmatch(SECRET, seen["userauth"][0])
    assert "max-age=2592000" in seen["userauth"][1]
    assert re.fullmatch(SECRET, seen["userauth-device"][0])
    assert "max-age=34560000" in seen["userauth-device"][1], "400 days"
    links = [value for name, value in seen.items() if value[0].count(".") == 1 and "max-age=600" in value[1]]
    assert len(links) == 1, "the link's cookie lives ten minutes"


def test_under_https(safe, log_gate):
    log_gate.watch(safe)
    seen = journey(safe)
    assert {"__Host-userauth", "__Host-userauth-device", "__Host-userauth-registration"} <= set(seen)
    for name, (_, attributes) in seen.items():
        assert name.startswith("__Host-userauth"), name
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= attributes, name
        assert not any(part.startswith("domain") for part in attributes), name


def test_names_of_the_other_kind_are_ignored(site, safe, log_gate):
    """COOK-05"""
    log_gate.watch(safe)
    value = signed_in(safe, safe.person).cookies["__Host-userauth"]
    ask = lambda server, cookie: Client(server).json("GET", "/dashboard", headers={"Cookie": cookie}).status_code
    assert ask(safe, f"__Host-userauth={value}") == 200
    assert ask(safe, f"userauth={value}") == 401
    value = signed_in(site, site.person).cookies["userauth"]
    assert ask(site, f"userauth={value}") == 200
    assert ask(site, f"__Host-userauth={value}") == 401
    assert ask(safe, f"__Host-userauth={value}") == 401, "two sites accept nothing of each other's"


def test_logout_takes_the_session_s_cookie_away(site, safe, log_gate):
    log_gate.watch(safe)
    for server, name in ((site, "userauth"), (safe, "__Host-userauth")):
        client = signed_in(server, server.person)
        value, attributes = cookies(client.json("POST", "/auth/logout", {}))[name]
        assert value == "" and "max-age=0" in attributes and "path=/" in attributes
        assert ("secure" in attributes) == (server is safe), "a __Host- cookie is taken away by one with Secure only"
        assert not is_signed_in(client)
        assert f"{name}-device" in client.cookies, "the known browser stays known"


def test_the_database_holds_no_cookie(site):
    """INV-6"""
    client = Client(site)
    register(client)
    values = [client.cookies["userauth-registration"].split(".")[1]]
    member = signed_in(site, site.person)
    values += [member.cookies["userauth"], member.cookies["userauth-device"]]
    data = engines.contents(site)
    assert not any(value.encode() in data for value in values)


def test_cookies_are_new_each_time(site):
    clients = [signed_in(site, site.person) for _ in range(3)]
    for name in ("userauth", "userauth-device"):
        assert len({client.cookies[name] for client in clients}) == 3


def test_a_known_browser_keeps_its_cookie(site):
    client = signed_in(site, site.person)
    device = client.cookies["userauth-device"]
    client.json("POST", "/auth/logout", {})
    answer = sign_in(client, site.person)
    assert "userauth-device" not in cookies(answer) and client.cookies["userauth-device"] == device
    other = join(site)
    assert client.json("POST", "/auth/login", {"login": other.username, "password": PASSWORD}).status_code == 200
    assert client.cookies["userauth-device"] != device, "another person's browser"


def test_the_session_s_value_is_shown_nowhere(site):
    """COOK-06"""
    client = signed_in(site, site.person)
    value = client.cookies["userauth"]
    for method, path in (
        ("GET", "/dashboard"), ("GET", "/auth/login"), ("GET", "/auth/logout"), ("GET", "/auth/nothing"),
        ("DELETE", "/auth/login"), ("GET", "/auth/health"), ("POST", "/auth/verify")
    ):
        for accept in ("text/html", "application/json"):
            answer = client.request(method, path, headers={"Accept": accept})
            assert value not in answer.text and value not in str(answer.headers), path
    assert value not in site.log() and value not in "".join(site.access_log()) and value not in "".join(site.events())


ODD = [
    "", "=", ";", ";;;;", "=;=;=", "userauth", "userauth=", "userauth=;", '"userauth"="x"', "userauth=\"x", "userauth=x\\",
    "userauth=\xff\xfe", "userauth=" + "A" * 7000,
    "a=b; " * 900, "userauth=x; userauth=y", "userauth%3Dx", "userauth = x ", "userauth=" + "A" * 42, "userauth=" + "A" * 44,
    "userauth=../../x", "$Version=1; userauth=x",
    "userauth-csrf=x", "userauth-registration=x", "userauth-registration=" + "A" * 80, "userauth-device=x",
    "userauth-link-verify=x",
]


@pytest.mark.parametrize("cookie", ODD, ids=range(len(ODD)))
def test_odd_cookies(site, cookie):
    """COOK-01, ENC-05: as without a cookie."""
    raw = cookie.encode("latin-1")
    assert Client(site).get("/auth/login", headers={"Cookie": raw}).status_code == 200
    assert Client(site).get("/dashboard", headers={"Cookie": raw}).status_code == 303
    problem(Client(site).json("GET", "/dashboard", headers={"Cookie": raw}), 401, "login_required")
    assert Client(site).json("GET", "/auth/check-email", headers={"Cookie": raw}).json()["mail"] == "unknown"


def test_a_good_cookie_among_others(site):
    value = signed_in(site, site.person).cookies["userauth"]
    for line in (f"a=b; userauth={value}; c=d", f"xuserauth=1; userauth-x=2; userauth={value}", f"userauth={value};a=b"):
        assert Client(site).json("GET", "/dashboard", headers={"Cookie": line}).status_code == 200


def test_two_session_cookies_are_no_session(site):
    """COOK-03: never the wrong one; a planted one beside the good one lets nobody in as somebody else."""
    mine, theirs = signed_in(site, site.person), signed_in(site)
    line = f"userauth={theirs.cookies['userauth']}; userauth={mine.cookies['userauth']}"
    answer = Client(site).json("GET", "/dashboard", headers={"Cookie": line})
    assert answer.status_code in (200, 401)
    if answer.status_code == 200:
        assert answer.json()["username"] == theirs.person.username, "browsers send the more specific one first"


def test_no_cookie_where_none_is_needed(site):
    """A program that never shows a form gets none; health and assets set none."""
    client = Client(site)
    for answer in (
        client.get("/auth/health"), client.json("GET", "/auth/login"), client.json("GET", "/dashboard"),
        client.get("/dashboard"), client.json("POST", "/auth/login", {"login": "x", "password": "y"})
    ):
        assert not cookies(answer)
