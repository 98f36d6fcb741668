"""A real SMTP server (aiosmtpd) for tests, on loopback, that keeps every message.

    certificates = make_certificates(folder / "tls")          # ca_file, certificate, key
    with SmtpServer(folder / "mail", tls="starttls", certificates=certificates,
                    auth=("alice", "secret")) as server:
        ...                                                   # smtp://localhost:{server.port}
        message = server.wait_for(1)[0]                       # Message: sender, recipients, raw, ...

SmtpServer(folder, port=0, tls=None | "starttls" | "smtps", certificates=None, auth=None)
    tls "starttls" demands STARTTLS before MAIL; auth (user, password) demands PLAIN or LOGIN.
    start()              returns when the port accepts; .port is chosen once and kept by a restart
    stop()               returns when the port is free; start() again brings the server back
    messages()           all messages so far, oldest first
    wait_for(count, timeout=10)   messages() as soon as there are `count`; AssertionError otherwise
    connections          how many connections were accepted

Messages stand in the folder as 000001.eml, ... (written elsewhere, then renamed), one line of JSON
each in envelopes.jsonl: file, from, rcpts, tls, user, connection, helo.

Command line: smtp_server.py FOLDER [--port N] [--tls starttls|smtps] [--certificates FOLDER]
[--auth USER:PASSWORD]. Prints {"port": N, "ca_file": ...} when it answers; ends at SIGTERM, SIGINT
or when its standard input ends.
"""
import argparse
import asyncio
import email
import email.policy
import json
import logging
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import warnings
from dataclasses import dataclass

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Message:
    """One message as it arrived, and its envelope."""
    path: pathlib.Path
    sender: str
    recipients: list
    tls: str            # "TLSv1.3", ... or "" for plain
    user: str           # who logged in, or ""
    connection: int     # 1, 2, ...: which connection brought it
    helo: str

    @property
    def raw(self):
        return self.path.read_bytes()

    @property
    def parsed(self):
        """An email.message.EmailMessage; malformed headers or parts are an exception."""
        return email.message_from_bytes(
            self.raw, policy=email.policy.SMTP.clone(raise_on_defect=True))

    @property
    def text(self):
        return self.parsed.get_body(("plain",)).get_content()

    @property
    def html(self):
        return self.parsed.get_body(("html",)).get_content()


class Store:
    """The folder of messages. Any number of threads."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lines = self.folder / "envelopes.jsonl"
        self._lines.touch()
        self._arrived = threading.Condition()
        self._count = len(self._lines.read_text().splitlines())

    def add(self, raw, **envelope):
        with self._arrived:
            self._count += 1
            name = f"{self._count:06d}.eml"
            temporary = self.folder / f".{name}.tmp"
            temporary.write_bytes(raw)
            temporary.rename(self.folder / name)
            line = json.dumps({"file": name, **envelope}) + "\n"
            with open(self._lines, "ab", buffering=0) as lines:
                lines.write(line.encode())
            self._arrived.notify_all()

    def messages(self):
        found = []
        for line in self._lines.read_text().splitlines():
            row = json.loads(line)
            found.append(Message(self.folder / row["file"], row["from"], row["rcpts"], row["tls"],
                                 row["user"], row["connection"], row["helo"]))
        return found

    def wait_for(self, count, timeout=10):
        with self._arrived:
            came = self._arrived.wait_for(lambda: self._count >= count, timeout)
        assert came, f"{self._count} of {count} messages after {timeout} s"
        return self.messages()


@dataclass(frozen=True)
class Certificates:
    ca_file: str
    certificate: str
    key: str
    wrong_certificate: str      # same authority, for wrong.example only
    expired_certificate: str    # same authority and name, no longer valid

    def context(self, certificate=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate or self.certificate, self.key)
        return context


def make_certificates(folder):
    """An authority and certificates for localhost, 127.0.0.1 and ::1 in a folder, made once; two
    processes may ask at the same time."""
    folder = pathlib.Path(folder)
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = pathlib.Path(tempfile.mkdtemp(dir=folder.parent))
        _make_all(made)
        try:
            made.rename(folder)
        except OSError:     # another process was faster
            for file in made.iterdir():
                file.unlink()
            made.rmdir()
    return Certificates(*(str(folder / name) for name in (
        "ca.pem", "server.pem", "server.key", "wrong.pem", "expired.pem")))


def _make_all(folder):
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True,
                       stdin=subprocess.DEVNULL)

    def sign(out, names, days):
        (folder / "names").write_text(f"subjectAltName={names}\n")
        openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", out, "-days", days, "-extfile", "names")

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30",
            "-subj", "/CN=Test authority")
    openssl("req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=Test server")
    sign("server.pem", "DNS:localhost,IP:127.0.0.1,IP:::1", "30")
    sign("wrong.pem", "DNS:wrong.example", "30")
    sign("expired.pem", "DNS:localhost,IP:127.0.0.1,IP:::1", "-1")


def listening_socket(port):
    """Bound and listening on loopback; port 0 is any free one."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.listen(128)
    return listener


class _Handler:
    def __init__(self, store):
        self._store = store

    async def handle_DATA(self, server, session, envelope):
        tls = server.transport.get_extra_info("ssl_object")
        self._store.add(envelope.original_content, **{"from": envelope.mail_from},
                        rcpts=envelope.rcpt_tos, tls=tls.version() if tls else "",
                        user=getattr(session, "test_user", ""), connection=server.connection_id,
                        helo=session.host_name)
        return "250 OK"


class SmtpServer:
    """See the top of this file."""

    def __init__(self, folder, port=0, tls=None, certificates=None, auth=None):
        self.store = Store(folder)
        self.port = port
        self.connections = 0
        self._tls = tls
        self._context = certificates.context() if tls else None
        self._auth = auth
        self._thread = None
        self._loop = None
        self._stopping = None
        self._transports = set()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.stop()

    def messages(self):
        return self.store.messages()

    def wait_for(self, count, timeout=10):
        return self.store.wait_for(count, timeout)

    def start(self):
        listener = listening_socket(self.port)
        self.port = listener.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listener, ready)), daemon=True)
        self._thread.start()
        ready.wait()

    def stop(self):
        if self._thread:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
            self._thread = None

    async def _serve(self, listener, ready):
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        implicit = self._context if self._tls == "smtps" else None
        server = await self._loop.create_server(self._session, sock=listener, ssl=implicit)
        ready.set()
        await self._stopping.wait()
        server.close()
        for transport in list(self._transports):
            transport.abort()
        await server.wait_closed()

    def _session(self):
        from aiosmtpd.smtp import SMTP, AuthResult

        owner = self

        def check(server, session, envelope, mechanism, data):
            given = (data.login.decode(), data.password.decode())
            if given == owner._auth:
                session.test_user = given[0]
                return AuthResult(success=True)
            return AuthResult(success=False, handled=False)

        class Session(SMTP):
            def connection_made(self, transport):
                owner._transports.add(transport)
                super().connection_made(transport)

            def connection_lost(self, error):
                owner._transports.discard(self.transport)
                super().connection_lost(error)

        starttls = self._context if self._tls == "starttls" else None
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")     # that a login without TLS is unwise
            session = Session(_Handler(self.store), hostname="test.example", loop=self._loop,
                              tls_context=starttls, require_starttls=bool(starttls),
                              auth_required=bool(self._auth), auth_require_tls=bool(starttls),
                              authenticator=check if self._auth else None, ident="test")
        self.connections += 1
        session.connection_id = self.connections
        return session


def run_until_told(server, **said):
    """Starts a server, says where it is in one line of JSON, and ends it at SIGTERM, SIGINT or the
    end of standard input. For the command lines."""
    def end(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    server.start()
    print(json.dumps({"port": server.port, **said}), flush=True)
    try:
        while os.read(sys.stdin.fileno(), 4096):
            pass
    except KeyboardInterrupt:
        pass
    server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", choices=["starttls", "smtps"])
    parser.add_argument("--certificates", metavar="FOLDER", help="default: FOLDER/tls")
    parser.add_argument("--auth", metavar="USER:PASSWORD", type=lambda v: tuple(v.split(":", 1)))
    given = parser.parse_args()
    certificates = None
    if given.tls:
        certificates = make_certificates(given.certificates or pathlib.Path(given.folder) / "tls")
    server = SmtpServer(given.folder, given.port, given.tls, certificates, given.auth)
    run_until_told(server, ca_file=certificates.ca_file if certificates else None)


if __name__ == "__main__":
    main()
