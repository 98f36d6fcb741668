"""/auth/jwks.json: other servers verify our access tokens with python3-jwt; key files and restarts."""
import time

import jwt
import pytest
from client import Client
from people import join
from tokens import bearer, check, key_of, key_set, log_in, true_key


def test_what_it_shows(client):
    answer = client.get("/auth/jwks.json")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert "Set-Cookie" not in answer.headers
    keys = answer.json()["keys"]
    assert len(keys) >= 2 and len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}  # and no "d"
        assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")
    answer = client.get("/auth/jwks.json", headers={"Accept": "application/jwk-set+json"})
    assert answer.headers["Content-Type"] == "application/jwk-set+json" and answer.json()["keys"] == keys


def test_another_server_verifies(server):
    """Fetches the keys by itself, as its library does it."""
    if server.tls:
        pytest.skip("the library does not know the self-made certificate")
    own = log_in(server)
    keys = jwt.PyJWKClient(server.base + "/auth/jwks.json")
    key = keys.get_signing_key_from_jwt(own.access).key
    claims = jwt.decode(own.access, key, algorithms=["ES256"], audience=server.base, issuer=server.base)
    assert claims["sub"] == own.person.id


def test_the_claims(server):
    """Contract 5, JWT-16: these and no other; no address, no name but the username."""
    own = log_in(server)
    header = jwt.get_unverified_header(own.access)
    assert set(header) == {"alg", "kid", "typ"} and (header["alg"], header["typ"]) == ("ES256", "at+jwt")
    claims = check(server, own.access)
    assert set(claims) == {
        "iss", "sub", "aud", "iat", "nbf", "exp", "jti", "sid", "auth_time", "amr", "username"
    }
    assert (claims["iss"], claims["aud"], claims["sub"]) == (server.base, server.base, own.person.id)
    assert claims["username"] == own.person.username and claims["amr"] == ["pwd"]
    assert claims["exp"] - claims["iat"] == 300 and claims["nbf"] == claims["iat"]
    assert abs(claims["iat"] - time.time()) < 60 and claims["auth_time"] <= claims["iat"]
    rows = server.db("SELECT id FROM session WHERE account_id = ?", own.person.id)
    assert [row["id"] for row in rows] == [claims["sid"]]


def test_what_another_server_refuses(server):
    own = log_in(server)
    key = key_of(server, own.access)
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(own.access, key, algorithms=["ES256"], audience="https://other.example", issuer=server.base)
    head, body, signature = own.access.split(".")
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(".".join((head, body[:-4] + "AAAA", signature)), key, algorithms=["ES256"], audience=server.base)


def test_the_key_comes_from_the_key_file(server):
    """Nodes with the same key file sign alike: what we derive from it is among the keys shown."""
    own = true_key(server).public_key().public_numbers()
    assert own in [key.key.public_numbers() for key in key_set(server).keys]


def test_tokens_outlive_a_restart(new_server):
    server = new_server()
    own = log_in(server)
    shown = Client(server).get("/auth/jwks.json").json()
    server.stop()
    server.start()
    assert Client(server).get("/auth/jwks.json").json() == shown
    assert Client(server).get("/dashboard", headers=bearer(own.access)).status_code == 200


def test_an_audience_of_its_own(new_server):
    server = new_server(conf="UserAuthTokenAudience https://api.example.com")
    own = log_in(server, join(server))
    assert check(server, own.access, "https://api.example.com")["aud"] == "https://api.example.com"
    assert Client(server).get("/dashboard", headers=bearer(own.access)).status_code == 200
