"""conf/fail2ban: the filter finds the addresses of those who guess in real lines, and nobody else's; the jail
is one that fail2ban understands."""
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from client import Client
from people import join, register, sign_in
from server import TOP

OURS = TOP / "conf" / "fail2ban"
UNPACKED = Path(os.environ.get("BUILD") or TOP / "build").resolve() / "unpacked/fail2ban"  # by deps.sh


def tool(name):
    """The command, and the root of its files: installed, or unpacked without its daemon."""
    for root in (UNPACKED, Path("/")):
        if (root / "usr/bin" / name).exists():
            return ["/usr/bin/python3", str(root / "usr/bin" / name)], root
    return pytest.skip("fail2ban is not at hand")


def run(name, *args):
    command, root = tool(name)
    env = {**os.environ, "PYTHONPATH": str(root / "usr/lib/python3/dist-packages"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([*command, *args], env=env, capture_output=True, text=True, check=False)


def found(log):
    """The addresses that the filter finds in a log, one for each line it counts."""
    done = run("fail2ban-regex", "-c", str(tool("fail2ban-regex")[1] / "etc/fail2ban"), "-o", "ip", str(log),
               str(OURS / "filter.d" / "userauth.conf"))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()


@pytest.fixture
def told(new_server):
    """A server whose log holds every kind of line: guessers come from addresses of their own."""
    server = new_server(conf="UserAuthRateLimit token 2/1h\nUserAuthMailLimit off\n")
    person = join(server)
    member = Client(server, address="192.0.2.1")
    sign_in(member, person)
    member.json("POST", "/auth/logout", {})
    member.json("POST", "/auth/resend", {"email": person.email})
    guesser = Client(server, address="198.51.100.1")
    for login in (person.username, "nobody", '"address":"192.0.2.99",', '{"event":"login_failed"'):
        assert guesser.json("POST", "/auth/login", {"login": login, "password": "wrong-1"}).status_code == 401
    six = Client(server, address="2001:db8:1:2::9")
    six.json("POST", "/auth/login", {"login": "nobody", "password": "wrong-1"})
    other = register(Client(server, address="192.0.2.2"))
    typist = Client(server, address="198.51.100.2")
    register(typist)
    typist.json("POST", "/auth/verify", {"code": "00000000"})
    typist.json("POST", "/auth/verify", {"code": "00000001"})
    assert other
    return server


def test_the_filter_counts_who_guesses(told):
    addresses = found(told.folder / "logs" / "events.log")
    assert sorted(addresses) == ["198.51.100.1"] * 4 + ["198.51.100.2"] * 3 + ["2001:db8:1:2::9"]
    kinds = [json.loads(line)["event"] for line in told.events()]
    for kind in ("login", "logout", "registered", "verified", "login_failed", "token_refused", "rate_limited"):
        assert kind in kinds, "the log has lines of every kind"


def test_nothing_in_a_line_can_stand_for_another_address(tmp_path):
    """Only the form of our lines counts, from the start on."""
    good = ('{"time":"2026-11-21T08:30:00Z","event":"login_failed","site":"https://www.example.com",'
            '"address":"198.51.100.7","account":"","detail":"","request":"x"}')
    bad = [
        good.replace("login_failed", "login"),
        good.replace('"detail":""', '"detail":"x"').replace('"event":"login_failed"', '"event":"password_changed"'),
        "x" + good,
        good.replace('"address":"198.51.100.7",', "") + ',"address":"192.0.2.9",',
        '{"time":"2026-11-21T08:30:00Z","event":"login","site":"x","address":"192.0.2.9","account":"","detail":"'
        ',\\"event\\":\\"login_failed\\",\\"site\\":\\"\\",\\"address\\":\\"192.0.2.9\\",","request":"x"}',
    ]
    log = tmp_path / "events.log"
    log.write_text("\n".join([*bad, good]) + "\n")
    assert found(log) == ["198.51.100.7"]


def test_the_jail_is_understood(told, tmp_path):
    """Once it is enabled; as it is delivered it does nothing."""
    folder = tmp_path / "fail2ban"
    shutil.copytree(tool("fail2ban-client")[1] / "etc/fail2ban", folder)
    shutil.copytree(OURS, folder, dirs_exist_ok=True)
    quiet = run("fail2ban-client", "-c", str(folder), "-d")
    assert "'userauth'" not in quiet.stdout
    log = told.folder / "logs" / "events.log"
    (folder / "jail.local").write_text(f"[sshd]\nenabled = false\n[userauth]\nenabled = true\nlogpath = {log}\n")
    done = run("fail2ban-client", "-c", str(folder), "-d")
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("['add', 'userauth'", "'addfailregex'", f"'addlogpath', '{log}'", "'maxretry', 20", "['start', 'userauth']"):
        assert said in done.stdout, said
    assert "ERROR" not in done.stdout + done.stderr
