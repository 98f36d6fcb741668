"""A database server that restarts, ends connections, stands still, refuses to write: nobody gets in by that, nothing that
was acknowledged is lost, and the site is back by itself. DB-08, DB-09, DB-11, INV-7."""
import concurrent.futures
import http.client
import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "campaign"))

import apps  # noqa: E402
import engines  # noqa: E402
from client import Client  # noqa: E402
from confhelp import site  # noqa: E402
from force import OPTIONS, end_connections, held, kill, process  # noqa: E402
from mpm import ONE_CHILD  # noqa: E402
from people import PASSWORD, fields_of, is_signed_in, sign_in, signed_in, stranger  # noqa: E402
from server import SITE, TOP, Server, StartFailed, wait_for  # noqa: E402

pytestmark = pytest.mark.skipif(engines.NAME != "sqlite3", reason="runs on each server engine by itself")
LOCATIONS = "UserAuthRateLimit register off\n" + SITE[SITE.index("<Location"):]


@pytest.fixture(scope="module", params=["pgsql", "mysql"])
def engine(run_folder, request):
    one = engines.Engine(run_folder / f"database-{request.param}", request.param, OPTIONS[request.param])
    yield one
    one.run("start")  # a test may have ended it
    one.stop()


def site_on(engine, run_folder, more="", head=""):
    """A site with a database of its own there; its rows are asked for by .db()."""
    server = Server(run_folder, site=False, head=head)
    driver, password = engine.lines(server.folder).split("\n")
    server.conf = site(password + "\n" + more + LOCATIONS, UserAuthDatabase=driver)
    server.db = lambda sql, *args: engine.query(server.folder, sql, args)
    return server


@pytest.fixture
def live(engine, run_folder, log_gate):
    server = site_on(engine, run_folder, "UserAuthSessionCacheTTL 2s\n")
    log_gate.watch(server)
    try:
        yield server.start()
    finally:
        server.stop()


def ask(client):
    """The status of a read that needs the database."""
    return client.json("GET", "/auth/me").status_code


def register(live, person):
    return Client(live).json("POST", "/auth/register", fields_of(person))


def log_in(live, login):
    return Client(live).json("POST", "/auth/login", {"login": login, "password": PASSWORD})


def test_the_password_is_nowhere(live, engine):
    """PRIV-01: in no log, command line, environment."""
    member = signed_in(live)
    live.expect_log("UA0")
    engine.run("stop")
    assert log_in(live, "nobody").status_code == 503
    engine.run("start")
    texts = [path.read_bytes() for path in live.folder.glob("logs/*")]
    assert any(b"UA0" in text for text in texts)
    for pid in [live.process.pid, *live.children(), process(engine)]:
        texts += [Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
    assert len(engine.password) > 20 and not [text for text in texts if engine.password.encode() in text]
    wait_for(lambda: ask(member) == 200, 30, "the database again")


def start_with_a_wrong_password(live):
    """What the refused start says."""
    live.stop()
    live.expect_log("UA0001|AH00")
    secret = live.folder / "wrong"
    secret.write_text("not-the-password\n")
    secret.chmod(0o600)
    live.conf += f'UserAuthDatabasePasswordFile "{secret}"\n'
    with pytest.raises(StartFailed) as failed:
        live.start()
    return str(failed.value)


def test_a_wrong_password_is_refused(live, engine):
    said = start_with_a_wrong_password(live)
    assert "UserAuthDatabase" in said and "not-the-password" not in said and engine.password not in said


def test_a_wrong_password_is_refused_with_the_reason(live):
    assert re.search("password authentication failed|Access denied", start_with_a_wrong_password(live))


def test_a_database_that_is_killed(live, engine):
    """kill -9 of the server: 503 with words meanwhile, back by itself when it returns; what was told stands."""
    member, told = signed_in(live), []
    live.expect_log("UA0")
    for _ in range(2):
        person = stranger()
        wait_for(lambda p=person: register(live, p).status_code == 201, 30, "a registration")
        told.append(person.username)
        kill(engine)
        answer = log_in(live, member.person.username)
        assert answer.status_code == 503 and "Retry-After" in answer.headers and not answer.cookies
        assert register(live, stranger()).status_code == 503
        # A session that was read is believed for 2 s, no longer.
        wait_for(lambda: ask(member) == 503, 30, "the session to need the database")
        assert not is_signed_in(member)
        engine.run("start")
        wait_for(lambda: ask(member) == 200, 30, "the site to be back")
        wait_for(lambda: log_in(live, member.person.username).status_code == 200, 30, "a sign-in")
    for name in told:
        assert live.db("SELECT COUNT(*) FROM account WHERE username = ?", name)[0][0] == 1


@pytest.fixture
def narrow(engine, run_folder, log_gate):
    """A site with one child, which has one connection."""
    server = site_on(engine, run_folder, "UserAuthDatabaseConnections 1\n", ONE_CHILD)
    log_gate.watch(server)
    try:
        yield server.start()
    finally:
        server.stop()


def test_connections_that_end_between_requests(narrow, engine):
    """DB-08, DB-09: a person notices nothing."""
    member = signed_in(narrow)
    narrow.expect_log("UA0203")  # jobs say so, and ask again in their next turn
    for _ in range(5):
        end_connections(engine, narrow.folder)
        assert ask(member) == 200
        end_connections(engine, narrow.folder)
        sign_in(Client(narrow), member.person)
        end_connections(engine, narrow.folder)
        assert register(narrow, stranger()).status_code == 201


def options_of_mariadb(server, monkeypatch, lines):
    """An option file, which is the one way to bound its client's waits and to make it speak TLS (trap 15)."""
    folder = server.folder / "options"
    folder.mkdir()
    (folder / "my.cnf").write_text("[userauth]\n" + lines)
    monkeypatch.setenv("MARIADB_HOME", str(folder))
    server.conf = server.conf.replace("user=userauth", "user=userauth group=userauth")


def before_it_stands_still(live, engine, monkeypatch):
    """A member. PostgreSQL falls silent on connections there are, which takes 15 s to end; MariaDB on new ones."""
    if engine.name == "mysql":
        options_of_mariadb(live, monkeypatch, "connect-timeout=3\n")
        live.restart()
    member = signed_in(live)
    live.expect_log("UA0")
    if engine.name == "mysql":
        end_connections(engine, live.folder)
    return member


def test_a_database_that_stands_still(live, engine, monkeypatch):
    """Requests end while it does, other pages are answered as ever; then all goes on."""
    apps.put(live, "open.txt", "for everybody")
    member = before_it_stands_still(live, engine, monkeypatch)
    with held(engine), concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(log_in, live, member.person.username)
        assert Client(live).get("/open.txt", timeout=20).text == "for everybody"
        answer = waiting.result()
        assert answer.status_code == 503 and not answer.cookies
    wait_for(lambda: ask(member) == 200, 30, "the site to be back")


def is_taken(port):
    """Whether the server has read all that came from this port of ours (proc(5), net/tcp: an accepted socket has an inode)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[2].endswith(f":{port:04X}") and row[4].endswith(":00000000") and row[9] != "0" for row in rows)


def test_a_graceful_restart_while_the_database_stands_still(live, engine, monkeypatch):
    """PROC-03: what waits for it in children that end is answered, and they end, as without the restart."""
    member = before_it_stands_still(live, engine, monkeypatch)
    live.expect_log("AH0")
    before = live.children()
    link = http.client.HTTPConnection("127.0.0.1", live.port, timeout=60)
    with held(engine):
        body = json.dumps({"login": member.person.username, "password": PASSWORD})
        link.request("POST", "/auth/login", body, {"Content-Type": "application/json", "Host": f"localhost:{live.port}"})
        wait_for(lambda: is_taken(link.sock.getsockname()[1]), 10, "a child to take it")
        os.kill(live.process.pid, signal.SIGUSR1)
        assert link.getresponse().status == 503
    wait_for(lambda: not set(before) & set(live.children()), 60, "the children of before to end")
    wait_for(lambda: ask(member) == 200, 30, "the site to be back")


def test_bad_links_at_once(live):
    """Each is counted, and none of those who sent one is told that the machine failed."""
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        said = list(pool.map(lambda n: Client(live).json("GET", f"/auth/verify?token=x{n}").status_code, range(64)))
    assert set(said) == {400}


def write_protect(live, engine, yes):
    if engine.name == "pgsql":
        link = engine.connect(live.folder)
        for sql in ("SET default_transaction_read_only = off",
                    f"ALTER DATABASE {engine.database(live.folder)} SET default_transaction_read_only = {'on' if yes else 'off'}"):
            link.cursor().execute(sql)
        link.close()
        end_connections(engine, live.folder)
    else:
        live.db(f"SET GLOBAL read_only = {int(yes)}")


def as_ordinary_user(live, engine):
    """MariaDB's read_only does not bind the user that the tests' server is made with."""
    if engine.name == "mysql":
        live.db(f"CREATE USER IF NOT EXISTS 'site'@'127.0.0.1' IDENTIFIED BY '{engine.password}'")
        live.db(f"GRANT ALL ON {engine.database(live.folder)}.* TO 'site'@'127.0.0.1'")
        live.conf = live.conf.replace("user=userauth", "user=site")
        live.restart()


def test_a_database_that_takes_no_writes(live, engine):
    """DB-11: who is signed in may read; nobody signs in without the session and the counter being written."""
    as_ordinary_user(live, engine)
    member = signed_in(live)
    live.expect_log("UA0")
    write_protect(live, engine, True)
    try:
        assert ask(member) == 200
        answer = log_in(live, member.person.username)
        assert answer.status_code == 503 and not answer.cookies
        assert register(live, stranger()).status_code == 503
    finally:
        write_protect(live, engine, False)
    wait_for(lambda: log_in(live, member.person.username).status_code == 200, 30, "a sign-in")


def test_a_graceful_restart_while_the_database_takes_no_writes(live, engine):
    """PROC-03, DB-11: a failover or maintenance at the hour when logs are rotated."""
    as_ordinary_user(live, engine)
    member = signed_in(live)
    live.expect_log("UA0|AH0")
    write_protect(live, engine, True)
    try:
        before = live.log().count("resuming normal operations")
        os.kill(live.process.pid, signal.SIGUSR1)
        wait_for(lambda: live.process.poll() is not None or live.log().count("resuming normal operations") > before, 60, "the restart")
        assert live.process.poll() is None, "Apache has ended"
        wait_for(lambda: ask(member) == 200, 30, "who is signed in to read")
    finally:
        write_protect(live, engine, False)
    wait_for(lambda: log_in(live, member.person.username).status_code == 200, 30, "a sign-in")


def test_one_connection_is_enough(narrow):
    """What is in use is waited for, not refused."""
    member = signed_in(narrow)

    def reads(_):
        client = Client(narrow)
        client.session.cookies.update(member.cookies)
        return [ask(client) for _ in range(8)]

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        said = [status for some in pool.map(reads, range(24)) for status in some]
    assert len(said) == 192 and set(said) == {200}


# Removing a row takes 10 ms: more than 1000 of them longer than the server lets a statement take.
SLOW_DISK = {
    "pgsql": ["CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN OLD; END $$",
              "CREATE TRIGGER slow BEFORE DELETE ON event FOR EACH ROW EXECUTE FUNCTION slow()"],
    "mysql": ["CREATE TRIGGER slow BEFORE DELETE ON event FOR EACH ROW DO SLEEP(0.01)"],
}


def test_old_rows_that_are_removed_slowly(live, engine):
    """PRIV-05: they go all the same, some in each turn, and with them what comes behind them."""
    assert register(live, stranger()).status_code == 201
    live.stop()
    live.db("UPDATE account SET created = 1")
    live.db("UPDATE token SET expires = 1")
    live.db("INSERT INTO event (id, site, account_id, kind, happened, address, agent, detail) VALUES "
            + ",".join(f"('e{i}', '', '', 'login', 1, '', '', '')" for i in range(1100)))
    for sql in SLOW_DISK[engine.name]:
        live.db(sql)
    live.start()
    wait_for(lambda: live.db("SELECT COUNT(*) FROM event WHERE happened = 1")[0][0] < 800, 30, "two turns and a half")
    assert live.db("SELECT COUNT(*) FROM account")[0][0] == 0
    assert live.db("SELECT COUNT(*) FROM token")[0][0] == 0


STALLED_DISK = {
    "pgsql": ["CREATE FUNCTION stalled() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$",
              "CREATE TRIGGER stalled BEFORE INSERT ON account FOR EACH ROW EXECUTE FUNCTION stalled()"],
    "mysql": ["CREATE TRIGGER stalled BEFORE INSERT ON account FOR EACH ROW DO SLEEP(60)"],
}


def test_a_statement_that_takes_too_long(live, engine):
    """DB-09: it is ended, and is not begun again: that the server is busy is said at once."""
    for sql in STALLED_DISK[engine.name]:
        live.db(sql)
    person = stranger()
    answer = register(live, person)
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "busy", "5")
    live.expect_log("UA0101: /auth/register was refused: account_insert")
    live.db("DROP TRIGGER stalled ON account" if engine.name == "pgsql" else "DROP TRIGGER stalled")
    assert register(live, person).status_code == 201

WAITING = """SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
    AND query_start < clock_timestamp() - interval '6 seconds'"""


def test_a_start_waits_for_another_node_s_schema_step(engine, run_folder, log_gate):
    """UPG-01: on a big site a step takes longer than any request may wait. Its node holds the table of steps meanwhile."""
    if engine.name == "mysql":
        pytest.skip("its CREATE and ALTER are no part of a transaction")
    node = site_on(engine, run_folder)
    log_gate.watch(node)
    other = engine.connect(node.folder)
    other.cursor().execute((TOP / "schema/pgsql/000_steps.sql").read_text())
    other.cursor().execute("BEGIN")
    other.cursor().execute("LOCK TABLE schema_step IN EXCLUSIVE MODE")

    def go_on():
        try:
            wait_for(lambda: node.db(WAITING)[0][0] == 1, 30, "a start that waits")
        finally:
            other.cursor().execute("ROLLBACK")

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waited = pool.submit(go_on)
        try:
            node.start()
        finally:
            waited.result()
            other.close()
            node.stop()
