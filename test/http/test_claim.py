"""Our prefixes are ours and the public one is open, whatever else an administrator maps there (trap 21)."""
import re

import apps
import pytest
from client import Client
from confhelp import spare_port
from people import PASSWORD, join, sign_in

OURS = """
<Location "/auth">
    SetHandler userauth
</Location>
<Location "/dashboard">
    SetHandler userauth
    AuthType UserAuth
    Require valid-user
</Location>
"""
BASE = """
UserAuthBaseURL  ${BASE_URL}
UserAuthDatabase sqlite3 "${RUN}/userauth.db"
UserAuthMail     "folder:${RUN}/mail" "Example <accounts@example.com>"
"""
NAVIGATION = {"Accept": "text/html,*/*;q=0.8"}
HTACCESS = """
RewriteEngine On
RewriteRule ^ /index.cgi [END]
"""
# What stands in the vhost, and what /some/page must show without a session: proof that the mapping works.
MAPPINGS = {
    "nothing": ("", 404),
    "whole-site-gated": ('<Location "/">\nAuthType UserAuth\nRequire valid-user\n</Location>', 303),
    "whole-folder-gated": ('<Directory "${RUN}/htdocs">\nAuthType UserAuth\nRequire valid-user\n</Directory>', 303),
    "denied": ('<Location "/">\nRequire all denied\n</Location>', 403),
    "other-address-only": ('<Location "/">\nRequire ip 192.0.2.1\n</Location>', 403),
    "folder-denied": ('<Directory "${RUN}/htdocs">\nRequire all denied\n</Directory>', 403),
    "other-method-only": ('<Location "/">\nRequire method OPTIONS\n</Location>', 403),
    "basic": (
        '<Location "/">\nAuthType Basic\nAuthName x\nAuthUserFile "${RUN}/none"\nRequire valid-user\n</Location>',
        401,
    ),
    "proxy": ('ProxyPass "/" "http://127.0.0.1:%(port)d/"', 200),
    "proxy-encoded": ('ProxyPass "/" "http://127.0.0.1:%(port)d/" mapping=encoded', 200),
    "proxy-location": ('<Location "/">\nProxyPass "http://127.0.0.1:%(port)d/"\n</Location>', 200),
    "proxy-match": ('ProxyPassMatch "^/(.*)$" "http://127.0.0.1:%(port)d/$1"', 200),
    "rewrite-proxy": ('RewriteEngine On\nRewriteRule ^/(.*)$ http://127.0.0.1:%(port)d/$1 [P]', 200),
    "rewrite-script": ("RewriteEngine On\nRewriteRule ^ /index.cgi [PT]", 200),
    "redirect": ("Redirect 302 / https://other.example/", 302),
    "alias": ('Alias "/" "${RUN}/htdocs/elsewhere/"', 404),
    "script-alias": ('ScriptAlias "/" "${RUN}/htdocs/index.cgi/"', 200),
    "fallback": ("FallbackResource /index.cgi", 200),
    "handler": ('<Location "/">\nSetHandler server-status\n</Location>', 200),
    "action": ('Action all /index.cgi virtual\n<LocationMatch "^/(?!index)">\nSetHandler all\n</LocationMatch>', 200),
    "forbidden-names": ('<LocationMatch "^/some">\nRequire all denied\n</LocationMatch>\nAcceptPathInfo Off', 403),
    "htaccess": ("", 200),
    "htaccess-denied": ("", 403),
    "folders": ("", 404),
    "error-document": ("ErrorDocument 404 /index.cgi\nErrorDocument 401 /index.cgi\nErrorDocument 409 /index.cgi", 404),
}


def fill(server, name):
    apps.put_cgi(server, "index.cgi")
    if name == "htaccess":
        apps.put(server, ".htaccess", HTACCESS)
    if name == "htaccess-denied":
        apps.put(server, ".htaccess", "Require all denied\n")
    if name in ("folders", "fallback"):
        for folder in ("auth", "auth/login", "dashboard", ".well-known"):
            apps.put(server, f"{folder}/index.html", "<p>a folder of the operator</p>")
            apps.put(server, f"{folder}/.htaccess", HTACCESS)


def the_journey_works(server):
    """Register, follow the mail, sign in, see the dashboard, sign out; assets and the closed door included."""
    client = Client(server, browser=True)
    shut = client.get("/dashboard?x=1")
    assert (shut.status_code, shut.headers["Location"]) == (303, "/auth/login?next=%2Fdashboard%3Fx%3D1")
    page = client.follow(shut)
    assert page.status_code == 200 and "<h1>Log in</h1>" in page.text
    for asset in re.findall(r'(?:href|src)="(/auth/assets/[^"]+)"', page.text):
        assert client.get(asset).status_code == 200
    person = join(server)
    entered = client.form(shut.headers["Location"], {"login": person.username, "password": PASSWORD})
    assert (entered.status_code, entered.headers["Location"]) == (303, "/dashboard?x=1")
    shown = client.follow(entered)
    assert shown.status_code == 200 and person.username in shown.text
    assert client.get("/auth").headers["Location"] == "/auth/login"
    assert client.get("/auth/unknown").status_code == 404
    assert client.get("/dashboard/unknown").status_code == 404
    assert client.json("GET", "/auth/health").json()["status"] == "ok"
    assert client.form("/auth/logout", {}).status_code == 303
    assert client.get("/dashboard").status_code == 303


@pytest.mark.parametrize("handlers", ["", OURS], ids=["prefix-only", "with-handlers"])
@pytest.mark.parametrize("name", MAPPINGS)
def test_our_prefixes_are_ours(new_server, name, handlers):
    conf, status = MAPPINGS[name]
    with apps.Backend() as backend:
        extra = '<Directory "${RUN}/htdocs">\nAddHandler cgi-script .cgi\n</Directory>\n'
        if name == "script-alias":
            extra += "Options +ExecCGI\n"
        server = new_server(start=False, site=False, conf=BASE + extra + conf % {"port": backend.port} + "\n" + OURS_GATE + handlers)
        fill(server, name)
        server.start()
        server.expect_log("AH01630|AH01618|AH01620|AH01797|AH00128|AH01617|AH02811|AH01276|AH01627|AH01071")
        before = len(backend.requests)
        the_journey_works(server)
        assert [r["path"] for r in backend.requests[before:]] == []
        answer = Client(server).get("/some/page", headers=NAVIGATION)
        assert answer.status_code == status, f"{answer.status_code} {answer.text}"


# The gate of the personal prefix, which the smallest configuration has too; without it the prefix is 404 or open.
OURS_GATE = """
<Location "/dashboard">
    AuthType UserAuth
    Require valid-user
</Location>
"""


def test_the_whole_site_is_gated_and_the_way_in_does_not_loop(new_server):
    """Trap 21: AuthType and Require on "/" reach neither the login page nor its assets."""
    server = new_server(start=False, conf=MAPPINGS["whole-site-gated"][0])
    apps.put(server, "index.html", "<p>home</p>")
    apps.put(server, "sub/index.html", "<p>below</p>")
    server.start()
    person = join(server)
    for path in ("/", "/sub/", "/sub", "/index.html?x=1"):
        client = Client(server, browser=True)
        refused = client.get(path)
        assert refused.status_code == 303
        entered = client.form(refused.headers["Location"], {"login": person.email, "password": PASSWORD})
        assert (entered.status_code, entered.headers["Location"]) == (303, path)
        shown = client.follow(entered)
        if shown.status_code == 301:
            shown = client.follow(shown)
        assert shown.status_code == 200 and ("home" in shown.text or "below" in shown.text)


@pytest.mark.parametrize(
    "path",
    ["/auth/..", "/auth/../private.txt", "/auth/%2e%2e/private.txt", "/authx", "/auth.txt", "/auth%2fx/../../private.txt",
     "/auth//../private.txt", "/auth/.%2e/private.txt", "//auth/../private.txt", "/auth/assets/../../private.txt",
     "/AUTH/login", "/auth;/../private.txt", "/auth/login/../../private.txt", "/auth\\..\\private.txt"],
)
def test_the_open_prefix_opens_nothing_else(new_server, path):
    """PATH-01, ENC-06: the same path is judged and served."""
    server = shared(new_server)
    server.expect_log("AH00128|AH00026|AH01630|AH10244|AH00127|AH02429")
    import http.client

    link = http.client.HTTPConnection("127.0.0.1", server.port)
    link.putrequest("GET", path, skip_host=True)
    link.putheader("Host", f"localhost:{server.port}")
    link.endheaders()
    answer = link.getresponse()
    body = answer.read().decode()
    assert "secret of the site" not in body
    if answer.status == 200:
        assert "Register" in body


def shared(new_server):
    server = new_server(start=False, conf=MAPPINGS["whole-site-gated"][0])
    apps.put(server, "private.txt", "secret of the site")
    apps.put(server, "auth.txt", "secret of the site")
    apps.put(server, "authx", "secret of the site")
    return server.start()


def test_other_prefixes(new_server):
    """UserAuthPath and UserAuthDashboardPath move everything; the usual ones are then the site's own."""
    conf = BASE + "UserAuthPath /account/in\nUserAuthDashboardPath /my\n"
    conf += '<Location "/">\nAuthType UserAuth\nRequire valid-user\n</Location>'
    server = new_server(start=False, site=False, conf=conf)
    apps.put(server, "auth/login", "the site's own")
    server.start()
    client = Client(server)
    refused = client.get("/my", headers=NAVIGATION)
    assert refused.headers["Location"] == "/account/in/login?next=%2Fmy"
    page = client.follow(refused)
    assert 'action="/account/in/login"' in page.text and 'href="/account/in/assets/' in page.text
    assert client.get("/auth/login", headers=NAVIGATION).headers["Location"].startswith("/account/in/login?next=")
    person = {"username": "mover", "email": "mover@example.org", "password": PASSWORD}
    assert client.json("POST", "/account/in/register", person).status_code == 201
    link = server.wait_mail("mover@example.org").links()[0]
    assert link.startswith(f"{server.base}/account/in/verify?token=")
    entered = client.get(link)
    assert entered.headers["Location"] == "/account/in/login?notice=verified"
    entered = client.post("/account/in/login", {"login": "mover", "password": PASSWORD})
    assert entered.headers["Location"] == "/my"
    assert "mover" in client.get("/my").text
    assert client.get("/auth/login").text == "the site's own"


def test_another_module_is_left_in_peace(new_server):
    """A vhost without the module's directives is served as if it were not loaded."""
    head = "Listen 127.0.0.1:%d\n<VirtualHost *:%d>\nServerName plain.example\nDocumentRoot ${RUN}/plain\n"
    head += '<Directory "${RUN}/plain">\nRequire all granted\n</Directory>\n</VirtualHost>\n'
    port = spare_port()
    server = new_server(start=False, head=head % (port, port))
    for path in ("auth/login", "dashboard"):
        file = server.folder / "plain" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("a file")
    server.start()
    client = Client(server, base=f"http://localhost:{port}")
    assert client.get("/auth/login").text == client.get("/dashboard").text == "a file"


@pytest.mark.parametrize("lines, log", [
    ("AuthType UserAuth\nRequire valid-user", "UA0105: AuthType UserAuth, "),
    ("SetHandler userauth\nRequire all granted", "UA0111: SetHandler userauth, "),
], ids=["AuthType", "SetHandler"])
def test_a_vhost_without_a_site_is_an_error_that_denies(new_server, lines, log):
    """INV-7: nothing is shown, and the log names the cause."""
    port = spare_port()
    head = f'Listen 127.0.0.1:{port}\n<VirtualHost *:{port}>\nDocumentRoot "${{RUN}}/htdocs"\n<Location "/">\n'
    head += f"{lines}\n</Location>\n</VirtualHost>\n"
    server = new_server(start=False, head=head)
    apps.put(server, "a.txt", "secret")
    server.start()
    answer = Client(server, base=f"http://localhost:{port}").get("/a.txt")
    assert answer.status_code == 500 and "secret" not in answer.text
    server.wait_log(log + "but this virtual host has no UserAuthBaseURL: add one")


@pytest.mark.parametrize("order", range(6))
def test_the_order_of_modules_decides_nothing(new_server, monkeypatch, order):
    """CFG-11: rewriting, proxying and other authentication, loaded in several orders, give one decision."""
    import random

    import server as harness

    loaded = list(harness.LOADED)
    random.Random(order).shuffle(loaded)
    loaded.sort(key="proxy_http".__eq__)  # which needs mod_proxy, wherever that stands
    monkeypatch.setattr(harness, "LOADED", loaded)
    with apps.Backend() as backend:
        conf = f'ProxyPass "/app/" "http://127.0.0.1:{backend.port}/"\nRewriteEngine On\nRewriteRule ^/old/(.*) /app/$1 [PT]\n'
        conf += 'Alias "/auth/assets" "${RUN}/htdocs"\n'
        conf += '<LocationMatch "^/(app|files)/">\nAuthType UserAuth\nRequire valid-user\n</LocationMatch>'
        server = new_server(start=False, conf=conf)
        if order % 2:
            put_module_first(server, monkeypatch)
        apps.put(server, "files/a.txt", "a file")
        server.start()
        the_journey_works(server)
        client = Client(server)
        for path in ("/app/x", "/old/x", "/files/a.txt", "/files/"):
            assert client.get(path, headers=NAVIGATION).status_code == 303, path
        assert backend.requests == []
        sign_in(client, join(server))
        assert client.get("/app/x").status_code == client.get("/old/x").status_code == 200
        assert client.get("/files/a.txt").text == "a file"


def put_module_first(server, monkeypatch):
    """Loads the module before the others instead of after them."""
    write = server.write_conf

    def write_first():
        write()
        file = server.folder / "httpd.conf"
        lines = file.read_text().splitlines()
        ours = [line for line in lines if line.startswith("LoadModule userauth_module")]
        rest = [line for line in lines if line not in ours]
        file.write_text("\n".join(ours + rest) + "\n")

    monkeypatch.setattr(server, "write_conf", write_first)
