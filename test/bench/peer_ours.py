"""peer_ours.py: mod_userauth itself beside its peers: the plain file, and the same file by cookie, Bearer token and Basic.

All four are on one Apache: Plain starts it, and the others sign in there.
"""
import base64
import time

import apps
from peer_base import ALIKE, FILE, Peer
from people import PASSWORD, join
from server import Server
from tokens import bearer, log_in

CONF = """
UserAuthSessionCacheTTL 2s
<Location "/gated">
    AuthType UserAuth
    Require valid-user
</Location>
<Location "/basic">
    AuthType Basic
    AuthName "Members"
    AuthBasicProvider userauth
    Require valid-user
</Location>
"""
TOKEN_AGE = 120  # seconds; one lives for five minutes


def ours(parent):
    return Server(parent, conf=ALIKE + CONF)


class Plain(Peer):
    """The file without a gate, asked for with the same headers as by the gated row that comes next."""

    name = "plain file"
    path = "/plain/file.txt"
    gated = False

    def sign_in(self):
        return {"Cookie": f"userauth={log_in(self.server).cookie}"}


class Cookie(Peer):
    name = "mod_userauth, cookie"

    def start(self):
        apps.put(self.server, self.path[1:], FILE)
        self.person = join(self.server)
        self.headers = self.sign_in()

    def stop(self):
        """Plain ends the server."""

    def sign_in(self):
        return {"Cookie": f"userauth={log_in(self.server, self.person).cookie}"}


class Bearer(Cookie):
    name = "mod_userauth, Bearer"

    def sign_in(self):
        self.since = time.monotonic()
        return bearer(log_in(self.server, self.person).access)

    @property
    def headers(self):
        if time.monotonic() - self.since > TOKEN_AGE:
            self._headers = self.sign_in()
        return self._headers

    @headers.setter
    def headers(self, headers):
        self._headers = headers


class Basic(Cookie):
    name = "mod_userauth, Basic"
    path = "/basic/file.txt"

    def sign_in(self):
        secret = base64.b64encode(f"{self.person.username}:{PASSWORD}".encode()).decode()
        return {"Authorization": f"Basic {secret}"}
