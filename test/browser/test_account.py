"""The whole account as a person uses it: forgotten password, profile, changed address with undo, members, sessions in a second
browser, activity, export, close and restore. Only what stands on the pages and in the mails is used."""
import json
from pathlib import Path

from browsing import Person
from server import wait_for

NEW_PASSWORD = "quartz-meadow-lantern-58"


def mail_with(person, purpose, to=None, after=0):
    """The newest mail to the person with a link of this purpose; `after` so many earlier ones."""

    def found():
        mails = [mail for mail in person.site.mails(to or person.email) if f"/auth/{purpose}?token=" in mail.text]
        return mails[-1] if len(mails) > after else None

    return wait_for(found, what=f"a mail with a {purpose} link")


def open_link(person, purpose, to=None, after=0):
    person.open(mail_with(person, purpose, to, after).link(purpose))
    assert "token=" not in person.here, "the address bar keeps no token"
    return person


def a_minute_later(person):
    """An address gets one mail a minute."""
    person.site.db("DELETE FROM throttle")


def second_browser(person, new_browser):
    """The same account, signed in elsewhere."""
    other = Person(new_browser(), person.site)
    other.username, other.email, other.password = person.username, person.email, person.password
    other.open("/auth/login").sign_in()
    assert other.here == "/dashboard"
    return other


def test_forgotten_password(person, new_browser):
    person.become_member()
    elsewhere = second_browser(person, new_browser)
    a_minute_later(person)
    person.press("Sign out").press("Forgot your password?")
    assert person.here == "/auth/forgot"
    person.fill(email=person.email).press("Send reset link")
    assert person.notice == "If this address has an account here, a link to set a new password is on its way."
    open_link(person, "reset")
    person.fill(password="12345678").press(person.one("main form button.primary").text)
    assert "easy to guess" in person.error("password")
    person.fill(password=NEW_PASSWORD).press(person.one("main form button.primary").text)
    assert person.notice == "Your password is changed."
    person.sign_in()
    assert person.one("#summary-title").text == "Invalid email or password", "the old one opens nothing"
    person.sign_in(password=NEW_PASSWORD)
    assert person.here == "/dashboard"
    assert elsewhere.open("/dashboard").here.startswith("/auth/login"), "every other device is signed out"
    person.open(mail_with(person, "reset").link("reset"))
    assert person.heading == "Password reset link has already been used"


def test_edited_profile(person):
    person.become_member().press("Profile")
    person.fill(display_name="Ada Lovelace", username="x").press("Save")
    assert person.error("username") == "Use 3 to 32 characters."
    assert person.field("display_name").get_attribute("value") == "Ada Lovelace", "what was typed stays"
    renamed = person.username + "n"
    person.fill(username=renamed).press("Save")
    assert person.notice == "Your profile is saved."
    assert person.press("Dashboard").heading == "Hello, Ada Lovelace"
    assert renamed in person.text
    person.press("Sign out").sign_in(login=renamed)
    assert person.here == "/dashboard"


def test_changed_address_and_its_undo(person):
    person.become_member().press("Profile")
    old, new = person.email, f"new-{person.email}"
    person.fill(email=new).press("Save")
    assert f"We sent a link to {new}. Your address changes when you open it." in person.text
    assert person.field("email").get_attribute("value") == old
    person.press("Cancel the change")
    assert person.notice == "Your address stays as it is." and new not in person.text
    new = f"newer-{person.email}"
    person.fill(email=new).press("Save")
    open_link(person, "email", to=new).press(person.one("main form button.primary").text)
    assert person.notice == "Your email address is changed."
    assert person.field("email").get_attribute("value") == new
    open_link(person, "undo", to=old)
    person.fill(password="not the right one").press("Bring my address back")
    assert person.error("password") == "This is no password of the account."
    person.fill(password=person.password).press("Bring my address back")
    assert person.notice == "Your old email address is back. Set a new password to log in."
    person.sign_in(login=old)
    assert person.one("#summary-title").text == "Invalid email or password", "the password is off until it is set anew"
    a_minute_later(person)
    person.open("/auth/forgot").fill(email=old).press("Send reset link")
    open_link(person, "reset", to=old)
    person.fill(password=NEW_PASSWORD).press(person.one("main form button.primary").text)
    person.sign_in(login=old, password=NEW_PASSWORD)
    assert person.here == "/dashboard" and old in person.text


def test_members(person, new_browser):
    other = Person(new_browser(), person.site)
    other.become_member(display_name=f"Zoë {other.username}")
    person.become_member().press("Members")
    person.fill(q=f"zoë {other.username}").press("Find")
    assert person.press(other.username).heading == f"Zoë {other.username}"
    assert other.email not in person.text
    other.press("Profile").field("hidden").click()
    other.press("Save")
    person.open("/dashboard/members").fill(q=other.username).press("Find")
    assert "Nobody's name begins with" in person.text
    assert person.open(f"/dashboard/members/{other.username}").heading == "Page not found"


def test_ended_session_in_a_second_browser(person, new_browser):
    person.become_member()
    elsewhere = second_browser(person, new_browser)
    person.press("Security")
    assert len(person.all(".rows form")) == 1
    person.press("Sign out")
    assert person.notice == "That device is signed out."
    assert elsewhere.open("/dashboard").here.startswith("/auth/login")
    assert person.open("/dashboard").here == "/dashboard"


def test_activity_and_password(person):
    person.become_member().press("Security").press("Change password")
    person.fill(current_password="not the right one", password=NEW_PASSWORD).press("Save new password")
    assert person.error("current_password") == "This is not your password."
    person.fill(current_password=person.password, password=NEW_PASSWORD).press("Save new password")
    assert person.notice == "Your password is changed."
    person.press("Security").press("Recent activity")
    assert "password" in person.one(".rows li").text
    assert len(person.all(".rows li")) >= 4
    assert "changed" in mail_with(person, "disown", after=1).subject


def test_this_was_not_me(person):
    person.become_member().press("Security").press("Change password")
    person.fill(current_password=person.password, password=NEW_PASSWORD).press("Save new password")
    open_link(person, "disown", after=1).press(person.one("main form button").text)
    assert person.open("/dashboard").here.startswith("/auth/login"), "everybody is signed out"
    person.sign_in(password=NEW_PASSWORD)
    assert person.one("#summary-title").text == "Invalid email or password"


def test_export(person):
    person.become_member()
    text = person.script("return fetch('/dashboard/export').then(r => r.text())")
    told = json.loads(text)
    assert told["account"]["email"] == person.email and told["events"]
    assert person.password not in text and "argon2" not in text


def test_stale_export_asks_for_the_password(person):
    person.become_member()
    person.site.db("UPDATE session SET auth_time = 1 WHERE account_id = (SELECT id FROM account WHERE email = ?)", person.email)
    person.open("/dashboard/export")
    assert person.here.startswith("/auth/reauth?next=")
    person.fill(password="not the right one").press(person.one("main form button.primary").text)
    assert person.error("password") == "This is not your password."


def test_close_and_restore(person):
    person.become_member().press("Security").press("Close my account")
    person.fill(current_password=person.password).press("Close my account")
    assert person.notice == "Your account is closed. The email we sent you says how long you can bring it back."
    person.sign_in()
    assert person.one("#summary-title").text == "Invalid email or password"
    open_link(person, "restore")
    person.fill(password=person.password).press("Restore my account")
    assert person.notice == "Your account is restored. You can log in now."
    person.sign_in()
    assert person.here == "/dashboard"


def test_the_code_of_the_mail(person, new_browser):
    """For the person who reads mail on another device."""
    person.register()
    code = person.mail().code
    person.open("/auth/check-email").fill(code=f"{code[:4]} {code[4:]}").press(person.one("input#f-code ~ button, form:has(#f-code) button").text)
    assert person.notice == "Your email address is verified. You can log in now."


def test_a_form_of_an_ended_session_comes_back(person):
    person.become_member().press("Profile")
    person.site.db("UPDATE session SET ended = 1 WHERE account_id = (SELECT id FROM account WHERE email = ?)", person.email)
    person.fill(display_name="Typed before").press("Save")
    assert person.here.startswith("/auth/login?next=")
    person.sign_in()
    assert person.here == "/dashboard/profile"
    assert person.field("display_name").get_attribute("value") == "Typed before"
    assert "not saved yet" in person.text
    assert person.site.db("SELECT display_name FROM account WHERE email = ?", person.email)[0][0] == ""


def test_a_password_is_judged_while_it_is_typed(person):
    person.open("/auth/register")
    person.fill(password="12345678")
    wait_for(lambda: "easy to guess" in person.text, what="the hint")
    person.fill(password=NEW_PASSWORD)
    wait_for(lambda: "easy to guess" not in person.text, what="a better hint")


def test_every_mail_reads_well(person, camera):
    """Each mail that the walk caused has a subject of at most 60 characters, one page, and no tag of a template left."""
    person.become_member()
    for mail in person.site.mails():
        assert 0 < len(mail.subject) <= 60, mail.subject
        assert "{{" not in mail.text + mail.html
        assert max(len(line) for line in mail.text.splitlines() if "http" not in line) <= 78
    assert Path(person.site.folder, "mail").is_dir()
