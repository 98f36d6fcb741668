"""conftest.py: a headless Chromium for the browser tests, and a camera.

browser  a fresh Chromium, with nothing of an earlier test      camera  keeps pictures of its pages
follow   clicks a link or button and waits for the page it leads to
The servers come from the live tests' fixtures (test/http/fixtures.py). What a page breaks of its own
content security policy, and errors of its script, fail the test.
"""
import os
import re
import sys
import tempfile
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "http"))

from fixtures import register  # noqa: E402
from server import base_folder, wait_for  # noqa: E402

# traps.md 39, and no use of a /dev/shm that is tiny in containers
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --disable-dev-shm-usage --force-color-profile=srgb
    --hide-scrollbars --lang=en --window-size=1280,900""".split()


def pytest_configure(config):
    register(config)


def page_errors(driver):
    """What the pages did wrong; an answer with an error status is no such thing."""
    lines = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    return [line for line in lines if "Failed to load resource" not in line or "net::ERR" in line]


@pytest.fixture
def new_browser(run_folder):
    """new_browser(): one more Chromium with an empty profile, ended with the test."""
    drivers = []

    def make():
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        profile = tempfile.mkdtemp(prefix="chromium-", dir=run_folder)
        for flag in [*FLAGS, f"--user-data-dir={profile}"]:
            options.add_argument(flag)
        options.accept_insecure_certs = True
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        drivers.append(driver)
        driver.set_page_load_timeout(60)
        return driver

    errors = []
    try:
        yield make
        errors = [line for driver in drivers for line in page_errors(driver)]
    finally:
        for driver in drivers:
            driver.quit()
    assert not errors, errors


@pytest.fixture
def browser(new_browser):
    return new_browser()


@pytest.fixture
def follow():
    """follow(driver, element): clicks what leads to another page, and waits until that is there."""

    def click(driver, element):
        driver.execute_script("document.documentElement.dataset.left = 1")
        element.click()
        there = "return document.readyState === 'complete' && !document.documentElement.dataset.left"
        wait_for(lambda: driver.execute_script(there), what="the next page")

    return click


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
        """Makes the window so wide and the person's taste so dark, until reset()."""
        self._cdp("Emulation.setDeviceMetricsOverride", self._metrics(width, 900))
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._cdp("Emulation.setEmulatedMedia", {"features": [scheme]})

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
