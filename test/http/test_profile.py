"""/dashboard/profile: what a person sees and changes; an address waits until its link is opened."""
import pytest
from client import Client, the_form
from mails import read_folder
from moves import PROFILE, ask, link_mail, site_for
from pages import Page, problem, refused
from people import join, register, signed_in, stranger
from server import wait_for

FIELD = 'UserAuthProfileField town "Home <town>" public\n'
TOLD = "Someone tried to use your email"


@pytest.fixture(scope="module")
def site(run_folder):
    with site_for(run_folder, FIELD) as server:
        yield server


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def person(site):
    """A Client that is signed in."""
    return signed_in(site)


def row(site, client):
    return dict(site.db("SELECT * FROM account WHERE id = ?", client.person.id)[0])


def test_the_page(site, person):
    page = Page(person.get(PROFILE))
    assert page.headings == ["Profile"] and page.title.startswith("Profile")
    assert page.typed("username") == person.person.username
    assert page.typed("email") == person.person.email
    assert page.typed("display_name") == person.person.display_name
    assert page.typed("town") == ""
    assert "Home <town>" in page.text
    assert "checked" not in page.fields["hidden"] and "checked" not in page.fields["show_email"]
    assert "current_password" not in page.fields
    assert page.links[PROFILE] == "Profile"


def test_a_browser_saves(site):
    """Ticked and unticked boxes arrive; what is saved is shown at once, by name and with the notice."""
    client = signed_in(site)
    name = stranger("new").username
    answer = client.form(PROFILE, {"username": name, "display_name": "A <b>", "town": "Köln", "hidden": "1"}, action=PROFILE)
    assert (answer.status_code, answer.headers["Location"]) == (303, PROFILE + "?notice=profile-saved")
    page = Page(client.follow(answer))
    assert page.roles == ["Your profile is saved."]
    assert [page.typed(f) for f in ("username", "display_name", "town")] == [name, "A <b>", "Köln"]
    assert "checked" in page.fields["hidden"] and "checked" not in page.fields["show_email"]
    client.form(PROFILE, {"show_email": "on"}, action=PROFILE)
    page = Page(client.get(PROFILE))
    assert "checked" not in page.fields["hidden"] and "checked" in page.fields["show_email"]
    assert page.typed("town") == "Köln"
    assert Page(client.get("/dashboard")).text.count(name) >= 1


def test_a_program_saves_a_part(site, person):
    before = person.json("GET", PROFILE).json()
    answer = person.json("POST", PROFILE, {"town": "Ulm", "show_email": True})
    assert answer.status_code == 200
    assert answer.json() == {**before, "fields": {"town": "Ulm"}, "show_email": True, "message": "Your profile is saved."}
    assert person.json("GET", PROFILE).json() == {**before, "fields": {"town": "Ulm"}, "show_email": True}


@pytest.mark.parametrize("extra", [
    {"verified": 1, "enabled": 0}, {"id": "x"}, {"role": "admin"}, {"password_hash": "x", "password": "x"},
    {"created": 1, "closed": 1, "failures": 0}, {"username_key": "root", "email_key": "x@example.org"},
])
def test_mass_assignment(site, person, extra):
    """AUTHZ-02"""
    before = row(site, person)
    assert person.json("POST", PROFILE, extra).status_code == 200
    assert row(site, person) == before


def test_names_of_others(site, person):
    """A name is taken in any case of its letters, also when its owner has another one by now."""
    other = signed_in(site)
    old = other.person.username
    assert other.json("POST", PROFILE, {"username": stranger("later").username}).status_code == 200
    before = row(site, person)
    body = problem(person.json("POST", PROFILE, {"username": old.upper(), "display_name": "x"}), 409, "username_taken")
    assert body["errors"] == {"username": "Username already in use"}
    assert row(site, person) == before
    assert other.json("POST", PROFILE, {"username": old.upper()}).json()["username"] == old.upper()


def test_a_refused_form_keeps_what_was_typed(site, person):
    taken = join(site)
    answer = person.form(PROFILE, {"username": taken.username, "email": taken.email, "town": "Bonn", "show_email": "1"}, action=PROFILE)
    page = refused(answer, 409)
    assert page.beside("username") == "3 to 32 letters, digits, dots, hyphens or underscores. Username already in use"
    assert "Email already in use" in page.beside("email")
    assert [page.typed(f) for f in ("username", "email", "town")] == [taken.username, taken.email, "Bonn"]
    assert "checked" in page.fields["show_email"]
    assert row(site, person)["username"] == person.person.username


def test_a_new_address_waits(site, person):
    new = stranger("new").email
    old = person.person.email
    answer = person.form(PROFILE, {"email": new}, action=PROFILE)
    assert (answer.status_code, answer.headers["Location"]) == (303, PROFILE + "?notice=email-pending")
    page = Page(person.follow(answer))
    assert f"We sent a link to {new} . Your address changes when you open it." in page.text.replace(new + ".", new + " .")
    assert {"Send it again", "Cancel the change"} <= set(page.buttons)
    assert link_mail(site, new, "email").subject == "Confirm your new email for Example"
    assert person.json("GET", PROFILE).json()["email"] == old
    found = the_form(person.get(PROFILE).text, PROFILE)
    answer = person.post(PROFILE, {**found["hidden"], "cancel_email": "1"})
    assert (answer.status_code, answer.headers["Location"]) == (303, PROFILE + "?notice=email-cancelled")
    assert person.json("GET", PROFILE).json()["pending_email"] is None


def test_a_new_address_within_minutes_of_the_password(site, person):
    """A fresh session needs no password, left out or empty."""
    for given in ({}, {"current_password": ""}):
        answer = person.json("POST", PROFILE, {"email": stranger("new").email, **given})
        assert answer.status_code == 200, answer.text
    site.db("UPDATE session SET auth_time = 1 WHERE account_id = ?", person.person.id)
    problem(person.json("POST", PROFILE, {"email": stranger("new").email, "current_password": ""}), 422, "invalid_fields")


def test_the_page_of_a_stale_session_asks_for_the_password(site, person):
    """Contract 4: the form shows `current_password` when the session is not fresh, and takes it in the same POST."""
    site.db("UPDATE session SET auth_time = 1 WHERE account_id = ?", person.person.id)
    page = Page(person.get(PROFILE))
    assert page.fields["current_password"]["autocomplete"] == "current-password"
    new = stranger("new").email
    answer = person.form(PROFILE, {"email": new, "current_password": person.person.password}, action=PROFILE)
    assert (answer.status_code, answer.headers["Location"]) == (303, PROFILE + "?notice=email-pending")
    assert "current_password" not in Page(person.follow(answer)).fields
    site.db("UPDATE session SET auth_time = 1 WHERE account_id = ?", person.person.id)
    answer = person.form(PROFILE, {"display_name": "Left empty", "current_password": ""}, action=PROFILE)
    assert (answer.status_code, answer.headers["Location"]) == (303, PROFILE + "?notice=profile-saved")


def test_a_session_that_ended_a_moment_ago(new_server):
    """Its child still knows it: the answer is that of the gate."""
    site = new_server(conf="UserAuthSessionCacheTTL 2s\n")
    for way in ("json", "form"):
        member = signed_in(site)
        assert member.get(PROFILE).status_code == 200
        csrf = the_form(member.get(PROFILE).text, PROFILE)["hidden"]["csrf"]
        site.db("UPDATE session SET ended = 1 WHERE account_id = ?", member.person.id)
        if way == "json":
            answer = member.json("POST", PROFILE, {"display_name": "x"})
            problem(answer, 401, "login_required")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        else:
            answer = member.post(PROFILE, {"display_name": "x", "csrf": csrf}, headers={"Referer": site.base + PROFILE, "Accept": "text/html"})
            assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/login?next=%2Fdashboard%2Fprofile")


def test_a_used_address(site, person):
    other = register(Client(site))
    body = problem(person.json("POST", PROFILE, {"email": other.email.upper()}), 409, "email_in_use", "Email already in use")
    assert body["errors"]["email"] == "Email already in use"


def test_where_accounts_are_hidden(new_server):
    """ENUM-08: the same answer; the owner is told, without a link."""
    server = new_server(conf="UserAuthMailLimit off\nUserAuthHideAccounts on\n")
    person, owner = signed_in(server), join(server)
    free = stranger("free").email
    answers = [ask(person, email) for email in (free, owner.email)]
    for answer, email in zip(answers, (free, owner.email)):
        assert answer.pop("pending_email") == email
    assert answers[0] == answers[1]
    mail = wait_for(lambda: [m for m in read_folder(server.folder / "mail", owner.email) if m.subject == TOLD], what=TOLD)[0]
    assert "token=" not in mail.text and person.person.username not in mail.text


def test_guests(site):
    answer = Client(site).get(PROFILE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/login?next=%2Fdashboard%2Fprofile")
    problem(Client(site).json("POST", PROFILE, {"display_name": "x"}), 401, "login_required")
