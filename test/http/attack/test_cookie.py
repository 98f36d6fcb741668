"""Hostile cookies (COOK-01..06, ENC-05): parsed without harm, believed only as we set them, never shown."""
import re

import pytest

from attacks import exchange, post, request
from client import Client
from people import is_signed_in, join, register, sign_in, signed_in

NAMES = ("userauth", "userauth-csrf", "userauth-device", "userauth-registration", "userauth-link-verify")
VALUES = (
    "", "=", ";", "==", ";;;;", "x", '"x"', "'x'", "\\", "%00", "%", "a b", "a,b", "a\tb", "\xff\xfe", "\xc3\x28", "é",
    "A" * 43, "A" * 42, "A" * 44, "-" * 43, "A" * 512, "A" * 513, "A" * 7000, "../../etc/passwd", "' OR '1'='1",
    "A" * 42 + "=", "A" * 42 + "\x7f", "{}", "[]", "null", "%27", "<script>", "${jndi:x}", "0", "-1", "9" * 40,
)
HEADERS = (
    "=", ";", ",", "", " ", "=x", "x", ";=;=;=", "userauth", "userauth=", "=userauth", "userauth ", "userauth=;", "; ; ;",
    "userauth = x", "userauth=a=b=c", "USERAUTH=x", "xuserauth=x", "userauth-x=y", "$Version=1; userauth=x; $Path=/",
    "; ".join(f"c{n}=v" for n in range(1000)), "; ".join("userauth=x" for _ in range(700)), ";" * 8000, "=" * 8000,
    "a" * 8000, "userauth" * 900, "userauth=" + "A" * 8000, "userauth-link-verify=" + "." * 8000,
    "userauth_chunks=99999999; userauth_0=a", "userauth=; userauth=; userauth=", "\t\t\tuserauth\t=\tx\t",
)
ROUTES = ("/auth/login", "/auth/register", "/auth/check-email", "/auth/resend", "/auth/logout", "/auth/verify",
          "/auth/disown", "/dashboard", "/auth/nothing", "/auth/health")


def ask(server, cookies, method="GET", path="/dashboard"):
    """One request with Cookie headers of any bytes."""
    headers = [("Accept", "application/json"), *(("Cookie", text) for text in cookies)]
    if method == "POST":
        return exchange(server, post(path, b"token=x", headers))[0]
    return exchange(server, request(method, path, headers))[0]


def test_cook_01_odd_cookie_headers(server):
    """COOK-01, COOK-03: any Cookie header, numbered ones included, is no session and no harm."""
    for text in HEADERS:
        for path, expected in (("/dashboard", (400, 401)), ("/auth/login", (200, 400)), ("/auth/check-email", (200, 400))):
            assert ask(server, [text], path=path).status in expected, f"{path} {text[:60]!r}"


@pytest.mark.parametrize("name", NAMES)
def test_cook_01_odd_values(server, unchanged, name):
    """COOK-01, ENC-05: any value under each of our names, on reading and on submitting."""
    unchanged.start()
    for value in VALUES:
        text = f"{name}={value}".encode("utf-8") if value == "é" else f"{name}={value}".encode("latin-1")
        assert ask(server, [text]).status in (400, 401), repr(value)
        assert ask(server, [text], path="/auth/check-email").status in (200, 400), repr(value)
        assert ask(server, [text], path="/auth/verify").status in (400, 429), repr(value)
        answer = exchange(server, post("/auth/resend", b"email=x", [("Cookie", text)]))[0]
        assert answer.status in (400, 403, 422), repr(value)


def test_cook_01_many_headers_and_twice(server, victim):
    """COOK-01: the session's cookie beside another of its name is no session; beside strangers it is one."""
    own = f"userauth={victim.cookies['userauth']}"
    other = "userauth=" + "A" * 43
    for cookies in ([f"{own}; {other}"], [f"{other}; {own}"], [own, other], [f"{own}; userauth="], [f"userauth=; {own}"]):
        assert ask(server, cookies).status == 401, cookies
    for cookies in ([own], [f"a=b; {own}; c=d"], [f"a;;=;{own};\t"], [f"xuserauth=1; userauthx=2; {own}"], [f"{own};{own}"]):
        assert ask(server, cookies).status == 200, cookies


def test_cook_01_the_session_is_exact(server, victim):
    """COOK-01: case, padding, quotes, blanks inside, cut or lengthened values are other values."""
    value = victim.cookies["userauth"]
    last = value[:-1] + chr(ord(value[-1]) ^ 1)
    for text in (value[:-1], value + "A", value + "=", f'"{value}"', value.swapcase(), value + "%00", last, value[1:],
                 value[:20] + " " + value[20:], value[::-1]):
        assert ask(server, [f"userauth={text}"]).status == 401, text
    for name in ("Userauth", "USERAUTH", "__Host-userauth", "__Secure-userauth", "userauth-device", "useraut"):
        assert ask(server, [f"{name}={value}"]).status == 401, name


def test_cook_05_attributes(server, victim_account):
    """COOK-05: HttpOnly, SameSite=Lax, Path=/, no Domain; a lifetime only where one is meant."""
    lines = {
        "form": Client(server).get("/auth/login").headers["Set-Cookie"],
        "login": sign_in(Client(server), victim_account).headers["Set-Cookie"],
        "remember": sign_in(Client(server), victim_account, remember="1").headers["Set-Cookie"],
        "link": Client(server).get("/auth/verify?token=x", headers={"Sec-Fetch-Dest": "document"}).headers["Set-Cookie"],
    }
    life = {}
    for when, text in lines.items():
        for line in re.split(r", (?=userauth)", text):
            words = [word.strip().lower() for word in line.split(";")]
            assert {"path=/", "httponly", "samesite=lax"} <= set(words), line
            assert not [word for word in words if word.startswith(("domain", "expires"))], line
            name = words[0].partition("=")[0]
            life[when, name] = [int(word[8:]) for word in words if word.startswith("max-age=")]
    days = 86400
    assert life == {
        ("form", "userauth-csrf"): [],
        ("login", "userauth"): [],
        ("login", "userauth-device"): [400 * days],
        ("remember", "userauth"): [30 * days],
        ("remember", "userauth-device"): [400 * days],
        ("link", "userauth-link-verify"): [600],
    }


def test_cook_05_host_prefix(new_server):
    """COOK-05: under https every name begins with __Host-, is Secure, and the plain name opens nothing."""
    one = new_server(tls=True)
    client = signed_in(one)
    assert client.cookies and all(name.startswith("__Host-") for name in client.cookies)
    assert all(cookie.secure for cookie in client.session.cookies)
    value = client.cookies["__Host-userauth"]
    assert ask(one, [f"__Host-userauth={value}"]).status == 200
    for name in ("userauth", "__host-userauth", "__Secure-userauth", "__Host-Userauth"):
        assert ask(one, [f"{name}={value}"]).status == 401, name
    headers = [("Cookie", f"__Host-userauth={value}"), ("Accept", "application/json")]
    plain = exchange(one, request("GET", "/dashboard", headers, host="localhost"), port=one.plain_port)[0]
    assert plain.status == 308 and not plain.all("Set-Cookie")
    assert is_signed_in(client)


def test_cook_05_a_planted_csrf_cookie_is_no_key(server, victim_account):
    """COOK-05: a field that fits a planted cookie does not help a page that the browser calls foreign."""
    attacker = Client(server)
    page = attacker.get("/auth/login").text
    field = re.search(r'name="csrf" value="([^"]+)"', page)[1]
    planted = {"Cookie": f"userauth-csrf={attacker.cookies['userauth-csrf']}"}
    for headers in ({"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://sub.localhost"}):
        answer = Client(server).post(
            "/auth/login",
            {"login": victim_account.username, "password": victim_account.password, "csrf": field},
            headers={**planted, **headers},
        )
        assert answer.status_code == 403


def test_cook_06_no_cookie_is_ever_shown(server):
    """COOK-06: over all routes, methods and errors no secret value comes back, in a body, header or log."""
    client = signed_in(server)
    client.get("/auth/login")
    secrets = dict(client.cookies)
    client.session.cookies.clear()
    header = {"Cookie": "; ".join(f"{name}={value}" for name, value in secrets.items())}
    asked = 0
    for path in ROUTES:
        for query in ("", "/", "?next=%ff"):
            for method in ("GET", "POST", "OPTIONS", "PUT", "TRACE", "HEAD"):
                if (method, path) == ("POST", "/auth/logout"):
                    continue
                for accept in ("text/html", "application/json"):
                    answer = client.request(method, path + query, headers={**header, "Accept": accept})
                    text = answer.text + str(answer.headers)
                    asked += 1
                    for name, value in secrets.items():
                        assert value not in text, f"{method} {path}{query} shows {name}"
    assert asked > 300
    logs = "\n".join([server.log(), *server.access_log(), *server.events()])
    assert not [name for name, value in secrets.items() if value in logs]


def test_cook_06_planted_values_are_not_echoed(server):
    """COOK-06, XSS-02: what a client calls a cookie of ours is not shown, nor set again."""
    for name in NAMES:
        for path in ROUTES:
            answer = Client(server).get(path, headers={"Cookie": f"{name}=planted-{'x' * 35}"})
            assert "planted-" not in answer.text + str(answer.headers), f"{path} {name}"


def test_cook_the_device_cookie_opens_nothing(server):
    """Beyond the list: a device, registration or forgery cookie is no session, alone or renamed."""
    client = signed_in(server)
    for name, value in client.cookies.items():
        if name != "userauth":
            assert ask(server, [f"{name}={value}"]).status == 401
            assert ask(server, [f"userauth={value}"]).status == 401
    assert is_signed_in(client)


def test_cook_a_forged_registration_cookie(server):
    """Beyond the list: the registration cookie of one account cannot be turned into another's."""
    browser, other = Client(server), join(server)
    mine = register(browser)
    cookie = browser.cookies["userauth-registration"]
    assert browser.json("GET", "/auth/check-email").json()["email"] == mine.email
    stem = cookie.replace(mine.id, other.id)
    for value in (stem, cookie[:-1], cookie + "A", other.id, f"{other.id}.{cookie.rpartition('.')[2]}", cookie.upper()):
        answer = Client(server).json("GET", "/auth/check-email", headers={"Cookie": f"userauth-registration={value}"})
        if value != cookie:
            assert answer.json() == {"mail": "unknown", "email": None}, value
