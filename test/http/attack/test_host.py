"""Poisoned Host and forwarded headers (HOST-01..04): links come from the base URL, addresses from the socket."""
import re

import pytest

from attacks import exchange, pairs, post, request
from client import Client, the_form
from people import confirm, register, sign_in, stranger
from server import free_port

EVIL = "evil.example"


def poisons(server):
    """Header lists, Host included."""
    own = ("Host", f"localhost:{server.port}")
    return {
        "host": [("Host", EVIL)],
        "host and port": [("Host", f"{EVIL}:8080")],
        "own host, other port": [("Host", "localhost:1")],
        "dotted host": [("Host", f"localhost.{EVIL}:{server.port}")],
        "user in host": [("Host", f"localhost:{server.port}@{EVIL}")],
        "blank host": [("Host", "")],
        "forwarded host": [own, ("X-Forwarded-Host", EVIL), ("X-Forwarded-Port", "1"), ("X-Forwarded-Proto", "https")],
        "underscores": [own, ("X_Forwarded_Host", EVIL), ("HTTP_HOST", EVIL)],
        "forwarded": [own, ("Forwarded", f"for=1.2.3.4;host={EVIL};proto=https")],
        "rewritten": [own, ("X-Original-URL", f"https://{EVIL}/"), ("X-Rewrite-URL", f"https://{EVIL}/")],
        "others": [own, ("X-Host", EVIL), ("X-HTTP-Host-Override", EVIL), ("X-Forwarded-Server", EVIL),
                   ("Front-End-Https", "on"), ("X-Forwarded-Prefix", f"//{EVIL}"), ("Via", EVIL)],
        "prefix": [own, ("X-Forwarded-Prefix", f"https://{EVIL}"), ("X-Script-Name", f"//{EVIL}"), ("From", EVIL)],
    }


def submit(server, target, headers, fields):
    data = pairs(**fields)
    kind = [("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", str(len(data)))]
    return exchange(server, request("POST", target, headers + kind, data, host=None))


def test_host_01_mails_name_the_base_url(server):
    """HOST-01: whatever the request says of its host, each link and image begins with the base URL."""
    new = []
    for name, headers in poisons(server).items():
        for target in ("/auth/register", f"http{'s' * (len(name) % 2)}://{EVIL}:1/auth/register"):
            person = stranger("host")
            fields = {"username": person.username, "email": person.email, "password": person.password}
            address = [("X-Test-Address", Client(server).address)]
            answer = submit(server, target, headers + address, fields)[0]
            assert answer.status in (303, 400), f"{name} {target}: {answer.status}"
            assert EVIL not in answer.one("Location") + answer.one("Set-Cookie")
            new += [person] if answer.status == 303 else []
    assert len(new) >= 15
    for person in new:
        mail = server.wait_mail(person.email)
        assert EVIL.encode() not in mail.data
        found = mail.links() + re.findall(r"(?:href|src)=\"([^\"]*)\"", mail.html)
        assert len(found) >= 4 and all(link.startswith(server.base) for link in found), found


def test_host_01_two_hosts_are_refused(server):
    """HOST-01: Host twice, or none, is 400 before anything is done."""
    person = stranger("twohosts")
    fields = {"username": person.username, "email": person.email, "password": person.password}
    own = ("Host", f"localhost:{server.port}")
    for hosts in ([own, ("Host", EVIL)], [("Host", EVIL), own], [("Host", f"localhost:{server.port}, {EVIL}")], []):
        assert submit(server, "/auth/register", hosts, fields)[0].status == 400
    assert not server.db("SELECT id FROM account WHERE username = ?", person.username)


@pytest.mark.parametrize("without", ["UserAuthBaseURL", "UserAuthDatabase", "UserAuthMail"])
def test_host_01_no_base_url_no_start(new_server, without):
    """HOST-01, CFG-03: without a base URL there is nothing to build links from: no start."""
    lines = {
        "UserAuthBaseURL": "UserAuthBaseURL ${BASE_URL}",
        "UserAuthDatabase": 'UserAuthDatabase sqlite3 "${RUN}/userauth.db"',
        "UserAuthMail": 'UserAuthMail "folder:${RUN}/mail" "accounts@example.com"',
    }
    kept = [line for name, line in lines.items() if name != without]
    one = new_server(start=False, site=False, conf="\n".join([*kept, '<Location "/auth">', "SetHandler userauth", "</Location>"]))
    status, text = one.configtest()
    assert status != 0 and without in text


def test_host_02_redirects_and_forms(server, victim):
    """HOST-02: every Location and every action is a path, or begins with the base URL."""
    cookie = "; ".join(f"{name}={value}" for name, value in victim.cookies.items())
    for name, headers in poisons(server).items():
        for cookies in ([], [("Cookie", cookie)]):
            for path in ("/auth", "/auth/", "/auth/login", "/auth/login/", "/dashboard", "/dashboard/", "/auth/logout",
                         "/auth/nothing", "/auth/register"):
                for target in (path, f"http://{EVIL}{path}"):
                    for answer in exchange(server, request("GET", target, headers + cookies, host=None)):
                        text = answer.body.decode() + answer.one("Location")
                        if answer.status != 400:  # the core's own page
                            assert EVIL not in text, f"{name} {target}: {answer.status}"
                        assert EVIL not in answer.one("Location")


def test_host_02_the_way_to_https(new_server):
    """HOST-02: plain HTTP leads to the configured https address, whatever Host says; a submit is refused."""
    one = new_server(tls=True)
    for name, headers in poisons(one).items():
        for target in ("/dashboard?x=1", "//evil.example/..//dashboard", f"http://{EVIL}/dashboard", "/auth/login"):
            for answer in exchange(one, request("GET", target, headers, host=None), port=one.plain_port):
                if answer.status != 400:
                    assert answer.status == 308, f"{name} {target}: {answer.status}"
                    assert answer.one("Location").startswith(one.base + "/"), f"{target}: {answer.one('Location')}"
        answer = exchange(one, post("/auth/login", b"login=a&password=b", headers, host=None), port=one.plain_port)[0]
        assert answer.status in (400, 403)


OTHER = """
Listen 127.0.0.1:%(port)d
<VirtualHost *:%(port)d>
    %(own)s
    UserAuthDatabase sqlite3 "${RUN}/%(db)s.db"
    UserAuthKeyFile "${RUN}/%(db)s.keys"
    UserAuthMail "folder:${RUN}/mail" "Other <other@example.com>"
    UserAuthSiteName "Other"
    <Location "/auth">
        SetHandler userauth
    </Location>
    <Location "/dashboard">
        SetHandler userauth
        AuthType UserAuth
        Require valid-user
    </Location>
</VirtualHost>
"""


def test_host_03_two_sites_share_nothing(new_server):
    """HOST-03: each vhost mails its own links and accepts none of the other's tokens and cookies."""
    port = free_port()
    own = f"UserAuthBaseURL http://localhost:{port}"
    one = new_server(head=OTHER % {"port": port, "own": own, "db": "other"})
    here, there = Client(one), Client(one, base=f"http://localhost:{port}")
    mine, other = register(here), register(there)
    links = one.wait_mail(mine.email), one.wait_mail(other.email)
    assert all(link.startswith(one.base) for link in links[0].links())
    assert all(link.startswith(there.base) for link in links[1].links())
    for client, mail in ((here, links[1]), (there, links[0])):
        answer = client.json("POST", "/auth/verify", {"token": mail.token("verify")})
        assert answer.status_code == 400 and answer.json()["code"] == "token_invalid"
    confirm(here, links[0].token("verify"))
    confirm(there, links[1].token("verify"))
    sign_in(here, mine)
    there.session.cookies.clear()
    there.session.cookies.update(here.cookies)
    assert there.json("GET", "/dashboard").status_code == 401
    assert there.post("/auth/login", {"login": mine.username, "password": mine.password}).status_code in (401, 403)


def test_host_03_a_vhost_without_its_own_base_url(new_server):
    """HOST-03: a vhost that would inherit another's base URL is refused at start."""
    port = free_port()
    one = new_server(start=False, head=OTHER % {"port": port, "own": "", "db": "other"})
    status, text = one.configtest()
    assert status != 0 and "UserAuthBaseURL" in text


SPOOFS = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Client-IP", "True-Client-IP", "X-Client-IP", "CF-Connecting-IP")


def test_host_04_client_addresses_are_not_believed(server):
    """HOST-04: one client stays one client for the limiter and in the events, whatever it says it is."""
    client = Client(server)
    for number in range(31):
        fake = f"198.18.7.{number}"
        headers = {name: fake for name in SPOOFS}
        headers.update({"Forwarded": f"for={fake}", "Connection": "X-Forwarded-For, X-Real-IP"})
        answer = client.json("POST", "/auth/verify", {"token": f"{number}"}, headers=headers)
        assert answer.status_code == (400 if number < 30 else 429), number
    assert int(answer.headers["Retry-After"]) > 0
    assert not server.db("SELECT id FROM event WHERE address LIKE '198.18.7.%'")


def test_host_04_the_event_names_the_clients_address(server):
    """HOST-04: useragent_ip of mod_remoteip's trusted header is what is written."""
    client = Client(server, address="203.0.113.77")
    client.json("POST", "/auth/login", {"login": "nobody-at-all", "password": "whatever-this-is"},
                headers={"X-Forwarded-For": "198.18.7.99"})
    assert server.db("SELECT id FROM event WHERE address = '203.0.113.77'")
    assert not server.db("SELECT id FROM event WHERE address = '198.18.7.99'")


def test_host_02_the_form_posts_to_a_path(server):
    """HOST-02: the action of each form, asked under a foreign name."""
    client = Client(server)
    for route in ("login", "register", "resend"):
        page = client.get(f"/auth/{route}", headers={"Host": EVIL, "X-Forwarded-Host": EVIL})
        assert the_form(page.text)["action"] == f"/auth/{route}"
        assert EVIL not in page.text
