"""standby.py: a PostgreSQL primary and its synchronous standby (streaming replication), for the tests of a failover.

    pair = Pair(folder)      # an engines.Engine whose parameters name both servers
    pair.fail_over()         # kill -9 of the primary, the standby is promoted; returns when it is, with the time of it
    pair.rebuild()           # the old primary becomes the standby, and commits wait for it again
A commit is acknowledged when both have it. While there is one server alone, commits wait for nobody.
"""
import os
import shutil
import subprocess
import time
from pathlib import Path

import engines
from confhelp import spare_port
from force import kill
from server import TOP, wait_for

OPTIONS = "-c fsync=off -c wal_level=replica -c hot_standby=on -c max_wal_senders=8"


def as_owner(command, **kwargs):
    """Neither server runs as root (engine.sh)."""
    owner = ["setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups"] if os.getuid() == 0 else []
    done = subprocess.run([*owner, *command], capture_output=True, text=True, check=False, cwd="/", **kwargs)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr}")


def program(name):
    """Installed, or unpacked as engine.sh's own."""
    unpacked = Path(os.environ.get("BUILD") or TOP / "build").resolve() / "unpacked" / "postgresql"
    return str([path for root in ("/", unpacked) for path in sorted(Path(root).glob(f"usr/lib/postgresql/*/bin/{name}"))][0])


class Pair(engines.Engine):
    """As an engine it is the two together."""

    def __init__(self, folder):
        folder.mkdir()
        folder.chmod(0o755)
        self.primary = engines.Engine(folder / "a", "pgsql", OPTIONS)
        self.name, self.folder, self.made = "pgsql", self.primary.folder, {}
        self.standby = self.copied(folder / "b")
        self.await_standby()

    def copied(self, folder):
        """A server of the same password, which begins as a copy."""
        folder.mkdir()
        if os.getuid() == 0:
            shutil.chown(folder, "www-data", "www-data")
        (folder / "port").write_text(f"{spare_port()}\n")
        shutil.copy2(self.primary.folder / "password", folder / "password")
        self.copy(folder)
        return engines.Engine(folder, "pgsql", OPTIONS)

    def copy(self, folder):
        shutil.rmtree(folder / "data", ignore_errors=True)
        source = ["-h", "127.0.0.1", "-p", str(self.primary.port), "-U", "userauth"]
        as_owner([program("pg_basebackup"), "-D", str(folder / "data"), *source, "-R", "-c", "fast"],
                 env={"PGPASSWORD": self.primary.password, "PATH": os.environ["PATH"]})

    def stop(self):
        for one in (self.standby, self.primary):
            one.stop()

    def database(self, key):
        if key not in self.made:
            name = self.primary.database(key)
            # A client that asks the standby first is refused, and asks nobody else, while it does not know the database.
            wait_for(lambda: self.tell(self.standby, f"SELECT 1 FROM pg_database WHERE datname = '{name}'"), 30, "the standby")
            ports = sorted(one.port for one in (self.primary, self.standby))
            words = f"host=127.0.0.1,127.0.0.1 port={ports[0]},{ports[1]} dbname={name} user=userauth"
            self.made[key] = (name, f"{words} target_session_attrs=read-write")
        return self.made[key][0]

    def connect(self, key):
        """To the one that takes writes."""
        import psycopg2

        self.database(key)
        link = psycopg2.connect(self.made[key][1], password=self.password)
        link.autocommit = True
        return link

    def tell(self, server, *statements):
        """Statements to one server; the rows of the last."""
        import psycopg2

        link = psycopg2.connect(host="127.0.0.1", port=server.port, dbname="postgres", user="userauth", password=self.password)
        link.autocommit = True
        try:
            cursor = link.cursor()
            for sql in statements:
                cursor.execute(sql)
            return cursor.fetchall()
        finally:
            link.close()

    def commits_wait(self, server, names):
        self.tell(server, f"ALTER SYSTEM SET synchronous_standby_names = '{names}'", "SELECT pg_reload_conf()")

    def await_standby(self):
        """From now on each commit is on both before it is told."""
        self.commits_wait(self.primary, "*")
        wait_for(lambda: self.tell(self.primary, "SELECT sync_state FROM pg_stat_replication") == [("sync",)], 60, "the standby")

    def fail_over(self):
        kill(self.primary)
        self.commits_wait(self.standby, "")
        began = time.time()
        assert self.tell(self.standby, "SELECT pg_promote()") == [(True,)]
        self.primary, self.standby = self.standby, self.primary
        return began

    def rebuild(self):
        self.copy(self.standby.folder)
        self.standby.run("start")
        self.await_standby()
