"""What a person meets who makes mistakes: every form with errors, and the ways out of them."""
import pytest

from browsing import Person

SECRET = "zzzzzzzzz"

# path, what is typed, the button, and each wrong field with what stands beside it
WRONG = [
    ("/auth/register", {}, "Register", {
        "username": "Choose a username.",
        "email": "Enter your email address.",
        "password": "Enter a password."}),
    ("/auth/register", {"username": "a b", "email": "me@", "password": "12345678", "display_name": "x" * 65}, "Register", {
        "username": None,
        "email": "Enter an email address like name@example.com.",
        "password": None,
        "display_name": "Use at most 64 characters."}),
    ("/auth/register", {"username": "www.me", "email": "a" * 250 + "@example.com", "password": SECRET}, "Register", {
        "username": None,
        "email": "An email address has at most 254 characters.",
        "password": None}),
    ("/auth/login", {}, "Log in", {
        "login": "Enter your email address or username.",
        "password": "Enter a password."}),
    ("/auth/resend", {"email": "not an address"}, "Send link", {
        "email": "Enter an email address like name@example.com."}),
]


def check_error_page(person, typed, wrong):
    """The summary is focused and leads to the fields; each field says what is wrong and keeps what was typed."""
    assert person.focused == person.one("#summary")
    assert [link.get_attribute("href").partition("#")[2] for link in person.all("#summary li a")] == [f"f-{n}" for n in wrong]
    for entry in person.all("main form input:not([type=hidden])"):
        name = entry.get_attribute("name")
        described = (entry.get_attribute("aria-describedby") or "").split()
        assert (entry.get_attribute("aria-invalid") == "true") == (name in wrong), name
        assert (f"e-{name}" in described) == (name in wrong), name
        assert all(person.all(f"[id='{id}']") for id in described), "every description exists"
        secret = name.startswith("password")
        assert secret or entry.get_attribute("type") == "checkbox" or entry.get_attribute("value") == typed.get(name, "")
        assert not secret or entry.get_attribute("value") == "", "a password never comes back"
    for name, words in wrong.items():
        assert words is None or person.error(name) == words
        assert person.error(name) in person.one("#summary").text
        link = person.one(f"#summary a[href='#f-{name}']")
        link.click()
        assert person.focused == person.field(name), f"the summary leads to {name}"


@pytest.mark.parametrize("path, typed, button, wrong", WRONG)
def test_form_with_errors(person, path, typed, button, wrong):
    title = person.open(path).driver.title
    person.fill(**typed).press(button)
    assert person.driver.title == title
    check_error_page(person, typed, wrong)
    assert typed.get("password", SECRET) not in person.driver.page_source


def test_summary_says_it_once(person):
    person.open("/auth/login").press("Log in")
    assert "Some fields need another look." not in person.text


def test_weak_password_offers_one_that_works(person):
    typed = {"username": person.username, "email": person.email}
    person.open("/auth/register").fill(**typed, password=person.username + "1").press("Register")
    check_error_page(person, typed, {"password": None})
    suggestion = person.one("#e-password code").text
    person.fill(password=suggestion).press("Register")
    assert person.heading == "Check your email"


def test_taken_name_and_address(person):
    person.register()
    person.driver.delete_all_cookies()
    typed = {"username": person.username.upper(), "email": person.email.upper()}
    person.open("/auth/register").fill(**typed, password=person.password).press("Register")
    check_error_page(person, typed, {"username": "Username already in use", "email": "Email already in use"})
    offers = {link.text: link.get_attribute("href") for link in person.all("#summary .offers a")}
    assert offers["Send a new confirmation link"].endswith("/auth/resend")
    assert offers["Log in"].endswith("/auth/login")
    assert person.press("Send a new confirmation link").heading == "Get a new link"


def test_wrong_password_and_unknown_name_look_alike(person):
    person.become_member()
    person.press("Sign out")
    texts = []
    for login in (person.email, "nobody@example.com"):
        person.open("/auth/login").fill(login=login, password="not the right one").press("Log in")
        assert person.focused == person.one("#summary")
        assert person.field("login").get_attribute("value") == login
        assert person.field("password").get_attribute("value") == ""
        texts.append(person.one("#summary").text)
    assert texts[0] == texts[1]
    assert texts[0].startswith("Invalid email or password")


def test_unverified_account_is_offered_a_new_link(person):
    person.register().sign_in()
    assert person.one("#summary-title").text == "Please verify your email address first"
    assert person.press("Send a new link").here == "/auth/resend"


def test_mistyped_address_is_corrected(person):
    right = person.email
    person.email = right.replace("@example.com", "@exampel.com")
    person.register()
    first = person.mail().link("verify")
    person.press_in_place("Is the address wrong?")
    person.fill(email="me@").press("Correct the address")
    check_error_page(person, {"email": "me@"}, {"email": "Enter an email address like name@example.com."})
    person.fill(email=right).press("Correct the address")
    person.wait_heading("Check your email")
    assert right in person.text
    assert person.email not in person.text
    second = person.mail(to=right).link("verify")
    assert person.open(first).heading == "Invalid verification link"
    assert person.open(second).here == "/auth/login?notice=verified"


def test_correction_to_a_taken_address(person):
    taken = Person(person.driver, person.site)
    taken.register()
    person.register().press_in_place("Is the address wrong?")
    person.fill(email=taken.email).press("Correct the address")
    check_error_page(person, {"email": taken.email}, {"email": "Email already in use"})


def test_mail_is_sent_again(person):
    person.register().mail()
    person.open("/auth/check-email")
    assert "You can ask for another email in" in person.text
    person.site.db("DELETE FROM throttle")
    person.open("/auth/check-email").press("Send it again")
    assert person.heading == "Check your email"
    person.wait_heading("Check your email")
    assert person.open(person.mail(2).link("verify")).here == "/auth/login?notice=verified"


def test_too_many_mails_says_when(person):
    for _ in range(2):
        person.open("/auth/resend").fill(email=person.email).press("Send link")
    assert person.heading == "Get a new link"
    assert person.focused == person.one("#summary")
    assert " seconds" in person.one("#summary").text or " minute" in person.one("#summary").text
    assert person.field("email").get_attribute("value") == person.email


def test_wait_after_failures_says_when(person):
    for _ in range(6):
        person.open("/auth/login").fill(login="no.such@example.com", password="not the right one").press("Log in")
    assert "Please try again in" in person.one("#summary").text
    assert person.field("login").get_attribute("value") == "no.such@example.com"


def test_page_that_was_open_too_long(person):
    """The forgery field no longer fits: the form again, with what was typed."""
    person.open("/auth/register").fill(username=person.username, email=person.email, password=person.password)
    person.driver.delete_all_cookies()
    person.press("Register")
    assert person.one("#summary-title").text == "This page was open for a long time. Please send it again."
    assert person.field("username").get_attribute("value") == person.username
    assert person.field("email").get_attribute("value") == person.email
    person.fill(password=person.password).press("Register")
    assert person.heading == "Check your email"


def test_long_names_wrap(person, camera):
    person.username = person.username.rjust(32, "W")
    person.email = f"{person.username.rjust(64, 'w')}@{'long-domain.' * 8}example.com"
    camera.width("narrow")
    person.register(display_name="W" * 64)
    for path in ("/auth/check-email", person.mail().link("disown"), "/auth/logout"):
        person.open(path)
        assert person.script("return document.documentElement.scrollWidth") <= 320, path
    person.confirm().sign_in()
    assert person.heading == "Hello, " + "W" * 64
    assert person.script("return document.documentElement.scrollWidth") <= 320


def test_markup_in_fields_is_text(person):
    """XSS-01: what is typed comes back as it was typed, as text."""
    typed = {"username": "\"><img src=x onerror=document.title='xss'>", "email": "'\"<script>document.title='xss'</script>"}
    title = person.open("/auth/register").driver.title
    person.fill(**typed, display_name="</input><h1>x</h1>").press("Register")
    assert person.driver.title == title
    assert len(person.all("h1")) == 1
    for name, value in typed.items():
        assert person.field(name).get_attribute("value") == value
    person.username = f"x{person.username}"
    person.become_member(display_name="<b>bold</b> & \"quoted\"")
    assert person.heading == "Hello, <b>bold</b> & \"quoted\""


def test_pages_that_do_not_exist(person):
    person.open("/auth/nothing")
    assert person.heading == "Page not found"
    assert person.press("Log in").here == "/auth/login"
    person.become_member()
    person.open("/dashboard/nothing")
    assert person.heading == "Page not found"
    assert person.press("Go to your dashboard").here == "/dashboard"
