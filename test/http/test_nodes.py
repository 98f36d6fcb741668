"""Two Apaches on one PostgreSQL or MariaDB, behind one address: they share nothing else but a copy of the key file.

RACE-10 and beyond the list: what one ends the other refuses within UserAuthSessionCacheTTL; every mail leaves once.
"""
import threading

import engines
import pytest
from client import Client
from people import PASSWORD, fields_of, is_signed_in, join, letter, register, sign_in, signed_in, stranger
from server import SITE as USUAL
from server import Server, wait_for

pytestmark = pytest.mark.skipif(engines.NAME != "sqlite3", reason="runs on each server engine by itself")
SITE = """
UserAuthBaseURL {base}
UserAuthDatabase {database}
UserAuthKeyFile "{folder}/userauth.keys"
UserAuthMail "folder:{folder}/mail" "Example <accounts@example.com>"
UserAuthSessionCacheTTL 2s
UserAuthRateLimit register off
UserAuthMailLimit off
"""
LOCATIONS = USUAL[USUAL.index("<Location"):]


class Nodes:
    """`first` and `second` serve the address of the first."""

    def __init__(self, run_folder, name):
        self.engine = engines.Engine(run_folder / f"nodes-{name}", name)
        self.first, self.second = (Server(run_folder, site=False) for _ in range(2))
        for node in (self.first, self.second):
            node.conf = SITE.format(base=self.first.base, database=self.engine.lines("site"), folder=self.first.folder) + LOCATIONS
            node.db = lambda sql, *args: self.engine.query("site", sql, args)

    def start(self):
        for node in (self.first, self.second):
            node.start()
        return self

    def stop(self):
        for node in (self.first, self.second):
            node.stop()
        self.engine.stop()


def at(node, client=None):
    """The same browser (or a new one), whose balancer picks this node."""
    other = Client(node)
    other.session.headers["Host"] = node.conf.split("http://")[1].split("\n")[0]
    if client:
        other.session.cookies = client.session.cookies
        other.address = other.session.headers["X-Test-Address"] = client.address
    return other


@pytest.fixture(scope="module", params=["pgsql", "mysql"])
def nodes(run_folder, request):
    both = Nodes(run_folder, request.param)
    try:
        yield both.start()
    finally:
        both.stop()


@pytest.fixture(autouse=True)
def watched(nodes, log_gate):
    log_gate.watch(nodes.first)
    log_gate.watch(nodes.second)


def test_a_session_is_known_on_both(nodes):
    member = signed_in(nodes.first)
    other = at(nodes.second, member)
    assert is_signed_in(other)
    assert other.json("GET", "/auth/me").json()["username"] == member.person.username
    assert other.json("POST", "/dashboard/profile", {"username": member.person.username, "email": member.person.email, "display_name": "New"}).status_code == 200
    wait_for(lambda: member.json("GET", "/auth/me").json()["display_name"] == "New", 3, "the other node to see it")


def test_a_registration_goes_on_at_the_other(nodes):
    here, person = at(nodes.first), stranger()
    register(here, person)
    there = at(nodes.second, here)
    assert there.json("GET", "/auth/check-email").json()["email"] == person.email
    assert there.json("POST", "/auth/verify", {"token": letter(nodes.first, person).token("verify")}).status_code == 200
    sign_in(here, person)


@pytest.mark.parametrize("how", ["logout", "password"])
def test_what_one_ends_the_other_refuses_in_time(nodes, how):
    """Within UserAuthSessionCacheTTL, 2 s."""
    member = signed_in(nodes.first)
    other = at(nodes.second, member)
    assert is_signed_in(other)
    stale = dict(member.cookies)
    if how == "logout":
        member.json("POST", "/auth/logout", {})
    else:
        there = at(nodes.first)
        sign_in(there, member.person)
        new = {"current_password": PASSWORD, "password": "quartz-meadow-lantern-58"}
        assert there.json("POST", "/dashboard/password", new).status_code == 200
    thief = at(nodes.second)
    thief.session.cookies.update(stale)
    wait_for(lambda: not is_signed_in(thief), 3, "the ended session to be refused")
    assert not is_signed_in(thief)


def test_a_wait_holds_on_both(nodes):
    """BF: failures on either node count together."""
    person = join(nodes.first)
    for turn in range(5):
        answer = at([nodes.first, nodes.second][turn % 2]).json("POST", "/auth/login", {"login": person.username, "password": "wrong-horse-battery"})
        assert answer.status_code == 401
    for node in (nodes.first, nodes.second):
        answer = at(node).json("POST", "/auth/login", {"login": person.username, "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (429, "account_locked")


def at_once(calls):
    """Runs them at the same moment: what each returned."""
    gate, said = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number):
        gate.wait()
        said[number] = calls[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


def test_a_link_has_one_winner(nodes):
    """RACE-01, RACE-15, TOK-01"""
    for _ in range(3):
        person = register(at(nodes.first))
        token = letter(nodes.first, person).token("verify")
        clients = [at(node) for node in (nodes.first, nodes.second) for _ in range(16)]
        said = at_once([lambda c=client: c.json("POST", "/auth/verify", {"token": token}).status_code for client in clients])
        assert said.count(200) == 1 and set(said) <= {200, 410}, said


def test_a_name_has_one_owner(nodes):
    """RACE-02"""
    for _ in range(3):
        person = stranger()
        clients = [at(node) for node in (nodes.first, nodes.second) for _ in range(16)]
        said = at_once([
            lambda c=client, n=number: c.json("POST", "/auth/register", {**fields_of(person), "email": f"{n}{person.email}"}).status_code
            for number, client in enumerate(clients)
        ])
        assert said.count(201) == 1 and set(said) <= {201, 409}, said


def test_every_mail_leaves_once(nodes):
    people = [register(at([nodes.first, nodes.second][number % 2])) for number in range(30)]
    for person in people:
        letter(nodes.first, person)
    wait_for(lambda: nodes.first.db("SELECT COUNT(*) FROM outbox WHERE state = 0")[0][0] == 0, what="all mails to be marked")
    for person in people:
        assert len(nodes.first.mails(person.email)) == 1


def test_a_killed_node_s_mails_are_taken_over(nodes):
    """It claims mails and is killed; the other has them once the lease (3 s) is over."""
    names = [register(at(nodes.first)).email for _ in range(20)]
    nodes.second.kill()
    for name in names:
        nodes.first.wait_mail(name, seconds=20)
    wait_for(lambda: nodes.first.db("SELECT COUNT(*) FROM outbox WHERE state = 0")[0][0] == 0, 20, "all mails to be marked")
    nodes.second.expect_log("pid file .* overwritten|exit signal")
    nodes.second.start()
    assert is_signed_in(at(nodes.second, signed_in(nodes.first)))
