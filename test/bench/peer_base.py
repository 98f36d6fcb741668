"""peer_base.py: what the peers of the gate have in common: the file, the settings, and how a signed-in client asks for it.

A Peer has start(), stop(), url, headers (of the signed-in client), pids() (all processes whose time counts) and missing()
(why it can't run here, or None). Its server has port, process, children() and log(), which is what load.py asks for.
"""
import sys
from pathlib import Path

import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "http"))

import apps  # noqa: E402
from server import MODULES, Server  # noqa: E402

FILE = "x" * 1023 + "\n"
# The same for every Apache here: no look for .htaccess, and an access log that is written, to nowhere.
ALIKE = """
<Directory "/">
    AllowOverride None
</Directory>
<Directory "${RUN}/htdocs">
    AllowOverride None
</Directory>
LogLevel warn
CustomLog /dev/null full
"""
OURS = ("LoadModule userauth_module", "UserAuthSessionCacheTTL 0")


class Httpd(Server):
    """An Apache with the base modules and settings of ours, without mod_userauth; `modules` are Debian's, to load besides."""

    def __init__(self, parent, conf="", modules="", head=""):
        loads = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in modules.split())
        super().__init__(parent, conf=ALIKE + conf, head=f"{loads}\n{head}", site=False)

    def write_conf(self):
        super().write_conf()
        file = self.folder / "httpd.conf"
        file.write_text("\n".join(line for line in file.read_text().splitlines() if not line.startswith(OURS)) + "\n")


class Peer:
    name = ""
    path = "/gated/file.txt"
    gated = True

    def __init__(self, server):
        self.server = server
        self.headers = {}

    def missing(self):
        return None

    def start(self):
        apps.put(self.server, self.path[1:], FILE)
        self.server.start()
        self.headers = self.sign_in()

    def stop(self):
        self.server.stop()

    def sign_in(self):
        """The headers of a client that is signed in."""
        return {}

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def url(self):
        return self.base + self.path

    def pids(self):
        return [self.server.process.pid, *self.server.children()]


def browser():
    """A client that keeps cookies and heeds no proxy of the environment."""
    client = requests.Session()
    client.trust_env = False
    return client


def cookie_of(client, name):
    """The header that carries the session a client was given."""
    value = client.cookies.get(name)
    if not value:
        raise SystemExit(f"signing in gave no cookie {name}, but {list(client.cookies.keys())}")
    return {"Cookie": f"{name}={value}"}
