"""Every page as a picture: wide and narrow, light and dark, with errors; under RUN/screenshots.

A picture is there to be looked at; what is asserted is that it shows the page its name says, that
nothing runs out of a window of 320 pixels, and that each picture is a new one.
"""
import time
from pathlib import Path

import pytest

from client import Client
from browsing import Person
from server import wait_for

LATER = "strftime('%s', 'now') * 1000000 + 3600000000"
LONG = "Wolfeschlegelsteinhausenbergerdorff".ljust(64, "W")


@pytest.fixture
def picture(person, camera):
    """picture(name, headline): all four pictures of the page that is shown now."""
    begin = time.time()

    def shoot(name, headline):
        assert (person.heading if person.all("h1") else person.driver.title) == headline
        for path in camera.shoot_all(name):
            assert Path(path).stat().st_mtime >= begin - 1
            assert Path(path).stat().st_size > 3000
        camera.width("narrow")
        assert person.script("return document.documentElement.scrollWidth") <= 320, f"{name} runs out of 320 pixels"
        camera.reset()

    return shoot


def test_start_and_mails(person, picture):
    person.open("/")
    picture("start", "Example")
    person.register().mail()
    person.open("/mail/")
    newest = wait_for(lambda: person.all(".mail > a"), what="the list of mails")[0]
    picture("mails", "Mails")
    person.follow(newest)
    picture("mail verify", "Confirm your email for Example")


def test_register(person, picture):
    person.open("/auth/register")
    picture("register", "Register")
    person.fill(username="a", email="me@", password="12345678").press("Register")
    picture("register errors", "Register")
    taken = Person(person.driver, person.site)
    taken.register()
    person.open("/auth/register")
    person.fill(username=taken.username, email=taken.email, password=taken.password).press("Register")
    picture("register taken", "Register")


def test_check_email(person, picture):
    person.open("/auth/check-email")
    picture("check email stranger", "Check your email")
    person.register().mail()
    person.site.db("UPDATE outbox SET state = 0, attempts = 0, due = " + LATER + " WHERE email = ?", person.email)
    person.open("/auth/check-email")
    picture("check email queued", "Check your email")
    person.site.db("UPDATE outbox SET attempts = 3 WHERE email = ?", person.email)
    person.open("/auth/check-email")
    picture("check email delayed", "Check your email")
    person.site.db("UPDATE outbox SET state = 1, sent = 1 WHERE email = ?", person.email)
    person.open("/auth/check-email")
    picture("check email sent", "Check your email")
    person.site.db("DELETE FROM throttle")
    person.open("/auth/check-email").one("summary").click()
    picture("check email resend", "Check your email")
    person.fill(email="me@").press("Correct the address")
    picture("check email errors", "Check your email")
    person.confirm().open("/auth/check-email")
    picture("check email verified", "Your email address is verified")


def test_verify(person, picture):
    person.register()
    link = person.mail().link("verify")
    person.driver.delete_all_cookies()
    person.open(link)
    picture("verify", "Confirm your email address")
    person.site.db("UPDATE token SET expires = 1 WHERE email = ?", person.email)
    person.open(link)
    picture("verify expired", "Verification link has expired")
    person.site.db("UPDATE token SET expires = " + LATER + " WHERE email = ?", person.email)
    person.open(link).press("Confirm my email address")
    picture("login verified", "Log in")
    person.open(link)
    picture("verify used", "Verification link has already been used")
    person.open("/auth/verify?token=nonsense")
    picture("verify invalid", "Invalid verification link")


def test_login(person, picture):
    person.open("/club/rules.html")
    picture("login next", "Log in")
    person.press("Log in")
    picture("login errors", "Log in")
    person.register().sign_in(password="not the right one")
    picture("login wrong", "Log in")
    person.sign_in()
    picture("login unverified", "Log in")
    stranger = Client(person.site)
    for _ in range(5):
        stranger.post("/auth/login", {"login": "nobody@example.com", "password": "not the right one"})
    person.sign_in(login="nobody@example.com")
    picture("login wait", "Log in")
    person.driver.delete_cookie("userauth-csrf")
    person.open("/auth/login").driver.delete_all_cookies()
    person.fill(login="me@example.com", password=person.password).press("Log in")
    picture("login stale", "Log in")


def test_resend_and_disown(person, picture):
    person.open("/auth/resend")
    picture("resend", "Get a new link")
    person.fill(email="me@").press("Send link")
    picture("resend errors", "Get a new link")
    person.fill(email=person.email).press("Send link")
    picture("resend sent", "Check your email")
    person.open("/auth/resend").fill(email=person.email).press("Send link")
    picture("resend limited", "Get a new link")
    person.site.db("DELETE FROM throttle")
    person.register()
    link = person.mail().link("disown")
    person.open(link)
    picture("disown", "Remove this registration")
    person.press("Remove this registration")
    picture("disown done", "The registration is removed")
    person.open(link)
    picture("disown used", "Link has already been used")


def test_dashboard_and_logout(person, picture):
    person.open("/auth/logout")
    picture("logout guest", "Sign out")
    person.username = f"Wolfeschlegelstein{person.username}"[:32]
    person.email = f"{'w' * 40}.{person.email}"
    person.register(display_name=LONG)
    person.confirm().sign_in()
    picture("dashboard", "Hello, " + LONG)
    person.open("/auth/logout")
    picture("logout", "Sign out")
    person.press("Sign out")
    picture("login signed out", "Log in")
    person.sign_in()
    picture("dashboard again", "Hello, " + LONG)
    person.open("/dashboard/nothing")
    picture("dashboard not found", "Page not found")
    person.driver.delete_all_cookies()
    person.open("/auth/nothing")
    picture("not found", "Page not found")
    person.site.wait_mail(person.email)
    person.open("/auth/resend").fill(email=person.email)
    person.site.db("DELETE FROM throttle")
    person.press("Send link")
    wait_for(lambda: any("Already confirmed" in mail.subject for mail in person.site.mails(person.email)), what="the mail")
    person.open("/mail/")
    person.follow(wait_for(lambda: person.all(".mail > a"), what="the list of mails")[0])
    picture("mail confirmed", "Already confirmed: log in to Example")
