"""Races around the whole account: reset, change of address and password, refresh tokens, closing. UA_ROUNDS sets the rounds of each
case (1000 by hand), with 64 clients at one instant, over two nodes of one site."""
import http.client
import json
import threading
import time
from collections import Counter

import engines
import pytest
from client import Client
from people import PASSWORD, is_signed_in, join, letter, link_token, sign_in, signed_in, stranger
from races import CONF, MANY, Pair, at_once, member, newcomer, no_failure, posts, prepared, rounds, statuses
from server import wait_for

NEW = "quartz-meadow-lantern-58"


@pytest.fixture(scope="module")
def site(run_folder):
    pair = Pair(run_folder, CONF + "UserAuthMailLimit off\n")
    try:
        yield pair.start()
    finally:
        pair.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    """INV-2, INV-8, INV-9: no crash, a sound database, nobody verified without a used link."""
    log_gate.watch(site)
    yield
    site.tell()
    engines.check_sound(site)
    proof = "(SELECT 1 FROM token t WHERE t.account_id = account.id AND t.purpose IN ('verify', 'reset') AND t.state = 1)"
    assert site.db(f"SELECT id FROM account WHERE enabled = 1 AND NOT EXISTS {proof}") == []


def tokens_of(client, person=None):
    """A sign-in as a program: the API tokens, the cookie beside them."""
    person = person or client.person
    answer = client.json("POST", "/auth/login", {"login": person.username, "password": person.password})
    assert answer.status_code == 200, answer.text
    return answer.json()


def with_session(site):
    """A member's client, signed in: for prepared()."""
    client = yield from member(site)
    sign_in(client, client.person)
    return client


def with_reset_link(site):
    client = yield from member(site)
    Client(site).post("/auth/forgot", {"email": client.person.email})
    yield
    return client.person, link_token(site, client.person.email, "reset")


def ask_reset(site, person):
    """The newest reset link of somebody."""
    Client(site).post("/auth/forgot", {"email": person.email})
    return link_token(site, person.email, "reset")


def count_events(site, person, kind):
    return site.db("SELECT COUNT(*) FROM event WHERE account_id = ? AND kind = ?", person.id, kind)[0][0]


def can_sign_in(site, person, password):
    answer = Client(site).json("POST", "/auth/login", {"login": person.email, "password": password})
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


def test_one_reset_link_has_one_winner(site):
    """RACE-02: 64 uses with 64 passwords: one succeeds, its password works, the others do not; one notice."""
    for person, token in prepared(site, rounds(5), with_reset_link):
        passwords = [f"{NEW}-{i:02d}" for i in range(MANY)]
        answers = at_once(site, posts("/auth/reset", [{"token": token, "password": password} for password in passwords]))
        no_failure(answers)
        winners = [i for i, (status, _) in enumerate(answers) if status in (200, 303)]
        assert len(winners) == 1, statuses(answers)
        assert {status for status, _ in answers} <= {200, 303, 410}, statuses(answers)
        assert can_sign_in(site, person, passwords[winners[0]])
        assert not can_sign_in(site, person, passwords[(winners[0] + 1) % MANY])
        assert not can_sign_in(site, person, PASSWORD)
        assert count_events(site, person, "password_reset") == 1
        notices = site.db("SELECT COUNT(*) FROM outbox WHERE account_id = ? AND kind = 'password-changed'", person.id)
        assert notices[0][0] == 1


@pytest.mark.parametrize("purpose", ["disown", "email", "undo", "restore"])
def test_every_other_link_has_one_winner(site, purpose):
    """RACE-01, INV-1 for the other links."""
    for person, token, body in prepared(site, rounds(2, 4), with_link, purpose):
        answers = at_once(site, posts(f"/auth/{purpose}", [{"token": token, **body}] * MANY))
        no_failure(answers)
        won = [status for status, _ in answers if status in (200, 303)]
        assert len(won) == 1, statuses(answers)
        assert site.db("SELECT COUNT(*) FROM token WHERE account_id = ? AND purpose = ? AND state = 1", person.id, purpose)[0][0] == 1


def with_link(site, purpose):
    """A person with an open link of this purpose, and what its form asks for beside the token."""
    client = yield from with_session(site)
    person, new = client.person, stranger().email
    if purpose == "disown":
        client.json("POST", "/dashboard/password", {"current_password": PASSWORD, "password": NEW})
        yield
        return person, link_token(site, person.email, "disown", after=1), {}
    if purpose == "restore":
        client.json("POST", "/dashboard/close", {"current_password": PASSWORD})
        yield
        return person, link_token(site, person.email, "restore"), {"password": PASSWORD}
    client.json("POST", "/dashboard/profile", {"email": new})
    yield
    token = link_token(site, new, "email")
    if purpose == "email":
        return person, token, {}
    Client(site).json("POST", "/auth/email", {"token": token})
    yield
    return person, link_token(site, person.email, "undo"), {"password": PASSWORD}


def with_own_link(site):
    """Somebody whose change to an address of their own waits for its link, and that address."""
    client = yield from with_session(site)
    own = stranger("own").email
    assert client.json("POST", "/dashboard/profile", {"email": own}).status_code == 200
    yield
    return client, own, link_token(site, own, "email")


def test_a_confirmed_address_is_the_one_of_its_link(site):
    """RACE-04: changes to two addresses at once, beside uses of a link sent to the own one: it never confirms the other."""
    for first, own, token in prepared(site, rounds(3), with_own_link):
        person, victim = first.person, stranger("victim").email
        second = signed_in(site, person)
        requests = []
        for i in range(MANY // 4):
            for email in (own, victim):  # as JSON, which needs no hidden field
                requests += posts("/dashboard/profile", [{"email": email}], (first if i % 2 else second).cookies)
            requests += posts("/auth/email", [{"token": token}] * 2)
        no_failure(at_once(site, requests))
        unsent = "SELECT COUNT(*) FROM outbox WHERE account_id = ? AND state = 0"
        wait_for(lambda who=person.id: site.db(unsent, who)[0][0] == 0, 60, "every mail to be sent")
        mails = [mail for mail in site.mails(own) if "/auth/email?token=" in mail.text]
        for late in {mail.token("email") for mail in mails}:
            Client(site).json("POST", "/auth/email", {"token": late})
        used = {row[0] for row in site.db("SELECT email FROM token WHERE account_id = ? AND purpose = 'email' AND state = 1", person.id)}
        now = site.db("SELECT email FROM account WHERE id = ?", person.id)[0][0]
        assert used <= {own} and now == (own if used else person.email), (used, now)


def test_a_refresh_token_has_one_successor(site):
    """RACE-06: 64 uses at once: the same successor for all who get one; one family; it works once more."""
    for client in prepared(site, rounds(5), with_session):
        old = tokens_of(client)["refresh_token"]
        body = {"refresh_token": old}
        requests = posts("/auth/token", [body] * 2 * MANY)[::2]  # as JSON
        answers = at_once(site, requests)
        no_failure(answers)
        successors = {answer["refresh_token"] for status, answer in answers if status == 200}
        assert len(successors) == 1, statuses(answers)
        assert statuses(answers)[200] == MANY, statuses(answers)
        again = Client(site).json("POST", "/auth/token", {"refresh_token": successors.pop()})
        assert again.status_code == 200
        late = Client(site).json("POST", "/auth/token", body)
        assert late.status_code == 401, "its successor was used: this is a thief"
        assert Client(site).json("POST", "/auth/token", {"refresh_token": again.json()["refresh_token"]}).status_code == 401


class Load:
    """Threads that go on asking, each on a connection of its own, with what was issued before; each answer with the time it was asked at."""

    def __init__(self, site, askers):
        self.site, self.done, self.seen = site, threading.Event(), []
        self.threads = [threading.Thread(target=self._run, args=(asker,)) for asker in askers]

    def _run(self, asker):
        link = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=60)
        while not self.done.is_set():
            began = time.monotonic()
            self.seen.append((began, asker(link)))
        link.close()

    def __enter__(self):
        self.began = time.monotonic()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()
        print(f"load: {len(self.seen) / (time.monotonic() - self.began):.0f} requests a second")

    def wait(self, count):
        have = len(self.seen)
        wait_for(lambda: len(self.seen) >= have + count, 60, "requests of the load")


def ask(link, method, path, body=None, **headers):
    link.request(method, path, body, {"Host": "localhost", "Accept": "application/json", **headers})
    answer = link.getresponse()
    return answer.status, answer.read()


def with_headers(path, **headers):
    """An asker for one page with a cookie or a token."""
    return lambda link: ask(link, "GET", path, **headers)[0]


class Refresher:
    """An asker that goes on renewing its refresh token; the newest stays here."""

    def __init__(self, token):
        self.token = token

    def __call__(self, link):
        body = json.dumps({"refresh_token": self.token})
        status, text = ask(link, "POST", "/auth/token", body, **{"Content-Type": "application/json"})
        if status == 200:
            self.token = json.loads(text)["refresh_token"]
        return status


def askers_of(site, person):
    """Three clients of one person: their cookies and access tokens, asked with all the time, and their refresh tokens, renewed."""
    askers, refreshers = [], []
    for client in [Client(site) for _ in range(3)]:
        tokens = tokens_of(client, person)
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        askers.append(with_headers("/dashboard", Cookie=cookie))
        askers.append(with_headers("/auth/me", Authorization=f"Bearer {tokens['access_token']}"))
        refreshers.append(Refresher(tokens["refresh_token"]))
    return askers, refreshers


@pytest.mark.parametrize("how", ["change", "reset"])
def test_nothing_older_works_after_a_new_password(site, how):
    """RACE-07, INV-5, JWT-09: once the change is answered no request begun later with an older cookie or token gets 2xx."""
    for _ in range(rounds(2, 2)):
        person = join(site)
        askers, refreshers = askers_of(site, person)
        acting = signed_in(site, person)
        link = ask_reset(site, person) if how == "reset" else None
        with Load(site, askers + refreshers) as load:
            load.wait(500)
            if how == "reset":
                answer = Client(site).json("POST", "/auth/reset", {"token": link, "password": NEW})
            else:
                answer = acting.json("POST", "/dashboard/password", {"current_password": PASSWORD, "password": NEW})
            answered = time.monotonic()
            assert answer.status_code == 200, answer.text
            load.wait(500)
        before = Counter(status for began, status in load.seen if began < answered)
        after = Counter(status for began, status in load.seen if began > answered)
        assert before[200] > 0 and set(before) <= {200, 401}, before
        assert set(after) == {401}, after
        for refresher in refreshers:
            assert Client(site).json("POST", "/auth/token", {"refresh_token": refresher.token}).status_code == 401
        assert is_signed_in(acting) == (how == "change")


def holding(site, count=24):
    """Sign-ins of nobody that keep the first node's hash queue busy."""
    nobody = posts("/auth/login", [{"login": f"nobody{i}", "password": NEW} for i in range(count)])
    thread = threading.Thread(target=at_once, args=(site, nobody, [site]))
    thread.start()
    return thread


THIEF = {"password": "password_changed", "close": "closed"}
OWNER = {"disown": "disowned", "others": "session_ended"}


def committed(site, person):
    """The kinds of a person's events in the order of their commits: rows are written by one transaction at a time."""
    return [row["kind"] for row in site.db("SELECT kind FROM event WHERE account_id = ? ORDER BY happened, id", person.id)]


@pytest.mark.parametrize("owner", ["disown", "others"])
@pytest.mark.parametrize("thief", ["password", "close"])
def test_what_waits_ends_with_its_session(site, thief, owner):
    """INV-5: a thief's request that waits for its hash does nothing once the owner was told that everybody is signed out."""
    for robber in prepared(site, rounds(2, 4), with_session):
        person = robber.person
        me = signed_in(site, person)
        token = link_token(site, person.email, "disown", after=1)
        body = {"current_password": PASSWORD, **({"password": NEW} if thief == "password" else {})}
        held = holding(site)
        late = []
        waiting = threading.Thread(target=lambda r=robber, b=body: late.append(r.json("POST", f"/dashboard/{thief}", b)))
        waiting.start()
        if owner == "disown":
            answer = Client(site).json("POST", "/auth/disown", {"token": token})
        else:
            answer = me.json("POST", "/dashboard/sessions", {"others": True})
        for thread in [waiting, held]:
            thread.join()
        status = late[0].status_code
        closed_first = thief == "close" and status == 200  # the links end with the account
        assert answer.status_code in ((200, 400, 401) if closed_first else (200, 401)), answer.text
        if answer.status_code == 200:
            done = committed(site, person)
            assert status == 401 or done.index(THIEF[thief]) < done.index(OWNER[owner]), done
            assert status == 200 or not can_sign_in(site, person, NEW)
            assert not is_signed_in(robber)


def test_closing_wins_over_everything_at_once(site):
    """RACE-10: closed in parallel with sign-ins, refreshes, resets and edits: nothing is open afterwards."""
    for client in prepared(site, rounds(2), with_session):
        person = client.person
        token = tokens_of(Client(site), person)
        cookie = client.cookies
        requests = posts("/dashboard/close", [{"current_password": PASSWORD}], cookie)
        requests += posts("/auth/login", [{"login": person.username, "password": PASSWORD}] * 15)
        requests += posts("/auth/token", [{"refresh_token": token["refresh_token"]}] * 16)
        requests += posts("/auth/forgot", [{"email": person.email}] * 16)
        requests += posts("/dashboard/profile", [{"display_name": "Somebody"}] * 16, cookie)
        answers = at_once(site, requests)
        no_failure(answers)
        assert answers[0][0] == 200, answers[0]
        row = site.db("SELECT enabled, closed FROM account WHERE id = ?", person.id)[0]
        assert row["enabled"] == 0 and row["closed"] > 0
        assert site.db("SELECT COUNT(*) FROM session WHERE account_id = ? AND ended = 0", person.id)[0][0] == 0
        assert not can_sign_in(site, person, PASSWORD)


def test_a_code_has_five_tries(site):
    """RACE-05 for the 8 digits: 64 wrong ones at once count as five, and the right one comes too late."""
    (client,) = prepared(site, 1, newcomer)
    person = client.person
    code = letter(site, person).code
    wrong = [f"{(int(code) + 1 + i) % 10**8:08d}" for i in range(MANY)]
    answers = at_once(site, posts("/auth/verify", [{"code": digits} for digits in wrong], client.cookies))
    no_failure(answers)
    assert {status for status, _ in answers} <= {422, 429, 403}, statuses(answers)
    assert client.json("POST", "/auth/verify", {"code": code}).status_code in (422, 429)
    assert client.json("POST", "/auth/verify", {"token": letter(site, person).token("verify")}).status_code == 200
    sign_in(Client(site), person)
