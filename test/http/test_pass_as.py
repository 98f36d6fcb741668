"""UserAuthPassAs: applications behind the gate are told of the person by variables, by request headers, by both, or not at all.

APA-01: a header of such a name is the gate's or is not there.
"""
import base64
from urllib.parse import unquote

import apps
import http2
import jwt
import pytest
from client import Client
from people import join, signed_in, stranger
from server import Server
from tokens import bearer, key_of, no_good

CONF = """
UserAuthSessionCacheTTL 2s
UserAuthPassAs %(word)s
<Location "/cgi">
    SetHandler cgi-script
    AuthType UserAuth
    Require valid-user
</Location>
<Location "/app">
    AuthType UserAuth
    Require valid-user
</Location>
ProxyPass "/app/" "http://127.0.0.1:%(port)d/"
ProxyPass "/open/" "http://127.0.0.1:%(port)d/"
<Directory "${RUN}/htdocs">
    AddHandler cgi-script .cgi
    AddOutputFilter INCLUDES .shtml
    Options +Includes
</Directory>
"""
NAMES = ["Id", "Email", "Display-Name", "Groups", "Session"]


@pytest.fixture(scope="module", params=["environment", "headers", "both", "none"])
def site(request, run_folder):
    with apps.Backend() as backend:
        server = Server(run_folder, conf=CONF % {"word": request.param, "port": backend.port})
        apps.put_cgi(server, "cgi/show.cgi")
        apps.put_cgi(server, "open.cgi")
        apps.put(server, "parts.shtml", '<!--#include virtual="/cgi/show.cgi" -->-----<!--#include virtual="/open.cgi" -->')
        server.word, server.backend = request.param, backend
        try:
            server.start()
            person = stranger()
            person.display_name = "Zoë 山田 100%\u00a0<b>"
            server.member = signed_in(server, join(server, person=person))
            yield server
        finally:
            server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


def expected(site):
    person = site.member.person
    return {"id": person.id, "email": person.email, "display-name": person.display_name, "groups": ""}


def is_told(site, headers):
    """`headers`: names in lower case, each with the list of its values."""
    assert headers["x-remote-user"] == [site.member.person.username]
    for name, value in expected(site).items():
        (sent,) = headers[f"x-userauth-{name}"]
        assert sent.isascii() and " " not in sent and unquote(sent, errors="strict") == value
    (session,) = headers["x-userauth-session"]
    assert len(session) == 36 and session not in site.member.cookies["userauth"]


def told(headers):
    return [name for name in headers if "userauth-" in name or "remote-user" in name]


def test_a_backend_is_told_by_headers(site):
    claims = {"X-Remote-User": "root", "X-Userauth-Id": "0", "x_userauth_groups": "admin", "Userauth-Email": "root@example.org"}
    assert site.member.get("/app/page", headers=claims).status_code == 200
    headers = site.backend.last()
    if site.word in ("headers", "both"):
        is_told(site, headers)
        assert len(told(headers)) == 1 + len(NAMES)
    else:
        assert told(headers) == []


@pytest.mark.skipif(http2.USED, reason="HTTP/2 has no such header")
@pytest.mark.parametrize("separator", [", ", ";", "; ", " ,\t", ";q=1, "])
def test_a_client_takes_no_header_away(site, separator):
    """CVE-2022-31813: what "Connection" names is hop-by-hop, but not what the gate says. mod_proxy ends a name at ";", too."""
    names = separator.join(["close", "X-Remote-User", "X-Other", *(f"x-userauth-{name}" for name in NAMES)])
    assert site.member.get("/app/page", headers={"Connection": names, "X-Other": "1"}).status_code == 200
    headers = site.backend.last()
    assert "x-other" not in headers
    if site.word in ("headers", "both"):
        is_told(site, headers)


def test_a_script_is_told_by_variables(site):
    environment = apps.environment(site.member.get("/cgi/show.cgi"))
    assert environment["REMOTE_USER"] == site.member.person.username
    variables = [name for name in environment if name.startswith("USERAUTH_")]
    assert len(variables) == (len(NAMES) if site.word in ("environment", "both") else 0)
    headers = {name[5:].lower().replace("_", "-"): [value] for name, value in environment.items() if name.startswith("HTTP_")}
    if site.word in ("headers", "both"):
        is_told(site, headers)
    else:
        assert told(headers) == []


def test_outside_the_gate_nothing_is_told(site):
    assert site.member.get("/open/page").status_code == 200
    assert told(site.backend.last()) == []
    for path in ("/open.cgi", "/parts.shtml"):  # the second has a part that is told
        *gated, text = site.member.get(path).text.split("-----")
        assert all("REMOTE_USER=" in part for part in gated)
        assert "SERVER_NAME=" in text and "HTTP_X_USERAUTH" not in text and "REMOTE_USER" not in text


OWN = """
UserAuthPassAs both
UserAuthPassUserHeader X-Webauth-User
UserAuthPassHeaderPrefix X-Auth-
UserAuthPassEncoding base64url
%s
<Location "/app">
    AuthType UserAuth
    Require valid-user
</Location>
<Location "/cgi">
    SetHandler cgi-script
</Location>
ProxyPass "/app/" "http://127.0.0.1:%d/"
ProxyPass "/open/" "http://127.0.0.1:%d/"
"""
PAGE = {"Accept": "text/html"}


@pytest.fixture
def own(new_server, request):
    """A server with names of its own; the parameter is one more line."""
    with apps.Backend() as backend:
        server = new_server(conf=OWN % (getattr(request, "param", ""), backend.port, backend.port))
        apps.put_cgi(server, "cgi/show.cgi")
        server.backend, server.member = backend, signed_in(server)
        yield server


def decoded(headers, name):
    (value,) = headers[name]
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode()


def test_names_and_encoding_are_the_administrators(own):
    claims = {"X-Webauth-User": "root", "X_Webauth_User": "root", "X-Auth-Id": "0", "x_auth_other": "1", "X-Remote-User": "root"}
    for path in ("/app/page", "/open/page"):
        assert own.member.get(path, headers={**PAGE, **claims}).status_code == 200
        headers, person = own.backend.last(), own.member.person
        assert not [name for name in headers if "_" in name or "userauth-" in name or "remote-user" in name]
        if path == "/app/page":
            assert decoded(headers, "x-webauth-user") == person.username and decoded(headers, "x-auth-id") == person.id
            assert decoded(headers, "x-auth-display-name") == person.display_name and decoded(headers, "x-auth-groups") == ""
        else:
            assert "x-webauth-user" not in headers and "x-auth-id" not in headers


@pytest.mark.parametrize("own, passed", [("", False), ("UserAuthPassCookies on", True)], indirect=["own"])
def test_our_cookies_are_no_applications(own, passed):
    """A session's secret is nothing for a backend's log; its own cookies arrive."""
    ours = f"userauth={own.member.cookies['userauth']}"
    sent = {**PAGE, "Cookie": f"a=1; {ours};userauth-csrf=x;  b=userauth=2; userauthor=3; __Host-userauth=4"}
    rest = "a=1;  b=userauth=2; userauthor=3"
    for path in ("/app/page", "/open/page"):
        assert own.member.get(path, headers=sent).status_code == 200
        (cookie,) = own.backend.last()["cookie"]
        assert cookie == (sent["Cookie"] if passed else rest)
    assert apps.environment(own.member.get("/cgi/show.cgi", headers=sent))["HTTP_COOKIE"] == (sent["Cookie"] if passed else rest)
    joined = f"a=1, {ours}, c=3"  # as httpd joins two headers
    own.member.get("/open/page", headers={**PAGE, "Cookie": joined})
    assert own.backend.last()["cookie"] == [joined if passed else "a=1, c=3"]
    own.member.get("/app/page", headers={**PAGE, "Cookie": ours})
    assert own.backend.last().get("cookie") == ([ours] if passed else None)


@pytest.mark.parametrize("own", ["UserAuthPassToken on"], indirect=True)
def test_a_backend_may_want_a_signature(own):
    """A statement of a minute that any JWT library checks; it opens nothing at the site itself."""
    claims = {"X-Auth-Token": "forged", "x_auth_token": "forged", "Connection": "close, X-Auth-Token"}
    assert own.member.get("/app/page", headers={**PAGE, **claims}).status_code == 200
    (token,) = own.backend.last()["x-auth-token"]
    person = own.member.person
    assert jwt.get_unverified_header(token)["typ"] == "JWT"
    said = jwt.decode(token, key_of(own, token), algorithms=["ES256"], audience=own.base, issuer=own.base)
    assert (said["sub"], said["username"], said["email"], said["groups"]) == (person.id, person.username, person.email, [])
    assert said["exp"] - said["iat"] == 60 and len(said["sid"]) == 36
    no_good(Client(own).get("/app/page", headers=bearer(token)))
    assert own.member.get("/open/page", headers={**PAGE, **claims}).status_code == 200
    assert "x-auth-token" not in own.backend.last()
