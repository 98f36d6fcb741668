"""The gate: AuthType UserAuth + Require valid-user on static files, as browsers and programs see it."""
import apps
import pytest
from client import Client, the_form
from people import PASSWORD, is_signed_in, join, sign_in, signed_in
from server import Server

CONF = """
UserAuthSessionCacheTTL 2s
<Location "/private">
    AuthType UserAuth
    Require valid-user
</Location>
<Location "/one-person">
    AuthType UserAuth
    Require user nobody-has-this-name
</Location>
<Directory "${RUN}/htdocs/folder">
    AuthType UserAuth
    Require valid-user
</Directory>
<Location "/mixed">
    AuthType userauth
    <RequireAny>
        Require expr %{HTTP:X-Pass} == 'yes'
        Require valid-user
    </RequireAny>
</Location>
"""
NAVIGATION = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def gate(run_folder):
    server = Server(run_folder, conf=CONF)
    apps.put(server, "private/page.html", "<p>for members</p>")
    apps.put(server, "private/a b/ü.txt", "odd name")
    apps.put(server, "folder/index.html", "<p>the folder</p>")
    apps.put(server, "folder/.htaccess", "ErrorDocument 404 /private/page.html\n")
    apps.put(server, "one-person/a.txt", "one person's")
    apps.put(server, "mixed/a.txt", "mixed")
    apps.put(server, "open.txt", "for everybody")
    apps.put(server, "ht/.htaccess", "AuthType UserAuth\nRequire valid-user\n")
    apps.put(server, "ht/a.txt", "by .htaccess")
    try:
        server.start()
        server.member = signed_in(server)
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(gate, log_gate):
    log_gate.watch(gate)


@pytest.fixture
def client(gate):
    return Client(gate)


def login_of(answer):
    """The `next` that a redirect to the login page carries, decoded."""
    from urllib.parse import parse_qs, urlsplit

    assert answer.status_code == 303, f"{answer.status_code} {answer.text}"
    where = urlsplit(answer.headers["Location"])
    assert (where.scheme, where.netloc, where.path) == ("", "", "/auth/login"), answer.headers["Location"]
    found = parse_qs(where.query, strict_parsing=True)
    assert list(found) == ["next"] and len(found["next"]) == 1
    return found["next"][0]


# ---- a navigation ----


@pytest.mark.parametrize(
    "path, where",
    [
        ("/private/page.html", "/private/page.html"),
        ("/private/page.html?a=1&b=%2F%3F", "/private/page.html?a=1&b=%2F%3F"),
        ("/private/a%20b/%C3%BC.txt", "/private/a%20b/%C3%BC.txt"),
        ("/private/missing", "/private/missing"),  # the gate answers before the file is looked for
        ("/folder", "/folder"),  # … and before mod_dir adds its slash
        ("/folder/", "/folder/"),
        ("/ht/a.txt", "/ht/a.txt"),
        ("/private/page.html?next=//evil.example", "/private/page.html?next=//evil.example"),
    ],
)
def test_navigation_leads_to_the_login_page_with_next(client, path, where):
    assert login_of(client.get(path, headers=NAVIGATION)) == where


@pytest.mark.parametrize(
    "path", ["/private//evil.example", "/private/%5Cevil.example", "/private/%0d%0aX-A:b", "/private/" + "a/" * 1030],
    ids=["slashes", "backslash", "newline", "long"],
)
def test_a_path_that_next_cannot_hold_leads_to_the_dashboard(client, gate, path):
    answer = client.get(path, headers=NAVIGATION)
    if answer.status_code == 303:
        assert login_of(answer) in ("/dashboard", "/private/evil.example")  # httpd merges the slashes
    else:
        assert answer.status_code in (400, 403, 404), answer.status_code
    assert "X-A" not in answer.headers


@pytest.mark.parametrize("path", ["/private/page.html", "/folder/", "/ht/a.txt"])
def test_a_person_comes_back_to_the_page_he_wanted(gate, client, path):
    person = join(gate)
    refused = client.get(path, headers=NAVIGATION)
    page = client.follow(refused)
    assert page.status_code == 200 and "<h1>Log in</h1>" in page.text
    entered = client.form(refused.headers["Location"], {"login": person.email, "password": PASSWORD})
    assert (entered.status_code, entered.headers["Location"]) == (303, path)
    assert client.follow(entered).status_code == 200


def test_an_absolute_request_line_is_no_way_to_another_site(client, gate):
    import http.client

    link = http.client.HTTPConnection("localhost", gate.port)
    link.request("GET", "http://evil.example/private/page.html", headers={"Accept": "text/html"})
    answer = link.getresponse()
    assert answer.status in (303, 400, 421)
    assert "evil" not in (answer.headers["Location"] or "")


def test_a_navigation_without_accept_is_one_too(client):
    assert login_of(client.get("/private/page.html", headers={"Accept": None})) == "/private/page.html"
    assert login_of(client.get("/private/page.html", headers={"Accept": "*/*"})) == "/private/page.html"
    assert login_of(client.get("/private/page.html", headers={"Sec-Fetch-Mode": "navigate"})) == "/private/page.html"


def test_the_refusal_is_never_stored(client):
    answer = client.get("/private/page.html", headers=NAVIGATION)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "for members" not in answer.text


# ---- what is no navigation ----


@pytest.mark.parametrize(
    "headers, json_wanted",
    [
        ({"X-Requested-With": "XMLHttpRequest", **NAVIGATION}, False),
        ({"Sec-Fetch-Mode": "cors", "Accept": "*/*"}, False),
        ({"Sec-Fetch-Mode": "no-cors", "Accept": "image/avif,image/webp,*/*;q=0.8"}, False),
        ({"Sec-Fetch-Mode": "same-origin", "Accept": "*/*"}, False),
        ({"Sec-Fetch-Mode": "websocket", "Accept": "*/*"}, False),
        ({"Accept": "text/css"}, False),
        ({"Accept": "text/plain"}, False),
        ({"Accept": "application/json"}, True),
        ({"Accept": "application/json, text/plain, */*"}, True),
        ({"Accept": "application/problem+json"}, True),
        ({"Accept": "application/json", "Sec-Fetch-Mode": "navigate"}, True),
    ],
    ids=lambda value: str(value).replace("/", "|") if isinstance(value, dict) else "",
)
def test_anything_but_a_navigation_gets_401(client, headers, json_wanted):
    answer = client.get("/private/page.html", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "Location" not in answer.headers and "for members" not in answer.text
    if json_wanted:
        assert answer.headers["Content-Type"] == "application/problem+json"
        problem = answer.json()
        assert (problem["status"], problem["code"]) == (401, "login_required")
        assert problem["title"] and problem["detail"]


# ---- a submit without a session ----


@pytest.mark.parametrize(
    "referer, where",
    [
        ("{base}/private/page.html?step=2", "/private/page.html?step=2"),
        ("{base}/private/page.html#part", "/private/page.html"),
        ("{base}", "/"),
        ("http://127.0.0.1:{port}/private/page.html", "/private/page.html"),  # one origin on localhost
        ("http://evil.example/private/page.html", "/dashboard"),
        ("http://localhost:1/private/page.html", "/dashboard"),  # another port
        ("{base}//evil.example/", "/dashboard"),
        ("{base}/%5Cevil.example/", "/dashboard"),
        ("{base}@evil.example/", "/dashboard"),
        ("https://localhost:{port}/private/page.html", "/dashboard"),
        ("/private/page.html", "/dashboard"),
        (None, "/dashboard"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_submit_leads_back_to_the_page_it_came_from(client, gate, method, referer, where):
    headers = {"Referer": referer.format(base=gate.base, port=gate.port) if referer else None, **NAVIGATION}
    assert login_of(client.request(method, "/private/other.html", data={"a": "1"}, headers=headers)) == where


# ---- methods (APA-02, CSRF-08) ----


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PATCH", "PUT", "DELETE", "TRACE", "M-CUSTOM", "get", "PROPFIND"])
@pytest.mark.parametrize("path", ["/private/page.html", "/folder/", "/dashboard", "/dashboard/unknown"])
def test_every_method_is_gated(client, gate, method, path):
    """APA-02: the same answer as GET, or 405, and nothing of the page."""
    gate.expect_log("AH00135: Invalid method")
    answer = client.request(method, path, headers=NAVIGATION)
    assert answer.status_code in (303, 405, 501), f"{answer.status_code} {answer.text}"
    assert "for members" not in answer.text and "the folder" not in answer.text
    if answer.status_code == 303:
        login_of(answer)
    if method == "HEAD":
        assert answer.status_code == 303 and answer.content == b""


def test_head_says_what_get_says(gate):
    shown = gate.member.get("/private/page.html")
    head = gate.member.request("HEAD", "/private/page.html")
    assert head.status_code == shown.status_code == 200 and head.content == b""
    assert head.headers["Content-Length"] == shown.headers["Content-Length"]


def test_a_preflight_opens_nothing(client):
    """CSRF-08: no access for another origin, whatever identity it claims."""
    headers = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "X-Remote-User",
        "X-Remote-User": "root",
        "Sec-Fetch-Mode": "cors",
    }
    for path in ("/private/page.html", "/dashboard", "/auth/login"):
        answer = client.request("OPTIONS", path, headers=headers)
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
        assert answer.status_code == (204 if path == "/auth/login" else 401)


def test_a_member_may_use_every_method_the_file_knows(gate):
    assert gate.member.get("/private/page.html").text == "<p>for members</p>"
    assert gate.member.request("OPTIONS", "/private/page.html").status_code == 200
    assert gate.member.request("DELETE", "/private/page.html").status_code == 405


# ---- who passes ----


def test_a_member_passes_everywhere(gate):
    for path, text in (("/folder/", "the folder"), ("/ht/a.txt", "by .htaccess"), ("/mixed/a.txt", "mixed")):
        answer = gate.member.get(path)
        assert answer.status_code == 200 and text in answer.text
    assert gate.member.get("/folder", headers=NAVIGATION).status_code == 301


def test_a_member_that_require_does_not_let_in_is_refused_and_not_sent_to_login(gate):
    gate.expect_log("AH01631: user .*: authorization failure")
    answer = gate.member.get("/one-person/a.txt", headers=NAVIGATION)
    assert answer.status_code in (401, 403) and "one person's" not in answer.text
    assert "Location" not in answer.headers


def test_requireany_lets_either_pass(client):
    assert client.get("/mixed/a.txt", headers={"X-Pass": "yes"}).text == "mixed"
    assert login_of(client.get("/mixed/a.txt", headers=NAVIGATION)) == "/mixed/a.txt"


@pytest.mark.parametrize(
    "cookie",
    ["", "x", "A" * 43, "A" * 42, "A" * 44, "A" * 4000, '"{}"', "{}x", "x{}", "%41", "{lower}", "\xff" * 43, "'or'1'='1"],
)
def test_a_cookie_that_is_no_session_is_no_entry(client, gate, cookie):
    """COOK-01, SQL-01: a wrong cookie is no cookie; no error, no crash."""
    own = gate.member.cookies["userauth"]
    value = cookie.replace("{lower}", own.swapcase()).replace("{}", own)
    answer = client.get("/private/page.html", headers={"Cookie": b"userauth=" + value.encode("latin-1"), **NAVIGATION})
    if cookie == '"{}"':
        assert answer.status_code in (200, 303)
    else:
        assert login_of(answer) == "/private/page.html"


def test_the_cookie_is_found_among_others(client, gate):
    own = gate.member.cookies["userauth"]
    for header in (f"a=b; userauth={own}; c", f"userauth={own};x=y", f"userauthx=1; xuserauth=2; userauth={own}"):
        assert client.get("/private/page.html", headers={"Cookie": header}).status_code == 200, header
    assert client.get("/private/page.html", headers={"Cookie": f"USERAUTH={own}"}).status_code == 303
    assert client.get("/private/page.html", headers={"Cookie": f"__Host-userauth={own}"}).status_code == 303


def test_basic_credentials_are_ignored(client, gate):
    """APA-05: an Authorization header neither opens nor closes the gate."""
    person = gate.member.person
    answer = client.get("/private/page.html", auth=(person.username, PASSWORD), headers=NAVIGATION)
    assert login_of(answer) == "/private/page.html" and "WWW-Authenticate" not in answer.headers
    assert gate.member.get("/private/page.html", auth=("other", "wrong")).status_code == 200


def test_after_signing_out_the_gate_is_shut(gate):
    client = signed_in(gate)
    own = client.cookies["userauth"]
    assert client.get("/private/page.html").status_code == 200
    assert client.form("/auth/logout", {}).status_code == 303
    assert client.get("/private/page.html").status_code == 303
    assert Client(gate).get("/private/page.html", headers={"Cookie": f"userauth={own}"}).status_code == 303


def test_each_answer_is_that_of_its_own_cookie(gate):
    """Two persons in turn, over one connection each and over one shared one (RACE-13 in small)."""
    other = signed_in(gate)
    both = Client(gate)
    for _ in range(20):
        for one in (gate.member, other):
            own = {"Cookie": f"userauth={one.cookies['userauth']}", "Accept": "application/json"}
            for client in (one, both):
                assert one.person.username in client.get("/dashboard", headers=own).text


# ---- pages of errors ----


def test_an_error_page_behind_the_gate_is_behind_the_gate(gate, client):
    """SESS-10: ErrorDocument within the gate keeps the person, and lets no stranger see it."""
    assert "for members" in gate.member.get("/folder/missing.html").text
    assert login_of(client.get("/folder/missing.html", headers=NAVIGATION)) == "/folder/missing.html"


def test_the_gate_sets_no_cookie_on_others_answers(gate):
    """SESS-10: no Set-Cookie at all on files, internal redirects and errors."""
    for path in ("/private/page.html", "/folder/", "/folder/missing.html", "/private/missing"):
        assert "Set-Cookie" not in gate.member.get(path).headers


def test_open_files_stay_open(client, gate):
    assert client.get("/open.txt").text == "for everybody"
    assert gate.member.get("/open.txt").text == "for everybody"


def test_a_second_sign_in_replaces_the_first(gate):
    client = signed_in(gate)
    first = client.cookies["userauth"]
    field = the_form(client.get("/auth/logout").text)["hidden"]["csrf"]
    sign_in(client, client.person, csrf=field)
    assert client.cookies["userauth"] != first and is_signed_in(client)
    assert Client(gate).get("/private/page.html", headers={"Cookie": f"userauth={first}"}).status_code == 303
