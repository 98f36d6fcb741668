"""tokens.py: API tokens as programs and other servers use them, and as forgers make them.

log_in(server)      signs a new account in with JSON; a Tokens
bearer(token)       the header
key_set(server)     the public keys, as PyJWT reads them from /auth/jwks.json
true_key(server)    the server's own private key, derived anew from its key file: for tokens that are
                    signed rightly and wrong in one claim only
"""
import base64
import hashlib
import hmac
import time
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from client import Client
from people import Person, join

KEY_LIFETIME = 30 * 86400
NO_GOOD = 'Bearer error="invalid_token"'


@dataclass
class Tokens:
    person: Person
    access: str
    refresh: str
    cookie: str


def log_in(server, person=None):
    person = person or join(server)
    client = Client(server)
    answer = client.json("POST", "/auth/login", {"login": person.username, "password": person.password})
    assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
    said = answer.json()
    return Tokens(person, said["access_token"], said["refresh_token"], client.cookies["userauth"])


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def renew(client, refresh, **kwargs):
    return client.json("POST", "/auth/token", {"refresh_token": refresh}, **kwargs)


def no_good(answer):
    """A refusal that tells a program to begin anew, whatever it is that was asked for."""
    assert answer.status_code == 401, f"{answer.status_code} {answer.text}"
    assert answer.headers["WWW-Authenticate"] == NO_GOOD
    assert "Location" not in answer.headers and "Set-Cookie" not in answer.headers
    return answer


def key_set(server):
    return jwt.PyJWKSet.from_dict(Client(server).get("/auth/jwks.json").json())


def key_of(server, token):
    """The public key that a token names."""
    kid = jwt.get_unverified_header(token)["kid"]
    return next(key.key for key in key_set(server).keys if key.key_id == kid)


def check(server, token, audience=None):
    """The claims, verified as another server does."""
    return jwt.decode(
        token,
        key_of(server, token),
        algorithms=["ES256"],
        audience=audience or server.base,
        issuer=server.base,
        options={"require": ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"]},
    )


def true_key(server):
    secret = _decode((server.folder / "userauth.keys").read_text().split()[1])
    number = int(time.time()) // KEY_LIFETIME
    scalar = _hmac(_hmac(secret, "userauth-key-1", "jwt"), "jwt", str(number), "0")
    return ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())


def _decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _hmac(key, *parts):
    data = b"".join(len(part).to_bytes(8, "big") + part.encode() for part in parts)
    return hmac.new(key, data, hashlib.sha256).digest()
