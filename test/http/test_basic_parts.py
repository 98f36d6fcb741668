"""Basic credentials in the parts and redirects of a request: tried once, and nothing of them shows where they were refused."""
import base64

import apps
import pytest
from client import Client
from people import PASSWORD, join, signed_in
from server import TOP, Server
from test_basic import get

BASIC = 'AuthType Basic\nAuthName "Members"\nAuthBasicProvider userauth\nRequire valid-user\n'
WRONG = "one-typo-battery"
CONF = f"""
UserAuthSessionCacheTTL 2s
UserAuthPassAs both
UserAuthTemplates "${{RUN}}/own"
<Directory "${{RUN}}/htdocs/pub">
    Options +Indexes +Includes
    AddOutputFilter INCLUDES .shtml
    AddType text/html .shtml
    <FilesMatch "\\.doc$">
        {BASIC}
    </FilesMatch>
</Directory>
<Location "/ahead">
    {BASIC}
</Location>
RewriteEngine On
RewriteCond %{{LA-U:REMOTE_USER}} ^x$
RewriteRule ^/ahead/ /nowhere
<Location "/told">
    {BASIC}
    ErrorDocument 401 /open/show.cgi
</Location>
<Location "/told-inside">
    SetHandler cgi-script
    {BASIC}
    ErrorDocument 401 /told-inside/show.cgi
</Location>
<Location "/open">
    SetHandler cgi-script
</Location>
<Location "/member">
    AuthType UserAuth
    Require valid-user
    ErrorDocument 404 /htpasswd/show.cgi
</Location>
<Location "/htpasswd">
    SetHandler cgi-script
    {apps.HTPASSWD}
</Location>
"""


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf=CONF)
    for number in range(8):
        apps.put(server, f"pub/{number}.doc", "gated")
    apps.put(server, "pub/page.shtml", 'before <!--#include virtual="/pub/1.doc" --> after')
    for path in ("ahead/a.txt", "told/a.txt", "member/a.txt"):
        apps.put(server, path, path)
    for path in ("open", "told-inside", "htpasswd"):
        apps.put_cgi(server, f"{path}/show.cgi")
    apps.put_htpasswd(server, "bob", "other")
    (server.folder / "own").mkdir(mode=0o755)
    page = (TOP / "templates" / "problem.html").read_text()
    (server.folder / "own" / "problem.html").write_text(page + "<!-- a page longer than any buffer " + "x" * 20000 + " -->")
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)
    site.expect_log(r"AH0161[78]: user |AH01374|AH01629|unable to include")


def failures(site, person):
    return site.db("SELECT failures FROM account WHERE id = ?", person.id)[0]["failures"]


def locked(site):
    person = join(site)
    for _ in range(5):
        assert get(site, "/pub/1.doc", person.username, WRONG).status_code == 401
    assert get(site, "/pub/1.doc", person.username, PASSWORD).status_code == 429
    return person


@pytest.mark.parametrize("path", ["/pub/", "/pub/page.shtml", "/ahead/a.txt", "/pub/1.doc"])
def test_one_request_is_one_try(site, path):
    person = join(site)
    get(site, path, person.username, WRONG)
    assert failures(site, person) == 1
    assert get(site, "/pub/1.doc", person.username, PASSWORD).status_code == 200


@pytest.mark.parametrize("path, status", [("/pub/", 200), ("/pub/page.shtml", 200), ("/ahead/a.txt", 429), ("/pub/1.doc", 429)])
def test_a_refused_part_does_not_answer_for_the_whole(site, path, status):
    answer = get(site, path, locked(site).username, PASSWORD)
    assert answer.status_code == status
    assert answer.text.count("longer than any buffer") == (status == 429)


@pytest.mark.parametrize("path", ["/told/a.txt", "/told-inside/show.cgi"])
def test_a_claimed_name_is_nobody_s(site, path):
    person = join(site)
    answer = get(site, path, person.username, WRONG)
    assert answer.status_code == 401
    assert person.username not in answer.text and "REMOTE_USER" not in answer.text


def test_identities_of_two_gates_do_not_mix(site):
    member = signed_in(site)
    secret = base64.b64encode(b"bob:other").decode()
    answer = member.get("/member/missing", headers={"Authorization": f"Basic {secret}"})
    names = dict(line.split("=", 1) for line in answer.text.splitlines() if "=" in line)
    assert answer.status_code == 404 and names["REMOTE_USER"] == "bob"
    assert not [name for name in names if name.startswith(("USERAUTH_", "HTTP_X_"))]
