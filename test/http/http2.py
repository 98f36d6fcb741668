"""http2.py: HTTP/2 under the same tests: an adapter of requests that speaks it (RFC 9113), by prior knowledge without TLS.

Used by client.py when UA_HTTP is 2; the server then offers it (server.py). As over HTTP/1.1, each connection
carries one request at a time and is kept for the next one. A request is sent again only when the server said
that it has not looked at it: a submit that may have been heard is never repeated.
"""
import http.client
import io
import os
import socket
import ssl
import threading
import types
from urllib.parse import urlsplit

import requests.adapters
from urllib3._collections import HTTPHeaderDict

USED = os.environ.get("UA_HTTP") == "2"
NAME = "HTTP/2.0" if USED else "HTTP/1.1"  # as the access log writes it
LINES = "LoadModule http2_module /usr/lib/apache2/modules/mod_http2.so\nProtocols h2 h2c http/1.1\n"
SERVER = LINES if USED else ""
# RFC 9113, 8.2.2: these have no meaning there.
CONNECTION = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host"}
GOAWAY, REFUSED_STREAM = 7, 7


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


def first_headers(method, url, path, host=None):
    """What stands in the place of HTTP/1.1's request line and Host."""
    return [(b":method", as_bytes(method)), (b":scheme", as_bytes(url.scheme)), (b":authority", as_bytes(host or url.netloc)), (b":path", as_bytes(path))]


class NotLookedAt(Exception):
    """The server has done nothing about the request and does not take it on this connection."""


class Link:
    """One connection. h2 ends it at the first GOAWAY, while RFC 9113, 6.8, has the server still answer what it
    took before: so these frames are taken out and judged here."""

    def __init__(self, url, source, verify, seconds):
        import h2.config  # wanted for UA_HTTP=2 only
        import h2.connection

        secure = url.scheme == "https"
        self.socket = socket.create_connection((url.hostname, url.port or (443 if secure else 80)), seconds, source and (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if secure:
            context = ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket, server_hostname=url.hostname)
            assert self.socket.selected_alpn_protocol() == "h2", "the server does not offer HTTP/2"
        self.last = None  # the last stream that the server answers, once it said so
        self.rest = b""
        quirks = {"validate_outbound_headers": False, "normalize_outbound_headers": False}  # the server shall judge
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None, **quirks))
        self.h2.initiate_connection()
        self.flush()

    def is_open(self):
        """Whether it can take a request: reads what came since the last one."""
        try:
            self.socket.settimeout(0)
            while self.last is None:
                self.events()
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except OSError:
            return False
        return self.last is None

    def ask(self, headers, body, seconds):
        """The answer's headers, as pairs of bytes, and its body."""
        self.socket.settimeout(seconds)
        stream, found, data = self.h2.get_next_available_stream_id(), None, b""
        self.h2.send_headers(stream, headers, end_stream=not body)
        self.flush()
        while True:
            body = self._send(stream, body)
            for event in self.events():
                kind = type(event).__name__
                if getattr(event, "stream_id", None) != stream:
                    continue
                if kind == "ResponseReceived":
                    found = event.headers
                elif kind == "DataReceived":
                    data += event.data
                elif kind == "StreamEnded":
                    self.last = stream if body else self.last  # answered before it was all sent: no more on this one
                    return found, data
                elif kind == "StreamReset":
                    raise NotLookedAt if event.error_code == REFUSED_STREAM else ConnectionResetError(f"the server reset the stream: {event.error_code}")
            if self.last is not None and self.last < stream:
                raise NotLookedAt

    def close(self):
        self.socket.close()

    def _send(self, stream, body):
        """Sends what the server takes now; the rest."""
        while body and (room := min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)) > 0:
            self.h2.send_data(stream, body[:room], end_stream=len(body) <= room)
            body = body[room:]
        self.flush()
        return body

    def events(self):
        """What came; waits for it."""
        came = self.socket.recv(65536)
        if not came:
            raise ConnectionResetError("the server closed the connection")
        events = self.h2.receive_data(self._without_goaway(came))
        for event in events:
            if type(event).__name__ == "DataReceived":
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        self.flush()
        return events

    def _without_goaway(self, came):
        self.rest, frames = self.rest + came, b""
        while len(self.rest) >= 9 and len(self.rest) >= (end := 9 + int.from_bytes(self.rest[:3], "big")):
            frame, self.rest = self.rest[:end], self.rest[end:]
            if frame[3] == GOAWAY:
                self.last = int.from_bytes(frame[9:13], "big")
            else:
                frames += frame
        return frames

    def flush(self):
        try:
            self.socket.sendall(self.h2.data_to_send())
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server may have answered before; reading tells


class Http2(requests.adapters.BaseAdapter):
    def __init__(self, source=None):
        super().__init__()
        self.source = source
        self.lock = threading.Lock()
        self.idle = {}

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        url = urlsplit(request.url)
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b"".join(body)
        try:
            headers, data = self._ask(url, self._headers(request, url), body, timeout, verify)
        except TimeoutError as error:
            raise requests.ReadTimeout(error, request=request) from error
        except OSError as error:
            raise requests.ConnectionError(error, request=request) from error
        return self._answer(request, headers, data)

    def close(self):
        with self.lock:
            links, self.idle = sum(self.idle.values(), []), {}
        for link in links:
            link.close()

    def _ask(self, url, headers, body, seconds, verify):
        place = url.scheme, url.netloc
        for _ in range(5):
            link = self._kept(place) or Link(url, self.source, verify, seconds)
            try:
                answer = link.ask(headers, body, seconds)
            except NotLookedAt:
                link.close()
                continue
            except BaseException:
                link.close()
                raise
            with self.lock:
                self.idle.setdefault(place, []).append(link)
            return answer
        raise ConnectionRefusedError("the server refused the request on five connections")

    def _kept(self, place):
        """A connection of before that is still open."""
        while True:
            with self.lock:
                links = self.idle.get(place)
                link = links.pop() if links else None
            if link is None or link.is_open():
                return link
            link.close()

    @staticmethod
    def _headers(request, url):
        found = first_headers(request.method, url, request.path_url, request.headers.get("Host"))
        rest = [(as_bytes(name).lower(), as_bytes(value)) for name, value in request.headers.items()]
        return found + [(name, value) for name, value in rest if name.decode("latin-1") not in CONNECTION]

    def _answer(self, request, headers, data):
        status, message, several = 0, http.client.HTTPMessage(), HTTPHeaderDict()
        for name, value in ((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers):
            if name == ":status":
                status = int(value)
                continue
            name = "-".join(part.capitalize() for part in name.split("-"))
            message.add_header(name, value)
            several.add(name, value)
        raw = requests.packages.urllib3.HTTPResponse(
            body=io.BytesIO(data), headers=several, status=status, version=20, preload_content=False, decode_content=True,
            reason=http.client.responses.get(status, ""), original_response=types.SimpleNamespace(msg=message, isclosed=lambda: True),
        )
        return requests.adapters.HTTPAdapter().build_response(request, raw)
