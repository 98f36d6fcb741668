"""The life of a session under attack (SESS-01..12): fixation, replay, limits, what is left behind."""
import time

import engines
import apps
import pytest

from attacks import exchange, request
from client import Client, the_form
from people import confirm, is_signed_in, join, register, sign_in, signed_in, stranger
from server import wait_for

HOUR = 3600 * 1000000


def cookie_of(client):
    return client.cookies["userauth"]


def with_cookie(server, value):
    client = Client(server)
    client.session.cookies.set("userauth", value)
    return client


@pytest.fixture
def person(server):
    return join(server)


@pytest.mark.parametrize("planted", ["A" * 43, "x", "", "known-to-the-attacker"])
def test_sess_01_a_planted_id_does_not_survive(server, person, planted):
    """SESS-01: the id a stranger planted before the login is not the session's id after it."""
    browser = with_cookie(server, planted)
    form = the_form(browser.get("/auth/login").text)
    browser.post("/auth/login", {**form["hidden"], "login": person.email, "password": person.password})
    values = {cookie.value for cookie in browser.session.cookies if cookie.name == "userauth"}
    assert len(values - {planted}) == 1 and len((values - {planted}).pop()) == 43
    assert not is_signed_in(with_cookie(server, planted))


def test_sess_01_an_attackers_live_session_is_replaced(server, person):
    """SESS-01: the victim signs in over the attacker's own session: that one ends, the victim's is new."""
    attacker = signed_in(server)
    old = cookie_of(attacker)
    browser = with_cookie(server, old)
    page = browser.get("/dashboard").text
    field = the_form(page, "logout")["hidden"]["csrf"]
    answer = browser.post("/auth/login", {"csrf": field, "login": person.email, "password": person.password})
    assert answer.status_code == 303
    new = answer.headers["Set-Cookie"].partition("userauth=")[2].partition(";")[0]
    assert new != old
    assert not is_signed_in(attacker) and is_signed_in(with_cookie(server, new))


def test_sess_01_no_id_but_by_cookie(server, victim):
    """SESS-01: an id in query, path, body or another header is nothing."""
    value = cookie_of(victim)
    client = Client(server)
    for path in (f"/dashboard?userauth={value}", f"/dashboard;userauth={value}", f"/dashboard?session={value}",
                 f"/dashboard?sid={value}", f"/dashboard?jsessionid={value}"):
        assert client.json("GET", path).status_code in (401, 404), path
    for headers in ({"Authorization": f"Bearer {value}"}, {"Cookie2": f"userauth={value}"}, {"X-Cookie": f"userauth={value}"},
                    {"Set-Cookie": f"userauth={value}"}, {"X-Session": value}, {"Userauth": value}):
        assert client.json("GET", "/dashboard", headers=headers).status_code == 401, headers


def test_sess_02_each_login_has_its_own_id(server, person):
    """SESS-02: signing in again replaces the id, for the same person and for another."""
    client, seen = Client(server), []
    for _ in range(3):
        client.form("/auth/logout", {}) if seen else None
        client.form("/auth/login", {"login": person.email, "password": person.password})
        seen.append(cookie_of(client))
    assert len(set(seen)) == 3
    assert [is_signed_in(with_cookie(server, value)) for value in seen] == [False, False, True]


def test_sess_03_after_logout_nothing_works(server, person):
    """SESS-03: the old cookie is refused everywhere, and no page of the person may be kept."""
    client = signed_in(server, person)
    value = cookie_of(client)
    page = client.get("/dashboard")
    assert "no-store" in page.headers["Cache-Control"]
    answer = client.form("/auth/logout", {})
    assert answer.headers["Location"] == "/auth/login?notice=logged-out"
    assert "cache" in answer.headers["Clear-Site-Data"]
    assert "Max-Age=0" in answer.headers["Set-Cookie"] and "userauth" not in client.cookies
    old = with_cookie(server, value)
    for path in ("/dashboard", "/dashboard/", "/dashboard/nothing"):
        assert old.json("GET", path).status_code == 401
    page = old.get("/auth/logout")
    assert person.username not in page.text and person.email not in page.text
    assert old.json("POST", "/auth/logout", {}).status_code == 200  # again, without a session
    assert old.get("/auth/login").status_code == 200


def test_sess_05_idle_and_absolute(server, person):
    """SESS-05: refused at the limit by the row's times; use never passes the absolute one."""
    cases = (
        ("last_used", lambda now: now - HOUR + 30 * 1000000, True),
        ("last_used", lambda now: now - HOUR - 1000000, False),
        ("expires", lambda now: now + 60 * 1000000, True),
        ("expires", lambda now: now - 1, False),
    )
    for column, when, alive in cases:
        client = signed_in(server, person)
        row = server.db("SELECT id, expires - created AS life, idle FROM session ORDER BY created DESC LIMIT 1")[0]
        assert (row["life"], row["idle"]) == (24 * HOUR, HOUR)
        server.db(f"UPDATE session SET {column} = ? WHERE id = ?", when(time.time_ns() // 1000), row["id"])
        assert is_signed_in(client) is alive, (column, alive)


def test_sess_05_use_does_not_prolong_the_absolute_limit(server, person):
    """SESS-05: the row's end stays what it was, however often it is used."""
    client = signed_in(server, person)
    row = server.db("SELECT id, expires FROM session ORDER BY created DESC LIMIT 1")[0]
    back = time.time_ns() // 1000 - HOUR // 2
    server.db("UPDATE session SET last_used = ? WHERE id = ?", back, row["id"])
    assert is_signed_in(client)
    wait_for(lambda: server.db("SELECT last_used FROM session WHERE id = ?", row["id"])[0][0] > back,
             what="the use to be written down")
    assert server.db("SELECT expires FROM session WHERE id = ?", row["id"])[0][0] == row["expires"]


def test_sess_05_an_ended_session_is_not_revived_by_its_use(server, person):
    """SESS-05: a late note of a use does not bring back a session that ended meanwhile."""
    client = signed_in(server, person)
    row = server.db("SELECT id FROM session ORDER BY created DESC LIMIT 1")[0]
    server.db("UPDATE session SET last_used = last_used - ? WHERE id = ?", 120 * 1000000, row["id"])
    assert is_signed_in(client)
    client.form("/auth/logout", {})
    assert server.db("SELECT ended FROM session WHERE id = ?", row["id"])[0][0] > 0
    assert not is_signed_in(client)


def test_sess_05_the_idle_limit_ends_a_session_by_itself(new_server):
    """SESS-05: with a short limit, an unused session is refused, by the server's own clock."""
    one = new_server(conf="UserAuthSessionIdle 2s\nUserAuthSessionLifetime 3s\n")
    client = signed_in(one)
    wait_for(lambda: not is_signed_in(client), what="the session to end in spite of its use")


def test_sess_05_fifty_sessions(server, person):
    """SESS-05: the fifty-first login ends the oldest; a flood of logins cannot fill the table."""
    first = signed_in(server, person)
    row = server.db("SELECT * FROM session ORDER BY created DESC LIMIT 1")[0]
    for number in range(49):
        values = dict(row) | {"id": f"{number:08d}-0000-4000-8000-{person.id[-12:]}", "digest": f"d{number}{person.id}",
                              "created": row["created"] + 1 + number}
        server.db(f"INSERT INTO session ({','.join(values)}) VALUES ({','.join('?' * len(values))})", *values.values())
    assert is_signed_in(first)
    last = signed_in(server, person)
    assert not is_signed_in(first) and is_signed_in(last)
    open_rows = server.db("SELECT COUNT(*) FROM session WHERE account_id = ? AND ended = 0", person.id)[0][0]
    assert open_rows == 50


def test_sess_07_the_registering_browser_gains_nothing(server):
    """SESS-07: who registers somebody else's address has no session before and none after it is confirmed."""
    attacker, owner = Client(server), Client(server, address="192.0.2.44")
    account = register(attacker)
    assert not is_signed_in(attacker)
    assert attacker.json("POST", "/auth/login", {"login": account.email, "password": account.password}).status_code == 403
    assert "userauth" not in attacker.cookies
    confirm(owner, server.wait_mail(account.email).token("verify"))
    assert not is_signed_in(attacker) and not is_signed_in(owner)
    assert "userauth" not in attacker.cookies and "userauth" not in owner.cookies


def test_sess_08_an_old_correction_cannot_be_confirmed(server):
    """SESS-08: links that were sent before the address was corrected stay dead."""
    attacker = Client(server)
    mine = register(attacker)
    token = server.wait_mail(mine.email).token("verify")
    victim = stranger("corrected")
    field = the_form(attacker.get("/auth/check-email").text, "check-email")["hidden"]
    answer = attacker.post("/auth/check-email", {**field, "email": victim.email})
    assert answer.status_code == 303
    refused = Client(server).json("POST", "/auth/verify", {"token": token})
    assert refused.status_code == 400 and refused.json()["code"] == "token_invalid"
    row = server.db("SELECT enabled, email FROM account WHERE id = ?", mine.id)[0]
    assert tuple(row) == (0, victim.email)
    confirm(Client(server), server.wait_mail(victim.email).token("verify"))


GATED = """
<Location "/in">
    AuthType UserAuth
    Require valid-user
</Location>
<Location "/in/cgi">
    SetHandler cgi-script
</Location>
<Location "/in/ssi">
    Options +Includes
    SetOutputFilter INCLUDES
</Location>
ErrorDocument 404 /in/cgi/show.cgi
RewriteEngine On
RewriteRule ^/round/(.*)$ /in/$1 [PT]
"""


def test_sess_10_sub_requests_and_internal_redirects(new_server):
    """SESS-10: one identity and no second cookie through rewrites, SSI and ErrorDocument; without one, the gate."""
    one = new_server(conf=GATED)
    apps.put_cgi(one, "in/cgi/show.cgi")
    apps.put(one, "in/ssi/page.html", '<!--#include virtual="/in/cgi/show.cgi" -->')
    client, stranger_ = signed_in(one), Client(one)
    for path in ("/in/cgi/show.cgi", "/round/cgi/show.cgi", "/in/nothing", "/in/ssi/page.html"):
        answer = client.get(path)
        names = [line for line in answer.text.splitlines() if line.startswith("REMOTE_USER=")]
        assert names == [f"REMOTE_USER={client.person.username}"], f"{path}: {answer.status_code} {answer.text[:300]}"
        assert "Set-Cookie" not in answer.headers
        refused = stranger_.get(path, headers={"Accept": "text/html"})
        assert refused.status_code == 303, path
        assert "REMOTE_USER" not in refused.text
    missing = stranger_.get("/nothing-here-at-all", headers={"Accept": "text/html"})
    assert "REMOTE_USER=" not in missing.text


def test_sess_12_a_half_done_sign_in_leaves_nothing(server):
    """SESS-12: right password, unconfirmed address, then logout: no state of it remains."""
    client = Client(server)
    person = register(client)
    answer = client.post("/auth/login", {"login": person.email, "password": person.password})
    assert answer.status_code == 403 and "userauth" not in client.cookies and "userauth-device" not in client.cookies
    client.post("/auth/logout", {})
    assert not is_signed_in(client)
    assert not server.db("SELECT id FROM session WHERE account_id = ?", person.id)
    assert not server.db("SELECT digest FROM device WHERE account_id = ?", person.id)


def test_sess_the_database_holds_no_session(server, victim):
    """INV-6: neither cookie's value stands in the database, only its digest."""
    dump = engines.contents(server)
    for name in ("userauth", "userauth-device"):
        assert victim.cookies[name].encode() not in dump


def test_sess_one_connection_many_persons(server, victim):
    """Beyond the list: on one kept-alive connection each request has its own cookie's identity only."""
    cookie = ("Cookie", f"userauth={cookie_of(victim)}")
    ask = ("Accept", "application/json")
    data = b""
    for headers in ([cookie, ask], [ask], [cookie, ask], [("Cookie", "userauth=x"), ask]):
        data += request("GET", "/dashboard", headers, close=False)
    found = exchange(server, data + request("GET", "/dashboard", [ask]))
    assert [answer.status for answer in found] == [200, 401, 200, 401, 401]


def test_sess_sign_in_needs_the_right_person(server, person):
    """Beyond the list: a session is the account's, not the name's: the id in the row decides."""
    client = Client(server)
    sign_in(client, person)
    said = client.json("GET", "/dashboard").json()
    assert (said["username"], said["email"]) == (person.username, person.email)
    assert person.password not in client.get("/dashboard").text
