"""attacks.py: what the attack tests share: bytes on a socket, answers taken apart, a child's memory.

exchange(server, data)    sends bytes as they are, returns every answer that came back
Watch(server)             whether accounts, links and sessions are as they were
peaks(server)             how much memory each of Apache's children had at most
"""
import http.client
import io
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes

CSP_NEEDS = ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'")


@dataclass
class Answer:
    status: int
    headers: list
    body: bytes

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def one(self, name):
        return (self.all(name) or [""])[0]


class _Stream(io.BytesIO):
    """Survives the close() of each HTTPResponse that reads from it."""

    def close(self):
        pass

    def makefile(self, *_):
        return self


def answers(data):
    """Every answer in what a server sent, interim ones (100) included."""
    stream, found = _Stream(data), []
    while stream.tell() < len(data):
        at = stream.tell()
        if data[at : at + 13] == b"HTTP/1.1 100 ":
            end = data.index(b"\r\n\r\n", at) + 4
            found.append(Answer(100, [], b""))
            stream.seek(end)
            continue
        response = http.client.HTTPResponse(stream)
        response.begin()
        found.append(Answer(response.status, response.getheaders(), response.read()))
    return found


def connect(server, port=None):
    link = socket.create_connection(("127.0.0.1", port or server.port), 20)
    if server.tls and port in (None, server.port):
        context = ssl.create_default_context(cafile=str(server.certificate))
        link = context.wrap_socket(link, server_hostname="localhost")
    return link


def received(link):
    """What comes until the other side closes or says nothing for a long while."""
    data = b""
    try:
        while True:
            piece = link.recv(65536)
            if not piece:
                return data
            data += piece
    except ConnectionResetError:
        return data


def exchange(server, data, half_close=False, port=None):
    """Sends bytes and returns all answers; the data has to make the server close in the end."""
    with connect(server, port) as link:
        try:
            link.sendall(data)
            if half_close:
                link.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it answered before it read everything
        return answers(received(link))


def request(method, target, headers=(), body=b"", version="HTTP/1.1", host="localhost", close=True):
    """A request as bytes; header values may hold any byte (latin-1). Content-Length is the caller's."""
    lines = [f"{method} {target} {version}".encode("latin-1")]
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    if host is not None:
        pairs.insert(0, ("Host", host))
    if close:
        pairs.append(("Connection", "close"))
    for name, value in pairs:
        lines.append(name.encode("latin-1") + b": " + (value if isinstance(value, bytes) else value.encode("latin-1")))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def post(target, body, headers=(), kind="application/x-www-form-urlencoded", **kwargs):
    """A POST as bytes, its length declared."""
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    pairs += [("Content-Type", kind), ("Content-Length", str(len(body)))]
    return request("POST", target, pairs, body, **kwargs)


def pairs(**fields):
    """A form body; values are texts or bytes, every byte that is no letter is escaped."""
    parts = []
    for name, value in fields.items():
        data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
        parts.append(name + "=" + quote_from_bytes(data, safe=""))
    return "&".join(parts).encode()


def chunks(*parts, last=b"0\r\n\r\n"):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + last


class Watch:
    """The rows that an attack must not change."""

    QUERIES = (
        "SELECT * FROM account ORDER BY id",
        "SELECT id, account_id, email, state FROM token ORDER BY id",
        "SELECT id, account_id, ended FROM session ORDER BY id",
    )

    def __init__(self, server):
        self.server = server
        self.before = None

    def _rows(self):
        return [[tuple(row) for row in self.server.db(query)] for query in self.QUERIES]

    def start(self):
        self.before = self._rows()

    def judge(self):
        if self.before is not None:
            assert self._rows() == self.before, "an attack changed the database"


def forget_peaks(server):
    """Makes the kernel count the children's peak from now on; a password hash of before is forgotten."""
    for pid in server.children():
        try:
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        except OSError:
            continue  # it ended meanwhile


def keeps_freed(server):
    """Whether AddressSanitizer is in the children: what was freed stays with them, to be told from what is used."""
    return any("libasan" in Path(f"/proc/{pid}/maps").read_text() for pid in server.children())


def peaks(server):
    """The largest memory of each child since it started or since forget_peaks(), in bytes."""
    found = {}
    for pid in server.children():
        try:
            text = Path(f"/proc/{pid}/status").read_text()
        except FileNotFoundError:
            continue
        lines = [line for line in text.splitlines() if line.startswith("VmHWM:")]
        found[pid] = int(lines[0].split()[1]) * 1024 if lines else 0
    return found


def problem(answer, status, code):
    """Asserts a refusal of contract 2 in JSON."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    assert answer.json()["code"] == code, answer.text


def guarded(headers):
    """Asserts the headers that every answer of ours has, whatever its status."""
    policy = headers.get("Content-Security-Policy", "")
    assert all(word in policy for word in CSP_NEEDS), policy
    assert "unsafe" not in policy and "form-action" not in policy, policy
    assert headers.get("X-Content-Type-Options") == "nosniff"
