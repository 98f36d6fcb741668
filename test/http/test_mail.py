"""Mails: what is in them, and a real SMTP server that takes them, with STARTTLS, TLS, login and one connection for many."""
import email
import email.policy
import re
import shutil
import socket
import threading

import pytest
from bad_smtp import BadSmtp
from client import Client
from confhelp import site
from mpm import ONE_CHILD
from people import join, register, stranger, wait_sent
from server import wait_for
from smtp_server import SmtpServer, make_certificates

HEADERS = {"from", "to", "subject", "date", "message-id", "mime-version", "content-type", "auto-submitted"}


@pytest.fixture(scope="module")
def certificates(run_folder):
    return make_certificates(run_folder / "smtp-tls")


@pytest.fixture
def smtp(request, tmp_path, certificates):
    """smtp(tls=…, auth=…): a mail server that ends with the test."""
    made = []

    def make(**kwargs):
        one = SmtpServer(tmp_path / f"smtp{len(made)}", certificates=certificates, **kwargs)
        one.start()
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop()


def mail_site(url, *lines):
    return site("UserAuthRateLimit register off\nUserAuthRateLimit mail off\n" + "\n".join(lines),
                UserAuthMail=f'{url} "Example <accounts@example.com>"')


def authority(server, certificates):
    """The line for the certificates to trust, in a file that Apache's children can read."""
    shutil.copy(certificates.ca_file, server.folder / "ca.pem")
    return 'UserAuthMailCAFile "${RUN}/ca.pem"'


def secret_file(server, text="a-mail-password-7Q\n"):
    """The file of the mail server's password."""
    path = server.folder / "mail.pw"
    path.write_text(text)
    path.chmod(0o600)
    return 'UserAuthMailUser me@example.com\nUserAuthMailPasswordFile "${RUN}/mail.pw"'


# ---- what is in them (MAIL-12) ----


def judge_form(raw):
    """The form every mail has: RFC 5322 and MIME without a defect, in lines that every server takes."""
    parsed = email.message_from_bytes(raw, policy=email.policy.SMTP.clone(raise_on_defect=True))
    assert b"\r\n" in raw and b"\n" not in raw.replace(b"\r\n", b"") and b"\r" not in raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert max(raw) < 128, "the mail is not plain ASCII on the wire"
    names = [name.lower() for name in parsed.keys()]
    assert len(names) == len(set(names)) and set(names) == HEADERS, names
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["From"].addresses[0].addr_spec == "accounts@example.com"
    assert parsed["From"].addresses[0].display_name == "Example"
    assert re.fullmatch(r"<[^<>@\s]+@example\.com>", parsed["Message-ID"].strip())
    assert parsed["Date"].datetime.tzinfo is not None
    assert len(str(parsed["Subject"])) <= 60
    assert parsed.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]
    return parsed


def test_a_mail_is_well_formed_and_complete(server):
    person = register(Client(server))
    mail = server.wait_mail(person.email)
    parsed = judge_form(mail.data)
    assert parsed["To"].addresses[0].addr_spec == person.email
    assert mail.subject == "Confirm your email for Example"
    for text in (mail.text, mail.html):
        assert f"Hello {person.username}," in text
        assert "24 hours" in text and "Not you?" in text and "Remove this registration" in text
        assert text.count("/auth/disown?token=") == 1
        assert person.display_name not in text and person.password not in text
    assert mail.link("verify").startswith(f"{server.base}/auth/verify?token=")
    assert max(len(line) for line in mail.text.splitlines() if "http" not in line) <= 78
    assert mail.link("verify") in mail.text.splitlines(), "the link stands on a line of its own"
    assert mail.html.count(mail.token("verify")) == 3  # button, bare link and its text


def test_the_html_part_fetches_nothing_and_tracks_nobody(server):
    """MAIL-12, look.md: no image, no script, no foreign address; every link is the site's."""
    person = register(Client(server))
    html = server.wait_mail(person.email).html
    assert not re.search(r"<(img|script|link|iframe|object|video|form|base)\b|\bsrc\s*=|url\(|@import|\bon\w+\s*=", html, re.I)
    for address in re.findall(r'href="([^"]*)"', html):
        assert address == server.base or address.startswith(server.base + "/auth/"), address


def test_the_folder_holds_the_mail_and_its_page(server):
    person = register(Client(server))
    mail = server.wait_mail(person.email)
    page = mail.path.with_suffix(".html")
    assert page.read_text().split() == mail.html.split()
    assert mail.path.stat().st_mode & 0o777 == 0o644
    assert not list((server.folder / "mail").glob(".*.tmp")), "a draft was left"


def test_reply_to_only_when_configured(new_server):
    server = new_server(conf='UserAuthMailReplyTo "Help desk <help@example.com>"')
    person = register(Client(server))
    mail = server.wait_mail(person.email)
    assert mail["Reply-To"].addresses[0].addr_spec == "help@example.com"


@pytest.mark.parametrize("sender, name, address", [
    ("accounts@example.com", "", "accounts@example.com"),
    ("Zoë & Söhne <konto@example.com>", "Zoë & Söhne", "konto@example.com"),
    ('\\"Doe, John\\" <john@example.com>', "Doe, John", "john@example.com"),
])
def test_senders(new_server, sender, name, address):
    """SMTP-02: encoded words where they are needed, and quotes."""
    server = new_server(site=False, conf=site(UserAuthMail=f'"folder:${{RUN}}/mail" "{sender}"'))
    mail = server.wait_mail(register(Client(server)).email)
    found = mail["From"].addresses[0]
    assert (found.display_name, found.addr_spec) == (name, address)
    assert max(mail.data) < 128


def test_the_mail_for_a_confirmed_address(server):
    """A resend to a confirmed address says so, and holds no link that does anything."""
    person = join(server)
    server.db("DELETE FROM throttle")
    assert Client(server).json("POST", "/auth/resend", {"email": person.email}).status_code == 202
    mail = wait_for(lambda: [mail for mail in server.mails(person.email) if "Already confirmed" in mail.subject], what="the mail")[0]
    judge_form(mail.data)
    assert f"{server.base}/auth/login" in mail.links()
    assert "token=" not in mail.text + mail.html and mail.code is None


# ---- by SMTP ----


def sent_to(smtp_server, person, seconds=15):
    """The one message to a person."""
    found = wait_for(lambda: [m for m in smtp_server.messages() if m.recipients == [person.email]], seconds, "the mail")
    assert len(found) == 1
    return found[0]


def test_plain_smtp_on_loopback(new_server, smtp):
    """Without TLS words smtp://localhost speaks plainly (trap 31)."""
    taker = smtp()
    server = new_server(site=False, conf=mail_site(f"smtp://localhost:{taker.port}"))
    person = register(Client(server))
    message = sent_to(taker, person)
    judge_form(message.raw)
    assert (message.sender, message.tls, message.user) == ("accounts@example.com", "", "")
    assert message.helo == "localhost"
    assert f"{server.base}/auth/verify?token=" in message.text and person.username in message.html
    wait_sent(server, person.email)
    assert len(taker.messages()) == 1


@pytest.mark.parametrize("scheme, kind", [("smtp", "starttls"), ("smtps", "smtps")])
def test_tls_with_a_verified_certificate_and_a_login(new_server, smtp, certificates, scheme, kind):
    """MAIL-08, CFG-12: UserAuthMailTLS require, UserAuthMailCAFile, user and password file."""
    taker = smtp(tls=kind, auth=("me@example.com", "a-mail-password-7Q"))
    server = new_server(start=False, site=False)
    server.conf = mail_site(f"{scheme}://localhost:{taker.port}", "UserAuthMailTLS require",
                            authority(server, certificates), secret_file(server))
    server.start()
    person = register(Client(server))
    message = sent_to(taker, person)
    assert message.tls.startswith("TLSv1.") and message.tls >= "TLSv1.2"
    assert message.user == "me@example.com"
    judge_form(message.raw)
    assert "a-mail-password" not in server.log()


@pytest.mark.parametrize("scheme, kind", [("smtp", "starttls"), ("smtps", "smtps")])
def test_a_certificate_nobody_vouches_for_is_refused_and_logged_once(new_server, smtp, scheme, kind):
    """MAIL-08: not sent, one line for the cause; `unverified` is the explicit word that sends."""
    taker = smtp(tls=kind)
    lines = ["UserAuthMailTLS require"] if scheme == "smtp" else []
    server = new_server(site=False, conf=mail_site(f"{scheme}://localhost:{taker.port}", *lines))
    person = register(Client(server))
    server.wait_log(r"UA0201: .*(certificate|SSL|TLS|60)")
    wait_for(lambda: server.db("SELECT attempts FROM outbox")[0][0] >= 2, what="a second try")
    assert taker.messages() == []
    assert server.log().count("UA0201") == 1
    server.conf = mail_site(f"{scheme}://localhost:{taker.port}", "UserAuthMailTLS unverified")
    server.graceful()
    assert sent_to(taker, person, 30).tls.startswith("TLSv1.")
    server.expect_log("UA0202")


def test_a_wrong_password_is_logged_once_and_healed_by_a_restart(new_server, smtp, certificates):
    taker = smtp(tls="starttls", auth=("me@example.com", "a-mail-password-7Q"))
    server = new_server(start=False, site=False)
    server.conf = mail_site(f"smtp://localhost:{taker.port}", "UserAuthMailTLS require",
                            authority(server, certificates), secret_file(server, "wrong-mail-password\n"))
    server.start()
    client = Client(server)
    person = register(client)
    server.wait_log(r"UA0201: .*(535|[Ll]ogin|denied)")
    wait_for(lambda: client.json("GET", "/auth/check-email").json()["mail"] == "delayed", what="the page to know")
    assert "wrong-mail-password" not in server.log()
    secret_file(server)
    server.graceful()
    assert sent_to(taker, person, 30).user == "me@example.com"
    server.expect_log("UA0202")


def test_an_old_child_with_a_long_answer_sends_no_more(new_server, smtp):
    """After a graceful restart mails leave by the new settings only, however long a child of before has to stay."""
    first, second = smtp(), smtp()
    backend, done, answer = socket.create_server(("127.0.0.1", 0)), threading.Event(), []

    def answer_slowly():
        link, _ = backend.accept()
        link.recv(65536)
        link.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nbegun, ")
        done.wait(60)
        link.sendall(b"done")
        link.close()

    line = f'ProxyPass "/long" "http://127.0.0.1:{backend.getsockname()[1]}/"'
    server = new_server(site=False, conf=mail_site(f"smtp://localhost:{first.port}", line))
    threads = [threading.Thread(target=answer_slowly), threading.Thread(target=lambda: answer.append(Client(server).get("/long").text))]
    try:
        for thread in threads:
            thread.start()
        sent_to(first, register(Client(server)), 30)
        old = set(server.children())
        server.conf = mail_site(f"smtp://localhost:{second.port}", line)
        server.graceful()
        wait_for(lambda: len(old & set(server.children())) == 1, 45, "all old children but that one to be gone")
        for _ in range(12):
            sent_to(second, register(Client(server)), 30)
        assert len(old & set(server.children())) == 1 and len(first.messages()) == 1
    finally:
        done.set()
        for thread in threads:
            thread.join()
        backend.close()
    assert answer == ["begun, done"]


def test_one_connection_carries_many_mails(new_server, smtp):
    taker = smtp()
    server = new_server(site=False, head=ONE_CHILD, conf=mail_site(f"smtp://localhost:{taker.port}"))
    persons = [register(Client(server)) for _ in range(12)]
    messages = taker.wait_for(len(persons), 30)
    assert sorted(m.recipients[0] for m in messages) == sorted(p.email for p in persons)
    assert taker.connections == 1 and {m.connection for m in messages} == {1}


def test_a_mail_server_that_went_away_between_two_mails(new_server, smtp):
    """A kept connection that has died costs nothing: no warning, no delay by back-off."""
    taker = smtp()
    server = new_server(site=False, head=ONE_CHILD, conf=mail_site(f"smtp://localhost:{taker.port}"))
    sent_to(taker, register(Client(server)))
    taker.stop()
    taker.start()
    person = register(Client(server))
    sent_to(taker, person)
    wait_sent(server, person.email)
    assert server.db("SELECT MAX(attempts) FROM outbox")[0][0] == 1
    assert "UA0201" not in server.log()


def test_names_do_not_reach_the_headers(new_server, smtp):
    """SMTP-01, SMTP-02: whatever is typed, one MAIL, one RCPT, one header set."""
    taker = smtp()
    server = new_server(site=False, conf=mail_site(f"smtp://localhost:{taker.port}"))
    person = stranger()
    person.display_name = "=?utf-8?q?evil?= Bcc: x@evil.example"
    register(Client(server), person)
    for address in ("a@b.example>\r\nRCPT TO:<evil@x.example", "a@b.example\nBcc: evil@x.example", "<a@b.example> NOTIFY=SUCCESS",
                    "a@b.example\r", "a@b.example,evil@x.example", "a\u2028b@b.example", "a@b.example\x85"):
        other = stranger()
        answer = Client(server).json("POST", "/auth/register", {
            "username": other.username, "email": address, "password": other.password})
        if answer.status_code == 201:  # a blank around it is taken away
            assert answer.json()["user"]["email"] == "a@b.example", address
            server.db("DELETE FROM account WHERE email_key = 'a@b.example'")
        else:
            assert answer.status_code in (400, 422), address
    sent_to(taker, person)
    wait_for(lambda: server.db("SELECT COUNT(*) FROM outbox WHERE state = 0")[0][0] == 0, what="all mails")
    for message in taker.messages():
        assert len(message.recipients) == 1 and "evil" not in "".join(message.recipients)
        judge_form(message.raw)


def test_the_site_goes_on_without_a_mail_server_name(new_server):
    """MAIL-13: a name that cannot be resolved: the account stands, the log says why."""
    server = new_server(site=False, conf=mail_site("smtp://no-such-host.invalid"))
    client = Client(server)
    register(client)
    server.wait_log(r"UA0201: .*resolve", 40)
    wait_for(lambda: client.json("GET", "/auth/check-email").json()["mail"] == "delayed", what="the page to know")
    assert server.log().count("UA0201") == 1


@pytest.mark.parametrize("bounces, sender", [("on", "accounts@example.com"), ("off", "")])
def test_an_envelope_without_a_sender(new_server, tmp_path, bounces, sender):
    """MAIL-14: what can't be delivered comes back to nobody; the letter itself, and one to nobody, are as ever."""
    with BadSmtp(tmp_path / "smtp") as smtp:
        mail = f'smtp://localhost:{smtp.port} "Example <accounts@example.com>"'
        server = new_server(site=False, conf=site(f"UserAuthMailBounces {bounces}", UserAuthMail=mail))
        client = Client(server)
        assert client.json("POST", "/auth/forgot", {"email": "nobody@example.org"}).status_code == 202
        register(client)
        assert smtp.wait_for(1)[0].sender == sender
        wait_for(lambda: server.db("SELECT COUNT(*) FROM outbox WHERE state <> 1")[0][0] == 0, what="both to be done")
        assert {line.split(" ")[1] for line in smtp.commands if line.startswith("MAIL")} == {f"FROM:<{sender}>"}
