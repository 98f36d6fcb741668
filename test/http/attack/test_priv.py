"""Secrets and personal data where they do not belong (PRIV-01, 02, 07)."""
import re
import subprocess
from pathlib import Path
from urllib.parse import quote

import engines
import pytest

from attacks import connect, exchange, pairs, post, received, request
from client import Client, the_form
from people import is_signed_in, stranger

PASSWORD = "CanaryQuartz-otter-piano-5581"
WRONG = "CanaryWrong-lantern-mill-7702"
WEAK = "canaryweak"
TRACE = """
LogLevel info userauth:trace8
<Location "/server-status">
    SetHandler server-status
    Require all granted
</Location>
ExtendedStatus On
"""


@pytest.fixture
def traced(new_server):
    return new_server(conf=TRACE.replace("ExtendedStatus On\n", ""), head="ExtendedStatus On\n")


def journey(one):
    """A whole life with every kind of error; returns the secrets that it used: name -> value."""
    person = stranger("canary")
    person.password = PASSWORD
    browser, outside = Client(one, browser=True), Client(one, address="198.51.100.5", browser=True)
    secrets = {"password": PASSWORD, "wrong password": WRONG, "weak password": WEAK}
    fields = {"username": person.username, "email": person.email, "password": WEAK}
    browser.form("/auth/register", fields)
    browser.form("/auth/register", {**fields, "password": PASSWORD})
    browser.form("/auth/register", {**fields, "password": PASSWORD})
    mail = one.wait_mail(person.email)
    secrets["token"], secrets["disown token"] = mail.token("verify"), mail.token("disown")
    outside.get(f"/auth/disown?token={secrets['disown token']}")
    page = outside.follow(outside.get(f"/auth/verify?token={secrets['token']}"))
    secrets.update({f"early {name}": value for name, value in {**browser.cookies, **outside.cookies}.items() if "link" not in name})
    for client in (browser, outside):
        client.form("/auth/login", {"login": person.email, "password": WRONG})
        client.form("/auth/login", {"login": person.email, "password": PASSWORD})
    found = the_form(page.text)
    secrets["field"] = found["hidden"]["csrf"]
    outside.post(found["action"], found["hidden"])
    outside.get(f"/auth/verify?token={secrets['token']}")
    browser.json("POST", "/auth/verify", {"token": secrets["token"]})
    browser.form("/auth/login", {"login": person.email, "password": PASSWORD, "remember": "1"})
    secrets.update({f"late {name}": value for name, value in browser.cookies.items()})
    browser.get("/dashboard")
    browser.get("/dashboard/nothing")
    browser.post("/auth/logout", {})
    exchange(one, post("/auth/login", pairs(login=person.email, password=PASSWORD)[:-3] + b"%"))
    exchange(one, request("POST", "/auth/login", [("Content-Length", "999")], pairs(login=person.email, password=PASSWORD)), half_close=True)
    Client(one).json("POST", "/auth/login", {"login": PASSWORD, "password": person.email})  # into the wrong field
    assert is_signed_in(browser)
    status = Client(one).get("/server-status").text
    browser.form("/auth/logout", {})
    return person, {name: value for name, value in secrets.items() if value}, status


def places(one):
    """Every place that keeps something: logs, database, memory of the server's own words."""
    found = {path.name: path.read_bytes() for path in (one.folder / "logs").iterdir()}
    found["database"] = engines.contents(one)
    for pid in one.children():
        for name in ("environ", "cmdline"):
            found[f"{pid}/{name}"] = Path(f"/proc/{pid}/{name}").read_bytes()
    return found


def test_priv_01_canaries(traced):
    """PRIV-01, INV-6: after a whole journey at trace8 no secret stands in a log, the database, the status page or a process's environment."""
    person, secrets, status = journey(traced)
    kept = {**places(traced), "server-status": status.encode()}
    assert len(kept) >= 6 and len(secrets) >= 10
    for place, data in kept.items():
        for name, value in secrets.items():
            for form in {value, quote(value, safe=""), value.encode().hex()}:
                assert form.encode() not in data, f"{name} stands in {place}"
    assert person.username.encode() in kept["database"]  # the search finds what is there


def test_priv_01_mails_hold_only_their_own(traced):
    """PRIV-01: no password, cookie or other mail's token in any mail."""
    _, secrets, _ = journey(traced)
    for mail in traced.mails():
        text = mail.text + mail.html + str(mail.message)
        for name, value in secrets.items():
            if name not in ("token", "disown token"):
                assert value not in text, f"{name} stands in a mail"


SPELLINGS = (
    "/auth/verify?token={}", "/auth/verify/?token={}", "//auth/verify?token={}", "/auth//verify?token={}", "/./auth/verify?token={}", "/x/../auth/verify?token={}", "/%61uth/verify?token={}",
    "/auth/%76erify?token={}", "/%2e/auth/verify?token={}", "/auth/./verify?token={}", "http://localhost/auth/verify?token={}", "http://localhost//auth/verify?token={}", "/auth/verify?%74oken={}", "/auth/verify?a=b&token={}",
    "/auth/verify?token={}&a=b", "/auth/verify?TOKEN={}", "/auth/verify?Token={}", "/auth/verify?a&token={}&", "/auth/verify?&&token={}", "/auth/verify?token=x&token={}", "/auth/verify?token={}&token={}", "/auth/verify?tok%65n={}",
    "/auth/disown?token={}", "/auth/nothing?token={}", "/auth?token={}", "/auth/?token={}", "/auth/verify/more?token={}", "/auth/verify?token=%20{}",
    "/dashboard/../auth/verify?token={}",
)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_priv_02_no_log_line_holds_a_token(server, spelling):
    """PRIV-02: the token of a link is masked however its path or its query is written, for every method."""
    row, mark = "00000000-0000-4000-8000-00000000000", f"CanaryTag{SPELLINGS.index(spelling)}x"
    client = Client(server, address=f"198.51.100.{SPELLINGS.index(spelling)}")
    for number, method in enumerate(("GET", "HEAD", "POST", "OPTIONS", "PUT", "get")):
        token = f"{row}{number}.{mark:x<43}"
        if method == "get":
            server.expect_log("AH00135")
        headers = [("Content-Length", "0"), ("X-Test-Address", client.address)]
        with connect(server) as link:
            link.sendall(request(method, spelling.format(token, token), headers))
            assert received(link).startswith(b"HTTP/1.1 ")
    for name in ("access.log", "error.log", "events.log"):
        text = (server.folder / "logs" / name).read_text(errors="replace")
        lines = [line for line in text.splitlines() if mark in line]
        assert not lines, f"{name}: {lines[0]}"


def test_priv_02_the_link_still_works_when_masked(server):
    """PRIV-02: what is hidden from the log is not hidden from the page."""
    from people import register

    person = register(Client(server))
    token = server.wait_mail(person.email).token("verify")
    page = Client(server, address="198.51.100.250").get(f"/auth/verify?token={token}")
    assert page.status_code == 200 and the_form(page.text)["hidden"]["token"] == token


def test_priv_02_pages_load_nothing_from_elsewhere(server):
    """PRIV-02: no third party sees a Referer: every address on the pages is a path; the policy forbids the rest."""
    client = Client(server)
    for path in ("/auth/login", "/auth/register", "/auth/resend", "/auth/check-email", "/auth/verify?token=x", "/auth/logout", "/auth/nothing"):
        answer = client.get(path)
        for link in re.findall(r"(?:href|src|action|srcset|poster|data)=\"([^\"]*)\"", answer.text):
            assert re.match(r"(/(?!/)|#)", link), link
        expected = "no-referrer" if "token=" in path else "same-origin"
        assert answer.headers["Referrer-Policy"] == expected
    page = client.get(re.search(r"/auth/assets/[^\"]+\.css", client.get("/auth/login").text)[0]).text
    assert "url(http" not in page.replace(" ", "") and "@import" not in page


def test_priv_07_nothing_is_kept_by_a_browser(server, victim):
    """PRIV-07: no-store on every page, redirect and error; none may be kept by a proxy."""
    for client in (Client(server), victim):
        for method in ("GET", "POST"):
            for path in ("/auth/login", "/auth/register", "/auth/check-email", "/auth/verify?token=x", "/auth/logout", "/dashboard", "/dashboard/nothing", "/auth/nothing", "/auth/health", "/auth/login/", "/auth"):
                for accept in ("text/html", "application/json"):
                    if method == "POST" and path == "/auth/logout":
                        continue
                    answer = client.request(method, path, headers={"Accept": accept})
                    assert "no-store" in answer.headers["Cache-Control"], f"{method} {path}"
                    assert "ETag" not in answer.headers and "Last-Modified" not in answer.headers and "public" not in answer.headers["Cache-Control"]


def test_priv_conditional_requests_reveal_nothing(server, victim):
    """Beyond the list: validators, ranges and method tricks do not give parts of a personal page to others."""
    for headers in ({"If-None-Match": "*"}, {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, {"Range": "bytes=0-100"}, {"If-Match": "*"}, {"If-Unmodified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}):
        assert Client(server).json("GET", "/dashboard", headers=headers).status_code == 401, headers
        assert victim.get("/dashboard", headers=headers).status_code in (200, 206, 412), headers


def test_priv_01_files_are_not_for_others(server):
    """PRIV-01, CFG-02: key file and database are readable by their owner (and its group at most) only."""
    for name in ("userauth.keys", *(["userauth.db"] if engines.NAME == "sqlite3" else [])):
        mode = (server.folder / name).stat().st_mode & 0o777
        assert mode & 0o007 == 0, f"{name} has mode {mode:o}"
    assert (server.folder / "userauth.keys").stat().st_mode & 0o037 == 0
    if subprocess.run(["id", "-u"], capture_output=True, text=True, check=True).stdout.strip() == "0":
        probe = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "cat", str(server.folder / "userauth.keys")]
        assert subprocess.run(probe, capture_output=True, check=False).returncode != 0
