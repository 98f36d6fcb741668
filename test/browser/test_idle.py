"""A session that is about to end: the page says so in time, keeps it when asked to, and loses nothing that was typed.

The page's clock runs 10 000 times as fast; how long a session was not used is written into the database."""
import pytest
from server import wait_for

HURRY = "const slow = window.setTimeout; window.setTimeout = (f, ms, ...more) => slow(f, ms / 10000, ...more)"
WARNING = "You will be signed out in 2 minutes."
OWN = "account_id = (SELECT id FROM account WHERE email = ?)"
LATE = "ended = 0 AND last_used < (strftime('%s', 'now') - 60) * 1000000 AND " + OWN


@pytest.fixture
def member(person, browser):
    person.become_member()
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HURRY})["identifier"]
    yield person
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script})


def leave_alone(person, seconds):
    person.site.db(f"UPDATE session SET last_used = last_used - ? WHERE {OWN}", seconds * 1000000, person.email)


def end(person):
    person.site.db(f"UPDATE session SET ended = 1 WHERE {OWN}", person.email)


def warns(person):
    return person.one(".idle").is_displayed()


def test_in_time(member):
    """One press keeps the session; then the page is quiet again."""
    member.open("/dashboard/profile")
    assert not warns(member)
    leave_alone(member, 3500)
    wait_for(lambda: warns(member), what="the warning")
    assert WARNING in member.text and member.one(".idle").get_attribute("role") == "alert"
    member.press_in_place("Stay signed in")
    wait_for(lambda: not member.site.db(f"SELECT 1 FROM session WHERE {LATE}", member.email), what="the use to be written")
    wait_for(lambda: not warns(member), what="the warning to go")
    assert member.here == "/dashboard/profile"


def test_not_while_another_page_is_used(member):
    """The page asks before it warns; asking is no use."""
    member.open("/dashboard/profile")
    asked = "return performance.getEntriesByName(location.origin + '/auth/me').length"
    wait_for(lambda: member.script(asked) > 2, what="the page to ask")
    assert not warns(member)


def test_after_the_end(member):
    """The same page again after the sign-in."""
    member.open("/dashboard/profile?a=b")
    end(member)
    member.wait_heading("Log in")
    assert member.here == "/auth/login?next=%2Fdashboard%2Fprofile%3Fa%3Db"
    member.sign_in()
    assert member.here == "/dashboard/profile?a=b"


def test_what_was_typed_comes_back(member):
    member.open("/dashboard/profile").fill(display_name="Änne <b>&\"Söhne")
    end(member)
    wait_for(lambda: warns(member), what="the page to say that the session is over")
    assert "You are signed out. Send what you typed" in member.text and WARNING not in member.text
    member.press("Save")
    assert member.here == "/auth/login?next=%2Fdashboard%2Fprofile"
    member.sign_in()
    assert member.here == "/dashboard/profile" and member.heading == "Profile"
    assert member.notice == "Your changes are not saved yet. Check them and send them again."
    assert member.field("display_name").get_property("value") == "Änne <b>&\"Söhne"
    member.press("Save")
    assert member.notice == "Your profile is saved."


def test_nothing_without_script(member, browser):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(member.site.base + "/dashboard/profile")
    assert not warns(member)
