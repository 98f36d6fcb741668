"""fixtures.py: the pytest fixtures that the live tests and the browser tests share.

server      one Apache for the whole session     client      a new client of it
new_server  makes further ones for one test      log_gate    fails a test over unannounced log lines
The two conftest.py register this file as one plugin, so that one session has one shared server.
"""
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

import engines
from client import Client
from server import Server, base_folder

_failed = []


def register(config):
    """Makes these fixtures known to pytest, once."""
    if not config.pluginmanager.has_plugin("userauth"):
        config.pluginmanager.register(sys.modules[__name__], "userauth")


@pytest.fixture(scope="session")
def run_folder(request):
    """The session's own folder; kept for a look, until the next session, when something failed."""
    base = base_folder()
    for old in base.glob("session-*"):
        if not Path(f"/proc/{old.name.split('-')[1]}").exists():
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"session-{os.getpid()}-", dir=base))
    folder.chmod(0o755)
    yield folder
    engines.stop_all()
    if _failed:
        reporter = request.config.pluginmanager.getplugin("terminalreporter")
        reporter.ensure_newline()
        reporter.write_line(f"The servers' logs are kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def session_server(run_folder):
    """The shared server; PORT, TLS and EXTRA_CONF of `make test` apply to it."""
    extra = os.environ.get("EXTRA_CONF")
    conf = f'Include "{Path(extra).resolve()}"' if extra else ""
    tls = os.environ.get("TLS", "0") not in ("", "0", "no", "off")
    server = Server(run_folder, conf=conf, tls=tls, port=int(os.environ.get("PORT") or 0))
    try:
        yield server.start()
    finally:
        server.stop()
    assert not server.unexpected_log(), "the shared server's log at its end"


class LogGate:
    """The servers whose log is judged when the present test ends."""

    def __init__(self):
        self.servers = []

    def watch(self, server):
        if server not in self.servers:
            self.servers.append(server)

    def unexpected(self):
        return [line for server in self.servers for line in server.unexpected_log()]


@pytest.fixture(autouse=True)
def log_gate():
    gate = LogGate()
    yield gate
    lines = gate.unexpected()
    if lines:
        _failed.append(True)
        pytest.fail("error log lines that the test did not announce with expect_log():\n" + "\n".join(lines))


@pytest.fixture
def server(session_server, log_gate):
    log_gate.watch(session_server)
    return session_server


@pytest.fixture
def client(server):
    return Client(server)


@pytest.fixture
def new_server(run_folder, log_gate):
    """new_server(conf=…, head=…, tls=…, start=False): a server that ends with the test."""
    made = []

    def make(start=True, **kwargs):
        one = Server(run_folder, **kwargs)
        made.append(one)
        log_gate.watch(one)
        return one.start() if start else one

    yield make
    for one in made:
        one.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if outcome.get_result().failed:
        _failed.append(item.nodeid)
