"""force.py: ends or holds a private database server (engines.Engine) by force, for the campaigns and the live tests of faults.

kill(engine)      kill -9 of the server, as a crash of its program; returns when nothing of it is left
held(engine)      while it stands still: it neither answers nor refuses
end_connections(engine, key)   the server ends every connection to a database but the one that asks for it
"""
import contextlib
import os
import signal
from pathlib import Path

from server import wait_for

# The system keeps what a killed server has written: nothing here switches the machine off.
OPTIONS = {"pgsql": "-c fsync=off", "mysql": "--innodb-flush-log-at-trx-commit=2 --sync-binlog=0"}
# Those of a person at the database as well; our own is not among them.
OTHERS = {
    "pgsql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()",
    "mysql": "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND db = DATABASE()",
}


def process(engine):
    return int((engine.folder / "server").read_text())


def lives(pid):
    """A zombie has ended; that the first thread is one says nothing of the others, which may hold a port."""
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(OSError):
            if stat.read_text().rpartition(")")[2].split()[0] not in "ZX":
                return True
    return False


def processes(engine):
    """The server and its children: PostgreSQL has one a connection, which outlives the first for a moment."""
    pid = process(engine)
    try:
        return [pid, *(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    except OSError:
        return [pid]


def kill(engine):
    left = processes(engine)
    os.kill(left[0], signal.SIGKILL)
    wait_for(lambda: not any(lives(pid) for pid in left), 30, "the end of the database server")
    # Nobody may have waited for it yet: then engine.sh and PostgreSQL take the process, ended as it is, for one that runs.
    for name in ("server", "data/postmaster.pid"):
        (engine.folder / name).unlink(missing_ok=True)


@contextlib.contextmanager
def held(engine):
    stopped = processes(engine)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def end_connections(engine, key):
    rows = engine.query(key, OTHERS[engine.name], ())
    for row in rows if engine.name == "mysql" else []:
        with contextlib.suppress(Exception):  # it may have ended by itself
            engine.query(key, f"KILL {row[0]}", ())
