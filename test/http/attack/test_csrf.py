"""Forged submits: a foreign page uses the victim's browser (CSRF-01..10, contract 4)."""
import itertools

import pytest

from attacks import exchange, guarded, pairs, request
from client import Client, the_form
from people import is_signed_in, join, stranger

ROUTES = ("register", "check-email", "resend", "login", "logout", "verify", "disown")
numbers = itertools.count()


def valid_fields(server, person, route):
    """A submit that would change something if it were believed."""
    new = stranger(f"forged{next(numbers)}")
    return {
        "register": {"username": new.username, "email": new.email, "password": new.password},
        "check-email": {"email": new.email},
        "resend": {"email": person.email},
        "login": {"login": person.username, "password": person.password},
        "logout": {},
        "verify": {"token": "0" * 36 + "." + "A" * 43},
        "disown": {"token": "0" * 36 + "." + "A" * 43},
    }[route]


def foreign_headers(server):
    port = server.port
    origins = (
        "https://evil.example",
        "http://evil.example",
        f"http://localhost:{port}.evil.example",
        f"http://evil.example:{port}",
        f"http://localhost:{port + 1}",
        "http://localhost",
        f"https://localhost:{port}",
        f"http://x@localhost:{port}",
        f"http://localhost:{port}@evil.example",
        f"http://localhost:{port} http://evil.example",
        f"http://localhost:{port}, https://evil.example",
        f"http://localhost.:{port}",
        f"http://localhost:0{port}",
        f"http://127.0.0.2:{port}",
        "file://",
        "chrome-extension://abcdefgh",
    )
    sites = ("cross-site", "same-site", "bogus", "same-origin, cross-site", "cross-site, same-origin", '"same-origin"')
    return [{"Sec-Fetch-Site": site} for site in sites] + [{"Origin": origin} for origin in origins]


@pytest.mark.parametrize("route", ROUTES)
def test_csrf_01_foreign_submits_change_nothing(server, victim, victim_account, unchanged, route):
    """CSRF-01: even with the page's own field, a foreign origin is 403 and nothing happens."""
    page = victim.get("/auth/logout").text
    field = the_form(page)["hidden"]["csrf"]
    mails = len(server.db("SELECT id FROM outbox"))
    unchanged.start()
    for headers in foreign_headers(server):
        for extra in ({}, {"csrf": field}):
            fields = {**valid_fields(server, victim_account, route), **extra}
            answer = victim.post(f"/auth/{route}", fields, headers=headers)
            assert answer.status_code == 403, f"{headers} {extra and 'with field'}: {answer.status_code}"
            assert "userauth=" not in answer.headers.get("Set-Cookie", "")
    assert len(server.db("SELECT id FROM outbox")) == mails
    assert is_signed_in(victim)


@pytest.mark.parametrize("route", ROUTES)
def test_csrf_01_json_from_elsewhere_is_refused(server, victim, victim_account, unchanged, route):
    """CSRF-01: the right to send JSON without a field is our own origin's only."""
    unchanged.start()
    for headers in foreign_headers(server):
        answer = victim.json("POST", f"/auth/{route}", valid_fields(server, victim_account, route), headers=headers)
        assert answer.status_code == 403 and answer.json()["code"] == "csrf", f"{headers}: {answer.status_code}"


def test_csrf_01_fetch_site_outranks_origin(server, victim, unchanged):
    """CSRF-01: a good Origin does not save a submit that the browser calls cross-site."""
    unchanged.start()
    answer = victim.post("/auth/logout", headers={"Sec-Fetch-Site": "cross-site", "Origin": server.base})
    assert answer.status_code == 403


def test_csrf_01_a_refused_form_does_not_echo_the_attacker(server, victim):
    """CSRF-01: what a foreign page sent is not shown as typed by the victim."""
    answer = victim.post(
        "/auth/register", {"username": "planted-name"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403 and "planted-name" not in answer.text


def test_csrf_02_login_forgery(server, victim_account):
    """CSRF-02: a foreign page cannot sign an anonymous browser in as the attacker."""
    attacker, browser = Client(server), Client(server)
    form = the_form(attacker.get("/auth/login").text)["hidden"]
    browser.get("/auth/login")
    fields = {"login": victim_account.username, "password": victim_account.password}
    tries = (
        ({"Sec-Fetch-Site": "cross-site"}, {}),
        ({"Origin": "https://evil.example"}, {}),
        ({"Origin": "null"}, {}),
        ({"Origin": "null"}, form),
        ({"Sec-Fetch-Mode": "navigate"}, form),
        ({"Sec-Fetch-Site": "none"}, form),
        ({"Sec-Fetch-Dest": "iframe"}, {}),
        ({"Origin": server.base}, form),
    )
    for headers, extra in tries:
        answer = browser.post("/auth/login", {**fields, **extra}, headers=headers)
        assert answer.status_code == 403, f"{headers}: {answer.status_code}"
        assert "userauth" not in browser.cookies


def mangled(field):
    return {
        "missing": None,
        "empty": "",
        "cut": field[:-4],
        "one byte longer": field + "A",
        "first changed": ("B" if field[0] != "B" else "C") + field[1:],
        "last changed": field[:-1] + ("g" if field[-1] != "g" else "w"),
        "zeroes": "A" * len(field),
        "padded": field + "=",
        "not base64": "%" * len(field),
        "blank": field[:5] + " " + field[6:],
    }


def test_csrf_03_mangled_fields(server, victim, unchanged):
    """CSRF-03: missing, empty, cut, changed."""
    unchanged.start()
    field = the_form(victim.get("/auth/logout").text)["hidden"]["csrf"]
    for name, value in mangled(field).items():
        answer = victim.post("/auth/logout", {"csrf": value} if value is not None else {})
        assert answer.status_code == 403, f"{name}: {answer.status_code}"
    assert victim.post("/auth/logout", f"csrf={field}&csrf={field}", headers={
        "Content-Type": "application/x-www-form-urlencoded"}).status_code == 400


def test_csrf_03_fields_of_others(server, victim, victim_account, unchanged):
    """CSRF-03: of another session, of the time before the login, of another browser."""
    other, before = Client(server), Client(server)
    of_other = the_form(other.get("/auth/login").text)["hidden"]["csrf"]
    old = the_form(before.get("/auth/login").text)["hidden"]["csrf"]
    before.form("/auth/login", {"login": victim_account.username, "password": victim_account.password})
    assert is_signed_in(before)
    of_session = the_form(victim.get("/auth/logout").text)["hidden"]["csrf"]
    unchanged.start()
    for field in (of_other, old, of_session):
        answer = before.post("/auth/logout", {"csrf": field}, headers={"Origin": server.base})
        assert answer.status_code == 403
    assert is_signed_in(before)


def test_csrf_03_the_field_of_an_ended_session_is_stale(server, victim_account):
    """CSRF-03: after signing out and in, the old page's field is refused, and the answer's own works."""
    client = Client(server)
    fields = {"login": victim_account.username, "password": victim_account.password}
    client.form("/auth/login", fields)
    old = the_form(client.get("/dashboard").text, "logout")["hidden"]["csrf"]
    client.form("/auth/logout", {})
    client.form("/auth/login", fields)
    answer = client.post("/auth/logout", {"csrf": old})
    assert answer.status_code == 403
    fresh = the_form(answer.text)["hidden"]["csrf"]
    assert client.post("/auth/logout", {"csrf": fresh}).status_code == 303


def test_csrf_03_two_fields_of_one_page_differ(victim):
    """CSRF-03, BREACH: the field is masked anew, so that compression tells nothing."""
    seen = {the_form(victim.get("/auth/logout").text)["hidden"]["csrf"] for _ in range(4)}
    assert len(seen) == 4


KINDS = (
    "text/plain",
    "text/plain; charset=application/json",
    "text/plain;application/json",
    "text/plain, application/json",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/jsonp",
    "application/json-seq",
    "application/x-json",
    "text/json",
    "json",
    "*/*",
    ";application/json",
    "application/x-www-form-urlencodedx",
    None,
)


@pytest.mark.parametrize("kind", KINDS)
def test_csrf_05_json_in_disguise(server, victim, victim_account, unchanged, kind):
    """CSRF-05: JSON under a type that a foreign page may send is never read as JSON."""
    unchanged.start()
    data = '{"login":"%s","password":"%s"}' % (victim_account.username, victim_account.password)
    for path in ("/auth/login", "/auth/logout", "/auth/verify"):
        answer = victim.post(path, data.encode(), headers={"Content-Type": kind})
        assert answer.status_code in (403, 415), f"{path}: {answer.status_code}"
    if kind:
        exact = victim.post("/auth/login", data.encode(), headers={"Content-Type": kind, "Accept": "application/json"})
        assert exact.status_code == 415 and exact.json()["code"] == "unsupported_media_type"


def test_csrf_05_json_as_a_form(server, victim, victim_account, unchanged):
    """CSRF-05: JSON under the form's own type, as enctype tricks send it."""
    unchanged.start()
    data = '{"login":"%s","password":"%s","x":"="}' % (victim_account.username, victim_account.password)
    for kind in ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=application/json"):
        assert victim.post("/auth/login", data.encode(), headers={"Content-Type": kind}).status_code in (400, 403)


def test_csrf_06_reading_changes_nothing(server, victim, victim_account, unchanged):
    """CSRF-06: GET and HEAD, whatever method they claim to be."""
    unchanged.start()
    new = stranger("byget")
    query = pairs(
        login=victim_account.username, password=victim_account.password, username=new.username, email=new.email
    ).decode()
    overrides = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-Method")
    for route in ROUTES:
        for method in ("GET", "HEAD"):
            for extra in ("", "&_method=POST", "&_method=DELETE"):
                headers = {name: "POST" for name in overrides}
                answer = victim.request(method, f"/auth/{route}?{query}{extra}", headers=headers)
                assert answer.status_code in (200, 303, 400), f"{method} {route}: {answer.status_code}"
    assert is_signed_in(victim)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "PROPFIND", "post", "Post", "M-CUSTOM", "TRACE"])
def test_csrf_06_other_methods(server, victim, victim_account, unchanged, method):
    """CSRF-06: 405 with Allow, also for methods the server core would answer."""
    unchanged.start()
    body = pairs(login=victim_account.username, password=victim_account.password)
    cookie = "; ".join(f"{name}={value}" for name, value in victim.cookies.items())
    for path in ("/auth/login", "/auth/logout", "/dashboard"):
        headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", cookie)]
        if method != "TRACE":
            headers.append(("Content-Length", str(len(body))))
        answer = exchange(server, request(method, path, headers, b"" if method == "TRACE" else body))[0]
        assert answer.status == 405, f"{path}: {answer.status}"
        assert "GET" in answer.one("Allow")
        assert victim.cookies["userauth"].encode() not in answer.body


def test_csrf_06_fields_are_not_taken_from_the_query(server, victim_account, unchanged):
    """CSRF-06, BODY-08: a submit takes nothing but `next` from its query."""
    unchanged.start()
    query = pairs(login=victim_account.username, password=victim_account.password).decode()
    assert Client(server).json("POST", f"/auth/login?{query}", {}).status_code == 422
    assert Client(server).post(f"/auth/login?{query}", {"login": "x"}).status_code == 422


def test_csrf_08_preflights_allow_nothing(server, victim):
    """CSRF-08: OPTIONS with everything a foreign script may ask; the gate stands before it."""
    asks = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-remote-user",
        "Access-Control-Request-Private-Network": "true",
        "X-Remote-User": "admin",
        "Remote-User": "admin",
    }
    for path in [f"/auth/{route}" for route in ROUTES] + ["/auth/health"]:
        answer = victim.request("OPTIONS", path, headers=asks)
        assert answer.status_code == 204 and "Allow" in answer.headers
        assert not [name for name in answer.headers if name.lower().startswith("access-control")], path
    assert Client(server).request("OPTIONS", "/dashboard", headers=asks).status_code in (303, 401)
    assert Client(server).request("OPTIONS", "/dashboard/nothing", headers=asks).status_code in (303, 401)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_csrf_08_no_answer_is_readable_from_elsewhere(victim, method):
    """CSRF-08: no Access-Control-Allow-* on any answer, errors included."""
    for path in ("/auth/login", "/dashboard", "/auth/nothing", "/auth/health", "/auth/logout"):
        for origin in ("https://evil.example", "null"):
            answer = victim.request(method, path, headers={"Origin": origin, "Accept": "application/json"})
            assert not [name for name in answer.headers if name.lower().startswith("access-control")], path


def test_csrf_09_an_image_does_not_sign_out(server, victim, unchanged):
    """CSRF-09: GET of logout, however it is embedded."""
    unchanged.start()
    for dest in ("image", "iframe", "script", "document", "empty", "style"):
        for site in ("cross-site", "same-site", "none"):
            victim.get("/auth/logout", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Dest": dest})
    victim.get("/auth/logout", headers={"Sec-Purpose": "prefetch;prerender"})
    assert is_signed_in(victim)


def test_csrf_10_no_page_can_be_framed(server, victim):
    """CSRF-10: on every status, redirects and errors included."""
    anonymous = Client(server)
    seen = {}
    for client, method, path, kwargs in (
        (anonymous, "GET", "/auth/login", {}),
        (anonymous, "GET", "/auth", {}),
        (anonymous, "GET", "/auth/login/", {}),
        (anonymous, "GET", "/auth/nothing", {}),
        (anonymous, "GET", "/auth/assets/nothing.css", {}),
        (anonymous, "PUT", "/auth/login", {}),
        (anonymous, "POST", "/auth/login", {"data": b"{", "headers": {"Content-Type": "application/json"}}),
        (anonymous, "POST", "/auth/login", {"data": b"x", "headers": {"Content-Type": "text/plain"}}),
        (anonymous, "POST", "/auth/login", {"data": {"login": "", "password": ""}}),
        (anonymous, "POST", "/auth/login", {"data": {"login": "nobody-here", "password": "wrong-password"}}),
        (anonymous, "POST", "/auth/login", {"data": b"x=" + b"y" * 70000,
                                            "headers": {"Content-Type": "application/x-www-form-urlencoded"}}),
        (anonymous, "GET", "/auth/verify?token=x", {}),
        (anonymous, "GET", "/dashboard", {}),
        (anonymous, "GET", "/dashboard", {"headers": {"X-Requested-With": "x"}}),
        (victim, "GET", "/dashboard", {}),
        (victim, "GET", "/dashboard/nothing", {}),
        (victim, "POST", "/auth/logout", {}),
        (victim, "OPTIONS", "/auth/login", {}),
        (victim, "GET", "/auth/health", {}),
    ):
        answer = client.request(method, path, **kwargs)
        seen[answer.status_code] = path
        guarded(answer.headers)
        assert answer.headers["X-Frame-Options"] == "DENY", path
    assert {200, 204, 303, 308, 400, 401, 403, 404, 405, 413, 415, 422} <= set(seen), seen


def test_csrf_a_person_is_not_disturbed(server):
    """The counterpart: a browser's own submit passes with every honest header."""
    person = join(server)
    for headers in ({"Origin": server.base}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {}):
        client = Client(server)
        answer = client.form("/auth/login", {"login": person.email, "password": person.password}, headers=headers)
        assert answer.status_code == 303 and is_signed_in(client), headers
