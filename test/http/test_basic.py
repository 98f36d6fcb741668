"""AuthType Basic with AuthBasicProvider userauth: for clients that know no cookies, with the same counters and waits as the sign-in."""
import base64

import apps
import pytest
from client import Client
from pages import problem
from people import PASSWORD, join, signed_in
from server import Server

CONF = """
UserAuthSessionCacheTTL 2s
UserAuthPassAs both
<Location "/dav">
    AuthType Basic
    AuthName "Members"
    AuthBasicProvider userauth
    Require valid-user
</Location>
<Location "/fresh">
    AuthType Basic
    AuthName "Members"
    AuthBasicProvider userauth
    Require userauth-fresh 1m
</Location>
<Location "/cgi">
    SetHandler cgi-script
    AuthType Basic
    AuthName "Members"
    AuthBasicProvider userauth
    Require valid-user
</Location>
<Location "/both">
    AuthType Basic
    AuthName "Members"
    AuthBasicProvider file userauth
    AuthUserFile "${RUN}/htpasswd"
    Require valid-user
</Location>
<Location "/form">
    AuthType UserAuth
    Require valid-user
</Location>
"""


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf=CONF)
    apps.put_cgi(server, "cgi/show.cgi")
    for name in ("dav", "fresh", "both", "form"):
        apps.put(server, f"{name}/a.txt", name)
    apps.put_htpasswd(server, "file", "other")
    try:
        server.start()
        server.person = join(server)
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)
    site.expect_log(r"AH0161[78]: user ")  # mod_auth_basic's own, for each refusal


def get(site, path, user, password, **kwargs):
    secret = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Client(site, **kwargs).get(path, headers={"Authorization": f"Basic {secret}"})


def test_a_member_is_let_in(site):
    for user in (site.person.username, site.person.email, site.person.username.upper()):
        assert get(site, "/dav/a.txt", user, PASSWORD).text == "dav"
    assert get(site, "/fresh/a.txt", site.person.username, PASSWORD).text == "fresh"


def test_nobody_else_is(site):
    for user, password in ((site.person.username, "x" * 12), ("nobody-x", PASSWORD), ("", ""), (site.person.username, "")):
        answer = get(site, "/dav/a.txt", user, password)
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == 'Basic realm="Members"'
    answer = Client(site).get("/dav/a.txt")
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == 'Basic realm="Members"'


@pytest.mark.parametrize("name", [b"\xff", b"\xed\xa0\x80", b"\xc3", b"x\xff@example.org"])
def test_a_name_that_is_no_text_is_nobody_s(site, name):
    """SQL-04: on each engine."""
    headers = {"Authorization": b"Basic " + base64.b64encode(name + b":" + PASSWORD.encode())}
    assert Client(site).get("/dav/file.txt", headers=headers).status_code == 401


@pytest.mark.parametrize("more", [b"\0", b"\0x", b"\0" * 300], ids=["one", "more", "many"])
def test_a_nul_ends_nothing(site, more):
    """ENC-02, SQL-05: what stands before it is neither the name nor the password, remembered or not."""
    person = join(site)
    name, right = person.username.encode(), PASSWORD.encode()
    for _ in range(2):
        for pair in (name + b":" + right + more, name + more + b":" + right, more + name + b":" + right):
            headers = {"Authorization": b"Basic " + base64.b64encode(pair)}
            answer = Client(site).get("/dav/a.txt", headers=headers)
            assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == 'Basic realm="Members"', pair
        assert get(site, "/dav/a.txt", person.username, PASSWORD).status_code == 200


def test_applications_are_told_by_the_name_of_the_account(site):
    environment = apps.environment(get(site, "/cgi/show.cgi", site.person.email, PASSWORD))
    assert environment["REMOTE_USER"] == site.person.username and environment["AUTH_TYPE"] == "Basic"
    assert (environment["USERAUTH_ID"], environment["USERAUTH_EMAIL"]) == (site.person.id, site.person.email)
    assert environment["USERAUTH_SESSION"] == "" and environment["HTTP_X_USERAUTH_ID"] == site.person.id


def test_a_wait_and_a_limit_are_told(site):
    person = join(site)
    spammer = {"address": "198.51.100.77"}
    for _ in range(5):
        assert get(site, "/dav/a.txt", person.username, "wrong-horse-battery", **spammer).status_code == 401
    answer = get(site, "/dav/a.txt", person.username, PASSWORD, **spammer)
    problem(answer, 429, "account_locked") if answer.headers["Content-Type"].startswith("application") else None
    assert answer.status_code == 429 and 1 <= int(answer.headers["Retry-After"]) <= 30
    assert "WWW-Authenticate" not in answer.headers


def test_a_limit_hides_which_password_is_right(site):
    """Who shares the address of somebody who is remembered, and has used its limit up, learns nothing by guessing on."""
    person, shared = join(site), {"address": "198.51.100.78"}
    for number in range(29):
        get(site, "/dav/a.txt", f"nobody{number}", "wrong-horse-battery", **shared)
    assert get(site, "/dav/a.txt", person.username, PASSWORD, **shared).status_code == 200
    assert get(site, "/dav/a.txt", "nobody", "wrong-horse-battery", **shared).status_code == 401
    for number in range(40):  # at most one is judged by each child
        assert get(site, "/dav/a.txt", person.username, f"guess-{number}-battery", **shared).status_code == 429
    assert get(site, "/dav/a.txt", person.username, PASSWORD, **shared).status_code == 429


def test_another_provider_beside_ours(site):
    assert get(site, "/both/a.txt", "file", "other").text == "both"
    assert get(site, "/both/a.txt", site.person.username, PASSWORD).text == "both"
    assert get(site, "/both/a.txt", "file", PASSWORD).status_code == 401


def test_a_cookie_is_no_password_and_a_password_no_cookie(site):
    """APA-05."""
    member = signed_in(site)
    assert member.get("/dav/a.txt").status_code == 401
    assert get(site, "/form/a.txt", site.person.username, PASSWORD).status_code in (303, 401)


def test_a_new_password_counts_at_once(site):
    person = join(site)
    member = signed_in(site, person)
    assert get(site, "/dav/a.txt", person.username, PASSWORD).status_code == 200
    new = "quartz-meadow-lantern-58"
    assert member.json("POST", "/dashboard/password", {"current_password": PASSWORD, "password": new}).status_code == 200
    assert get(site, "/dav/a.txt", person.username, PASSWORD).status_code == 401
    assert get(site, "/dav/a.txt", person.username, new).status_code == 200


def test_a_busy_server_says_so(new_server):
    server = new_server(conf=CONF + "UserAuthHashConcurrency 1\nUserAuthHashQueue 1\nUserAuthRateLimit login off\n")
    server.expect_log(r"AH0161[78]|UA0101")
    apps.put(server, "dav/a.txt", "dav")
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda n: get(server, "/dav/a.txt", f"nobody{n}", "wrong-horse-battery"), range(32)))
    seen = {answer.status_code for answer in answers}
    assert seen == {401, 503}
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 503)
