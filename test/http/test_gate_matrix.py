"""Ways of gating x spellings of a path x methods x ways that lead inside: no stranger gets 200 or what is written inside, and
nobody is told an identity that the gate did not set. A member gets in, so that no row is shut by mistake.

Cases: APA-01 and its kin. Each section gates the folder of its name, in which every file holds the word SECRET.
"""
import http.client

import apps
import pytest
from people import signed_in
from server import Server

GATE = "AuthType UserAuth\nRequire valid-user\n"
SECTIONS = {
    "location": f'<Location "/location">\n{GATE}</Location>',
    "location-slash": f'<Location "/location-slash/">\n{GATE}</Location>',
    "location-match": f'<LocationMatch "^/location-match(/|$)">\n{GATE}</LocationMatch>',
    "directory": f'<Directory "${{RUN}}/htdocs/directory">\n{GATE}</Directory>',
    "directory-match": f'<DirectoryMatch "/htdocs/directory-match(/|$)">\n{GATE}</DirectoryMatch>',
    "files": f'<Directory "${{RUN}}/htdocs/files">\n<FilesMatch ".">\n{GATE}</FilesMatch>\n</Directory>',
    "if": f'<If "%{{REQUEST_URI}} =~ m#^/+(\\./)*if(/|$)#">\n{GATE}</If>',
    "htaccess": "",
    "htaccess-ignored": f'<Directory "${{RUN}}/htdocs/htaccess-ignored">\nAllowOverride None\n{GATE}</Directory>',
    "any": '<Location "/any">\nAuthType UserAuth\n<RequireAny>\nRequire ip 203.0.113.0/24\nRequire valid-user\n</RequireAny>\n</Location>',
    "all": '<Location "/all">\nAuthType UserAuth\n<RequireAll>\nRequire all granted\nRequire not user nobody\nRequire valid-user\n</RequireAll>\n</Location>',
    "none": '<Location "/none">\nAuthType UserAuth\n<RequireAll>\nRequire valid-user\n<RequireNone>\nRequire user nobody\n</RequireNone>\n</RequireAll>\n</Location>',
    "merged": f'<Location "/merged">\n{GATE}</Location>\n<Location "/merged">\nAuthMerging And\nRequire all granted\n</Location>',
    "again": f'<Location "/again">\nAuthType UserAuth\nRequire all denied\n</Location>\n<Location "/again/">\nRequire valid-user\n</Location>\n'
             f'<Location "/again">\n{GATE}</Location>',
    "satisfy": f'<Location "/satisfy">\n{GATE}Order deny,allow\nDeny from all\nSatisfy Any\n</Location>',
    "verified": '<Location "/verified">\nAuthType UserAuth\nRequire userauth-verified\n</Location>',
    "fresh": '<Location "/fresh">\nAuthType UserAuth\nRequire userauth-fresh 1h\n</Location>',
    "expression": '<Location "/expression">\nAuthType UserAuth\nRequire expr %{REMOTE_USER} != \'\'\n</Location>',
}
HTACCESS = {"htaccess": GATE, "htaccess-ignored": "Require all granted\nSatisfy Any\n", "files": "Options +Indexes\n"}
# Sections that open their folder on purpose: who comes in is told nothing. (httpd joins sections of one kind first, so that the
# last of these is "granted, as for all files, or …", with any AuthType.)
OPEN = {
    "opened": f'<Location "/opened">\n{GATE}</Location>\n<Location "/opened/">\nRequire all granted\n</Location>',
    "overridden": f'<Directory "${{RUN}}/htdocs/overridden">\n{GATE}</Directory>',
    "by-address": f'<Location "/by-address">\n{GATE}Order deny,allow\nSatisfy Any\n</Location>',
    "any-granted": '<Location "/any-granted">\nAuthType UserAuth\n<RequireAny>\nRequire all granted\nRequire valid-user\n</RequireAny>\n</Location>',
    "merged-or": f'<Location "/merged-or">\n{GATE}</Location>\n<Location "/merged-or">\nAuthMerging Or\nRequire ip 203.0.113.1\n</Location>',
}
HTACCESS["overridden"] = "Require all granted\n"
WAYS = """
<Directory "${RUN}/htdocs">
    AddHandler cgi-script .cgi
    AddOutputFilter INCLUDES .shtml
    Options +Includes +MultiViews +Indexes
    AddHandler shown .show
    AllowOverride All
</Directory>
Action shown /location/show.cgi virtual
RewriteEngine On
RewriteRule ^/ways/rewritten$ /location/page.html [PT]
RewriteRule ^/ways/written$ %{DOCUMENT_ROOT}/directory/page.html
Alias "/ways/alias" "${RUN}/htdocs/directory"
<Location "/ways/fallback">
    FallbackResource /location/page.html
</Location>
<Location "/ways/missing">
    ErrorDocument 404 /location/page.html
</Location>
<Directory "${RUN}/htdocs/ways/index">
    DirectoryIndex /location/page.html
</Directory>
"""
LEADING = ["/ways/rewritten", "/ways/written", "/ways/alias/page.html", "/ways/fallback/any", "/ways/missing/any", "/ways/index/",
           "/ways/moved/any", "/ways/redirect.cgi", "/ways/part.shtml", "/ways/program.shtml", "/ways/a.show", "/location/page",
           "/directory/page", "/location/sub/", "/location/list/", "/htaccess/list/"]
METHODS = ["HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "COPY", "M-CUSTOM", "get", "CONNECT"]
CLAIMS = {"Remote-User": "root", "X-Remote-User": "root", "Userauth-Id": "1", "X-Userauth-Id": "1", "Authorization": "Basic cm9vdDpyb290"}


def spellings(name):
    """Ways to write the path of a page; those that name no file are answered by 4xx."""
    first, rest = name[0], name[1:]
    return [f"/{name}/page.html", f"//{name}/page.html", f"/{name}//page.html", f"/./{name}/page.html", f"/{name}/./page.html",
            f"/other/../{name}/page.html", f"/{name}/sub/../page.html", f"/%{ord(first):02x}{rest}/page.html", f"/{name}/%70age.html",
            f"/{name}/%2e/page.html", f"/x/%2e%2e/{name}/page.html", f"/{name}%2fpage.html", f"/{name}/page.html/", f"/{name}/page.html/more",
            f"/{name}/page.html?a=1", f"/{name}/page.html;a=1", f"/{name}/page.html%00", f"/{name}/page.html%20", f"/{name}\\page.html",
            f"/{name.upper()}/page.html", f"/{name}/PAGE.HTML", f"/{name}/page.html.", f"http://localhost/{name}/page.html",
            f"http://other.example/{name}/page.html", f"/{name}/show.cgi", f"/{name}/show.cgi/more", f"/{name}/sub/page.html", f"/{name}/sub/",
            f"/{name}/sub", f"/{name}/", f"/{name}", f"/{name}/page", f"/{name}/list/", f"/{name}/.htaccess"]


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf=WAYS + "\n".join([*SECTIONS.values(), *OPEN.values()]))
    for name in [*SECTIONS, *OPEN]:
        for path in ("page.html", "sub/page.html", "sub/index.html", "list/SECRET.html"):
            apps.put(server, f"{name}/{path}", "SECRET")
        apps.put(server, f"{name}/show.cgi", apps.SHOW.replace("/usr/bin/env", "/usr/bin/env; echo SECRET"), 0o755)
    for name, text in HTACCESS.items():
        apps.put(server, f"{name}/.htaccess", text)
    apps.put(server, "ways/moved/.htaccess", "RewriteEngine On\nRewriteRule ^ /location/page.html [L]\n")
    apps.put(server, "ways/redirect.cgi", "#!/bin/sh\nprintf 'Location: /location/page.html\\r\\n\\r\\n'\n", 0o755)
    apps.put(server, "ways/part.shtml", '<!--#include virtual="/location/page.html" -->')
    apps.put(server, "ways/program.shtml", '<!--#include virtual="/location/show.cgi" -->')
    apps.put(server, "ways/a.show", "shown")
    apps.put(server, "ways/index/here.txt", "here")
    try:
        server.start()
        server.member = signed_in(server)
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


def ask(site, method, path, member=False):
    """(status, body) of a request with exactly this path."""
    site.expect_log(r"AH\d{5}: |unable to include")  # what httpd says of odd paths and methods
    link = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    link._validate_path = link._validate_method = lambda text: None
    link.putrequest(method, path, skip_host=True)
    for name, value in {"Host": f"localhost:{site.port}", "Accept": "*/*", "Content-Length": "0", **CLAIMS}.items():
        if not (member and name == "Authorization"):
            link.putheader(name, value)
    if member:
        link.putheader("Cookie", f"userauth={site.member.cookies['userauth']}")
    link.endheaders()
    answer = link.getresponse()
    body = b"" if method == "CONNECT" else answer.read()
    link.close()
    return answer.status, body.decode("latin-1")


def told(body):
    names = (line.split("=")[0] for line in body.splitlines() if "=" in line)
    return {name for name in names if "USERAUTH" in name or "REMOTE_USER" in name or name == "AUTH_TYPE"}


@pytest.mark.parametrize("name", SECTIONS)
def test_no_spelling_leads_in(site, name):
    for path in spellings(name):
        status, body = ask(site, "GET", path)
        assert not 200 <= status < 300 and "SECRET" not in body, f"{path}: {status}"
        assert status < 500, f"{path}: {status}"


@pytest.mark.parametrize("name", SECTIONS)
def test_no_method_leads_in(site, name):
    for method in METHODS:
        for path in (f"/{name}/page.html", f"/{name}/show.cgi", f"/{name}/sub/"):
            status, body = ask(site, method, path)
            assert not 200 <= status < 300 and "SECRET" not in body, f"{method} {path}: {status}"


@pytest.mark.parametrize("name", SECTIONS)
def test_a_member_comes_in(site, name):
    for path in (f"/{name}/page.html", f"//{name}/page.html", f"/{name}/sub/", f"/{name}/sub/page.html"):
        status, body = ask(site, "GET", path, member=True)
        assert (status, body) == (200, "SECRET"), path
    status, body = ask(site, "GET", f"/{name}/show.cgi", member=True)
    assert status == 200 and f"REMOTE_USER={site.member.person.username}\n" in body and "USERAUTH_ID=" in body


@pytest.mark.parametrize("path", LEADING)
def test_no_other_way_leads_in(site, path):
    for method in ("GET", "POST", "OPTIONS", "M-CUSTOM"):
        status, body = ask(site, method, path)
        assert "SECRET" not in body, f"{method} {path}: {status}"
    status, body = ask(site, "GET", path, member=True)
    assert "SECRET" in body, f"{path}: {status}"


@pytest.mark.parametrize("name", OPEN)
def test_who_comes_into_an_open_folder_is_told_nothing(site, name):
    for method in ("GET", "POST", "PUT", "M-CUSTOM"):
        status, body = ask(site, method, f"/{name}/show.cgi")
        assert status == 200 and "SECRET" in body and told(body) == set(), f"{method}: {told(body)}"
