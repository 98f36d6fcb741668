"""Markup injection (XSS-01..08): whatever is typed or sent, a page has the elements it always has."""
import html.parser
import json
import re
from urllib.parse import quote

import pytest

from attacks import exchange, guarded, request
from client import Client, the_form
from payloads import PAYLOADS
from people import PASSWORD, join, register, signed_in, stranger
from server import wait_for

VOLATILE = {"csrf"}  # hidden fields whose value differs from page to page


class Shape(html.parser.HTMLParser):
    """The elements of a page with all attributes, but for what a person typed; and the typed values."""

    def __init__(self, text):
        super().__init__()
        self.items, self.values, self.wrong, self.words = [], {}, set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        name = given.get("name")
        if tag == "input":
            if name in VOLATILE or given.get("type") not in ("checkbox", "hidden"):
                self.values[name] = given.pop("value", None)
            if given.get("aria-invalid"):
                self.wrong.add(name)
        assert len(dict(attrs)) == len(attrs), f"an attribute stands twice in {attrs}"
        self.items.append((tag, tuple(sorted(given.items(), key=str))))

    def handle_endtag(self, tag):
        self.items.append(("/" + tag,))

    def handle_comment(self, data):
        self.items.append(("comment", data))

    def handle_decl(self, decl):
        self.items.append(("decl", decl))

    def handle_pi(self, data):
        self.items.append(("pi", data))

    def unknown_decl(self, data):
        self.items.append(("cdata", data))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return "".join(self.words)


def test_the_shape_sees_an_injection():
    """What the comparison below is made of notices each way out of a text or an attribute."""
    page = '<p>{}</p><input name="login" type="text" value="{}">'
    base = Shape(page.format("x", "y")).items
    assert Shape(page.format("other", "other")).items == base
    for one, two in (("<b>", "y"), ("x", '" onfocus="z'), ("<!--", "y"), ("x", '"><i>'), ("<?x>", "y"), ("</p>", "y")):
        assert Shape(page.format(one, two)).items != base


FORMS = {
    "register": ({"username": "!", "email": "!", "display_name": "!", "password": "short"}, ("username", "email", "display_name")),
    "login": ({"login": "!", "password": ""}, ("login",)),
    "resend": ({"email": "!"}, ("email",)),
}


def baseline(server, route, wrong):
    """The page with the same fields in error, but harmless words in them."""
    fields, texts = dict(FORMS[route][0]), FORMS[route][1]
    harmless = {"username": "user-name", "email": "name@example.org", "display_name": "name", "login": "name"}
    bad = {"username": "!", "email": "!", "display_name": "x" * 65, "login": "x" * 300}
    for name in texts:
        fields[name] = bad[name] if name in wrong else harmless[name]
    return Shape(Client(server).post(f"/auth/{route}", fields).text)


@pytest.mark.parametrize("route", FORMS)
def test_xss_01_typed_text_comes_back_as_text(server, route):
    """XSS-01: each payload in each field of a refused form: same elements, and the exact words in the field."""
    fields, texts = FORMS[route]
    client, bases = Client(server), {}
    assert len(PAYLOADS) >= 120
    for payload in PAYLOADS:
        answer = client.post(f"/auth/{route}", {**fields, **{name: payload for name in texts}})
        assert answer.status_code in (400, 422), f"{payload!r}: {answer.status_code}"
        guarded(answer.headers)
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        if answer.status_code == 400:
            continue
        shape = Shape(answer.text)
        wrong = frozenset(shape.wrong)
        if wrong not in bases:
            bases[wrong] = baseline(server, route, wrong)
            assert bases[wrong].wrong == wrong
        assert shape.items == bases[wrong].items, payload
        for name in texts:
            assert shape.values[name] == payload.strip(), f"{name}: {payload!r} became {shape.values[name]!r}"


@pytest.mark.parametrize("route", ["login", "register", "resend", "verify", "disown", "check-email", "nothing", "logout"])
@pytest.mark.parametrize("where", ["query", "name", "next", "notice", "token", "path", "header"])
def test_xss_02_nothing_of_the_request_is_echoed(server, route, where):
    """XSS-02: payloads in query, unknown names, token, notice, path and headers leave the page as it is."""
    client = Client(server)
    server.db("DELETE FROM throttle WHERE name LIKE 'rate-token%'")
    makers = {
        "query": lambda p: (f"?{p}", {}), "name": lambda p: (f"?{p}=1", {}), "next": lambda p: (f"?next={p}", {}),
        "notice": lambda p: (f"?notice={p}", {}), "token": lambda p: (f"?token={p}", {}), "path": lambda p: (f"/{p}", {}),
        "header": lambda p: ("", {name: p for name in ("Referer", "User-Agent", "X-Forwarded-Host", "X-Requested-With-Not",
                                                       "Accept-Language", "Purpose", "From", "X-Original-URL")}),
    }
    base = None
    for payload in ["harmless", *PAYLOADS[len(route + where) % 5 :: 5]]:
        suffix, headers = makers[where](quote(payload, safe=""))
        if where == "header":
            headers = {name: payload.strip().encode() for name in headers if "\n" not in payload}
        if route in ("verify", "disown") and client.get(f"/auth/{route}").status_code == 429:
            client = Client(server)
        answer = client.get(f"/auth/{route}{suffix}", headers=headers)
        if answer.status_code in (303, 429) or where == "path" and answer.status_code == 404 and "<title>404" in answer.text:
            continue  # httpd's own answer to a path it refuses (%2F, %00)
        shape = Shape(re.sub(r'<input type="hidden" name="next" value="/[^"]*">', "", answer.text))
        shape.items = [item for item in shape.items if not (where == "next" and item[0] == "input" and ("name", "next") in item[1])]
        if base is None:
            base = (answer.status_code, shape.items, shape.text)
            continue
        assert answer.status_code == base[0], payload
        assert shape.items == base[1], payload
        assert shape.text == base[2] or where == "next", payload
        guarded(answer.headers)


def test_xss_02_errors_do_not_echo(server, victim):
    """XSS-02: unknown field names, methods, media types and oversized bodies, in HTML and JSON."""
    mark = "<script>mark</script>"
    tries = [
        ("POST", "/auth/login", {"data": {mark: mark, "login": "", "password": ""}}),
        ("POST", "/auth/login", {"data": mark.encode(), "headers": {"Content-Type": f"text/{mark}"}}),
        ("POST", "/auth/login", {"data": mark.encode() * 4000, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}),
        ("POST", "/auth/login", {"json": {mark: mark}}), ("POST", "/auth/verify", {"data": {"token": mark}}),
        ("POST", "/auth/verify", {"json": {"token": mark}}), ("MARK", "/auth/login", {"headers": {"X": mark}}),
        ("GET", f"/auth/{mark}", {}), ("GET", f"/dashboard/{mark}", {}), ("POST", f"/auth/login?{mark}", {"data": {"login": ""}}),
        ("POST", "/auth/logout", {"data": {"csrf": mark}}), ("GET", "/auth/login", {"headers": {"Accept": f"text/{mark}"}}),
    ]
    for client in (Client(server), victim):
        for accept in ("text/html", "application/json"):
            for method, path, kwargs in tries:
                headers = {"Accept": accept, **kwargs.get("headers", {})}
                answer = client.request(method, path, **{**kwargs, "headers": headers})
                assert "mark</script" not in answer.text and "<" not in answer.headers.get("Location", ""), path


def test_xss_02_the_cores_own_errors_do_not_echo(server):
    """XSS-02: what httpd refuses before us, in our prefix."""
    for target in ("/auth/<script>mark</script>", "/auth/%00<script>mark", "/auth/%2f<script>mark", "/auth/" + "<mark>" * 2000):
        for answer in exchange(server, request("GET", target, [("Expect", "<mark>"), ("X-Big", "<mark>" * 100)])):
            assert b"<mark>" not in answer.body and b"<script>mark" not in answer.body, target


@pytest.fixture(scope="module")
def member(session_server):
    return signed_in(session_server)


def test_xss_01_stored_text_on_the_dashboard(server, member):
    """XSS-01: whatever stands in a row, even what no form would let in, the page shows it as text."""
    base = Shape(member.get("/dashboard").text)
    names = [item for item in base.items]
    row = server.db("SELECT username, email, display_name FROM account WHERE id = ?", member.person.id)[0]
    try:
        for payload in PAYLOADS:
            server.db("UPDATE account SET display_name = ?, username = ?, email = ? WHERE id = ?",
                      payload, "u" + payload, "e" + payload, member.person.id)
            shape = Shape(member.get("/dashboard").text)
            assert shape.items == names, payload
            assert shape.text.count(payload) >= 3, payload
            page = Shape(member.get("/auth/logout").text)
            assert "u" + payload in page.text
    finally:
        server.db("UPDATE account SET username = ?, email = ?, display_name = ? WHERE id = ?", *row, member.person.id)


def sent_page(client):
    answer = client.get("/auth/check-email")
    assert answer.status_code == 200
    return answer.text if 'data-state="sent"' in answer.text else None


def test_xss_01_stored_text_on_check_email(server):
    """XSS-01: the registered address and name on the pages of the registering browser."""
    bases = {}
    for word in ("name", "o'neil&x=y`{|}~", "{{csrf}}", "a&lt", "%3Cb%3E", "${7*7}", "+ADw-b+AD4-", "'onclick='x"):
        client, person = Client(server), stranger()
        person.email = f"{word}@example.org"
        register(client, person)
        server.db("UPDATE account SET username = ? WHERE id = ?", "<b>" + word, person.id)
        page = wait_for(lambda: sent_page(client), what="the page after the mail left")
        shape = Shape(page)
        assert f"{word}@example.org" in shape.text
        items = [item for item in shape.items if not (item[0] == "input" and ("name", "email") in item[1])]
        assert bases.setdefault("page", items) == items, word
        server.db("DELETE FROM account WHERE id = ?", person.id)


NAME = "A<b>\"&amp;'{{csrf}}</title>"


def test_xss_03_mails(new_server):
    """XSS-03: the site's name and an address of legal but odd characters: escaped in HTML, plain in text."""
    escaped = NAME.replace('"', '\\"')
    one = new_server(conf=f'UserAuthSiteName "{escaped}"\n')
    person = stranger("odd")
    person.email = "o'neil&x=y`{|}~{{csrf}}!#$%*+/?^_@example.org"
    client = Client(one)
    register(client, person)
    mail = one.wait_mail(person.email)
    assert NAME in mail.text and "&lt;" not in mail.text and NAME in mail.subject
    shape = Shape(mail.html)
    assert "b" not in [item[0] for item in shape.items] and NAME in shape.text
    assert [item[0] for item in shape.items].count("title") == 1
    page = client.get("/auth/check-email")
    assert person.email in Shape(page.text).text
    assert the_form(page.text, "check-email")["fields"]["email"] in (person.email, "")
    assert Shape(client.get("/auth/login").text).text.count(NAME) >= 2


def test_xss_04_json_is_json(server, victim):
    """XSS-04: type, nosniff and no page in any JSON answer, whatever it holds."""
    row = server.db("SELECT display_name FROM account WHERE id = ?", victim_id(server, victim))[0][0]
    mark = "</script><script>alert(1)</script>\u2028"
    try:
        server.db("UPDATE account SET display_name = ? WHERE id = ?", mark, victim_id(server, victim))
        answer = victim.json("GET", "/dashboard")
        assert answer.json()["display_name"] == mark
        assert answer.headers["Content-Type"] == "application/json"
        guarded(answer.headers)
    finally:
        server.db("UPDATE account SET display_name = ? WHERE id = ?", row, victim_id(server, victim))
    for payload in PAYLOADS[::5]:
        answer = Client(server).json("POST", "/auth/register", {"username": payload, "email": payload, "password": payload})
        assert answer.status_code in (400, 422)
        assert answer.headers["Content-Type"] == "application/problem+json"
        guarded(answer.headers)
        assert isinstance(json.loads(answer.text), dict)


def test_xss_04_no_answer_is_a_program_of_mod_include(new_server):
    """XSS-04: where it filters every answer, what people typed is no directive: in pages, JSON and the export."""
    server = new_server(conf='<Location "/">\n    Options +Includes\n    SetOutputFilter INCLUDES\n</Location>\n')
    mark = '<!--#echo var="SERVER_SOFTWARE" --><!--#exec cmd="id" -->'
    person = stranger()
    answer = Client(server).json("POST", "/auth/register", {"username": person.username, "email": person.email, "password": person.password, "display_name": mark})
    assert (answer.status_code, answer.json()["user"]["display_name"]) == (201, mark)
    member = signed_in(server)
    assert member.json("POST", "/dashboard/profile", {"display_name": mark}).json()["display_name"] == mark
    for path in ("/dashboard", "/dashboard/profile", f"/dashboard/members/{member.person.username}"):
        assert member.json("GET", path).json()["display_name"] == mark
        assert "&lt;!--#echo" in member.get(path).text
    assert member.json("GET", "/dashboard/members").json()["members"][0]["display_name"] == mark
    assert member.json("GET", "/dashboard/export").json()["account"]["display_name"] == mark


def victim_id(server, client):
    return server.db("SELECT id FROM account WHERE username = ?", client.json("GET", "/dashboard").json()["username"])[0][0]


def test_xss_08_the_charset_is_fixed(server):
    """XSS-08: UTF-7, another charset asked or declared: the page says utf-8 and the words are what was typed."""
    typed = "+ADw-script+AD4-alert(1)+ADw-/script+AD4-"
    client = Client(server)
    for charset in ("utf-7", "utf-16", "iso-2022-jp", "x-user-defined", "ibm037"):
        headers = {"Accept-Charset": charset, "Content-Type": f"application/x-www-form-urlencoded; charset={charset}"}
        answer = client.post("/auth/login", f"login={quote(typed)}&password=", headers=headers)
        if answer.status_code in (400, 415):
            continue
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert Shape(answer.text).values["login"] == typed
        assert '<meta charset="utf-8">' in answer.text[:200]


def test_xss_passwords_are_never_shown(server):
    """Beyond the list: no page and no JSON answer repeats a password, right, wrong, weak or new."""
    person, client = join(server), Client(server)
    canary = "CanaryPassword-<i>-77"
    for path, fields in (
        ("/auth/login", {"login": person.email, "password": canary}), ("/auth/login", {"login": "", "password": canary}),
        ("/auth/register", {"username": "!", "email": "!", "password": canary, "password_confirm": canary + "x"}),
        ("/auth/register", {"username": person.username, "email": person.email, "password": canary}),
        ("/auth/resend", {"email": "!", "password": canary}), ("/auth/logout", {"password": canary}),
    ):
        for send in (client.post, lambda path, fields: client.json("POST", path, fields)):
            answer = send(path, fields)
            assert "CanaryPassword" not in answer.text and PASSWORD not in answer.text, path
