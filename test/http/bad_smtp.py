"""An SMTP server that misbehaves on demand, and can be healed while it runs.

    server = BadSmtp(folder, certificates=make_certificates(folder / "tls"))
    server.start(); server.set_mode("rcpt-451")
    ...
    server.set_mode("ok"); server.wait_for(1)

BadSmtp(folder, port=0, certificates=None, mode="ok", control=None)
    With certificates it offers STARTTLS. start(), stop(), port, messages(), wait_for(), connections
    as in smtp_server.py; set_mode(mode) counts from the next step of every connection. `control` is a
    file that holds the mode instead, for those in another process (absent or empty: "ok"; replace
    it by a rename).
    commands    every command line that arrived, as text, oldest first
    seen(step, timeout=10)   waits until a step was acted upon, by any connection since set_mode()

Modes: "ok", or ACTION at STEP.
    STEP        banner ehlo starttls mail reuse rcpt data middle end quit noop rset
                (reuse: the MAIL of a second message on one connection; middle: within the
                message's text; end: after its final dot)
    STEP-NNN    answers with that code, e.g. rcpt-450, rcpt-452, end-451, starttls-454; after a 421,
                or any code at banner, the connection closes. Not for middle.
    drop-STEP   closes the connection there. drop-end keeps the message first: it was delivered, but
                the client cannot know.
    stall-STEP  falls silent there, until the client or stop() closes the connection
    refuse      = drop-banner            silent      = stall-banner
    spent       rcpt-421 on connections there are, banner-554 on new ones
    slow-banner one byte a second        no-starttls does not offer it
    wrong-certificate  expired-certificate  old-tls (TLS 1.1 at most)
For a refused connection in the sense of TCP: stop(), and start() on the same port.

Command line: bad_smtp.py FOLDER [--port N] [--mode MODE] [--control FILE] [--certificates FOLDER],
which behaves as smtp_server.py's.
"""
import argparse
import pathlib
import re
import socket
import ssl
import threading
import warnings

from smtp_server import Store, listening_socket, make_certificates, run_until_told

STEPS = ("banner", "ehlo", "starttls", "mail", "reuse", "rcpt", "data", "middle", "end",
         "quit", "noop", "rset")
OTHERS = ("ok", "slow-banner", "no-starttls", "wrong-certificate", "expired-certificate", "old-tls", "spent")
SPENT = {"rcpt": "rcpt-421", "banner": "banner-554"}
ALIASES = {"refuse": "drop-banner", "silent": "stall-banner", "": "ok"}
SLOW_BANNER = b"220 " + b"slow." * 20 + b"example\r\n"


class Gone(Exception):
    """The connection is over."""


class BadSmtp:
    """See the top of this file."""

    def __init__(self, folder, port=0, certificates=None, mode="ok", control=None):
        self.store = Store(folder)
        self.port = port
        self.connections = 0
        self.commands = []
        self.refused = 0    # by code_for()
        self.certificates = certificates
        self.stopping = threading.Event()
        self._control = pathlib.Path(control) if control else None
        self._seen = threading.Condition()
        self._steps = set()
        self._listener = None
        self._acceptor = None
        self._sessions = {}
        self.set_mode(mode)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.stop()

    def messages(self):
        return self.store.messages()

    def wait_for(self, count, timeout=10):
        return self.store.wait_for(count, timeout)

    def set_mode(self, mode):
        checked = _mode_checked(mode)
        with self._seen:
            self._mode = checked
            self._steps.clear()

    def mode(self):
        if self._control:
            try:
                return _mode_checked(self._control.read_text().strip())
            except FileNotFoundError:
                return "ok"
        return self._mode

    def seen(self, step, timeout=10):
        with self._seen:
            came = self._seen.wait_for(lambda: step in self._steps, timeout)
        assert came, f"no connection came to {step} in {timeout} s, only to {sorted(self._steps)}"

    def note(self, step):
        with self._seen:
            self._steps.add(step)
            self._seen.notify_all()

    def code_for(self, recipient):
        """For those derived from this: a code for one recipient, whatever the mode."""

    def start(self):
        self.stopping.clear()
        self._listener = listening_socket(self.port)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def stop(self):
        if not self._acceptor:
            return
        self.stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)   # wakes accept()
        self._acceptor.join()
        self._acceptor = None
        self._listener.close()
        for thread, session in list(self._sessions.items()):
            session.end()
            thread.join()
        self._sessions.clear()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            session = _Session(self, connection, self.connections)
            thread = threading.Thread(target=session.run, daemon=True)
            self._sessions[thread] = session
            thread.start()


def _mode_checked(mode):
    mode = ALIASES.get(mode, mode)
    at = re.fullmatch(r"(?:(?:drop|stall)-([a-z]+)|([a-z]+)-[45]\d\d)", mode)
    step = at and (at[1] or at[2])
    if mode not in OTHERS and (step not in STEPS or at[2] == "middle"):
        raise ValueError(f"no such mode: {mode}")
    return mode


class _Session:
    """One connection, in a thread of its own."""

    def __init__(self, server, connection, number):
        self._server = server
        self._socket = connection
        self._number = number
        self._reader = connection.makefile("rb")
        self._tls = ""
        self._helo = ""
        self._sender = None
        self._recipients = []
        self._messages = 0

    def run(self):
        try:
            self._talk()
        except (Gone, OSError):     # ssl.SSLError is an OSError
            pass
        self.end()
        self._reader.close()
        self._socket.close()

    def end(self):
        """Also from another thread: wakes whoever reads."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _talk(self):
        verbs = {"EHLO": self._ehlo, "HELO": self._ehlo, "STARTTLS": self._starttls,
                 "MAIL": self._mail, "RCPT": self._rcpt, "DATA": self._data, "RSET": self._rset,
                 "NOOP": self._noop, "QUIT": self._quit}
        self._banner()
        while True:
            line = self._line().decode("latin-1").rstrip("\r\n")
            self._server.commands.append(line)
            verb = verbs.get(line.split(" ")[0].upper())
            if verb:
                verb(line)
            else:
                self._say("500 what?")

    def _say(self, *lines):
        text = [line[:3] + "-" + line[4:] for line in lines[:-1]] + [lines[-1]]
        self._socket.sendall("".join(line + "\r\n" for line in text).encode())

    def _line(self):
        line = self._reader.readline(65536)
        if not line.endswith(b"\n"):
            raise Gone
        return line

    def _passes(self, step, mode=None):
        """Acts as the mode says for this step. False: a refusal was sent."""
        mode = mode or self._server.mode()
        mode = SPENT.get(step, "ok") if mode == "spent" else mode
        self._server.note(step)
        if mode == f"stall-{step}":
            while self._reader.read(1):
                pass
        if mode in (f"stall-{step}", f"drop-{step}"):
            raise Gone
        if re.fullmatch(step + r"-\d\d\d", mode):
            code = mode[-3:]
            self._say(f"{code} refused at {step}")
            if code == "421" or step == "banner":
                raise Gone
            return False
        return True

    def _banner(self):
        if self._server.mode() == "slow-banner":
            for i in range(len(SLOW_BANNER)):
                self._socket.sendall(SLOW_BANNER[i:i + 1])
                if self._server.stopping.wait(1.0):     # the pace, not a wait for something
                    raise Gone
        elif self._passes("banner"):
            self._say("220 bad.example ESMTP")

    def _ehlo(self, line):
        if not self._passes("ehlo"):
            return
        self._helo = line[5:].strip()
        offered = self._server.certificates and not self._tls
        if offered and self._server.mode() != "no-starttls":
            self._say("250 bad.example", "250 8BITMIME", "250 STARTTLS")
        else:
            self._say("250 bad.example", "250 8BITMIME")

    def _starttls(self, _):
        if not self._passes("starttls"):
            return
        self._say("220 go ahead")
        self._reader.close()
        self._socket = self._context().wrap_socket(self._socket, server_side=True,
                                                   do_handshake_on_connect=False)
        self._socket.do_handshake()
        self._tls = self._socket.version()
        self._reader = self._socket.makefile("rb")

    def _context(self):
        certificates = self._server.certificates
        mode = self._server.mode()
        if mode == "wrong-certificate":
            return certificates.context(certificates.wrong_certificate)
        if mode == "expired-certificate":
            return certificates.context(certificates.expired_certificate)
        context = certificates.context()
        if mode == "old-tls":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = ssl.TLSVersion.TLSv1_1
            context.set_ciphers("ALL:@SECLEVEL=0")
        return context

    def _mail(self, line):
        if (not self._messages or self._passes("reuse")) and self._passes("mail"):
            self._sender = _address(line)
            self._recipients = []
            self._say("250 OK")

    def _rcpt(self, line):
        code = self._server.code_for(_address(line))
        if code:
            self._server.refused += 1
            self._say(f"{code} refused")
        elif self._passes("rcpt"):
            self._recipients.append(_address(line))
            self._say("250 OK")

    def _data(self, _):
        if not self._passes("data"):
            return
        self._say("354 end with a dot")
        raw = b""
        self._passes("middle")
        while (line := self._line()) != b".\r\n":
            raw += line[1:] if line.startswith(b".") else line
        mode = self._server.mode()
        if not re.fullmatch(r"stall-end|end-\d\d\d", mode):
            self._server.store.add(raw, **{"from": self._sender}, rcpts=self._recipients,
                                   tls=self._tls, user="", connection=self._number, helo=self._helo)
        self._messages += 1
        if self._passes("end", mode):
            self._say("250 OK")

    def _rset(self, _):
        if self._passes("rset"):
            self._recipients = []
            self._say("250 OK")

    def _noop(self, _):
        if self._passes("noop"):
            self._say("250 OK")

    def _quit(self, _):
        if self._passes("quit"):
            self._say("221 bye")
        raise Gone


def _address(line):
    found = re.search(r"<(.*?)>", line)
    return found[1] if found else ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--mode", default="ok")
    parser.add_argument("--control", metavar="FILE")
    parser.add_argument("--certificates", metavar="FOLDER")
    given = parser.parse_args()
    certificates = make_certificates(given.certificates) if given.certificates else None
    server = BadSmtp(given.folder, given.port, certificates, given.mode, given.control)
    run_until_told(server, ca_file=certificates.ca_file if certificates else None)


if __name__ == "__main__":
    main()
