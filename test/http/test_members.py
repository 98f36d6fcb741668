"""/dashboard/members: the list as its readers see it, page by page, and one profile each."""
import re

import pytest
from client import Client, forms
from moves import site_for
from pages import Page, problem, refused
from people import join, signed_in, stranger

MEMBERS = "/dashboard/members"


@pytest.fixture(scope="module")
def site(run_folder):
    """Five people whose names begin alike, and one who looks at them."""
    with site_for(run_folder, 'UserAuthProfileField city "City" public\nUserAuthProfileField phone "Phone"\n') as server:
        server.people = []
        for number in range(5):
            person = stranger(f"zz{number}")
            person.display_name = f"Zsófia {number} <b>&amp;"
            server.people.append(join(server, person=person))
        server.reader = signed_in(server)
        yield server


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


def listed(client, **query):
    answer = client.get(MEMBERS, params=query, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"members", "next"}
    return answer.json()


def names(body):
    return [member["username"] for member in body["members"]]


@pytest.mark.parametrize("name", ["%ff", "%c3", "%ed%a0%80"])
def test_a_name_that_is_no_text(site, name):
    """SQL-04: on each engine."""
    problem(site.reader.json("GET", f"{MEMBERS}/{name}"), 404, "not_found")


@pytest.mark.parametrize("name", ["%0D%0AX-Evil%3A1", "%01", "a%20b", "a%3Fb%3Dc%23", "%C3%A9", "%25", "%22%3E", "bob"])
def test_a_slash_behind_a_name(site, name):
    """SMTP-05: the address without it is the same name's, whatever it holds."""
    answer = site.reader.get(f"{MEMBERS}/{name}/?q=%C3%A9")
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{MEMBERS}/{name}?q=%C3%A9")


def test_a_program_walks_the_pages(site):
    wanted, found, after, pages = [person.username for person in site.people], [], "", 0
    while after is not None:
        body = listed(site.reader, q="zz", limit=2, after=after)
        found += names(body)
        after, pages = body["next"], pages + 1
    assert (found, pages) == (wanted, 3)
    member = listed(site.reader, q="zz", limit=1)["members"][0]
    assert set(member) == {"username", "display_name", "member_since"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", member["member_since"])
    assert member["display_name"] == site.people[0].display_name


def test_a_person_searches(site):
    """The form needs no script and no hidden field; the next page keeps what was searched for."""
    page = site.reader.get(MEMBERS)
    form = next(f for f in forms(page.text) if f["method"] == "get")
    assert (form["action"], list(form["fields"]), form["hidden"]) == (MEMBERS, ["q"], {})
    found = Page(site.reader.get(MEMBERS, params={"q": "zSÓFIA", "limit": 3}))
    assert found.typed("q") == "zSÓFIA" and found.fields["q"]["type"] == "search"
    for person in site.people[:3]:
        assert found.links[f"{MEMBERS}/{person.username}"] == person.username
    assert site.people[0].display_name in found.text
    following = next(href for href, text in found.links.items() if text == "Next page")
    page = Page(site.reader.get(following))
    assert [person.username in page.text for person in site.people] == [False] * 3 + [True] * 2
    assert "Next page" not in page.links.values() and page.links[MEMBERS]


def test_nobody_is_found(site):
    page = Page(site.reader.get(MEMBERS, params={"q": "<nobody>"}))
    assert "Nobody's name begins with “<nobody>”." in page.text


@pytest.mark.parametrize("sign", ["%", "_", "\\", "[", "z%", "_z", "' OR '1'='1"])
def test_no_sign_is_a_wildcard(site, sign):
    """SQL-02"""
    assert listed(site.reader, q=sign) == {"members": [], "next": None}


@pytest.mark.parametrize("query", [
    "limit=0", "limit=101", "limit=-1", "limit=99999999999999999999", "limit=x", "limit=", "after=!", "after=enoteg%3D%3D",
    "q=%FF", "q=%00", "q=" + 65 * "a"
])
def test_nonsense_is_refused(site, query):
    """SQL-06"""
    problem(site.reader.json("GET", f"{MEMBERS}?{query}"), 400, "bad_request", "Bad request")
    if query != "q=" + 65 * "a":  # a person who pastes too much finds nobody
        refused(site.reader.get(f"{MEMBERS}?{query}"), 400, "Bad request")


def test_a_profile(site):
    """Only what is meant for others; the address by its owner's choice."""
    owner = signed_in(site)
    person, path = owner.person, f"{MEMBERS}/{owner.person.username}"
    told = {"city": "Graz", "phone": "555-0199"}
    assert owner.json("POST", "/dashboard/profile", told).status_code == 200
    page = Page(site.reader.get(path.upper().replace(MEMBERS.upper(), MEMBERS)))
    assert page.headings == [person.display_name] and "City Graz" in page.text
    assert "555-0199" not in page.text and person.email not in page.text
    body = site.reader.json("GET", path).json()
    assert body["fields"] == [{"name": "city", "label": "City", "value": "Graz"}]
    assert "email" not in body and person.id not in str(body)
    assert owner.json("POST", "/dashboard/profile", {"show_email": True}).status_code == 200
    assert site.reader.json("GET", path).json()["email"] == person.email
    assert "email" not in listed(site.reader, q=person.username)["members"][0]


def test_who_hides_is_gone(site):
    """ENUM-11: there is no difference to nobody, for the owner, too."""
    owner = signed_in(site)
    path = f"{MEMBERS}/{owner.person.username}"
    assert owner.json("POST", "/dashboard/profile", {"hidden": True}).status_code == 200
    unknown = site.reader.json("GET", f"{MEMBERS}/{stranger().username}")
    hidden = site.reader.json("GET", path)
    assert (hidden.status_code, hidden.text) == (404, unknown.text)
    refused(site.reader.get(path), 404, "Page not found")
    assert names(listed(site.reader, q=owner.person.username)) == []
    assert names(listed(owner, q=owner.person.username)) == []
    problem(owner.json("GET", path), 404, "not_found")
    refused(owner.get(path), 404, "Page not found")


def test_strangers_see_nothing(site):
    """ENUM-11"""
    guest = Client(site)
    for path in (MEMBERS, f"{MEMBERS}/{site.people[0].username}", f"{MEMBERS}?limit=0"):
        problem(guest.json("GET", path), 401, "login_required")
        assert guest.get(path).status_code == 303


def test_forms_say_what_others_see(server):
    """The list shows both names: no hint promises that the display name hides the other one."""
    member = signed_in(server)
    shown = Page(member.get("/dashboard/members?q=" + member.person.username)).text
    assert member.person.username in shown and member.person.display_name in shown
    for page in (Page(Client(server).get("/auth/register")), Page(member.get("/dashboard/profile"))):
        assert page.ids["h-display_name"] == "Shown to other members beside your username."
