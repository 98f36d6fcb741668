"""moves.py: a person who changes the address of an account, for the tests of profile, change_email and undo.

site_for(run_folder)         a server without mail limits
link_mail(server, email, verb)   the newest mail to an address that carries a link to /auth/<verb>
move(server, client, email)  asks for another address and opens its link
"""
import contextlib

from mails import Mail
from server import Server, wait_for

PROFILE = "/dashboard/profile"


@contextlib.contextmanager
def site_for(run_folder, conf=""):
    server = Server(run_folder, conf="UserAuthMailLimit off\nUserAuthRateLimit token off\nUserAuthRateLimit mail off\n" + conf)
    try:
        yield server.start()
    finally:
        server.stop()


def link_mail(server, email, verb, count=1):
    """Waits for the count-th such mail."""
    stamp, mark = f"To: {email}\r\n".encode(), f"/auth/{verb}?token=".encode()

    def found():
        datas = [path.read_bytes() for path in sorted((server.folder / "mail").glob("*.eml"))]
        datas = [data for data in datas if stamp in data and mark in data]
        return datas[count - 1:]

    return Mail(wait_for(found, what=f"a mail with a link to {verb} for {email}")[-1])


def ask(client, email, **fields):
    """Asks for another address and returns the profile."""
    answer = client.json("POST", PROFILE, {"email": email, **fields})
    assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
    return answer.json()


def move(server, client, email):
    """The whole change."""
    assert ask(client, email)["pending_email"] == email
    answer = client.json("POST", "/auth/email", {"token": link_mail(server, email, "email").token("email")})
    assert answer.status_code == 200, f"{answer.status_code} {answer.text}"


def address_of(server, person):
    return server.db("SELECT email FROM account WHERE id = ?", person.id)[0]["email"]
