"""The wait after failed passwords, the device cookie that does not feel it, and the limits per client address."""
import pytest
from client import Client
from pages import problem, refused
from people import PASSWORD, is_signed_in, join, signed_in, stranger
from server import Server, wait_for

WRONG = "wrong-" + PASSWORD


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf="UserAuthRateLimit login off\nUserAuthLockAfter 3\nUserAuthLockWait 2s\n")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def person(site):
    return join(site)


def log_in(client, login, password=PASSWORD):
    return client.json("POST", "/auth/login", {"login": login, "password": password})


def lock(site, login, times=3):
    """Fails until the wait begins."""
    for _ in range(times):
        problem(log_in(Client(site), login, WRONG), 401, "invalid_credentials", "Invalid email or password")


def test_a_wait_and_its_end(site, person):
    """The right password is refused too; afterwards it works, and the count is gone."""
    lock(site, person.username)
    answer = log_in(Client(site), person.username)
    body = problem(answer, 429, "account_locked")
    assert 1 <= int(answer.headers["Retry-After"]) <= 2
    assert body["detail"]
    refused(Client(site).form("/auth/login", {"login": person.username, "password": PASSWORD}), 429)
    wait_for(lambda: log_in(Client(site), person.username).status_code == 200, what="the wait to end")
    lock(site, person.username, 2)
    assert log_in(Client(site), person.username).status_code == 200, "the success did not clear the count"


def test_known_and_unknown_alike(site, person):
    """ENUM-01, BF-14"""
    answers = []
    for login in (person.username, stranger().username, stranger().email):
        lock(site, login)
        answer = log_in(Client(site), login)
        problem(answer, 429, "account_locked")
        answers.append(answer)
    assert len({tuple(sorted(answer.json())) for answer in answers}) == 1
    assert len({answer.json()["title"] for answer in answers}) == 1
    assert len({tuple(k for k in answer.headers if k != "Keep-Alive") for answer in answers}) == 1


def test_a_try_during_a_wait_counts_nothing(site, person):
    """Only the failures after the wait double it."""
    lock(site, person.username)
    for _ in range(10):
        log_in(Client(site), person.username, WRONG)
    wait_for(lambda: log_in(Client(site), person.username, WRONG).status_code == 401, what="the wait to end")
    answer = log_in(Client(site), person.username)
    problem(answer, 429, "account_locked")
    assert 3 <= int(answer.headers["Retry-After"]) <= 4, "the second wait is twice the first"


def test_spellings_of_one_name_share_a_count(site, person):
    """Normalised: case does not help; the address has a count of its own."""
    for login in (person.username, person.username.upper(), person.username.title()):
        lock(site, login, 1)
    problem(log_in(Client(site), person.username), 429, "account_locked")
    assert log_in(Client(site), person.email).status_code == 200


def test_a_known_browser_neither_feels_nor_feeds_the_wait(site, person):
    known = signed_in(site, person)
    lock(site, person.username)
    problem(log_in(Client(site), person.username), 429, "account_locked")
    assert log_in(known, person.username).status_code == 200, "the owner's browser felt the wait"
    other = join(site)
    second = signed_in(site, other)
    for _ in range(3):
        problem(log_in(second, other.username, WRONG), 401, "invalid_credentials")
    problem(log_in(second, other.username), 429, "account_locked")
    assert log_in(Client(site), other.username).status_code == 200, "the browser's failures fed the account's wait"


@pytest.mark.parametrize("value", ["A" * 43, "", "x", "other"])
def test_a_device_cookie_that_is_not_this_account_s(site, person, value):
    if value == "other":
        value = signed_in(site, join(site)).cookies["userauth-device"]
    lock(site, person.username)
    answer = Client(site).json(
        "POST", "/auth/login", {"login": person.username, "password": PASSWORD}, headers={"Cookie": f"userauth-device={value}"}
    )
    problem(answer, 429, "account_locked")


def test_a_wait_ends_no_session(site, person):
    client = signed_in(site, person)
    lock(site, person.username)
    problem(log_in(Client(site), person.username), 429, "account_locked")
    assert is_signed_in(client)


def test_a_wait_is_not_kept_in_memory(new_server):
    """BF-11: it outlives a restart."""
    server = new_server(conf="UserAuthLockAfter 2\nUserAuthLockWait 1h\n")
    name = stranger().username
    lock(server, name, 2)
    server.restart()
    answer = log_in(Client(server), name)
    problem(answer, 429, "account_locked")
    assert 3000 <= int(answer.headers["Retry-After"]) <= 3600


def test_after_fifty_failures_only_a_reset_helps(new_server):
    """Here after four; known and unknown names are told the same."""
    server = new_server(conf="UserAuthRateLimit login off\nUserAuthLockAfter 1000\nUserAuthLockDisable 4\n")
    person, nobody = join(server), stranger()
    for login in (person.username, nobody.username):
        lock(server, login, 4)
        answer = log_in(Client(server), login)
        problem(answer, 429, "account_locked")
        assert int(answer.headers["Retry-After"]) == 3600
    answer = log_in(Client(server), person.email)
    problem(answer, 429, "account_locked")
    assert int(answer.headers["Retry-After"]) == 3600, "the number of failures is the account's, by whatever name"


def test_failures_per_client_address(new_server):
    """BF: many names from one address; a success neither counts nor clears."""
    server = new_server(conf="UserAuthRateLimit login 4/1h\n")
    person = join(server)
    client = Client(server, address="203.0.113.90")
    for _ in range(6):
        assert log_in(client, person.username).status_code == 200
    for _ in range(4):
        assert log_in(client, stranger().username, WRONG).status_code == 401
        log_in(client, person.username)
    answer = log_in(client, person.username)
    problem(answer, 429, "rate_limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600
    refused(Client(server, address="203.0.113.90").form("/auth/login", {"login": "x", "password": "y"}), 429)
    assert log_in(Client(server, address="203.0.113.91"), person.username).status_code == 200


def test_a_forged_address_is_not_believed(new_server):
    """HOST-04: only mod_remoteip says who the client is."""
    server = new_server(conf="UserAuthRateLimit login 3/1h\n")
    for i in range(3):
        headers = {"X-Forwarded-For": f"192.0.2.{i}", "Forwarded": f"for=192.0.2.{i}", "X-Real-IP": f"192.0.2.{i}"}
        client = Client(server, address="203.0.113.92")
        client.session.headers.update(headers)
        assert log_in(client, stranger().username, WRONG).status_code == 401
    client.session.headers["X-Forwarded-For"] = "192.0.2.99"
    problem(log_in(client, stranger().username, WRONG), 429, "rate_limited")


def test_a_limit_that_is_over_lets_one_in_again(new_server):
    server = new_server(conf="UserAuthRateLimit login 2/2s\n")
    client = Client(server)
    codes = [log_in(client, stranger().username, WRONG).status_code for _ in range(3)]
    assert codes == [401, 401, 429]
    wait_for(lambda: log_in(client, stranger().username, WRONG).status_code == 401, what="the limit to pass")


def test_off_is_off(new_server):
    kinds = ("login", "register", "token", "mail")
    lines = [f"UserAuthRateLimit {kind} off" for kind in kinds]
    server = new_server(conf="\n".join([*lines, "UserAuthMailLimit off", "UserAuthLockAfter 1000", ""]))
    client = Client(server, address="203.0.113.93")
    taken = {"username": "abc", "email": "a@example.org", "password": PASSWORD}
    tries = {
        "login": lambda: log_in(client, stranger().username, WRONG),
        "register": lambda: client.json("POST", "/auth/register", taken),
        "token": lambda: client.json("POST", "/auth/verify", {"token": "x"}),
        "mail": lambda: client.json("POST", "/auth/resend", {"email": "a@example.org"}),
    }
    for kind in kinds:
        assert 429 not in {tries[kind]().status_code for _ in range(32)}, kind


def test_a_later_line_for_one_kind_leaves_the_others(new_server):
    server = new_server(conf="UserAuthRateLimit login 1/1h\nUserAuthRateLimit token 2/1h\nUserAuthRateLimit login 2/1h\n")
    client = Client(server)
    assert [log_in(client, stranger().username, WRONG).status_code for _ in range(3)] == [401, 401, 429]
    assert [client.json("POST", "/auth/verify", {"token": "x"}).status_code for _ in range(3)] == [400, 400, 429]
