"""peer_django.py: Django with django-allauth under gunicorn, two workers, SQLite, Argon2 at mod_userauth's parameters.

    peer = Django(folder, people=1000); peer.start()
    peer.sign_in_request(n)   one login of confirmed member n (0 … people - 1, taken round)
    peer.sign_up_request(n)   one registration of somebody new; a number is good once in a run
    peer.stop()

Both are a Request: method, url, path, headers, body (bytes), and what success looks like: status (302; a page with complaints is 200) and
location. With requests: `requests.request(one.method, one.url, headers=one.headers, data=one.body, allow_redirects=False)`; with urllib:
`urllib.request.Request(one.url, one.body, one.headers, method=one.method)`. Each is complete: a client chooses its own CSRF cookie, so
that no GET of the form comes first. A registration writes user and address and a mail into a file, as ours does; commits are durable.
"""
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from peer_base import Peer, browser, cookie_of
from people import PASSWORD
from server import free_port, port_is_free, wait_for

HERE = Path(__file__).resolve().parent
PACKAGES = {"django": "python3-django", "allauth": "python3-django-allauth", "gunicorn": "gunicorn", "argon2": "python3-argon2"}
# The threaded kind of worker keeps connections alive; two threads a core and a beat in memory are what its documentation advises.
GUNICORN = """-m gunicorn --workers 2 --worker-class gthread --threads 4 --worker-tmp-dir /dev/shm
    --access-logfile /dev/null --log-level warning""".split()


@dataclass
class Request:
    method: str
    url: str
    path: str
    headers: dict
    body: bytes
    status: int
    location: str


class Django(Peer):
    name = "Django + allauth, gunicorn"

    def __init__(self, parent, people=1):
        super().__init__(Gunicorn(parent))
        self.people = people
        self.run = secrets.token_hex(4)

    def missing(self):
        absent = [package for module, package in PACKAGES.items() if not importlib.util.find_spec(module)]
        return f"{', '.join(absent)} not installed" if absent else None

    def start(self):
        self.server.make(self.people)
        self.server.start()
        self.headers = self.sign_in(0)

    def sign_in(self, n=0):
        """Signs member n in, once: the headers of that client."""
        client, one = browser(), self.sign_in_request(n)
        answer = client.post(one.url, one.body, headers=one.headers, allow_redirects=False, timeout=30)
        if (answer.status_code, answer.headers.get("Location")) != (one.status, one.location):
            raise SystemExit(f"{self.name}: signing in was answered with {answer.status_code}:\n{self.server.log()[-2000:]}")
        return cookie_of(client, "sessionid")

    def sign_in_request(self, n):
        return self._form("/accounts/login/", {"login": f"member{n % self.people}", "password": PASSWORD}, "/gated/file.txt")

    def sign_up_request(self, n):
        name = f"new{self.run}x{n}"
        fields = {"username": name, "email": f"{name}@example.org", "password1": PASSWORD, "password2": PASSWORD}
        return self._form("/accounts/signup/", fields, "/accounts/confirm-email/")

    def _form(self, path, fields, location):
        proof = secrets.token_hex(32)
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": proof, **fields}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={proof}"}
        return Request("POST", self.base + path, path, headers, body, 302, location)


class Gunicorn:
    """The processes: a parent and its two workers; with what load.py asks a server for."""

    def __init__(self, parent):
        self.folder = Path(tempfile.mkdtemp(prefix="django-", dir=parent))
        self.port = free_port()
        self.process = None
        own = {"PEER_FOLDER": str(self.folder), "PEER_SECRET": secrets.token_hex(32), "PEER_PASSWORD": PASSWORD}
        self.environment = {**os.environ, **own, "DJANGO_SETTINGS_MODULE": "peer_django_site", "PYTHONPATH": str(HERE)}

    def make(self, people):
        """The database with so many members, made by a process of its own."""
        command = [sys.executable, str(HERE / "peer_django_site.py"), str(people)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"Django's database can't be made:\n{done.stdout}{done.stderr}")

    def start(self):
        command = [sys.executable, *GUNICORN, "--bind", f"127.0.0.1:{self.port}", "django.core.wsgi:get_wsgi_application()"]
        with open(self.folder / "gunicorn.log", "ab") as out:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *command],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                cwd=self.folder,
            )
        wait_for(lambda: self.process.poll() is not None or self._answers(), 60, "gunicorn to answer")
        if self.process.poll() is not None:
            raise SystemExit(f"gunicorn ended:\n{self.log()}")

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def children(self):
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def log(self):
        return (self.folder / "gunicorn.log").read_text(errors="replace")

    def _answers(self):
        """Whether both workers are there and a page comes."""
        if port_is_free(self.port) or len(self.children()) < 2:
            return False
        return browser().get(f"http://127.0.0.1:{self.port}/accounts/login/", timeout=30).status_code == 200
