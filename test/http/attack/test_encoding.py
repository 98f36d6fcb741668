"""Malformed and misleading encodings (ENC-01..06, SQL-05, UNI-09): refused as a whole, never repaired, never cut, never taken for another."""
import unicodedata

import apps
import pytest

from attacks import exchange, pairs, post, request
from client import Client
from people import join, register, stranger

# Never text in UTF-8: 400 before a field is looked at.
BROKEN = {
    "overlong slash": b"\xc0\xaf", "overlong NUL": b"\xc0\x80", "overlong 3": b"\xe0\x80\xaf", "overlong 4": b"\xf0\x80\x80\xaf",
    "overlong <": b"\xc0\xbc", "5 bytes": b"\xf8\x88\x80\x80\x80", "6 bytes": b"\xfc\x84\x80\x80\x80\x80", "surrogate": b"\xed\xa0\x80",
    "surrogate pair": b"\xed\xa0\xbd\xed\xb8\x80", "over U+10FFFF": b"\xf4\x90\x80\x80", "F5": b"\xf5\x80\x80\x80", "FE": b"\xfe", "FF": b"\xff",
    "lone continuation": b"\x80", "cut 2": b"\xc3", "cut 3": b"\xe2\x82", "cut 4": b"\xf0\x9f\x98", "continued by ASCII": b"\xc3(",
    "latin-1": b"caf\xe9", "windows quotes": b"\x93x\x94", "NUL": b"\x00", "NUL after": b"x\x00y",
}
# Text, but not for a name: 400 or 422, and no account.
DECEPTIVE = {
    "C0": "a\x01b", "escape": "a\x1b[31mb", "line": "a\nb", "carriage return": "a\rb", "DEL": "a\x7fb", "C1": "a\x85b", "C1 CSI": "a\x9bb",
    "noncharacter": "a\ufffeb", "noncharacter 2": "a\uffffb", "noncharacter 3": "a\ufdd0b", "last": "a\U0010ffffb",
    "right to left": "a\u202eb", "isolate": "a\u2066b", "zero width": "a\u200bb", "word joiner": "a\u2060b", "BOM": "a\ufeffb",
    "line separator": "a\u2028b", "paragraph separator": "a\u2029b", "tag": "a\U000e0041b", "unassigned": "a\u0378b", "unassigned 2": "a\U0001fffeb",
    "soft hyphen": "a\u00adb", "hangul filler": "a\u3164b", "annotation": "a\ufff9b",
}
FORM = "application/x-www-form-urlencoded"


def values(person, **changed):
    return {"username": person.username, "email": person.email, "password": person.password, "display_name": "Name", **changed}


def gone(server, person):
    return not server.db("SELECT id FROM account WHERE email = ? OR username = ?", person.email, person.username)


@pytest.mark.parametrize("name", BROKEN)
def test_enc_01_broken_utf8_in_a_form(server, unchanged, name):
    """ENC-01, SQL-05: in each field, in its name, in an unknown field: 400, nothing done."""
    unchanged.start()
    bad = BROKEN[name]
    for field in ("username", "email", "password", "display_name", "csrf", "unknown"):
        person = stranger("enc")
        good = values(person).get(field, "").encode()
        for value in (bad, good + bad, bad + good, good[:3] + bad + good[3:]):
            answer = exchange(server, post("/auth/register", pairs(**values(person, **{field: value}))))[0]
            assert answer.status == 400, f"{field} {value!r}: {answer.status}"
    for raw in (b"login=" + bad + b"&password=x", b"lo" + bad + b"gin=a&password=x"):
        assert exchange(server, post("/auth/login", raw))[0].status == 400


@pytest.mark.parametrize("name", BROKEN)
def test_enc_01_broken_utf8_in_json(server, unchanged, name):
    """ENC-01: the same bytes inside a JSON string or key."""
    unchanged.start()
    bad = BROKEN[name]
    for body in (b'{"login":"a' + bad + b'","password":"x"}', b'{"lo' + bad + b'":"a","login":"a","password":"x"}'):
        assert exchange(server, post("/auth/login", body, kind="application/json"))[0].status == 400


@pytest.mark.parametrize("escape", ["%", "%4", "%g1", "%u0041", "%%41", "a%", "a%0", "%-1", "% 41", "%0x41", "%c0%af", "%ff", "%ed%a0%80", "%00", "%2500%00"])
def test_enc_01_percent_escapes_are_exact(server, unchanged, escape):
    """ENC-01: an escape that is none, or that makes no text, is 400; it is not taken as it stands."""
    unchanged.start()
    for body in (f"login={escape}&password=x", f"login=a&password={escape}", f"login=a&password=x&z={escape}", f"{escape}=1&login=a&password=x"):
        assert exchange(server, post("/auth/login", body.encode()))[0].status == 400, body


@pytest.mark.parametrize("name", DECEPTIVE)
def test_enc_01_deceptive_characters(server, unchanged, name):
    """ENC-01: control, invisible, unassigned and noncharacters make no name and no address."""
    unchanged.start()
    text = DECEPTIVE[name]
    for field in ("username", "email", "display_name"):
        person = stranger("odd")
        value = f"{text}@example.org" if field == "email" else text
        answer = Client(server).json("POST", "/auth/register", values(person, **{field: value}))
        assert answer.status_code in (400, 422), f"{field}: {answer.status_code} {answer.text}"
        assert gone(server, person)
    for body in ({"login": text, "password": ""}, {"login": "x", "password": "", "next": "/" + text}):
        assert Client(server).json("POST", "/auth/login", body).status_code in (400, 422)


def test_enc_01_in_queries(server, victim):
    """ENC-01: broken text in a query is no value: the default, or an invalid link."""
    for bad in ("%ff", "%c0%af", "%", "%00", "%ed%a0%80", "\xff"):
        for path, expected in ((f"/auth/login?next=/{bad}", "/dashboard"), (f"/auth/login?next={bad}", "/dashboard")):
            answer = exchange(server, request("GET", path, [("Cookie", f"userauth={victim.cookies['userauth']}")]))[0]
            assert answer.one("Location") == expected or answer.status == 400, bad
        answer = exchange(server, request("GET", f"/auth/verify?token={bad}"))[0]
        assert answer.status in (400, 429)
        assert exchange(server, request("GET", f"/auth/login?notice={bad}"))[0].status in (200, 400)


@pytest.fixture(scope="module")
def secret_account(session_server):
    """An account whose password has no strange bytes, for others that have."""
    return join(session_server)


def test_enc_02_nul_in_a_password(server, secret_account, unchanged):
    """ENC-02: what stands before a NUL is not the password."""
    unchanged.start()
    word = secret_account.password.encode()
    for value in (word + b"\0", word + b"\0x", b"\0" + word, word[:5] + b"\0" + word[5:]):
        body = pairs(login=secret_account.username, password=value)
        assert exchange(server, post("/auth/login", body))[0].status == 400
    for text in (secret_account.password + "\\u0000", secret_account.password + "\\u0000x"):
        body = f'{{"login":"{secret_account.username}","password":"{text}"}}'.encode()
        assert exchange(server, post("/auth/login", body, kind="application/json"))[0].status == 400


def test_enc_02_the_whole_password_counts(server):
    """ENC-02: long ones differ at their last character; blanks at the ends and case belong to it."""
    person = stranger("long")
    person.password = "correct horse battery staple " * 8 + "then end!"
    join(server, person=person)
    tries = {
        person.password: 200, person.password[:-1]: 401, person.password[:-1] + "?": 401, person.password + " ": 401,
        " " + person.password: 401, person.password.swapcase(): 401, person.password[:72]: 401, person.password[:128]: 401,
    }
    for text, status in tries.items():
        device = Client(server)
        server.db("DELETE FROM throttle")
        answer = device.json("POST", "/auth/login", {"login": person.email, "password": text})
        assert answer.status_code == status, f"{text[-10:]!r}: {answer.status_code}"


def test_sql_05_a_name_is_not_cut(server, unchanged):
    """SQL-05: `name NUL more` finds and makes nobody, however the NUL is written."""
    person = join(server)
    unchanged.start()
    for value in (person.username.encode() + b"\0evil", person.email.encode() + b"\0"):
        body = pairs(login=value, password=person.password)
        assert exchange(server, post("/auth/login", body))[0].status == 400
        assert exchange(server, post("/auth/resend", pairs(email=value)))[0].status == 400
    new = stranger("cut")
    for field in ("username", "email", "display_name"):
        cut = (values(new)[field] + "\0evil").encode()
        assert exchange(server, post("/auth/register", pairs(**values(new, **{field: cut}))))[0].status == 400
    assert gone(server, new)
    assert exchange(server, request("GET", f"/auth/{'login'}%00"))[0].status in (400, 404)


GATED = """
AllowEncodedSlashes %s
<Location "/private">
    AuthType UserAuth
    Require valid-user
</Location>
"""
SPELLINGS = (
    "/private/secret.txt", "/private%2Fsecret.txt", "/private%2fsecret.txt", "/%70rivate/secret.txt", "/private/./secret.txt",
    "//private/secret.txt", "/private//secret.txt", "///private///secret.txt", "/x/../private/secret.txt", "/x/%2e%2e/private/secret.txt",
    "/x%2f..%2fprivate/secret.txt", "/x/..%2fprivate/secret.txt", "/%2e/private/secret.txt", "/.%2fprivate/secret.txt", "/private;a=b/secret.txt",
    "/private/secret.txt;x", "/private/secret.txt/", "/private/secret.txt/more", "/private/secret.txt%00", "/private/secret.txt%00.css",
    "/private/secret.txt%20", "/private/secret.txt.", "/private%5csecret.txt", "/private\\secret.txt", "/private/secret.txt%3Fx", "/private/secret.txt%23x",
    "/PRIVATE/secret.txt", "/Private/secret.txt", "/private/%73ecret.txt", "/%c0%afprivate/secret.txt", "/private%c0%afsecret.txt", "/private%ef%bc%8fsecret.txt",
    "/auth/../private/secret.txt", "/auth/%2e%2e/private/secret.txt", "/auth%2f..%2fprivate/secret.txt", "/auth/..%2fprivate/secret.txt",
    "/auth/assets/../../private/secret.txt", "/auth/assets/%2e%2e/%2e%2e/private/secret.txt", "/auth;/../private/secret.txt", "/auth/.;/private/secret.txt",
    "/%2561uth/../private/secret.txt", "/private%252fsecret.txt", "http://localhost/private/secret.txt", "/private/secret.txt?/auth/login", "/private/secret.txt#/auth",
    "/dashboard/../private/secret.txt", "/.well-known/../private/secret.txt", "/auth/login/../../private/secret.txt", "/private/secret.txt%0a", "/private%0a/secret.txt",
    "/\xffprivate/secret.txt", "/private/\xffsecret.txt",
)


@pytest.mark.parametrize("slashes", ["Off", "On", "NoDecode"])
def test_enc_06_no_spelling_opens_the_gate(new_server, slashes):
    """ENC-06: the file is never given without a session, whatever way its path is written; on any method."""
    one = new_server(conf=GATED % slashes)
    apps.put(one, "private/secret.txt", "the-secret-word")
    apps.put(one, "x/a.txt", "x")
    for target in SPELLINGS:
        for method in ("GET", "POST", "OPTIONS", "PROPFIND"):
            for answer in exchange(one, request(method, target, [("Content-Length", "0"), ("Accept", "text/html")])):
                assert b"the-secret-word" not in answer.body, f"{method} {target}: {answer.status}"
                assert answer.status in (200, 303, 400, 403, 404, 405, 501), f"{method} {target}: {answer.status}"
                assert answer.status != 200 or "private" not in target or method == "OPTIONS" and "PRIVATE" in target.upper()


@pytest.mark.parametrize("slashes", ["Off", "On", "NoDecode"])
def test_enc_06_our_paths_and_their_gate_agree(new_server, slashes):
    """ENC-06: each spelling of /dashboard is gated or unknown, each spelling of a public page public or unknown."""
    one = new_server(conf=f"AllowEncodedSlashes {slashes}\n")
    one.expect_log("AH01276")  # /dashboard%2F.. is the document root's folder
    spellings = ("/{}", "//{}", "/%{:x}{}", "/./{}", "/x/../{}", "/{}/", "/{}%2f", "/{}%2F..", "/{};x", "/{}%00", "/{}%0a", "/{}/.", "/{}%20", "/{}.", "/{}%3f",
                 "/auth/../{}", "/auth%2f..%2f{}", "/\xff{}", "/{}\xff", "/{}/%2e%2e/{}", "/{}%5c")
    for spelling in spellings:
        for name, fine in (("dashboard", (303, 308, 400, 403, 404)), ("auth/login", (200, 308, 400, 403, 404))):
            target = spelling.format(ord(name[0]), name[1:]) if ":x" in spelling else spelling.replace("{}", name)
            answer = exchange(one, request("GET", target, [("Accept", "text/html")]))[0]
            assert answer.status in fine, f"{target}: {answer.status}"
            assert b"Last sign-in" not in answer.body


def tricky_pairs():
    """Pairs of names that some engine or another takes for one: by case, width, accents, marks, blanks, what is not seen."""
    changes = [
        str.upper, str.title, lambda s: s + " ", lambda s: s + "\t", lambda s: s + "\u00a0", lambda s: s + "\u200b",
        lambda s: s[:1] + "\u200d" + s[1:], lambda s: s[:1] + "\u00ad" + s[1:], lambda s: "\ufeff" + s, lambda s: s + "\u0301",
        lambda s: s.replace("i", "\u0131"), lambda s: s.replace("k", "\u212a"), lambda s: s.replace("s", "\u017f"),
        lambda s: s.replace("ss", "\u00df"), lambda s: s.replace("e", "\u00e9"), lambda s: s.replace("a", "\u0430"),
        lambda s: s.replace("o", "\u00f6"), lambda s: "".join(chr(ord(c) + 0xFEE0) for c in s), lambda s: s + "\U0001f600",
        lambda s: s.replace("l", "I"), lambda s: unicodedata.normalize("NFD", s + "\u00e5"), lambda s: s + "\u00e5",
        lambda s: s.replace("ae", "\u00e6"), lambda s: s + "'", lambda s: s + "\\", lambda s: s + "%", lambda s: s + "_",
    ]
    words = [f"{word}{i}" for i, word in enumerate("mike straesse kiosk alice bossman naive oskar lillian aesop sisi karl".split() * 3)]
    return [(word, change(word)) for word in words for change in changes if change(word) != word]


@pytest.mark.parametrize("column", ["username_key", "email_key"])
def test_uni_09_each_engine_tells_the_same_keys_apart(new_server, column):
    """UNI-09: the module makes the keys; an engine compares their bytes, and nothing else."""
    server, pairs = new_server(), tricky_pairs()
    assert len(pairs) >= 500
    register(Client(server))
    row = dict(server.db("SELECT * FROM account")[0])
    keys = sorted({key for pair in pairs for key in pair})
    insert = f"INSERT INTO account ({', '.join(row)}) VALUES "
    place = f"({', '.join('?' * len(row))})"

    def values(i, key):
        return tuple({**row, "id": f"id-{i}", "username_key": f"u{i}", "email_key": f"e{i}", column: key}.values())

    server.db(insert + ", ".join([place] * len(keys)), *[value for i, key in enumerate(keys) for value in values(i, key)])
    found = server.db(f"SELECT {column} FROM account WHERE id LIKE 'id-%'")
    assert sorted(one[0] for one in found) == keys
    for key in keys[::50]:
        assert len(server.db(f"SELECT id FROM account WHERE {column} = ?", key)) == 1
        with pytest.raises(Exception, match="(?i)unique|duplicate"):
            server.db(insert + place, *values("again", key))
