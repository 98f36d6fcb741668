"""conftest.py: headless Chromium for the browser tests, a camera, and the site they walk through.

site         the very site of `make run`, with a gated folder and a stricter verification link
browser      a Chromium without anything of an earlier test     new_browser  one more process of it
person       somebody at `browser` (pages.py)                   camera       keeps pictures of `browser`
A page that breaks its content security policy, has an error in its script, or asks another server
for anything fails its test.
"""
import itertools
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "http"))

from fixtures import register  # noqa: E402
from pages import Person  # noqa: E402
from server import TOP, Server, base_folder  # noqa: E402

# traps.md 39, and no use of a /dev/shm that is tiny in containers
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --disable-dev-shm-usage --force-color-profile=srgb
    --hide-scrollbars --lang=en --window-size=1280,900""".split()
SITE = f"""
Include "{TOP}/test/run/site.conf"
UserAuthVerifyOnGet browser
<Location "/club">
    AuthType UserAuth
    Require valid-user
</Location>
"""
CLUB = "<!doctype html><html lang=en><title>Club</title><h1>Members only</h1><p>The page that was asked for."
_numbers = itertools.count(1)


def pytest_configure(config):
    register(config)


@pytest.fixture(scope="session")
def session_site(run_folder):
    tls = os.environ.get("TLS", "0") not in ("", "0", "no", "off")
    server = Server(run_folder, conf=SITE, site=False, tls=tls)
    shutil.copytree(TOP / "test" / "run" / "htdocs", server.folder / "htdocs", dirs_exist_ok=True)
    (server.folder / "htdocs" / "club").mkdir()
    (server.folder / "htdocs" / "club" / "rules.html").write_text(CLUB)
    try:
        yield server.start()
    finally:
        server.stop()
    assert not server.unexpected_log(), "the site's log at its end"


@pytest.fixture
def site(session_site, log_gate):
    log_gate.watch(session_site)
    return session_site


def start_chromium(folder, *flags):
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    profile = tempfile.mkdtemp(prefix="chromium-", dir=folder)
    for flag in [*FLAGS, *flags, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.accept_insecure_certs = True
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    driver.set_page_load_timeout(60)
    driver.get("about:blank")
    forget_logs(driver)
    return driver


def forget_logs(driver):
    for kind in ("browser", "performance"):
        driver.get_log(kind)


def page_errors(driver):
    """What the pages did wrong since the last call; an answer with an error status is no such thing."""
    lines = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    return [line for line in lines if "Failed to load resource" not in line or "net::ERR" in line]


def strangers(driver):
    """What the pages asked of any machine but this one since the last call."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    local = ("localhost", "127.0.0.1", "::1")
    return [url for url in urls if urlsplit(url).scheme not in ("data", "about") and urlsplit(url).hostname not in local]


def be_a_new_client(driver):
    """Gives a browser an address of its own (mod_remoteip), outside loopback and with its own rate limits."""
    n = next(_numbers)
    driver.execute_cdp_cmd("Network.enable", {})
    address = f"198.51.{100 + n // 250}.{1 + n % 250}"
    driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"X-Test-Address": address}})


@pytest.fixture(scope="session")
def chromium(run_folder):
    driver = start_chromium(run_folder)
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def browser(chromium):
    """The session's Chromium, emptied; what the pages did wrong meanwhile fails the test."""
    chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
    chromium.execute_cdp_cmd("Network.clearBrowserCache", {})
    be_a_new_client(chromium)
    forget_logs(chromium)
    yield chromium
    Camera(chromium, None).reset()
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    wrong = page_errors(chromium) + strangers(chromium)
    chromium.get("about:blank")
    assert not wrong, wrong


@pytest.fixture
def new_browser(run_folder):
    """new_browser(*flags): one more Chromium with an empty profile, ended with the test."""
    drivers = []

    def make(*flags):
        driver = start_chromium(run_folder, *flags)
        drivers.append(driver)
        be_a_new_client(driver)
        return driver

    wrong = []
    try:
        yield make
        wrong = [line for driver in drivers for line in page_errors(driver) + strangers(driver)]
    finally:
        for driver in drivers:
            driver.quit()
    assert not wrong, wrong


@pytest.fixture
def person(browser, site):
    return Person(browser, site)


class Camera:
    """Takes pictures of the page a driver shows, into <run folder>/screenshots."""

    widths = {"wide": 1280, "narrow": 320}

    def __init__(self, driver, folder):
        self.driver = driver
        self.folder = folder

    def shoot(self, name, width="wide", dark=False):
        """One picture of the whole page; returns its path."""
        self.set(width, dark)
        height = self.driver.execute_script("return document.documentElement.scrollHeight")
        self._cdp("Emulation.setDeviceMetricsOverride", self._metrics(width, max(height, 700)))
        path = self.folder / f"{re.sub('[^a-z0-9]+', '-', name.lower())}-{width}-{'dark' if dark else 'light'}.png"
        assert self.driver.save_screenshot(str(path))
        self.reset()
        return path

    def shoot_all(self, name):
        """Wide and narrow, light and dark."""
        return [self.shoot(name, width, dark) for width in self.widths for dark in (False, True)]

    def set(self, width="wide", dark=False):
        """Makes the window so wide and the person's taste so dark and still, until reset()."""
        self._cdp("Emulation.setDeviceMetricsOverride", self._metrics(width, 900))
        taste = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in taste.items()]
        self._cdp("Emulation.setEmulatedMedia", {"features": features})

    def reset(self):
        self._cdp("Emulation.clearDeviceMetricsOverride", {})
        self._cdp("Emulation.setEmulatedMedia", {"features": []})

    def _metrics(self, width, height):
        return {"width": self.widths[width], "height": height, "deviceScaleFactor": 1, "mobile": False}

    def _cdp(self, command, arguments):
        self.driver.execute_cdp_cmd(command, arguments)


@pytest.fixture
def camera(browser):
    folder = Path(os.environ.get("RUN") or base_folder()).resolve() / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return Camera(browser, folder)
