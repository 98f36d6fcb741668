"""The gate's own Require lines: a group, a password given lately, a confirmed address; alone, negated, together, and with
expressions. What they refuse to a signed-in person is 403, or the page that asks for the password again."""
import apps
import pytest
from client import Client, forms
from pages import problem
from people import PASSWORD, signed_in
from server import Server

LINES = {
    "group": "Require userauth-group staff",
    "groups": "Require userauth-group nobody staff",
    "no-group": "Require userauth-group sta staffs oth",
    "expression": "Require userauth-group %{req:X-Group}",
    "not": "<RequireAll>\nRequire valid-user\nRequire not userauth-group staff\n</RequireAll>",
    "fresh": "Require userauth-fresh 10m",
    "fresh-expression": "Require userauth-fresh %{req:X-Age}",
    "fresh-or": "<RequireAny>\nRequire userauth-fresh 10m\nRequire userauth-group staff\n</RequireAny>",
    "fresh-and": "<RequireAll>\nRequire userauth-group staff\nRequire userauth-fresh 10m\n</RequireAll>",
    "none": "<RequireAll>\nRequire valid-user\n<RequireNone>\nRequire userauth-group staff\n</RequireNone>\n</RequireAll>",
    "not-fresh": "<RequireAll>\nRequire valid-user\nRequire not userauth-fresh %{req:X-Age}\n</RequireAll>",
    "verified": "Require userauth-verified",
}
CGI = '<Location "/cgi">\nSetHandler cgi-script\nAuthType UserAuth\nRequire valid-user\n</Location>\n'
NAVIGATION = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
DENIED = r"AH01631: user .*: authorization failure"


@pytest.fixture(scope="module")
def gate(run_folder):
    conf = CGI + "".join(f'<Location "/{name}/">\nAuthType UserAuth\n{lines}\n</Location>\n' for name, lines in LINES.items())
    server = Server(run_folder, conf=conf)
    apps.put_cgi(server, "cgi/show.cgi")
    for name in LINES:
        apps.put(server, f"{name}/a.txt", f"{name} is open")
    try:
        server.start()
        server.staff, server.guest = signed_in(server), signed_in(server)
        server.db("UPDATE account SET member_of = 'other,staff' WHERE id = ?", server.staff.person.id)
        yield server
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(gate, log_gate):
    log_gate.watch(gate)


def ask(gate, client, name, **headers):
    gate.expect_log(DENIED)
    return client.get(f"/{name}/a.txt", headers={**NAVIGATION, **headers})


def stale(gate, client, seconds=900):
    gate.db("UPDATE session SET auth_time = auth_time - ? WHERE account_id = ?", seconds * 1000000, client.person.id)


@pytest.mark.parametrize(
    "name, staff, guest",
    [("group", 200, 403), ("groups", 200, 403), ("no-group", 403, 403), ("not", 403, 200), ("none", 403, 200), ("verified", 200, 200)],
)
def test_who_is_let_in(gate, name, staff, guest):
    for client, status in ((gate.staff, staff), (gate.guest, guest)):
        answer = ask(gate, client, name)
        assert answer.status_code == status
        assert (answer.text == f"{name} is open") == (status == 200)
        assert "Location" not in answer.headers and "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize("name", LINES)
def test_a_stranger_is_sent_to_the_login(gate, name):
    answer = ask(gate, Client(gate), name)
    assert answer.status_code == 303 and answer.headers["Location"].startswith(f"/auth/login?next=%2F{name}%2Fa.txt")
    problem(Client(gate).json("GET", f"/{name}/a.txt"), 401, "login_required")


@pytest.mark.parametrize("group, status", [("staff", 200), ("other", 200), ("x staff", 200), ("x", 403), ("", 403), ("staff,other", 403)])
def test_an_expression_names_the_group(gate, group, status):
    assert ask(gate, gate.staff, "expression", **{"X-Group": group}).status_code == status


def test_groups_are_told_to_applications(gate):
    assert apps.environment(gate.staff.get("/cgi/show.cgi"))["USERAUTH_GROUPS"] == "other,staff"
    assert apps.environment(gate.guest.get("/cgi/show.cgi"))["USERAUTH_GROUPS"] == ""


def test_a_password_given_lately_is_enough(gate):
    client = signed_in(gate)
    assert ask(gate, client, "fresh").text == "fresh is open"
    assert ask(gate, client, "fresh-expression", **{"X-Age": "1h"}).status_code == 200


def test_the_password_is_asked_for_and_leads_back(gate):
    client = signed_in(gate)
    stale(gate, client, 660)  # still fresh for our own pages: the gate's time counts
    answer = ask(gate, client, "fresh")
    assert answer.status_code == 303
    there = answer.headers["Location"]
    assert there == "/auth/reauth?next=%2Ffresh%2Fa.txt&max_age=600"
    page = client.get(there, headers=NAVIGATION)
    assert page.status_code == 200
    form = next(form for form in forms(page.text) if form["action"].startswith("/auth/reauth"))
    answer = client.post(form["action"], {**form["hidden"], "password": PASSWORD}, headers=NAVIGATION)
    assert answer.status_code == 303 and answer.headers["Location"].split("?")[0] == "/fresh/a.txt"
    assert ask(gate, client, "fresh").text == "fresh is open"


def test_a_program_is_told(gate):
    client = signed_in(gate)
    stale(gate, client)
    gate.expect_log(DENIED)
    problem(client.json("GET", "/fresh/a.txt"), 403, "reauth_required")
    answer = client.post("/fresh/a.txt", {"x": "y"}, headers=NAVIGATION)
    assert answer.status_code == 403


def test_one_of_two_is_enough(gate):
    for client, status in ((signed_in(gate, gate.staff.person), 200), (signed_in(gate), 303)):
        stale(gate, client)
        assert ask(gate, client, "fresh-or").status_code == status


def test_both_are_needed(gate):
    staff = signed_in(gate, gate.staff.person)
    assert ask(gate, staff, "fresh-and").status_code == 200
    assert ask(gate, gate.guest, "fresh-and").status_code == 403
    stale(gate, staff)
    assert ask(gate, staff, "fresh-and").status_code == 303


@pytest.mark.parametrize("age", ["", "x", "0", "-5m", "10m 5m", "999999999999999d"])
def test_an_expression_that_is_no_time_lets_nobody_in(gate, age):
    """Not behind "not" either."""
    gate.expect_log("UA0110")
    for name in ("fresh-expression", "not-fresh"):
        assert ask(gate, signed_in(gate), name, **{"X-Age": age}).status_code == 500


@pytest.mark.parametrize(
    "line", ["userauth-fresh", "userauth-fresh soon", "userauth-fresh 0", "userauth-group", "userauth-verified yes", 'userauth-group "%{"', 'userauth-group "%{req:X"', 'userauth-fresh %{tolower:%{req:X}']
)
def test_a_line_that_makes_no_sense_is_refused(new_server, line):
    server = new_server(start=False, conf=f'<Location "/x">\nAuthType UserAuth\nRequire {line}\n</Location>\n')
    status, said = server.configtest()
    assert status != 0 and line.split()[0] in said
