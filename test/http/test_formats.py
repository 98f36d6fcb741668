"""What is asked and what is answered: HTML or JSON, methods, spelling of paths, and the bounds of a body."""
import http.client
import json

import pytest
from client import Client
from pages import Page, problem, refused
from people import PASSWORD, join, signed_in, stranger
from server import Server

FORM = "application/x-www-form-urlencoded"
PAGES = ["/auth/register", "/auth/check-email", "/auth/resend", "/auth/login", "/auth/logout"]
LINKS = ["/auth/verify", "/auth/disown"]


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf="UserAuthRateLimit login off\nUserAuthLockAfter 1000\nUserAuthMailLimit off\n")
    try:
        server.start()
        server.person = join(server)
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def client(site):
    return Client(site)


def send(client, body, kind=FORM, path="/auth/login", **headers):
    """A body as it is."""
    return client.request("POST", path, data=body, headers={"Content-Type": kind, **headers})


ACCEPT = [
    (None, False, "none at all"),
    ("*/*", False, "anything"),
    ("text/html", False, "a page"),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False, "a browser"),
    ("application/json", True, "JSON"),
    ("Application/JSON", True, "in capitals"),
    ("application/json; charset=utf-8", True, "with a parameter"),
    ("application/json, text/plain, */*", True, "a script"),
    ("application/problem+json, application/json", True, "with the errors' type"),
    ("text/plain", False, "something else"),
    ("application/jsonp", False, "nearly"),
    ("application/json;q=0", False, "anything but JSON"),
    ("", False, "empty"),
]


@pytest.mark.parametrize("accept, is_json, why", ACCEPT)
def test_accept(client, accept, is_json, why):
    answer = client.get("/auth/login", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == ("application/json" if is_json else "text/html; charset=utf-8"), why
    answer = client.get("/auth/nothing", headers={"Accept": accept})
    assert answer.headers["Content-Type"] == ("application/problem+json" if is_json else "text/html; charset=utf-8"), why


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/Json"])
def test_a_json_body_is_answered_in_json(site, client, kind):
    """Whatever is accepted."""
    body = json.dumps({"login": site.person.email, "password": PASSWORD})
    for accept in ("text/html", "*/*", "application/json"):
        answer = send(client, body, kind, Accept=accept)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
        answer = send(client, "{}", kind, Accept=accept)
        problem(answer, 422, "invalid_fields")


def test_a_form_may_ask_for_json(site, client):
    answer = client.post(
        "/auth/login", {"login": site.person.email, "password": PASSWORD}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 200 and answer.json()["user"]["username"] == site.person.username


FIELDS = {
    "/auth/register": {"username", "email", "password", "password_confirm", "display_name"}, "/auth/resend": {"email"},
    "/auth/login": {"login", "password", "remember"}, "/auth/logout": set()
}


@pytest.mark.parametrize("path", FIELDS)
def test_a_form_described(client, path):
    answer = client.json("GET", path)
    assert answer.status_code == 200
    assert set(answer.json()) == {"fields"}
    fields = answer.json()["fields"]
    assert FIELDS[path] <= {field["name"] for field in fields}
    assert "csrf" not in {field["name"] for field in fields}
    assert all(field["name"] and field["label"] and field["type"] for field in fields)


@pytest.mark.parametrize("path", [*PAGES, *LINKS, "/auth/health", "/auth/nothing"])
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_head(client, path, accept):
    get, head = (client.request(method, path, headers={"Accept": accept}) for method in ("GET", "HEAD"))
    assert head.content == b""
    assert head.status_code == get.status_code
    for name in ("Content-Type", "Cache-Control", "Content-Security-Policy", "Content-Length"):
        assert head.headers.get(name) == get.headers.get(name), name


@pytest.mark.parametrize("path", [*PAGES, *LINKS, "/auth/health"])
def test_options(client, path):
    answer = client.request("OPTIONS", path)
    assert (answer.status_code, answer.content) == (204, b"")
    expected = {"GET", "HEAD", "OPTIONS"} | (set() if path == "/auth/health" else {"POST"})
    assert set(answer.headers["Allow"].split(", ")) == expected
    assert not [name for name in answer.headers if name.startswith("Access-Control")], "CSRF-08"


@pytest.mark.parametrize("path", [*PAGES, *LINKS, "/auth/health"])
def test_other_methods(client, path):
    """APA-02"""
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "M-CUSTOM", "PROPFIND"):
        answer = client.request(method, path)
        if path != "/auth/health":  # which speaks JSON only
            refused(answer, 405)
        assert answer.headers["Allow"] == client.request("OPTIONS", path).headers["Allow"]
        problem(client.json(method, path), 405, "method_not_allowed")


def test_methods_are_spelled_in_capitals(site):
    link = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
    link.request("get", "/auth/login")
    assert link.getresponse().status == 405
    link.close()


def test_a_method_in_a_field_or_header_is_none(client):
    """CSRF-06"""
    for headers in ({"X-HTTP-Method-Override": "DELETE"}, {"X-HTTP-Method": "PUT"}, {"X-Method-Override": "POST"}):
        assert client.get("/auth/login?_method=POST", headers=headers).status_code == 200


UNKNOWN = [
    "/auth/nothing", "/auth/login/x", "/auth/LOGIN", "/auth/login.html", "/auth/assets/x", "/auth/assets", "/auth/..%2flogin",
    "/auth/%6eothing", "/auth/log%00in", "/auth/a%0ab"
]


@pytest.mark.parametrize("path", UNKNOWN)
def test_unknown_paths(client, path):
    assert client.get(path).status_code in (404, 400) if "%00" in path or "%2f" in path else client.get(path).status_code == 404
    if "%00" not in path and "%2f" not in path:
        refused(client.get(path), 404)
        problem(client.json("GET", path), 404, "not_found")
        problem(client.json("POST", path, {}), 404, "not_found")


def test_a_path_is_no_markup(client):
    """XSS-02"""
    for path in (
        "/auth/<script>alert(1)</script>", "/auth/nothing?x=<script>alert(1)</script>",
        "/auth/login?notice=<script>alert(1)</script>&next=/<script>"
    ):
        assert "<script>alert" not in client.get(path).text


@pytest.mark.parametrize("path", [*PAGES, *LINKS, "/auth/health"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_slash_at_the_end(client, path, method):
    answer = client.request(method, path + "/?a=b%20c")
    assert (answer.status_code, answer.headers["Location"]) == (308, path + "?a=b%20c")


def test_the_prefix_itself(client):
    assert client.get("/auth").status_code == 303
    assert client.get("/auth").headers["Location"] == "/auth/login"
    assert client.json("GET", "/auth").headers["Location"] == "/auth/login"
    answer = client.get("/auth/")
    assert answer.status_code in (303, 308) and answer.headers["Location"] in ("/auth", "/auth/login")
    assert "evil" not in str(client.get("/auth//evil.example/").headers.get("Location", ""))


def test_unknown_fields_are_ignored(site, client):
    fields = {"login": site.person.email, "password": PASSWORD, "colour": "blue", "id": "1", "csrf": "x"}
    assert client.post("/auth/login", fields).status_code == 303
    assert client.json("POST", "/auth/login", fields).status_code == 200


TWICE = [
    "login=a&login=b&password=c", "login=a&password=c&login=a", "login=a&password=c&x=1&x=2", "login=a&password=c&l%6fgin=b",
    "login=a&password=c&csrf=1&csrf=2"
]


@pytest.mark.parametrize("body", TWICE)
def test_a_name_twice(client, body):
    """BODY-08"""
    refused(send(client, body), 400)
    problem(send(client, body, Accept="application/json"), 400, "bad_request")


BROKEN_FORMS = [
    "login=%", "login=%4", "login=%zz", "login=%ff", "login=%c0%af", "login=%ed%a0%80", "login=a%00b", "login=%f4%90%80%80",
    b"login=\xff\xfe", "lo%00gin=x", "%ff=x"
]


@pytest.mark.parametrize("body", BROKEN_FORMS)
def test_broken_forms(client, body):
    """ENC-01, ENC-02"""
    refused(send(client, body), 400)
    problem(send(client, body, Accept="application/json"), 400, "bad_request")


BROKEN_JSON = [
    "", " ", "x", "{", "[]", '["login"]', '"login"', "1", "null", "true", '{"login":"a"', '{"login":"a"} x', '{"login":"a",}',
    "{'login':'a'}",
    '{"login":"a","login":"b"}', '{"login":"a","x":"1","x":"2"}', '{"login":{"a":"b"}}', '{"login":["a"]}', '{"x":{}}',
    '{"login":null}', '{"remember":2}', '{"remember":1.5}',
    '{"login":NaN}', '{"login":1e400}', '{"login":"a\\u0000b"}', '{"login":"\\ud800"}', '\ufeff{"login":"a"}',
    '{"login":"a\nb"}', b'{"login":"\xff"}', "[" * 20000, '{"a":' * 5000,
]


@pytest.mark.parametrize("body", BROKEN_JSON, ids=range(len(BROKEN_JSON)))
def test_broken_json(client, body):
    """BODY-10"""
    answer = send(client, body.encode() if isinstance(body, str) else body, "application/json")
    problem(answer, 400, "bad_request")


def size(total, start):
    return start + "x" * (total - len(start))


@pytest.mark.parametrize("chunked", [False, True])
def test_64_kib_and_no_more(client, chunked):
    """BODY-01"""
    as_sent = lambda text: iter([text.encode()]) if chunked else text
    start = "login=a&password=b&pad="
    assert send(client, as_sent(size(65536, start))).status_code == 401
    for total in (65537, 200000):
        answer = send(Client(client.server), as_sent(size(total, start)))
        refused(answer, 413)
        problem(send(Client(client.server), as_sent(size(total, start)), Accept="application/json"), 413, "payload_too_large")
    answer = send(Client(client.server), as_sent(json.dumps({"login": "x" * 70000})), "application/json")
    problem(answer, 413, "payload_too_large")


def test_64_pairs_and_no_more(client):
    pairs = [f"f{i}=1" for i in range(62)] + ["login=a", "password=b"]
    assert send(client, "&".join(pairs)).status_code == 401
    refused(send(client, "&".join(["one=more", *pairs])), 400)
    flat = {f"f{i}": "1" for i in range(64)}
    problem(send(client, json.dumps({**flat, "login": "a"}), "application/json"), 400, "bad_request")


def test_nothing_but_equal_signs(client):
    """BODY-02"""
    assert send(client, "=&" * 30000).status_code == 400
    assert send(Client(client.server), "=&" * 500000).status_code == 413


KINDS = [
    "text/plain", "multipart/form-data; boundary=x", "application/xml", "text/json", "application/x-www-form-urlencoded-not",
    "application/jsonp", "image/png", "x"
]


@pytest.mark.parametrize("kind", KINDS)
def test_other_media_types(site, client, kind):
    """CSRF-05"""
    body = json.dumps({"login": site.person.email, "password": PASSWORD})
    refused(send(client, body, kind), 415)
    problem(send(client, body, kind, Accept="application/json"), 415, "unsupported_media_type")
    assert "userauth" not in client.cookies


def test_a_body_without_a_type(client):
    answer = client.request("POST", "/auth/login", data=b"login=a&password=b", headers={"Content-Type": None})
    assert answer.status_code == 415


def test_a_form_with_a_charset(client):
    assert send(client, "login=a&password=b", FORM + "; charset=UTF-8").status_code == 401


def test_plus_and_escapes_are_decoded(site, client):
    """A blank is +, a plus is %2B; and ; separates nothing."""
    person = stranger()
    body = f"username={person.username}&email={person.username}%2Btag%40example.org"
    body += "&password=a+b%20c+marmalade+tuba+92&display_name=A%3B+B;username=x"
    answer = send(client, body, path="/auth/register", Accept="application/json")
    assert answer.status_code == 201
    assert answer.json()["user"]["email"] == f"{person.username}+tag@example.org"
    assert answer.json()["user"]["display_name"] == "A; B;username=x"


def test_pages_are_html(site):
    """Every page of the journey, guest's and member's: one h1, a title with the site's name, a language."""
    member = signed_in(site, site.person)
    for client, path in [(Client(site), path) for path in PAGES] + [
        (member, "/dashboard"), (member, "/auth/logout"), (Client(site), "/auth/nothing")
    ]:
        answer = client.get(path)
        page = Page(answer)
        assert len(page.headings) == 1, path
        assert page.title.endswith("· Example"), path
        assert '<html lang="en">' in answer.text
