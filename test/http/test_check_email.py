"""/auth/check-email: how the mail fares, for the browser that registered, and the correction of a mistyped address."""
import pytest
from bad_smtp import BadSmtp
from client import Client, forms, the_form
from pages import Page, problem, refused
from people import PASSWORD, confirm, fields_of, join, register, sign_in, stranger
from server import Server, wait_for

ELSEWHERE = "198.51.100.9"


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf="UserAuthMailLimit off\nUserAuthRateLimit mail off\n")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def client(site):
    return Client(site)


def state(client):
    answer = client.json("GET", "/auth/check-email")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json()


def other_address():
    return stranger("moved").email


def test_sent(site, client):
    person = register(client)
    site.wait_mail(person.email)
    wait_for(lambda: state(client) == {"mail": "sent", "email": person.email}, what="the mail to be marked as sent")
    page = Page(client.get("/auth/check-email"))
    assert page.headings == ["Check your email"]
    assert person.email in page.text
    assert "spam" in page.text and "minutes" in page.text


def test_the_way_of_a_person(site, client):
    person = stranger()
    answer = client.form("/auth/register", fields_of(person))
    page = Page(client.follow(answer))
    assert person.email in page.text
    assert page.headings == ["Check your email"]


def test_queued_then_delayed(run_folder, log_gate, tmp_path):
    """MAIL-03, MAIL-04: the page tells the truth while the mail server is silent or refuses."""
    with BadSmtp(tmp_path / "mail", mode="stall-banner") as smtp:
        server = Server(run_folder, conf=f'UserAuthMail smtp://localhost:{smtp.port} "Example <a@example.com>"\n')
        log_gate.watch(server)
        try:
            server.start()
            client = Client(server)
            person = register(client)
            smtp.seen("banner")
            assert state(client) == {"mail": "queued", "email": person.email}
            page = Page(client.get("/auth/check-email"))
            assert any(meta.get("http-equiv") == "refresh" and meta["content"] == "5" for meta in page.metas)
            assert person.email in page.text
            smtp.stop()
            wait_for(lambda: state(client)["mail"] == "delayed", what="the mail to be delayed")
            server.wait_log(r"UA\d+")
            page = Page(client.get("/auth/check-email"))
            assert person.email in page.text
            assert "delayed" in page.text
            assert not any(word in page.text.lower() for word in ("smtp", "connection", "errno", "localhost:"))
            health = client.json("GET", "/auth/health")
            assert health.status_code == 200
            server.expect_log(r"UA\d+")
        finally:
            server.stop()


def test_verified(site, client):
    person = register(client)
    token = site.wait_mail(person.email).token("verify")
    confirm(Client(site, address=ELSEWHERE), token)
    assert state(client) == {"mail": "verified", "email": person.email}
    page = Page(client.get("/auth/check-email"))
    assert "Log in" in page.links.values()
    assert "verified" in page.text
    assert not any(meta.get("http-equiv") == "refresh" for meta in page.metas)


@pytest.mark.parametrize("cookie", [None, "", "x", "{id}", "{id}.", "{id}." + "A" * 43, "{other}.{tag}"])
def test_anyone_else(site, client, cookie):
    """The general text, also with a cookie that is not genuine."""
    person = register(client)
    genuine = client.cookies["userauth-registration"]
    assert genuine.startswith(person.id)
    forged = None
    if cookie is not None:
        other = register(Client(site))
        forged = cookie.format(id=person.id, other=other.id, tag=genuine[37:])
    stranger_s = Client(site)
    headers = {} if forged is None else {"Cookie": f"userauth-registration={forged}"}
    answer = stranger_s.json("GET", "/auth/check-email", headers=headers)
    assert answer.status_code == 200
    assert answer.json()["mail"] == "unknown" and not answer.json()["email"]
    answer = stranger_s.get("/auth/check-email", headers=headers)
    page = Page(answer)
    assert page.headings == ["Check your email"]
    assert "@" not in page.text and person.username not in answer.text
    assert "/auth/resend" in page.links


def test_correction(site, client):
    person = register(client)
    old = site.wait_mail(person.email)
    new = other_address()
    answer = client.form("/auth/check-email", {"email": new}, action="/auth/check-email")
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (303, "/auth/check-email")
    assert new in Page(client.follow(answer)).text
    mail = site.wait_mail(new)
    body = problem(
        Client(site).json("POST", "/auth/verify", {"token": old.token("verify")}), 400, "token_invalid",
        "Invalid verification link"
    )
    assert body["links"]["resend"] == "/auth/resend"
    problem(Client(site).json("POST", "/auth/disown", {"token": old.token("disown")}), 400, "token_invalid", "Invalid link")
    user = confirm_and_user(site, mail.token("verify"), person)
    assert (user["email"], user["email_verified"]) == (new, True)


def confirm_and_user(site, token, person):
    client = Client(site)
    confirm(client, token)
    answer = client.json("POST", "/auth/login", {"login": person.username, "password": PASSWORD})
    assert answer.status_code == 200
    return answer.json()["user"]


def test_correction_by_a_program(site, client):
    register(client)
    new = other_address()
    answer = client.json("POST", "/auth/check-email", {"email": new})
    assert answer.status_code == 200
    assert answer.json()["email"] == new and answer.json()["mail"] in ("queued", "sent")
    assert answer.json()["message"]
    assert state(client)["email"] == new
    site.wait_mail(new)


def test_three_corrections_and_no_more(site, client):
    person = register(client)
    for _ in range(3):
        last = other_address()
        assert client.json("POST", "/auth/check-email", {"email": last}).status_code == 200
    page = Page(client.get("/auth/check-email"))
    assert "email" not in page.fields or page.fields["email"]["type"] == "hidden", "still offers a correction"
    fourth = other_address()
    answer = client.json("POST", "/auth/check-email", {"email": fourth})
    assert 400 <= answer.status_code < 500
    problem(answer, answer.status_code, answer.json()["code"])
    refused(client.post("/auth/check-email", {"email": fourth}), answer.status_code)
    assert state(client)["email"] == last
    site.wait_mail(last)
    confirm(Client(site), site.wait_mail(last).token("verify"))
    assert not site.mails(fourth)
    row = site.db("SELECT email FROM account WHERE id = ?", person.id)[0]
    assert row["email"] == last


def test_a_wrong_correction_changes_and_costs_nothing(site, client):
    person = register(client)
    taken = register(Client(site))
    for _ in range(4):
        body = problem(
            client.json("POST", "/auth/check-email", {"email": taken.email}), 409, "email_in_use", "Email already in use"
        )
        assert body["errors"] == {"email": "Email already in use"}
        assert (body["links"]["reset"], body["links"]["resend"]) == ("/auth/forgot", "/auth/resend")
        problem(client.json("POST", "/auth/check-email", {"email": "nonsense"}), 422, "invalid_fields")
        problem(client.json("POST", "/auth/check-email", {}), 422, "invalid_fields")
    page = refused(client.form("/auth/check-email", {"email": "non sense"}, action="/auth/check-email"), 422)
    assert page.beside("email") and page.typed("email") == "non sense"
    page = refused(client.form("/auth/check-email", {"email": taken.email}, action="/auth/check-email"), 409)
    assert "Email already in use" in page.beside("email")
    assert state(client)["email"] == person.email
    assert client.json("POST", "/auth/check-email", {"email": other_address()}).status_code == 200
    assert state(client)["mail"] in ("queued", "sent")


def test_only_the_browser_that_registered_corrects(site, client):
    person = register(client)
    for one in (Client(site), Client(site, address=client.address)):
        answer = one.json("POST", "/auth/check-email", {"email": other_address()})
        assert 400 <= answer.status_code < 500
        problem(answer, answer.status_code, answer.json()["code"])
        assert 400 <= one.post("/auth/check-email", {"email": other_address()}).status_code < 500
    assert state(client)["email"] == person.email


def test_a_verified_address_is_not_corrected_here(site, client):
    person = register(client)
    confirm(Client(site), site.wait_mail(person.email).token("verify"))
    new = other_address()
    client.json("POST", "/auth/check-email", {"email": new})
    client.post("/auth/check-email", {"email": new})
    assert site.db("SELECT email FROM account WHERE id = ?", person.id)[0]["email"] == person.email
    sign_in(Client(site), person)
    assert not site.mails(new)


def test_the_cookie_of_one_registration_says_nothing_of_another(site):
    one, two = Client(site), Client(site)
    first, second = register(one), register(two)
    assert state(one)["email"] == first.email
    assert state(two)["email"] == second.email


def test_the_page_sends_the_mail_again(site, client):
    person = register(client)
    first = site.wait_mail(person.email)
    page = client.get("/auth/check-email")
    form = the_form(page.text, "/auth/resend")
    answer = client.post(form["action"], {**form["fields"], **form["hidden"]})
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (303, "/auth/check-email")
    second = site.wait_mail(person.email, 2)
    assert second.token("verify") != first.token("verify")
    confirm(Client(site), first.token("verify"))


def test_says_when_a_resend_is_possible(server):
    """With the default limit of one mail a minute."""
    client = Client(server)
    register(client)
    text = client.get("/auth/check-email").text
    assert not [f for f in forms(text) if (f["action"] or "").endswith("/auth/resend")]
    assert "You can ask for another email in" in text
    answer = client.json("POST", "/auth/check-email", {"email": other_address()})
    assert answer.status_code == 200, "another address has a limit of its own"


def test_a_person_already_signed_in_sees_it_too(site):
    client = Client(site)
    person = join(site, client)
    sign_in(client, person)
    assert client.get("/auth/check-email").status_code == 200
