"""confhelp.py: broken configurations, for the tests that want them refused.

Site lines are a dict of directive name → rest of the line, so that a test can replace or drop one.
"""
import itertools
import os
import re

import pytest
from server import StartFailed, port_is_free

LINES = {
    "UserAuthBaseURL": "${BASE_URL}",
    "UserAuthDatabase": 'sqlite3 "${RUN}/userauth.db"',
    "UserAuthKeyFile": '"${RUN}/userauth.keys"',
    "UserAuthMail": '"folder:${RUN}/mail" "Example <accounts@example.com>"',
}
as_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root, who may give files away")


_ports = itertools.cycle(range(20000, 32000))  # below what the system gives to outgoing connections


def spare_port():
    """A port for a further vhost. It stays free until Apache listens: nothing gets such a port by chance."""
    return next(port for port in _ports if port_is_free(port))


for _ in range(os.getpid() * 97 % 12000):  # another test run beside this one begins elsewhere
    next(_ports)


def site(extra="", **changed):
    """The smallest site with some lines changed; None leaves a line out."""
    lines = {**LINES, **changed}
    return "\n".join(f"{name} {rest}" for name, rest in lines.items() if rest is not None) + "\n" + extra + "\n"


def tree(folder):
    """All that lies below a folder with what a side effect would change."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.name != "httpd.conf":
            info = path.lstat()
            times = info.st_mtime_ns if not path.is_dir() else 0
            found[str(path.relative_to(folder))] = (info.st_mode, info.st_uid, info.st_gid, info.st_size, times, info.st_ino)
    return found


def line_of(server, text):
    """The number of the first line of the server's configuration that holds a text."""
    for number, line in enumerate((server.folder / "httpd.conf").read_text().splitlines(), 1):
        if text in line:
            return number
    raise AssertionError(f"no line with {text}")


def configtest(server):
    """apache2 -t, which must leave no trace; its exit status and words."""
    server.write_conf()
    before = tree(server.folder)
    status, said = server.configtest()
    assert tree(server.folder) == before, "the configuration test has a side effect"
    return status, said


def refused(server, *words, line=None, tested=True, started=True):
    """Both the configuration test and the start refuse and say why, where and what to do.

    `words` are regular expressions; `line` is a text of the line that is to blame, None when a line is
    missing; tested=False: only a start can know; started=False spares the start. Returns what was said.
    """
    if tested:
        status, said = configtest(server)
        assert status != 0, f"accepted:\n{said}"
        judge(server, said, words, line)
    if not started:
        return said
    with pytest.raises(StartFailed) as failed:
        server.start()
    said = str(failed.value)
    judge(server, said, words, line)
    server.expect_log("UA0001:|AH00526|AH00016|Configuration Failed|AH00015|AH00020")
    return said


def judge(server, said, words, line):
    for word in words:
        assert re.search(word, said), f"nothing like {word} in:\n{said}"
    assert re.search(r"virtual host [\w. -]+ \(\S+:\d+\)", said), f"no virtual host in:\n{said}"
    assert str(server.folder / "httpd.conf") in said, f"no file in:\n{said}"
    if line:
        number = line_of(server, line)
        assert re.search(rf"httpd\.conf:{number}\b|[Ll]ine {number} of", said), f"not line {number} in:\n{said}"
    assert not re.search(r"\(null\)|%s|%d", said)


def accepted(server):
    status, said = configtest(server)
    assert status == 0, said
