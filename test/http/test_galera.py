"""Two Apaches on two nodes of a MariaDB cluster (Galera): what both decide at once is tried again, and nobody is told of it.

DB-17, RACE-15."""
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "campaign"))

import engines  # noqa: E402
from cluster import Cluster, lacking  # noqa: E402
from common import probe_of  # noqa: E402
from crowd import Crowd, Ledger  # noqa: E402
from galera import CLAIMED, conflicts, storm, two_sites  # noqa: E402
from inbox import Inbox  # noqa: E402
from server import wait_for  # noqa: E402

pytestmark = [
    pytest.mark.skipif(engines.NAME != "sqlite3", reason="runs on MariaDB by itself"),
    pytest.mark.skipif(bool(lacking()), reason=str(lacking())),
]


@pytest.fixture
def cluster(run_folder):
    one = Cluster(run_folder / "cluster", size=2)
    yield one
    one.stop()


@pytest.fixture
def inbox(tmp_path):
    with Inbox(tmp_path / "inbox") as one:
        yield one


@pytest.fixture
def sites(cluster, inbox, run_folder, log_gate):
    both, _ = two_sites(run_folder, cluster, inbox, head="")
    try:
        for server in both:
            log_gate.watch(server)
            server.expect_log(CLAIMED)
            server.start()
        yield both
    finally:
        for server in both:
            server.stop()


def test_two_nodes_write_at_once(sites, cluster, inbox):
    """Every conflict is tried again; links work once, mails arrive once, and the nodes hold the same."""
    person = probe_of(sites[0], inbox)
    ledger = Ledger(sites[0], inbox)
    with Crowd(ledger, 4, sites, at_once=False):
        assert Counter(storm(sites, person, 100)) == {200: 100}
        wait_for(lambda: ledger.acknowledged()["password_reset"] >= 8 or ledger.wrong, 60, "the stories")
    assert conflicts(cluster) > 0
    assert not [status for status in ledger.answers if status == "lost" or status >= 500], ledger.answers
    wait_for(lambda: not sites[0].db("SELECT COUNT(*) FROM outbox WHERE state = 0")[0][0], 30, "every mail to be sent")
    assert ledger.check(True) == len(ledger.entries) >= 8
    mails, copies = ledger.check_mails()
    assert mails > 8 and copies == {} and ledger.wrong == []
    assert cluster.await_agreement((sites[0].folder, "userauth")) == []
