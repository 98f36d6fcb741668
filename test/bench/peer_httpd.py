"""peer_httpd.py: the gates that come with Apache: mod_auth_form with each kind of session, and Basic with bcrypt.

mod_auth_form keeps name and password in the session and checks them anew at each request, which is a bcrypt each. Its
documentation's remedy "for high traffic sites" is AuthFormSitePassphrase, so it is set here. What it recommends for the session
in a cookie is encryption (mod_session_crypto); without it is the faster one, with the password readable in the cookie: a row each.
"""
import base64
import os
import secrets
import shutil
import sqlite3
import subprocess
from pathlib import Path

from peer_base import Httpd, Peer, browser, cookie_of
from people import PASSWORD
from server import MODULES

FORM = """
<Location "/gated">
    %(form)s
    AuthFormLoginRequiredLocation "/sign-in.html"
    Require valid-user
</Location>
<Location "/login">
    SetHandler form-login-handler
    %(form)s
    AuthFormLoginRequiredLocation "/wrong.html"
    AuthFormLoginSuccessLocation "/gated/file.txt"
</Location>
"""
FORM_LINES = """AuthType form
    AuthName "Members"
    AuthFormProvider file
    AuthUserFile "${RUN}/htpasswd"
    AuthFormSitePassphrase "%s"
    Session On
    %s"""
# The statements of mod_session_dbd's documentation. As many connections as a child has threads, so that none is opened anew.
DBD = """
DBDriver sqlite3
DBDParams "${RUN}/sessions.db"
DBDMin 4
DBDKeep 25
DBDMax 25
DBDPrepareSQL "delete from session where key = %s" deletesession
DBDPrepareSQL "update session set value = %s, expiry = %lld, key = %s where key = %s" updatesession
DBDPrepareSQL "insert into session (value, expiry, key) values (%s, %lld, %s)" insertsession
DBDPrepareSQL "select value from session where key = %s and (expiry = 0 or expiry > %lld)" selectsession
DBDPrepareSQL "delete from session where expiry != 0 and expiry < %lld" cleansession
"""
BASIC = """
<Location "/gated">
    AuthType Basic
    AuthName "Members"
    AuthBasicProvider file
    AuthUserFile "${RUN}/htpasswd"
    Require valid-user
</Location>
"""
SALT = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def bcrypt(password):
    """As `htpasswd -B` does it: cost 5."""
    salt = "$2y$05$" + "".join(secrets.choice(SALT) for _ in range(21)) + secrets.choice(".Oeu")
    return subprocess.run(
        ["perl", "-e", "print crypt($ARGV[0], $ARGV[1])", password, salt], capture_output=True, text=True, check=True
    ).stdout


def write_htpasswd(server):
    file = server.folder / "htpasswd"
    file.write_text(f"member:{bcrypt(PASSWORD)}\n")
    file.chmod(0o644)


class Bare(Peer):
    """What an Apache without mod_userauth needs for the file: what each peer here adds its own to."""

    name = "plain, no mod_userauth"
    path = "/plain/file.txt"
    gated = False

    def __init__(self, parent):
        super().__init__(Httpd(parent))

    def sign_in(self):
        """Nobody asks for it: only that the request is as long as the others."""
        return {"Cookie": "session=" + secrets.token_urlsafe(32)}


class Bcrypt(Peer):
    """mod_authn_socache would not help: it keeps the hash, and bcrypt is done at each request all the same."""

    name = "Basic, bcrypt"

    def __init__(self, parent):
        super().__init__(Httpd(parent, BASIC))

    def start(self):
        write_htpasswd(self.server)
        super().start()

    def sign_in(self):
        return {"Authorization": "Basic " + base64.b64encode(f"member:{PASSWORD}".encode()).decode()}


class Form(Peer):
    """mod_auth_form; `session` says where its session is kept."""

    session, modules, more = "", "", ""

    def __init__(self, parent):
        form = FORM % {"form": FORM_LINES % (secrets.token_hex(16), self.session % {"secret": secrets.token_hex(32)})}
        super().__init__(Httpd(parent, self.more + form, f"request session auth_form {self.modules}"))

    def missing(self):
        absent = [name for name in self.modules.split() if not (MODULES / f"mod_{name}.so").exists()]
        return f"Apache has no {', '.join(absent)}" if absent else None

    def start(self):
        write_htpasswd(self.server)
        super().start()

    def sign_in(self):
        client = browser()
        fields = {"httpd_username": "member", "httpd_password": PASSWORD}
        answer = client.post(f"{self.base}/login", fields, allow_redirects=False, timeout=30)
        if not answer.headers.get("Location", "").endswith("/gated/file.txt"):
            raise SystemExit(f"{self.name}: signing in was answered with {answer.status_code}:\n{self.server.log()[-2000:]}")
        return cookie_of(client, "session")


class FormCookie(Form):
    name = "mod_auth_form, cookie"
    session = "SessionCookieName session path=/"
    modules = "session_cookie"


class FormCrypto(Form):
    name = "mod_auth_form, encrypted cookie"
    session = 'SessionCookieName session path=/\n    SessionCryptoPassphrase "%(secret)s"'
    modules = "session_cookie session_crypto"


class FormDbd(Form):
    name = "mod_auth_form, SQLite"
    session = "SessionDBDCookieName session path=/"
    modules = "dbd session_dbd"
    more = DBD

    def missing(self):
        if not list(Path("/usr/lib").glob("*/apr-util-1/apr_dbd_sqlite3.so")):
            return "libaprutil1-dbd-sqlite3 is not installed"
        return super().missing()

    def start(self):
        file = self.server.folder / "sessions.db"
        database = sqlite3.connect(file)
        database.execute("PRAGMA journal_mode=WAL")  # readers take no lock on the file itself
        database.execute("CREATE TABLE session (key TEXT PRIMARY KEY, value TEXT, expiry INTEGER) WITHOUT ROWID")
        database.close()
        if os.getuid() == 0:
            shutil.chown(file, "www-data", "www-data")
        super().start()
