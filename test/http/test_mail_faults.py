"""Mail servers that misbehave, and senders that are killed: the account stands, no request waits, nothing is lost.

Many faults are tried side by side: one Apache, one database, a virtual host and a bad server for each mode.
"""
import os
import re
import signal
import threading
from collections import Counter
from pathlib import Path

import engines
import pytest
from bad_smtp import BadSmtp
from client import Client
from confhelp import site, spare_port
from mpm import ONE_CHILD, several
from people import register, sign_in
from server import wait_for
from smtp_server import make_certificates
from test_mail import authority, judge_form

QUICK = """refuse banner-421 banner-554 ehlo-421 drop-ehlo mail-450 mail-451 mail-452 mail-550 drop-mail rcpt-450 rcpt-451
    rcpt-452 rcpt-421 rcpt-501 rcpt-550 rcpt-552 rcpt-556 drop-rcpt data-451 data-554 drop-data drop-middle end-421 end-451
    end-452 end-552 end-554""".split()
# One recipient's fault, or one mail's: so many codes can be had by whoever registers the right address (452: a full mailbox,
# 501: "-x@", 556: a domain without mail) that none of them may hold up the mails of others.
REFUSED = ["rcpt-450", "rcpt-451", "rcpt-452", "rcpt-501", "rcpt-550", "rcpt-552", "rcpt-556", "end-552", "end-554"]
SLOW = "silent slow-banner stall-ehlo stall-mail stall-rcpt stall-data stall-middle stall-end".split()
NO_TLS = "no-starttls wrong-certificate expired-certificate old-tls starttls-454 drop-starttls".split()
KILLED = r"AH00051|AH00052|exit signal Killed|AH00045|AH00046"
LIMITS = "UserAuthRateLimit register off\nUserAuthRateLimit mail off\nUserAuthMailLimit off\n"


@pytest.fixture(scope="module")
def certificates(run_folder):
    return make_certificates(run_folder / "bad-smtp-tls")


class Farm:
    """One Apache with a site for each mode, all in one database."""

    def __init__(self, new_server, folder, modes, head="", lines="", certificates=None):
        self.servers = {}
        self.server = new_server(start=False, site=False)
        if certificates:
            lines += authority(self.server, certificates) + "\n"
        ports = {mode: spare_port() for mode in modes}
        vhosts = []
        for mode in modes:
            bad = BadSmtp(folder / mode, mode=mode, certificates=certificates)
            bad.start()
            self.servers[mode] = bad
            vhosts.append(self._vhost(ports[mode], bad.port, lines))
        self.server.head = head + "\n".join(vhosts)
        self.server.conf = site(LIMITS)
        self.server.start()
        self.clients = {mode: Client(self.server, base=f"http://localhost:{ports[mode]}") for mode in modes}
        self.persons = {mode: register(client) for mode, client in self.clients.items()}

    @staticmethod
    def _vhost(port, smtp_port, lines):
        conf = site(LIMITS + lines, UserAuthBaseURL=f"http://localhost:{port}",
                    UserAuthMail=f'smtp://localhost:{smtp_port} "Example <accounts@example.com>"')
        return f"Listen 127.0.0.1:{port}\n<VirtualHost *:{port}>\n{conf}</VirtualHost>\n"

    def states(self):
        """What check-email says to each person."""
        return {mode: client.json("GET", "/auth/check-email").json()["mail"] for mode, client in self.clients.items()}

    def wait_states(self, word, seconds):
        try:
            wait_for(lambda: set(self.states().values()) == {word}, seconds)
        except TimeoutError:
            raise AssertionError(f"not all {word}: {self.states()}\n{self.server.log()[-3000:]}") from None

    def arrived(self, mode):
        """How often each address got its mail."""
        return Counter(m.recipients[0] for m in self.servers[mode].messages())

    def heal_when_delayed(self, seconds):
        """Heals each server as soon as its mail has failed once, so that no later try is held as well."""
        ill = set(self.servers)

        def one_more():
            for mode in list(ill):
                if self.clients[mode].json("GET", "/auth/check-email").json()["mail"] == "delayed":
                    assert self.arrived(mode) == {}, mode
                    self.servers[mode].set_mode("ok")
                    ill.discard(mode)
            return not ill

        wait_for(one_more, seconds, f"a failure of each; {ill} left")

    def heal(self):
        for bad in self.servers.values():
            bad.set_mode("ok")

    def stop(self):
        self.server.stop()
        for bad in self.servers.values():
            bad.stop()


@pytest.fixture
def farm(new_server, tmp_path):
    made = []

    def make(*args, **kwargs):
        one = Farm(new_server, tmp_path, *args, **kwargs)
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop()


def causes(server):
    return [line for line in server.log().splitlines() if "UA0201" in line]


def test_faults_that_show_at_once(farm):
    """MAIL-03, MAIL-05: refused, dropped, put off or rejected at each step: later, once, and said once."""
    field = farm(QUICK)
    server = field.server
    field.wait_states("delayed", 30)
    wait_for(lambda: server.db("SELECT MIN(attempts) FROM outbox")[0][0] >= 2, 30, "a second try of each")
    server.expect_log("UA0201|UA0202")
    said = "\n".join(causes(server))
    assert len(causes(server)) == len(QUICK) - len(REFUSED), said
    assert server.log().count("UA0205") == len(REFUSED)
    assert not re.search(r"closed the connection \(reply (4(?!21)|5)", said), f"a refusal is called a lost connection:\n{said}"
    for mode in QUICK:
        assert field.arrived(mode) == {}, mode
        health = field.clients[mode].json("GET", "/auth/health").json()
        assert (health["status"], health["mail"]) == ("ok", "ok" if mode in REFUSED else "delayed"), (mode, health)
        page = field.clients[mode].get("/auth/check-email").text
        assert "delayed" in page and 'http-equiv="refresh"' in page
        person = field.persons[mode]
        answer = field.clients[mode].json("POST", "/auth/login", {"login": person.email, "password": person.password})
        assert (answer.status_code, answer.json()["code"]) == (403, "email_not_verified"), "the account does not stand"
    for line in causes(server):
        assert not re.search(r"@example\.org|token|password", line), line
    field.heal()
    field.wait_states("sent", 60)
    for mode in QUICK:
        assert field.arrived(mode) == {field.persons[mode].email: 1}, mode
        judge_form(field.servers[mode].messages()[0].raw)
    assert server.log().count("UA0202") == len(QUICK) - len(REFUSED)
    assert field.clients["refuse"].json("GET", "/auth/health").json()["mail"] == "ok"


def test_faults_of_silence(farm):
    """MAIL-04: a server that says nothing, at each step: no request waits, the sender gives up and tries again."""
    field = farm(SLOW, head=several(8, 8))
    server = field.server
    for mode in SLOW:
        if mode not in ("silent", "slow-banner"):
            field.servers[mode].seen(mode.partition("-")[2], 20)
    # Every sender is now held; people register all the same, and each mail to a held server waits its turn.
    others = [register(Client(server)) for _ in range(30)]
    for person in others:
        server.wait_mail(person.email)
    assert set(field.states().values()) <= {"queued", "delayed"}
    field.heal_when_delayed(90)
    server.expect_log("UA0201|UA0202")
    field.wait_states("sent", 60)
    for mode in SLOW:
        assert field.arrived(mode) == {field.persons[mode].email: 1}, mode
    assert len(causes(server)) == len(SLOW), "\n".join(causes(server))


def test_a_silent_server_holds_up_no_other_site(farm):
    """Of many mails to a silent server one is tried before the next site's turn, by the one child there is."""
    field = farm(["silent", "ok"], head=ONE_CHILD)
    silent = field.servers["silent"]
    silent.seen("banner", 20)
    for _ in range(8):
        register(Client(field.server, base=field.clients["silent"].base))
    field.servers["ok"].wait_for(1, 60)
    before = silent.connections
    person = register(Client(field.server, base=field.clients["ok"].base))
    wait_for(lambda: field.arrived("ok")[person.email], 60, "the other site's mail")
    assert silent.connections <= before + 2
    field.server.expect_log("UA0201")


def test_tls_that_is_not_as_it_has_to_be(farm, certificates):
    """MAIL-08: missing, stripped, wrong, expired, too old: nothing is sent in clear, health and log show it."""
    field = farm(NO_TLS, lines="UserAuthMailTLS require\n", certificates=certificates)
    server = field.server
    field.wait_states("delayed", 60)
    server.expect_log("UA0201|UA0202")
    for mode in NO_TLS:
        assert field.arrived(mode) == {}
        said = [command.split()[0].upper() for command in field.servers[mode].commands]
        assert "MAIL" not in said and "AUTH" not in said, (mode, said)
        assert field.clients[mode].json("GET", "/auth/health").json()["mail"] == "delayed"
    assert len(causes(server)) == len(NO_TLS), "\n".join(causes(server))
    field.heal()
    field.wait_states("sent", 60)
    for mode in NO_TLS:
        message, = field.servers[mode].messages()
        assert message.tls in ("TLSv1.2", "TLSv1.3") and message.recipients == [field.persons[mode].email]


def test_the_second_mail_on_a_kept_connection_fails(farm):
    """A server that has had enough of the connection: the mail goes out by another one."""
    modes = ["reuse-421", "drop-reuse", "reuse-451"]
    field = farm(modes, head=ONE_CHILD)
    field.wait_states("sent", 30)
    field.server.expect_log("UA0201|UA0202")
    second = {mode: register(Client(field.server, base=client.base)) for mode, client in field.clients.items()}
    for mode in modes:
        wait_for(lambda m=mode: field.arrived(m)[second[m].email], 20, f"the second mail by {mode}")
        if mode == "reuse-451":
            field.heal()
        assert field.arrived(mode) == {field.persons[mode].email: 1, second[mode].email: 1}


def test_a_connection_that_ends_before_the_answer(farm):
    """MAIL-07: at least once; each copy holds the same links, good until one is used."""
    field = farm(["drop-end"])
    bad, client, person = field.servers["drop-end"], field.clients["drop-end"], field.persons["drop-end"]
    bad.wait_for(2, 30)
    field.server.expect_log("UA0201|UA0202")
    field.heal()
    field.wait_states("sent", 30)
    links = {re.search(r"http\S+/auth/verify\?token=\S+", m.text).group() for m in bad.messages()}
    assert len(links) == 1, "copies of one mail hold different links"
    token = links.pop().partition("token=")[2]
    assert client.json("POST", "/auth/verify", {"token": token}).status_code == 200
    assert client.json("POST", "/auth/verify", {"token": token}).json()["code"] == "token_used"
    sign_in(client, person)


def test_a_mail_server_that_is_down_first(farm):
    """Issue 2: down, then up: the mails arrive afterwards, each exactly once, and a resend is possible meanwhile."""
    field = farm(["ok"])
    bad, client = field.servers["ok"], field.clients["ok"]
    wait_for(lambda: bad.messages(), what="the first mail")
    bad.stop()
    persons = []
    for _ in range(5):
        one = Client(field.server, base=client.base)
        persons.append(register(one))
    field.server.wait_log(r"UA0201: .*connect")
    wait_for(lambda: one.json("GET", "/auth/check-email").json()["mail"] == "delayed", what="the delay to show")
    assert one.json("POST", "/auth/resend", {"email": persons[-1].email}).status_code == 202
    bad.start()
    wait_for(lambda: field.server.db("SELECT COUNT(*) FROM outbox WHERE state = 0")[0][0] == 0, 40, "the outbox to be empty")
    field.server.expect_log("UA0202")
    expected = Counter({person.email: 1 for person in persons})
    expected[persons[-1].email] = 2
    assert field.arrived("ok") == expected + Counter([field.persons["ok"].email])
    assert len(causes(field.server)) == 1


def test_an_undeliverable_mail_is_given_up_when_its_link_ends(farm):
    """MAIL-03: tried with growing pauses until the link has expired; then one event, in the table and in the log."""
    field = farm(["rcpt-450"], lines='UserAuthVerifyLifetime 8s\nUserAuthEventLog "${RUN}/logs/events.log"\n')
    server, bad = field.server, field.servers["rcpt-450"]
    wait_for(lambda: server.db("SELECT state FROM outbox")[0][0] == 2, 30, "the mail to be given up")
    server.expect_log("UA0201")
    assert 2 <= server.db("SELECT attempts FROM outbox")[0][0] <= 4
    events = server.db("SELECT COUNT(*) FROM event WHERE kind = 'mail_dropped' AND account_id = ?", field.persons["rcpt-450"].id)
    assert events[0][0] == 1
    wait_for(lambda: [line for line in server.events() if '"mail_dropped"' in line], what="the event's line")
    assert len([line for line in server.events() if '"mail_dropped"' in line]) == 1
    count = len(bad.commands)
    bad.set_mode("ok")
    answer = field.clients["rcpt-450"].json("POST", "/auth/resend", {"email": field.persons["rcpt-450"].email})
    assert answer.status_code == 202
    assert bad.wait_for(1, 15)[0].recipients == [field.persons["rcpt-450"].email] and len(bad.commands) > count


# ---- a sender is killed ----


def holder_of(port, candidates):
    """The process among candidates that has a connection to a port of loopback."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[2].endswith(f":{port:04X}") and fields[3] == "01":
            inodes.add(f"socket:[{fields[9]}]")
    for pid in candidates:
        try:
            links = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        except OSError:
            continue
        if links & inodes:
            return pid
    return None


@pytest.mark.parametrize("mode", ["silent", "stall-rcpt", "stall-middle"])
def test_a_killed_sender_is_replaced(farm, mode):
    """kill -9 in the midst of a mail: another child has it within 5 s (the bound here is generous), once."""
    field = farm([mode])
    server, bad, person = field.server, field.servers[mode], field.persons[mode]
    pid = wait_for(lambda: holder_of(bad.port, server.children()), 20, "a child to hold the connection")
    if mode != "silent":
        bad.seen(mode.partition("-")[2], 20)
    bad.set_mode("ok")  # the held connection stays held
    server.expect_log(KILLED)
    os.kill(pid, signal.SIGKILL)
    messages = bad.wait_for(1, 15)
    assert [m.recipients for m in messages] == [[person.email]]
    wait_for(lambda: set(field.states().values()) == {"sent"}, what="the mail to be marked as sent")
    assert field.arrived(mode) == {person.email: 1}
    engines.check_sound(server)
    assert "UA0201" not in server.log()


class HeldSmtp(BadSmtp):
    """Takes a message, and answers its final dot only when it is let go."""

    def __init__(self, *args, **kwargs):
        self.go = threading.Event()
        super().__init__(*args, **kwargs)

    def note(self, step):
        super().note(step)
        if step == "end":
            self.go.wait(60)


def test_a_sender_killed_after_the_250_sends_one_copy_at_most(new_server, tmp_path):
    """MAIL-09: killed between the server's 250 and our commit: one duplicate with the same link, no loss."""
    with HeldSmtp(tmp_path / "held") as bad:
        server = new_server(site=False, conf=site(LIMITS, UserAuthMail=f"smtp://localhost:{bad.port} accounts@example.com"))
        client = Client(server)
        person = register(client)
        bad.seen("end", 20)
        pid = wait_for(lambda: holder_of(bad.port, server.children()), what="the sender")
        with engines.written(server):  # no commit of the sender's can come through
            bad.go.set()
            server.expect_log(KILLED + "|UA0203|UA0204|UA0201|UA0202")
            os.kill(pid, signal.SIGKILL)
        messages = bad.wait_for(2, 20)
        wait_for(lambda: client.json("GET", "/auth/check-email").json()["mail"] == "sent", what="the mail to be marked")
        assert len(bad.messages()) == 2 and {tuple(m.recipients) for m in messages} == {(person.email,)}
        assert messages[0].text == messages[1].text, "the copies differ"
        assert messages[0].parsed["Message-ID"] == messages[1].parsed["Message-ID"]


def test_mails_of_killed_children_are_never_lost(new_server, tmp_path):
    """PROC-01 in small: children are killed while thirty mails go out; each arrives, at most one copy a kill."""
    with BadSmtp(tmp_path / "smtp") as taker:
        server = new_server(site=False, conf=site(LIMITS, UserAuthMail=f"smtp://localhost:{taker.port} accounts@example.com"))
        server.expect_log(KILLED + "|UA0201|UA0202|AH00485|AH00484|AH10159")
        persons, kills = [], 0
        while len(persons) < 30:
            client = Client(server)
            for _ in range(5):
                persons.append(register(client))
            pid = holder_of(taker.port, server.children())
            if pid:
                os.kill(pid, signal.SIGKILL)
                kills += 1
                wait_for(lambda p=pid: not Path(f"/proc/{p}").exists(), what="its end")
                wait_for(lambda: Client(server).get("/auth/login").status_code == 200, what="an answer")
        wait_for(lambda: server.db("SELECT COUNT(*) FROM outbox WHERE state <> 1")[0][0] == 0, 60, "all mails")
        got = Counter(m.recipients[0] for m in taker.messages())
        assert set(got) == {person.email for person in persons}
        assert kills > 0 and sum(got.values()) <= len(persons) + kills
        engines.check_sound(server)
