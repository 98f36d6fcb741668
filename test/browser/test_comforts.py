"""What the script adds where a password is chosen and a code is typed; all of it works without."""
from server import wait_for


def wait_hint(person, words):
    wait_for(lambda: words in person.one(".field p[aria-live=polite]").text, what=f"the hint {words!r}")


def test_a_password_is_judged_while_it_is_typed(person):
    """By the server, with the person's own words; the last answer stands."""
    person.open("/auth/register").fill(password="password1")
    wait_hint(person, "too easy to guess")
    person.fill(password="purple-monkey-dishwasher-92")
    wait_hint(person, "Very good: this is very hard to guess.")
    person.fill(username="xavierxenophon", password="xavierxenophon7")
    wait_hint(person, "too easy to guess")
    assert person.focused.get_attribute("id") == "f-password"


def test_the_code_is_not_taken_away_while_it_is_typed(person):
    """The page after a registration shows itself anew when the mail has left, but not to who types."""
    person.register().fill(code="1234")
    code = person.mail().code
    person.come_back()
    assert person.field("code").get_attribute("value") == "1234"
    person.fill(code=f"{code[:4]} {code[4:]}").press("Confirm")
    assert person.here == "/auth/login?notice=verified"
    assert person.notice == "Your email address is verified. You can log in now."
