"""Open redirects (RED-01, RED-05): wherever a return path is taken from, a browser stays with us.

Judged by whatwg.py, once as it is and once more with every escape undone, as a careless proxy would do.
"""
import html
import re
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, unquote_to_bytes, urlsplit

import pytest

from attacks import answers, connect, exchange, received, request
from client import Client, the_form
from whatwg import goes_to

CORPUS = Path(__file__).resolve().parents[2] / "data" / "open-redirect.txt"
OWN = (
    "//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example",
    "/\t/evil.example", "/\n/evil.example", "/\r\n/evil.example", "\t//evil.example", " //evil.example",
    "\x00//evil.example", "/\x00/evil.example", "/\x0b/evil.example", "/ /evil.example", "/\u3000/evil.example",
    "/%2fevil.example", "/%2Fevil.example", "/%5cevil.example", "/%5C%5Cevil.example", "/%09/evil.example",
    "/%0a/evil.example", "/%0d%0aLocation:%20https://evil.example", "/%00/evil.example", "/%252fevil.example",
    "/%25252fevil.example", "/%255cevil.example", "/./%2fevil.example", "/.//evil.example", "/..//evil.example",
    "/%2e/%2fevil.example", "/%2e%2e//evil.example", "/x/..//evil.example", "/x/%2e%2e//evil.example",
    "/.%2e//evil.example", "/dashboard/..//evil.example", "/dashboard/../..//evil.example", "/;//evil.example",
    "/;@evil.example", "@evil.example", "/@evil.example", "//@evil.example", "//localhost@evil.example",
    "https:evil.example", "https:/evil.example", "https://evil.example", "https:\\\\evil.example", "http:evil.example",
    "HTTP://evil.example", "hTtP:/\\evil.example", "ht\ntp://evil.example", "javascript:alert(1)",
    "java\nscript:alert(1)", "JaVaScRiPt://%0aalert(1)", "data:text/html,<script>1</script>", "vbscript:x", "blob:x",
    "file:///etc/passwd", "view-source:https://evil.example", "mailto:a@evil.example", "about:blank",
    "evil.example", "./evil", "../evil", "?next=//evil.example", "#//evil.example", "", " ", ".", "..",
    "/\u2044/evil.example", "/\u2215evil.example", "/\uff0fevil.example", "/\uff0f/evil.example", "/\uff3cevil.example",
    "\uff0f\uff0fevil.example", "/\u29f8evil.example", "/\u200b/evil.example", "/\ufeff/evil.example",
    "/\u202e/evil.example", "/\u00a0/evil.example", "/\u0085/evil.example", "/\u2028/evil.example",
    "/%e3%80%82evil.example", "//evil%E3%80%82example", "//[::1]", "//[::ffff:7f00:1]:1", "//127.1", "//0x7f.1",
    "//2130706433", "/" + "a" * 2048, "/" + "/" * 2047, "/\r\nSet-Cookie: userauth=x", "/x\r\n\r\n<html>",
    "/auth/login?next=//evil.example", "/auth/logout", "/%c0%afevil.example", "/%u002fevil.example", "/%", "/%2", "/%zz",
    "/%ff/evil.example", "\ud800//evil.example",
)


def corpus():
    lines = CORPUS.read_bytes().split(b"\n")
    return [line for line in lines if line] + [text.encode("utf-8", "surrogatepass") for text in OWN]


def judge(server, location, why):
    """A local path that no reading of it turns into another host."""
    text = location.encode("latin-1").decode("utf-8", "replace")
    own = goes_to(server.base, "/")
    assert goes_to(server.base, text) == own, f"{why!r} leads to {text!r}"
    assert re.match(r"/(?![/\\])", text), f"{why!r}: {text!r} is no local path"
    path = text.split("?")[0]
    for _ in range(3):
        path = unquote(path)
        assert goes_to(server.base, path) == own and "\\" not in path, f"{why!r}: {text!r} is {path!r} when decoded"
        assert not re.search(r"[\x00-\x1f\x7f]", path), f"{why!r}: a control character in {text!r}"


@pytest.mark.parametrize(
    "location, expected",
    [
        ("/dashboard", "own"), ("/a//b", "own"), ("dashboard", "own"), ("http:evil.example", "own"),
        ("?x=//evil.example", "own"), ("#//evil.example", "own"), ("/.//evil.example", "own"),
        ("//evil.example", "evil.example"), ("/\\evil.example", "evil.example"), ("\\\\evil.example", "evil.example"),
        ("/\t/evil.example", "evil.example"), ("\x01//evil.example", "evil.example"), ("///evil.example", "evil.example"),
        ("https:evil.example", "evil.example"), ("https:/evil.example", "evil.example"),
        ("ht\ntp://evil.example", "evil.example"), ("//localhost:8080@evil.example", "evil.example"),
        ("//\uff45vil.example", "evil.example"), ("//evil\u3002example", "evil.example"),
        ("http://localhost:8080.evil.example/", "localhost"), ("http://localhost:8081/", "localhost"),
        ("javascript:alert(1)", "javascript"), ("\x00java\nscript:x", "javascript"), ("data:,x", "data"),
    ],
)
def test_the_oracle_sees_what_browsers_see(location, expected):
    """Results as Chromium and Firefox give them with new URL(location, "http://localhost:8080/auth/login")."""
    found = goes_to("http://localhost:8080", location)
    own = goes_to("http://localhost:8080", "/")
    if expected == "own":
        assert found == own
    else:
        assert found != own and expected in (found, found[1])


class Pipe:
    """One connection for many GETs, each with a query of any bytes that a request line can hold."""

    def __init__(self, server, client):
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        self.server, self.headers = server, [("Cookie", cookies)] if cookies else []

    def get(self, targets):
        """The answers to all targets, in their order, a hundred to a connection."""
        found = []
        for start in range(0, len(targets), 100):
            part = targets[start : start + 100]
            with connect(self.server) as link:
                for number, target in enumerate(part, 1):
                    last = number == len(part)
                    link.sendall(request("GET", target, self.headers, close=last, host=f"localhost:{self.server.port}"))
                found += answers(received(link))
            assert len(found) == start + len(part)
        return found


def in_query(line):
    """A line as a query's value: escaped, and where a request line can hold it, as it is."""
    yield quote(line, safe="")
    yield quote(line, safe="/:?@!$'()*+,;=\\%")
    if re.fullmatch(rb"[!-\"$-%'-~]+", line):
        yield line.decode()


@pytest.mark.parametrize("route", ["login", "register"])
def test_red_01_corpus_signed_in(server, victim, route):
    """RED-01: GET of a guest's page by somebody signed in leads to `next` at once."""
    lines = [(line, value) for line in corpus() for value in in_query(line)]
    got = Pipe(server, victim).get([f"/auth/{route}?next={value}" for _, value in lines])
    for (line, _), answer in zip(lines, got):
        if answer.status == 400 and not answer.one("Location"):
            continue  # the server core refused the request line
        assert answer.status == 303, f"{line!r}: {answer.status}"
        judge(server, answer.one("Location"), line)
    kept = sum(answer.one("Location") != "/dashboard" for answer in got)
    assert 0 < kept < len(got) / 2, f"{kept} of {len(got)} passed: the corpus is not judged"


def test_red_01_good_paths_are_kept(server, victim):
    """RED-01, the counterpart: what is refused above is not just everything."""
    for path in ("/dashboard/x?y=1&z=2", "/a/b.html", "/a?b=c%20d", "/?x", "/a-b_c~d", "/caf%C3%A9"):
        answer = victim.get("/auth/login", params={"next": path})
        assert answer.headers["Location"] == path


def test_red_01_the_form_holds_no_foreign_path(server):
    """RED-01: the hidden field and every link of the sign-in page, for each line of the corpus."""
    lines = corpus()[::3] + [text.encode("utf-8", "surrogatepass") for text in OWN]
    got = Pipe(server, Client(server)).get([f"/auth/login?next={quote(line, safe='')}" for line in lines])
    for line, answer in zip(lines, got):
        text = answer.body.decode()
        next_path = the_form(text)["hidden"].get("next")
        if next_path is not None:
            judge(server, next_path.encode().decode("latin-1"), line)
        for link in re.findall(r"(?:href|action|src)=\"([^#\"][^\"]*)\"", text):
            judge(server, html.unescape(link), line)


def test_red_01_in_a_submit(server, victim_account):
    """RED-01: `next` of the body, of the body; it wins over the query's."""
    fields = {"login": victim_account.username, "password": victim_account.password}
    for text in OWN[:60:2] + OWN[60::4]:
        if "\ud800" in text or "\x00" in text:
            continue
        answer = Client(server).post("/auth/login?next=/from-query", {**fields, "next": text})
        assert answer.status_code == 303, f"{text!r}: {answer.status_code}"
        judge(server, answer.headers["Location"], text)
        assert answer.headers["Location"] != "/from-query", text


def test_red_01_other_pages_ignore_next(server, victim):
    """RED-01: logout, verify, resend and disown lead where they always lead."""
    client = Client(server)
    for line in ("//evil.example", "https://evil.example", "/\\evil.example", "/elsewhere"):
        data = {"next": line, "return_to": line, "redirect": line, "url": line}
        query = f"?next={quote(line, safe='')}"
        assert client.post("/auth/logout" + query, data).headers["Location"] == "/auth/login?notice=logged-out"
        assert client.post("/auth/verify" + query, data).status_code == 400
        mail = client.post("/auth/resend" + query, {**data, "email": "nobody@example.org"})
        assert mail.status_code == 429 or mail.headers["Location"].startswith("/auth/check-email")


GATED = (
    "/dashboard", "/dashboard/", "//dashboard", "/dashboard//evil.example", "/dashboard/..//evil.example",
    "/dashboard/%5cevil.example", "/dashboard?//evil.example", "/dashboard?next=https://evil.example",
    "/dashboard/%0d%0aX-Injected:%20yes", "/dashboard?%0d%0aX-Injected:%20yes", "/dashboard/%09/evil.example",
    "/evil.example/../dashboard", "//evil.example/../dashboard", "//evil.example/%2e%2e/dashboard",
    "/./dashboard", "/%2e/dashboard", "/%64ashboard", "//evil.example/..//dashboard", "/dashboard/%2e%2e%2fx",
    "http://evil.example/dashboard", "http://evil.example//dashboard", "https://evil.example/dashboard?a=b",
    "/dashboard;//evil.example", "/dashboard/;@evil.example", "/dashboard/" + "a" * 3000, "/dashboard?" + "b" * 3000,
)


@pytest.mark.parametrize("target", GATED)
def test_red_01_the_gates_return_path(server, target):
    """RED-01: the gate sends to the sign-in page, with a `next` that stays here."""
    for method in ("GET", "HEAD", "POST"):
        headers = [("Accept", "text/html"), ("Referer", "http://evil.example/x")]
        headers += [("Content-Length", "0")] if method == "POST" else []
        answer = exchange(server, request(method, target, headers, host=f"localhost:{server.port}"))[0]
        assert not answer.all("X-Injected")
        if answer.status in (400, 404):
            continue
        assert answer.status == 303, f"{method} {target}: {answer.status}"
        judge(server, answer.one("Location"), target)
        assert answer.one("Location").startswith("/auth/login?next=")
        judge(server, unquote_to_bytes(answer.one("Location").partition("next=")[2]).decode("latin-1"), target)


def test_red_01_referer_of_a_gated_submit(server):
    """RED-01: a gated POST comes back to the path of a same-origin Referer only."""
    port = server.port
    good = f"http://localhost:{port}"
    referers = [
        "https://evil.example/a", f"http://localhost:{port}@evil.example/a", f"http://localhost:{port}.evil.example/a",
        f"http://evil.example/{good}/a", f"{good}//evil.example", f"{good}/\\evil.example", f"{good}/%2fevil.example",
        f"{good}\\evil.example", f"{good}/\t/evil.example", f"{good}?//evil.example", f"{good}#//evil.example",
        f"http:/localhost:{port}//evil", f"//localhost:{port}/a", f"{good}1/a", "http://localhost/a", f"{good}/x/..//e",
        f"https://localhost:{port}/a", "javascript:alert(1)", "/a", "", f"{good}", f"http://x:y@localhost:{port}/a",
    ]
    client = Client(server)
    for referer in referers:
        answer = client.post("/dashboard", {"a": "b"}, headers={"Referer": referer, "Accept": "text/html"})
        assert answer.status_code == 303, referer
        next_path = parse_qs(urlsplit(answer.headers["Location"]).query)["next"][0]
        judge(server, next_path.encode().decode("latin-1"), referer)
        if "evil" in referer or referer.startswith(f"{good}1"):
            assert next_path in ("/dashboard", "/", "/?//evil.example"), f"{referer} led to {next_path}"
    answer = client.post("/dashboard", {"a": "b"}, headers={"Referer": f"{good}/shop?x=1", "Accept": "text/html"})
    assert answer.headers["Location"] == "/auth/login?next=%2Fshop%3Fx%3D1"


@pytest.mark.parametrize("target", [
    "/auth", "/auth/", "/auth/login/", "/auth/login/?next=//evil.example", "//auth/login/", "/auth//login/",
    "//evil.example/../auth/login/", "/evil.example/..//auth/login/", "/auth/login/?//evil.example",
    "/auth/login/?%0d%0aX-Injected:yes", "/auth/%2e/login/", "/%61uth/login/", "/auth/login//", "/auth/login/%2f",
    "http://evil.example/auth/login/", "http://evil.example/auth", "/dashboard/?//evil.example",
])
def test_red_01_spelling_redirects(server, victim, target):
    """RED-01: redirects that only correct how a path is written."""
    answer = Pipe(server, victim).get([target])[0]
    assert not answer.all("X-Injected")
    if answer.one("Location"):
        judge(server, answer.one("Location"), target)


def test_red_05_two_tabs(server, victim_account):
    """RED-05: each tab returns to its own page, whichever signs in first, and no other person's."""
    client = Client(server)
    first = the_form(client.get("/auth/login?next=/first").text)
    second = the_form(client.get("/auth/login?next=/second").text)
    other = the_form(Client(server).get("/auth/login?next=/others").text)
    fields = {"login": victim_account.username, "password": victim_account.password}
    assert other["hidden"]["next"] == "/others"
    assert client.post("/auth/login", {**second["hidden"], **fields}).headers["Location"] == "/second"
    fresh = Client(server)
    fresh.session.cookies.update({k: v for k, v in client.cookies.items() if k == "userauth-csrf"})
    assert fresh.post("/auth/login", {**first["hidden"], **fields}).headers["Location"] == "/first"
    plain = Client(server)
    hidden = the_form(plain.get("/auth/login").text)["hidden"]
    assert "next" not in hidden
    assert plain.post("/auth/login", {**hidden, **fields}).headers["Location"] == "/dashboard"
