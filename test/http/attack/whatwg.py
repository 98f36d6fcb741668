"""whatwg.py: where a browser goes from a page of ours for a given Location, by the WHATWG URL standard.

goes_to(base, location) is the origin (scheme, host, port), or the scheme alone of an address that has
none (javascript:, data:). By hand, from the state machine of url.spec.whatwg.org (basic URL parser, with
a base): what is removed, what counts as a slash, which host is meant. Python's urllib follows RFC 3986
and finds no host where a browser does.
"""
import re
import unicodedata
from urllib.parse import unquote_to_bytes

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


def _split(base):
    scheme, _, rest = base.partition("://")
    host, _, port = rest.partition(":")
    return scheme, host, int(port) if port else DEFAULT_PORTS[scheme]


def _host(text):
    """Percent-decoding, IDNA mapping (as far as it can make an ASCII host of another), lower case."""
    text = unquote_to_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")
    text = "".join(" " if unicodedata.category(c) == "Cc" else c for c in text if unicodedata.category(c) != "Cf")
    text = unicodedata.normalize("NFKC", text).lower()
    return re.sub("[\u3002\uff0e\uff61]", ".", text)


def _authority(scheme, text):
    """The origin of what stands behind the slashes of a special scheme."""
    text = text.lstrip("/\\")
    authority = re.split(r"[/\\?#]", text, maxsplit=1)[0].rpartition("@")[2]
    host, colon, port = authority.rpartition(":")
    if not colon or "]" in port:
        host, port = authority, ""
    return scheme, _host(host), int(port) if port.isdigit() else port or DEFAULT_PORTS[scheme]


def goes_to(base, location):
    own = _split(base)
    text = re.sub(r"^[\x00-\x20]+|[\x00-\x20]+$", "", location)
    text = re.sub(r"[\t\n\r]", "", text)
    scheme = SCHEME.match(text)
    if scheme:
        name, rest = scheme[1].lower(), text[scheme.end() :]
        if name not in DEFAULT_PORTS:
            return name
        if name == own[0] and not rest.startswith("//"):
            return _relative(own, rest)
        return _authority(name, rest)
    return _relative(own, text)


def _relative(own, text):
    if len(text) >= 2 and text[0] in "/\\" and text[1] in "/\\":
        return _authority(own[0], text)
    return own
