"""Access tokens at the gate of a live server: static files, CGI, our own pages; and every forgery."""
import base64
import hashlib
import hmac
import json
import time

import apps
import jwt
import pytest
from apps import Backend, environment
from client import Client
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pages import problem
from people import PASSWORD, confirm, letter, register, signed_in
from server import Server
from tokens import bearer, check, key_of, log_in, no_good, renew, true_key

CONF = """
<Location "/private">
    AuthType UserAuth
    Require valid-user
</Location>
<Location "/private/cgi">
    SetHandler cgi-script
    Options +ExecCGI
</Location>
"""
NAVIGATION = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf=CONF)
    apps.put(server, "private/page.html", "<p>for members</p>")
    apps.put_cgi(server, "private/cgi/show.cgi")
    try:
        server.start()
        server.own = log_in(server)
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def client(site):
    return Client(site)


# ---- who passes ----


def test_files_programs_and_pages(site, client):
    own = site.own
    assert client.get("/private/page.html", headers=bearer(own.access)).text == "<p>for members</p>"
    seen = environment(client.get("/private/cgi/show.cgi", headers=bearer(own.access)))
    assert seen["REMOTE_USER"] == own.person.username and seen["USERAUTH_ID"] == own.person.id
    assert seen["USERAUTH_SESSION"] == check(site, own.access)["sid"]
    assert client.json("GET", "/dashboard", headers=bearer(own.access)).json()["email"] == own.person.email
    assert client.post("/private/cgi/show.cgi", {"a": "b"}, headers=bearer(own.access)).status_code == 200


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
def test_the_scheme_in_any_case(site, client, scheme):
    assert client.get("/private/page.html", headers={"Authorization": f"{scheme} {site.own.access}"}).status_code == 200


def test_a_cookie_beside_it(site, client):
    """JWT-15: fine if they agree, else 400; one that is no credential any more is none."""
    own, other = site.own, log_in(site)
    both = {**bearer(own.access), "Cookie": f"userauth={own.cookie}"}
    assert client.get("/private/page.html", headers=both).status_code == 200
    both["Cookie"] = f"userauth={other.cookie}"
    problem(client.json("GET", "/private/page.html", headers=both), 400, "bad_request")
    problem(client.json("GET", "/dashboard", headers=both), 400, "bad_request")
    assert client.get("/private/page.html", headers={**both, **NAVIGATION}).status_code == 400
    assert client.json("POST", "/auth/logout", {}, headers={"Cookie": both["Cookie"]}).status_code == 200
    assert client.get("/private/page.html", headers=both).status_code == 200


def test_other_schemes_say_nothing(site, client):
    """APA-05"""
    for header in ("Basic " + base64.b64encode(f"{site.own.person.username}:{PASSWORD}".encode()).decode(),
                   "Digest a=b", site.own.access, f"Token {site.own.access}"):
        answer = client.get("/private/page.html", headers={"Authorization": header, **NAVIGATION})
        assert answer.status_code == 303, header


def test_not_from_the_query_or_a_form(site, client):
    """JWT-15"""
    for name in ("access_token", "token", "bearer"):
        assert client.get(f"/private/page.html?{name}={site.own.access}", headers=NAVIGATION).status_code == 303
    assert client.post("/private/cgi/show.cgi", {"access_token": site.own.access}, headers=NAVIGATION).status_code == 303


# ---- what opens nothing ----


def refuses(client, site, token):
    """For a program and for a navigation, alone and beside a good cookie; on files and on our pages."""
    header = bearer(token)
    no_good(client.get("/private/page.html", headers=header))
    no_good(client.get("/private/page.html", headers={**header, **NAVIGATION, "Cookie": f"userauth={site.own.cookie}"}))
    answer = no_good(client.json("GET", "/dashboard", headers=header))
    problem(answer, 401, "login_required")
    assert "for members" not in answer.text and token not in answer.text


def b64(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims_of(site):
    return jwt.decode(site.own.access, options={"verify_signature": False})


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None, ["none"], 1])
def test_no_algorithm(site, client, alg):
    """JWT-01"""
    head = {"typ": "at+jwt", "kid": jwt.get_unverified_header(site.own.access)["kid"], "alg": alg}
    if alg is None:
        del head["alg"]
    _, body, signature = site.own.access.split(".")
    for end in ("", signature):
        refuses(client, site, ".".join((b64(head), body, end)))


def test_no_signature(site, client):
    head, body, signature = site.own.access.split(".")
    for token in (f"{head}.{body}.", f"{head}.{body}", f"{head}..{signature}", f".{body}.{signature}", f"{body}.{signature}"):
        refuses(client, site, token)


def test_the_public_key_is_no_secret(site, client):
    """JWT-02"""
    key = key_of(site, site.own.access)
    kid = jwt.get_unverified_header(site.own.access)["kid"]
    shown = next(k for k in client.get("/auth/jwks.json").json()["keys"] if k["kid"] == kid)
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    secrets = [
        key.public_bytes(serialization.Encoding.PEM, spki),
        key.public_bytes(serialization.Encoding.PEM, spki).strip(),
        key.public_bytes(serialization.Encoding.DER, spki),
        key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint),
        json.dumps(shown).encode(),
        json.dumps(shown, separators=(",", ":")).encode(),
        b"",
    ]
    for secret in secrets:
        start = b64({"alg": "HS256", "typ": "at+jwt", "kid": kid}) + "." + b64(claims_of(site))
        refuses(client, site, start + "." + b64(hmac.new(secret, start.encode(), hashlib.sha256).digest()))


def test_somebody_elses_key(site, client):
    """The right name on another key, another name, the key in the header (JWT-04)."""
    key = ec.generate_private_key(ec.SECP256R1())
    kid = jwt.get_unverified_header(site.own.access)["kid"]
    point = key.public_key().public_numbers()
    public = {"kty": "EC", "crv": "P-256", "x": b64(point.x.to_bytes(32, "big")), "y": b64(point.y.to_bytes(32, "big"))}
    with Backend() as backend:
        url = backend.url + "/keys.json"
        for more in ({"kid": kid}, {"kid": "x"}, {}, {"kid": kid, "jwk": public}, {"jwk": public}, {"kid": kid, "jku": url},
                     {"jku": url}, {"kid": kid, "x5u": url}, {"kid": kid, "x5c": ["AAAA"]}, {"kid": url},
                     {"kid": "../../../../dev/null"}, {"kid": "' OR '1'='1"}, {"kid": "x" * 3000}):
            refuses(client, site, jwt.encode(claims_of(site), key, algorithm="ES256", headers={"typ": "at+jwt", **more}))
        assert backend.requests == []


@pytest.mark.parametrize(
    "header", [
        {"crit": ["b64"], "b64": False}, {"b64": False}, {"crit": ["exp"]}, {"zip": "DEF"}, {"typ": "JWT"}, {"typ": "id+jwt"},
        {"typ": None}, {"cty": "JWT"}, {"jwk": {}}, {"alg": "ES384"}, {"alg": "RS256"}
    ], ids=str
)
def test_other_headers(site, client, header):
    """JWT-04, signed with the server's own key."""
    kid = jwt.get_unverified_header(site.own.access)["kid"]
    wanted = {"alg": "ES256", "typ": "at+jwt", "kid": kid, **header}
    refuses(client, site, rightly_signed(site, claims_of(site), {k: v for k, v in wanted.items() if v is not None}))


def rightly_signed(site, claims, header=None):
    """Signed with the server's own key, whatever the header says."""
    header = header or jwt.get_unverified_header(site.own.access)
    start = b64(header) + "." + b64(claims)
    algorithm = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
    return start + "." + b64(algorithm.sign(start.encode(), true_key(site)))


def test_our_own_forge_works(site, client):
    """So that what follows is refused for its claims."""
    token = rightly_signed(site, {**claims_of(site), "jti": "0f73946d-1bc0-41d0-b09d-6c3b9fe28ca2"})
    assert client.get("/private/page.html", headers=bearer(token)).status_code == 200


NOW = int(time.time())


@pytest.mark.parametrize(
    "claims", [
        {"exp": NOW - 1}, {"exp": None}, {"exp": "never"}, {"exp": 0}, {"exp": -1}, {"iat": NOW + 3600, "nbf": NOW + 3600},
        {"nbf": NOW + 3600}, {"aud": "https://other.example"}, {"aud": None}, {"aud": ""}, {"aud": []}, {"aud": ["x"]},
        {"iss": "https://other.example"}, {"iss": None}, {"iss": ""}, {"sid": None}, {"sid": ""},
        {"sid": "0f73946d-1bc0-41d0-b09d-6c3b9fe28ca2"}, {"sid": "' OR '1'='1"}, {"sub": None}, {"sub": "x"},
        {"sub": "0f73946d-1bc0-41d0-b09d-6c3b9fe28ca2"}
    ], ids=str
)
def test_other_claims(site, client, claims):
    """JWT-07 and the times, with a right signature."""
    wanted = {k: v for k, v in {**claims_of(site), **claims}.items() if v is not None}
    refuses(client, site, rightly_signed(site, wanted))


@pytest.mark.parametrize("change", [str.upper, str.title, lambda t: t + "/", lambda t: t[:-1]])
@pytest.mark.parametrize("claim", ["iss", "aud"])
def test_nearly_our_name(site, client, claim, change):
    own = claims_of(site)
    refuses(client, site, rightly_signed(site, {**own, claim: change(own[claim])}))


def test_other_signatures(site, client):
    """JWT-05"""
    head, body, signature = site.own.access.split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    for wrong in (bytes(64), raw[:32] + bytes(32), bytes(32) + raw[32:], raw[:63], raw + b"\0", der,
                  order.to_bytes(32, "big") * 2, b"\xff" * 64, raw[32:] + raw[:32]):
        refuses(client, site, f"{head}.{body}.{b64(wrong)}")


def test_other_spellings(site, client):
    """JWT-12"""
    token = site.own.access
    head, body, signature = token.split(".")
    for wrong in (token + "=", token + "==", f"{head}=.{body}.{signature}", f"{token}.", f"{token}.x", f".{token}",
                  f"{token}.{token}", f"{head}.{body}+.{signature}", "..", "...", "x", token + " x", f"{token},{token}"):
        refuses(client, site, wrong)
    for header in ("Bearer", "Bearer ", f"Bearer \t{token}"):
        no_good(client.get("/private/page.html", headers={"Authorization": header}))


def test_every_part_is_signed(site, client):
    token = site.own.access
    for at in range(0, len(token) - 1, 23):
        if token[at] != ".":
            refuses(client, site, token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1:])


def test_other_secrets(site, client):
    """JWT-08: refresh token, cookie, session id, mail token."""
    person = register(Client(site))
    mailed = letter(site, person).token("verify")
    confirm(Client(site), mailed)
    for wrong in (site.own.refresh, site.own.cookie, claims_of(site)["sid"], mailed):
        refuses(client, site, wrong)


# ---- where a session is of no matter ----


def test_public_pages_with_a_bad_token(site, client):
    for path in ("/auth/login", "/auth/register", "/auth/jwks.json", "/auth/health"):
        assert client.get(path, headers=bearer("x")).status_code == 200
    own = log_in(site)
    assert renew(client, own.refresh, headers=bearer("x")).status_code == 200
    no_good(client.json("POST", "/auth/logout", {}, headers=bearer("x")))


# ---- the end ----


def test_refused_by_the_very_next_request(site, client):
    """JWT-09"""
    own = log_in(site)
    assert client.get("/private/page.html", headers=bearer(own.access)).status_code == 200
    assert client.post("/auth/logout", headers=bearer(own.access)).status_code == 303
    for _ in range(20):
        no_good(Client(site).get("/private/page.html", headers=bearer(own.access)))


def test_a_form_of_a_program(site, client):
    """Contract 4: no cookie, no Origin, no Sec-Fetch-*: no field needed."""
    own = log_in(site)
    field = {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}
    assert client.post("/auth/logout", headers={**bearer(own.access), **field}).status_code == 403
    assert client.get("/private/page.html", headers=bearer(own.access)).status_code == 200
    assert client.post("/auth/logout", headers=bearer(own.access)).status_code == 303


def test_another_site_accepts_nothing(site, new_server):
    """Contract 6: other keys, other database; same person's name."""
    other = new_server(conf=CONF)
    apps.put(other, "private/page.html", "<p>for members</p>")
    no_good(Client(other).get("/private/page.html", headers=bearer(site.own.access)))
    member = signed_in(other)
    no_good(member.get("/private/page.html", headers=bearer(site.own.access)))
