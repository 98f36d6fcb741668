"""A site sends a bounded number of mails, whoever asks for them: UserAuthMailBudget. MAIL-02."""
from collections import Counter

import pytest
from client import Client
from confhelp import site
from people import fields_of, stranger
from server import Server, wait_for
from smtp_server import SmtpServer

LIMITS = 'UserAuthRateLimit register off\nUserAuthMailBudget 6/6s\nUserAuthEventLog "${RUN}/logs/events.log"\n'


@pytest.fixture
def sender(run_folder, log_gate, tmp_path):
    with SmtpServer(tmp_path / "smtp") as smtp:
        server = Server(run_folder, site=False, conf=site(LIMITS, UserAuthMail=f"smtp://127.0.0.1:{smtp.port} a@example.com"))
        server.smtp = smtp
        log_gate.watch(server)
        try:
            yield server.start()
        finally:
            server.stop()


def test_a_crowd_is_answered_and_its_mails_wait(sender):
    """Every registration is answered as ever; the mails leave the oldest first, each once, and the event is told once a time."""
    persons = [stranger() for _ in range(15)]
    for person in persons:
        answer = Client(sender).json("POST", "/auth/register", fields_of(person))
        assert answer.status_code == 201 and answer.json()["mail"] in ("queued", "sent")
    sender.expect_log("UA0207")
    wait_for(lambda: sender.db("SELECT COUNT(*) FROM outbox WHERE state = 0")[0][0] == 0, 40, "all mails to leave")
    assert Counter(one for mail in sender.smtp.messages() for one in mail.recipients) == Counter(person.email for person in persons)
    times = sorted(row[0] for row in sender.db("SELECT sent FROM outbox"))
    assert all(later - earlier >= 3_000_000 for earlier, later in zip(times, times[6:]))
    by_age = [row[0] for row in sender.db("SELECT username FROM outbox ORDER BY created")]
    by_sent = [row[0] for row in sender.db("SELECT username FROM outbox ORDER BY sent")]
    assert [set(by_sent[i:i + 6]) for i in (0, 6, 12)] == [set(by_age[i:i + 6]) for i in (0, 6, 12)]
    told = [line for line in sender.events() if '"mail_budget"' in line]
    assert len(told) == sender.db("SELECT COUNT(*) FROM event WHERE kind = 'mail_budget'")[0][0] == 2
