"""Everybody can use the pages: by keyboard, without script, on a small window, with weak eyes, in the dark.

audit.js holds what a page owes; here it is asked of each page, and the things are done that a
single look at a page cannot tell.
"""
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from chromium import forget_logs, page_errors, strangers
from server import wait_for

AUDIT = (Path(__file__).parent / "audit.js").read_text()
TEXT = 4.5
LATER = "strftime('%s', 'now') * 1000000 + 3600000000"

FIELDS = {
    "/auth/register": {
        "username": {"type": "text", "autocomplete": "username", "inputmode": None, "autocapitalize": "none", "spellcheck": "false"},
        "email": {"type": "email", "autocomplete": "email", "inputmode": "email", "autocapitalize": "none", "spellcheck": "false"},
        "password": {"type": "password", "autocomplete": "new-password"},
        "display_name": {"type": "text", "autocomplete": "name", "autocapitalize": "words", "required": None},
    },
    "/auth/login": {
        "login": {"type": "text", "autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
        "password": {"type": "password", "autocomplete": "current-password"},
        "remember": {"type": "checkbox", "checked": None},
    },
    "/auth/resend": {"email": {"type": "email", "autocomplete": "email", "inputmode": "email"}},
}


def audit(person, camera):
    """The faults of the page that is shown, wide and narrow, light and dark."""
    faults = []
    for width in camera.widths:
        camera.width(width)
        for dark in (False, True):
            camera.dark(dark)
            kind = f"{width} {'dark' if dark else 'light'} {person.here}"
            faults += [f"{kind}: {fault}" for fault in person.script(AUDIT, TEXT)]
    camera.reset()
    return faults


def key(person, *keys):
    """Types on the keyboard, wherever the focus is; returns what has the focus then."""
    ActionChains(person.driver, duration=0).send_keys(*keys).perform()
    return person.focused


def tab_to(person, element, faults):
    """Goes on with the tab key until the element is reached; every stop has to be seen."""
    for _ in range(30):
        stop = key(person, Keys.TAB)
        faults += person.script(AUDIT, TEXT)
        if stop == element:
            return stop
    raise AssertionError(f"the tab key does not lead to {element.get_attribute('outerHTML')}")


def test_forms(person, camera):
    faults = []
    for path, button in (("/auth/register", "Register"), ("/auth/login", "Log in"), ("/auth/resend", "Send link")):
        faults += audit(person.open(path), camera)
        person.press(button)
        assert person.one("#summary")
        faults += audit(person, camera)
    assert not faults, "\n".join(faults)


def test_check_email_and_links(person, camera):
    faults = audit(person.open("/auth/check-email"), camera)
    person.register().mail()
    verify, disown = person.mail().link("verify"), person.mail().link("disown")
    person.site.db(f"UPDATE outbox SET state = 0, attempts = 3, due = {LATER} WHERE email = ?", person.email)
    person.site.db("DELETE FROM throttle")
    person.open("/auth/check-email").press_in_place("Is the address wrong?")
    faults += audit(person, camera)
    person.driver.delete_all_cookies()
    for path in (verify, disown, "/auth/verify?token=nonsense"):
        faults += audit(person.open(path), camera)
    person.open(verify).press("Confirm my email address")
    faults += audit(person, camera)
    assert person.notice
    assert not faults, "\n".join(faults)


def test_account_pages(person, camera):
    faults = audit(person.open("/auth/logout"), camera)
    faults += audit(person.open("/auth/nothing"), camera)
    person.become_member(display_name="W" * 64)
    faults += audit(person, camera)
    faults += audit(person.open("/auth/logout"), camera)
    assert not faults, "\n".join(faults)


def test_the_audit_bites(person):
    """A page with every fault it looks for."""
    person.open("/")
    person.script("""document.documentElement.lang = ""
        document.title = ""
        document.body.innerHTML = `<main><h1 id=a>A</h1><h1 id=a>B</h1><h3>C</h3><div class=entry>
            <input name=x maxlength=3 style="color: #999; background: #fff"></div><button></button>
            <form method=post aria-describedby=nothing></form><p style="color: #8a8a8a; background: #fff">grey</p>
            <p style="width: 9000px">wide</p></main>`""")
    faults = "\n".join(person.script(AUDIT, TEXT))
    for part in ("one h1", "no language", "no title", "one header", "stands twice", "skips a level", "one label", "maxlength",
                 "nothing says", "leads nowhere", "without its hidden field", "44 px", "wider than", "a text has", "what is typed"):
        assert part in faults, f"{part} was not found:\n{faults}"


@pytest.mark.parametrize("accent", ["#ffd400", "#000080", "#e6007e", "#767676", "#00ff00", "#ffffff", "#000000"])
def test_any_accent_keeps_its_contrast(person, camera, accent):
    """UserAuthAccent: whatever colour a site has, its buttons, links and rings can be read."""
    person.open("/auth/login")
    person.script("document.documentElement.style.setProperty('--accent', arguments[0])", accent)
    faults = audit(person, camera)
    assert not faults, "\n".join(faults)


def test_keyboard_only(person):
    """No mouse from registration to signing out; the focus is always seen, and goes where it belongs."""
    faults = []
    person.open("/auth/register")
    skip = key(person, Keys.TAB)
    assert skip.text == "Skip to the content"
    assert skip.location["y"] >= 0
    assert key(person, Keys.ENTER) == person.one("main")
    tab_to(person, person.field("username"), faults)
    key(person, person.username)
    tab_to(person, person.field("email"), faults)
    key(person, person.email)
    tab_to(person, person.field("password"), faults)
    key(person, "12345678")
    person.leave(lambda: key(person, Keys.ENTER))
    assert person.focused == person.one("#summary")
    tab_to(person, person.one("#summary li a"), faults)
    assert key(person, Keys.ENTER) == person.field("password")
    key(person, person.password)
    tab_to(person, person.one("main form button.primary"), faults)
    person.leave(lambda: key(person, Keys.SPACE))
    assert person.heading == "Check your email"
    tab_to(person, person.one("summary"), faults)
    key(person, Keys.SPACE)
    assert person.field("email").is_displayed()

    person.confirm()
    tab_to(person, person.field("login"), faults)
    key(person, person.username)
    tab_to(person, person.field("password"), faults)
    key(person, person.password)
    tab_to(person, person.field("remember"), faults)
    key(person, Keys.SPACE)
    assert person.field("remember").is_selected()
    person.leave(lambda: key(person, Keys.ENTER))
    assert person.here == "/dashboard"
    tab_to(person, person.one("header button"), faults)
    person.leave(lambda: key(person, Keys.ENTER))
    assert person.notice == "You are logged out."
    assert not faults, "\n".join(faults)


def test_show_password(person):
    person.open("/auth/login").fill(password="a secret")
    entry, button = person.field("password"), person.one("button.reveal")
    assert (button.text, button.get_attribute("aria-label")) == ("Show", "Show password")
    button.click()
    assert entry.get_attribute("type") == "text"
    assert (button.text, button.get_attribute("aria-label")) == ("Hide", "Hide password")
    assert entry.get_attribute("value") == "a secret"
    button.click()
    assert entry.get_attribute("type") == "password"
    assert (button.text, button.get_attribute("aria-label")) == ("Show", "Show password")
    assert person.here == "/auth/login", "it sends nothing"


@pytest.mark.parametrize("path", FIELDS)
def test_fields_help_browsers_and_keyboards(person, path):
    person.open(path)
    names = [entry.get_attribute("name") for entry in person.all("main form input:not([type=hidden])")]
    assert names == list(FIELDS[path])
    for name, wanted in FIELDS[path].items():
        found = {kind: person.field(name).get_dom_attribute(kind) for kind in wanted}
        assert found == wanted, name
        paste = "return arguments[0].dispatchEvent(new ClipboardEvent('paste', {bubbles: true, cancelable: true}))"
        assert person.script(paste, person.field(name)), f"{name} takes a paste"


def without_script(person):
    person.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    return person


def test_everything_without_script(person):
    without_script(person).open("/auth/register")
    assert not person.all("button.reveal:not([hidden])")
    person.fill(username=person.username, email="me@", password=person.password).press("Register")
    assert person.focused == person.one("#summary"), "autofocus needs no script"
    person.fill(email=person.email, password=person.password).press("Register")
    assert person.heading == "Check your email"
    person.confirm()
    assert person.notice == "Your email address is verified. You can log in now."
    person.open("/club/rules.html").sign_in()
    assert person.heading == "Members only"
    person.open("/dashboard").press("Sign out")
    assert person.notice == "You are logged out."
    person.open("/mail/")
    assert person.all("a[href$='.html']") and person.all("a[href$='.eml']")
    person.email, person.username = f"x{person.email}", f"x{person.username}"
    person.register()
    link = person.mail().link("disown")
    assert person.open(link).press("Remove this registration").heading == "The registration is removed"


def test_correction_without_script(person):
    """The page reloads itself while the mail is on its way, and stops that for who corrects the address."""
    without_script(person).register().mail()
    person.site.db(f"UPDATE outbox SET state = 0, attempts = 0, due = {LATER} WHERE email = ?", person.email)
    person.open("/auth/check-email")
    person.leave(lambda: None)
    assert person.here == "/auth/check-email", "it reloaded by itself"
    person.press("stop that")
    assert not person.all("meta[http-equiv=refresh]")
    right = f"right.{person.email}"
    assert person.fill(email=right).press("Correct the address").heading == "Check your email"
    assert right in person.text
    assert person.open(person.mail(to=right).link("verify")).here == "/auth/login?notice=verified"


def test_no_script_page_asks_for_anything_foreign(person):
    """What watches over all these tests notices a broken policy and a request to another machine."""
    person.open("/auth/login")
    assert not page_errors(person.driver) and not strangers(person.driver)
    person.script("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")
    wait_for(lambda: page_errors(person.driver), what="the complaint about an inline style")
    person.open("/")
    person.script("fetch('http://127.0.0.2:9/').catch(() => {})")
    wait_for(lambda: strangers(person.driver), what="the request to another machine")
    forget_logs(person.driver)
