"""The whole way of a stranger through the site of `make run`, clicking what a person clicks."""
from browsing import Person
from server import wait_for


def open_newest_mail(person):
    """The list of mails, its newest mail to this person, as a page."""
    person.mail()
    person.open("/mail/")
    wait_for(lambda: person.email in person.text, what="the mail in the list")
    assert person.heading == "Mails"
    page = person.one(".mail > a[href$='.html']")
    assert page.find_element("tag name", "strong").text == "Confirm your email for Example"
    return person.follow(page)


def test_from_registration_to_the_page_wanted(person):
    person.open("/").press("Register")
    assert person.here == "/auth/register"
    person.fill(username=person.username, email=person.email, password=person.password).press("Register")
    assert person.here.partition("?")[0] == "/auth/check-email"
    person.wait_heading("Check your email")
    assert person.email in person.text

    open_newest_mail(person)
    assert f"Hello {person.username}" in person.text
    person.press("Confirm my email address")
    assert person.here == "/auth/login?notice=verified"
    assert person.notice == "Your email address is verified. You can log in now."

    person.sign_in()
    assert person.here == "/dashboard"
    assert person.heading == f"Hello, {person.username}"
    assert person.email in person.text
    assert "This is your first time here." in person.text
    assert person.one("nav [aria-current=page]").text == "Dashboard"

    person.press("Sign out")
    assert person.here == "/auth/login?notice=logged-out"
    assert person.notice == "You are logged out."

    wanted = "/club/rules.html?part=2&lang=en"
    person.open(wanted)
    assert person.here.startswith("/auth/login?next="), "the gate refuses"
    assert person.heading == "Log in"
    person.sign_in(login=person.username)
    assert person.here == wanted
    assert person.heading == "Members only"


def test_back_after_signing_out_shows_nothing_of_the_account(person):
    person.become_member()
    person.press("Sign out")
    person.leave(person.driver.back)
    assert person.here == "/auth/login?next=%2Fdashboard"
    assert person.email not in person.driver.page_source


def test_signed_in_already(person):
    """GET of login and register leads on to where a signed-in person belongs."""
    person.become_member()
    for path in ("/auth/login", "/auth/register"):
        assert person.open(path).here == "/dashboard"
    assert person.open("/auth/login?next=%2Fclub%2Frules.html").here == "/club/rules.html"


def test_a_wrong_password_keeps_the_way(person):
    """The page asked for is not forgotten over a mistyped password, or over a visit to the form."""
    person.become_member()
    person.press("Sign out")
    person.open("/club/rules.html").sign_in(password="not the right one")
    assert person.one("#summary-title").text == "Invalid email or password"
    person.sign_in()
    assert person.here == "/club/rules.html"


def test_last_sign_in_is_told_in_full(person):
    person.become_member()
    person.press("Sign out").sign_in()
    time = person.one("dl time")
    assert time.text == time.get_attribute("title")
    assert " at " in time.text and time.text.endswith(" UTC")
    assert time.get_attribute("datetime").endswith("Z")


def test_sign_out_page(person):
    assert person.open("/auth/logout").heading == "Sign out"
    assert "You are not signed in here" in person.text
    assert person.press("Log in").here == "/auth/login"
    person.become_member()
    person.open("/auth/logout").press("Stay signed in")
    assert person.here == "/dashboard"
    person.open("/auth/logout").press("Sign out")
    assert person.notice == "You are logged out."


def test_new_mails_appear_in_the_list(person, new_browser):
    """The list that is open shows a mail as soon as it was sent, and the server's own links stay alive in it."""
    person.open("/mail/")
    link = person.one("main a[href$='.html']") if person.all("main a[href$='.html']") else None
    other = Person(new_browser(), person.site)
    other.register().mail()
    wait_for(lambda: other.email in person.text, what="the mail in the list")
    assert link is None or link.is_displayed()
    assert f"To {other.email}" in person.one(".mail").text, "the newest stands first"
    message = person.one(".mail a[href$='.eml']")
    assert f"Hello {other.username}," in person.follow(message).text
