"""Pages of several parts behind the gate: who each part is for, and what a cache keeps of the whole."""
import base64
import re

import apps
import pytest
from client import Client
from people import PASSWORD, join, signed_in
from server import Server, wait_for

MODULES = "/usr/lib/apache2/modules"
HEAD = f"LoadModule cache_module {MODULES}/mod_cache.so\nLoadModule cache_disk_module {MODULES}/mod_cache_disk.so\n"
CONF = """
UserAuthPassAs both
CacheRoot "${RUN}/cache"
CacheEnable disk /
CacheDefaultExpire 3600
CacheIgnoreNoLastMod On
<Directory "${RUN}/htdocs">
    AddOutputFilter INCLUDES .shtml
    AddType text/html .shtml
    AddHandler cgi-script .cgi
    Options +Includes +ExecCGI +Indexes
    <FilesMatch "\\.doc$">
        AuthType UserAuth
        Require valid-user
    </FilesMatch>
</Directory>
<Location "/member">
    AuthType UserAuth
    Require valid-user
</Location>
<Location "/fresh">
    AuthType UserAuth
    Require userauth-fresh 5m
</Location>
<Location "/basic">
    AuthType Basic
    AuthName "Members"
    AuthBasicProvider userauth
    Require valid-user
</Location>
"""


def part(name):
    return f'[{name}:<!--#include virtual="/{name}/show.cgi" -->]'


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf=CONF, head=HEAD)
    for name in ("member", "fresh", "basic"):
        apps.put_cgi(server, f"{name}/show.cgi")
    apps.put(server, "member/page.shtml", "".join(part(name) for name in ("member", "basic", "member", "fresh")))
    apps.put(server, "open/page.shtml", part("member"))
    apps.put(server, "open/plain.shtml", "<p>for everybody</p>")
    apps.put(server, "list/secret.doc", "gated")
    apps.put(server, "list/open.txt", "open")
    (server.folder / "cache").mkdir(mode=0o777)
    (server.folder / "cache").chmod(0o777)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)
    site.expect_log(r"AH01374|AH01630|unable to include")


@pytest.mark.parametrize("path, shown", [("/open/page.shtml", "USERAUTH_ID="), ("/list/", "secret.doc")])
def test_no_cache_keeps_a_page_with_a_member_s_part(site, path, shown):
    member = signed_in(site)
    answer = member.get(path)
    assert shown in answer.text and "private" in answer.headers["Cache-Control"]
    for _ in range(2):
        answer = Client(site).get(path)
        assert answer.status_code == 200 and shown not in answer.text and "Cache-Control" not in answer.headers


def test_a_cache_keeps_what_is_for_everybody(site):
    wait_for(lambda: "Age" in Client(site).get("/open/plain.shtml").headers, what="a page from the cache")


def told(text):
    """What each part was told: (its name, REMOTE_USER, USERAUTH_EMAIL)."""
    parts = re.findall(r"\[(\w+):(.*?)\]", text, re.S)
    return [(name, *(re.findall(rf"^{key}=(.*)$", body, re.M) for key in ("REMOTE_USER", "USERAUTH_EMAIL"))) for name, body in parts]


def test_a_password_of_one_part_changes_no_other(site):
    """With a cookie of one person and the password of another, each gate knows its own; no step-up is passed by it."""
    alice, bob = signed_in(site), join(site)
    site.db("UPDATE session SET auth_time = auth_time - 3600000000 WHERE account_id = ?", alice.person.id)
    secret = base64.b64encode(f"{bob.username}:{PASSWORD}".encode()).decode()
    text = alice.get("/member/page.shtml", headers={"Authorization": f"Basic {secret}"}).text
    hers, his = ([alice.person.username], [alice.person.email]), ([bob.username], [bob.email])
    assert told(text) == [("member", *hers), ("basic", *his), ("member", *hers), ("fresh", [], [])]
