"""/auth/openapi.json is true: every path and method it names is called, as nobody, as a member, by access
token, with nothing, nonsense and another media type, and answers as it is documented."""
import jsonschema
import pytest
from client import Client
from described import operations, resolve, undescribed, validate
from people import PASSWORD, signed_in
from server import Server
from tokens import bearer, log_in

STYLES = ["plain", "json", "form", "other"]
CONF = """
UserAuthRateLimit login off
UserAuthRateLimit register off
UserAuthRateLimit token off
UserAuthRateLimit mail off
UserAuthProfileField company "Your company"
"""


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf=CONF)
    try:
        server.start()
        server.described = Client(server).get("/auth/openapi.json").json()
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


def test_names_are_unique(site):
    ids = [one["operationId"] for _, _, one in operations(site.described)]
    assert len(set(ids)) == len(ids) and len(ids) > 15
    assert all(one["summary"] for _, _, one in operations(site.described))
    for path, _, one in operations(site.described):
        named = {p["name"] for p in one.get("parameters", []) if p["in"] == "path"}
        assert named == ({"username"} if "{username}" in path else set())


def ask(client, path, method, style):
    """One request in a certain style."""
    url = path.replace("{username}", "nobody-has-this-name")
    if method == "get":
        query, headers = {
            "plain": ("", {"Accept": "text/html"}),
            "json": ("", {"Accept": "application/json"}),
            "form": ("?token=x&q=x&limit=101", {"Accept": "application/json"}),
            "other": ("?token=" + "0" * 90 + "&limit=x&after=%00", {"Accept": "application/json"}),
        }[style]
        return client.get(url + query, headers=headers)
    if style == "plain":
        return client.post(url, headers={"Accept": "text/html"})
    if style == "json":
        return client.json("POST", url, {})
    if style == "form":
        fields = {"token": "x", "code": "1", "email": "x", "password": "x", "login": "x", "username": "x", "session": "x"}
        return client.json("POST", url, fields)
    return client.post(url, "<x/>", headers={"Content-Type": "text/xml", "Accept": "application/json"})


def lies(site, path, method, answer):
    """What is wrong, in a list: the status is documented, and a JSON body is what its schema says."""
    responses = site.described["paths"][path][method]["responses"]
    what = f"{method} {path}: {answer.status_code} {answer.text[:300]}"
    if str(answer.status_code) not in responses:
        return [what]
    documented = resolve(site.described, responses[str(answer.status_code)])
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    if answer.status_code == 303:
        return [] if "Location" in documented["headers"] and answer.headers["Location"] else [what]
    if kind not in documented["content"]:
        return [f"{kind} {what}"]
    if "json" not in kind:
        return []
    try:
        validate(site.described, documented["content"][kind]["schema"], answer.json())
    except jsonschema.ValidationError as error:
        return [f"{error.message}: {what}"]
    return []


def all_lies(site, styles, make_client, left_out=()):
    found = []
    for path, method, _ in operations(site.described):
        for style in styles if path not in left_out else ():
            found += lies(site, path, method, ask(make_client(), path, method, style))
    return "\n".join(found)


def test_as_nobody(site):
    assert all_lies(site, STYLES, lambda: Client(site)) == ""


def test_as_a_member(site):
    """Each time another one: some requests end the session or the account."""
    assert all_lies(site, STYLES, lambda: signed_in(site)) == ""


def with_header(site, header):
    client = Client(site)
    client.session.headers.update(header)
    return client


def test_with_an_access_token(site):
    own = log_in(site)
    left_out = ("/auth/logout", "/dashboard/close", "/dashboard/sessions")
    assert all_lies(site, STYLES[1:], lambda: with_header(site, bearer(own.access)), left_out) == ""


def test_with_a_bad_token_or_two(site):
    own, other = log_in(site), log_in(site)
    for header in (bearer("x"), {**bearer(own.access), "Cookie": f"userauth={other.cookie}"}):
        assert all_lies(site, ["json"], lambda: with_header(site, header)) == ""


def test_what_needs_a_session_says_so(site):
    """The security requirement is the gate's own."""
    for path, method, one in operations(site.described):
        answer = ask(Client(site), path, method, "json")
        if {} in one["security"]:
            assert answer.status_code != 401 or path in ("/auth/token", "/auth/login"), path
        else:
            assert answer.status_code == 401, path


def test_no_path_is_left_out(site):
    """What is not described is not there."""
    described = site.described["paths"]
    for name in ("register", "check-email", "verify", "resend", "login", "logout", "disown", "token", "jwks.json",
                 "openapi.json", "health"):
        assert f"/auth/{name}" in described
    for path, item in described.items():
        allow = signed_in(site).request("OPTIONS", path.replace("{username}", "x")).headers["Allow"]
        assert ("GET" in allow, "POST" in allow) == ("get" in item, "post" in item), path


def test_no_member_is_left_out(site):
    """What a program gets is described, all of it."""
    own = signed_in(site)
    own.json("POST", "/dashboard/profile", {"show_email": True, "company": "Acme"})
    tokens, new = log_in(site), PASSWORD + "-new"
    one = f"/dashboard/members/{own.person.username}"
    read = ("/auth/me", "/auth/health", "/auth/jwks.json", "/auth/check-email", "/dashboard", "/dashboard/profile",
            "/dashboard/members", one, "/dashboard/sessions", "/dashboard/activity")
    asked = [(own, "get", path, None) for path in read]
    asked += [(own, "post", "/auth/token", {}), (Client(site), "post", "/auth/token", {"refresh_token": tokens.refresh}),
              (own, "post", "/dashboard/profile", {"display_name": "Me"}), (own, "post", "/auth/reauth", {"password": PASSWORD}),
              (own, "post", "/dashboard/password", {"current_password": PASSWORD, "password": new}),
              (own, "post", "/auth/login", {"login": own.person.email, "password": new}), (own, "post", "/auth/logout", {})]
    for client, method, path, body in asked:
        answer = client.json(method.upper(), path, body)
        responses = site.described["paths"][path.replace(own.person.username, "{username}")][method]["responses"]
        schema = responses[str(answer.status_code)]["content"]["application/json"]["schema"]
        assert answer.status_code == 200 and undescribed(site.described, schema, answer.json(), f"{method} {path}") == []
