"""The link in the mail: who it confirms at once, who gets a button, and that a mail scanner changes nothing."""
import subprocess
from urllib.parse import urlsplit

import pytest
from client import Client, the_form
from pages import Page, problem, refused
from people import PASSWORD, confirm, fields_of, join, register, signed_in, stranger
from server import Server, wait_for

NOTICE = "Your email address is verified. You can log in now."
VERIFIED = "/auth/login?notice=verified"
SCANNER = "203.0.113.77"
INVALID = "Invalid verification link"
AGENTS = [
    "Mozilla/5.0 (Windows NT 10.0) Chrome/120 Safari/537.36", "GoogleImageProxy", "Microsoft Office/16.0 SafeLinks",
    "curl/7.88.1"
]


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf="UserAuthMailLimit off\nUserAuthRateLimit token off\n")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def browser(site):
    """The browser that registered, by now at another address; .person and .token are its account's."""
    client = Client(site, address="198.51.100.20")
    client.person = register(client)
    client.token = site.wait_mail(client.person.email).token("verify")
    return client


def link(token):
    return f"/auth/verify?token={token}"


def enabled(site, person):
    return site.db("SELECT enabled FROM account WHERE id = ?", person.id)[0]["enabled"] == 1


def stored(site):
    """Accounts, links, sessions and mails as they are in the database."""
    return {
        table: [tuple(row) for row in site.db(f"SELECT * FROM {table} ORDER BY 1")] for table in ("account", "token", "session")
    }


def curl(site, path, *options):
    """One request of a plain client that keeps no cookies: (status, where it is sent, body)."""
    done = subprocess.run(
        ["curl", "-sS", "-w", "\n%{http_code} %{redirect_url}", *options, site.base + path],
        capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"},
    )
    body, _, last = done.stdout.rpartition("\n")
    status, _, where = last.partition(" ")
    return int(status), where, body


def test_a_plain_client_walks_the_journey(site):
    """curl without a jar: registers, follows the mailed link with one GET on loopback, signs in."""
    if site.tls:
        pytest.skip("the plain journey is one over http")
    person = stranger()
    fields = [x for name in ("username", "email", "password") for x in ("--data-urlencode", f"{name}={getattr(person, name)}")]
    status, where, _ = curl(site, "/auth/register", *fields)
    assert (status, urlsplit(where).path) == (303, "/auth/check-email")
    mailed = urlsplit(site.wait_mail(person.email).link("verify"))
    status, where, _ = curl(site, f"{mailed.path}?{mailed.query}")
    assert (status, where) == (303, site.base + VERIFIED)
    status, where, _ = curl(site, "/auth/login", "-d", f"login={person.username}", "-d", f"password={PASSWORD}")
    assert (status, where) == (303, site.base + "/dashboard")
    status, _, body = curl(site, "/auth/login", "--json", f'{{"login":"{person.email}","password":"{PASSWORD}"}}')
    assert status == 200 and f'"username":"{person.username}"' in body


def test_a_mail_scanner_changes_nothing_and_the_button_works(site, browser):
    """TOK-11"""
    before = stored(site)
    for agent in AGENTS:
        scanner = Client(site, address=SCANNER)
        scanner.session.headers["User-Agent"] = agent
        prefetch = {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender", "X-Moz": "prefetch"}
        for _ in range(5):
            assert scanner.get(link(browser.token)).status_code == 200
            assert scanner.request("HEAD", link(browser.token)).status_code == 200
            assert scanner.request("OPTIONS", link(browser.token)).status_code == 204
            assert scanner.get(link(browser.token), headers=prefetch).status_code == 200
            assert scanner.json("GET", link(browser.token)).status_code == 200
    assert stored(site) == before
    page = Client(site, address=SCANNER)
    assert "Confirm my email address" in Page(page.get(link(browser.token))).buttons
    answer = page.form(link(browser.token), {}, action="/auth/verify")
    assert (answer.status_code, answer.headers["Location"]) == (303, VERIFIED)
    assert enabled(site, browser.person)
    assert NOTICE in Page(page.follow(answer)).roles


def test_a_scanner_with_a_browser_s_headers_gets_a_button_too(site, browser):
    scanner = Client(site, address=SCANNER, browser=True)
    before = stored(site)
    answer = scanner.follow(scanner.get(link(browser.token)))
    assert "Confirm my email address" in Page(answer).buttons
    assert stored(site) == before


def test_the_browser_that_registered_is_done_with_one_click(site, browser):
    answer = browser.get(link(browser.token))
    assert (answer.status_code, answer.headers["Location"]) == (303, VERIFIED)
    assert enabled(site, browser.person)
    assert NOTICE in Page(browser.follow(answer)).roles


def test_the_same_in_a_real_browser_after_web_mail(site, browser):
    """A navigation from another site; the token leaves the address bar on the way, if there is one."""
    headers = {
        "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-User": "?1"
    }
    answer = browser.get(link(browser.token), headers=headers)
    for _ in range(3):
        assert answer.status_code == 303
        assert "token" not in answer.headers["Location"]
        if answer.headers["Location"] == VERIFIED:
            break
        answer = browser.follow(answer, headers=headers)
    assert answer.headers["Location"] == VERIFIED
    assert enabled(site, browser.person)


@pytest.mark.parametrize(
    "headers",
    [{"Purpose": "prefetch"}, {"Sec-Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "Prefetch"}]
)
def test_a_prefetch_confirms_nothing(site, browser, headers):
    """Not even in the browser that registered."""
    browser.get(link(browser.token), headers=headers)
    assert not enabled(site, browser.person)
    assert browser.get(link(browser.token)).headers["Location"] == VERIFIED


def test_head_and_options_confirm_nothing_in_the_own_browser(site, browser):
    head = browser.request("HEAD", link(browser.token))
    assert head.status_code in (200, 303) and head.headers.get("Location") != VERIFIED
    browser.request("OPTIONS", link(browser.token))
    assert not enabled(site, browser.person)


def test_another_person_s_registration_cookie_is_worth_nothing(site, browser):
    other = Client(site, address=browser.address)
    register(other)
    assert other.get(link(browser.token)).status_code == 200
    assert not enabled(site, browser.person)


REGISTERED_AT = {"v4": "198.51.100.20", "v6": "2001:db8:1:2::5"}
WHO = {  # who: (has the registration cookie, registered at, asks from)
    "own browser": (True, "v4", SCANNER),
    "loopback": (False, "v4", "127.0.0.9"),
    "loopback v6": (False, "v4", "::1"),
    "same address": (False, "v4", "198.51.100.20"),
    "same /64": (False, "v6", "2001:db8:1:2:9:9:9:9"),
    "other /64": (False, "v6", "2001:db8:1:3::5"),
    "stranger": (False, "v4", SCANNER),
}
AT_ONCE = {
    None: {"own browser", "loopback", "loopback v6"},
    "browser": {"own browser"},
    "address": {"own browser", "same address", "same /64"},
    "any": set(WHO),
    "never": set(),
}


@pytest.mark.parametrize("value", AT_ONCE)
def test_verify_on_get(new_server, value):
    conf = f"UserAuthVerifyOnGet {value}\n" if value else ""
    server = new_server(conf="UserAuthMailLimit off\nUserAuthRateLimit register off\n" + conf)
    registered = {}
    for who, (_, where, _) in WHO.items():
        registered[who] = Client(server, address=REGISTERED_AT[where])
        registered[who].person = register(registered[who])
    for who, (own, _, address) in WHO.items():
        client = Client(server, address=address)
        if own:
            client.session.cookies = registered[who].session.cookies
        person = registered[who].person
        token = server.wait_mail(person.email).token("verify")
        client.get(link(token), headers={"Sec-Purpose": "prefetch"})
        client.request("HEAD", link(token))
        assert not enabled(server, person), f"{who}: a prefetch confirmed"
        answer = client.get(link(token))
        at_once = who in AT_ONCE[value]
        assert enabled(server, person) == at_once, who
        assert answer.status_code == (303 if at_once else 200), who
        if not at_once:
            assert client.form(link(token), {}, action="/auth/verify").headers["Location"] == VERIFIED
            assert enabled(server, person)


def test_the_token_leaves_the_address_bar(site, browser):
    client = Client(site, address=SCANNER, browser=True)
    answer = client.get(link(browser.token))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/verify")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    cookie = [c for c in answer.raw.headers.getlist("Set-Cookie") if browser.token in c]
    assert len(cookie) == 1
    attributes = {part.strip().lower() for part in cookie[0].split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/", "max-age=600"} <= attributes
    page = client.follow(answer)
    assert page.headers["Referrer-Policy"] == "same-origin"
    form = the_form(page.text, "/auth/verify")
    assert form["hidden"]["token"] == browser.token
    assert "token=" not in form["action"]
    done = client.post(form["action"], form["hidden"])
    assert done.headers["Location"] == VERIFIED
    assert not any(browser.token in value for value in client.cookies.values()), "the cookie outlived its token"
    assert enabled(site, browser.person)


def test_the_page_itself_for_any_other_client(site, browser):
    client = Client(site, address=SCANNER)
    for headers in ({}, {"Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Dest": "empty"}):
        answer = client.get(link(browser.token), headers=headers)
        assert answer.status_code == 200
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert browser.token not in str(answer.headers)
        assert the_form(answer.text)["hidden"]["token"] == browser.token


def test_the_hidden_field_wins_over_the_cookie(site, browser):
    other = register(Client(site))
    others_token = site.wait_mail(other.email).token("verify")
    client = Client(site, address=SCANNER, browser=True)
    page = client.follow(client.get(link(browser.token)))
    client.get(link(others_token))
    form = the_form(page.text, "/auth/verify")
    client.post("/auth/verify", form["hidden"])
    assert enabled(site, browser.person) and not enabled(site, other)


def test_a_program_confirms_once(site, browser):
    """TOK-01"""
    client = Client(site, address=SCANNER)
    answer = client.json("POST", "/auth/verify", {"token": browser.token})
    assert answer.status_code == 200
    assert answer.json()["message"] == NOTICE
    for method, path, body in (("POST", "/auth/verify", {"token": browser.token}), ("GET", link(browser.token), None)):
        answer = client.json(method, path, body)
        body = problem(answer, 410, "token_used", "Verification link has already been used")
        assert "/auth/login" in body["links"].values()
    assert len([line for line in site.events() if '"verified"' in line and browser.person.id in line]) == 1


def test_confirming_signs_nobody_in(site, browser):
    assert browser.get(link(browser.token)).status_code == 303
    assert "userauth" not in browser.cookies
    assert browser.json("GET", "/dashboard").status_code == 401


def mangled(token, other):
    row, tag = token.split(".")
    other_row, other_tag = other.split(".")
    last = "B" if tag[-1] != "B" else "C"
    return {
        "none": None, "empty": "", "a word": "x", "no tag": row, "empty tag": row + ".", "no id": "." + tag,
        "another's tag": f"{row}.{other_tag}", "another's id": f"{other_row}.{tag}", "a wrong tag": f"{row}.{tag[:-2]}A{last}",
        "cut": token[:-1], "longer": token + "A", "padded": token + "=", "twice": token + token,
        "capitals": row.upper() + "." + tag,
        "unknown id": "00000000-0000-4000-8000-000000000000." + tag, "quote": row + ".'" + tag[1:], "very long": "A" * 2000,
    }


def test_wrong_tokens_are_invalid(site, browser):
    """TOK-05, TOK-06"""
    other = register(Client(site))
    mail = site.wait_mail(other.email)
    own_disown = site.wait_mail(browser.person.email).token("disown")
    bad = mangled(browser.token, mail.token("verify")) | {"for another purpose": own_disown}
    client = Client(site, address=SCANNER)
    for why, token in bad.items():
        fields = {} if token is None else {"token": token}
        body = problem(client.json("POST", "/auth/verify", fields), 400, "token_invalid", INVALID)
        assert set(body["links"]) >= {"resend", "register"}, why
        problem(client.json("GET", "/auth/verify", params=fields), 400, "token_invalid", INVALID)
        refused(client.get("/auth/verify", params=fields), 400, INVALID)
        page = refused(client.post("/auth/verify", fields), 400, INVALID)
        assert {"/auth/resend", "/auth/register"} <= set(page.links), why
    assert not enabled(site, browser.person) and not enabled(site, other)


def test_the_query_of_a_post_is_no_token(site, browser):
    client = Client(site, address=SCANNER)
    problem(client.json("POST", link(browser.token), {}), 400, "token_invalid", INVALID)
    refused(client.post(link(browser.token), {}), 400, INVALID)
    client.json("POST", link(browser.token), {"token": "x"})
    assert not enabled(site, browser.person)


def test_a_newer_mail_does_not_end_an_older_one_but_a_use_ends_all(site):
    person, client = register(Client(site)), Client(site, address=SCANNER)
    client.json("POST", "/auth/resend", {"email": person.email})
    client.json("POST", "/auth/resend", {"email": person.email})
    first, second, third = (site.wait_mail(person.email, n).token("verify") for n in (1, 2, 3))
    assert "Confirm my email address" in Page(client.get(link(first))).buttons
    confirm(client, second)
    for token in (first, second, third):
        problem(
            client.json("POST", "/auth/verify", {"token": token}), 410, "token_used", "Verification link has already been used"
        )


def test_expired(new_server):
    """TOK-02; used goes before expired."""
    server = new_server(conf="UserAuthVerifyLifetime 2s\nUserAuthMailLimit off\nUserAuthVerifyOnGet never\n")
    client = Client(server, address=SCANNER)
    early, late = register(Client(server)), register(Client(server))
    server.wait_mail(late.email)
    used, token = server.wait_mail(early.email).token("verify"), server.wait_mail(late.email).token("verify")
    confirm(client, used)
    wait_for(lambda: client.json("GET", link(token)).status_code == 410, what="the link to expire")
    expired = "Verification link has expired"
    body = problem(client.json("POST", "/auth/verify", {"token": token}), 410, "token_expired", expired)
    assert body["links"]["resend"] == "/auth/resend"
    assert "/auth/resend" in refused(client.post("/auth/verify", {"token": token}), 410, expired).links
    refused(client.get(link(token)), 410, expired)
    assert not enabled(server, late)
    problem(client.json("POST", "/auth/verify", {"token": used}), 410, "token_used")


def test_somebody_signed_in_confirms_all_the_same(site, browser):
    """TOK-06: it acts on the link's account, not on the session's."""
    person = join(site)
    client = signed_in(site, person, address=SCANNER)
    assert client.form(link(browser.token), {}, action="/auth/verify").headers["Location"] == VERIFIED
    assert enabled(site, browser.person)
    assert client.json("GET", "/dashboard").json()["username"] == person.username


def test_failed_tries_are_limited_per_client_address(new_server):
    """TOK-14: a right token waits too; others do not."""
    server = new_server(conf="UserAuthRateLimit token 4/1h\n")
    person = register(Client(server))
    token = server.wait_mail(person.email).token("verify")
    client = Client(server, address=SCANNER)
    codes = [client.json("GET", link("x")).status_code for _ in range(2)] + [
        client.json("POST", "/auth/verify", {"token": "x"}).status_code for _ in range(2)
    ]
    assert codes == [400] * 4
    answer = client.json("POST", "/auth/verify", {"token": token})
    problem(answer, 429, "rate_limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600
    problem(client.json("GET", link(token)), 429, "rate_limited")
    refused(client.get(link(token)), 429)
    assert not enabled(server, person)
    confirm(Client(server, address="203.0.113.78"), token)


def test_the_token_leaves_the_address_bar_of_who_has_to_wait(new_server):
    """TOK-14: the clean page says when to try again, to the browser that registered, too."""
    server = new_server(conf="UserAuthVerifyOnGet browser\nUserAuthRateLimit token 1/1h\n")
    client = Client(server, browser=True)
    person = stranger()
    client.form("/auth/register", fields_of(person))
    token = server.wait_mail(person.email).token("verify")
    assert client.json("POST", "/auth/verify", {"token": "x"}).status_code == 400
    for purpose in ("verify", "reset", "email", "undo", "restore", "disown"):
        answer = client.get(f"/auth/{purpose}?token={token}")
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/auth/{purpose}")
        refused(client.follow(answer), 429)
    assert server.db("SELECT enabled FROM account WHERE email = ?", person.email)[0]["enabled"] == 0
