"""conftest.py: headless Chromium for the browser tests, a camera, and the site they walk through.

site         the very site of `make run`, with a gated folder and a stricter verification link
browser      a Chromium without anything of an earlier test     new_browser  one more process of it
person       somebody at `browser` (browsing.py)                camera       keeps pictures of `browser`
A page that breaks its content security policy, has an error in its script, or asks another server
for anything fails its test.
"""
import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "http"))

from browsing import Person  # noqa: E402
from chromium import Camera, be_a_new_client, forget_logs, page_errors, start_chromium, strangers  # noqa: E402
from fixtures import register  # noqa: E402
from server import TOP, Server, base_folder  # noqa: E402

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


@pytest.fixture
def camera(browser):
    folder = Path(os.environ.get("RUN") or base_folder()).resolve() / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return Camera(browser, folder)
