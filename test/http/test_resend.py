"""/auth/resend: another confirmation mail, with one answer for every address; and its limits."""
import pytest
from client import Client
from pages import Page, problem, refused
from people import confirm, join, register, sign_in, stranger, wait_sent
from server import Server, wait_for


@pytest.fixture(scope="module")
def site(run_folder):
    server = Server(run_folder, conf="UserAuthMailLimit off\n")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def watched(site, log_gate):
    log_gate.watch(site)


@pytest.fixture
def client(site):
    return Client(site)


def resend(client, email):
    return client.json("POST", "/auth/resend", {"email": email})


def essence(answer):
    """All that must not differ between addresses."""
    headers = {k: v for k, v in answer.headers.items() if k not in ("Date", "Keep-Alive")}
    return answer.status_code, headers, answer.content


def test_the_form(client):
    page = Page(client.get("/auth/resend"))
    assert page.fields["email"]["inputmode"] == "email"
    assert page.fields["email"]["autocomplete"] == "email"


def test_answers_are_alike(site):
    """ENUM: known or not, confirmed or not, and in whatever spelling."""
    waiting, done = register(Client(site)), join(site)
    addresses = [waiting.email, done.email, stranger().email, waiting.email.upper(), "someone@bücher.example"]
    programs = [resend(Client(site, address="203.0.113.40"), email) for email in addresses]
    assert all(essence(answer) == essence(programs[0]) for answer in programs)
    assert programs[0].status_code == 202
    assert programs[0].json()["message"]
    persons = [Client(site, address="203.0.113.41").post("/auth/resend", {"email": email}) for email in addresses]
    assert all(essence(answer) == essence(persons[0]) for answer in persons)
    assert persons[0].status_code == 303
    assert persons[0].headers["Location"].partition("?")[0] == "/auth/check-email"


def test_by_its_form(site, client):
    person = register(Client(site))
    answer = client.form("/auth/resend", {"email": person.email})
    assert answer.status_code == 303
    page = Page(client.follow(answer))
    assert page.headings == ["Check your email"]
    assert person.email not in page.text, "told somebody else whose address is waiting"
    site.wait_mail(person.email, 2)


def test_a_waiting_address_gets_a_link_that_works(site, client):
    person = register(Client(site))
    site.wait_mail(person.email)
    assert resend(client, person.email).status_code == 202
    second = site.wait_mail(person.email, 2)
    assert person.username in second.text
    confirm(Client(site), second.token("verify"))


def test_the_mail_goes_to_the_stored_address_only(site, client):
    """UNI-01"""
    person = register(Client(site))
    name = person.email.partition("@")[0]
    for alike in (f"{name.upper()}@EXAMPLE.ORG", f"{name.replace('p', 'ᴘ', 1)}@example.org", f"{name}@exampIe.org"):
        assert resend(client, alike).status_code in (202, 422)
    site.wait_mail(person.email, 2)
    resend(client, person.email)
    site.wait_mail(person.email, 3)
    assert {mail["To"] for mail in site.mails() if name in str(mail["To"]).lower()} == {person.email}


def test_a_confirmed_address_is_told_so(site, client):
    """TOK-18: no link that could change anything."""
    person = join(site)
    assert resend(client, person.email).status_code == 202
    mail = wait_for(lambda: [mail for mail in site.mails(person.email) if "Already confirmed" in mail.subject], what="the mail")[0]
    assert "already confirmed" in mail.text.lower() or "already verified" in mail.text.lower()
    assert any(link.startswith(f"{site.base}/auth/login") for link in mail.links())
    assert "token=" not in mail.data.decode()


def test_an_unknown_address_gets_nothing(site, client):
    nobody, waiting = stranger(), register(Client(site))
    assert resend(client, nobody.email).status_code == 202
    assert resend(client, waiting.email).status_code == 202
    wait_sent(site, waiting.email, 2)
    assert not site.mails(nobody.email)


@pytest.mark.parametrize(
    "email", ["", "nobody", "a b@example.org", "a@example.org,b@example.org", "a@b.c>\r\nRCPT TO:<evil@x.example"]
)
def test_a_wrong_address_is_named(client, email):
    body = problem(resend(client, email), 422, "invalid_fields")
    assert list(body["errors"]) == ["email"]
    page = refused(client.form("/auth/resend", {"email": email}), 422)
    assert body["errors"]["email"] in page.beside("email")


def test_mail_limit_of_an_address(new_server):
    """A stranger is stopped, for a known address as for an unknown one; the browser that registered
    has a count of its own."""
    server = new_server(conf="UserAuthMailLimit 2/1h\n")
    own = Client(server)
    person = register(own)
    nobody = stranger()
    refusals = {}
    for email in (person.email, nobody.email):
        answers = [resend(Client(server), email) for _ in range(4)]
        assert answers[0].status_code == 202 and answers[-1].status_code == 429
        refusals[email] = problem(answers[-1], 429, "rate_limited")
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 3600
        refused(Client(server).form("/auth/resend", {"email": email}), 429)
        assert resend(Client(server), email.upper()).status_code == 429, "another spelling has another count"
    assert refusals[person.email] == refusals[nobody.email]
    before = len(server.mails(person.email))
    assert resend(own, person.email).status_code == 202, "a stranger used up the owner's mails"
    server.wait_mail(person.email, before + 1)


def test_a_known_browser_has_a_count_of_its_own(new_server):
    """The device cookie does what the registration cookie does."""
    server = new_server(conf="UserAuthMailLimit 2/1h\n")
    person = join(server)
    known = Client(server)
    sign_in(known, person)
    while resend(Client(server), person.email).status_code != 429:
        pass
    assert resend(known, person.email).status_code == 202
    assert resend(known, person.email).status_code == 429


def test_one_mail_a_minute_by_default(server):
    client = Client(server)
    person = register(client)
    assert resend(Client(server), person.email).status_code == 429
    answer = resend(client, person.email)
    problem(answer, 429, "rate_limited")
    assert int(answer.headers["Retry-After"]) <= 60
    assert len(server.mails(person.email)) <= 1


def test_mail_requests_per_client_address(new_server):
    server = new_server(conf="UserAuthMailLimit off\nUserAuthRateLimit mail 3/1h\n")
    client = Client(server, address="203.0.113.5")
    assert [resend(client, stranger().email).status_code for _ in range(4)] == [202, 202, 202, 429]
    answer = resend(client, stranger().email)
    problem(answer, 429, "rate_limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600
    assert resend(Client(server, address="203.0.113.6"), stranger().email).status_code == 202


def test_an_ipv6_network_is_one_client(new_server):
    """BF-10: a /64 counts as one address."""
    server = new_server(conf="UserAuthMailLimit off\nUserAuthRateLimit mail 2/1h\n")
    addresses = ["2001:db8:1:2::1", "2001:db8:1:2:aaaa::2", "2001:db8:1:2:ffff:ffff:ffff:3", "2001:db8:1:3::1"]
    codes = [resend(Client(server, address=address), stranger().email).status_code for address in addresses]
    assert codes == [202, 202, 429, 202]
