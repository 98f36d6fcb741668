"""The gate before PHP-FPM and mod_wsgi: what an application there is told, in the way that it is used to.

APA-01: what a client says of its identity reaches no application.
"""
import http.client
import json
import socket

import apps
import pytest
from client import Client
from people import signed_in, stranger, join
from runtimes import FPM, MOD_WSGI, php_fpm
from server import Server

GATED = "AuthType UserAuth\n    Require valid-user\n"
PHP = """
MergeTrailers on
<Directory "${RUN}/htdocs">
    <FilesMatch "\\.php$">
        SetHandler "proxy:unix:${RUN}/fpm.sock|fcgi://localhost"
    </FilesMatch>
</Directory>
<Location "/inside">
    %(gated)s</Location>
<Location "/front">
    FallbackResource /front/index.php
    %(gated)s</Location>
"""
SHOW_PHP = """<?php
header('X-From: php');
header('Content-Type: application/json');
echo json_encode(['told' => $_SERVER, 'body' => file_get_contents('php://input'), 'cookies' => $_COOKIE]);
"""
WSGI = """
WSGIDaemonProcess apps processes=1 threads=2
WSGIScriptAlias /embedded "${RUN}/app.wsgi"
WSGIScriptAlias /daemon "${RUN}/app.wsgi" process-group=apps application-group=%%{GLOBAL}
WSGIScriptAlias /open "${RUN}/app.wsgi" process-group=apps application-group=%%{GLOBAL}
<Directory "${RUN}">
    Require all granted
</Directory>
<Location "/embedded">
    %(gated)s</Location>
<Location "/daemon">
    %(gated)s</Location>
"""
SHOW_WSGI = '''
import json
def application(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    said = json.dumps({"told": told, "body": body}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("X-From", "wsgi"), ("Content-Length", str(len(said)))])
    return [said]
'''
CLAIMS = {"Remote-User": "root", "Userauth-Id": "1", "X-Remote-User": "root", "X-Userauth-Id": "1", "Redirect-Userauth-Id": "1"}
OWN = {"REMOTE_USER", "AUTH_TYPE", "USERAUTH_ID", "USERAUTH_EMAIL", "USERAUTH_DISPLAY_NAME", "USERAUTH_GROUPS", "USERAUTH_SESSION"}


def start(server):
    server.start()
    person = stranger()
    person.display_name = "Zoë 山田 <b>"
    server.member = signed_in(server, join(server, person=person))
    return server


@pytest.fixture(scope="module")
def php(run_folder):
    if not php_fpm():
        pytest.skip("PHP-FPM is not at hand")
    server = Server(run_folder, conf=PHP % {"gated": GATED}, head="LoadModule proxy_fcgi_module /usr/lib/apache2/modules/mod_proxy_fcgi.so")
    for path in ("inside/show.php", "front/index.php", "show.php"):
        apps.put(server, path, SHOW_PHP)
    fpm = FPM(server.folder)
    try:
        yield start(server)
    finally:
        server.stop()
        fpm.stop()


@pytest.fixture(scope="module")
def wsgi(run_folder):
    if not MOD_WSGI.exists():
        pytest.skip("mod_wsgi is not at hand")
    head = f'LoadModule wsgi_module "{MOD_WSGI}"\nWSGISocketPrefix "${{RUN}}/wsgi"'
    server = Server(run_folder, conf=WSGI % {"gated": GATED}, head=head)
    (server.folder / "app.wsgi").write_text(SHOW_WSGI)
    try:
        yield start(server)
    finally:
        server.stop()


def said(answer):
    assert answer.status_code == 200 and answer.headers.get("X-From"), f"{answer.status_code} {answer.text[:500]}"
    return json.loads(answer.text)


def is_told(told, person):
    assert told["REMOTE_USER"] == person.username and told["AUTH_TYPE"] == "UserAuth"
    assert told["USERAUTH_ID"] == person.id and told["USERAUTH_EMAIL"] == person.email
    assert text(told["USERAUTH_DISPLAY_NAME"]) == person.display_name and told["USERAUTH_GROUPS"] == ""
    assert len(told["USERAUTH_SESSION"]) == 36
    no_claim(told, OWN)


def text(value):
    """WSGI's strings hold bytes (PEP 3333); PHP's are UTF-8."""
    return value if not value.isascii() and any(ord(sign) > 255 for sign in value) else value.encode("latin-1").decode()


def no_claim(told, allowed=frozenset()):
    names = [name for name in told if "USERAUTH" in name.upper() or "REMOTE_USER" in name.upper() or name == "AUTH_TYPE"]
    assert set(names) <= allowed
    assert "userauth=" not in told.get("HTTP_COOKIE", "")


@pytest.mark.parametrize("path", ["/inside/show.php", "/front/any/page", "/front/index.php/more?x=1", "/front/"])
def test_php_is_told(php, path):
    answer = said(php.member.get(path, headers=CLAIMS))
    is_told(answer["told"], php.member.person)
    assert "userauth" not in answer["cookies"]


@pytest.mark.parametrize("pass_as", ["environment", "headers"])
def test_a_claim_in_a_trailer_reaches_no_php(php, pass_as):
    """mod_proxy_fcgi tells the application what stands among the headers once it has read the body."""
    settings(php, f"UserAuthPassAs {pass_as}")
    told = with_trailer(php, "/inside/show.php", php.member)
    assert told["HTTP_X_OTHER"] == "stays" and "root" not in [told[name] for name in told]
    assert told["REMOTE_USER"] == php.member.person.username
    assert told.get("HTTP_X_REMOTE_USER", "") == (told["REMOTE_USER"] if pass_as == "headers" else "")
    told = with_trailer(php, "/show.php", Client(php))
    assert told["HTTP_X_OTHER"] == "stays"
    no_claim(told)
    settings(php, "")


def settings(php, line):
    php.conf = PHP % {"gated": GATED} + line
    php.renew()


def with_trailer(server, path, client):
    """In one piece: mod_proxy_fcgi waits for no more of a body than it finds."""
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    head = f"POST {path} HTTP/1.1\r\nHost: localhost:{server.port}\r\nCookie: {cookies}\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = "1\r\na\r\n0\r\nX-Remote-User: root\r\nX-Userauth-Id: root\r\nX-Other: stays\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 30) as link:
        link.sendall((head + body).encode())
        answer = http.client.HTTPResponse(link)
        answer.begin()
        return json.loads(answer.read())["told"]


@pytest.mark.parametrize("path", ["/embedded/", "/daemon/page?x=1"])
def test_wsgi_is_told(wsgi, path):
    is_told(said(wsgi.member.get(path, headers=CLAIMS))["told"], wsgi.member.person)


@pytest.mark.parametrize("path", ["/inside/show.php", "/front/any/page"])
def test_a_form_reaches_php(php, path):
    answer = said(php.member.request("POST", path, data="a=1", headers={"Content-Type": "text/plain", **CLAIMS}))
    is_told(answer["told"], php.member.person)
    assert answer["body"] == "a=1"


@pytest.mark.parametrize("path", ["/embedded/form", "/daemon/form"])
def test_a_form_reaches_wsgi(wsgi, path):
    answer = said(wsgi.member.request("POST", path, data="a=1", headers={"Content-Type": "text/plain", **CLAIMS}))
    is_told(answer["told"], wsgi.member.person)
    assert answer["body"] == "a=1"


@pytest.mark.parametrize("path", ["/inside/show.php", "/front/any/page", "/front/", "/front/index.php"])
def test_a_guest_reaches_no_php(php, path):
    guest(php, path)


@pytest.mark.parametrize("path", ["/embedded/", "/daemon/page"])
def test_a_guest_reaches_no_wsgi(wsgi, path):
    guest(wsgi, path)


def guest(site, path):
    for method in ("GET", "POST", "PUT", "DELETE", "PROPFIND"):
        answer = Client(site).request(method, path, headers={"Accept": "application/json", **CLAIMS})
        assert answer.status_code == 401 and "X-From" not in answer.headers


def test_outside_the_gate_nothing_is_told(php):
    for person in (php.member, Client(php)):
        no_claim(said(person.get("/show.php", headers=CLAIMS))["told"])


def test_outside_the_gate_nothing_is_told_by_wsgi(wsgi):
    for person in (wsgi.member, Client(wsgi)):
        no_claim(said(person.get("/open/", headers=CLAIMS))["told"])
