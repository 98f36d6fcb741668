"""A PostgreSQL primary dies under load and its standby is promoted: the site writes on by itself, nothing is lost. DB-08, INV-4."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "campaign"))

import engines  # noqa: E402
from common import NO_FAULT, probe_of, site_lines, works  # noqa: E402
from confhelp import site  # noqa: E402
from crowd import Crowd, Ledger  # noqa: E402
from inbox import Inbox  # noqa: E402
from server import SITE, Server, wait_for  # noqa: E402
from standby import Pair  # noqa: E402

pytestmark = pytest.mark.skipif(engines.NAME != "sqlite3", reason="runs on PostgreSQL by itself")


@pytest.fixture
def pair(run_folder):
    one = Pair(run_folder / "pair")
    yield one
    one.stop()


@pytest.fixture
def inbox(tmp_path):
    with Inbox(tmp_path / "inbox") as one:
        yield one


@pytest.fixture
def live(pair, inbox, run_folder, log_gate):
    """A site that names both."""
    server = Server(run_folder, site=False)
    driver, password = pair.lines("site").split("\n")
    lines = f"{password}\n{site_lines(inbox)}{SITE[SITE.index('<Location'):]}"
    server.conf = site(lines, UserAuthDatabase=driver)
    server.db = lambda sql, *args: pair.query("site", sql, args)
    log_gate.watch(server)
    try:
        yield server.start()
    finally:
        server.stop()


def test_a_standby_is_promoted(live, pair, inbox):
    person = probe_of(live, inbox)
    live.expect_log(NO_FAULT)
    ledger = Ledger(live, inbox)
    with Crowd(ledger, 4, [live]):
        wait_for(lambda: ledger.acknowledged()["edited"], 30, "somebody at work")
        pair.fail_over()
        wait_for(lambda: works(live, person), 60, "the site to write again")
    assert ledger.check(True) == len(ledger.entries) >= 4
    ledger.check_sign_ins(4)
    wait_for(lambda: not live.db("SELECT COUNT(*) FROM outbox WHERE state = 0")[0][0], 30, "every mail to be sent")
    ledger.check_mails()
    assert ledger.wrong == []
