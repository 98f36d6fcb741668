"""/dashboard: what a signed-in person sees first, and the gate before everything below it."""
import re

import pytest
from client import Client
from pages import Page, problem, refused
from people import fields_of, join, sign_in, signed_in, stranger
from server import Server

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder)
    try:
        server.start()
        server.member = signed_in(server)
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def client(site):
    return Client(site)


def test_the_page(site):
    person = site.member.person
    answer = site.member.get("/dashboard")
    assert answer.status_code == 200
    page = Page(answer)
    assert page.title.startswith("Dashboard")
    for text in (person.username, person.email, person.display_name):
        assert text in page.text
    assert "Sign out" in page.buttons
    assert person.password not in answer.text and person.id not in page.text


def test_for_a_program(site):
    person = site.member.person
    answer = site.member.json("GET", "/dashboard")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert (body["username"], body["email"], body["display_name"]) == (person.username, person.email, person.display_name)


def test_last_sign_in(site):
    """The one before this; a first visit has none."""
    person = join(site)
    first, second = Client(site), Client(site)
    sign_in(first, person)
    assert not first.json("GET", "/dashboard").json().get("last_sign_in")
    sign_in(second, person)
    when = second.json("GET", "/dashboard").json()["last_sign_in"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", when)
    assert when in second.get("/dashboard").text


def test_what_a_person_typed_is_text(site):
    """XSS-01"""
    person = stranger()
    person.display_name = "<script>alert(1)</script>\"'&"
    client = signed_in(site, join(site, person=person))
    answer = client.get("/dashboard")
    assert "<script>alert" not in answer.text
    assert person.display_name in Page(answer).text
    assert client.json("GET", "/dashboard").json()["display_name"] == fields_of(person)["display_name"]


@pytest.mark.parametrize("path", [
    "/dashboard", "/dashboard/", "/dashboard/nothing", "/dashboard/nothing/", "/dashboard/a/b", "/dashboard?a=b&c=%20",
    "/dashboard/members/x"
])
def test_the_gate_answers_first(client, path):
    answer = client.get(path, headers={"Accept": BROWSER})
    assert answer.status_code == 303
    where, _, query = answer.headers["Location"].partition("?")
    assert where == "/auth/login" and query.startswith("next=")
    assert "error" not in query
    body = problem(client.json("GET", path), 401, "login_required")
    assert client.json("GET", path).headers["WWW-Authenticate"] == "Bearer"
    assert body["links"]["login"].startswith("/auth/login")


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard?a=b&c=%20", "/dashboard/nothing?x=/y"])
def test_one_comes_back_after_the_login(site, client, path):
    answer = client.get(path, headers={"Accept": BROWSER})
    done = client.form(
        answer.headers["Location"], {"login": site.member.person.username, "password": site.member.person.password}
    )
    assert (done.status_code, done.headers["Location"]) == (303, path)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Requested-With": "XMLHttpRequest", "Accept": BROWSER},
        {"Sec-Fetch-Mode": "cors", "Accept": BROWSER},
        {"Sec-Fetch-Mode": "no-cors", "Accept": BROWSER},
        {"Accept": "image/avif,image/webp"},
        {"Accept": "application/json"},
        {"Accept": "application/xml"},
    ],
)
def test_what_is_no_navigation_gets_401(client, headers):
    answer = client.get("/dashboard", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    "headers", [{"Accept": "*/*"}, {"Accept": BROWSER, "Sec-Fetch-Mode": "navigate"}, {"Accept": "text/html"}]
)
def test_a_navigation_is_sent_to_the_login(client, headers):
    assert client.get("/dashboard", headers=headers).status_code == 303


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_submit_comes_back_to_its_page(site, client, method):
    """Not to the address of the submit, and never elsewhere."""
    where = lambda referer: client.request(
        method, "/dashboard/x", headers={"Referer": referer, "Accept": BROWSER}
    ).headers["Location"]
    assert where(site.base + "/dashboard/profile?a=b") == "/auth/login?next=%2Fdashboard%2Fprofile%3Fa%3Db"
    assert where(site.base + "//evil.example/") == "/auth/login?next=%2Fdashboard"
    assert where("https://evil.example/x") == "/auth/login?next=%2Fdashboard"
    assert where(site.base + ".evil.example/x") == "/auth/login?next=%2Fdashboard"
    assert where("nonsense") == "/auth/login?next=%2Fdashboard"
    answer = client.request(method, "/dashboard/x", headers={"Accept": BROWSER})
    assert answer.headers["Location"] == "/auth/login?next=%2Fdashboard"


def test_methods_of_a_member(site):
    member = site.member
    head = member.request("HEAD", "/dashboard")
    assert (head.status_code, head.content) == (200, b"")
    options = member.request("OPTIONS", "/dashboard")
    assert options.status_code == 204
    assert {"GET", "HEAD", "OPTIONS"} <= set(options.headers["Allow"].split(", "))
    for method in ("PUT", "DELETE", "PATCH", "POST"):
        answer = member.request(method, "/dashboard", headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status_code == 405 and "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("path, methods", [("/auth/me", "GET, HEAD, OPTIONS"), ("/auth/reauth", "GET, HEAD, POST, OPTIONS"), ("/auth/login", "GET, HEAD, POST, OPTIONS")])
def test_methods_of_public_pages(site, client, path, methods):
    """They are not behind the gate, whoever their contents are for."""
    for who in (client, site.member):
        options = who.request("OPTIONS", path)
        assert (options.status_code, options.headers["Allow"]) == (204, methods)
        answer = who.request("DELETE", path, headers={"Sec-Fetch-Site": "same-origin"})
        assert (answer.status_code, answer.headers["Allow"]) == (405, methods)


def test_options_only_for_whom_the_gate_lets_in(client):
    """APA-02, CSRF-08"""
    answer = client.request(
        "OPTIONS", "/dashboard", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    )
    assert answer.status_code in (303, 401) and "Allow" not in answer.headers
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_unknown_paths_of_a_member(site):
    problem(site.member.json("GET", "/dashboard/nothing"), 404, "not_found")
    refused(site.member.get("/dashboard/nothing"), 404)


def test_a_slash_at_the_end(site):
    answer = site.member.get("/dashboard/?a=b")
    assert (answer.status_code, answer.headers["Location"]) == (308, "/dashboard?a=b")


@pytest.mark.parametrize("header", ["Basic eDp5", "Bearer x", "Bearer"])
def test_other_credentials_open_nothing(client, header):
    """APA-05"""
    answer = client.json("GET", "/dashboard", headers={"Authorization": header})
    problem(answer, 401, "login_required")


def test_a_lock_ends_sessions(site):
    """Contract 4: what was refused stays refused when an administrator lifts the lock."""
    member = signed_in(site)
    for enabled, status in ((0, 401), (1, 401)):
        site.db("UPDATE account SET enabled = ? WHERE id = ?", enabled, member.person.id)
        assert member.json("GET", "/dashboard").status_code == status
    assert sign_in(Client(site), member.person)
