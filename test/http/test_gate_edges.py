"""The gate where other modules take part: mod_dir, mod_rewrite, mod_include, httpd's own scanner of expressions."""
import http.client

import apps
import pytest
from client import Client
from people import signed_in
from server import Server

GATE = "AuthType UserAuth\nRequire valid-user\n"
NAVIGATION = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FILES = f"""
<FilesMatch "\\.cgi$">
    {GATE}
</FilesMatch>
<Directory "${{RUN}}/htdocs/app">
    AddHandler cgi-script .cgi
    DirectoryIndex index.html index.cgi
</Directory>
<Directory "${{RUN}}/htdocs/front">
    AddHandler cgi-script .cgi
    FallbackResource /front/index.cgi
</Directory>
<Directory "${{RUN}}/htdocs/fresh">
    <Files "index.html">
        AuthType UserAuth
        Require userauth-fresh 10m
    </Files>
</Directory>
<Directory "${{RUN}}/htdocs/second">
    DirectoryIndex index.html open.txt
    <Files "index.html">
        {GATE}
    </Files>
</Directory>
<Directory "${{RUN}}/htdocs/asks">
    RewriteEngine On
    RewriteCond /app/index.cgi -U
    RewriteRule ^ - [E=REACHES:yes]
    Header set X-Reaches "%{{REACHES}}e"
</Directory>
"""


@pytest.fixture(scope="module")
def by_file(run_folder):
    server = Server(run_folder, conf=FILES)
    for path in ("app/index.cgi", "front/index.cgi"):
        apps.put_cgi(server, path)
    apps.put(server, "fresh/index.html", "fresh")
    apps.put(server, "asks/index.html", "open")
    apps.put(server, "second/open.txt", "for everybody")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def watched(by_file, log_gate):
    log_gate.watch(by_file)
    by_file.expect_log("AH01631")


@pytest.mark.parametrize("path", ["/app/", "/app/?a=1", "/front/some/page"])
def test_a_folder_whose_index_is_gated_leads_to_the_login(by_file, watched, path):
    """Contract 6: a navigation without a session is redirected, whichever section gates the file that mod_dir finds."""
    answer = Client(by_file).get(path, headers=NAVIGATION)
    where = path.replace("/", "%2F").replace("?", "%3F").replace("=", "%3D")
    assert (answer.status_code, answer.headers.get("Location")) == (303, f"/auth/login?next={where}")
    assert answer.headers["Cache-Control"] == "no-store"
    for headers in ({"Accept": "application/json"}, {"X-Requested-With": "XMLHttpRequest"}):
        answer = Client(by_file).get(path, headers=headers)
        assert answer.status_code == 401 and "Location" not in answer.headers
    assert signed_in(by_file).get(path, headers=NAVIGATION).headers["X-From"] == "cgi"


def test_a_stale_password_is_asked_for_before_a_folder_too(by_file, watched):
    member = signed_in(by_file)
    assert member.get("/fresh/", headers=NAVIGATION).text == "fresh"
    by_file.db("UPDATE session SET auth_time = auth_time - 900000000 WHERE account_id = ?", member.person.id)
    answer = member.get("/fresh/", headers=NAVIGATION)
    assert (answer.status_code, answer.headers.get("Location")) == (303, "/auth/reauth?next=%2Ffresh%2F&max_age=600")


def test_a_gated_index_that_is_not_there_hides_nothing(by_file, watched):
    assert Client(by_file).get("/second/", headers=NAVIGATION).text == "for everybody"


def test_who_asks_ahead_hears_no(by_file, watched):
    """RewriteCond -U: a redirect to the login is no access."""
    assert Client(by_file).get("/asks/index.html").headers["X-Reaches"] == "(null)"
    assert signed_in(by_file).get("/asks/index.html").headers["X-Reaches"] == "yes"


REWRITTEN = f"""
<FilesMatch "\\.cgi$">
    {GATE}
</FilesMatch>
<Location "/fresh">
    AuthType UserAuth
    Require userauth-fresh 10m
</Location>
<Directory "${{RUN}}/htdocs">
    AddHandler cgi-script .cgi
</Directory>
"""
FRONT = "RewriteEngine On\nRewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule ^ index.cgi [L]\n"


def test_a_front_controller_s_person_comes_back_to_the_page_he_wanted(new_server):
    """Contract 6: what is gated by its file name is reached by a rewrite; "next" is what the browser asked for."""
    server = new_server(conf=REWRITTEN, start=False)
    apps.put_cgi(server, "app/index.cgi")
    apps.put(server, "app/.htaccess", FRONT)
    server.start()
    answer = Client(server).get("/app/some/page?a=1", headers=NAVIGATION)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/login?next=%2Fapp%2Fsome%2Fpage%3Fa%3D1")


@pytest.mark.parametrize("target", ["http:/auth/login", "https:/private/a", "HTTP:/auth/login"])
def test_the_way_to_https_is_always_this_site(new_server, target):
    """Contract 4: 308 to https; a scheme before the path is not glued to the host."""
    server = new_server(conf=f'<Location "/private">\n{GATE}</Location>', tls=True)
    link = http.client.HTTPConnection("127.0.0.1", server.plain_port, timeout=30)
    link.putrequest("GET", target, skip_host=True)
    link.putheader("Host", "localhost")
    link.endheaders()
    answer = link.getresponse()
    assert answer.status == 308 and answer.headers["Location"] == server.base + target.split(":")[1]


MIXED = f"""
UserAuthPassAs both
UserAuthPassToken on
<Directory "${{RUN}}/htdocs">
    AddHandler cgi-script .cgi
    AddOutputFilter INCLUDES .shtml
    Options +Includes
</Directory>
<Location "/member">
    {GATE}
</Location>
<Location "/htpasswd">
    {apps.HTPASSWD}
</Location>
"""


def test_a_part_behind_another_gate_is_told_nothing_of_ours(new_server):
    """APA-01: with a cookie of one person and the password of another, a part that httpd's own gate lets in is told of one."""
    server = new_server(conf=MIXED, start=False)
    apps.put_cgi(server, "htpasswd/show.cgi")
    apps.put(server, "member/page.shtml", '<!--#include virtual="/htpasswd/show.cgi" -->')
    apps.put_htpasswd(server, "bob", "other")
    server.start()
    text = signed_in(server).get("/member/page.shtml", auth=("bob", "other")).text
    names = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    assert (names["REMOTE_USER"], names["AUTH_TYPE"]) == ("bob", "Basic")
    assert not [name for name in names if name.startswith(("USERAUTH_", "HTTP_X_"))]



CLOSED = ["%{tolower:'a'}", "%{tolower:it's}", '"%{req:X\\}"', "%{tolower:\"}\"}", "%{req:a'b}"]


@pytest.mark.parametrize("provider", ["userauth-group", "userauth-fresh"])
def test_no_expression_in_htaccess_ends_a_child(new_server, provider):
    """INV-8: httpd's scanner ends the process at a quote or an escaped brace within %{…}; the line is an error, which denies."""
    server = new_server(start=False)
    for number, words in enumerate(CLOSED):
        apps.put(server, f"{number}/.htaccess", f"AuthType UserAuth\nRequire {provider} {words}\n")
        apps.put(server, f"{number}/a.txt", "secret")
    server.start()
    server.expect_log(r"\.htaccess: ")
    children = set(server.children())
    for number in range(len(CLOSED)):
        assert Client(server).get(f"/{number}/a.txt").status_code == 500
    assert children <= set(server.children())


@pytest.mark.parametrize("words", CLOSED)
def test_such_an_expression_is_refused_with_its_place(new_server, words):
    server = new_server(start=False, conf=f'<Location "/x">\nAuthType UserAuth\nRequire userauth-group {words}\n</Location>\n')
    status, said = server.configtest()
    assert status != 0 and "userauth-group" in said and "httpd.conf" in said


def test_a_403_on_failure_still_asks_for_the_password(new_server):
    """AuthzSendForbiddenOnFailure is for who may not come in, not for who has to give the password again."""
    lines = "AuthType UserAuth\nAuthzSendForbiddenOnFailure On\nRequire userauth-fresh 10m\n"
    server = new_server(conf=f'<Location "/x">\n{lines}</Location>\n')
    server.expect_log("AH01631")
    member = signed_in(server)
    server.db("UPDATE session SET auth_time = auth_time - 900000000 WHERE account_id = ?", member.person.id)
    answer = member.get("/x/", headers=NAVIGATION)
    assert (answer.status_code, answer.headers.get("Location")) == (303, "/auth/reauth?next=%2Fx%2F&max_age=600")
