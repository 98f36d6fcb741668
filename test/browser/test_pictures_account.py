"""The pages of the whole account as pictures, like test_pictures.py: wide and narrow, light and dark, with errors and long names."""
from engines import written
from test_account import a_minute_later, mail_with
from test_pictures import LONG, picture  # noqa: F401  (a fixture)


def link(person, purpose, to=None, after=0):
    person.open(mail_with(person, purpose, to, after).link(purpose))


def test_reset(person, picture):  # noqa: F811
    person.become_member().press("Sign out").press("Forgot your password?")
    picture("forgot", "Forgot your password?")
    person.fill(email="me@").press("Send reset link")
    picture("forgot errors", "Forgot your password?")
    a_minute_later(person)
    person.fill(email=person.email).press("Send reset link")
    picture("forgot sent", "Forgot your password?")
    link(person, "reset")
    person.fill(password="12345678").press("Save new password")
    picture("reset errors", person.heading)
    person.open("/auth/reset?token=x")
    picture("reset invalid", "Invalid password reset link")


def test_profile(person, picture):  # noqa: F811
    person.become_member(display_name=LONG).press("Profile")
    picture("profile", "Profile")
    person.fill(username="x", email="me@").press("Save")
    picture("profile errors", "Profile")
    new = f"new-{person.email}"
    person.open("/dashboard/profile").fill(email=new).press("Save")
    picture("profile pending", "Profile")
    link(person, "email", new)
    picture("email", person.heading)
    person.press(person.one("main form button").text)
    link(person, "undo")
    person.fill(password="wrong-one-here").press("Bring my address back")
    picture("undo errors", "Bring your address back")


def test_members(person, picture):  # noqa: F811
    person.become_member(display_name=LONG).press("Members")
    picture("members", "Members")
    person.open(f"/dashboard/members/{person.username}")
    picture("member", LONG)
    person.open("/dashboard/members?q=nobody-has-this-name")
    picture("members empty", "Members")


def test_security(person, picture):  # noqa: F811
    person.become_member().press("Security")
    picture("sessions", "Security")
    person.press("Recent activity")
    picture("activity", "Recent activity")
    person.open("/dashboard/password").fill(current_password="wrong", password="12345678").press("Save new password")
    picture("password errors", "Change your password")
    person.site.db("UPDATE session SET auth_time = 1")
    person.open("/dashboard/export").fill(password="wrong").press("Continue")
    picture("reauth errors", "Enter your password")


def test_close_and_disown(person, picture):  # noqa: F811
    person.become_member()
    person.open("/dashboard/password").fill(current_password=person.password, password="quartz-meadow-lantern-58")
    person.press("Save new password")
    link(person, "disown", after=1)
    picture("disown member", person.heading)
    person.open("/dashboard/close")
    picture("close", "Close your account")
    person.fill(current_password="quartz-meadow-lantern-58").press("Close my account")
    picture("closed", "Log in")
    link(person, "restore")
    person.fill(password="wrong").press("Restore my account")
    picture("restore errors", "Restore your account")


def test_a_wait(person, picture):  # noqa: F811
    person.become_member().press("Sign out")
    person.open("/auth/login")
    for _ in range(6):
        person.fill(login=person.username, password="not-my-password").press("Log in")
    picture("login wait", "Log in")


def test_a_database_that_is_in_use(person, picture):  # noqa: F811
    """DB-02: what was typed is kept, and the page says what to do."""
    person.open("/auth/forgot").fill(email=person.email)
    person.site.expect_log("UA0")
    with written(person.site):
        person.press("Send reset link")
    assert "The server is busy" in person.text and person.field("email").get_attribute("value") == person.email
    picture("busy", "Forgot your password?")
