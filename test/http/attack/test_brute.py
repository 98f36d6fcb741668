"""Guessing passwords and using up the server (BF-01..16): waits, limits, the bound on hashes."""
import threading
import time

import pytest

from attacks import answers, connect, exchange, forget_peaks, pairs, peaks, post, problem, received
from client import Client, new_address
from people import is_signed_in, join, register, signed_in, stranger
from server import wait_for

WRONG = "not-the-password-at-all"


@pytest.fixture
def person(server):
    return join(server)


def attempt(server, login, password=WRONG, client=None, **kwargs):
    return (client or Client(server)).json("POST", "/auth/login", {"login": login, "password": password}, **kwargs)


def waits_over(server):
    """What an attacker does by waiting: every wait is past, no count is forgotten."""
    server.db("UPDATE throttle SET until = 0 WHERE name LIKE 'login:%' OR name LIKE 'device:%'")


def failures(server, person):
    return server.db("SELECT failures FROM account WHERE id = ?", person.id)[0][0]


def test_bf_01_the_password_is_disabled(server, person):
    """BF-01, BF-02: an attacker who waits each time gets 50 tries from any addresses; then only a reset helps."""
    for number in range(1, 13):
        answer = attempt(server, person.username if number % 2 else person.email)
        assert answer.status_code == 401, f"try {number}: {answer.status_code}"
        waits_over(server)
        if number == 6:
            assert failures(server, person) == 6
            server.db("UPDATE account SET failures = 44 WHERE id = ?", person.id)
    for login in (person.username, person.email, person.username.upper()):
        for password in (person.password, WRONG):
            answer = attempt(server, login, password)
            problem(answer, 429, "account_locked")
            assert answer.headers["Retry-After"] == "3600"
    assert failures(server, person) == 50


def test_bf_01_the_waits_are_the_contracts(server, person):
    """BF-01: 30, 60, 120, … 3600 seconds after the fifth, sixth, … failure; refused tries count nothing."""
    told = []
    for number in range(1, 14):
        assert attempt(server, person.email).status_code == 401
        if number >= 5:
            for _ in range(3):
                refused = attempt(server, person.email, person.password)
                problem(refused, 429, "account_locked")
            told.append(int(refused.headers["Retry-After"]))
            waits_over(server)
    assert failures(server, person) == 13
    for wait, expected in zip(told, (30, 60, 120, 240, 480, 960, 1920, 3600, 3600)):
        assert expected - 5 <= wait <= expected, told


def test_bf_02_spellings_share_one_count(server, person):
    """BF-02: case and blanks around a name give no new tries."""
    forms = (person.email, person.email.upper(), f" {person.email} ", person.email.title(), f"\t{person.email}")
    for login in forms:
        assert attempt(server, login).status_code == 401
    for login in forms:
        problem(attempt(server, login), 429, "account_locked")
    assert failures(server, person) == 5


def test_bf_02_one_count_for_html_json_and_aliases(server, person):
    """BF-02: the form, JSON and the accepted names of the field are one door."""
    client = Client(server)
    tries = [
        lambda: client.post("/auth/login", {"login": person.username, "password": WRONG}),
        lambda: client.post("/auth/login", {"username": person.username, "password": WRONG}),
        lambda: client.post("/auth/login", {"email": person.username, "password": WRONG}),
        lambda: client.json("POST", "/auth/login", {"username": person.username, "password": WRONG}),
        lambda: client.form("/auth/login", {"login": person.username, "password": WRONG}),
    ]
    assert [one().status_code for one in tries] == [401] * 5
    assert [one().status_code for one in tries] == [429] * 5


def test_bf_03_one_address_many_accounts(server):
    """BF-03: 30 failures from one address in 5 minutes, whatever the names; the right password does not pass then."""
    person, client = join(server), Client(server)
    for number in range(30):
        assert attempt(server, f"nobody-{number}", client=client).status_code == 401
    for login, password in (("nobody-x", WRONG), (person.email, person.password)):
        answer = attempt(server, login, password, client)
        problem(answer, 429, "rate_limited")
        assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert attempt(server, person.email, person.password).status_code == 200  # from elsewhere
    assert server.db("SELECT COUNT(*) FROM event WHERE kind = 'login_failed' AND address = ?", client.address)[0][0] == 30


def test_bf_03_parallel_tries_do_not_pass_the_limit(server):
    """BF-03, beyond the list: sixty tries at once from one address are not sixty guesses."""
    address, found = new_address(), []
    numbers = iter(range(60))

    def run():
        client = Client(server, address=address)
        for number in numbers_taken():
            found.append(attempt(server, f"spray-{number}", client=client).status_code)

    lock = threading.Lock()

    def numbers_taken():
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            yield number

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 60 and set(found) <= {401, 429}
    assert found.count(401) <= 34, f"{found.count(401)} guesses were judged"


def test_bf_03_a_body_that_comes_late_opens_no_new_window(new_server):
    """BF-03, beyond the list: requests begun before the window neither pass its limit nor make it begin again."""
    one, address = new_server(conf="UserAuthRateLimit login 3/3s\n"), new_address()
    data = post("/auth/login", pairs(login="nobody-slow", password=WRONG), [("X-Test-Address", address)])
    links = [connect(one) for _ in range(2)]
    for link in links:
        link.sendall(data[:-1])
    passed = time.monotonic() + 3.2
    wait_for(lambda: time.monotonic() > passed, 5, "the end of the window")
    client, seen = Client(one, address=address), []
    seen += [attempt(one, "nobody-fast", client=client).status_code for _ in range(4)]
    for link in links:
        link.sendall(data[-1:])
        seen.append(answers(received(link))[0].status)
        link.close()
    seen.append(attempt(one, "nobody-fast", client=client).status_code)
    assert seen == [401] * 3 + [429] * 4


def test_bf_04_own_success_does_not_clear_the_address(new_server):
    """BF-04: the attacker's own good sign-ins between the guesses do not reset the address's limit."""
    one = new_server(conf="UserAuthRateLimit login 8/5m\n")
    own, client, seen = join(one), Client(one), []
    for number in range(10):
        seen.append(attempt(one, f"victim-{number}", client=client).status_code)
        if number % 3 == 0:
            attempt(one, own.email, own.password, client)
            client.session.cookies.clear()
    assert seen == [401] * 8 + [429] * 2


def test_bf_04_own_success_does_not_clear_the_victim(server, person):
    """BF-04: nor does it reset the victim's wait; the attacker's device cookie is nobody else's."""
    attacker = signed_in(server)
    attacker.session.cookies.pop("userauth")
    device = attacker.cookies["userauth-device"]
    for _ in range(5):
        assert attempt(server, person.email, client=attacker).status_code == 401
        Client(server).json("POST", "/auth/login", {"login": attacker.person.email, "password": attacker.person.password},
                            headers={"Cookie": f"userauth-device={device}"})
    problem(attempt(server, person.email, client=attacker), 429, "account_locked")


def test_bf_05_the_known_browser_gets_in(server, person):
    """BF-05: a stranger's failures do not shut out the browser the person used before; its own do."""
    known = signed_in(server, person)
    known.session.cookies.pop("userauth")
    for _ in range(7):
        attempt(server, person.email)
        waits_over(server)
    attempt(server, person.email)
    problem(attempt(server, person.email, person.password), 429, "account_locked")
    answer = attempt(server, person.email, person.password, known)
    assert answer.status_code == 200
    known.session.cookies.pop("userauth")
    for _ in range(5):
        assert attempt(server, person.email, client=known).status_code == 401
    problem(attempt(server, person.email, person.password, known), 429, "account_locked")
    assert is_signed_in(signed_in(server, person))  # other browsers do not feel it


def test_bf_05_a_known_browser_is_bounded_too(server, person):
    """BF-05: with strangers' and devices' failures together, a hundred disable the password."""
    known = signed_in(server, person)
    known.session.cookies.pop("userauth")
    server.db("UPDATE account SET failures = 49, device_failures = 50 WHERE id = ?", person.id)
    assert attempt(server, person.email, client=known).status_code == 401
    problem(attempt(server, person.email, person.password, known), 429, "account_locked")


def test_bf_05_waits_end_no_session(server, person):
    """BF-05: a stranger's failures sign nobody out."""
    client = signed_in(server, person)
    for _ in range(6):
        attempt(server, person.email)
    server.db("UPDATE account SET failures = 50 WHERE id = ?", person.id)
    assert is_signed_in(client)


def test_bf_07_a_flood_is_bounded(new_server):
    """BF-07: with one hash at a time and a short queue, a burst gets 503 with Retry-After; pages go on, memory too."""
    one = new_server(conf="UserAuthHashConcurrency 1\nUserAuthHashQueue 2\nUserAuthRateLimit login off\n"
                          "UserAuthPasswordHash m=65536,t=4,p=1\n")
    one.expect_log("UA0101.*login")
    Client(one).get("/auth/login")
    forget_peaks(one)
    before, found = peaks(one), []

    def run(number):
        answer = attempt(one, f"flood-{number}")
        found.append((answer.status_code, answer.headers.get("Retry-After")))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    assert Client(one).get("/auth/login", timeout=20).status_code == 200
    for thread in threads:
        thread.join()
    statuses = [status for status, _ in found]
    assert set(statuses) == {401, 503}, statuses
    assert all(retry and int(retry) > 0 for status, retry in found if status == 503)
    after = peaks(one)
    grown = sum(size - before.get(pid, size) for pid, size in after.items())
    # Each child's peak holds one hash of 64 MiB at most, though never two children at once.
    assert grown < (len(after) * 64 + 48) << 20, f"{grown >> 20} MiB in {len(after)} processes"
    assert attempt(one, "flood-after").status_code == 401  # no slot was lost


@pytest.mark.parametrize("length", [257, 1025, 5000, 20000])
def test_bf_08_long_passwords_are_not_hashed(server, unchanged, length):
    """BF-08: over 256 characters: a field error before any work, the same for known and unknown names."""
    person = join(server)
    unchanged.start()
    for login in (person.email, "nobody-at-all"):
        for text in ("a" * length, "\u4e00" * min(length, 10000)):
            problem(attempt(server, login, text), 422, "invalid_fields")
    new = stranger()
    answer = Client(server).json("POST", "/auth/register", {"username": new.username, "email": new.email, "password": "x1-" * (length // 3 + 1)})
    assert answer.status_code == 422 and "password" in answer.json()["errors"]
    assert failures(server, person) == 0


@pytest.mark.parametrize("size", [1 << 20, 8 << 20])
def test_bf_08_megabytes_are_not_read(server, size):
    """BF-08: 1 MB and more is 413."""
    for found in (exchange(server, post("/auth/login", pairs(login="x", password="a" * size))),
                  exchange(server, post("/auth/register", pairs(username="x", password="b" * size)))):
        assert [answer.status for answer in found] in ([413], [])


def server_seconds(server):
    """Processor time of all children so far, in clock ticks of 10 ms."""
    total = 0
    for pid in server.children():
        fields = open(f"/proc/{pid}/stat", encoding="ascii", errors="replace").read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / 100


def test_bf_08_a_form_full_of_words_costs_little(server):
    """BF-08, beyond the list: huge names beside a password are not made its dictionary.

    Ten forms of 60 KB may not cost more processor time than ten hashes would, twenty times over.
    """
    word, client = "qwertzuiop-", Client(server)
    long = (word * 6000)[:30000]
    spent = server_seconds(server)
    for number in range(10):
        answer = client.json("POST", "/auth/register", {"username": f"n{number}", "email": long, "display_name": long, "password": (word * 30)[:256]})
        assert answer.status_code == 422
    spent = server_seconds(server) - spent
    assert spent < 4, f"{spent:.1f} s of processor time for ten refused forms"


@pytest.mark.parametrize("template", ["2001:db8:1:2::{:x}", "2001:db8:1:3:{:x}::1"])
def test_bf_10_one_ipv6_network_is_one_client(server, template):
    """BF-10: addresses of one /64 share the limit; the next /64 has its own."""
    for number in range(31):
        client = Client(server, address=template.format(number + 1))
        answer = client.json("POST", "/auth/verify", {"token": "x"})
        assert answer.status_code == (400 if number < 30 else 429), number
    assert Client(server, address="2001:db8:1:9::1").json("POST", "/auth/verify", {"token": "x"}).status_code == 400


def test_bf_10_mapped_ipv4_is_ipv4(server):
    """BF-10: ::ffff:a.b.c.d are not all one network, nor a way around a.b.c.d's limit."""
    addresses = ["::ffff:198.51.100.7", "198.51.100.7"]
    for number in range(30):
        Client(server, address=addresses[number % 2]).json("POST", "/auth/verify", {"token": "x"})
    assert Client(server, address=addresses[0]).json("POST", "/auth/verify", {"token": "x"}).status_code == 429
    assert Client(server, address=addresses[1]).json("POST", "/auth/verify", {"token": "x"}).status_code == 429
    assert Client(server, address="::ffff:198.51.100.8").json("POST", "/auth/verify", {"token": "x"}).status_code == 400


def test_bf_11_a_wait_outlives_restarts(new_server):
    """BF-11: graceful and full restart forget neither the wait nor the address's limit."""
    one = new_server(conf="UserAuthRateLimit login 7/5m\n")
    person, spammer = join(one), Client(one)
    for number in range(7):
        attempt(one, person.email if number < 5 else f"nobody-{number}", client=spammer)
    problem(attempt(one, person.email, person.password), 429, "account_locked")
    spammer.session.close()  # an old child of mpm_worker that waits for its next request would hold up the full restart
    one.graceful()
    problem(attempt(one, person.email, person.password), 429, "account_locked")
    one.restart()
    problem(attempt(one, person.email, person.password), 429, "account_locked")
    problem(attempt(one, "nobody-else", client=Client(one, address=spammer.address)), 429, "rate_limited")


POLICY = {
    "7 characters": ("xK9$vq2", False), "8, random": ("xK9$vq2#", True), "common": ("password1234", False), "keyboard": ("qwertyuiop123", False),
    "one letter": ("a" * 40, False), "blanks": (" " * 20, False), "digits": ("12345678901234", False), "words": ("purple-monkey-dishwasher-92", True),
    "no digit, no capital": ("velvet otter pretends moonlight", True), "only digits, random": ("83920175264938", True), "dates": ("19901990", False),
    "the site's name": ("example-example", False), "emoji": ("\U0001f40c\U0001f9ca\U0001fab4\U0001f3ba\U0001f6f6\U0001f9ff\U0001f5dd\U0001f9ed", True),
}


@pytest.mark.parametrize("name", POLICY)
def test_bf_15_password_policy(server, name):
    """BF-15: guessable ones are refused with a reason and a way out; no rule of composition."""
    text, fine = POLICY[name]
    person = stranger("policy")
    answer = Client(server).json("POST", "/auth/register", {"username": person.username, "email": person.email, "password": text})
    if fine:
        assert answer.status_code == 201, answer.text
    else:
        assert answer.status_code == 422 and answer.json()["code"] in ("weak_password", "invalid_fields")
        assert answer.json()["errors"]["password"]
        if answer.json()["code"] == "weak_password" and "suggestion" in answer.json():
            again = {"username": person.username, "email": person.email, "password": answer.json()["suggestion"]}
            assert Client(server).json("POST", "/auth/register", again).status_code == 201


def test_bf_15_own_names_are_no_password(server):
    """BF-15: username, address and display name, plain, doubled, turned round or with a digit behind them."""
    person = stranger("ottokar")
    person.display_name = "Wilhelmina Ottokar"
    for text in (person.username, person.email, person.username + "1", person.username.upper(), person.username[::-1], "wilhelmina1", "Wilhelmina Ottokar"):
        fields = {"username": person.username, "email": person.email, "display_name": person.display_name, "password": text}
        answer = Client(server).json("POST", "/auth/register", fields)
        assert answer.status_code == 422 and "password" in answer.json()["errors"], text


def test_bf_16_rehash_under_parallel_logins(new_server):
    """BF-16: raised parameters: parallel sign-ins all succeed, the row changes to the new ones, the password stays."""
    one = new_server(conf="UserAuthPasswordHash m=19456,t=2,p=1\n")
    person = join(one)
    old = one.db("SELECT password_hash FROM account WHERE id = ?", person.id)[0][0]
    one.conf = "UserAuthPasswordHash m=19456,t=3,p=1\n"
    one.restart()
    found = []
    threads = [threading.Thread(target=lambda: found.append(attempt(one, person.email, person.password).status_code)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 8
    new = one.db("SELECT password_hash FROM account WHERE id = ?", person.id)[0][0]
    assert new != old and "t=3" in new
    assert attempt(one, person.email, person.password).status_code == 200
    assert attempt(one, person.email).status_code == 401


def test_bf_registrations_are_limited(server):
    """Beyond the list: 20 registrations an hour and address, taken names counted; 422 are free."""
    client = Client(server)
    taken = register(Client(server))
    for number in range(20):
        person = stranger("mass")
        fields = {"username": person.username, "email": person.email, "password": person.password}
        if number % 3 == 0:
            fields["email"] = taken.email
        assert client.json("POST", "/auth/register", fields).status_code == (409 if number % 3 == 0 else 201)
    person = stranger("mass")
    fields = {"username": person.username, "email": person.email, "password": person.password}
    problem(client.json("POST", "/auth/register", fields), 429, "rate_limited")
    problem(client.json("POST", "/auth/register", {**fields, "email": taken.email}), 429, "rate_limited")
    assert not server.db("SELECT id FROM account WHERE username = ?", person.username)


def test_bf_mail_cannot_be_poured_on_one_address(server):
    """MAIL-01 in small: many clients, one victim: one mail a minute at most, whatever the spelling."""
    victim = register(Client(server))
    server.wait_mail(victim.email)
    for text in (victim.email, victim.email.upper(), f" {victim.email}", victim.email.title()):
        problem(Client(server).json("POST", "/auth/resend", {"email": text}), 429, "rate_limited")
    assert len(server.db("SELECT id FROM outbox WHERE account_id = ?", victim.id)) == 1
