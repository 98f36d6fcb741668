"""A mail server that refuses recipients: some, which is nobody else's business, or all, which is everybody's."""
from collections import Counter

import pytest
from bad_smtp import BadSmtp
from client import Client
from confhelp import site
from people import register, stranger
from server import wait_for

LIMITS = "UserAuthRateLimit register off\nUserAuthRateLimit mail off\nUserAuthMailLimit off\n"


class PickySmtp(BadSmtp):
    """Takes nothing for a domain without mail (RFC 7505), or for anybody."""

    code = "556"
    everybody = False

    def code_for(self, recipient):
        return self.code if self.everybody or recipient.endswith("@null-mx.example") else None


def picky_site(new_server, smtp, more=""):
    return new_server(site=False, conf=site(LIMITS + more, UserAuthMail=f"smtp://localhost:{smtp.port} accounts@example.com"))


def register_refused(server, smtp, count):
    before = smtp.refused
    for _ in range(count):
        person = stranger()
        person.email = f"{person.username}@null-mx.example"
        register(Client(server), person)
    wait_for(lambda: smtp.refused >= before + count, 30, "a refusal of each")


def mail_health(server):
    return Client(server).get("/auth/health").json()["mail"]


@pytest.mark.parametrize("code", ["556", "452"])
def test_refused_registrations_stall_nobody(new_server, tmp_path, code):
    """Forty people whom the mail server takes nothing for: everybody else has a mail at once, in the midst of their retries."""
    with PickySmtp(tmp_path / "smtp") as smtp:
        smtp.code = code
        server = picky_site(new_server, smtp)
        server.expect_log("UA0201|UA0202")
        register_refused(server, smtp, 40)
        for _ in range(3):
            person, before = register(Client(server)), smtp.refused
            wait_for(lambda p=person: [m for m in smtp.messages() if m.recipients == [p.email]], 5, "a good mail")
            wait_for(lambda b=before: smtp.refused >= b + 20, 30, "more retries of the others")
        assert mail_health(server) == "ok"
        smtp.code = None    # the domain has mail by now
        wait_for(lambda: server.db("SELECT COUNT(*) FROM outbox WHERE state <> 1")[0][0] == 0, 60, "all to have left")
        assert set(Counter(m.recipients[0] for m in smtp.messages()).values()) == {1}


@pytest.mark.parametrize("hidden", [False, True])
def test_a_server_that_refuses_everybody_is_seen(new_server, tmp_path, hidden):
    """What looks like many bad addresses is a bad server: health says so, until one mail has left. But where no answer may
    tell whose an address is, registrations and resets say nothing."""
    with PickySmtp(tmp_path / "smtp") as smtp:
        server = picky_site(new_server, smtp, "UserAuthHideAccounts on\n" if hidden else "")
        server.expect_log("UA0201|UA0202")
        smtp.everybody, smtp.code = True, "554"
        register_refused(server, smtp, 9)
        assert mail_health(server) == "ok" and "UA0201" not in server.log()
        register_refused(server, smtp, 1)
        if hidden:
            register_refused(server, smtp, 20)
            assert mail_health(server) == "ok" and "UA0201" not in server.log()
            return
        wait_for(lambda: mail_health(server) == "delayed", what="the trouble to show")
        assert server.log().count("UA0201") == 1 and "RCPT failed: 554" in server.log()
        smtp.everybody = False
        person = register(Client(server))
        wait_for(lambda: [m for m in smtp.messages() if m.recipients == [person.email]], 5, "a good mail")
        wait_for(lambda: mail_health(server) == "ok", what="its end to show")
        assert server.log().count("UA0202") == 1
