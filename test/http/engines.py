"""engines.py: the database servers of the tests (ENGINE=pgsql or mysql): one for all of a run, a database for each site.

Tests are written for SQLite's file; for another engine what names it is replaced in the configuration, and its rows are
asked for over a connection of the tests' own.
"""
import atexit
import contextlib
import os
import re
import sqlite3
import subprocess
import uuid
from pathlib import Path

import pytest

NAME = os.environ.get("ENGINE") or "sqlite3"
SCRIPT = Path(__file__).resolve().parents[1] / "run" / "engine.sh"
FILE = re.compile(r'(UserAuthDatabase\s+)sqlite3 "(\$\{RUN\}|/[^"]+)/(\w+)\.db"')
# Nothing here tests the disk, but for what ends a server by force, which asks for it.
FAST = {"pgsql": "-c fsync=off -c full_page_writes=off", "mysql": "--innodb-flush-log-at-trx-commit=0 --sync-binlog=0"}


class Row(tuple):
    """A row, by name or number, as sqlite3.Row."""

    def __getitem__(self, key):
        return tuple.__getitem__(self, self.names.index(key) if isinstance(key, str) else key)

    def keys(self):
        return self.names


_started = []


@atexit.register
def stop_all():
    """Before their folders are removed; again at the end of the process, should it come early."""
    while _started:
        _started.pop().stop()


class Engine:
    """A private server below `folder`; its databases are made when they are first named."""

    def __init__(self, folder, name=NAME, options=None):
        self.name, self.folder, self.options = name, folder, FAST[name] if options is None else options
        self.made = {}
        self.run("start")
        _started.append(self)

    def run(self, action, *args):
        command = ["bash", str(SCRIPT), action, self.name, str(self.folder), *args]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "ENGINE_ARGS": self.options})
        if done.returncode:
            raise RuntimeError(f"engine.sh {action}: {done.stderr}")
        return done.stdout.strip()

    def stop(self):
        self.run("stop")

    @property
    def port(self):
        return int((self.folder / "port").read_text())

    @property
    def password(self):
        return (self.folder / "password").read_text().strip()

    def database(self, key):
        """The name of the database that stands for a file."""
        if key not in self.made:
            name = f"t{uuid.uuid4().hex[:12]}"
            self.made[key] = (name, self.run("create", name))
        return self.made[key][0]

    def lines(self, key):
        """The directives for it."""
        self.database(key)
        return f'{self.name} "{self.made[key][1]}"\nUserAuthDatabasePasswordFile "{self.folder}/password"'

    def connect(self, key):
        options = {"host": "127.0.0.1", "port": self.port, "user": "userauth", "password": self.password}
        if self.name == "pgsql":
            import psycopg2

            link = psycopg2.connect(dbname=self.database(key), **options)
            link.autocommit = True
            return link
        import pymysql

        return pymysql.connect(database=self.database(key), autocommit=True, charset="utf8mb4", client_flag=2, **options)

    def query(self, key, sql, args):
        link = self.connect(key)
        try:
            with link.cursor() as cursor:
                cursor.execute(sql.replace("%", "%%").replace("?", "%s"), args)
                if cursor.description is None:
                    return []
                names = [column[0] for column in cursor.description]
                rows = [Row(row) for row in cursor.fetchall()]
        finally:
            link.close()
        for row in rows:
            row.names = names
        return rows


_engine = None


def engine(parent):
    """The server of this run, started when it is first asked for."""
    global _engine
    _engine = _engine or Engine(parent / f"engine-{os.getpid()}")
    return _engine


def configured(server, text):
    """The configuration, for the engine under test."""
    if NAME == "sqlite3":
        return text
    # Where it is by default beside a file.
    key_file = "" if "UserAuthKeyFile" in text else '\nUserAuthKeyFile "${RUN}/userauth.keys"'

    def other(match):
        folder = server.folder if match[2] == "${RUN}" else Path(match[2])
        return match[1] + engine(server.folder.parent).lines((folder, match[3])) + key_file

    return FILE.sub(other, text)


def query(server, sql, args, file="userauth"):
    """Runs one statement, committed at once: its rows."""
    if NAME != "sqlite3":
        return engine(server.folder.parent).query((server.folder, file), sql, args)
    connection = sqlite3.connect(server.folder / f"{file}.db", timeout=15, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    try:
        return connection.execute(sql, args).fetchall()
    finally:
        connection.close()


# ---- what differs between the engines, asked in one way ----

ONLY_A_FILE = pytest.mark.skipif(NAME != "sqlite3", reason="of SQLite's file")
REFERS = re.compile(r"^CREATE TABLE (\w+)|^ +(\w+) .*REFERENCES (\w+) \((\w+)\)", re.M)


def tables(server):
    if NAME == "sqlite3":
        rows = query(server, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name", ())
    else:
        schema = "current_schema()" if NAME == "pgsql" else "DATABASE()"
        rows = query(server, f"SELECT table_name FROM information_schema.tables WHERE table_schema = {schema} ORDER BY table_name", ())
    return [row[0] for row in rows]


def orphans(server):
    """Rows that refer to one that is not there."""
    found, table = [], None
    for file in sorted((SCRIPT.parents[2] / "schema" / "sqlite3").glob("*.sql")):
        for made, column, other, key in REFERS.findall(file.read_text()):
            table = made or table
            if column:
                sql = f"SELECT COUNT(*) FROM {table} WHERE NOT EXISTS (SELECT 1 FROM {other} WHERE {other}.{key} = {table}.{column})"
                found += [table] * query(server, sql, ())[0][0]
    return found


def check_sound(server):
    """INV-8: what the engine itself can check, and every reference."""
    if NAME == "sqlite3":
        assert query(server, "PRAGMA integrity_check", ())[0][0] == "ok"
    if NAME == "mysql":
        for table in tables(server):
            assert query(server, f"CHECK TABLE {table}", ())[-1][3] == "OK"
    assert orphans(server) == []


def contents(server):
    """Everything that the database holds, as bytes to search."""
    if NAME == "sqlite3":
        query(server, "PRAGMA wal_checkpoint(FULL)", ())
        return b"".join(path.read_bytes() for path in sorted(server.folder.glob("userauth.db*")))
    return "\n".join(str(tuple(row)) for table in tables(server) for row in query(server, f"SELECT * FROM {table}", ())).encode()


LOCK = {"sqlite3": ["BEGIN IMMEDIATE"], "pgsql": ["BEGIN", "LOCK TABLE outbox IN EXCLUSIVE MODE"], "mysql": ["BEGIN", "SELECT * FROM outbox FOR UPDATE"]}


@contextlib.contextmanager
def written(server):
    """While somebody else's transaction holds what a mail's state is written to; it is undone."""
    key = (server.folder, "userauth")
    link = sqlite3.connect(server.folder / "userauth.db", isolation_level=None) if NAME == "sqlite3" else engine(server.folder.parent).connect(key)
    cursor = link.cursor()
    try:
        for sql in LOCK[NAME]:
            cursor.execute(sql)
        yield
    finally:
        cursor.execute("ROLLBACK")
        link.close()
