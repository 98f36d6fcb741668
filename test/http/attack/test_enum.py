"""Whether answers tell which accounts exist (ENUM-01, ENUM-06, BF-14)."""
import re

import pytest

from client import Client
from people import join, register
from server import free_port

WRONG = "not-the-password-at-all"
HEADERS_THAT_VARY = {"date", "set-cookie", "content-length"}


def comparable(answer, *typed):
    """An answer without what differs by nature: the date, the forgery field, what was typed, seconds."""
    text = answer.text
    for word in sorted(typed, key=len, reverse=True):
        text = text.replace(word, "TYPED")
    text = re.sub(r'name="csrf" value="[^"]+"', "CSRF", text)
    text = re.sub(r"\b\d+ (seconds?|minutes?)", "SOON", text)
    headers = {name.lower(): value for name, value in answer.headers.items()}
    cookies = sorted(re.findall(r"(?:^|, )(userauth[\w-]*)=", headers.get("set-cookie", "")))
    kept = {name: value for name, value in headers.items() if name not in HEADERS_THAT_VARY | {"retry-after"}}
    return answer.status_code, kept, cookies, "retry-after" in headers, text


@pytest.fixture(scope="module")
def classes(session_server):
    """One login name of each class, all of one length; usernames and addresses."""
    server = session_server
    verified, unverified, taken = join(server), register(Client(server)), register(Client(server))
    return {
        "verified": verified.email, "unverified": unverified.email, "unverified 2": taken.email,
        "verified name": verified.username, "unverified name": unverified.username,
        "unknown": "x" * (len(verified.email) - 12) + "@example.org", "unknown name": "x" * len(verified.username),
        "odd": "no such name", "odd address": "a@b", "reserved": "admin",
    }


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_enum_01_a_wrong_password_tells_nothing(server, classes, accept):
    """ENUM-01: known, unknown, unconfirmed: the same status, headers and body, byte for byte."""
    seen = {}
    for name, login in classes.items():
        answer = Client(server).post("/auth/login", {"login": login, "password": WRONG}, headers={"Accept": accept})
        seen[name] = comparable(answer, login)
        assert answer.status_code == 401, name
    assert len(set(map(repr, seen.values()))) == 1, seen


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_enum_01_lengths_are_the_same(server, classes, accept):
    """ENUM-01: names of one length give answers of one length."""
    sizes = {
        len(Client(server).post("/auth/login", {"login": classes[name], "password": WRONG}, headers={"Accept": accept}).content)
        for name in ("verified", "unknown")
    }
    assert len(sizes) == 1


def test_enum_01_waits_look_alike(server):
    """ENUM-01, BF-14: name by name, try by try, a known and an unknown name get the same answers."""
    known, unverified = join(server), register(Client(server))
    names = {"known": known.email, "unconfirmed": unverified.email, "unknown": "q" * 12 + "@example.org", "no address": "qqqqqqqqq"}
    seen = {name: [] for name in names}
    for name, login in names.items():
        for number in range(1, 10):
            password = WRONG
            answer = Client(server).json("POST", "/auth/login", {"login": login, "password": password})
            seen[name].append(comparable(answer, login))
            if number > 6:
                server.db("UPDATE throttle SET until = 0 WHERE name LIKE 'login:%'")
    assert [answer[0] for answer in seen["unknown"]] == [401] * 5 + [429] * 2 + [401] * 2
    assert len(set(map(repr, seen.values()))) == 1, seen


def test_enum_01_the_disabled_password_looks_alike(server):
    """ENUM-01: at fifty failures of one name, known or not: 429 for an hour; the right password too."""
    known = join(server)
    names = {"known": known.email, "unknown": "z" * 12 + "@example.org"}
    seen = {}
    for name, login in names.items():
        row_before = {row[0] for row in server.db("SELECT name FROM throttle")}
        Client(server).json("POST", "/auth/login", {"login": login, "password": WRONG})
        row = [row[0] for row in server.db("SELECT name FROM throttle WHERE name LIKE 'login:%'") if row[0] not in row_before][0]
        server.db("UPDATE throttle SET hits = 50, until = 0 WHERE name = ?", row)
        server.db("UPDATE account SET failures = 50 WHERE email = ?", login)
        answer = Client(server).json("POST", "/auth/login", {"login": login, "password": known.password})
        seen[name] = (comparable(answer, login), answer.headers.get("Retry-After"))
    assert seen["known"] == seen["unknown"] and seen["known"][1] == "3600"


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_enum_01_resend_tells_nothing(server, classes, accept):
    """ENUM-01, ENUM-04: resend answers alike for every address, the second time within a minute too."""
    server.db("DELETE FROM throttle")
    seen = {}
    for name in ("verified", "unverified", "unknown"):
        client = Client(server)
        first = client.post("/auth/resend", {"email": classes[name]}, headers={"Accept": accept})
        again = Client(server).post("/auth/resend", {"email": classes[name]}, headers={"Accept": accept})
        assert again.status_code == 429
        seen[name] = comparable(first, classes[name]), comparable(again, classes[name])
        page = client.get("/auth/check-email", headers={"Accept": accept})
        seen[name] += (comparable(page, classes[name]),)
    assert len(set(map(repr, seen.values()))) == 1, seen


def test_enum_04_the_limits_of_mails_tell_nothing(server, classes):
    """ENUM-04: five an hour, then 429, whoever the address belongs to."""
    seen = {}
    for name in ("verified", "unverified 2", "unknown"):
        server.db("DELETE FROM throttle")
        seen[name] = []
        for _ in range(7):
            answer = Client(server).json("POST", "/auth/resend", {"email": classes[name]})
            seen[name].append((answer.status_code, "Retry-After" in answer.headers))
            back = 61 * 1000000
            server.db("UPDATE throttle SET since = since - ? WHERE name LIKE 'mail%'", back)
    assert seen["verified"] == seen["unverified 2"] == seen["unknown"]
    assert [status for status, _ in seen["unknown"]].count(202) == 5


def test_enum_06_a_dead_mail_server_tells_nothing(new_server):
    """ENUM-06: nobody listens for mail: resend answers alike, at once, for known and unknown addresses."""
    one = new_server(conf=f'UserAuthMail "smtp://127.0.0.1:{free_port()}" "accounts@example.com"\nUserAuthMailLimit off\n')
    one.expect_log("UA01..: .*mail|mail")
    person = register(Client(one))
    seen = set()
    for address in (person.email, "nobody-here@example.org"):
        answer = Client(one).json("POST", "/auth/resend", {"email": address})
        assert answer.status_code == 202
        seen.add(repr(comparable(answer, address)))
    assert len(seen) == 1


def test_enum_what_others_may_see_of_a_registration(server):
    """Beyond the list: without the registration cookie nothing is told of an address or a name."""
    person = register(Client(server))
    other = Client(server)
    for path in ("/auth/check-email", f"/auth/check-email?email={person.email}", f"/auth/verify?email={person.email}", "/auth/resend"):
        text = other.get(path).text
        assert person.email not in text and person.username not in text
    assert other.json("GET", "/auth/check-email").json() == {"mail": "unknown", "email": None}


def test_enum_health_tells_no_secret(server, client):
    """Beyond the list: /auth/health names no path, version, host, user or number of accounts."""
    said = client.json("GET", "/auth/health").text
    for word in (str(server.folder), "sqlite", "2.4.", "www-data", ".db", ".keys", "example.com", "/"):
        assert word not in said, said
    count = server.db("SELECT COUNT(*) FROM account")[0][0]
    assert not re.search(rf"\b{count}\b", said) or count < 3
