"""/auth/disown: whoever owns an address removes a registration that is not theirs."""
import pytest
from client import Client
from pages import Page, problem, refused
from people import confirm, fields_of, register
from server import Server, wait_for

SCANNER = "203.0.113.66"


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf="UserAuthMailLimit off\nUserAuthRateLimit token off\n")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def client(site):
    return Client(site, address=SCANNER)


@pytest.fixture
def victim(site):
    """A registration by somebody else; .mail is what its owner got."""
    person = register(Client(site))
    person.mail = site.wait_mail(person.email)
    return person


def link(token):
    return f"/auth/disown?token={token}"


def exists(site, person):
    return bool(site.db("SELECT 1 FROM account WHERE id = ?", person.id))


def test_the_mail_offers_it(site, victim):
    assert "Not you?" in victim.mail.text
    assert victim.mail.link("disown").startswith(f"{site.base}/auth/disown?token=")


def test_no_get_removes_anything(site, client):
    """Not even from loopback or by the browser that registered."""
    own = Client(site, address="127.0.0.1")
    person = register(own)
    token = site.wait_mail(person.email).token("disown")
    for one in (client, own):
        for _ in range(3):
            assert one.get(link(token)).status_code == 200
            assert one.request("HEAD", link(token)).status_code == 200
            assert one.request("OPTIONS", link(token)).status_code == 204
            assert one.json("GET", link(token)).status_code == 200
    assert exists(site, person)


def test_by_its_button(site, client, victim):
    token = victim.mail.token("disown")
    page = Page(client.get(link(token)))
    assert "Remove this registration" in page.buttons
    assert page.headers["Referrer-Policy"] == "no-referrer"
    answer = client.form(link(token), {}, action="/auth/disown")
    assert answer.status_code == 200
    assert Page(answer).headings
    assert not exists(site, victim)


def test_all_of_it_is_gone(site, client, victim):
    answer = client.json("POST", "/auth/disown", {"token": victim.mail.token("disown")})
    assert answer.status_code == 200
    assert answer.json()["message"]
    assert not exists(site, victim)
    problem(
        client.json("POST", "/auth/verify", {"token": victim.mail.token("verify")}), 400, "token_invalid",
        "Invalid verification link"
    )
    answer = client.json("POST", "/auth/login", {"login": victim.email, "password": victim.password})
    problem(answer, 401, "invalid_credentials")
    assert client.json("POST", "/auth/register", fields_of(victim)).status_code == 201, "name and address are free again"


def test_the_browser_that_registered_knows_nothing_more(site, client):
    own = Client(site)
    person = register(own)
    client.json("POST", "/auth/disown", {"token": site.wait_mail(person.email).token("disown")})
    answer = own.json("GET", "/auth/check-email")
    assert answer.status_code == 200 and answer.json()["mail"] == "unknown" and not answer.json()["email"]
    assert own.get("/auth/check-email").status_code == 200


def test_once(site, client, victim):
    token = victim.mail.token("disown")
    client.json("POST", "/auth/disown", {"token": token})
    problem(client.json("POST", "/auth/disown", {"token": token}), 410, "token_used", "Link has already been used")
    refused(client.post("/auth/disown", {"token": token}), 410, "Link has already been used")
    refused(client.get(link(token)), 410, "Link has already been used")


def test_a_confirmed_account_is_never_removed(site, client, victim):
    """The confirmation ends the link: by a change, so it is invalid."""
    confirm(client, victim.mail.token("verify"))
    problem(client.json("POST", "/auth/disown", {"token": victim.mail.token("disown")}), 400, "token_invalid", "Invalid link")
    refused(client.get(link(victim.mail.token("disown"))), 400, "Invalid link")
    assert exists(site, victim)


def test_wrong_tokens(site, client, victim):
    """TOK-05"""
    token = victim.mail.token("disown")
    row, tag = token.split(".")
    other = register(Client(site))
    others = site.wait_mail(other.email).token("disown")
    for bad in (None, "", "x", row, token[:-1], token + "A", f"{row}.{others.split('.')[1]}", victim.mail.token("verify")):
        fields = {} if bad is None else {"token": bad}
        problem(client.json("POST", "/auth/disown", fields), 400, "token_invalid", "Invalid link")
        refused(client.get("/auth/disown", params=fields), 400, "Invalid link")
        refused(client.post("/auth/disown", fields), 400, "Invalid link")
    problem(client.json("POST", link(token), {}), 400, "token_invalid", "Invalid link")
    assert exists(site, victim) and exists(site, other)


def test_the_token_leaves_the_address_bar(site, victim):
    client = Client(site, address=SCANNER, browser=True)
    token = victim.mail.token("disown")
    answer = client.get(link(token))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/disown")
    assert token in str(answer.headers["Set-Cookie"])
    done = client.form("/auth/disown", {}, action="/auth/disown")
    assert done.status_code == 200
    assert not exists(site, victim)
    assert not any(token in value for value in client.cookies.values())


def test_both_links_from_a_resend_work(site, client, victim):
    client.json("POST", "/auth/resend", {"email": victim.email})
    newer = site.wait_mail(victim.email, 2)
    assert client.json("POST", "/auth/disown", {"token": victim.mail.token("disown")}).status_code == 200
    assert not exists(site, victim)
    answer = client.json("POST", "/auth/disown", {"token": newer.token("disown")})
    assert answer.status_code in (400, 410)


def test_expired(new_server):
    server = new_server(conf="UserAuthDisownLifetime 1s\n")
    client = Client(server, address=SCANNER)
    person = register(Client(server))
    token = server.wait_mail(person.email).token("disown")
    wait_for(lambda: client.json("GET", link(token)).status_code == 410, what="the link to expire")
    problem(client.json("POST", "/auth/disown", {"token": token}), 410, "token_expired", "Link has expired")
    refused(client.post("/auth/disown", {"token": token}), 410, "Link has expired")
    assert exists(server, person)
