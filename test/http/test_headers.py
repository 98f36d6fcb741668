"""The headers of every answer, what https changes, and what plain HTTP under an https address is told."""
import re

import pytest
import requests.adapters
from client import Client
from pages import problem, refused
from people import PASSWORD, register, sign_in, signed_in
from server import TOP, Server

NAME = "site.test"


class _Local(requests.adapters.HTTPAdapter):
    """Connects to this machine whatever the host is called, as curl --resolve does."""

    def send(self, request, **kwargs):
        request.headers["Host"] = request.url.split("/")[2]
        request.url = request.url.replace(NAME, "127.0.0.1", 1)
        return super().send(request, **kwargs)


class _LocalTls(_Local):
    """The certificate is localhost's."""

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, assert_hostname="localhost", **kwargs)


def outsider(server, plain=False, **kwargs):
    """A client of a server that has a public name."""
    port = server.plain_port if plain else server.port
    client = Client(server, base=f"{'http' if plain else 'https'}://{NAME}:{port}", **kwargs)
    client.session.mount("https://", _LocalTls())
    client.session.mount("http://", _Local())
    return client


@pytest.fixture(scope="module")
def public(run_folder):
    """https under a name, and plain HTTP beside it."""
    server = Server(run_folder, tls=True, conf="UserAuthBaseURL https://site.test:${PORT}\n")
    try:
        server.start()
        client = outsider(server)
        server.person = register(client)
        server.token = server.wait_mail(server.person.email).token("verify")
        yield server
    finally:
        server.stop()


def common(answer, token=False, asset=False):
    """What each answer carries (contract 4)."""
    h = answer.headers
    where = f"{answer.request.method} {answer.request.url}: {answer.status_code}"
    assert h.get("X-Content-Type-Options") == "nosniff", where
    assert h.get("Referrer-Policy") == ("no-referrer" if token else "same-origin"), where
    policy = dict(part.strip().partition(" ")[::2] for part in h["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'", where
    assert "form-action" not in policy and "unsafe" not in str(policy), where
    if asset:
        assert "public" in h["Cache-Control"] and "max-age=" in h["Cache-Control"]
    else:
        assert h["Cache-Control"] == "no-store", where
    for name in ("Content-Security-Policy", "Referrer-Policy", "Cache-Control"):
        assert len(answer.raw.headers.getlist(name)) == 1, f"{where}: {name} twice"
    return answer


REQUESTS = [
    ("GET", "/auth/login", 200, {}),
    ("HEAD", "/auth/login", 200, {}),
    ("OPTIONS", "/auth/login", 204, {}),
    ("GET", "/auth", 303, {}),
    ("GET", "/auth/login/", 308, {}),
    ("POST", "/auth/verify", 400, {"data": {}}),
    ("POST", "/auth/login", 401, {"data": {"login": "a", "password": "b"}}),
    ("POST", "/auth/login", 403, {"data": {}, "headers": {"Sec-Fetch-Site": "cross-site"}}),
    ("GET", "/auth/nothing", 404, {}),
    ("GET", "/auth/assets/nothing.css", 404, {}),
    ("DELETE", "/auth/login", 405, {}),
    ("POST", "/auth/login", 413, {"data": {"x": "y" * 70000}}),
    ("POST", "/auth/login", 415, {"data": "x", "headers": {"Content-Type": "text/plain"}}),
    ("POST", "/auth/login", 422, {"data": {}}),
    ("GET", "/dashboard", 303, {}),
    ("GET", "/dashboard", 401, {"headers": {"X-Requested-With": "x"}}),
    ("GET", "/auth/health", 200, {}),
]


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
@pytest.mark.parametrize("method, path, status, more", REQUESTS)
def test_every_status(server, method, path, status, more, accept):
    client = Client(server)
    client.session.headers["Accept"] = accept
    answer = client.request(method, path, **more)
    assert answer.status_code in ((401,) if path == "/dashboard" and "json" in accept else (status,))
    common(answer)
    assert "Strict-Transport-Security" not in answer.headers, "on localhost"


def test_the_journey_s_answers(server):
    """201, 303, 200, 409, 429 and the dashboard."""
    client = Client(server)
    person = register(client)
    mail = server.wait_mail(person.email)
    common(client.json("POST", "/auth/register", {"username": person.username, "email": person.email, "password": PASSWORD}))
    common(client.json("GET", "/auth/check-email"))
    limited = common(client.json("POST", "/auth/resend", {"email": person.email}))
    assert limited.status_code == 429
    for address in ("203.0.113.4", "127.0.0.1"):
        one = Client(server, address=address)
        common(one.get("/auth/verify?token=" + mail.token("verify")), token=True)
        common(one.get("/auth/disown?token=" + mail.token("disown")), token=True)
    common(sign_in(client, person))
    common(client.get("/dashboard"))
    common(client.get("/dashboard/nothing"))
    common(client.form("/auth/logout", {}, action="/auth/logout"))


def test_no_inline_code_and_no_third_party(server):
    """The pages do with what the policy allows."""
    member = signed_in(server)
    for client, path in (
        (Client(server), "/auth/register"), (Client(server), "/auth/login"), (Client(server), "/auth/check-email"),
        (Client(server), "/auth/nothing"), (member, "/dashboard")
    ):
        text = client.get(path).text
        assert not re.search(r"<style|<script(?![^>]* src=)|\sstyle=|\son[a-z]+=|javascript:", text), path
        for address in re.findall(r'(?:src|href|action)="([^"]*)"', text):
            assert re.match(r"/(?!/)|#", address), f"{path} leads to {address}"


def assets(client):
    text = client.get("/auth/login").text
    return re.findall(r'(?:src|href)="(/auth/assets/[^"]+)"', text)


def test_assets(server):
    client = Client(server)
    found = assets(client)
    assert len(found) >= 2
    for path in found:
        answer = common(client.get(path), asset=True)
        assert answer.status_code == 200
        kind = answer.headers["Content-Type"]
        assert kind.startswith("text/css" if path.endswith(".css") else "text/javascript")
        assert len(answer.content) <= (12 if path.endswith(".css") else 6) * 1024
        assert "Set-Cookie" not in answer.headers
        head = client.request("HEAD", path)
        assert (head.status_code, head.content) == (200, b"")
        options = client.request("OPTIONS", path)
        assert options.status_code == 204 and "GET" in options.headers["Allow"]
        assert client.request("POST", path).status_code == 405
        name, _, kind = path.rpartition(".")
        other = client.get(f"{name[:-1]}{'a' if name[-1] != 'a' else 'b'}.{kind}")
        assert other.status_code == 404 and other.headers["Cache-Control"] == "no-store"
    for path in (
        "/auth/assets/..%2f..%2fetc%2fpasswd", "/auth/assets/%252e%252e/layout.html", "/auth/assets/..%5clayout.html",
        "/auth/assets/layout.html", "/auth/assets/"
    ):
        assert client.get(path).status_code in (400, 403, 404), "PATH-01"


def test_hsts_under_https_only(public, log_gate):
    log_gate.watch(public)
    client = outsider(public)
    for method, path, status, more in REQUESTS:
        answer = common(client.request(method, path, **more))
        assert answer.status_code == status
        age = re.match(r"max-age=(\d+)", answer.headers.get("Strict-Transport-Security", ""))
        assert age and int(age[1]) >= 31536000, f"{method} {path}"
    plain = outsider(public, plain=True)
    for method in ("GET", "POST"):
        assert "Strict-Transport-Security" not in plain.request(method, "/auth/login").headers
    assert "Strict-Transport-Security" not in plain.get("/auth/health").headers


def test_plain_http_under_https(public, log_gate):
    log_gate.watch(public)
    plain = outsider(public, plain=True)
    base = f"https://{NAME}:{public.port}"
    for path in (
        "/auth/login?next=/a%20b", "/auth/register", "/dashboard?x=y", "/auth/nothing", "/auth/verify?token=" + public.token
    ):
        for method in ("GET", "HEAD"):
            answer = plain.request(method, path)
            assert (answer.status_code, answer.headers["Location"]) == (308, base + path)
            assert "Set-Cookie" not in answer.headers
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = plain.request(method, "/auth/login", data={"login": public.person.email, "password": PASSWORD})
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers, "a cookie in clear"
    problem(plain.json("POST", "/auth/login", {"login": "x", "password": "y"}), 403, "forbidden")
    refused(plain.post("/auth/login", {"login": "x", "password": "y"}), 403)
    assert not public.db("SELECT enabled FROM account WHERE id = ?", public.person.id)[0]["enabled"]


def test_health_is_exempt(public, log_gate):
    log_gate.watch(public)
    for client in (outsider(public, plain=True), outsider(public)):
        assert client.get("/auth/health").status_code == 200
    assert outsider(public, plain=True).request("HEAD", "/auth/health").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost", "127.0.0.1"])
def test_the_host_header_decides_nothing(public, log_gate, host):
    """HOST-02"""
    log_gate.watch(public)
    client = Client(public)
    headers = {"Host": host, "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "X-Original-URL": "/x"}
    for path in ("/auth", "/dashboard", "/auth/login/"):
        answer = client.get(path, headers=headers)
        assert answer.headers["Location"].startswith("/"), answer.headers["Location"]
        assert "evil" not in str(answer.headers)
    assert "evil" not in client.get("/auth/login", headers=headers).text
    answer = requests.get(f"http://127.0.0.1:{public.plain_port}/auth/login", headers=headers, allow_redirects=False)
    assert answer.headers["Location"] == f"https://{NAME}:{public.port}/auth/login"


def test_links_in_mails_begin_with_the_base_url(public, log_gate):
    """HOST-01"""
    log_gate.watch(public)
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example;proto=http"}
    person = register_with(Client(public), headers)
    mail = public.wait_mail(person.email)
    assert all(link.startswith(f"https://{NAME}:{public.port}") for link in mail.links())
    assert "evil" not in mail.data.decode()


def register_with(client, headers):
    client.session.headers.update(headers)
    return register(client)


def test_tls_that_ends_in_front(new_server):
    """SetEnvIf X-Forwarded-Proto https HTTPS=on"""
    server = new_server(conf='UserAuthBaseURL https://site.test\nSetEnvIf X-Forwarded-Proto "^https$" HTTPS=on\n')
    client = Client(server)
    answer = client.get("/auth/login")
    assert (answer.status_code, answer.headers["Location"]) == (308, "https://site.test/auth/login")
    client.session.headers["X-Forwarded-Proto"] = "https"
    answer = common(client.get("/auth/login"))
    assert answer.status_code == 200 and "Strict-Transport-Security" in answer.headers
    assert all("Secure" in cookie and cookie.startswith("__Host-") for cookie in answer.raw.headers.getlist("Set-Cookie"))
    person = register(client)
    assert server.wait_mail(person.email).link("verify").startswith("https://site.test/auth/verify?token=")
    for wrong in ("http", "https, http", ""):
        assert client.get("/auth/login", headers={"X-Forwarded-Proto": wrong}).status_code == 308
    assert client.post("/auth/login", {"login": "x", "password": "y"}, headers={"X-Forwarded-Proto": "http"}).status_code == 403


def test_tls_that_ends_in_front_as_the_reference_has_it(new_server):
    """HOST-04: the example of conf/userauth.conf, this machine being the proxy; each client has its own address."""
    text = (TOP / "conf" / "userauth.conf").read_text()
    lines = "\n".join(re.findall(r"^#((?:RemoteIP|SetEnvIf)\w* .*)", text, re.M)).replace("\\.", ".").replace("192.0.2.10", "127.0.0.1")
    server = new_server(conf=f"UserAuthBaseURL https://site.test\n{lines}\n")
    server.expect_log("AH10633")  # the list of proxies of the main server, too
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    client = Client(server, address=None, base=f"http://127.0.0.1:{server.port}")
    assert client.get("/auth/login", headers=told).status_code == 200
    assert client.json("POST", "/auth/login", {"login": "x", "password": "y"}, headers=told).status_code == 401
    assert [row["address"] for row in server.db("SELECT address FROM event")] == ["203.0.113.7"]
    assert client.get("/auth/login", headers={**told, "X-Forwarded-Proto": "http"}).status_code == 308
    other = Client(server, address=None, source="127.0.0.2", base=client.base)
    assert other.get("/auth/login", headers=told).status_code == 308
    assert "RemoteIPHeader" in lines


def test_without_the_line_a_header_is_worth_nothing(public, log_gate):
    log_gate.watch(public)
    answer = outsider(public, plain=True).get(
        "/auth/login", headers={"X-Forwarded-Proto": "https", "Forwarded": "proto=https", "Front-End-Https": "on"}
    )
    assert answer.status_code == 308


def test_https_on_localhost_has_no_hsts(new_server):
    server = new_server(tls=True)
    answer = Client(server).get("/auth/login")
    assert answer.status_code == 200
    assert "Strict-Transport-Security" not in common(answer).headers
