"""Several virtual hosts: each is a site of its own, and takes nothing of another's (HOST-03, contract 6)."""
import re
import time

import apps
import engines
import pytest
from client import Client
from confhelp import refused, site, spare_port
from people import confirm, fields_of, join, register, sign_in, stranger

GATE = '<Location "/private">\nAuthType UserAuth\nRequire valid-user\n</Location>\n'


def second_vhost(port, lines, name=None):
    server_name = f"ServerName {name}\n" if name else ""
    return (
        f'Listen 127.0.0.1:{port}\n<VirtualHost *:{port}>\n{server_name}DocumentRoot "${{RUN}}/htdocs"\n'
        f'<Directory "${{RUN}}/htdocs">\nRequire all granted\n</Directory>\n{GATE}{lines}</VirtualHost>\n'
    )


def two_sites(new_server, **second):
    """A server with the usual site and a second one; its lines as site() takes them."""
    port = spare_port()
    changed = {
        "UserAuthBaseURL": f"http://localhost:{port}",
        "UserAuthDatabase": 'sqlite3 "${RUN}/second.db"',
        "UserAuthKeyFile": '"${RUN}/second.keys"',
        "UserAuthMail": '"folder:${RUN}/mail" "Second <second@example.com>"',
        **second,
    }
    server = new_server(start=False, conf=GATE, head=second_vhost(port, site("UserAuthSiteName Second", **changed)))
    apps.put(server, "private/a.txt", "private")
    server.start()
    return server, Client(server), Client(server, base=f"http://localhost:{port}")


def cookies_of(client):
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}


def test_two_sites_accept_nothing_of_each_other(new_server):
    server, first, second = two_sites(new_server)
    person = stranger()
    register(first, person)
    mail = server.wait_mail(person.email)
    assert mail["From"].addresses[0].addr_spec == "accounts@example.com"
    assert mail.link("verify").startswith(first.base + "/")
    token = mail.token("verify")
    for answer in (
        second.json("POST", "/auth/verify", {"token": token}),
        second.json("POST", "/auth/disown", {"token": mail.token("disown")}),
        second.get(f"/auth/verify?token={token}", headers={**cookies_of(first), "Accept": "application/json"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "token_invalid")
    assert server.db("SELECT enabled FROM account WHERE id = ?", person.id)[0]["enabled"] == 0
    assert second.json("GET", "/auth/check-email", headers=cookies_of(first)).json()["mail"] == "unknown"
    confirm(first, token)
    sign_in(first, person)
    assert first.get("/private/a.txt").text == "private"
    assert second.get("/private/a.txt", headers=cookies_of(first)).status_code == 303
    assert second.json("POST", "/auth/login", {"login": person.username, "password": person.password}).status_code == 401


def test_each_site_has_its_own_settings(new_server):
    server, first, second = two_sites(new_server)
    assert "· Example</title>" in first.get("/auth/login").text
    assert "· Second</title>" in second.get("/auth/login").text
    person = register(second)
    mail = server.wait_mail(person.email)
    assert mail["From"].addresses[0].addr_spec == "second@example.com"
    assert all(link.startswith(second.base) for link in mail.links()) and "Second" in mail.subject


@pytest.mark.parametrize("shared", [
    {"UserAuthKeyFile": '"${RUN}/userauth.keys"'},  # the secrets alone prove nothing
    {"UserAuthDatabase": 'sqlite3 "${RUN}/userauth.db"', "UserAuthKeyFile": '"${RUN}/userauth.keys"'},
], ids=["key-file", "database-and-key-file"])
def test_what_two_sites_share(new_server, shared):
    """One site's accounts are the other's only when both the database and the key file are."""
    server, first, second = two_sites(new_server, **shared)
    both = "UserAuthDatabase" in shared
    person = join(server, first)
    answer = second.json("POST", "/auth/login", {"login": person.username, "password": person.password})
    assert answer.status_code == (200 if both else 401)
    sign_in(first, person)
    answer = Client(server, base=second.base).get("/private/a.txt", headers=cookies_of(first))
    assert answer.status_code == (200 if both else 303)


def test_a_mail_is_sent_by_its_own_site(new_server):
    """HOST-03: with one database, too, no site mails the other's links."""
    both = {"UserAuthDatabase": 'sqlite3 "${RUN}/userauth.db"', "UserAuthKeyFile": '"${RUN}/userauth.keys"'}
    server, first, second = two_sites(new_server, **both)
    for client in (first, second) * 3:
        person = register(client)
        mail = server.wait_mail(person.email)
        assert all(link.startswith(client.base + "/") or link == client.base for link in mail.links())
        assert len(server.mails(person.email)) == 1


def test_one_database_with_two_key_files_is_refused(new_server):
    port = spare_port()
    lines = site(UserAuthBaseURL=f"http://localhost:{port}", UserAuthKeyFile='"${RUN}/other.keys"')
    server = new_server(start=False, head=second_vhost(port, lines))
    refused(server, "UserAuthKeyFile", "same database", "give both the same")


@pytest.mark.parametrize("lines", ["", "UserAuthSiteName Second\n", "UserAuthUsernameReserved x\n"])
def test_a_vhost_without_its_own_base_url_is_refused(new_server, lines):
    """HOST-03: of several virtual hosts none inherits the main server's base URL: nobody mails links of another."""
    port = spare_port()
    conf = "ServerName first.example\n" + lines
    server = new_server(start=False, site=False, head=site() + second_vhost(port, "", "second.example"), conf=conf)
    refused(server, r"virtual host (first|second)\.example", "UserAuthBaseURL", "add one to it, or move")


@pytest.mark.parametrize("conf", ["", "UserAuthSiteName Only\n"])
def test_the_only_vhost_is_the_main_servers_site(new_server, conf):
    server = new_server(start=False, site=False, head=site("UserAuthSiteName Main"), conf=conf)
    server.start()
    client = Client(server)
    assert f"· {'Only' if conf else 'Main'}</title>" in client.get("/auth/login").text
    person = register(client)
    mail = server.wait_mail(person.email)
    assert mail.link("verify").startswith(server.base + "/")
    assert len(server.mails()) == 1


@pytest.mark.parametrize("lines", ["UserAuthSiteName Second\n", "UserAuthSessionIdle 5m\nUserAuthPath /in\n"])
def test_a_vhost_with_some_lines_and_no_base_url_is_refused(new_server, lines):
    port = spare_port()
    server = new_server(start=False, head=second_vhost(port, lines, "second.example"))
    refused(server, "virtual host second.example", "UserAuthBaseURL is missing", "add a line")


def test_the_vhost_to_blame_is_named(new_server):
    port = spare_port()
    lines = site(UserAuthBaseURL="http://www.example.com", UserAuthDatabase='sqlite3 "${RUN}/second.db"')
    server = new_server(start=False, head=second_vhost(port, lines, "second.example"))
    server.write_conf()
    said = refused(server, "https")
    conf = (server.folder / "httpd.conf").read_text().splitlines()
    vhost = next(n for n, line in enumerate(conf, 1) if line == f"<VirtualHost *:{port}>")
    line = next(n for n, line in enumerate(conf, 1) if line.startswith("UserAuthBaseURL http://www"))
    assert re.search(rf"virtual host second\.example \(\S+httpd\.conf:{vhost}\), \S+httpd\.conf:{line}: ", said), said


# ---- names in one vhost ----


@pytest.mark.parametrize("headers", [
    {"Host": "evil.example"},
    {"Host": "localhost:1"},
    {"X-Forwarded-Host": "evil.example"},
    {"X_Forwarded_Host": "evil.example"},
    {"Forwarded": "host=evil.example;proto=https"},
    {"X-Original-URL": "//evil.example/"},
    {"X-Forwarded-Proto": "https", "X-Forwarded-Server": "evil.example"},
], ids=str)
def test_no_header_reaches_a_mail_or_a_redirect(server, headers):
    """HOST-01, HOST-02: every link begins with the configured base URL, whatever name was asked."""
    client = Client(server)
    person = stranger()
    answer = client.post("/auth/register", fields_of(person), headers=headers)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/check-email")
    mail = server.wait_mail(person.email)
    assert all(link == server.base or link.startswith(server.base + "/") for link in mail.links()), mail.links()
    assert b"evil" not in mail.data
    for path in ("/dashboard", "/auth", "/auth/login/"):
        assert "evil" not in Client(server).get(path, headers=headers).headers.get("Location", "")
    assert "evil" not in client.get("/auth/login", headers=headers).text


def test_the_address_of_a_client_is_not_what_it_says(new_server):
    """HOST-04: limits count the connection's address, or what mod_remoteip vouches for."""
    server = new_server(conf="UserAuthRateLimit register 3/1h")
    statuses = []
    for i in range(5):
        client = Client(server, address=None)
        said = f"192.0.2.{i}"
        headers = {"X-Forwarded-For": said, "Forwarded": f"for={said}", "X-Real-IP": said, "Connection": "X-Forwarded-For"}
        statuses.append(client.json("POST", "/auth/register", fields_of(stranger()), headers=headers).status_code)
    assert statuses == [201, 201, 201, 429, 429]
    assert Client(server, address="192.0.2.9").json("POST", "/auth/register", fields_of(stranger())).status_code == 201


@engines.ONLY_A_FILE
def test_one_database_by_two_names_is_one(new_server):
    """Contract 6: start refuses another key, also for a file whose path is spelled in another way."""
    port = spare_port()
    server = new_server(start=False)
    (server.folder / "link").symlink_to(server.folder)
    for path in ("/./userauth.db", "//userauth.db", "/mail/../userauth.db", "/link/userauth.db"):
        lines = site(UserAuthBaseURL=f"http://localhost:{port}", UserAuthDatabase=f'sqlite3 "${{RUN}}{path}"', UserAuthKeyFile='"${RUN}/other.keys"')
        server.head = second_vhost(port, lines)
        refused(server, "UserAuthKeyFile", "same database", "give both the same")


@engines.ONLY_A_FILE
def test_one_database_by_two_names_has_one_writer(new_server):
    """Trap 3: who writes by one name is waited for by who writes by the other, not met at every turn."""
    import concurrent.futures
    import sqlite3

    server = new_server(start=False)
    (server.folder / "link").symlink_to(server.folder)
    port = spare_port()
    lines = site(UserAuthBaseURL=f"http://localhost:{port}", UserAuthDatabase='sqlite3 "${RUN}/link/userauth.db"')
    server.head = second_vhost(port, lines)
    server.start()
    server.expect_log("UA0101: /auth/register was refused")
    other = sqlite3.connect(server.folder / "userauth.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        clients = [Client(server, base=base) for base in (server.base, f"http://localhost:{port}")]
        said = list(pool.map(lambda client: client.json("POST", "/auth/register", fields_of(stranger())).status_code, clients))
    other.close()
    assert said == [503, 503]
    # Side by side they would give up after the same 5 s, each by itself.
    assert "another one writes to the database" in server.log() or time.monotonic() - begun > 8
