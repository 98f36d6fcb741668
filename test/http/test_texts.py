"""Every literal text, status and code that the journey can give (contract 2), as a page and in JSON.

A row is a way to make one error; each runs as a page (form), as a program's form that asks for JSON,
and as a JSON body.
"""
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from client import Client
from pages import Page, problem, refused
from people import PASSWORD, confirm, fields_of, register, sign_in, stranger
from server import Server

WRONG = "wrong-" + PASSWORD
NOTICE = "Your email address is verified. You can log in now."


@dataclass
class Row:
    """What is asked and what has to come. `texts`: field -> text beside it."""

    status: int
    code: str
    title: str = None
    method: str = "POST"
    path: str = ""
    fields: object = dict
    headers: dict = field(default_factory=dict)
    texts: dict = field(default_factory=dict)
    offers: tuple = ()
    before: object = None
    json_too: bool = True  # whether a JSON body can make this error


def login(name):
    return lambda w: {"login": name(w), "password": PASSWORD}


def taken(*names):
    return lambda w: {**fields_of(stranger()), **{name: getattr(w.person, name) for name in names}}


def lock(w, client):
    client.locked = stranger().username
    for _ in range(5):
        assert client.json("POST", "/auth/login", {"login": client.locked, "password": WRONG}).status_code == 401


def use_up(w, client):
    for _ in range(3):
        assert client.json("POST", "/auth/verify", {"token": "x"}).status_code == 400


def token(name):
    return lambda w: {"token": w.tokens[name]}


VERIFY = {"method": "POST", "path": "/auth/verify"}
DISOWN = {"method": "POST", "path": "/auth/disown"}
AGAIN = "This page was open for a long time. Please send it again."
RESEND, REGISTER, LOGIN = "/auth/resend", "/auth/register", "/auth/login"
ROWS = {
    "nothing typed": Row(422, "invalid_fields", path=REGISTER),
    "a weak password": Row(
        422, "weak_password", path=REGISTER, fields=lambda w: {**fields_of(stranger()), "password": "password1"}
    ),
    "address taken": Row(
        409, "email_in_use", "Email already in use", path=REGISTER, fields=taken("email"),
        texts={"email": "Email already in use"}, offers=(RESEND,)
    ),
    "name taken": Row(
        409, "username_taken", "Username already in use", path=REGISTER, fields=taken("username"),
        texts={"username": "Username already in use"}
    ),
    "both taken": Row(
        409, "email_in_use", "Email already in use", path=REGISTER, fields=taken("email", "username"),
        texts={"email": "Email already in use", "username": "Username already in use"}, offers=(RESEND,),
    ),
    "wrong password": Row(
        401, "invalid_credentials", "Invalid email or password", path=LOGIN,
        fields=lambda w: {"login": w.person.email, "password": WRONG}
    ),
    "unknown person": Row(
        401, "invalid_credentials", "Invalid email or password", path=LOGIN, fields=login(lambda w: stranger().email)
    ),
    "unconfirmed": Row(
        403, "email_not_verified", "Please verify your email address first", path=LOGIN,
        fields=login(lambda w: w.waiting.email), offers=(RESEND,)
    ),
    "no link": Row(400, "token_invalid", "Invalid verification link", **VERIFY, offers=(RESEND, REGISTER)),
    "a wrong link": Row(
        400, "token_invalid", "Invalid verification link", **VERIFY, fields=lambda w: {"token": "x"}, offers=(RESEND, REGISTER)
    ),
    "an old link": Row(
        410, "token_expired", "Verification link has expired", **VERIFY, fields=token("expired verify"), offers=(RESEND,)
    ),
    "a used link": Row(
        410, "token_used", "Verification link has already been used", **VERIFY, fields=token("used verify"), offers=(LOGIN,)
    ),
    "no disown link": Row(400, "token_invalid", "Invalid link", **DISOWN),
    "an old disown link": Row(410, "token_expired", "Link has expired", **DISOWN, fields=token("expired disown")),
    "a used disown link": Row(410, "token_used", "Link has already been used", **DISOWN, fields=token("used disown")),
    "too many tries": Row(429, "rate_limited", **VERIFY, fields=lambda w: {"token": "x"}, before=use_up),
    "a wait": Row(429, "account_locked", path=LOGIN, before=lock),
    "no field": Row(
        403, "csrf", AGAIN, path=LOGIN, fields=login(lambda w: w.person.email), headers={"Sec-Fetch-Site": "same-origin"},
        json_too=False
    ),
    "a wrong field": Row(
        403, "csrf", AGAIN, path=REGISTER, fields=lambda w: {**fields_of(stranger()), "csrf": "x"},
        headers={"Sec-Fetch-Site": "same-origin"}, json_too=False
    ),
    "too much": Row(413, "payload_too_large", path=LOGIN, fields=lambda w: {"login": "x" * 70000}),
    "a file": Row(
        415, "unsupported_media_type", path=LOGIN, fields=lambda w: "text", headers={"Content-Type": "text/plain"},
        json_too=False
    ),
    "broken": Row(
        400, "bad_request", path=LOGIN, fields=lambda w: "login=%zz",
        headers={"Content-Type": "application/x-www-form-urlencoded"}, json_too=False
    ),
    "no such page": Row(404, "not_found", method="GET", path="/auth/nothing"),
    "no such method": Row(405, "method_not_allowed", method="DELETE", path=LOGIN),
    "not mine to correct": Row(403, "forbidden", path="/auth/check-email", fields=lambda w: {"email": stranger().email}),
}


@pytest.fixture(scope="module")
def world(run_folder):
    """Servers with everything the rows need: a person, an unconfirmed one, used and old links."""
    server = Server(
        run_folder, conf="UserAuthRateLimit token 3/1h\nUserAuthLockAfter 5\nUserAuthLockWait 1h\nUserAuthMailLimit off\n"
    )
    try:
        server.start()
        server.waiting = register(Client(server))
        server.person = register(Client(server))
        gone = register(Client(server))
        old = register(Client(server))
        server.tokens = {
            "used verify": server.wait_mail(server.person.email).token("verify"),
            "used disown": server.wait_mail(gone.email).token("disown"),
            "expired verify": server.wait_mail(old.email).token("verify"),
            "expired disown": server.wait_mail(old.email).token("disown"),
        }
        confirm(Client(server), server.tokens["used verify"])
        assert Client(server).json("POST", "/auth/disown", {"token": server.tokens["used disown"]}).status_code == 200
        server.db("UPDATE token SET expires = created + 1 WHERE account_id = ?", old.id)
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(world, log_gate):
    log_gate.watch(world)


def run(world, row, as_json_body=False, accept=None):
    client = Client(world)
    if row.before:
        row.before(world, client)
    fields = row.fields(world) if row.fields is not dict else {}
    if row.before is lock:
        fields = {"login": client.locked, "password": WRONG}
    headers = {**row.headers, **({"Accept": accept} if accept else {})}
    body = {"json": fields} if as_json_body else {"data": fields}
    return client.request(row.method, row.path, headers=headers, **({} if row.method == "GET" else body)), fields


@pytest.mark.parametrize("name", ROWS)
def test_as_a_page(world, name):
    row = ROWS[name]
    answer, fields = run(world, row)
    page = refused(answer, row.status, row.title)
    assert page.title and page.headings, "a page without a title"
    for one, text in row.texts.items():
        assert text in page.beside(one)
    for offer in row.offers:
        assert offer in page.links, f"does not offer {offer}"
    assert PASSWORD not in answer.text and WRONG not in answer.text
    for kept in ("username", "email", "login", "display_name"):
        if kept in page.fields and isinstance(fields, dict) and fields.get(kept) and row.status != 413:
            assert page.typed(kept) == fields[kept], f"{kept} was lost"


@pytest.mark.parametrize("as_json_body", [False, True], ids=["form", "json"])
@pytest.mark.parametrize("name", ROWS)
def test_as_json(world, name, as_json_body):
    row = ROWS[name]
    if as_json_body and not row.json_too:
        pytest.skip("a JSON body cannot make this error")
    answer, _ = run(world, row, as_json_body, accept=None if as_json_body and row.method != "GET" else "application/json")
    body = problem(answer, row.status, row.code, row.title)
    for one, text in row.texts.items():
        assert body["errors"][one] == text
    if row.texts:
        assert set(body["errors"]) == set(row.texts)
    for offer in row.offers:
        assert offer in body.get("links", {}).values(), f"does not offer {offer}"
    if row.status == 405:
        assert "GET" in answer.headers["Allow"]
    if row.code == "weak_password":
        assert body["suggestion"]
    assert PASSWORD not in answer.text and WRONG not in answer.text


def test_the_link_s_page_says_the_same(world):
    """GET judges as POST does, without using it up."""
    for name, row in ROWS.items():
        if row.path not in ("/auth/verify", "/auth/disown") or row.before:
            continue
        fields = row.fields(world) if row.fields is not dict else {}
        refused(Client(world).get(row.path, params=fields), row.status, row.title)
        problem(Client(world).json("GET", row.path, params=fields), row.status, row.code, row.title)


def test_login_required(world):
    """A program is told, a person is sent to the login page."""
    answer = Client(world).json("GET", "/dashboard")
    problem(answer, 401, "login_required")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    answer = Client(world).get("/dashboard")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/login?next=%2Fdashboard")


SLOW = """
UserAuthPasswordHash m=65536,t=10,p=1
UserAuthHashConcurrency 1
UserAuthHashQueue 1
UserAuthRateLimit login off
"""
CROWD = 5


def refusal(server, accept):
    """A 503 of a crowd that arrives at once. (One sign-in behind the other may be let in each time: its answer comes the
    moment that a place gets free.)"""
    def sign_in(_):
        return Client(server).post("/auth/login", {"login": stranger().email, "password": WRONG}, headers={"Accept": accept})

    with ThreadPoolExecutor(CROWD) as pool:
        answers = list(pool.map(sign_in, range(CROWD)))
    return next(answer for answer in answers if answer.status_code == 503)


def test_busy(new_server):
    """More sign-ins at once than may wait for a hash."""
    server = new_server(conf=SLOW)
    problem(refusal(server, "application/json"), 503, "busy")
    refused(refusal(server, "text/html"), 503)
    server.expect_log("UA0101")


def test_successes(world):
    """The notices, as a person and as a program reads them."""
    person = register(Client(world))
    mail = world.wait_mail(person.email)
    client = Client(world, address="203.0.113.10")
    answer = client.form(mail.link("verify").replace(world.base, ""), {}, action="/auth/verify")
    assert answer.headers["Location"] == "/auth/login?notice=verified"
    assert Page(client.follow(answer)).roles == [NOTICE]
    other = register(Client(world))
    answer = client.json("POST", "/auth/verify", {"token": world.wait_mail(other.email).token("verify")})
    assert (answer.status_code, answer.json()["message"]) == (200, NOTICE)
    sign_in(client, person)
    answer = client.json("POST", "/auth/logout", {})
    text = answer.json()["message"]
    sign_in(client, person)
    answer = client.form("/auth/logout", {}, action="/auth/logout")
    assert Page(client.follow(answer)).roles == [text]
