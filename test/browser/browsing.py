"""browsing.py: what a person does with the pages, in the words that stand on them.

A Person reads headlines, fills in fields by their labels' ids, and presses what is written on a
button. Every step that leads to another page waits until that page is there.
"""
import itertools
import os

from selenium.webdriver.common.by import By

from server import wait_for

GOOD_PASSWORD = "purple-monkey-dishwasher-92"
READING = """
    var all = ["main button, main a, main summary", "button, a"].map(s => Array.from(document.querySelectorAll(s))).flat()
    return all.find(e => e.checkVisibility() && e.innerText.trim() === arguments[0])
"""
_numbers = itertools.count(1)


class Person:
    """Somebody at a browser. Knows the username, the address and the password of register()."""

    def __init__(self, driver, site):
        self.driver = driver
        self.site = site
        self.username = f"person{os.getpid()}-{next(_numbers)}"
        self.email = f"{self.username}@example.com"
        self.password = GOOD_PASSWORD

    # ---- what is on the page ----

    @property
    def here(self):
        """Path and query in the address bar."""
        assert self.driver.current_url.startswith(self.site.base), self.driver.current_url
        return self.driver.current_url[len(self.site.base) :]

    @property
    def heading(self):
        return self.one("h1").text

    @property
    def text(self):
        return self.one("body").text

    @property
    def notice(self):
        """The notice of the last success, None without one."""
        found = self.all(".notice[role=status]")
        return found[0].text if found else None

    @property
    def focused(self):
        return self.driver.switch_to.active_element

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def field(self, name):
        return self.one(f"#f-{name}")

    def error(self, name):
        """The text beside a field, the first line of it."""
        return self.one(f"#e-{name}").text.partition("\n")[0]

    def script(self, text, *args):
        return self.driver.execute_script(text, *args)

    # ---- steps ----

    def open(self, path):
        self.driver.get(path if path.startswith("http") else self.site.base + path)
        return self

    def fill(self, **values):
        """Replaces what stands in the fields, as a paste does; test_access.py really types."""
        for name, value in values.items():
            self.script("var e = document.getElementById('f-' + arguments[0]); e.value = ''; e.focus()", name)
            self.driver.execute_cdp_cmd("Input.insertText", {"text": value})
        return self

    def press(self, words):
        """Presses the button, or follows the link, that reads so."""
        return self.follow(self.reading(words))

    def press_in_place(self, words):
        """The same for what changes this very page."""
        self.reading(words).click()
        return self

    def reading(self, words):
        """The button, link or summary that reads so; the page's own comes before the frame's."""
        found = self.script(READING, words)
        assert found, f"nothing to press reads {words!r} on:\n{self.text}"
        return found

    def follow(self, element):
        return self.leave(element.click)

    def leave(self, step):
        """Does what leads to another page, and waits until that is there."""
        self.script("document.documentElement.dataset.left = 1")
        step()
        there = "return document.readyState === 'complete' && !document.documentElement.dataset.left"
        wait_for(lambda: self.script(there), what="the next page")
        return self

    def wait_heading(self, words):
        wait_for(lambda: self.script("var h = document.querySelector('h1'); return h && h.textContent") == words,
                 what=f"the headline {words!r}")
        return self

    def come_back(self):
        """Back at this tab from another one: the page asks its server at once, and has its answer."""
        asked = "return performance.getEntriesByType('resource').filter(e => e.initiatorType === 'fetch').length"
        before = self.script(asked)
        self.script("document.dispatchEvent(new Event('visibilitychange'))")
        wait_for(lambda: self.script(asked) != before, what="the page to ask")
        return self

    # ---- ways ----

    def register(self, **others):
        self.open("/auth/register")
        return self.fill(username=self.username, email=self.email, password=self.password, **others).press("Register")

    def mail(self, n=1, to=None):
        return self.site.wait_mail(to or self.email, n)

    def confirm(self):
        """Opens the link of the newest mail, in the browser that registered."""
        self.mail()
        return self.open(self.site.mails(self.email)[-1].link("verify"))

    def sign_in(self, login=None, password=None):
        if not self.here.startswith("/auth/login"):
            self.open("/auth/login")
        return self.fill(login=login or self.email, password=password or self.password).press("Log in")

    def become_member(self, **others):
        """Everything from registration to the dashboard."""
        self.register(**others)
        self.confirm()
        return self.sign_in()
