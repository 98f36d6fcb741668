"""SQL injection (SQL-01, 02): quotes, comments and wildcards in everything a client can send."""
import engines
import pytest

from attacks import exchange, pairs, post, request
from client import Client
from people import PASSWORD, join, stranger

INJECTIONS = (
    "'", "''", "\"", "`", "\\", "\\'", "';--", "' --", "'#", "'/*", "*/", "' OR '1'='1", "' OR 1=1--", "\" OR \"\"=\"", "') OR ('1'='1", "')) OR 1=1--", "admin'--", "' OR 'x' LIKE '%", "' AND 1=0 UNION SELECT 1--",
    "' UNION SELECT NULL,NULL,NULL--", "' UNION SELECT password_hash FROM account--", "'; DROP TABLE account;--", "'; UPDATE account SET enabled=1;--", "'; INSERT INTO session VALUES(1);--", "1; ATTACH DATABASE '/tmp/x' AS x;--",
    "' AND randomblob(500000000)--", "'||randomblob(500000000)||'", "' AND (SELECT COUNT(*) FROM account a, account b, account c, account d, account e, account f)--", "' OR SLEEP(9)--", "' OR pg_sleep(9)--", "'; SELECT pg_sleep(9);--",
    "' AND BENCHMARK(90000000,MD5(1))--", "'||(SELECT 1 FROM pg_sleep(9))||'", "' AND load_extension('x')--", "' AND writefile('/tmp/p2','x')--", "'||sqlite_version()||'", "%", "_", "%%", "____", "*", "?", "%s", "%lld", "%n%n%n", ":name", "@name", "$1", "?1",
    "0x27", "%27", "%2527", "\u02bc", "\uff07", "\u2019 OR 1=1", "CHAR(39)", "NULL", "1e309", "-1", "9223372036854775808", "true", "[]", "{}", "x' AND json('", "' COLLATE NOCASE--", "\x1a", "'+'", "' || '", "a' GLOB '*", "' ESCAPE '",
)


def counts(server):
    tables = engines.tables(server)
    fixed = [name for name in tables if name not in ("throttle", "event", "outbox", "session", "device", "refresh", "token")]
    return tables, {name: server.db(f"SELECT COUNT(*) FROM {name}")[0][0] for name in fixed}


@pytest.fixture(autouse=True)
def unharmed(server, victim_account):
    """The tables are the same ones, with as many rows; the victim's row is what it was."""
    before, row = counts(server), tuple(server.db("SELECT username, email, enabled, password_hash FROM account WHERE id = ?", victim_account.id)[0])
    yield
    assert counts(server) == before
    assert tuple(server.db("SELECT username, email, enabled, password_hash FROM account WHERE id = ?", victim_account.id)[0]) == row
    engines.check_sound(server)


def stems(person):
    """Injections by themselves and behind good names."""
    for text in INJECTIONS:
        yield text
        yield person.username + text
        yield person.email + text


def test_sql_01_sign_in(server, victim_account):
    """SQL-01: no name with something behind it is the name; no session, no error of the machine."""
    client = Client(server)
    for number, text in enumerate(INJECTIONS):
        if number % 25 == 0:
            client = Client(server)
        login = ("", victim_account.username, victim_account.email)[number % 3] + text
        answer = client.json("POST", "/auth/login", {"login": login, "password": victim_account.password})
        assert answer.status_code in (400, 401), f"{login!r}: {answer.status_code}"
        assert "userauth" not in client.cookies


def test_sql_01_passwords_are_only_hashed(server, victim_account):
    """SQL-01: in the password's field it is a wrong password."""
    known = Client(server)
    for text in INJECTIONS[::8]:
        server.db("DELETE FROM throttle WHERE name LIKE 'login:%'")
        answer = known.json("POST", "/auth/login", {"login": victim_account.email, "password": text + "-and-more-of-it"})
        assert answer.status_code in (400, 401), f"{text!r}: {answer.status_code}"
    server.db("DELETE FROM throttle WHERE name LIKE 'login:%'")
    server.db("UPDATE account SET failures = 0 WHERE id = ?", victim_account.id)


@pytest.mark.parametrize("field", ["username", "email"])
def test_sql_01_names_of_a_registration(server, victim_account, field):
    """SQL-01: refused by their form, before any statement."""
    for text in stems(victim_account):
        if text in (victim_account.username, victim_account.email):
            continue
        person = stranger("sql")
        fields = {"username": person.username, "email": person.email, "password": "short", field: text}
        answer = Client(server).json("POST", "/auth/register", fields)
        assert answer.status_code in (400, 422), f"{text!r}: {answer.status_code}"


def test_sql_01_a_display_name_is_stored_as_it_is(server):
    """SQL-01: the one free text: every injection arrives in its row, letter by letter."""
    made = []
    for text in INJECTIONS:
        if len(text) > 64 or "\x1a" in text:
            continue
        person = stranger("sql")
        fields = {"username": person.username, "email": person.email, "password": person.password, "display_name": text}
        answer = Client(server).json("POST", "/auth/register", fields)
        assert answer.status_code == 201, f"{text!r}: {answer.text}"
        made.append(answer.json()["user"]["id"])
        assert server.db("SELECT display_name FROM account WHERE id = ?", made[-1])[0][0] == text
        if len(made) == 16:
            break
    for name in made:
        server.db("DELETE FROM token WHERE account_id = ?", name)
        server.db("DELETE FROM account WHERE id = ?", name)


def test_sql_01_legal_addresses_with_quotes(server):
    """SQL-01: an apostrophe is legal in an address: stored, found again, and its own."""
    person = stranger("sql")
    person.email = f"o'neil--{person.username}@example.org"
    join(server, person=person)
    assert Client(server).json("POST", "/auth/login", {"login": person.email, "password": person.password}).status_code == 200
    assert Client(server).json("POST", "/auth/login", {"login": person.email.replace("'", "''"), "password": person.password}).status_code == 401
    server.db("DELETE FROM token WHERE account_id = ?", person.id)
    for table in ("session", "device"):
        server.db(f"DELETE FROM {table} WHERE account_id = ?", person.id)
    server.db("DELETE FROM held_name WHERE account_id = ?", person.id)
    server.db("DELETE FROM account WHERE id = ?", person.id)


@pytest.mark.parametrize("text", INJECTIONS[::2])
def test_sql_01_tokens_cookies_queries_headers(server, text):
    """SQL-01: everywhere else a text reaches a statement, or might."""
    raw = text.encode("utf-8")
    good = "00000000-0000-4000-8000-000000000000." + "A" * 43
    address = [("X-Test-Address", f"203.0.113.{INJECTIONS.index(text)}")]
    for value in (raw, good.encode()[:-5] + raw, raw + good.encode(), good.encode()[:36] + raw):
        assert exchange(server, post("/auth/verify", pairs(token=value), address))[0].status in (400, 429)
        assert exchange(server, post("/auth/disown", pairs(token=value), address))[0].status in (400, 429)
    assert exchange(server, post("/auth/resend", pairs(email=raw), address))[0].status in (400, 422)
    if any(byte < 32 for byte in raw):
        return
    for name in ("userauth", "userauth-device", "userauth-registration", "userauth-csrf", "userauth-link-verify"):
        for value in (raw, b"A" * 43 + raw, b"A" * (43 - min(43, len(raw))) + raw):
            cookie = [("Cookie", name.encode().decode() + "=" + value.decode("latin-1")), *address]
            assert exchange(server, request("GET", "/dashboard", [*cookie, ("Accept", "application/json")]))[0].status in (400, 401)
            assert exchange(server, request("GET", "/auth/check-email", cookie))[0].status in (200, 400)
    headers = [(name, raw) for name in ("User-Agent", "Referer", "X-Forwarded-For", "Accept-Language", "Origin", "X-Test-Not-Address")]
    assert exchange(server, post("/auth/login", b"login=nobody-sql&password=wrong-password-1", headers + address))[0].status in (401, 403, 429)


def test_sql_01_the_clients_address_is_bound_too(server):
    """SQL-01: what mod_remoteip takes for an address is one, or the socket's is used."""
    for text in ("1.2.3.4'", "' OR 1=1--", "fe80::1%eth0", "::1'", "1.2.3.4, 5.6.7.8'"):
        answer = exchange(server, post("/auth/login", b"login=nobody-sql&password=wrong-password-1", [("X-Test-Address", text)]))[0]
        assert answer.status in (401, 403, 429), text
    assert not server.db("SELECT id FROM event WHERE address LIKE '%''%'")


def test_sql_02_wildcards_match_nobody(server, victim_account):
    """SQL-02: a pattern is a name that nobody has."""
    stem = victim_account.username
    for text in ("%", "_" * len(stem), stem[:-1] + "%", stem[:-1] + "_", "%@example.org", "*", stem[:-1] + "*", "[a-z]%"):
        answer = Client(server).json("POST", "/auth/login", {"login": text, "password": victim_account.password})
        assert answer.status_code == 401, text


@pytest.mark.parametrize("change", ["{} ", "{}\t", " {}", "{}\u00a0", "{}\u0300", "{}" + "x" * 300], ids=range(6))
def test_sql_03_a_name_that_only_resembles_matches_nobody(server, victim_account, change):
    """SQL-03: trailing blanks, marks, signs that a collation ignores, what a column would cut: another name, on every engine."""
    for name in (victim_account.username, victim_account.email):
        answer = Client(server).json("POST", "/auth/login", {"login": change.format(name), "password": PASSWORD})
        assert answer.status_code in (400, 401, 422) or (change.strip() == "{}" and answer.status_code == 200), f"{change!r}: {answer.text}"
        assert not server.db("SELECT id FROM account WHERE username_key = ?", change.format(name))


def test_sql_03_case_is_the_only_difference_that_counts_not(server, victim_account):
    """SQL-03"""
    assert Client(server).json("POST", "/auth/login", {"login": victim_account.username.upper(), "password": PASSWORD}).status_code == 200
    for name in ("víctim", "vıctım", "ｖictim"):
        person = stranger("sql")
        fields = {"username": person.username, "email": person.email, "password": person.password, "display_name": name}
        assert Client(server).json("POST", "/auth/register", fields).status_code == 201
        assert server.db("SELECT COUNT(*) FROM account WHERE display_name = ?", name)[0][0] == 1
        server.db("DELETE FROM token WHERE account_id IN (SELECT id FROM account WHERE username = ?)", person.username)
        server.db("DELETE FROM account WHERE username = ?", person.username)
