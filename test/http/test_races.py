"""Races: 64 clients at the same instant, over two nodes of one site. UA_ROUNDS sets the rounds of each case (1000 by hand)."""
import os
from urllib.parse import urlencode

import engines
import pytest
from client import Client
from people import PASSWORD, confirm, fields_of, is_signed_in, letter, register, sign_in, stranger, wait_sent
from races import CONF, MANY, Pair, at_once, headers_of, member, newcomer, no_failure, posts, prepared, rounds, statuses
from server import wait_for


@pytest.fixture(scope="module")
def site(run_folder):
    pair = Pair(run_folder, CONF)
    try:
        yield pair.start()
    finally:
        pair.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    """After each race: no crash, and a sound database (INV-3, INV-8, INV-9)."""
    log_gate.watch(site)
    yield
    site.tell()
    engines.check_sound(site)
    verified = "SELECT id FROM account WHERE enabled = 1 AND NOT EXISTS"
    proof = "(SELECT 1 FROM token t WHERE t.account_id = account.id AND t.purpose = 'verify' AND t.state = 1 AND t.email = account.email)"
    assert site.db(f"{verified} {proof}") == [], "INV-2: verified without a used link for that address"


# ---- RACE-01 ----


@pytest.mark.parametrize("how", ["posts", "own-browser-gets", "posts-and-gets"])
def test_one_link_has_one_winner(site, how):
    """RACE-01, INV-1: 64 uses of one verification link at the same instant: one succeeds, the others are told so."""
    count = rounds(10) if how == "posts" else rounds(3, 4)
    for client in prepared(site, count, newcomer):
        person = client.person
        token = letter(site, person).token("verify")
        gets = [("GET", f"/auth/verify?token={token}", None, headers_of("json", client.cookies))] * MANY
        both = posts("/auth/verify", [{"token": token}] * MANY)
        requests = {"posts": both, "own-browser-gets": gets, "posts-and-gets": both[: MANY // 2] + gets[: MANY // 2]}[how]
        answers = at_once(site, requests)
        no_failure(answers)
        won = [status for status, _ in answers if status in (200, 303)]
        assert len(won) == 1, statuses(answers)
        assert {status for status, _ in answers} - {200, 303} <= {410}, statuses(answers)
        assert {body["code"] for status, body in answers if status == 410 and isinstance(body, dict)} <= {"token_used"}
        events = site.db("SELECT COUNT(*) FROM event WHERE account_id = ? AND kind = 'verified'", person.id)
        assert events[0][0] == 1, "INV-10: one event for one change"
        assert site.db("SELECT enabled FROM account WHERE id = ?", person.id)[0]["enabled"] == 1
        sign_in(Client(site), person)


def test_confirming_and_removing_at_once_have_one_winner(site):
    """RACE-01 over two kinds of links: confirmed or removed, never both."""
    half = MANY // 2
    for client in prepared(site, rounds(5, 2), newcomer):
        person = client.person
        mail = letter(site, person)
        requests = posts("/auth/verify", [{"token": mail.token("verify")}] * half)
        requests += posts("/auth/disown", [{"token": mail.token("disown")}] * half)
        answers = at_once(site, [request for pair in zip(requests[:half], requests[half:]) for request in pair])
        no_failure(answers)
        rows = site.db("SELECT enabled FROM account WHERE id = ?", person.id)
        verified = sum(1 for i, (status, _) in enumerate(answers) if i % 2 == 0 and status in (200, 303))
        removed = sum(1 for i, (status, _) in enumerate(answers) if i % 2 == 1 and status in (200, 303))
        assert verified <= 1 and (rows == [] or rows[0]["enabled"] == 1)
        if verified == 1:
            assert rows, "confirmed, and removed as well"
        else:
            assert rows == [] and removed >= 1


# ---- RACE-03 ----


@pytest.mark.parametrize("same", ["both", "username", "email", "username-case", "email-case"])
def test_one_name_and_one_address_have_one_account(site, same):
    """RACE-03, INV-3: 64 registrations at the same instant: one account, one mail, no 5xx, nothing left over."""
    for _ in range(rounds(1, 5)):
        register_at_once(site, same, stranger())


def register_at_once(site, same, base):
    bodies = []
    for i in range(MANY):
        body = fields_of(base)
        if same == "username":
            body["email"] = f"e{i}.{base.email}"
        elif same == "email":
            body["username"] = f"{base.username}n{i}"
        elif same == "username-case":
            body["username"] = "".join(c.upper() if (i >> n) & 1 else c for n, c in enumerate(base.username))
            body["email"] = f"c{i}.{base.email}"
        elif same == "email-case":
            body["username"] = f"{base.username}n{i}"
            body["email"] = "".join(c.upper() if (i >> n) & 1 else c for n, c in enumerate(base.email))
        bodies.append(body)
    orphans = "SELECT COUNT(*) FROM token WHERE account_id NOT IN (SELECT id FROM account)"
    before = site.db(orphans)[0][0]
    answers = at_once(site, posts("/auth/register", bodies))
    no_failure(answers)
    count = statuses(answers)
    assert count[201] + count[303] == 1 and count[409] == MANY - 1, count
    text = {"both": "email_in_use", "email": "email_in_use", "email-case": "email_in_use"}.get(same, "username_taken")
    assert {body["code"] for status, body in answers if isinstance(body, dict) and status == 409} == {text}
    like = base.username.lower() + "%"
    ids = [row["id"] for row in site.db("SELECT id FROM account WHERE username_key LIKE ? OR email_key LIKE ?", like, "%" + base.email)]
    assert len(ids) == 1
    assert site.db("SELECT COUNT(*) FROM token WHERE account_id = ? AND purpose = 'verify'", ids[0])[0][0] == 1
    assert site.db(orphans)[0][0] == before
    assert site.db("SELECT COUNT(*) FROM outbox WHERE account_id = ?", ids[0])[0][0] == 1
    assert site.db("SELECT COUNT(*) FROM event WHERE account_id = ? AND kind = 'registered'", ids[0])[0][0] == 1


def test_different_people_do_not_hinder_each_other(site):
    """64 strangers at the same instant: 64 accounts, 64 mails."""
    people = [stranger() for _ in range(MANY)]
    answers = at_once(site, posts("/auth/register", [fields_of(person) for person in people]))
    no_failure(answers)
    assert set(statuses(answers)) == {201, 303}
    for person in people:
        wait_sent(site, person.email, seconds=30)
    got = [mail.to for mail in site.mails()]
    assert all(got.count(person.email) == 1 for person in people)


# ---- RACE-05 ----


def test_wrong_passwords_at_once_pass_no_limit(site):
    """RACE-05: at the threshold less one, a hundred wrong passwords in parallel: few are judged, all others wait."""
    for client in prepared(site, rounds(1), member):
        guess_at_once(site, client.person)


def guess_at_once(site, person):
    for _ in range(4):
        answer = Client(site).json("POST", "/auth/login", {"login": person.email, "password": "wrong-horse-battery-1"})
        assert answer.status_code == 401
    bodies = [{"login": person.email, "password": f"wrong-horse-battery-{i}"} for i in range(100)]
    answers = at_once(site, posts("/auth/login", bodies))
    no_failure(answers)
    count = statuses(answers)
    judged = count[401]
    assert 1 <= judged <= 1 + 2 * (os.cpu_count() or 1), count  # each node has so many hashes at once
    assert judged + count[429] == 100, count
    failures = site.db("SELECT failures FROM account WHERE id = ?", person.id)[0]["failures"]
    assert failures == 4 + judged, "the counter is not the failures"
    right = Client(site).json("POST", "/auth/login", {"login": person.email, "password": PASSWORD})
    assert (right.status_code, right.json()["code"]) == (429, "account_locked") and int(right.headers["Retry-After"]) > 0
    assert "userauth" not in right.cookies


def test_right_passwords_at_once_all_pass(site):
    """Design 4: a try counts only after its hash; six right ones in parallel lock nobody out."""
    client = Client(site)
    person = register(client)
    confirm(client, letter(site, person).token("verify"))
    bodies = [{"login": person.email, "password": PASSWORD}] * 24
    answers = at_once(site, posts("/auth/login", bodies))
    no_failure(answers)
    assert set(statuses(answers)) == {200, 303}
    assert site.db("SELECT COUNT(*) FROM session WHERE account_id = ? AND ended = 0", person.id)[0][0] == 24


def test_sessions_at_once_stay_below_their_number(site):
    """The oldest end: at most 50 sessions an account, also when they are made in parallel."""
    for client in prepared(site, rounds(1), member):
        person = client.person
        no_failure(at_once(site, posts("/auth/login", [{"login": person.email, "password": PASSWORD}] * 60)))
        assert site.db("SELECT COUNT(*) FROM session WHERE account_id = ? AND ended = 0", person.id)[0][0] == 50


# ---- RACE-09, RACE-11 ----


def test_resends_at_once_send_one_mail_a_window(site):
    """RACE-09: at most one mail in a minute for strangers, the registration's own counted."""
    for client in prepared(site, rounds(1), newcomer):
        resend_at_once(site, client.person)


def resend_at_once(site, person):
    letter(site, person)
    site.db("UPDATE throttle SET since = since - 61000000, until = 0")  # a minute passes
    answers = at_once(site, posts("/auth/resend", [{"email": person.email}] * MANY))
    no_failure(answers)
    count = statuses(answers)
    assert count[202] + count[303] == 1 and count[429] == MANY - 1, count
    letter(site, person, 2)
    wait_for(lambda: site.db("SELECT COUNT(*) FROM outbox WHERE state = 0")[0][0] == 0, what="an empty outbox")
    mails = site.mails(person.email)
    assert len(mails) == 2
    assert Client(site).json("POST", "/auth/verify", {"token": mails[0].token("verify")}).status_code == 200, "the older link"


def test_nobody_signs_in_before_confirming(site):
    """RACE-11: sign-ins during the registration see no account, or one that is not confirmed."""
    for _ in range(rounds(2)):
        person = stranger()
        requests = posts("/auth/login", [{"login": person.email, "password": PASSWORD}] * (MANY - 1))
        requests.insert(4, posts("/auth/register", [fields_of(person)])[0])
        answers = at_once(site, requests)
        no_failure(answers)
        assert answers.pop(4)[0] == 201
        assert set(statuses(answers)) <= {401, 403, 429}, statuses(answers)
        assert site.db("SELECT COUNT(*) FROM session s JOIN account a ON a.id = s.account_id WHERE a.email = ?", person.email)[0][0] == 0


def test_signing_out_wins_over_requests_under_way(site):
    """RACE-07 in small: once the answer to the sign-out is there, no request with that cookie passes on its node."""
    for client in prepared(site, rounds(5, 10), member):
        sign_in(client, client.person)
        cookie = dict(client.cookies)
        field = client.get("/auth/logout").text.split('name="csrf" value="')[1].split('"')[0]
        out = ("POST", "/auth/logout", urlencode({"csrf": field}), headers_of("form", cookie))
        gets = [("GET", "/dashboard", None, headers_of("json", cookie))] * 31
        answers = at_once(site, gets[:15] + [out] + gets[15:], [site])
        no_failure(answers)
        assert answers[15][0] in (200, 303)
        late = at_once(site, gets, [site])
        assert set(statuses(late)) == {401}, statuses(late)
        assert not is_signed_in(client)
