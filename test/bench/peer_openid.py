"""peer_openid.py: mod_auth_openidc as a peer of the gate, and the small OpenID provider that it needs to sign one person in.

The provider listens on loopback, inside the bench, and lets everybody in at once. After the sign-in nobody asks it again, so
its time is in no figure. The module keeps its session in its shared memory, as is its default and its fastest.
"""
import base64
import http.server
import json
import secrets
import subprocess
import threading
import time
import urllib.parse

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from peer_base import FILE, Httpd, Peer, browser, cookie_of
from runtimes import UNPACKED

MODULE = UNPACKED / "mod_auth_openidc/usr/lib/apache2/modules/mod_auth_openidc.so"
CLIENT = "bench"
# Claims go to the environment only, as ours do; by default the module makes request headers of them as well.
CONF = """
OIDCProviderMetadataURL %(issuer)s/.well-known/openid-configuration
OIDCClientID %(client)s
OIDCClientSecret %(secret)s
OIDCCryptoPassphrase %(passphrase)s
OIDCRedirectURI http://127.0.0.1:${PORT}/gated/redirect_uri
OIDCScope "openid"
OIDCSessionType server-cache
OIDCCacheType shm
OIDCPassClaimsAs environment
<Location "/gated">
    AuthType openid-connect
    Require valid-user
</Location>
"""


class _Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, _, query = self.path.partition("?")
        provider = self.server.provider
        if path == "/.well-known/openid-configuration":
            self._say(provider.description())
        elif path == "/jwks":
            self._say(provider.keys())
        elif path == "/authorize":
            self._redirect(provider.authorize(dict(urllib.parse.parse_qsl(query))))
        else:
            self._say({"error": "not_found"}, 404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        said = self.server.provider.token(dict(urllib.parse.parse_qsl(body))) if self.path == "/token" else None
        self._say(said or {"error": "invalid_grant"}, 200 if said else 400)

    def _redirect(self, to):
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _say(self, said, status=200):
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Provider:
    """Discovery, keys, authorization with a code that is redirected at once, and the code's exchange for an ID token."""

    _server = None

    def start(self):
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._codes = {}
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
        self._server.daemon_threads = True
        self._server.provider = self
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.5,), daemon=True)
        self._thread.start()
        return self

    def stop(self):
        if not self._server:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def description(self):
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    def keys(self):
        numbers = self._key.public_key().public_numbers()
        return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": _number(numbers.n), "e": _number(numbers.e)}]}

    def authorize(self, asked):
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked.get("nonce")
        return asked["redirect_uri"] + "?" + urllib.parse.urlencode({"code": code, "state": asked["state"]})

    def token(self, asked):
        """The answer to a code, which is good once; None for any other."""
        if asked.get("code") not in self._codes:
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": "member", "aud": CLIENT, "iat": now, "exp": now + 3600}
        claims.update(name="A Member", email="member@example.org", nonce=self._codes.pop(asked["code"]))
        pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        signed = jwt.encode(claims, pem, algorithm="RS256", headers={"kid": "1"})
        return {"access_token": secrets.token_urlsafe(32), "token_type": "Bearer", "expires_in": 3600, "id_token": signed}


def _number(value):
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


class OpenIDConnect(Peer):
    name = "mod_auth_openidc"

    def __init__(self, parent):
        super().__init__(Httpd(parent, head=f'LoadModule auth_openidc_module "{MODULE}"'))
        self.provider = Provider()

    def missing(self):
        if not MODULE.exists():
            return "libapache2-mod-auth-openidc is not unpacked"
        needs = subprocess.run(["ldd", str(MODULE)], capture_output=True, text=True, check=False).stdout
        absent = [line.split()[0] for line in needs.splitlines() if "not found" in line]
        return f"it needs {', '.join(absent)}" if absent else None

    def start(self):
        words = {"issuer": self.provider.start().issuer, "client": CLIENT}
        words.update(secret=secrets.token_hex(16), passphrase=secrets.token_hex(16))
        self.server.conf += CONF % words
        super().start()

    def stop(self):
        super().stop()
        self.provider.stop()

    def sign_in(self):
        """One walk: the gate, the provider, back with the code, and the file."""
        client = browser()
        answer = client.get(self.url, timeout=30)
        if answer.status_code != 200 or answer.text != FILE:
            raise SystemExit(f"{self.name}: signing in ended with {answer.status_code} at {answer.url}:\n{self.server.log()[-2000:]}")
        return cookie_of(client, "mod_auth_openidc_session")
