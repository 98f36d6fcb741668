"""chromium.py: a headless Chromium, what its pages did wrong, and a camera. Used by conftest.py."""
import base64
import json
import re
import tempfile
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from client import new_address

# traps.md 39, and no use of a /dev/shm that is tiny in containers
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --disable-dev-shm-usage --force-color-profile=srgb
    --hide-scrollbars --lang=en --window-size=1280,900""".split()


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
