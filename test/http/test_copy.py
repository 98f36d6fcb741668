"""A site moves from its SQLite file to PostgreSQL or MariaDB: nobody notices but the administrator."""
import subprocess
import sys

import engines
import pytest
from client import Client
from people import is_signed_in, join, letter, register, sign_in, signed_in, stranger
from server import TOP

COPY = TOP / "test" / "run" / "copy.py"


def copy(server, name, engine, key):
    words, password = engine.lines(key).split("\n")
    command = [sys.executable, str(COPY), "--from", str(server.folder / "userauth.db"), "--to", words.replace('"', "")]
    return subprocess.run([*command, "--password-file", password.split('"')[1]], capture_output=True, text=True)


@pytest.mark.skipif(engines.NAME != "sqlite3", reason="it begins with SQLite, whatever the engine under test")
@pytest.mark.parametrize("name", ["pgsql", "mysql"])
def test_a_site_moves(new_server, run_folder, name):
    engine = engines.Engine(run_folder / f"copy-{name}", name)
    server = new_server()
    person = stranger()
    person.display_name = "Zoë 山田 🙂 \\ ' \" %s ?"
    member = signed_in(server, join(server, person=person))
    waiting = register(Client(server))
    token = letter(server, waiting).token("verify")
    server.stop()
    said = copy(server, name, engine, "first")
    assert said.returncode == 0 and "rows are the same in both" in said.stdout, said.stderr
    again = copy(server, name, engine, "first")
    assert again.returncode == 1 and "holds accounts already" in again.stderr
    from server import SITE  # the lines of the site, with the new database

    server.site = False
    server.conf = SITE.replace('sqlite3 "${RUN}/userauth.db"', engine.lines("first"))
    server.start()
    assert is_signed_in(member) and member.json("GET", "/auth/me").json()["display_name"] == person.display_name
    assert Client(server).json("POST", "/auth/verify", {"token": token}).status_code == 200
    sign_in(Client(server), waiting)
    engine.stop()
    server.expect_log("UA0")
