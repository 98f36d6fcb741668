"""server.py: a real Apache for the tests, on a port of its own, below a folder of its own.

A Server writes its configuration, starts apache2 in the foreground, and knows the folder's
contents: error log, mails, database. Its error log is an assertion: see unexpected_log().
Every wait is for a condition. The kernel ends the server when pytest dies (setpriv --pdeathsig),
so start servers from pytest's main thread only.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import engines
import mails
from http2 import SERVER as HTTP2
from quiet import Quiet, few_spare

TOP = Path(__file__).resolve().parents[2]
MODULES = Path("/usr/lib/apache2/modules")
LOADED = """access_compat actions alias allowmethods auth_basic authn_core authn_file authz_core authz_groupfile
    authz_host authz_user autoindex deflate dir env expires filter headers include macro mime negotiation
    proxy proxy_http remoteip reqtimeout rewrite setenvif socache_shmcb ssl status""".split()
SUSPICIOUS = re.compile(
    r"\[[a-z0-9_]*:(warn|error|crit|alert|emerg)\]|exit signal|AddressSanitizer|runtime error:|Assertion|assert failed"
)
MACHINE = re.compile("AH01882|AH03093")  # no test's: a newer Apache than OpenSSL; a child of event ends and keeps a connection
SITE = """
UserAuthBaseURL  ${BASE_URL}
UserAuthDatabase sqlite3 "${RUN}/userauth.db"
UserAuthKeyFile  "${RUN}/userauth.keys"
UserAuthMail     "folder:${RUN}/mail" "Example <accounts@example.com>"
UserAuthEventLog "${RUN}/logs/events.log"
UserAuthSiteName "Example"
<Location "/auth">
    SetHandler userauth
</Location>
<Location "/dashboard">
    SetHandler userauth
    AuthType UserAuth
    Require valid-user
</Location>
"""


class StartFailed(Exception):
    """Apache refused to start; the text is what it said."""


def wait_for(condition, seconds=15, what="the condition"):
    """The first true value of condition(), asked until `seconds` have passed."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


def free_port(count=1):
    """The first of `count` neighbouring ports that nobody listens on."""
    for _ in range(200):
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            if all(port_is_free(port + i) for i in range(1, count)):
                return port
    raise RuntimeError("no free port")


def port_is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def has_ipv6():
    try:
        return "00000000000000000000000000000001 " in Path("/proc/net/if_inet6").read_text()
    except OSError:
        return False


def children_can_enter(folder):
    """Whether Apache's children (www-data when root starts it) reach a folder."""
    if os.getuid() != 0:
        return os.access(folder, os.W_OK | os.X_OK)
    probe = ["setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups", "test", "-x", str(folder)]
    return subprocess.run(probe, check=False).returncode == 0


def base_folder():
    """Where all test runs live: below RUN or build/, or in /var/tmp when Apache cannot enter that."""
    wanted = Path(os.environ.get("RUN") or Path(os.environ.get("BUILD") or TOP / "build")).resolve() / "test-run"
    wanted.mkdir(parents=True, exist_ok=True)
    if children_can_enter(wanted):
        return wanted
    if os.environ.get("RUN"):
        raise StartFailed(f"RUN={os.environ['RUN']}: Apache's children cannot enter that folder")
    other = Path(f"/var/tmp/userauth-test-{os.getuid()}")
    other.mkdir(mode=0o755, exist_ok=True)
    if other.is_symlink() or other.stat().st_uid != os.getuid():
        raise StartFailed(f"{other} belongs to someone else; give another folder with RUN=")
    return other


class Server:
    """One Apache. `conf` stands at the end of the vhost, `head` before it; ${RUN}, ${PORT} and
    ${BASE_URL} may be used in both. site=False leaves out the usual directives and locations.
    A request header X-Test-Address makes a loopback client one from that address (mod_remoteip).
    """

    def __init__(self, parent, conf="", head="", site=True, tls=False, mpm=None, port=None):
        self.folder = Path(tempfile.mkdtemp(prefix="server-", dir=parent))
        self.conf, self.head, self.site, self.tls = conf, head, site, tls
        self.mpm = mpm or os.environ.get("UA_MPM") or "event"
        self.fixed_port = port
        self.process = None
        self.expected = []
        self.log_seen = {"start.log": 0, "error.log": 0}
        self._choose_port()
        for name in ("logs", "mail", "htdocs"):
            (self.folder / name).mkdir()
        self._give_to_children()
        if tls:
            self._make_certificate()

    # ---- life ----

    def start(self):
        """Starts and returns once /auth/health (or any page) answers; raises StartFailed with the log."""
        for _ in range(5):
            text = self._start_once()
            if text is None:
                return self
            if self.fixed_port or "Address already in use" not in text:
                raise StartFailed(text)
            self._choose_port()
        raise StartFailed(text)

    def stop(self):
        """Ends it with all its children; does nothing when it does not run."""
        if self.process is None:
            return
        # Quiet first: mpm_event itself may crash when TERM meets a worker that is just finishing.
        try:
            wait_for(Quiet(self.children), 5, "every thread to be idle")
        except (TimeoutError, OSError):
            pass
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            pass
        self.kill()

    def kill(self):
        """SIGKILL for all its processes, as a service manager ends them."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None
        wait_for(lambda: not self._connects(self.port), what="the port to be free")

    def restart(self):
        """Ends and starts it again in the same folder, with what `conf` is now."""
        self.stop()
        return self.start()

    def graceful(self):
        """Graceful restart with what `conf` is now; returns when the new generation is up."""
        self.write_conf()
        before = self.log().count("resuming normal operations")
        os.kill(self.process.pid, signal.SIGUSR1)
        wait_for(lambda: self.log().count("resuming normal operations") > before, what="the graceful restart")

    def renew(self):
        """The same, and the children of before are gone: whatever is asked now, the new generation answers."""
        before = set(self.children())
        self.graceful()
        wait_for(lambda: not before & set(self.children()), 45, "the children of before to be gone")

    def configtest(self):
        """apache2 -t with the present configuration: (exit status, what it printed)."""
        self.write_conf()
        done = subprocess.run(self._command("-t"), capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def children(self):
        """The process ids of Apache's children, cgid's daemon included."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    # ---- what it wrote ----

    @property
    def base(self):
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}"

    @property
    def plain_port(self):
        return self.port + 1 if self.tls else self.port

    @property
    def certificate(self):
        return self.folder / "tls" / "cert.pem"

    def log(self):
        """The whole error log, after what Apache said before it opened it."""
        return self._read("start.log") + self._read("error.log")

    def new_log(self):
        """Lines of the error log since the last call (or since the test began)."""
        new = []
        for name, seen in self.log_seen.items():
            lines = self._read(name).splitlines()
            new += lines[seen:]
            self.log_seen[name] = len(lines)
        return new

    def expect_log(self, pattern):
        """Announces that this test makes lines that match `pattern` in the error log."""
        self.expected.append(re.compile(pattern))

    def wait_log(self, pattern, seconds=15):
        """Waits for a line of the error log, announces it and returns its match."""
        self.expect_log(pattern)
        return wait_for(lambda: re.search(pattern, self.log()), seconds, f"a log line like {pattern}")

    def unexpected_log(self):
        """Alarming lines since the last call that nobody announced; forgets the announcements."""
        lines = [line for line in self.new_log() if SUSPICIOUS.search(line) and not MACHINE.search(line)]
        lines = [line for line in lines if not any(pattern.search(line) for pattern in self.expected)]
        self.expected = []
        return lines

    def access_log(self):
        return self._read("access.log").splitlines()

    def events(self):
        return self._read("events.log").splitlines()

    def mails(self, to=None):
        """All mails in the folder, oldest first; `to` picks those of one recipient."""
        return mails.read_folder(self.folder / "mail", to)

    def wait_mail(self, to, n=1, seconds=15):
        """The n-th mail to an address, waited for."""
        return wait_for(lambda: self.mails(to)[n - 1 : n], seconds, f"mail {n} to {to}")[0]

    def db(self, sql, *args):
        """Runs one statement on the server's database: its rows, to be read by name or number."""
        return engines.query(self, sql, args)

    # ---- inside ----

    def write_conf(self):
        base = "\n".join(f"LoadModule {m}_module {MODULES}/mod_{m}.so" for m in [f"mpm_{self.mpm}", *LOADED])
        ports = [self.port, self.plain_port] if self.tls else [self.port]
        hosts = ["127.0.0.1", "[::1]"] if has_ipv6() else ["127.0.0.1"]
        module = Path(os.environ.get("BUILD") or TOP / "build").resolve() / "mod_userauth.so"
        site = "\n".join([SITE if self.site else "", DOCUMENTS, self.conf])
        tls = f'SSLEngine on\nSSLCertificateFile "{self.certificate}"\nSSLCertificateKeyFile "{self.folder}/tls/key.pem"\n'
        vhosts = f"<VirtualHost *:{self.port}>\n{tls if self.tls else ''}{site}\n</VirtualHost>\n"
        if self.tls:
            vhosts += f"<VirtualHost *:{self.plain_port}>\n{site}\n</VirtualHost>\n"
        text = "\n".join(
            [
                base,
                f'LoadModule userauth_module "{module}"',
                self._cgi_lines(),
                *(f"Listen {host}:{port}" for host in hosts for port in ports),
                "User www-data\nGroup www-data" if os.getuid() == 0 else "",
                f'Define RUN "{self.folder}"\nDefine PORT {self.port}\nDefine BASE_URL {self.base}',
                GLOBAL,
                "UserAuthSessionCacheTTL 0",  # tests change rows of sessions; those of the cache say "2s"
                HTTP2,
                few_spare(self.mpm),
                self.head,
                vhosts,
            ]
        )
        (self.folder / "httpd.conf").write_text(engines.configured(self, text))

    def _cgi_lines(self):
        """mod_cgid talks through a socket, whose path cannot pass 107 bytes; mod_cgi needs none."""
        if len(str(self.folder)) > 80:
            return f"LoadModule cgi_module {MODULES}/mod_cgi.so"
        return f'LoadModule cgid_module {MODULES}/mod_cgid.so\nScriptSock "{self.folder}/cgid.sock"'

    def _start_once(self):
        self.write_conf()
        with open(self.folder / "logs" / "start.log", "ab") as out:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *self._command("-D", "FOREGROUND")],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                cwd="/",
            )
        wait_for(lambda: self.process.poll() is not None or self._answers(), 60, "Apache to answer")
        if self.process.poll() is None:
            return None
        self.process = None
        return self.log()

    def _command(self, *args):
        return [shutil.which("apache2") or "/usr/sbin/apache2", "-d", str(self.folder), "-f", f"{self.folder}/httpd.conf", *args]

    def _answers(self):
        """Whether this very Apache answers; a stranger on its port does not count."""
        try:
            if (self.folder / "httpd.pid").read_text().strip() != str(self.process.pid):
                return False
            if "mod_cgid" in self._cgi_lines() and not (self.folder / f"cgid.sock.{self.process.pid}").exists():
                return False  # told to restart now, the late daemon would bind its socket beside the next one's
            with socket.create_connection(("127.0.0.1", self.plain_port), 10) as link:
                link.sendall(b"GET /auth/health HTTP/1.0\r\nHost: localhost\r\n\r\n")
                return link.recv(5) == b"HTTP/"
        except OSError:
            return False

    @staticmethod
    def _connects(port):
        try:
            socket.create_connection(("127.0.0.1", port), 10).close()
            return True
        except OSError:
            return False

    def _choose_port(self):
        self.port = self.fixed_port or free_port(2 if self.tls else 1)

    def _give_to_children(self):
        if os.getuid() == 0:
            shutil.chown(self.folder, "root", "www-data")
            shutil.chown(self.folder / "mail", "www-data", "www-data")
            self.folder.chmod(0o1775)
        else:
            self.folder.chmod(0o755)

    def _make_certificate(self):
        folder = self.folder / "tls"
        folder.mkdir()
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
            + ["-days", "30", "-subj", "/CN=localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
            + ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"]
            + ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
            check=True,
            capture_output=True,
        )

    def _read(self, name):
        try:
            return (self.folder / "logs" / name).read_text(errors="replace")
        except FileNotFoundError:
            return ""


GLOBAL = r"""
ServerRoot "${RUN}"
DefaultRuntimeDir "${RUN}"
PidFile "${RUN}/httpd.pid"
ServerName localhost
ErrorLog "${RUN}/logs/error.log"
LogLevel info
LogFormat "%h %u %t \"%r\" %>s %B \"%{Referer}i\" \"%{User-Agent}i\"" full
CustomLog "${RUN}/logs/access.log" full
TypesConfig /dev/null
AddType text/html .html
AddType text/plain .txt
SSLSessionCache "shmcb:${RUN}/tls-sessions"
RemoteIPHeader X-Test-Address
RemoteIPInternalProxy 127.0.0.0/8 ::1
<Directory />
    Require all denied
</Directory>
"""
DOCUMENTS = """
DocumentRoot "${RUN}/htdocs"
DirectoryIndex index.html
<Directory "${RUN}/htdocs">
    Options FollowSymLinks ExecCGI
    AllowOverride All
    Require all granted
</Directory>
"""
