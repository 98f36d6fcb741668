"""Registering: the form, every field's rules, names that are taken, limits; as a person and as a program."""
import engines
import pytest
from client import Client, the_form
from pages import Page, problem, refused
from people import PASSWORD, fields_of, register, sign_in, signed_in, stranger
from server import wait_for

RESERVED = """admin administrator root system support help security postmaster webmaster abuse anonymous
    nobody""".split()
BAD = [
    ("username", "", "missing"),
    ("username", "ab", "too short"),
    ("username", "a" * 33, "too long"),
    ("username", "_abc", "begins with a sign"),
    ("username", ".abc", "begins with a sign"),
    ("username", "-abc", "begins with a sign"),
    ("username", "has blank", "a blank"),
    ("username", "a@b.example", "an address"),
    ("username", "jürgen", "not ASCII"),
    ("username", "ᴮᴵᴳᴮᴵᴿᴰ", "UNI-02: letters that look alike"),
    ("username", "b\u200digbird", "UNI-02: an invisible joiner"),
    ("username", "www.example", "www."),
    ("username", "WWW.Example", "www. in capitals"),
    ("username", "alice\r\nBcc: x", "SMTP-02: a line end"),
    ("email", "", "missing"),
    ("email", "nobody", "no @"),
    ("email", "@example.org", "no name"),
    ("email", "nobody@", "no domain"),
    ("email", "a@@example.org", "two @"),
    ("email", "a b@example.org", "a blank"),
    ("email", "a@example.org, b@example.org", "two addresses"),
    ("email", "a@example.org;b@example.org", "two addresses"),
    ("email", "<a@example.org>", "angle brackets"),
    ("email", "Eve <a@example.org>", "a name"),
    ("email", "a@exa mple.org", "a blank in the domain"),
    ("email", "a@-example.org", "a hyphen first"),
    ("email", "a@example..org", "an empty label"),
    ("email", "a@b.c>\r\nRCPT TO:<evil@x.example", "SMTP-01"),
    ("email", "a@example.org\nBcc: evil@x.example", "SMTP-01: bare LF"),
    ("email", "a@example.org\rBcc: evil@x.example", "SMTP-01: bare CR"),
    ("email", "<a@b.example> NOTIFY=SUCCESS", "SMTP-01"),
    ("email", "a\u2028b@example.org", "SMTP-01: a line separator"),
    ("email", f"{'a' * 65}@example.org", "the name's 64 bytes"),
    ("email", f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.{'f' * 20}.org", "over 254 bytes"),
    ("display_name", "x" * 65, "65 code points"),
    ("display_name", "😀" * 65, "65 code points of four bytes"),
    ("password", "", "missing"),
    ("password", "xK9#vQ2", "7 characters"),
    ("password", "ß7vQ-" * 52, "260 code points"),
    ("password_confirm", "something else", "another password"),
    ("password_confirm", "", "typed once only"),
]
GOOD = [
    ("username", "{name}.b-c_9", "all signs"),
    ("username", "9{name}", "a digit first"),
    ("username", "{name}" + "a" * 32, "32 characters, cut to fit"),
    ("display_name", "x" * 64, "64 code points"),
    ("display_name", "😀" * 64, "UNI-07: 64 code points of four bytes"),
    ("display_name", "", "none"),
    ("password", "9vQ-ß7Ky" * 32, "256 code points"),
    ("password", "kW3$xP9!", "8 characters, hard to guess"),
    ("password", " spaces around a marmalade tuba ", "blanks count"),
    ("password_confirm", PASSWORD, "the same password"),
]
WEAK = ["password1", "qwertyuiop", "aaaaaaaaaaaaaaa", "abcdefgh12345678", "Letmein2024"]


def attempt(person, **changes):
    return {**fields_of(person), **changes}


def account(server, person):
    rows = server.db(
        "SELECT * FROM account WHERE lower(username) = ? OR lower(email) = ?", person.username.lower(), person.email.lower()
    )
    return rows[0] if rows else None


def marker():
    """A secret that nothing else contains."""
    return f"Secret-{stranger('pw').username}-marmalade-tuba"


def test_the_form(client):
    page = Page(client.get("/auth/register"))
    assert page.title.startswith("Register") and page.headings == ["Register"]
    assert "Register" in page.buttons
    assert {"username", "email", "password", "display_name"} <= set(page.fields)
    assert [
        page.fields[f].get("autocomplete") for f in ("username", "email", "password")
    ] == ["username", "email", "new-password"]
    assert page.fields["email"].get("inputmode") == "email"
    assert page.fields["password"]["type"] == "password"
    assert not any("maxlength" in field for field in page.fields.values()), "cuts a paste"


def test_a_person_registers(server, client):
    person = stranger()
    answer = client.form("/auth/register", fields_of(person))
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/auth/check-email"
    assert answer.content == b""
    row = account(server, person)
    assert (row["username"], row["email"], row["enabled"]) == (person.username, person.email, 0)
    mail = server.wait_mail(person.email)
    assert person.username in mail.text
    assert mail.link("verify").startswith(server.base + "/auth/verify?token=")
    assert client.get("/dashboard").status_code == 303, "not signed in by registering"


def test_a_program_registers(server, client):
    person = stranger()
    answer = client.json("POST", "/auth/register", fields_of(person))
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    user = body["user"]
    assert body["mail"] in ("queued", "sent")
    assert body["message"]
    assert set(user) == {"id", "username", "email", "email_verified", "display_name"}
    assert user["username"] == person.username and user["email"] == person.email
    assert user["email_verified"] is False and user["display_name"] == person.display_name
    assert user["id"] == account(server, person)["id"]
    assert person.password not in answer.text


@pytest.mark.parametrize("field, value, why", BAD)
def test_a_wrong_field_is_named(server, client, field, value, why):
    person = stranger()
    answer = client.json("POST", "/auth/register", attempt(person, **{field: value}))
    errors = problem(answer, 422, answer.json()["code"])["errors"]
    assert list(errors) == [field], why
    assert len(errors[field]) > 5
    assert account(server, person) is None, "nothing was stored"
    page = refused(client.form("/auth/register", attempt(person, **{field: value})), 422)
    if field in page.fields:
        assert errors[field] in page.beside(field), why
    else:
        assert errors[field] in page.text
    assert account(server, person) is None


@pytest.mark.parametrize("name", [*RESERVED, "Admin", "ROOT"])
def test_reserved_names(client, name):
    answer = client.json("POST", "/auth/register", attempt(stranger(), username=name))
    assert "username" in problem(answer, 422, "invalid_fields")["errors"]


@pytest.mark.parametrize("field, value, why", GOOD)
def test_what_is_allowed(server, client, field, value, why):
    person = stranger("p")
    value = value.format(name=person.username)[: 32 if field == "username" else None]
    answer = client.json("POST", "/auth/register", attempt(person, **{field: value}))
    assert answer.status_code == 201, f"{why}: {answer.text}"
    if field in ("username", "display_name"):
        assert answer.json()["user"][field] == value


def test_all_wrong_fields_are_named_at_once(client):
    wrong = {"username": "!", "email": "!", "password": "password1", "display_name": "x" * 65}
    body = problem(client.json("POST", "/auth/register", wrong), 422, "invalid_fields")
    assert set(body["errors"]) == set(wrong)
    page = refused(client.form("/auth/register", wrong), 422)
    for field, text in body["errors"].items():
        assert text in page.beside(field)


@pytest.mark.parametrize("password", [*WEAK, "{username}", "{email}", "{username}{username}"])
def test_a_weak_password_comes_with_one_that_passes(server, client, password):
    """BF-15; the own names are in the dictionary."""
    person = stranger()
    weak = password.format(**fields_of(person))
    body = problem(client.json("POST", "/auth/register", attempt(person, password=weak)), 422, "weak_password")
    assert set(body["errors"]) == {"password"}
    assert body["suggestion"]
    assert account(server, person) is None
    answer = client.json("POST", "/auth/register", attempt(person, password=body["suggestion"]))
    assert answer.status_code == 201, "the suggested password was refused"


def test_suggestions_differ_and_stand_on_the_page(server, client):
    weak = attempt(stranger(), password="password1")
    seen = {client.json("POST", "/auth/register", weak).json()["suggestion"] for _ in range(5)}
    assert len(seen) == 5
    page = refused(client.form("/auth/register", weak), 422)
    suggestion = page.codes[0]
    assert suggestion in page.beside("password")
    assert client.form("/auth/register", {**weak, "password": suggestion}).status_code == 303


def test_the_site_s_own_words_are_weak(client):
    answer = client.json("POST", "/auth/register", attempt(stranger(), password="exampleexample"))
    assert problem(answer, 422, "weak_password")["suggestion"]


def test_what_was_typed_stays_except_secrets(client):
    secret = marker()
    person = stranger()
    wrong = attempt(
        person, email="not an <address>", password=secret, password_confirm=secret + "x", display_name='Tom "T" & Söhne'
    )
    answer = client.form("/auth/register", wrong)
    page = refused(answer, 422)
    assert page.typed("username") == person.username
    assert page.typed("email") == "not an <address>"
    assert page.typed("display_name") == 'Tom "T" & Söhne'
    assert not page.typed("password")
    assert secret not in answer.text
    answer = client.json("POST", "/auth/register", wrong)
    problem(answer, 422, "invalid_fields")
    assert secret not in answer.text


def test_the_page_s_hidden_field_works_again_after_an_error(client):
    person = stranger()
    answer = client.form("/auth/register", attempt(person, username="!"))
    assert answer.status_code == 422
    again = the_form(answer.text, "/auth/register")
    answer = client.post(again["action"], {**again["hidden"], **fields_of(person)})
    assert answer.status_code == 303


def test_an_address_in_use(server, client):
    person = register(client)
    stored = account(server, person)["password_hash"]
    for email in (person.email, person.email.upper()):
        other = stranger()
        answer = client.json("POST", "/auth/register", attempt(other, email=email, password="entirely-other-marmalade-77"))
        body = problem(answer, 409, "email_in_use", "Email already in use")
        assert body["errors"] == {"email": "Email already in use"}
        assert body["links"]["resend"] == "/auth/resend"
        page = refused(client.form("/auth/register", attempt(other, email=email)), 409)
        assert "Email already in use" in page.beside("email")
        assert page.typed("username") == other.username and page.typed("email") == email
        assert "/auth/resend" in page.links
        assert not server.db("SELECT 1 FROM account WHERE username = ?", other.username)
    assert account(server, person)["password_hash"] == stored, "the password of an unverified account changed"


def test_an_unverified_address_keeps_its_password(server, client):
    """SESS-07: whoever registers second does not set the password of whoever registered first."""
    person = register(client)
    second = Client(server)
    assert second.json(
        "POST", "/auth/register", attempt(stranger(), email=person.email, password="entirely-other-marmalade-77")
    ).status_code == 409
    token = server.wait_mail(person.email).token("verify")
    assert client.json("POST", "/auth/verify", {"token": token}).status_code == 200
    assert second.json(
        "POST", "/auth/login", {"login": person.email, "password": "entirely-other-marmalade-77"}
    ).status_code == 401
    sign_in(client, person)
    confirmations = [mail for mail in server.mails(person.email) if "Confirm" in mail.subject]
    assert len(confirmations) == 1, "the refused registration sent a mail"


def test_a_username_in_use(client):
    person = register(client)
    for name in (person.username, person.username.upper()):
        body = problem(
            client.json(
                "POST", "/auth/register", attempt(stranger(), username=name)
            ), 409, "username_taken", "Username already in use"
        )
        assert body["errors"] == {"username": "Username already in use"}
        page = refused(client.form("/auth/register", attempt(stranger(), username=name)), 409)
        assert "Username already in use" in page.beside("username")
        assert page.beside("email") == ""


def test_both_names_in_use(client):
    person = register(client)
    body = problem(client.json("POST", "/auth/register", fields_of(person)), 409, "email_in_use", "Email already in use")
    assert body["errors"] == {"email": "Email already in use", "username": "Username already in use"}
    page = refused(client.form("/auth/register", fields_of(person)), 409)
    assert "Email already in use" in page.beside("email")
    assert "Username already in use" in page.beside("username")


def test_fields_are_judged_before_names_are_looked_up(client):
    person = register(client)
    body = problem(client.json("POST", "/auth/register", attempt(person, password="password1")), 422, "weak_password")
    assert set(body["errors"]) == {"password"}, "says too early which names are taken"


def test_international_domains_are_one_address(client):
    """UNI-04"""
    person = stranger()
    assert client.json("POST", "/auth/register", attempt(person, email=f"{person.username}@bücher.example")).status_code == 201
    for domain in ("xn--bcher-kva.example", "BÜCHER.example", "XN--bcher-KVA.example"):
        answer = client.json("POST", "/auth/register", attempt(stranger(), email=f"{person.username}@{domain}"))
        problem(answer, 409, "email_in_use")


def test_the_longest_address(client):
    name = stranger().username
    labels = ".".join(c * 60 for c in "bcd")
    email = f"{name}@{labels}."
    email += "e" * (254 - len(email) - 4) + ".org"
    assert len(email) == 254
    assert client.json("POST", "/auth/register", attempt(stranger(), email=email)).status_code == 201
    problem(client.json("POST", "/auth/register", attempt(stranger(), email="x" + email)), 422, "invalid_fields")


def test_fields_of_the_account_cannot_be_given(server, client):
    """AUTHZ-02"""
    person = stranger()
    extra = {
        "id": "1", "enabled": "1", "email_verified": "1", "verified": "1", "password_hash": "x", "created": "0", "role": "admin"
    }
    answer = client.json("POST", "/auth/register", attempt(person, **extra))
    assert answer.status_code == 201
    row = account(server, person)
    assert row["enabled"] == 0 and row["id"] != "1" and row["password_hash"].startswith("$argon2id$")
    assert client.json("POST", "/auth/login", {"login": person.username, "password": PASSWORD}).status_code == 403


def test_who_is_signed_in_is_sent_on(server):
    client = signed_in(server)
    for path, where in (
        ("/auth/register", "/dashboard"), ("/auth/register?next=/a%3Fb=c", "/a?b=c"),
        ("/auth/register?next=//evil.example/", "/dashboard")
    ):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, where)


def test_only_a_keyed_hash_of_the_password_is_stored(server, client):
    """INV-6"""
    person = register(client)
    stored = account(server, person)["password_hash"]
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD.encode() not in engines.contents(server)


def test_registrations_per_client_address(new_server):
    """201 and 409 count, 422 does not; another address is free."""
    server = new_server(conf="UserAuthRateLimit register 3/1h\n")
    client = Client(server)
    first = register(client)
    for _ in range(5):
        assert client.json("POST", "/auth/register", attempt(stranger(), username="!")).status_code == 422
    assert client.json("POST", "/auth/register", fields_of(first)).status_code == 409
    register(client)
    late = stranger()
    answer = client.json("POST", "/auth/register", fields_of(late))
    problem(answer, 429, "rate_limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600
    assert account(server, late) is None
    refused(client.form("/auth/register", fields_of(late)), 429)
    register(Client(server), late)


def test_a_registration_nobody_confirmed_is_gone_soon(new_server):
    """Contract 8: name and address are free again, also where that time is short."""
    site = new_server(conf="UserAuthUnverifiedLifetime 2s\nUserAuthMailLimit off\nUserAuthRateLimit register off\n")
    for _ in range(2):  # the first turn after a start comes at once
        person = register(Client(site))
        assert Client(site).json("POST", "/auth/register", fields_of(person)).status_code == 409
        wait_for(lambda: Client(site).json("POST", "/auth/register", fields_of(person)).status_code == 201, 20)
