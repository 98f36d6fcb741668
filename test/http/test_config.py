"""Configurations that cannot work refuse to start and say in which vhost, file and line, and what to do."""
import engines
import pytest
from client import Client
from confhelp import accepted, as_root, configtest, line_of, refused, site, spare_port

# directive, the rest of its line, a word of the remedy
REFUSED = [
    ("UserAuthBaseURL", "http://www.example.com", "https"),  # CFG-03
    ("UserAuthBaseURL", "https://www.example.com/path", "path"),
    ("UserAuthBaseURL", "https://www.example.com?x=1", "query"),
    ("UserAuthBaseURL", "https://www.example.com#x", "fragment"),
    ("UserAuthBaseURL", "https://user@www.example.com", "user name"),
    ("UserAuthBaseURL", "https://user:secret@www.example.com", "user name|port"),
    ("UserAuthBaseURL", "www.example.com", "https://"),
    ("UserAuthBaseURL", "ftp://www.example.com", "https://"),
    ("UserAuthBaseURL", "https://", "host"),
    ("UserAuthBaseURL", '"https://www exa"', "host"),
    ("UserAuthBaseURL", "https://*.example.com", "host"),
    ("UserAuthBaseURL", "https://www.example.com:0", "port"),
    ("UserAuthBaseURL", "https://www.example.com:65536", "port"),
    ("UserAuthBaseURL", "https://10.1", "host"),
    ("UserAuthBaseURL", '""', "UserAuthBaseURL"),
    ("UserAuthPath", "auth", "/auth"),
    ("UserAuthPath", "/", "/auth"),
    ("UserAuthPath", "/auth/", "/auth"),
    ("UserAuthPath", "//auth", "/auth"),
    ("UserAuthPath", "/a/../b", "/auth"),
    ("UserAuthPath", '"/a b"', "/auth"),
    ("UserAuthPath", "/a%20b", "/auth"),
    ("UserAuthPath", "/a?b", "/auth"),
    ("UserAuthPath", "/dashboard", "separate"),
    ("UserAuthPath", "/dashboard/auth", "separate"),
    ("UserAuthDashboardPath", "/auth/my", "separate"),
    ("UserAuthDashboardPath", "my", "/dashboard"),
    ("UserAuthDatabase", "sqlite3 userauth.db", "full path"),
    ("UserAuthDatabase", 'sqlite3 "${RUN}/new/"', "full path"),
    ("UserAuthDatabase", "sqlite3", "two arguments"),
    ("UserAuthDatabase", "sqlite3 /a /b", "two arguments"),
    ("UserAuthDatabase", "oracle /a", "sqlite3"),  # CFG-08
    ("UserAuthDatabase", 'sqlite3 ""', "two arguments"),
    ("UserAuthDatabase", 'sqlite3 "${RUN}/missing/deeper/userauth.db"', "create it"),
    ("UserAuthDatabase", 'sqlite3 "${RUN}/logs"', "not a plain file"),
    ("UserAuthKeyFile", "userauth.keys", "full path"),
    ("UserAuthKeyFile", '"${RUN}/keys/"', "full path"),
    ("UserAuthKeyFile", '"${RUN}/logs"', "not a plain file"),
    ("UserAuthMail", "smtp://localhost", "two arguments"),
    ("UserAuthMail", "sendmail accounts@example.com", "smtp://"),
    ("UserAuthMail", "ftp://localhost accounts@example.com", "smtp://"),
    ("UserAuthMail", "smtp:// accounts@example.com", "smtp://"),
    ("UserAuthMail", "smtp://localhost:99999 accounts@example.com", "smtp://|port"),
    ("UserAuthMail", "smtp://localhost:x accounts@example.com", "smtp://|port"),
    ("UserAuthMail", "smtp://localhost/path accounts@example.com", "smtp://"),
    ("UserAuthMail", "smtp://me:secret@localhost accounts@example.com", "UserAuthMailUser|smtp://"),
    ("UserAuthMail", '"smtp://local host" accounts@example.com', "smtp://"),
    ("UserAuthMail", "folder:mail accounts@example.com", "folder:/"),
    ("UserAuthMail", '"folder:${RUN}/missing/mail" accounts@example.com', "create it"),
    ("UserAuthMail", '"folder:${RUN}/httpd.conf" accounts@example.com', "not a folder"),
    ("UserAuthMail", "smtp://localhost nobody", "name@example.com"),
    ("UserAuthMail", 'smtp://localhost ""', "two arguments"),
    ("UserAuthMail", 'smtp://localhost "a@b.example, c@d.example"', "name@example.com"),
    ("UserAuthMailReplyTo", "nobody", "email address"),
    ("UserAuthMailTLS", "off", "auto"),
    ("UserAuthMailTLS", "verify", "require"),
    ("UserAuthVerifyOnGet", "always", "browser"),
    ("UserAuthRemoteUser", "name", "username"),
    ("UserAuthRateLimit", "login", "30/5m"),
    ("UserAuthRateLimit", "login 30", "30/5m"),
    ("UserAuthRateLimit", "login 0/5m", "30/5m"),
    ("UserAuthRateLimit", "login -1/5m", "30/5m"),
    ("UserAuthRateLimit", "login 30/0", "30/5m"),
    ("UserAuthRateLimit", "login 30/5x", "30/5m"),
    ("UserAuthRateLimit", "login 1e9/5m", "30/5m"),
    ("UserAuthRateLimit", "login 30/5m 40/6m", "30/5m"),
    ("UserAuthRateLimit", "logins 30/5m", "login"),
    ("UserAuthRateLimit", "off", "30/5m"),
    ("UserAuthMailLimit", "0/1m", "1/1m"),
    ("UserAuthMailLimit", "1/1m 5", "1/1m"),
    ("UserAuthMailLimit", "1/1m 5/1h 10/24h 20/7d 30/30d", "four"),
    ("UserAuthMailLimit", '""', "UserAuthMailLimit"),
    ("UserAuthPasswordHash", "m=7168,t=1,p=1", "OWASP"),  # CFG-05
    ("UserAuthPasswordHash", "m=19456,t=1,p=1", "OWASP"),
    ("UserAuthPasswordHash", "m=2097152,t=2,p=1", "1048576"),
    ("UserAuthPasswordHash", "m=19456,t=11,p=1", "from 1 to 10"),
    ("UserAuthPasswordHash", "m=19456,t=2,p=2", "one lane"),
    ("UserAuthPasswordHash", "m=19456", "m=19456,t=2,p=1"),
    ("UserAuthPasswordHash", "m=19456,t=2,p=1,x", "m=19456,t=2,p=1"),
    ("UserAuthPasswordHash", "argon2id", "m=19456,t=2,p=1"),
    ("UserAuthPasswordHash", "m=-1,t=2,p=1", "m=19456,t=2,p=1"),
    ("UserAuthPasswordBlocklist", '"${RUN}/none.txt"', "can't be read"),
    ("UserAuthPasswordBreachURL", "https://", "a host"),
    ("UserAuthPasswordBreachURL", "https:///x/", "a host"),
    ("UserAuthPasswordBreachURL", "https://api.pwnedpasswords.com/range", "ends with a slash"),
    ("UserAuthPasswordBreachURL", '"https://a.example/b c/"', "without blanks"),
    ("UserAuthTokenAudience", '"a\tb"', "control"),
    ("UserAuthTokenAudience", "x" * 256, "255 bytes"),
    ("UserAuthProfileField", 'city "City" optional', 'required and public, not "optional"'),
    ("UserAuthProfileField", 'city "City" requierd', 'required and public, not "requierd"'),
    ("UserAuthProfileField", "city Home town", 'not "town".* quotes'),
    ("UserAuthProfileField", 'city "City" required required public', "required twice"),
    ("UserAuthProfileField", "city required", "a label"),
    ("UserAuthTemplates", '"${RUN}/none"', "folder"),
    ("UserAuthTemplates", '"${RUN}/httpd.conf"', "folder"),
    ("UserAuthLogo", '"${RUN}/none.svg"', "can't be read"),
    ("UserAuthLogo", '"${RUN}/httpd.conf"', "svg"),
    ("UserAuthAccent", "blue", "#0b57d0"),
    ("UserAuthAccent", "#12", "#0b57d0"),
    ("UserAuthAccent", '"#123456;}"', "#0b57d0"),
    ("UserAuthSiteName", '""', "UserAuthSiteName"),
    ("UserAuthSiteName", '"' + "x" * 65 + '"', "64"),
    ("UserAuthSiteName", "two words", "one argument"),
    ("UserAuthEventLog", '"${RUN}/missing/events.log"', "UserAuthEventLog"),
    ("UserAuthMailCAFile", '"${RUN}/none.pem"', "UserAuthMailCAFile"),
    ("UserAuthMailPasswordFile", '"${RUN}/none"', "can't be read"),
]


@pytest.mark.parametrize("name, rest, word", REFUSED, ids=[f"{n[8:]}-{r}".replace("/", "|") for n, r, w in REFUSED])
def test_a_line_that_cannot_work_is_refused(new_server, name, rest, word):
    changed = {name: rest}
    if name in ("UserAuthMailCAFile", "UserAuthMailPasswordFile", "UserAuthMailTLS"):
        changed["UserAuthMail"] = "smtp://localhost accounts@example.com"
    if name == "UserAuthMailPasswordFile":
        changed["UserAuthMailUser"] = "me"
    server = new_server(start=False, site=False, conf=site(**changed))
    server.write_conf()
    first = next(row for row in REFUSED if row[0] == name)
    said = refused(server, name, word, line=name, started=first[1] == rest)  # a start for one of each directive
    assert "secret" not in said.replace("userauth.keys", ""), "a password of the configuration is shown"


@pytest.mark.parametrize("name, word", [
    ("UserAuthBaseURL", "UserAuthBaseURL https://www.example.com"),
    ("UserAuthDatabase", "UserAuthDatabase sqlite3 /var/lib/userauth/userauth.db"),
    ("UserAuthMail", "UserAuthMail smtp://localhost"),
])
def test_a_missing_line_is_named_with_an_example(new_server, name, word):
    """CFG-03: no base URL, no start; likewise without database or mail."""
    refused(new_server(start=False, site=False, conf=site(**{name: None})), f"{name} is missing", word)


def test_no_line_at_all_is_no_site(new_server):
    server = new_server(start=False, site=False)
    accepted(server)
    server.start()
    assert Client(server).get("/auth/login").status_code == 404


@pytest.mark.parametrize("lines, words", [
    ({"UserAuthMail": "smtps://mail.example accounts@example.com", "UserAuthMailTLS": "none"}, ["contradicts smtps"]),
    ({"UserAuthMail": "smtp://mail.example accounts@example.com", "UserAuthMailTLS": "none", "UserAuthMailUser": "me",
      "UserAuthMailPasswordFile": '"${RUN}/pw"'}, ["in clear"]),
    ({"UserAuthMail": "smtp://mail.example accounts@example.com", "UserAuthMailUser": "me"}, ["UserAuthMailPasswordFile"]),
    ({"UserAuthMail": "smtp://mail.example accounts@example.com", "UserAuthMailPasswordFile": '"${RUN}/pw"'},
     ["UserAuthMailUser"]),
    pytest.param({"UserAuthMail": "smtp://mail.example accounts@example.com", "UserAuthMailCAFile": '"${RUN}/pw"'},
                 ["UserAuthMailCAFile"], marks=as_root),  # else the children are its owner
    ({"UserAuthMail": "smtp://mail.example accounts@example.com", "UserAuthMailUser": "me",
      "UserAuthMailPasswordFile": '"${RUN}/empty"'}, ["UserAuthMailPasswordFile|empty"]),
    ({"UserAuthMail": "smtp://mail.example accounts@example.com", "UserAuthMailUser": "me",
      "UserAuthMailPasswordFile": '"${RUN}/open"'}, ["UserAuthMailPasswordFile", "chmod"]),
], ids=["smtps-none", "password-in-clear", "user-only", "password-only", "authority-closed", "password-empty", "password-open"])
def test_lines_that_contradict_each_other(new_server, lines, words):
    """CFG-12: mail without TLS, or a password over it, needs a plain word; CFG-02 for its file."""
    server = new_server(start=False, site=False, conf=site(**lines))
    for name, text, mode in (("pw", "a-mail-password\n", 0o600), ("empty", "\n", 0o600), ("open", "a-mail-password\n", 0o644)):
        (server.folder / name).write_text(text)
        (server.folder / name).chmod(mode)
    said = refused(server, *words)
    assert "a-mail-password" not in said


@pytest.mark.parametrize("lines", [
    {"UserAuthMail": "smtp://mail.example accounts@example.com"},
    {"UserAuthMail": "smtp://mail.example:587 accounts@example.com", "UserAuthMailTLS": "unverified"},
    {"UserAuthMail": "smtp://mail.example accounts@example.com", "UserAuthMailTLS": "none"},
    {"UserAuthMail": "smtps://mail.example:465 accounts@example.com", "UserAuthMailTLS": "require"},
    {"UserAuthMail": "smtp://[::1]:2525 accounts@example.com"},
    {"UserAuthMail": "smtp://127.0.0.1 accounts@example.com", "UserAuthMailReplyTo": '"Help <help@example.com>"'},
    {"UserAuthBaseURL": "https://www.example.com/"},
    {"UserAuthBaseURL": "HTTPS://WWW.Example.COM:8443"},
    {"UserAuthBaseURL": "http://[::1]:8080"},
    {"UserAuthPath": "/a/b", "UserAuthDashboardPath": "/a/c"},
    {"UserAuthMailLimit": "off"},
    {"UserAuthMailLimit": "1/1m 5/1h 10/24h 20/7d"},
    {"UserAuthRateLimit": "login off"},
    {"UserAuthPasswordHash": "m=7168,t=5,p=1"},
    {"UserAuthPasswordHash": "m=65536,t=3"},
    {"UserAuthSiteName": '"Große Straße & Söhne"', "UserAuthAccent": "#0b57d0"},
    {"userauthremoteuser": "EMAIL"},
    {"UserAuthPasswordBreachURL": "https://api.pwnedpasswords.com/range/"},
    {"UserAuthUsernameReserved": "admin staff"},
    {"UserAuthProfileField": 'city "Not public" Required PUBLIC'},
], ids=str)
def test_lines_that_work(new_server, lines):
    accepted(new_server(start=False, site=False, conf=site(**lines)))


def test_a_label_in_quotes_stays_whole(new_server):
    """Its last word says nothing about who sees the field."""
    server = new_server(conf='UserAuthProfileField phone "Not public"\nUserAuthProfileField city City public\n')
    page = Client(server).get("/auth/register").text
    assert ">Not public <" in page
    assert page.count("Other members can see this.") == 1


# ---- where a directive may stand (CFG-09) ----


@pytest.mark.parametrize("block", ['Location "/x"', 'Directory "${RUN}/htdocs"', 'Files "x"', "If \"true\""])
def test_a_directive_in_a_section_is_refused(new_server, block):
    server = new_server(start=False, site=False, conf=site(f"<{block}>\nUserAuthSessionIdle 5m\n</{block.split()[0]}>"))
    status, said = configtest(server)
    assert status != 0 and "UserAuthSessionIdle" in said
    assert f"line {line_of(server, 'UserAuthSessionIdle')} of" in said


def test_a_directive_in_htaccess_is_an_error_that_denies(new_server):
    server = new_server(start=False)
    (server.folder / "htdocs" / ".htaccess").write_text("UserAuthSessionLifetime 365d\n")
    (server.folder / "htdocs" / "a.txt").write_text("a file")
    server.start()
    server.expect_log("UserAuthSessionLifetime not allowed here")
    assert Client(server).get("/a.txt").status_code == 500
    assert Client(server).get("/auth/login").status_code == 200


def test_an_unknown_directive_is_refused(new_server):
    status, said = configtest(new_server(start=False, site=False, conf=site("UserAuthNope on")))
    assert status != 0 and "UserAuthNope" in said


def test_a_later_line_replaces_an_earlier_one_and_lists_add(new_server):
    """Contract 6; the order of different directives decides nothing."""
    conf = "UserAuthSiteName First\nUserAuthUsernameReserved first third\n"
    conf += "\n".join(reversed(site().splitlines()))
    conf += "\nUserAuthSiteName Second\nUserAuthUsernameReserved second\nUserAuthRateLimit register 1/1h\n"
    conf += "UserAuthRateLimit register off\nUserAuthRateLimit login 1/1h\n"
    server = new_server(site=False, conf=conf)
    client = Client(server)
    page = client.get("/auth/login").text
    assert "· Second</title>" in page and "First" not in page
    for name in ("first", "third", "second", "admin"):
        fields = {"username": name, "email": f"{name}@example.org", "password": "purple-monkey-dishwasher-92"}
        answer = client.json("POST", "/auth/register", fields)
        assert answer.status_code == 422 and list(answer.json()["errors"]) == ["username"], answer.text


def test_lines_of_the_main_server_hold_for_its_vhosts(new_server):
    """Inherited but for the base URL; a vhost's own line wins."""
    head = 'UserAuthSiteName Main\nUserAuthAccent #112233\nUserAuthDatabase sqlite3 "${RUN}/userauth.db"\n'
    conf = site("UserAuthSiteName Own", UserAuthDatabase=None)
    server = new_server(site=False, head=head, conf=conf)
    page = Client(server).get("/auth/login").text
    assert "· Own</title>" in page
    style = Client(server).get(page.split('rel="stylesheet" href="')[1].split('"')[0]).text
    assert "#112233" in style


@engines.ONLY_A_FILE
def test_a_file_beside_the_main_servers_database_server(new_server):
    """A vhost's own SQLite file has no use for the password that it inherits; one of its own contradicts it."""
    head = 'UserAuthDatabase pgsql "host=db dbname=accounts user=web"\nUserAuthDatabasePasswordFile "${RUN}/pw"\n'
    server = new_server(start=False, site=False, head=head, conf=site())
    (server.folder / "pw").write_text("a-password\n")
    (server.folder / "pw").chmod(0o600)
    accepted(server)
    server.conf += 'UserAuthDatabasePasswordFile "${RUN}/pw"\n'
    refused(server, "a SQLite file has no password", started=False)


def test_a_mail_server_beside_the_main_servers(new_server):
    """A vhost's own mail server is not sent the password of another; one with another sender is the same server."""
    head = 'UserAuthMail smtp://mail.example main@example.com\nUserAuthMailUser me\nUserAuthMailPasswordFile "${RUN}/pw"\n'
    other = site("UserAuthMailTLS none", UserAuthMail="smtp://192.0.2.1 accounts@example.com")
    server = new_server(start=False, site=False, head=head, conf=other)
    (server.folder / "pw").write_text("a-password\n")
    (server.folder / "pw").chmod(0o600)
    accepted(server)
    server.conf = other.replace("smtp://192.0.2.1", "smtp://mail.example")
    refused(server, "in clear", started=False)


@pytest.mark.parametrize("line", ["UserAuthHashQueue 9", "UserAuthHashConcurrency 9", "UserAuthSessionCacheTTL 9s"])
def test_process_wide_lines_have_to_agree(new_server, line):
    head = "Listen 127.0.0.1:%d\n<VirtualHost *:%d>\n" + site(line, UserAuthBaseURL="https://other.example")
    port = spare_port()
    server = new_server(start=False, head=(head % (port, port)) + "</VirtualHost>\n")
    refused(server, line.split()[0], "every virtual host the same")


@pytest.mark.parametrize("flags", [("-S",), ("-M",), ("-L",), ("-t", "-D", "DUMP_VHOSTS"), ("-t", "-D", "DUMP_RUN_CFG")])
def test_asking_has_no_side_effect(new_server, flags):
    """PROC-05."""
    import subprocess

    from confhelp import tree

    server = new_server(start=False)
    server.write_conf()
    before = tree(server.folder)
    done = subprocess.run(server._command(*flags), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert tree(server.folder) == before


def test_the_module_loaded_twice_is_loaded_once(new_server):
    """PROC-05."""
    import os

    from server import TOP

    module = f'{os.environ.get("BUILD") or TOP / "build"}/mod_userauth.so'
    server = new_server(start=False, head=f'LoadModule userauth_module "{module}"')
    server.expect_log("AH01574: module userauth_module is already loaded")
    accepted(server)
    server.start()
    assert Client(server).get("/auth/login").status_code == 200


@as_root
def test_a_driver_that_is_not_installed_is_missed_by_the_configuration_test(new_server):
    """CFG-08: `apachectl graceful` asks it first; the restart itself would end the server."""
    import glob
    import subprocess

    server = new_server(start=False, site=False, conf=site(UserAuthDatabase='pgsql "host=127.0.0.1 dbname=a user=b"'))
    server.write_conf()
    driver = glob.glob("/usr/lib/*/apr-util-1/apr_dbd_pgsql-1.so")[0]
    hidden = ["unshare", "-m", "sh", "-c", f'mount --bind /dev/null {driver} || exit 77; exec "$@"', "sh"]
    done = subprocess.run([*hidden, *server._command("-t")], capture_output=True, text=True, check=False)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("needs a namespace of its own, to hide the driver in")
    assert done.returncode == 1 and "install the package libaprutil1-dbd-pgsql" in done.stderr, done.stderr
    assert f"httpd.conf:{line_of(server, 'UserAuthDatabase')}" in done.stderr
