"""The engines beside SQLite, several nodes on one database, and the budget of mails, attacked. DB, RACE, MAIL, CLK, UPG.

They start servers of their own; those that wait for a bound of half a minute run by hand, with UA_ROUNDS set."""
import concurrent.futures
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

import engines
from bad_smtp import BadSmtp
from client import Client
from confhelp import site
from mpm import ONE_CHILD, several
from people import fields_of, is_signed_in, join, outbox, register, signed_in, stranger
from server import SITE, TOP, Server, StartFailed, wait_for


pytestmark = pytest.mark.skipif(engines.NAME != "sqlite3", reason="runs on each server engine by itself")
SLOW = pytest.mark.skipif(not os.environ.get("UA_ROUNDS"), reason="half a minute: by hand")
LOCATIONS = SITE[SITE.index("<Location"):]
NEXT_HOUR = "DELETE FROM throttle WHERE name LIKE 'mail-budget:%'"
OPEN = "UserAuthRateLimit register off\nUserAuthRateLimit mail off\nUserAuthMailLimit off\n"


@pytest.fixture(scope="module")
def servers(run_folder):
    """servers(name, options): a database server of that engine, one for all tests that give the same options."""
    made = {}

    def get(name, options=None):
        key = (name, options)
        if key not in made:
            made[key] = engines.Engine(run_folder / f"attack-{name}-{len(made)}", name, options)
        made[key].run("start")
        return made[key]

    yield get
    for one in made.values():
        one.stop()


@pytest.fixture
def site_on(run_folder, log_gate):
    """site_on(engine, more, head=…): an Apache that is not started yet, with a database of its own on that server."""
    made = []

    def make(engine, more="", head="", like=None, **changed):
        one = Server(run_folder, site=False, head=head)
        key = like.folder if like else one.folder
        driver, password = engine.lines(key).split("\n")
        one.conf = site(password + "\n" + OPEN + more + LOCATIONS, **{"UserAuthDatabase": driver, **changed})
        one.db = lambda sql, *args: engine.query(key, sql, args)
        log_gate.watch(one)
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def smtp(tmp_path):
    with BadSmtp(tmp_path / "smtp") as one:
        yield one


def by(smtp):
    return {"UserAuthMail": f"smtp://127.0.0.1:{smtp.port} a@example.com"}


def budgeted(new_server, smtp, more):
    return new_server(site=False, head=ONE_CHILD, conf=site(OPEN + more + LOCATIONS, **by(smtp)))


def waiting(server):
    return server.db("SELECT COUNT(*) FROM outbox WHERE state = 0")[0][0]


def test_what_is_never_sent_costs_no_budget(new_server, smtp):
    """MAIL-02, MAIL-11: a new mail waits for none whose links are over."""
    server = budgeted(new_server, smtp, "UserAuthMailBudget 2/1h\n")
    server.expect_log("UA0207")
    for _ in range(10):
        register(Client(server))
    wait_for(lambda: waiting(server) == 8, what="the first hour's two")
    server.db("UPDATE outbox SET expires = created WHERE state = 0")
    late = register(Client(server))
    server.db(NEXT_HOUR)
    wait_for(lambda: outbox(server, late.email) == [1], 40, "the new mail: the hour's two went to mails that nobody gets")


@SLOW
def test_a_retry_passes_those_that_wait_for_the_budget(new_server, smtp):
    """MAIL-02, MAIL-05: it is paid for already."""
    server = budgeted(new_server, smtp, "UserAuthMailBudget 1/1h\n")
    server.expect_log("UA0207|UA0205")
    smtp.set_mode("rcpt-451")
    first = register(Client(server))
    wait_for(lambda: server.db("SELECT attempts FROM outbox")[0][0] == 3, 30, "three tries, of which the next is some seconds off")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: register(Client(server)), range(20)))
    smtp.set_mode("ok")
    wait_for(lambda: outbox(server, first.email) == [1], 40, "the next try of the one mail that was begun")
    assert waiting(server) == 20


@pytest.mark.parametrize("name", ["pgsql", "mysql"])
def test_a_graceful_restart_while_the_database_is_away(servers, site_on, name):
    """PROC-03, DB-08: logs are rotated at night, also while the database is away."""
    engine = servers(name)
    server = site_on(engine).start()
    member = signed_in(server)
    server.expect_log("UA0|AH00016|AH00020|Configuration Failed")
    engine.stop()
    try:
        server.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: server.process.poll() is not None or server.log().count("resuming normal operations") > 1, 30, "the restart")
        alive = server.process.poll() is None
    finally:
        engine.run("start")
    assert alive, "Apache has ended"
    wait_for(lambda: is_signed_in(member), 20, "the site to be back")


def test_a_database_of_another_encoding(servers, site_on):
    """Refused at start, in words."""
    engine = servers("pgsql")
    server = site_on(engine)
    name, link = engine.database(server.folder), engine.connect("beside")
    for sql in (f"DROP DATABASE {name}", f"CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"):
        link.cursor().execute(sql)
    link.close()
    server.expect_log("UA0001|AH00")
    with pytest.raises(StartFailed) as failed:
        server.start()
    assert "ENCODING UTF8" in str(failed.value)


@pytest.mark.parametrize("password", ["ab://cd-0123456789", "ab?cd&ef=gh 'ij\\kl"])
def test_a_password_that_looks_like_an_address(servers, site_on, password):
    """Its parameters are not taken for a URI."""
    engine = servers("pgsql")
    server = site_on(engine)
    role, link = engine.database(server.folder), engine.connect(server.folder)
    link.cursor().execute(f"CREATE ROLE {role} LOGIN SUPERUSER PASSWORD %s", (password,))
    link.close()
    secret = server.folder / "secret"
    secret.write_text(password + "\n")
    secret.chmod(0o600)
    server.conf = server.conf.replace("user=userauth", f"user={role}").replace(str(engine.folder / "password"), str(secret))
    server.expect_log("UA0|AH00020")
    server.start()
    register(Client(server))

def at(node):
    """A new browser whose balancer picks this node."""
    one = Client(node)
    one.session.headers["Host"] = getattr(node, "address", one.session.headers.get("Host"))
    return one


@pytest.mark.parametrize("options", ["--autocommit=0", "--completion-type=1"])
def test_a_server_that_keeps_transactions_open(servers, site_on, options):
    """DB-04."""
    server = site_on(servers("mysql", options)).start()
    server.expect_log("UA0")
    person = register(at(server))
    wait_for(lambda: outbox(server, person.email) == [1], 20, "the mail to be marked")


UNDO_3 = ("DELETE FROM schema_step WHERE step >= 3", "DROP INDEX account_display", "DROP INDEX outbox_created",
          "DROP INDEX session_ended", "DROP INDEX device_expires", "ALTER TABLE account DROP COLUMN member_of")
SLOW_INDEX = """CREATE FUNCTION slow() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN
    IF tg_tag = 'CREATE INDEX' THEN PERFORM pg_sleep(12); END IF; END$$"""


@SLOW
def test_a_schema_step_that_takes_long(servers, site_on):
    """UPG-01: an index over millions of rows."""
    server = site_on(servers("pgsql")).start()
    server.stop()
    for sql in (*UNDO_3, SLOW_INDEX, "CREATE EVENT TRIGGER slow ON ddl_command_start EXECUTE FUNCTION slow()"):
        server.db(sql)
    server.expect_log("UA0|AH00016|AH00020")
    server.start()
    assert server.db("SELECT MAX(step) FROM schema_step")[0][0] == 4


LATE_COMMIT = ("CREATE SEQUENCE once", """CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
    IF NEW.kind = 'registered' AND nextval('once') = 1 THEN PERFORM pg_sleep(18); END IF; RETURN NEW; END$$""",
               "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()")


@SLOW
def test_a_commit_that_happens_after_its_connection_was_given_up(servers, site_on):
    """DB-10: after 15 s, and it happens after 18: 201, or 503."""
    server = site_on(servers("pgsql")).start()
    server.expect_log("UA0")
    for sql in LATE_COMMIT:
        server.db(sql)
    person = stranger()
    answer = Client(server).json("POST", "/auth/register", fields_of(person))
    wait_for(lambda: server.db("SELECT COUNT(*) FROM account WHERE email = ?", person.email)[0][0] == 1, 20, "the COMMIT")
    assert answer.status_code in (201, 503), answer.text


@pytest.mark.parametrize("name", ["pgsql", "mysql"])
def test_a_second_node_without_a_copy_of_the_keys(servers, site_on, name):
    """Contract 6: start refuses another key: links of one would be refused by the other."""
    engine = servers(name)
    first = site_on(engine)
    second = site_on(engine, like=first, UserAuthBaseURL=first.base)
    second.address = first.base.split("://")[1]
    first.start()
    second.expect_log("UA0001|AH00")
    with contextlib.suppress(StartFailed):
        second.start()
        person = register(at(first))
        mails = wait_for(lambda: first.mails(person.email) + second.mails(person.email), what="the mail, by either node")
        said = [at(node).json("POST", "/auth/verify", {"token": mails[0].token("verify")}).status_code for node in (first, second)]
        assert sorted(said) == [200, 410], f"{said}, of a link and the same once more"
    first.restart()


BLOCKED = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def test_the_budget_holds_for_all_nodes(servers, site_on, smtp):
    """MAIL-02."""
    engine = servers("pgsql")
    more, head = "UserAuthMailBudget 4/1h\n", several(4, 25)
    first = site_on(engine, more, head=head, **by(smtp))
    second = site_on(engine, more, head=head, like=first, UserAuthBaseURL=first.base, UserAuthKeyFile=f'"{first.folder}/userauth.keys"', **by(smtp))
    for node in (first, second):
        node.expect_log("UA0207|UA0203")
        node.start()
    for _ in range(30):
        register(Client(first))
    wait_for(lambda: waiting(first) == 26, what="the first hour's four")
    link = engine.connect(first.folder)
    with link.cursor() as cursor:  # so that several stand side by side when the next hour begins
        cursor.execute("BEGIN")
        cursor.execute("SELECT id FROM outbox FOR UPDATE")
        first.db(NEXT_HOUR)
        wait_for(lambda: first.db(BLOCKED)[0][0] >= 3, 60, "three that claim")
        cursor.execute("ROLLBACK")
    link.close()
    wait_for(lambda: waiting(first) <= 22, 40, "the second hour's four")
    wait_for(lambda: first.db("SELECT COUNT(*) FROM outbox WHERE lease <> ''")[0][0] == 0, 20, "what was claimed to be sent")
    assert waiting(first) == 22, f"{26 - waiting(first)} instead of 4"


class Vanishing:
    """Between a node and its database: once `armed` it swallows the next COMMIT and all behind it on that connection,
    whose other end stays open, as when a node loses its power."""

    def __init__(self, port):
        self.server_port, self.armed = port, False
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, far = self.listener.accept()[0], socket.create_connection(("127.0.0.1", self.server_port))
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(*ends, ends[0] is near), daemon=True).start()

    def _pump(self, one, other, judged):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                if judged and self.armed and b"COMMIT" in data:
                    self.armed = False
                    return
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


@SLOW
@pytest.mark.parametrize("name", ["pgsql", "mysql"])
def test_a_node_that_vanishes_within_a_transaction(servers, site_on, name):
    """PROC-01, DB-08: what it had locked is free again within a minute."""
    engine = servers(name)
    server = site_on(engine, "UserAuthSessionCacheTTL 2s\n", head=ONE_CHILD)
    between = Vanishing(engine.port)
    server.conf = server.conf.replace(f"port={engine.port}", f"port={between.port}")
    server.start()
    server.expect_log("UA0")
    person = register(Client(server))
    wait_for(lambda: outbox(server, person.email) == [1], what="the mail")
    server.db("UPDATE account SET enabled = 1, verified = created WHERE id = ?", person.id)
    between.armed = True
    log_in = {"login": person.username, "password": person.password}
    Client(server).json("POST", "/auth/login", log_in)
    assert not between.armed
    wait_for(lambda: Client(server).json("POST", "/auth/login", log_in).status_code == 200, 45, "a sign-in of the same person")


def test_a_copy_of_a_site_of_an_older_version(servers, new_server, site_on):
    """UPG-01: `make copy`."""
    engine, old = servers("pgsql"), new_server()
    join(old)
    old.stop()
    for sql in UNDO_3:
        old.db(sql)
    new = site_on(engine, UserAuthKeyFile=f'"{old.folder}/userauth.keys"')
    done = subprocess.run([sys.executable, TOP / "test" / "run" / "copy.py", "--from", old.folder / "userauth.db", "--to", engine.lines(new.folder).split("\n")[0].replace('"', ""),
                           "--password-file", engine.folder / "password"], capture_output=True, text=True)
    assert done.returncode == 1 and "another version" in done.stderr
