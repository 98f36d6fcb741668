"""/auth/logout: the session ends here and now; only by a submit of our own page."""
import pytest
from client import Client, the_form
from pages import Page, refused
from people import is_signed_in, join, signed_in
from server import Server

OUT = "/auth/login?notice=logged-out"


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder)
    try:
        server.start()
        server.person = join(server)
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def member(site):
    return signed_in(site, site.person)


def replay(site, value):
    """Whether an old cookie still opens the dashboard."""
    return Client(site).json("GET", "/dashboard", headers={"Cookie": f"userauth={value}"}).status_code == 200


def test_a_person(site, member):
    """SESS-03"""
    value = member.cookies["userauth"]
    assert replay(site, value)
    answer = member.form("/auth/logout", {}, action="/auth/logout")
    assert (answer.status_code, answer.headers["Location"]) == (303, OUT)
    assert "userauth" not in member.cookies
    assert not replay(site, value) and not is_signed_in(member)
    page = Page(member.follow(answer))
    assert len(page.roles) == 1 and page.roles[0]


def test_from_the_dashboard(site, member):
    form = the_form(member.get("/dashboard").text, "/auth/logout")
    assert member.post(form["action"], form["hidden"]).headers["Location"] == OUT
    assert not is_signed_in(member)


def test_a_program(site, member):
    value = member.cookies["userauth"]
    answer = member.json("POST", "/auth/logout")
    assert answer.status_code in (200, 403)
    answer = member.json("POST", "/auth/logout", {})
    assert answer.status_code == 200 and answer.json()["message"]
    assert not replay(site, value)


@pytest.mark.parametrize("cookie", [None, "userauth=" + "A" * 43, "userauth=x", "userauth="])
def test_without_a_session(site, cookie):
    client = Client(site)
    headers = {"Cookie": cookie} if cookie else {}
    answer = client.json("POST", "/auth/logout", {}, headers=headers)
    assert answer.status_code == 200
    if not cookie:
        answer = client.post("/auth/logout")
        assert (answer.status_code, answer.headers["Location"]) == (303, OUT)
        assert client.post("/auth/logout", {}).status_code == 303


def test_other_sessions_stay(site, member):
    other = signed_in(site, site.person)
    assert member.json("POST", "/auth/logout", {}).status_code == 200
    assert is_signed_in(other)


def test_the_confirm_page(member):
    page = Page(member.get("/auth/logout"))
    assert page.title and page.buttons


def test_reading_ends_nothing(member):
    """CSRF-09"""
    for method in ("GET", "HEAD", "OPTIONS"):
        assert member.request(method, "/auth/logout").status_code in (200, 204)
    assert member.get("/auth/logout?_method=POST", headers={"X-HTTP-Method-Override": "POST"}).status_code == 200
    assert is_signed_in(member)


def test_a_foreign_page_ends_nothing(site, member):
    """CSRF-01"""
    form = the_form(member.get("/auth/logout").text, "/auth/logout")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}):
        assert member.post("/auth/logout", form["hidden"], headers=headers).status_code == 403
        assert member.json("POST", "/auth/logout", {}, headers=headers).status_code == 403
    assert is_signed_in(member)


def test_without_the_field_nothing_ends(member):
    text = "This page was open for a long time. Please send it again."
    answer = member.post("/auth/logout", {})
    refused(answer, 403, text)
    assert is_signed_in(member)
    form = the_form(answer.text, "/auth/logout")
    assert member.post(form["action"], form["hidden"]).headers["Location"] == OUT
