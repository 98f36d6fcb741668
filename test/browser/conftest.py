"""conftest.py: headless Chromium for the browser tests, a camera, and the site they walk through.

site         the very site of `make run`, with a gated folder and a stricter verification link
browser      a Chromium without anything of an earlier test     new_browser  one more process of it
person       somebody at `browser` (browsing.py)                   camera       keeps pictures of `browser`
A page that breaks its content security policy, has an error in its script, or asks another server
for anything fails its test.
"""
import base64
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

from browsing import Person  # noqa: E402
from client import new_address  # noqa: E402
from fixtures import register  # noqa: E402
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
    """Gives a browser a client address, and so rate limits, of its own."""
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"X-Test-Address": new_address()}})


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
    Camera(chromium, None).reset()
    yield chromium
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

    def shoot_all(self, name):
        """The whole page, wide and narrow, light and dark; returns the paths."""
        stem = re.sub("[^a-z0-9]+", "-", name.lower())
        paths = []
        for width in self.widths:
            self.width(width)
            height = self.driver.execute_script("return document.documentElement.scrollHeight")
            self.width(width, max(height, 700))
            for dark in (False, True):
                self.dark(dark)
                paths.append(self.folder / f"{stem}-{width}-{'dark' if dark else 'light'}.png")
                self._save(paths[-1])
        self.reset()
        return paths

    def width(self, name, height=900):
        """Makes the window so wide, until reset()."""
        metrics = {"width": self.widths[name], "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._cdp("Emulation.setDeviceMetricsOverride", metrics)

    def dark(self, dark=True):
        """Makes the person's taste dark or light; without motion, or a colour would be caught on its way."""
        taste = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in taste.items()]
        self._cdp("Emulation.setEmulatedMedia", {"features": features})

    def reset(self):
        self._cdp("Emulation.clearDeviceMetricsOverride", {})
        self.dark(False)

    def _save(self, path):
        answer = self._cdp("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": True})
        path.write_bytes(base64.b64decode(answer["data"]))

    def _cdp(self, command, arguments):
        return self.driver.execute_cdp_cmd(command, arguments)


@pytest.fixture
def camera(browser):
    folder = Path(os.environ.get("RUN") or base_folder()).resolve() / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return Camera(browser, folder)
