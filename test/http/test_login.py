"""/auth/login: who gets in, what is said to the others, where it goes on, the session that begins."""
import unicodedata
from email.utils import parsedate_to_datetime

import engines
import pytest
import tokens
from client import Client, the_form
from pages import Page, problem, refused
from people import PASSWORD, is_signed_in, join, register, signed_in, stranger
from server import Server

FAILED = "Invalid email or password"
UNVERIFIED = "Please verify your email address first"


@pytest.fixture(scope="module")
def site(run_folder):
    """A server with one confirmed person (.person) and one unconfirmed (.waiting)."""
    server = Server(run_folder, conf="UserAuthRateLimit login off\nUserAuthLockAfter 1000\n")
    try:
        server.start()
        server.person = join(server)
        server.waiting = register(Client(server))
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def client(site):
    return Client(site)


def log_in(client, login, password=PASSWORD, **more):
    return client.json("POST", "/auth/login", {"login": login, "password": password, **more})


def test_the_form(client):
    answer = client.get("/auth/login")
    page = Page(answer)
    assert page.title.startswith("Log in") and page.headings == ["Log in"]
    assert page.fields["login"]["autocomplete"] == "username"
    assert page.fields["password"]["autocomplete"] == "current-password"
    assert page.fields["remember"]["type"] == "checkbox" and "checked" not in page.fields["remember"]
    assert "/auth/register" in page.links
    assert "next" not in the_form(answer.text)["hidden"]


def test_a_person(site, client):
    answer = client.form("/auth/login", {"login": site.person.username, "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard")
    assert is_signed_in(client)


def test_a_program(site, client):
    answer = log_in(client, site.person.email)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    user = answer.json()["user"]
    assert set(user) == {"id", "username", "email", "email_verified", "display_name"}
    assert user["id"] == site.person.id and user["email_verified"] is True
    assert answer.json()["message"]
    assert is_signed_in(client)


@pytest.mark.parametrize("name", ["login", "email", "username"])
@pytest.mark.parametrize("by", ["username", "email"])
@pytest.mark.parametrize("spelling", [str, str.upper])
def test_names(site, client, name, by, spelling):
    answer = client.json("POST", "/auth/login", {name: spelling(getattr(site.person, by)), "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json()["user"]["username"] == site.person.username


def test_one_answer_for_whoever_is_not_let_in(site):
    """ENUM-01: known, unknown and unconfirmed, wrong password; bytes and headers."""
    names = [
        site.person.username, site.person.email, stranger().username, stranger().email, site.waiting.username,
        site.waiting.email
    ]
    seen = set()
    for login in names:
        answer = log_in(Client(site, address="203.0.113.30"), login, "wrong-" + PASSWORD)
        problem(answer, 401, "invalid_credentials", FAILED)
        seen.add((answer.content, tuple((k, v) for k, v in answer.headers.items() if k not in ("Date", "Keep-Alive"))))
        page = refused(Client(site).post("/auth/login", {"login": login, "password": "wrong"}), 401, FAILED)
        assert page.typed("login") == login
    assert len(seen) == 1


def test_unconfirmed(site, client):
    """Said only after the right password."""
    body = problem(log_in(client, site.waiting.username), 403, "email_not_verified", UNVERIFIED)
    assert body["links"]["resend"] == "/auth/resend"
    page = refused(client.form("/auth/login", {"login": site.waiting.email, "password": PASSWORD}), 403, UNVERIFIED)
    assert "/auth/resend" in page.links
    assert "userauth" not in client.cookies and not is_signed_in(client)


@pytest.mark.parametrize(
    "fields, wrong", [
        ({}, {"login", "password"}), ({"login": "x"}, {"password"}), ({"password": "x"}, {"login"}),
        ({"login": " ", "password": ""}, {"login", "password"})
    ]
)
def test_missing_fields(client, fields, wrong):
    body = problem(client.json("POST", "/auth/login", fields), 422, "invalid_fields")
    assert set(body["errors"]) == wrong
    page = refused(client.form("/auth/login", fields), 422)
    for field, text in body["errors"].items():
        assert text in page.beside(field)


def test_what_was_typed_stays_except_the_password(client):
    answer = client.form(
        "/auth/login", {"login": '<b>"me"&', "password": "Secret-typed-9", "remember": "1", "next": "/a?b=c&d"}
    )
    page = refused(answer, 401, FAILED)
    assert page.typed("login") == '<b>"me"&'
    assert not page.typed("password") and "Secret-typed-9" not in answer.text
    assert "checked" in page.fields["remember"]
    assert the_form(answer.text)["hidden"]["next"] == "/a?b=c&d"
    assert "Secret-typed-9" not in log_in(client, "x", "Secret-typed-9").text


@pytest.mark.parametrize("wrong", [PASSWORD + " ", " " + PASSWORD, PASSWORD.upper(), PASSWORD[:-1], PASSWORD + "\u0301"])
def test_nearly_the_password(site, client, wrong):
    problem(log_in(client, site.person.username, wrong), 401, "invalid_credentials", FAILED)


def test_a_password_in_any_normal_form(site, client):
    """UNI-06: typed composed, then decomposed; but nothing else is folded."""
    person = stranger()
    person.password = "Grüße-aus-Köln-marmeladé"
    join(site, client, person)
    assert log_in(Client(site), person.username, unicodedata.normalize("NFD", person.password)).status_code == 200
    assert log_in(Client(site), person.username, person.password.replace("ß", "ss")).status_code == 401


def test_a_nul_never_cuts_a_password(site, client):
    """ENC-02"""
    body = f"login={site.person.username}&password={PASSWORD}%00x"
    answer = client.post("/auth/login", body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code in (400, 401)
    assert log_in(client, site.person.username, PASSWORD + "\0x").status_code in (400, 401)


NEXT = [  # RED-01; the corpus is in the attack tests
    ("/dashboard/members", "/dashboard/members"),
    ("/a/b?c=d&e=%20f#g", "/a/b?c=d&e=%20f#g"),
    ("/", "/"),
    ("", "/dashboard"),
    ("relative", "/dashboard"),
    ("//evil.example", "/dashboard"),
    ("///evil.example", "/dashboard"),
    ("/\\evil.example", "/dashboard"),
    ("/%5cevil.example", "/dashboard"),
    ("/%2fevil.example", "/dashboard"),
    ("/a\nb", "/dashboard"),
    ("/%0d%0aSet-Cookie:%20x=y", "/dashboard"),
    ("/\tevil", "/dashboard"),
    ("/a\r\n", "/dashboard"),
    ("\t/a", "/dashboard"),
    (" /a ", "/dashboard"),
    ("https://evil.example/", "/dashboard"),
    ("javascript:alert(1)", "/dashboard"),
    ("/" + "a" * 2047, "/" + "a" * 2047),
    ("/" + "a" * 2048, "/dashboard"),
]


@pytest.mark.parametrize("wanted, got", NEXT, ids=[repr(wanted[:24]) + str(len(wanted)) for wanted, _ in NEXT])
def test_next(site, wanted, got):
    fields = {"login": site.person.username, "password": PASSWORD}
    client = Client(site)
    answer = client.post("/auth/login", {**fields, "next": wanted})
    assert (answer.status_code, answer.headers["Location"]) == (303, got)
    answer = client.get("/auth/login", params={"next": wanted})
    assert (answer.status_code, answer.headers["Location"]) == (303, got), "signed in already"


def test_next_of_the_query(site):
    fields = {"login": site.person.username, "password": PASSWORD}
    where = lambda query, **more: Client(site).post("/auth/login" + query, {**fields, **more}).headers["Location"]
    assert where("?next=/there") == "/there"
    assert where("?next=/there", next="/here") == "/here"
    assert where("?next=/there", next="//evil.example") == "/dashboard"
    assert where("?next=//evil.example") == "/dashboard"


def test_next_goes_with_the_form(site, client):
    page = client.get("/auth/login?next=/dashboard%3Fa%3Db")
    assert the_form(page.text)["hidden"]["next"] == "/dashboard?a=b"
    assert "next" not in the_form(client.get("/auth/login?next=//evil.example").text)["hidden"]
    answer = client.form("/auth/login?next=/dashboard%3Fa%3Db", {"login": site.person.email, "password": PASSWORD})
    assert answer.headers["Location"] == "/dashboard?a=b"


def test_the_query_of_a_post_is_ignored(site, client):
    query = f"?login={site.person.username}&password={PASSWORD}"
    problem(client.json("POST", "/auth/login" + query, {}), 422, "invalid_fields")
    refused(client.post("/auth/login" + query, {}), 422)


def test_signed_in_already(site):
    client = signed_in(site, site.person)
    for path, where in (("/auth/login", "/dashboard"), ("/auth/login?next=/x", "/x"), ("/auth/login?next=//x", "/dashboard")):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, where)


def test_a_new_login_replaces_the_session(site):
    """SESS-02: the one before is dead, and the new one is the new person's."""
    client = signed_in(site, site.person)
    before = client.cookies["userauth"]
    other = join(site)
    assert log_in(client, other.username).status_code == 200
    assert client.cookies["userauth"] != before
    assert client.json("GET", "/dashboard").json()["username"] == other.username
    assert not is_signed_in_with(site, before)


def test_a_new_login_with_an_access_token_replaces_its_session(site, client):
    """SESS-02: signed in already by a token, too (contract 1): it and its refresh token are dead."""
    own, other = tokens.log_in(site, site.person), join(site)
    answer = client.json("POST", "/auth/login", {"login": other.username, "password": PASSWORD}, headers=tokens.bearer(own.access))
    assert answer.status_code == 200
    tokens.no_good(Client(site).json("GET", "/dashboard", headers=tokens.bearer(own.access)))
    tokens.no_good(tokens.renew(Client(site), own.refresh))
    assert client.json("GET", "/dashboard").json()["username"] == other.username


def is_signed_in_with(site, value):
    return Client(site).json("GET", "/dashboard", headers={"Cookie": f"userauth={value}"}).status_code == 200


def test_a_failed_login_ends_nothing(site):
    client = signed_in(site, site.person)
    assert log_in(client, site.person.username, "wrong").status_code == 401
    assert is_signed_in(client)


def test_a_planted_session_is_not_adopted(site):
    """SESS-01"""
    planted = "A" * 43
    client = Client(site)
    headers = {"Cookie": f"userauth={planted}", "Sec-Fetch-Site": "none"}
    answer = client.json("POST", "/auth/login", {"login": site.person.username, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 200
    assert client.cookies["userauth"] != planted
    assert not is_signed_in_with(site, planted)


@pytest.mark.parametrize("given, kept", [
    ("1", True), ("true", True), (True, True), (1, True), ("0", False), ("false", False), (False, False), (0, False),
    (None, False)
])
def test_remember(site, client, given, kept):
    more = {} if given is None else {"remember": given}
    assert log_in(client, site.person.username, **more).status_code == 200
    cookie = next(c for c in client.session.cookies if c.name == "userauth")
    if kept:
        assert abs(cookie.expires - cookie_now(client) - 30 * 86400) < 120
    else:
        assert cookie.expires is None or cookie.expires - cookie_now(client) <= 86400


def cookie_now(client):
    return parsedate_to_datetime(client.get("/auth/health").headers["Date"]).timestamp()


@pytest.mark.parametrize("text", ["remember=1", "remember=on", "remember=true"])
def test_remember_of_a_form(site, client, text):
    body = f"login={site.person.username}&password={PASSWORD}&{text}"
    client.post("/auth/login", body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    cookie = next(c for c in client.session.cookies if c.name == "userauth")
    assert cookie.expires


def test_every_session_is_its_own(site):
    """256 bits each, of which the database holds a digest."""
    values = {signed_in(site, site.person).cookies["userauth"] for _ in range(5)}
    assert len(values) == 5
    data = engines.contents(site)
    for value in values:
        assert len(value) >= 43 and value.encode() not in data


def test_an_account_has_so_many_sessions(new_server):
    """The oldest ends."""
    server = new_server(conf="UserAuthSessionLimit 3\n")
    person = join(server)
    clients = [signed_in(server, person) for _ in range(4)]
    assert [is_signed_in(client) for client in clients] == [False, True, True, True]


def test_json_login_in_a_browser_needs_no_field(site):
    client = Client(site, browser=True)
    answer = client.json("POST", "/auth/login", {"login": site.person.username, "password": PASSWORD})
    assert answer.status_code == 200


def test_a_browser_s_form(site):
    client = Client(site, browser=True)
    fields = {"login": site.person.username, "password": PASSWORD}
    assert client.post("/auth/login", fields).status_code == 403
    answer = client.form("/auth/login", fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard")


def test_notices_come_from_a_fixed_list(client):
    page = Page(client.get("/auth/login?notice=verified"))
    assert page.roles == ["Your email address is verified. You can log in now."]
    for notice in ("", "nonsense", "Your account is locked, call 555", "<b>x</b>", "verified%00"):
        answer = client.get("/auth/login", params={"notice": notice})
        assert answer.status_code == 200 and not Page(answer).roles
        assert "555" not in answer.text and "<b>x" not in answer.text


def test_the_account_s_fields_do_not_come_from_the_body(site, client):
    """TOK-06 and mass assignment: whoever else is named, the login decides."""
    answer = log_in(client, site.person.username, id=site.waiting.id, user=site.waiting.username, enabled="1")
    assert answer.status_code == 200 and answer.json()["user"]["id"] == site.person.id
    assert log_in(Client(site), site.waiting.username).status_code == 403
