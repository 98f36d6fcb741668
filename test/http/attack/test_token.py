"""Links under attack (TOK-01..18), from outside: what a mail scanner, a guesser or a thief can do with them."""
import base64
import re
import time

import engines
import pytest

from attacks import problem
from client import Client, new_address, the_form
from people import confirm, is_signed_in, join, register, sign_in, signed_in, stranger
from server import wait_for

SCANNERS = (
    "Mozilla/5.0 (compatible; Microsoft Outlook SafeLinks)", "BarracudaCentral", "Proofpoint URL Defense", "curl/8.0", "python-requests/2",
    "Googlebot/2.1", "GoogleImageProxy", "Slackbot-LinkExpanding 1.0", "facebookexternalhit/1.1", "WhatsApp/2", "Mimecast", "",
)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def outside(server):
    """A client that is neither the registering browser nor on loopback."""
    number = int(new_address().split(".")[3])
    return Client(server, address=f"192.0.2.{number}")


@pytest.fixture
def fresh(server):
    """An unconfirmed registration; .token and .disown of its mail."""
    person = register(Client(server))
    mail = server.wait_mail(person.email)
    person.token, person.disown = mail.token("verify"), mail.token("disown")
    server.db("DELETE FROM throttle WHERE name LIKE 'rate-token%'")
    return person


def enabled(server, person):
    rows = server.db("SELECT enabled FROM account WHERE id = ?", person.id)
    return rows[0][0] if rows else None


def events(server, person, kind):
    return len(server.db("SELECT id FROM event WHERE account_id = ? AND kind = ?", person.id, kind))


def verify(server, token, **kwargs):
    return outside(server).json("POST", "/auth/verify", {"token": token}, **kwargs)


def test_tok_01_a_second_use(server, fresh):
    """TOK-01: once; then 410 with the literal text, in JSON and HTML, and an event for each."""
    assert verify(server, fresh.token).status_code == 200
    again = verify(server, fresh.token)
    problem(again, 410, "token_used")
    assert again.json()["title"] == "Verification link has already been used"
    page = outside(server).get(f"/auth/verify?token={fresh.token}")
    assert page.status_code == 410 and "Verification link has already been used" in page.text
    form = outside(server).post("/auth/verify", {"token": fresh.token})
    assert form.status_code == 410
    assert events(server, fresh, "verified") == 1 and events(server, fresh, "token_refused") >= 2


@pytest.mark.parametrize("left, alive", [(2000000, True), (0, False), (-1000000, False), (-10**12, False)])
def test_tok_02_expiry(server, fresh, left, alive):
    """TOK-02, TOK-03: good until its time, 410 from the very moment on; the account stays as it was."""
    server.db("UPDATE token SET expires = ? WHERE account_id = ?", time.time_ns() // 1000 + left, fresh.id)
    answer = verify(server, fresh.token)
    if alive:
        assert answer.status_code == 200
        return
    problem(answer, 410, "token_expired")
    assert answer.json()["title"] == "Verification link has expired" and "resend" in answer.json()["links"]
    assert enabled(server, fresh) == 0
    assert outside(server).get(f"/auth/verify?token={fresh.token}").status_code == 410


def test_tok_02_a_life_of_24_hours(server, fresh):
    """TOK-02: the row's times are the contract's: 24 h and 7 d."""
    rows = server.db("SELECT purpose, expires - created AS life FROM token WHERE account_id = ?", fresh.id)
    assert {row["purpose"]: row["life"] // 1000000 for row in rows} == {"verify": 86400, "disown": 7 * 86400}


def test_tok_04_using_one_ends_its_siblings(server, fresh):
    """TOK-04: a newer mail leaves the older link alive; the first use of either ends the other as used."""
    server.db("DELETE FROM throttle")
    assert outside(server).json("POST", "/auth/resend", {"email": fresh.email}).status_code == 202
    newer = server.wait_mail(fresh.email, 2)
    assert newer.token("verify") != fresh.token
    assert verify(server, fresh.token).status_code == 200
    problem(verify(server, newer.token("verify")), 410, "token_used")
    for token in (fresh.disown, newer.token("disown")):
        problem(outside(server).json("POST", "/auth/disown", {"token": token}), 400, "token_invalid")
    assert enabled(server, fresh) == 1


def test_tok_05_kinds_and_places(server, fresh):
    """TOK-05: every other secret at every token page is refused, and changes nothing."""
    client = signed_in(server)
    form = the_form(client.get("/auth/logout").text)["hidden"]["csrf"]
    ids = [row[0] for row in server.db("SELECT id FROM token WHERE account_id = ?", fresh.id)]
    tag = fresh.token.partition(".")[2]
    others = [fresh.disown, form, fresh.id, tag, f"{fresh.id}.{tag}", *client.cookies.values(), *ids, *(f"{name}." for name in ids),
              *(f"{name}.{tag}" for name in ids if name not in fresh.token), f"{fresh.token.partition('.')[0]}.{fresh.disown.partition('.')[2]}"]
    for value in others:
        problem(verify(server, value), 400, "token_invalid")
    for value in (fresh.token, *others[1:]):
        problem(outside(server).json("POST", "/auth/disown", {"token": value}), 400, "token_invalid")
    for value in (fresh.token, fresh.disown):
        for header in ({"Cookie": f"userauth={value}"}, {"Authorization": f"Bearer {value}"}, {"Cookie": f"userauth-registration={value}"}):
            assert outside(server).json("GET", "/dashboard", headers=header).status_code == 401
        assert outside(server).json("GET", "/auth/check-email", headers=header).json()["mail"] == "unknown"
    assert enabled(server, fresh) == 0


def test_tok_06_another_persons_session(server, fresh):
    """TOK-06: with B's session and B's names beside it, the token acts on A, and signs nobody in."""
    other = signed_in(server)
    before = dict(server.db("SELECT * FROM account WHERE id = ?", other.person.id)[0])
    names = {"user": other.person.username, "account_id": other.person.id, "email": other.person.email, "username": other.person.username}
    assert other.json("POST", f"/auth/verify?user={other.person.id}", {**names, "token": fresh.token}).status_code == 200
    assert enabled(server, fresh) == 1
    assert dict(server.db("SELECT * FROM account WHERE id = ?", other.person.id)[0]) == before
    assert other.json("GET", "/dashboard").json()["username"] == other.person.username


def test_tok_06_verifying_signs_nobody_in(server, fresh):
    """TOK-06: the link confirms an address; it is no way in."""
    client = outside(server)
    confirm(client, fresh.token)
    assert not is_signed_in(client) and "userauth" not in client.cookies


def test_tok_07_the_address_is_part_of_the_link(server):
    """TOK-07: after a correction, and behind the module's back, a link is for the address it was sent to only."""
    browser = Client(server)
    person = register(browser)
    old = server.wait_mail(person.email).token("verify")
    new = stranger("moved")
    assert browser.json("POST", "/auth/check-email", {"email": new.email}).status_code == 200
    problem(verify(server, old), 400, "token_invalid")
    token = server.wait_mail(new.email).token("verify")
    server.db("UPDATE account SET email = ?, email_key = ? WHERE id = ?", "x" + new.email, "x" + new.email, person.id)
    server.expect_log("UA0101: /auth/verify")  # no form can bring a row into that state
    answer = verify(server, token)
    assert answer.status_code != 200 and enabled(server, person) == 0


def test_tok_07_a_rows_address_cannot_be_swapped(server, fresh):
    """TOK-07: a token row whose address was changed does not fit its tag any more."""
    server.db("UPDATE token SET email = 'victim@example.org' WHERE account_id = ?", fresh.id)
    problem(verify(server, fresh.token), 400, "token_invalid")
    other = join(server)
    server.db("UPDATE token SET email = ?, account_id = ? WHERE account_id = ?", fresh.email, other.id, fresh.id)
    problem(verify(server, fresh.token), 400, "token_invalid")
    assert enabled(server, fresh) == 0


def test_tok_09_a_removed_registration(server, fresh):
    """TOK-09: disown removes the account; its links, and the same name registered anew, are another matter."""
    answer = outside(server).json("POST", "/auth/disown", {"token": fresh.disown})
    assert answer.status_code == 200 and enabled(server, fresh) is None
    assert verify(server, fresh.token).status_code in (400, 410)
    assert outside(server).json("POST", "/auth/disown", {"token": fresh.disown}).status_code in (400, 410)
    again = register(Client(server), stranger("again"))
    server.db("UPDATE account SET username = ? WHERE id = ?", fresh.username, again.id)
    assert verify(server, fresh.token).status_code in (400, 410)
    assert enabled(server, again) == 0


def test_tok_09_the_removed_address_is_free(server, fresh):
    """TOK-09: the owner can register with it; the remover's old links do not touch the new account."""
    outside(server).json("POST", "/auth/disown", {"token": fresh.disown})
    owner = stranger("owner")
    owner.email = fresh.email
    register(Client(server), owner)
    for path in ("verify", "disown"):
        for token in (fresh.token, fresh.disown):
            assert outside(server).json("POST", f"/auth/{path}", {"token": token}).status_code in (400, 410)
    assert enabled(server, owner) == 0


def test_tok_09_a_confirmed_account_cannot_be_disowned(server, fresh):
    """TOK-09: the second link of the mail dies with the first one's use."""
    assert verify(server, fresh.token).status_code == 200
    for send in (lambda c: c.json("POST", "/auth/disown", {"token": fresh.disown}), lambda c: c.get(f"/auth/disown?token={fresh.disown}")):
        assert send(outside(server)).status_code == 400
    assert enabled(server, fresh) == 1
    sign_in(Client(server), fresh)


def test_tok_10_the_database_makes_no_link(server, fresh):
    """TOK-10: neither tag, nor its digest in any spelling, nor a reversible form stands in any table."""
    text = "\n".join(str(tuple(row)) for table in ("token", "outbox", "account", "event", "session", "setting", "throttle", "device")
                     for row in server.db(f"SELECT * FROM {table}"))
    raw = engines.contents(server)
    for token in (fresh.token, fresh.disown):
        tag = token.partition(".")[2]
        binary = base64.urlsafe_b64decode(tag + "=")
        assert len(binary) == 32
        for form in (tag, binary.hex(), base64.b64encode(binary).decode().rstrip("=")):
            assert form not in text and form.encode() not in raw
        assert binary not in raw


def test_tok_11_scanners_change_nothing(server, fresh):
    """TOK-11: GET, HEAD, OPTIONS and prefetch by scanners, twenty times over; then the person presses the button."""
    for number in range(20):
        client = outside(server)
        for method in ("GET", "HEAD", "OPTIONS", "GET"):
            for path in ("verify", "disown"):
                token = fresh.token if path == "verify" else fresh.disown
                headers = {"User-Agent": SCANNERS[number % len(SCANNERS)]}
                headers.update([{}, {"Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"}][number % 4])
                answer = client.request(method, f"/auth/{path}?token={token}", headers=headers)
                assert answer.status_code in (200, 204, 303), answer.status_code
    assert enabled(server, fresh) == 0 and events(server, fresh, "verified") == 0
    client = Client(server, address="198.51.100.200", browser=True)
    page = client.get(f"/auth/verify?token={fresh.token}")
    clean = client.follow(page)
    assert page.status_code == 303 and page.headers["Location"] == "/auth/verify"
    assert "Confirm my email address" in clean.text
    found = the_form(clean.text)
    done = client.post(found["action"], found["hidden"])
    assert done.headers["Location"] == "/auth/login?notice=verified" and enabled(server, fresh) == 1


PREFETCHES = ({"Purpose": "prefetch"}, {"Sec-Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"Sec-Purpose": "prefetch;anonymous-client-ip"},
              {"Purpose": "prefetch", "Sec-Purpose": ""})


def test_tok_11_prefetch_in_the_own_browser(server):
    """TOK-11: even the registering browser on loopback confirms nothing by prefetching; its first real GET does."""
    browser = Client(server)
    person = register(browser)
    token = server.wait_mail(person.email).token("verify")
    for headers in PREFETCHES:
        for method in ("GET", "HEAD", "OPTIONS"):
            browser.request(method, f"/auth/verify?token={token}", headers=headers)
            assert enabled(server, person) == 0, f"{method} {headers}"
    browser.get(f"/auth/verify?token={token}")
    assert enabled(server, person) == 1


def test_tok_11_head_and_options_in_the_own_browser(server):
    """TOK-11: in the browser that registered, only a real GET confirms."""
    browser = Client(server, address="198.51.100.201")
    person = register(browser)
    token = server.wait_mail(person.email).token("verify")
    for method in ("HEAD", "OPTIONS", "PUT", "TRACE", "PROPFIND"):
        browser.request(method, f"/auth/verify?token={token}")
        assert enabled(server, person) == 0, method
    answer = browser.get(f"/auth/verify?token={token}")
    assert answer.headers["Location"] == "/auth/login?notice=verified" and enabled(server, person) == 1


def test_tok_11_disown_is_never_done_by_reading(server, fresh):
    """TOK-11: the removal link needs its button in every browser, on loopback too."""
    for client in (Client(server), outside(server), Client(server, browser=True)):
        for method in ("GET", "HEAD", "OPTIONS"):
            client.request(method, f"/auth/disown?token={fresh.disown}")
    assert enabled(server, fresh) == 0


def variants(token):
    """Near misses of a good token."""
    row, _, tag = token.partition(".")
    last = ALPHABET.index(tag[-1])
    unused = [tag[:-1] + ALPHABET[last ^ bit] for bit in (1, 2, 3)]  # the last letter carries 4 of 6 bits
    yield from (f"{row}.{text}" for text in unused)
    yield from (token + "=", token + "==", token + " ", " " + token, token + "\n", token + "\t", token[:-1], token + "A", token.upper(), token.lower())
    yield from (f"{row.upper()}.{tag}", f"{{{row}}}.{tag}", f"{row.replace('-', '')}.{tag}", f"{row}..{tag}", f"{row}:{tag}", f"{row}%2E{tag}", f".{tag}", f"{row}.", tag, row)
    yield from (f"{row}.{tag[::-1]}", f"{row}.{'A' * 43}", f"{row}.{tag.swapcase()}", f"{row[:-1]}0.{tag}", "", "0", "null", "undefined", "true", "[object Object]", "." * 80, "-" * 80, "'" * 80)
    yield from (f"{token},{token}", f"{token}&token={token}", "x" * 60000, "\u200b" + token, token.replace(".", "\u3002"), f"{row}.{tag}#", f"{row}./{tag}")


def test_tok_14_near_misses(server, fresh):
    """TOK-14: no other spelling of a good token is good; padding and unused bits included."""
    for number, text in enumerate(variants(fresh.token)):
        if text in (fresh.token, fresh.token + " ", " " + fresh.token, fresh.token + "\n", fresh.token + "\t"):
            continue  # blanks around a field are no part of it
        answer = verify(server, text)
        problem(answer, 400, "token_invalid")
        assert answer.json()["title"] == "Invalid verification link"
        page = Client(server, address=f"203.0.113.{number}").get("/auth/verify", params={"token": text[:2000]})
        assert page.status_code == 400, repr(text)
    assert enabled(server, fresh) == 0
    assert verify(server, fresh.token).status_code == 200


def test_tok_14_guesses_are_limited(server, fresh):
    """TOK-14: thirty wrong ones in five minutes from one address, by GET, POST, any page; then 429, the right one too."""
    client = Client(server, address="198.51.100.77")
    for number in range(30):
        guess = f"{fresh.token[:36]}.{'A' * 42}{ALPHABET[4 * (number % 16)]}"
        path = ("/auth/verify", "/auth/disown")[number % 2]
        answer = client.json("POST", path, {"token": guess}) if number % 3 else client.json("GET", f"{path}?token={guess}")
        problem(answer, 400, "token_invalid")
    for answer in (client.json("POST", "/auth/verify", {"token": fresh.token}), client.json("GET", f"/auth/verify?token={fresh.token}"),
                   client.json("POST", "/auth/disown", {"token": fresh.disown})):
        problem(answer, 429, "rate_limited")
        assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert enabled(server, fresh) == 0
    assert verify(server, fresh.token).status_code == 200


def test_tok_14_unknown_and_expired_differ_only_with_the_tag(server, fresh):
    """TOK-14: without the right tag, unknown, expired, used and good rows answer alike."""
    seen = set()
    wrong = fresh.token[:37] + "A" * 43
    for change in ("state = 0", "state = 1", "state = 2", "expires = 1"):
        server.db(f"UPDATE token SET {change} WHERE account_id = ?", fresh.id)
        answer = verify(server, wrong)
        seen.add((answer.status_code, answer.text))
    seen.add((verify(server, "00000000-0000-4000-8000-000000000000." + "A" * 43).status_code, answer.text))
    assert len(seen) == 1


def test_tok_18_a_confirmed_account(server, fresh):
    """TOK-18: its link again is 410 used; a resend sends "already confirmed" without a link that acts."""
    assert verify(server, fresh.token).status_code == 200
    server.db("DELETE FROM throttle")
    assert outside(server).json("POST", "/auth/resend", {"email": fresh.email}).status_code == 202
    told = wait_for(lambda: [mail for mail in server.mails(fresh.email) if "Already confirmed" in mail.subject], what="the mail")
    mail = told[0]
    assert "token=" not in mail.text + mail.html
    assert mail.link("login")
    problem(verify(server, fresh.token), 410, "token_used")


def test_tok_the_token_leaves_the_address_bar(server, fresh):
    """PRIV-02: a document request is redirected; every other answer to a URL with a token forbids the Referer."""
    client = Client(server, address="198.51.100.202", browser=True)
    answer = client.get(f"/auth/verify?token={fresh.token}&next=/x")
    assert answer.status_code == 303 and "token" not in answer.headers["Location"] and fresh.token not in answer.headers["Location"]
    cookie = answer.headers["Set-Cookie"]
    assert re.search(r"userauth-link-verify=[^;]+; Path=/; HttpOnly; SameSite=Lax", cookie) and "Max-Age=600" in cookie
    plain = outside(server).get(f"/auth/verify?token={fresh.token}")
    assert plain.status_code == 200 and plain.headers["Referrer-Policy"] == "no-referrer"
    assert not re.search(r"(?:src|href)=\"[^\"]*token", plain.text)


def test_tok_a_planted_link_cookie_is_not_stronger_than_the_form(server, fresh):
    """Beyond the list: an attacker's link opened first does not make the victim confirm the attacker's account."""
    attacker = register(Client(server))
    theirs = server.wait_mail(attacker.email).token("verify")
    victim = Client(server, address="198.51.100.203", browser=True)
    page = victim.follow(victim.get(f"/auth/verify?token={fresh.token}"))
    victim.get(f"/auth/verify?token={theirs}")
    found = the_form(page.text)
    assert victim.post(found["action"], found["hidden"]).status_code == 303
    assert enabled(server, fresh) == 1 and enabled(server, attacker) == 0


def test_tok_a_token_survives_no_key_change(new_server):
    """Beyond the list: with other keys the server does not start on this database; tags are worth nothing elsewhere."""
    one, other = new_server(), new_server()
    person, theirs = register(Client(one)), register(Client(other))
    token = one.wait_mail(person.email).token("verify")
    row = dict(one.db("SELECT * FROM token WHERE account_id = ? AND purpose = 'verify'", person.id)[0]) | {"account_id": theirs.id}
    other.db(f"INSERT INTO token ({','.join(row)}) VALUES ({','.join('?' * len(row))})", *row.values())
    problem(Client(other).json("POST", "/auth/verify", {"token": token}), 400, "token_invalid")
    one.stop()
    (one.folder / "userauth.keys").unlink()
    one.expect_log("UA0001|AH00020|UserAuthKeyFile")
    status, text = one.configtest()
    with pytest.raises(Exception, match="UserAuthKeyFile"):
        one.start()
    assert status in (0, 1) and text
