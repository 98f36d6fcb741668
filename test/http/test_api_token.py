"""/auth/token: access tokens renewed by refresh tokens, or given to a browser's session (contract 5)."""
import threading

import pytest
from client import Client
from pages import problem
from people import PASSWORD, signed_in
from server import Server
from tokens import bearer, check, log_in, no_good, renew

ACCEPT_JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf="UserAuthRateLimit token off\n")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def client(site):
    return Client(site)


def is_let_in(client, access):
    return client.get("/dashboard", headers={**bearer(access), **ACCEPT_JSON}).status_code == 200


def test_a_chain_of_renewals(site, client):
    own = log_in(site)
    first = check(site, own.access)
    refresh = own.refresh
    for _ in range(5):
        answer = renew(client, refresh)
        assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/json"
        said = answer.json()
        assert set(said) == {"message", "token_type", "access_token", "expires_in", "refresh_token", "user"}
        assert (said["user"]["id"], said["user"]["email"], said["user"]["email_verified"]) == (own.person.id, own.person.email, True)
        assert (said["token_type"], said["expires_in"]) == ("Bearer", 300)
        assert said["refresh_token"] != refresh and "Set-Cookie" not in answer.headers
        claims = check(site, said["access_token"])
        assert claims["sid"] == first["sid"] and claims["sub"] == own.person.id and claims["jti"] != first["jti"]
        assert claims["auth_time"] == first["auth_time"]
        assert is_let_in(client, said["access_token"])
        refresh = said["refresh_token"]


def test_as_oauth_clients_send_it(site, client):
    answer = client.post("/auth/token", {"grant_type": "refresh_token", "refresh_token": log_in(site).refresh})
    assert answer.status_code == 200 and answer.json()["refresh_token"]


def test_32_at_once_get_one_successor(site):
    """RACE-06"""
    own = log_in(site)
    for _ in range(5):
        answers = []
        start = threading.Barrier(32)

        def use():
            client = Client(site)
            start.wait()
            answers.append(renew(client, own.refresh))

        threads = [threading.Thread(target=use) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {answer.status_code for answer in answers} == {200}
        successors = {answer.json()["refresh_token"] for answer in answers}
        assert len(successors) == 1
        own.refresh = successors.pop()
    sid = check(site, own.access)["sid"]
    unused = site.db("SELECT COUNT(*) AS n FROM refresh WHERE session_id = ? AND used = 0", sid)
    assert unused[0]["n"] == 1


def test_a_reused_one_ends_the_session(site, client):
    """JWT-10: as soon as the successor was used."""
    own = log_in(site)
    second = renew(client, own.refresh).json()
    third = renew(client, second["refresh_token"]).json()
    assert is_let_in(client, third["access_token"])
    problem(no_good(renew(client, own.refresh)), 401, "login_required")
    for access in (own.access, second["access_token"], third["access_token"]):
        no_good(client.get("/dashboard", headers=bearer(access)))
    no_good(renew(client, third["refresh_token"]))
    assert Client(site).get("/dashboard", headers={"Cookie": f"userauth={own.cookie}"}).status_code == 303
    events = [row["kind"] for row in site.db("SELECT kind FROM event WHERE account_id = ?", own.person.id)]
    assert events.count("refresh_reused") == 1


def test_nothing_else_is_one(site, client):
    """JWT-08, JWT-12"""
    own = log_in(site)
    sid = check(site, own.access)["sid"]
    for wrong in (own.access, own.cookie, sid, own.refresh + "=", own.refresh[:-1], own.refresh.swapcase(), "A" * 43, "'"):
        answer = no_good(renew(client, wrong))
        assert wrong == "'" or wrong not in answer.text
    for body in ({"refresh_token": None}, {"refresh_token": 5}, {"refresh_token": [own.refresh]}):
        assert client.json("POST", "/auth/token", body).status_code == 400
    assert renew(client, own.refresh).status_code == 200


def test_for_the_cookie_of_a_session(site):
    """Same-origin JSON, nothing in it."""
    client = signed_in(site)
    answer = client.json("POST", "/auth/token", {}, headers={"Sec-Fetch-Site": "same-origin", "Origin": site.base})
    assert answer.status_code == 200
    assert set(answer.json()) == {"message", "token_type", "access_token", "expires_in", "user"}
    stranger = Client(site)
    assert is_let_in(stranger, answer.json()["access_token"])
    for foreign in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.example"}):
        problem(client.json("POST", "/auth/token", {}, headers=foreign), 403, "csrf")
    for form in ({}, {"x": "y"}):
        problem(client.post("/auth/token", form, headers=ACCEPT_JSON), 403, "csrf")
    assert client.form("/auth/logout", {}).status_code == 303
    assert not is_let_in(stranger, answer.json()["access_token"])
    assert client.json("POST", "/auth/token", {}).status_code == 401


def test_not_without_either(site, client):
    answer = client.json("POST", "/auth/token", {})
    problem(answer, 401, "login_required")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    answer = client.json("POST", "/auth/token", {}, headers=bearer(log_in(site).access))
    assert answer.status_code == 401  # an access token does not prolong itself


def test_only_by_post(site, client):
    own = log_in(site)
    answer = client.get(f"/auth/token?refresh_token={own.refresh}")
    assert answer.status_code == 405 and answer.headers["Allow"] == "POST, OPTIONS"
    answer = client.json("POST", f"/auth/token?refresh_token={own.refresh}", {})
    assert answer.status_code == 401


def test_after_the_cookie_was_signed_out(site, client):
    """Contract 5: logout ends both."""
    own = log_in(site)
    answer = client.json("POST", "/auth/logout", {}, headers={"Cookie": f"userauth={own.cookie}"})
    assert answer.status_code == 200
    no_good(renew(client, own.refresh))
    no_good(client.get("/dashboard", headers=bearer(own.access)))


def test_a_second_sign_in_is_a_second_session(site, client):
    own = log_in(site)
    other = log_in(site, own.person)
    assert check(site, own.access)["sid"] != check(site, other.access)["sid"]
    assert client.json("POST", "/auth/logout", {}, headers=bearer(own.access)).status_code == 200
    no_good(renew(client, own.refresh))
    assert renew(client, other.refresh).status_code == 200


def test_guesses_are_limited(new_server):
    """Contract 8: failed token checks 30/5m."""
    server = new_server()
    own = log_in(server)
    client = Client(server)
    seen = [renew(client, "x").status_code for _ in range(35)]
    assert seen == [401] * 30 + [429] * 5
    problem(renew(client, own.refresh), 429, "rate_limited")
    assert renew(Client(server), own.refresh).status_code == 200


def test_secrets_stay_out_of_rows_and_logs(site, client):
    """INV-6"""
    own = log_in(site)
    second = renew(client, own.refresh).json()
    no_good(renew(client, own.access))
    rows = "\n".join(
        str(tuple(row)) for table in ("session", "refresh", "event", "throttle", "outbox")
        for row in site.db(f"SELECT * FROM {table}")
    )
    logs = f"{site.log()}{site.access_log()}{site.events()}"
    for secret in (own.refresh, own.access, second["refresh_token"], second["access_token"], PASSWORD):
        assert secret not in rows and secret not in logs
