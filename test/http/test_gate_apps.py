"""The gate before applications: CGI, a reverse proxy, a front controller, mod_include; what they are told.

APA-01: what a client says of its identity never reaches them, in no spelling, method or status.
"""
import http.client
import json

import apps
import pytest
from client import Client
from people import signed_in, stranger
from server import Server

GATED = """
    AuthType UserAuth
    Require valid-user
"""
CONF = """
UserAuthSessionCacheTTL 2s
<Location "/cgi">
    SetHandler cgi-script
%(gated)s</Location>
<Location "/open-cgi">
    SetHandler cgi-script
</Location>
<Location "/members">
%(gated)s</Location>
<Location "/app">
%(gated)s</Location>
ProxyPass "/app/" "http://127.0.0.1:%(port)d/"
ProxyPass "/open-app/" "http://127.0.0.1:%(port)d/"
<Location "/told">
    RequestHeader set X-Userauth-Id "%%{USERAUTH_ID}e"
    RequestHeader set X-Remote-User expr=%%{REMOTE_USER}
%(gated)s</Location>
ProxyPass "/told/" "http://127.0.0.1:%(port)d/"
<Directory "${RUN}/htdocs/front">
%(gated)s</Directory>
<Directory "${RUN}/htdocs">
    AddHandler cgi-script .cgi
    AddOutputFilter INCLUDES .shtml
    Options +Includes
</Directory>
MergeTrailers on
<Files "parts.cgi">
    SetOutputFilter INCLUDES
</Files>
"""
PARTS = """#!/bin/sh
/bin/cat >/dev/null
printf 'Content-Type: text/html\\r\\n\\r\\n<!--#include virtual="/index.cgi" -->'
"""
CLAIMS = """REMOTE_USER Remote-User remote_user REMOTE-USER X-Remote-User X_Remote_User x-remote_user X-REMOTE-USER
    USERAUTH_ID Userauth-Id userauth_id UserAuth-ID X-Userauth-Id X_USERAUTH_ID x-userauth_id USERAUTH_EMAIL
    X-Userauth-Email Userauth-Display-Name X-Userauth-Groups X_Userauth-Groups Userauth_Session
    X-Userauth-Session X-Userauth-Anything REDIRECT_USERAUTH_ID Redirect-Userauth-Id
    X.Remote.User X~Userauth~Id Session Proxy""".split()
HTACCESS = """RewriteEngine On
RewriteCond %{REQUEST_URI} !index\\.cgi
RewriteRule ^ index.cgi [L]
"""
OUTSIDE = """RewriteEngine On
RewriteRule ^ /index.cgi [L]
"""


@pytest.fixture(scope="module")
def gate(run_folder):
    with apps.Backend() as backend:
        server = Server(run_folder, conf=CONF % {"gated": GATED, "port": backend.port})
        for path in ("cgi/show.cgi", "open-cgi/show.cgi", "members/index.cgi", "front/index.cgi", "index.cgi"):
            apps.put_cgi(server, path)
        apps.put(server, "parts.cgi", PARTS, 0o755)
        apps.put(server, "members/.htaccess", HTACCESS)
        apps.put(server, "front/.htaccess", HTACCESS)
        apps.put(server, "members/outside/.htaccess", OUTSIDE)
        apps.put(server, "front/outside/.htaccess", OUTSIDE)
        apps.put(server, "members.shtml", '<p>part: <!--#include virtual="/cgi/show.cgi" --></p>')
        apps.put(server, "cgi-inside.shtml", '<p>[<!--#echo var="USERAUTH_ID" -->]</p>')
        apps.put(server, "private/page.shtml", '<p>[<!--#echo var="REMOTE_USER" -->|<!--#include virtual="part.shtml" -->]</p>')
        apps.put(server, "private/part.shtml", '<!--#echo var="USERAUTH_ID" -->')
        apps.put(server, "private/.htaccess", "AuthType UserAuth\nRequire valid-user\n")
        server.backend = backend
        try:
            server.start()
            server.member = signed_in(server)
            yield server
        finally:
            server.stop()


@pytest.fixture(autouse=True)
def watched(gate, log_gate):
    log_gate.watch(gate)


@pytest.fixture
def client(gate):
    return Client(gate)


def raw(gate, method, path, headers, cookie=None):
    """One request with exactly these headers, doubles and spellings included."""
    link = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=30)
    link.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    link.putheader("Host", f"localhost:{gate.port}")
    if cookie:
        link.putheader("Cookie", f"userauth={cookie}")
    for name, value in headers:
        link.putheader(name, value)
    link.endheaders()
    answer = link.getresponse()
    body = answer.read().decode()
    link.close()
    return answer.status, body


def is_told(environment, member):
    person = member.person
    assert environment["REMOTE_USER"] == person.username
    assert environment["AUTH_TYPE"].lower() == "userauth"
    assert environment["USERAUTH_ID"] == person.id
    assert environment["USERAUTH_EMAIL"] == person.email
    assert environment["USERAUTH_DISPLAY_NAME"] == person.display_name
    assert environment["USERAUTH_GROUPS"] == ""
    assert len(environment["USERAUTH_SESSION"]) == 36
    assert member.cookies["userauth"] not in environment["USERAUTH_SESSION"]


def is_told_nothing(environment):
    found = [name for name in environment if "USERAUTH" in name.upper() or "REMOTE_USER" in name.upper()]
    assert found == []


# ---- CGI ----


def test_a_script_behind_the_gate_is_told_who_it_is(gate, client):
    assert client.get("/cgi/show.cgi").status_code == 303
    is_told(apps.environment(gate.member.get("/cgi/show.cgi/more?x=1")), gate.member)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "M-SEARCH"])
def test_a_script_is_told_on_every_method(gate, method):
    """APA-02 (methods that httpd knows; for others it answers itself)."""
    gate.expect_log("AH00135: Invalid method")
    answer = gate.member.request(method, "/cgi/show.cgi", data="a=1")
    if method == "M-SEARCH":
        assert answer.status_code in (200, 501)
    if answer.status_code == 200:
        is_told(apps.environment(answer), gate.member)


def test_a_script_outside_is_told_nothing(gate):
    is_told_nothing(apps.environment(gate.member.get("/open-cgi/show.cgi")))


@pytest.mark.parametrize(
    "path",
    ["/members/some/page", "/members/", "/members/index.cgi/x", "/front/some/page", "/front/", "/members", "/front"],
)
def test_a_front_controller_is_told_who_it_is(gate, client, path):
    """Trap 22: an internal redirect keeps the names, without REDIRECT_ before them."""
    assert client.get(path).status_code == 303
    answer = gate.member.get(path)
    if answer.status_code == 301:
        answer = gate.member.follow(answer)
    is_told(apps.environment(answer), gate.member)


@pytest.mark.parametrize("path", ["/members/outside/page", "/front/outside/page"])
def test_a_front_controller_outside_the_gate_is_told_too(gate, client, path):
    """Trap 22: the gated address is rewritten to a script that has no gate of its own."""
    assert client.get(path).status_code == 303
    is_told(apps.environment(gate.member.get(path)), gate.member)


# ---- mod_include ----


def test_a_part_of_a_page_is_told_who_it_is(gate):
    """SESS-10: a sub-request of an open page reads the session by itself."""
    text = gate.member.get("/members.shtml").text
    assert f"USERAUTH_ID={gate.member.person.id}" in text and f"REMOTE_USER={gate.member.person.username}" in text


def test_a_part_behind_the_gate_is_left_out_for_strangers(gate, client):
    """SESS-10: the open page goes on without it, and without a redirect in its midst."""
    gate.expect_log("unable to include|AH01628|AH01630|AH0137")
    answer = client.get("/members.shtml")
    assert answer.status_code == 200 and "part:" in answer.text
    assert "SERVER_NAME" not in answer.text and "USERAUTH" not in answer.text
    assert "Location" not in answer.headers and "Set-Cookie" not in answer.headers


def test_a_gated_page_with_gated_parts(gate):
    person = gate.member.person
    answer = gate.member.get("/private/page.shtml")
    assert f"[{person.username}|{person.id}]" in answer.text
    assert "Set-Cookie" not in answer.headers


def test_an_open_page_is_told_nothing(gate):
    assert "[(none)]" in gate.member.get("/cgi-inside.shtml").text


def test_one_request_touches_its_session_once(gate):
    """SESS-10: page, sub-request and internal redirect are one use of one session."""
    client = signed_in(gate)
    session = apps.environment(client.get("/cgi/show.cgi"))["USERAUTH_SESSION"]
    client.get("/private/page.shtml")
    assert apps.environment(client.get("/members/some/page"))["USERAUTH_SESSION"] == session
    rows = gate.db("SELECT COUNT(*) FROM session WHERE account_id = ? AND ended = 0", client.person.id)
    assert rows[0][0] == 1


# ---- a proxied backend ----


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "PROPFIND", "BREW", "M-CUSTOM"])
def test_a_backend_is_reached_by_members_only(gate, client, method):
    """APA-02 on a proxied location: the gate answers for every method, known to httpd or not."""
    before = len(gate.backend.requests)
    answer = client.request(method, "/app/page")
    assert answer.status_code in (303, 405, 501) and len(gate.backend.requests) == before
    answer = gate.member.request(method, "/app/page?x=1", data="a=1" if method == "POST" else None)
    assert answer.status_code == 200 and answer.headers["X-From"] == "backend"
    assert gate.backend.requests[-1]["path"] == "/page?x=1"


def test_trace_of_a_proxied_location_is_gated(gate, client):
    before = len(gate.backend.requests)
    assert client.request("TRACE", "/app/page").status_code in (303, 405, 403)
    assert len(gate.backend.requests) == before


def test_a_backend_gets_identity_when_it_is_passed_on(gate):
    """The environment is there for mod_headers; a claim of the client's is not passed instead."""
    gate.member.get("/told/page", headers={"X-Userauth-Id": "0", "X-Remote-User": "root", "X_Remote_User": "root"})
    headers = gate.backend.last()
    assert headers["x-userauth-id"] == [gate.member.person.id]
    assert headers["x-remote-user"] == [gate.member.person.username]
    assert "x_remote_user" not in headers


def test_an_error_of_the_backend_is_the_backends(gate):
    answer = gate.member.get("/app/missing")
    assert answer.status_code == 404 and answer.headers["X-From"] == "backend"


# ---- APA-01: claims of the client ----


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "PATCH", "BREW"])
@pytest.mark.parametrize("path", ["/open-app/page", "/open-app/missing", "/app/page"])
def test_no_claim_reaches_a_backend(gate, method, path):
    headers = [(name, "root") for name in CLAIMS] + [("Content-Length", "0"), ("X-Other", "stays")]
    headers += [("X-Remote-User", "twice"), ("x-remote-user", "thrice")]
    raw(gate, method, path, headers, gate.member.cookies["userauth"] if path.startswith("/app") else None)
    got = gate.backend.last()
    assert got["x-other"] == ["stays"]
    spelled = {name.lower().replace("_", "-") for name in CLAIMS}
    assert not [name for name in got if name.replace("_", "-") in spelled], got
    assert "root" not in json.dumps(gate.backend.requests[-1])


@pytest.mark.parametrize("path", ["/open-cgi/show.cgi", "/cgi/show.cgi", "/members/some/page"])
def test_no_claim_reaches_a_script(gate, path):
    headers = [(name, "root") for name in CLAIMS]
    status, body = raw(gate, "GET", path, headers, gate.member.cookies["userauth"])
    assert status == 200 and "root@" not in body
    assert [line for line in body.splitlines() if line.endswith("=root")] == []


def test_a_claim_in_the_connection_header_hides_nothing(gate):
    """CVE-2022-31813: naming what the server sets as hop-by-hop must not make the proxy drop it."""
    headers = [("Connection", "X-Remote-User, X-Userauth-Id"), ("X-Remote-User", "root")]
    raw(gate, "GET", "/told/page", headers, gate.member.cookies["userauth"])
    got = gate.backend.last()
    assert "root" not in got.get("x-remote-user", [])


def with_trailer(gate, path):
    link = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=30)
    link.putrequest("POST", path, skip_accept_encoding=True)
    link.putheader("Transfer-Encoding", "chunked")
    link.putheader("Trailer", "X-Remote-User")
    link.endheaders(b"1\r\na\r\n0\r\nX-Remote-User: root\r\nUserauth-Id: root\r\nX-Other: stays\r\n\r\n")
    return link.getresponse().read().decode()


def test_a_claim_in_a_trailer_reaches_nobody(gate):
    with_trailer(gate, "/open-app/page")
    assert "root" not in json.dumps(gate.backend.requests[-1]["headers"])


def test_a_claim_in_a_trailer_reaches_no_part_of_a_page(gate):
    """MergeTrailers adds it to the headers after the script has read the body, and before the parts are asked for."""
    lines = with_trailer(gate, "/parts.cgi").splitlines()
    assert "HTTP_X_OTHER=stays" in lines
    assert [line for line in lines if line.endswith("=root")] == []


def test_a_name_that_only_resembles_stays(gate):
    raw(gate, "GET", "/open-app/page", [("X-Remote-Users", "a"), ("X-User", "b"), ("Remote", "c"), ("Userauthor", "d")])
    got = gate.backend.last()
    assert (got["x-remote-users"], got["x-user"], got["remote"], got["userauthor"]) == (["a"], ["b"], ["c"], ["d"])


# ---- what REMOTE_USER holds ----


@pytest.mark.parametrize("word, member", [("id", "id"), ("email", "email"), ("username", "username"), ("EMAIL", "email")])
def test_remote_user_is_what_the_directive_says(new_server, word, member):
    server = new_server(
        start=False, conf=f'UserAuthRemoteUser {word}\n<Location "/cgi">\nSetHandler cgi-script\n{GATED}</Location>'
    )
    apps.put_cgi(server, "cgi/show.cgi")
    server.start()
    client = signed_in(server)
    assert apps.environment(client.get("/cgi/show.cgi"))["REMOTE_USER"] == getattr(client.person, member)


def test_names_of_all_the_world_arrive_whole(gate):
    """The display name is UTF-8, blanks and signs included; no line of the environment is made of it."""
    person = stranger()
    person.display_name = "Zoë 山田 =\"'`$(id);&<b>"
    from people import join

    client = signed_in(gate, join(gate, person=person))
    is_told(apps.environment(client.get("/cgi/show.cgi")), client)
