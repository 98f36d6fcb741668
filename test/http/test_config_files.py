"""What the module keeps on disk: made with the right owner and mode, refused when it is not safe, never mixed up."""
import grp
import os
import pwd
import re
import shutil
import stat

import engines
import pytest
from client import Client
from confhelp import accepted, as_root, refused, site
from people import confirm, is_signed_in, join, letter, register, sign_in, signed_in
from server import TOP

CHILD = pwd.getpwnam("www-data").pw_uid if os.getuid() == 0 else os.getuid()
GROUP = grp.getgrnam("www-data").gr_gid if os.getuid() == 0 else os.getgid()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@engines.ONLY_A_FILE
def test_the_first_start_makes_everything_with_owner_and_mode(new_server):
    """Contract 6: tables, key file and directories."""
    conf = site(
        'UserAuthEventLog "${RUN}/logs/events.log"',
        UserAuthDatabase='sqlite3 "${RUN}/state/userauth.db"',
        UserAuthKeyFile=None,
        UserAuthMail='"folder:${RUN}/letters" accounts@example.com',
    )
    server = new_server(start=False, site=False, conf=conf)
    accepted(server)
    server.start()
    state, letters, keys = server.folder / "state", server.folder / "letters", server.folder / "state" / "userauth.keys"
    database = state / "userauth.db"
    assert database.stat().st_uid == CHILD and mode(database) == 0o600
    assert keys.stat().st_uid == os.getuid() and mode(keys) == 0o600
    assert keys.read_text().startswith("userauth-key-1 ")
    for folder in (state, letters):
        assert folder.stat().st_uid == CHILD and not mode(folder) & 0o007
    assert mode(server.folder / "logs" / "events.log") & 0o037 == 0
    for beside in state.glob("userauth.db-*"):
        assert beside.stat().st_uid == CHILD and not mode(beside) & 0o077
    inode = (database.stat().st_ino, keys.read_bytes())
    server.restart()
    assert (database.stat().st_ino, keys.read_bytes()) == inode


def test_the_folder_of_the_key_file_is_made_or_its_parent_is_missing(new_server):
    """Contract 6: for nobody but who starts the server."""
    server = new_server(start=False, site=False, conf=site(UserAuthKeyFile='"${RUN}/private/site.keys"'))
    accepted(server)
    server.start()
    keys = server.folder / "private" / "site.keys"
    assert mode(keys) == 0o600 and mode(keys.parent) == 0o700 and keys.parent.stat().st_uid == os.getuid()
    server.stop()
    server.conf = site(UserAuthKeyFile='"${RUN}/none/private/site.keys"')
    refused(server, "UserAuthKeyFile", "there is no folder", "/none:")


def only_a_file(what):
    if what == "db" and engines.NAME != "sqlite3":
        pytest.skip("of SQLite's file")


@pytest.mark.parametrize("what, make, words", [
    ("db", "0640", ["chmod 600"]), ("db", "0604", ["chmod 600"]), ("db", "0666", ["chmod 600"]), ("db", "link", ["plain file"]),
    ("db", "dangling", ["plain file"]), ("db", "folder", ["plain file"]), ("db", "fifo", ["plain file"]),
    ("keys", "0640", ["chmod 600"]), ("keys", "0604", ["chmod 600"]), ("keys", "link", ["symbolic link"]),
    ("keys", "dangling", ["symbolic link"]), ("keys", "folder", ["plain file"]), ("keys", "fifo", ["plain file"]),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_file_that_is_not_safe_is_refused(new_server, what, make, words):
    """CFG-02: readable by others, a link, or no file at all."""
    only_a_file(what)
    server = new_server().restart()
    server.stop()
    path = server.folder / f"userauth.{what}"
    real = server.folder / "real"
    if make.isdigit():
        path.chmod(int(make, 8))
    else:
        path.rename(real)
        if make == "folder":
            path.mkdir()
        elif make == "fifo":
            os.mkfifo(path, 0o600)
        else:
            path.symlink_to(real if make == "link" else server.folder / "nowhere")
    before = real.read_bytes() if real.exists() else b""
    name = "UserAuthDatabase" if what == "db" else "UserAuthKeyFile"
    refused(server, name, str(path), *words, line=name)
    assert not (server.folder / "nowhere").exists()
    assert before == (real.read_bytes() if real.exists() else b"")


@as_root
@pytest.mark.parametrize("what, word", [("db", "chown"), ("keys", "chown root")])
def test_a_file_of_another_user_is_refused(new_server, what, word):
    """CFG-02: wrong owner."""
    only_a_file(what)
    server = new_server()
    server.stop()
    path = server.folder / f"userauth.{what}"
    shutil.chown(path, "daemon", "daemon")
    name = "UserAuthDatabase" if what == "db" else "UserAuthKeyFile"
    refused(server, name, str(path), word, line=name)


@pytest.mark.parametrize("text", [
    "", "\n", " " * 60 + "\n", "userauth-key-1 \n", "userauth-key-1 " + "A" * 43 + "\n", "userauth-key-1 " + " " * 43 + "\n",
    "userauth-key-1 c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI\n",
    "userauth-key-1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n",
    "userauth-key-1 x0wqT2Jv\n", "userauth-key-2 hN0Rk2yq7Xw3VbC9sZ5uJ8mE1oL4iQ6aT-gYfDpKcUs\n",
    "hN0Rk2yq7Xw3VbC9sZ5uJ8mE1oL4iQ6aT-gYfDpKcUs\n", "userauth-key-1 hN0Rk2yq7Xw3VbC9sZ5uJ8mE1oL4iQ6aT-gYfDpKcUs\nmore\n",
    "userauth-key-1 hN0Rk2yq7Xw3VbC9sZ5uJ8mE1oL4iQ6aT-gYfDpKcUs=\n", "userauth-key-1 hN0Rk2yq\0x\n", "password\n",
], ids=range(15))
def test_a_key_file_without_a_good_secret_is_refused(new_server, text):
    """CFG-01, JWT-13: none, short, blank, a sample, words, another form; nothing is made up in its place."""
    server = new_server(start=False)
    path = server.folder / "userauth.keys"
    path.write_text(text)
    path.chmod(0o600)
    said = refused(server, "UserAuthKeyFile", "copy it again|remove it", line="UserAuthKeyFile")
    assert path.read_text() == text
    assert len(text) < 40 or text[15:50] not in said, "the secret is shown"


def test_the_key_file_of_another_database_is_refused(new_server):
    first, second = new_server(), new_server()
    for server in (first, second):
        server.stop()
    shutil.copy(first.folder / "userauth.keys", second.folder / "userauth.keys")
    refused(second, "UserAuthKeyFile", "not the key file this database was made with", "backup", line="UserAuthKeyFile", tested=False)


def test_a_database_with_accounts_and_no_key_file_is_refused_and_gets_none(new_server):
    server = new_server()
    person = join(server)
    server.stop()
    keys = server.folder / "userauth.keys"
    saved = keys.rename(server.folder / "saved.keys")
    refused(server, "UserAuthKeyFile", "is missing", "backup", line="UserAuthKeyFile", tested=False)
    assert not keys.exists()
    assert sorted(path.name for path in server.folder.glob("userauth.keys*")) == []
    saved.rename(keys)
    server.start()
    sign_in(Client(server), person)


@engines.ONLY_A_FILE
def test_a_copied_key_file_and_database_are_the_same_site(new_server):
    """Nodes share a copy of the key file: a session and a link of the one are good on the other."""
    first = new_server()
    client = signed_in(first)
    first.stop()
    second = new_server(start=False, port=first.port)
    for path in first.folder.glob("userauth.*"):  # the database's log beside it included
        shutil.copy2(path, second.folder)
        shutil.chown(second.folder / path.name, path.stat().st_uid)
    second.start()
    assert client.get("/dashboard").status_code == 200


@as_root
@pytest.mark.parametrize("name, rest", [
    pytest.param("UserAuthDatabase", 'sqlite3 "${RUN}/locked/userauth.db"', marks=engines.ONLY_A_FILE),
    ("UserAuthMail", '"folder:${RUN}/locked" accounts@example.com'),
])
def test_a_folder_the_children_cannot_write_into_is_refused(new_server, name, rest):
    server = new_server(start=False, site=False, conf=site(**{name: rest}))
    (server.folder / "locked").mkdir(mode=0o755)
    refused(server, name, "not writable", "chown", line=name)
    assert list((server.folder / "locked").iterdir()) == []


@as_root
@engines.ONLY_A_FILE
def test_a_folder_the_children_cannot_reach_is_refused(new_server):
    """Trap 29: a path below a folder that is closed to www-data."""
    conf = site(UserAuthDatabase='sqlite3 "${RUN}/closed/inner/userauth.db"')
    server = new_server(start=False, site=False, conf=conf)
    inner = server.folder / "closed" / "inner"
    inner.mkdir(parents=True)
    shutil.chown(inner, "www-data", "www-data")
    inner.parent.chmod(0o700)
    refused(server, "UserAuthDatabase", "closed", line="UserAuthDatabase")


@engines.ONLY_A_FILE
def test_a_file_that_is_no_database_is_refused(new_server):
    server = new_server(start=False)
    path = server.folder / "userauth.db"
    path.write_bytes(b"this is not a database, but somebody's letter\n" * 100)
    shutil.chown(path, CHILD)
    path.chmod(0o600)
    refused(server, "UserAuthDatabase", str(path), line="UserAuthDatabase", tested=False)
    assert path.read_bytes().startswith(b"this is not a database")


def test_a_database_of_a_newer_version_is_refused(new_server):
    """UPG-05."""
    server = new_server()
    server.db("INSERT INTO schema_step (step, applied) VALUES (999, 0)")
    server.stop()
    refused(server, "UserAuthDatabase", "newer version", "999", line="UserAuthDatabase", tested=False)


@engines.ONLY_A_FILE
def test_a_read_only_database_is_refused(new_server):
    """DB-11: no login without writing session and counter."""
    server = new_server()
    join(server)
    server.stop()
    (server.folder / "userauth.db").chmod(0o400)
    refused(server, "UserAuthDatabase", "writable", line="UserAuthDatabase")


def test_the_database_survives_a_restart(new_server):
    """INV-9: and it is sound."""
    server = new_server()
    client = signed_in(server)
    server.restart()
    assert client.get("/dashboard").status_code == 200
    engines.check_sound(server)
    if engines.NAME == "sqlite3":
        assert server.db("PRAGMA journal_mode")[0][0] == "wal"


def test_a_blocklist_of_any_editor_is_read(new_server):
    """BF-15: a byte order mark, blanks at the ends, another case and composition, a line that is no UTF-8."""
    server = new_server(start=False, conf='UserAuthPasswordBlocklist "${RUN}/list.txt"\n')
    lines = "\ufeff  Purple-Monkey-Dishwasher-92 \r\n".encode() + b"\xff\xfe\r\n" + "PURPLE-CAFE\u0301-DISHWASHER-92\t\r\n".encode()
    (server.folder / "list.txt").write_bytes(lines)
    server.start()
    client = Client(server)
    for password in ("purple-monkey-dishwasher-92", "purple-caf\u00e9-dishwasher-92"):
        fields = {"username": "alice", "email": "alice@example.org", "password": password}
        answer = client.json("POST", "/auth/register", fields)
        assert answer.status_code == 422 and "list of known passwords" in answer.json()["errors"]["password"], answer.text


@engines.ONLY_A_FILE
@pytest.mark.parametrize("file", ["userauth.keys", "userauth.db", "./userauth.keys"])
def test_the_event_log_is_not_written_into_the_keys(new_server, file):
    """A start that goes well must not be the last one: lines of the log would end the key file."""
    server = new_server()
    server.stop()
    server.conf = f'UserAuthEventLog "${{RUN}}/{file}"\n'
    before = (server.folder / "userauth.keys").read_bytes()
    refused(server, "UserAuthEventLog", "another file")
    assert (server.folder / "userauth.keys").read_bytes() == before


@pytest.mark.parametrize("name, file, text", [
    ("UserAuthTemplates", "looks/login.html", "<h1>Own</h1><form method=post>{{>csrf}}</form>"), ("UserAuthLogo", "logo.svg", "<svg/>"),
    ("UserAuthPasswordBlocklist", "list.txt", "a\n"), ("UserAuthMailCAFile", "ca.pem", ""), ("UserAuthMailPasswordFile", "pw", "secret-of-mail\n"),
])
def test_a_relative_path_begins_at_the_server_root(new_server, name, file, text):
    """As in httpd's own directives: not in the folder where it was started, which the parent leaves."""
    mail = "UserAuthMailUser me\n" if name == "UserAuthMailPasswordFile" else ""
    server = new_server(start=False, site=False, conf=site(f"{mail}{name} {file.split('/')[0]}", UserAuthMail="smtps://mail.example a@example.com"))
    path = server.folder / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o600 if mail else 0o644)
    accepted(server)
    server.start()


@engines.ONLY_A_FILE
def test_an_older_copy_revives_nothing(new_server):
    """DB-20: after what the reference says, neither a session that was ended since nor a link that was used."""
    server = new_server()
    client, copy = signed_in(server), server.folder / "copy"
    waiting = register(Client(server))
    link = letter(server, waiting).token("verify")
    server.db(f"VACUUM INTO '{copy}'")
    stale = dict(client.cookies)
    confirm(Client(server), link)
    client.json("POST", "/auth/logout", {})
    server.stop()
    for path in server.folder.glob("userauth.db*"):
        path.unlink()
    shutil.move(copy, server.folder / "userauth.db")
    shutil.chown(server.folder / "userauth.db", CHILD, GROUP)
    (server.folder / "userauth.db").chmod(0o600)
    reference = (TOP / "conf/userauth.conf").read_text()
    for statement in re.search("^#   (DELETE .*);$", reference, re.M)[1].split(";"):
        server.db(statement)
    server.start()
    client.session.cookies.update(stale)
    assert not is_signed_in(client)
    assert Client(server).json("POST", "/auth/verify", {"token": link}).status_code == 400
    sign_in(Client(server), client.person)


def test_a_database_without_a_table_is_refused(new_server):
    """CFG-08: half a backup was put back; but a server that only restarts stays."""
    server = new_server()
    server.db("DROP TABLE outbox")
    server.expect_log("UA0")
    server.graceful()
    assert "UA0006: started all the same: UserAuthDatabase: the tables can't be read" in server.log()
    server.stop()
    refused(server, "UserAuthDatabase", "the tables can't be read: schema_tables", "from your backup", line="UserAuthDatabase", tested=False)
