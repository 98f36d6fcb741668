"""client.py: a person's browser or a program, as the tests play them.

A Client keeps cookies, never follows a redirect by itself, and comes from an address of its own
within 127.0.0.0/8, so that clients do not share rate limits.
"""
import html.parser
import itertools
import os

import requests
import requests.adapters
import urllib3

import http2

_numbers = itertools.count(os.getpid() * 64)


def new_address():
    """A loopback address that no other client has."""
    n = next(_numbers)
    return f"127.{1 + (n >> 16) % 254}.{(n >> 8) % 256}.{n % 256}"


class _FromAddress(requests.adapters.HTTPAdapter):
    """Connects from a given local address."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, source_address=(self.address, 0), **kwargs)


class Client:
    """`address`: where the server sees it come from (X-Test-Address; None sends no such header).
    `source`: the local address it really connects from. `browser`: sends Sec-Fetch-* and Origin.
    """

    def __init__(self, server, address="", source=None, browser=False, base=None):
        self.server = server
        self.base = base or server.base
        self.browser = browser
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["User-Agent"] = "Mozilla/5.0 (test)"
        self.session.headers["Accept"] = "text/html,application/xhtml+xml,*/*;q=0.8" if browser else "*/*"
        if server.tls:
            self.session.verify = str(server.certificate)
        adapter = self._adapter(source)
        if adapter:
            self.session.mount("http://", adapter)
            self.session.mount("https://", adapter)
        self.address = new_address() if address == "" else address
        if self.address:
            self.session.headers["X-Test-Address"] = self.address

    def _adapter(self, source):
        if http2.USED:
            return http2.Http2(source)
        return _FromAddress(source) if source else None

    @property
    def cookies(self):
        return {cookie.name: cookie.value for cookie in self.session.cookies}

    def url(self, path):
        return path if path.startswith("http") else self.base + path

    def request(self, method, path, **kwargs):
        """One request. `headers` add to the client's own; a value of None takes one away."""
        headers = self._browser_headers(method) if self.browser else {}
        headers.update(kwargs.pop("headers", None) or {})
        kwargs.setdefault("allow_redirects", False)
        kwargs.setdefault("timeout", 60)
        try:
            return self.session.request(method, self.url(path), headers=headers, **kwargs)
        except requests.ConnectionError as failure:
            # The server may end a kept connection while it is used: what is safe is sent again (RFC 9112, 9.3.1).
            if method not in ("GET", "HEAD") or not isinstance(failure.args[0], urllib3.exceptions.ProtocolError):
                raise
            return self.session.request(method, self.url(path), headers=headers, **kwargs)

    def get(self, path, **kwargs):
        return self.request("GET", path, **kwargs)

    def post(self, path, data=None, **kwargs):
        """A form, sent as it is: without the page's hidden field."""
        return self.request("POST", path, data=data, **kwargs)

    def form(self, path, fields, action=None, **kwargs):
        """What a person does: opens the page, fills in its form, sends it with its hidden fields."""
        page = self.get(path, **kwargs)
        assert page.status_code == 200, f"GET {path}: {page.status_code}\n{page.text}"
        found = the_form(page.text, action)
        return self.post(found["action"] or path, {**found["hidden"], **fields}, **kwargs)

    def json(self, method, path, body=None, **kwargs):
        """A program's request: asks for JSON and, with a body, sends it."""
        headers = {"Accept": "application/json", **(kwargs.pop("headers", None) or {})}
        return self.request(method, path, json=body, headers=headers, **kwargs)

    def follow(self, answer, **kwargs):
        """The page a redirect leads to."""
        assert answer.is_redirect, f"{answer.status_code} is no redirect"
        return self.get(answer.headers["Location"], **kwargs)

    def _browser_headers(self, method):
        site = "none" if method in ("GET", "HEAD") else "same-origin"
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        if site == "same-origin":
            headers["Origin"] = self.base
        return headers


class _Forms(html.parser.HTMLParser):
    """Collects a page's forms with their fields."""

    def __init__(self):
        super().__init__()
        self.forms = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            method = (attributes.get("method") or "get").lower()
            self.forms.append({"action": attributes.get("action"), "method": method, "hidden": {}, "fields": {}})
        elif tag in ("input", "select", "textarea") and self.forms and attributes.get("name"):
            kind = "hidden" if attributes.get("type") == "hidden" else "fields"
            self.forms[-1][kind][attributes["name"]] = attributes.get("value") or ""


def forms(text):
    """All forms of a page: action, method, hidden and visible fields with their values."""
    parser = _Forms()
    parser.feed(text)
    return parser.forms


def the_form(text, action=None):
    """The page's first form that posts, or the one whose action ends in `action`."""
    found = [f for f in forms(text) if f["method"] == "post" and (action is None or (f["action"] or "").endswith(action))]
    assert found, f"no form that posts{' to ' + action if action else ''} in:\n{text}"
    return found[0]
