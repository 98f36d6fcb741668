"""Injection into mails, the mail dialogue, answers and logs (SMTP-01, 02, 03, 05, 07)."""
import email.policy
import json
import re
from urllib.parse import quote

import engines
import pytest

from attacks import exchange, pairs, post, request
from bad_smtp import BadSmtp
from client import Client
from people import is_signed_in, join, register, sign_in, stranger
from smtp_server import SmtpServer

EVIL = "evil@evil.example"
ADDRESSES = (
    f"a@b.example>\r\nRCPT TO:<{EVIL}", f"a@b.example\r\nRCPT TO:<{EVIL}>", f"a@b.example\nBcc: {EVIL}", f"a@b.example\rBcc: {EVIL}", "a@b.example\r\nDATA\r\n.\r\n",
    f"a@b.example%0d%0aRCPT TO:<{EVIL}>", f"a@b.example\u2028RCPT TO:<{EVIL}>", f"a@b.example\u0085RCPT TO:<{EVIL}>", "a@b.example\0", f"a\0@b.example,{EVIL}",
    "<a@b.example> NOTIFY=SUCCESS", "a@b.example> NOTIFY=SUCCESS,FAILURE ORCPT=x", "<a@b.example>", "<a@b.example", "a@b.example>", f"a@b.example,{EVIL}", f"a@b.example;{EVIL}",
    f"a@b.example {EVIL}", f"a@b.example, {EVIL}", f"{EVIL}\ta@b.example", f'"x" <{EVIL}>', f"x<{EVIL}>", f"a@b.example({EVIL})", "a(comment)@b.example", "@evil.example:a@b.example",
    f"a%{EVIL}@b.example@c.example", "a@b@c.example", "a!b@c.example@d", '"a b"@c.example', '"a\r\nb"@c.example', '"a>b"@c.example', '"a\\"@c.example', "a@[127.0.0.1]",
    "a@[IPv6:::1]", "a@b.example.", "a@.b.example", "a@b..example", ".a@b.example", "a.@b.example", "a..b@c.example", "a@-b.example", "a@b.example-", "a@b_c.example",
    "a@b.example\x0b", "a@b.example\x0c", "a@b.example\x1b[2J", "\ufeffa@b.example", "a\u202e@b.example", "a@=?utf-8?q?b?=.example",
    "a@" + "b" * 64 + ".example", "a" * 65 + "@b.example", "a@" + ".".join(["b" * 60] * 5) + ".example", "a" * 300 + "@b.example", "|id@b.example x", "a@b.example/../x", "a@b.example?x", "a@b.example#x", "a@b.example:25",
    "a@localhost%0aQUIT", "-oQ/tmp@b.example x", "RCPT TO:<a@b.example>", "mailto:a@b.example x", "a@b.example\\r\\n", "a\\@b@c", "@", "@b.example", "a@", "a",
)
SMTP = 'UserAuthMail "smtp://127.0.0.1:{}" "Example <accounts@example.com>"\nUserAuthMailLimit off\nUserAuthRateLimit mail off\nUserAuthRateLimit register off\n'


@pytest.fixture
def wire(tmp_path, new_server):
    """A server whose mails go over a wire that is listened to."""
    with BadSmtp(tmp_path / "mail") as smtp:
        one = new_server(conf=SMTP.format(smtp.port))
        one.smtp = smtp
        yield one
        one.stop()


def test_smtp_01_the_wire(wire):
    """SMTP-01: each address that is more than an address is refused; the dialogue has one MAIL and one RCPT a mail."""
    for text in ADDRESSES:
        person = stranger("wire")
        body = pairs(username=person.username, email=text, password=person.password)
        for answer in (exchange(wire, post("/auth/register", body))[0], exchange(wire, post("/auth/resend", pairs(email=text)))[0]):
            assert answer.status in (400, 422), f"{text!r}: {answer.status}"
        answer = Client(wire).json("POST", "/auth/register", {"username": person.username, "email": text, "password": person.password})
        assert answer.status_code in (400, 422), f"{text!r}: {answer.status_code} {answer.text}"
    browser = Client(wire)
    good = register(browser)
    for text in ADDRESSES:
        assert browser.json("POST", "/auth/check-email", {"email": text}).status_code in (400, 422), repr(text)
    odd = stranger("odd")
    odd.email = "!#$%&'*+/?=^_`{|}~-x@example.org"
    register(Client(wire), odd)
    wire.smtp.wait_for(2)
    verbs = [line for line in wire.smtp.commands if re.match(r"(?i)MAIL|RCPT|BCC|DATA", line)]
    assert sorted(line for line in verbs if line.startswith("RCPT")) == sorted([f"RCPT TO:<{good.email}>", f"RCPT TO:<{odd.email}>"])
    assert sorted(line.split(" ")[0] for line in verbs) == ["DATA", "DATA", "MAIL", "MAIL", "RCPT", "RCPT"]  # two connections at once
    assert all(line.startswith("MAIL FROM:<accounts@example.com>") for line in verbs if line.startswith("MAIL"))


@pytest.mark.parametrize("text", [
    "=?utf-8?q?a=0d=0a?=@b.example", "=?utf-8?q?=61=40evil.example=3e=20?=@b.example", "=?x?b?YQ==?=@b.example", "=?iso-8859-1?q?=61=62=63?=@b.example",
])
def test_smtp_01_encoded_words(new_server, text):
    """SMTP-01, beyond the list: an encoded word as a mailbox, which mail software behind us may decode to another address.

    On a server of its own: Python's parser decodes it too, and fails on every later look at the folder.
    """
    one, person = new_server(), stranger("word")
    answer = Client(one).json("POST", "/auth/register", {"username": person.username, "email": text, "password": person.password})
    assert answer.status_code == 422 and "email" in answer.json()["errors"]


EXPECTED_HEADERS = {"from", "to", "subject", "date", "message-id", "mime-version", "content-type", "auto-submitted"}


@pytest.mark.parametrize("name", [
    "=?utf-8?q?Subject?= x", "caf\u00e9 \u6771\u4eac " * 20, "x" * 900, "a, b; c <d@e.example>", "Example: To: evil", "\u05d0\u05d1\u05d2 example", '"quoted\\"', "%s%n {{link}}", "Tab\\tEnd",
    "\U0001f40c" * 30, "=?iso-8859-1?b??=",
])
def test_smtp_02_the_sites_name(tmp_path, new_server, name):
    """SMTP-02: in Subject and body it is the name as it was given; encoded, folded, no new header."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    with SmtpServer(tmp_path / "mail") as smtp:
        one = new_server(start=False, conf=SMTP.format(smtp.port) + f'UserAuthSiteName "{escaped}"\n')
        status, text = one.configtest()
        if status:
            assert "UserAuthSiteName" in text
            return
        one.start()
        person = register(Client(one))
        message = smtp.wait_for(1)[0]
        one.stop()
    assert (message.sender, message.recipients) == ("accounts@example.com", [person.email])
    assert all(len(line) <= 998 and b"\r" not in line for line in message.raw.split(b"\r\n"))
    head = message.raw.partition(b"\r\n\r\n")[0]
    assert head.isascii() and all(len(line) <= 78 or b" " not in line.strip() for line in head.split(b"\r\n")), head
    assert {key.lower() for key in message.parsed.keys()} <= EXPECTED_HEADERS | {"reply-to", "x-auto-response-suppress", "content-transfer-encoding"}
    assert len(message.parsed.keys()) == len({key.lower() for key in message.parsed.keys()})
    squeezed = " ".join(name.split())
    assert squeezed in " ".join(str(message.parsed["Subject"]).split()) or len(name) > 200
    assert squeezed in " ".join(message.text.split()) or len(name) > 200


TEXT = """Subject: Lines of every kind

Hello {{username}},
.
..
.leading
{{link}}
From the beginning
%s
caf\u00e9 \u6771\u4eac \U0001f40c
trailing blanks   \t
=3D soft=
{{disown_link}}
--
"""


def test_smtp_03_odd_lines_arrive_whole(tmp_path, new_server):
    """SMTP-03: a dot alone, 2000 characters, 8 bits, "From ", an equals sign at the end."""
    long = "x" * 2000
    with SmtpServer(tmp_path / "mail") as smtp:
        one = new_server(start=False, conf=SMTP.format(smtp.port) + 'UserAuthTemplates "${RUN}/own"\n')
        folder = one.folder / "own" / "mail"
        folder.mkdir(parents=True)
        (folder / "verify.txt").write_text(TEXT % long, encoding="utf-8")
        one.start()
        person = register(Client(one))
        message = smtp.wait_for(1)[0]
        one.stop()
    assert all(len(line) <= 998 for line in message.raw.split(b"\r\n"))
    lines = [line.rstrip("\r") for line in message.text.split("\n")]
    for line in (f"Hello {person.username},", ".", "..", ".leading", "From the beginning", long, "caf\u00e9 \u6771\u4eac \U0001f40c", "=3D soft=", "--"):
        assert line in lines, line
    assert re.search(r"/auth/verify\?token=[\w.-]{80}\b", message.text)


CRLF = ("\r\nX-Injected: yes", "\nX-Injected: yes", "\rX-Injected: yes", "%0d%0aX-Injected: yes", "%0aX-Injected:%20yes", "%E5%98%8A%E5%98%8DX-Injected:yes", "\u560a\u560dX-Injected: yes",
        "\x00\r\nX-Injected: yes", "%00%0d%0aX-Injected: yes", "\u2028X-Injected: yes", "\x85X-Injected: yes", "%250d%250aX-Injected: yes")


def test_smtp_05_answers_cannot_be_split(server, victim):
    """SMTP-05: line ends in next, notice, token, cookies, paths and fields make no header and no second answer."""
    cookie = f"userauth={victim.cookies['userauth']}"
    data, count = b"", 0
    for text in CRLF:
        escaped, twice = quote(text, safe=""), quote(text, safe="%")
        for value in (escaped, twice):
            for target in (f"/auth/login?next=/x{value}", f"/auth/login?notice={value}", f"/auth/login/?{value}", f"/auth/verify?token={value}", f"/auth/{value}", f"/dashboard?{value}",
                           f"/dashboard/{value}", f"/dashboard/members/{value}/", f"/auth/register?next={value}", f"/auth/verify/?token=a{value}"):
                for headers in ([("Cookie", cookie)], [], [("Sec-Fetch-Dest", "document")]):
                    data += request("GET", target, headers, close=False)
                    count += 1
    found = []
    for one in data.split(b"\r\n\r\n")[:-1]:
        found += exchange(server, one + b"\r\nConnection: close\r\n\r\n")
    assert len(found) == count
    for answer in found:
        names = {name.lower() for name, _ in answer.headers}
        assert "x-injected" not in names and answer.status < 500
        assert not any(re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value) for _, value in answer.headers)


def test_smtp_05_fields_of_submits(server, victim_account):
    """SMTP-05: the same in the fields of forms whose answers have a Location or a cookie."""
    for text in CRLF:
        body = pairs(login=victim_account.username, password=victim_account.password, next="/x" + text)
        answer = exchange(server, post("/auth/login", body, [("X-Test-Address", "198.51.100.9")]))[0]
        assert not answer.all("X-Injected") and answer.status in (303, 400)
        answer = exchange(server, post("/auth/verify", pairs(token=text), [("Cookie", "userauth-link-verify=x")]))[0]
        assert not answer.all("X-Injected") and answer.status in (400, 429)


AGENTS = (b"\xc2\x9b2J\xc2\x9d0;owned", b'"}\t{"event":"login"', b'"} {"event":"fake"}', b"\xff\xfe\xc0\xaf", b"caf\xe9", b"\\u0000\\n", b"a\x80\x9b31m", b"<script>", b"x" * 6000, b"\xe2\x80\xa8", b"\\", b'\\"',
          "\u202egnp.exe".encode(), b"%s%n%x", b"${jndi:ldap://x}", b"\xf0\x9f\x98" + b"a" * 251 + b"\xf0\x9f\x90\x8c", b"a" * 254 + "\u00e9".encode())


def test_smtp_07_logs_have_one_clean_line_each(server):
    """SMTP-07: hostile User-Agent, Referer, names: each event one line of JSON, no control byte in any log."""
    before, rows = len(server.events()), server.db("SELECT COUNT(*) FROM event")[0][0]
    for number, agent in enumerate(AGENTS):
        headers = [("User-Agent", agent), ("Referer", agent), ("Connection", "close"), ("X-Test-Address", f"198.51.100.{100 + number}"), ("Accept", b"application/json, " + agent[:200])]
        person = stranger("log")
        bodies = (("/auth/login", pairs(login=agent, password="wrong-password-1")), ("/auth/login", pairs(login="nobody", password="wrong-password-1")),
                  ("/auth/register", pairs(username=person.username, email=person.email, password=person.password)), ("/auth/verify", pairs(token=agent)))
        for path, body in bodies:
            answer = exchange(server, post(path, body, headers))[0]
            assert answer.status < 500, f"{path} {agent[:40]!r}: {answer.status}"
    new = server.events()[before:]
    assert len(new) == server.db("SELECT COUNT(*) FROM event")[0][0] - rows >= len(AGENTS)
    for line in new:
        assert set(json.loads(line)) >= {"time", "event", "address", "account"}
    for name in ("events.log", "error.log", "access.log"):
        data = (server.folder / "logs" / name).read_bytes()
        assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", data), name
        assert data.decode("utf-8") is not None


def test_smtp_07_stored_agents_are_text(server):
    """SMTP-07, beyond the list: what is kept of a User-Agent is UTF-8 without control characters, as every engine and JSON need it."""
    person = join(server)
    for agent in AGENTS:
        client = Client(server)
        client.session.headers["User-Agent"] = agent
        sign_in(client, person)
        assert is_signed_in(client)
    column = "CAST(agent AS BLOB)" if engines.NAME == "sqlite3" else "agent"  # the others refuse what is no UTF-8
    kept = [row[0] for table in ("session", "event") for row in server.db(f"SELECT {column} FROM {table} WHERE account_id = ?", person.id)]
    assert len(kept) >= 2 * len(AGENTS)
    for agent in kept:
        text = agent.decode() if isinstance(agent, bytes) else agent
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]", text), repr(text)


def test_smtp_the_policy_is_strict():
    """The parser that reads the mails raises on a defect: otherwise the tests above would see nothing."""
    with pytest.raises(Exception):
        email.message_from_bytes(b"To: a@b\r\nno colon here\r\n\r\nx", policy=email.policy.SMTP.clone(raise_on_defect=True))
