"""The link of the mail opened in another browser than the one that registered (UserAuthVerifyOnGet browser)."""
import pytest

from browsing import Person


@pytest.fixture
def other(new_browser, site, person):
    """The same human at another browser: of the account it knows what `person` chose."""
    other = Person(new_browser(), site)
    other.email, other.username = person.email, person.username
    return other


def test_one_button_confirms_and_the_first_browser_notices(person, other):
    person.register().mail()
    other.open(person.mail().link("verify"))
    assert other.here == "/auth/verify", "the token is out of the address bar"
    assert other.heading == "Confirm your email address"
    assert person.email in other.text and person.username in other.text
    assert [button.text for button in other.all("main button")] == ["Confirm my email address"]
    assert person.script("return document.querySelector('h1').textContent") == "Check your email", "nothing is used up by looking"

    other.driver.refresh()
    assert other.heading == "Confirm your email address", "reloading keeps the page"
    other.press("Confirm my email address")
    assert other.here == "/auth/login?notice=verified"
    person.wait_heading("Your email address is verified")
    assert person.press("Log in").here == "/auth/login"
    assert other.sign_in().here == "/dashboard"


def test_the_page_keeps_what_is_being_typed(person, other):
    """A change of the mail's state does not take an address away that is being corrected; the confirmation does."""
    person.register().mail()
    person.site.db("UPDATE outbox SET state = 0, attempts = 0, due = due + 3600000000 WHERE email = ?", person.email)
    person.open("/auth/check-email").press_in_place("Is the address wrong?")
    person.fill(email="half.an.addr")
    person.site.db("UPDATE outbox SET state = 1, sent = 1 WHERE email = ?", person.email)
    person.come_back().come_back()
    assert person.field("email").get_attribute("value") == "half.an.addr"
    other.open(person.mail().link("verify")).press("Confirm my email address")
    person.come_back().wait_heading("Your email address is verified")


def test_second_use_in_another_browser(person, other):
    person.register()
    link = person.mail().link("verify")
    person.open(link)
    assert person.here == "/auth/login?notice=verified"
    other.open(link)
    assert other.here == "/auth/verify"
    assert other.heading == "Verification link has already been used"
    assert other.press("Log in").here == "/auth/login"


def test_an_expired_link_leads_to_a_new_one(person, other):
    person.register().mail()
    person.site.db("UPDATE token SET expires = 1 WHERE email = ?", person.email)
    person.site.db("DELETE FROM throttle")
    other.open(person.mail().link("verify"))
    assert other.heading == "Verification link has expired"
    other.press("Send a new link").fill(email=person.email).press("Send link")
    assert other.heading == "Check your email"
    other.open(person.mail(2).link("verify")).press("Confirm my email address")
    assert other.here == "/auth/login?notice=verified"


def test_not_you_removes_the_registration(person, other):
    person.register()
    link = person.mail().link("disown")
    other.open(link)
    assert other.here == "/auth/disown", "the token is out of the address bar"
    assert other.heading == "Remove this registration"
    assert person.email in other.text and person.username in other.text
    assert person.site.db("SELECT id FROM account WHERE email = ?", person.email), "looking removes nothing"
    other.press("Remove this registration")
    assert other.heading == "The registration is removed"
    assert not person.site.db("SELECT id FROM account WHERE email = ?", person.email)
    other.open(person.mail().link("verify"))
    assert other.heading == "Invalid verification link"
    person.wait_heading("Check your email")
    other.register()
    assert other.here.partition("?")[0] == "/auth/check-email", "name and address are free again"


def test_change_your_password_where_the_whole_site_is_gated(new_server, new_browser):
    """/.well-known/change-password: Chromium goes there only where an address that nobody has is 404."""
    site = new_server(conf='<Location "/">\nAuthType UserAuth\nRequire valid-user\n</Location>\n')
    person = Person(new_browser(), site).open("/.well-known/change-password")
    assert person.here == "/auth/login?next=%2Fdashboard%2Fpassword"
