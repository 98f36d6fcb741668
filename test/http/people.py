"""people.py: persons with an account, made the way persons make one: form, mail, link, form.

join(server)        an account: registered, confirmed, not signed in
letter(server, person)   the mail that somebody got
link_token(server, email, purpose)   the newest link of a kind
signed_in(server)   its Client with a session; .person is the account
"""
import functools
import itertools
import os
from dataclasses import dataclass

from client import Client
from mails import Mail
from server import wait_for

PASSWORD = "purple-monkey-dishwasher-92"
_numbers = itertools.count(1)


@dataclass
class Person:
    username: str
    email: str
    display_name: str
    id: str = ""
    password: str = PASSWORD


def stranger(stem="person"):
    """Somebody who is not registered yet, with a name that nobody else has."""
    name = f"{stem}{os.getpid()}x{next(_numbers)}"
    return Person(name, f"{name}@example.org", f"{stem.title()} of {name}")


def fields_of(person):
    return {
        "username": person.username,
        "email": person.email,
        "display_name": person.display_name,
        "password": person.password,
    }


def register(client, person=None):
    """Registers through JSON and returns the person, unconfirmed."""
    person = person or stranger()
    answer = client.json("POST", "/auth/register", fields_of(person))
    assert answer.status_code == 201, f"{answer.status_code} {answer.text}"
    person.id = answer.json()["user"]["id"]
    return person


def confirm(client, token):
    answer = client.json("POST", "/auth/verify", {"token": token})
    assert answer.status_code == 200, f"{answer.status_code} {answer.text}"


def letter(server, person, n=1, seconds=15):
    """The n-th mail to a person."""
    return server.wait_mail(person.email, n, seconds)


def link_token(server, email, purpose, after=0):
    """The token of the newest mail to an address with a link of this purpose; `after` so many earlier ones."""

    def found():
        mails = [mail for mail in server.mails(email) if f"/auth/{purpose}?token=" in mail.text]
        return mails[-1].token(purpose) if len(mails) > after else None

    return wait_for(found, what=f"a {purpose} mail to {email}")


def join(server, client=None, person=None):
    """A confirmed account; the mail comes from the server's folder."""
    client = client or Client(server)
    person = register(client, person)
    confirm(client, letter(server, person).token("verify"))
    return person


def sign_in(client, person, **fields):
    """Signs in through the form, without a browser's headers, and returns the answer."""
    answer = client.post("/auth/login", {"login": person.username, "password": person.password, **fields})
    assert answer.status_code == 303, f"{answer.status_code} {answer.text}"
    return answer


def signed_in(server, person=None, **kwargs):
    """A client with a session of a new account, or of `person`."""
    client = Client(server, **kwargs)
    client.person = person or join(server)
    sign_in(client, client.person)
    return client


def is_signed_in(client):
    """Whether the server still knows the client's session."""
    return client.get("/dashboard", headers={"Accept": "application/json"}).status_code == 200


def outbox(server, email):
    """The states of a person's mails in the database: 0 waiting, 1 sent, 2 given up."""
    return [row["state"] for row in server.db("SELECT state FROM outbox WHERE email = ? ORDER BY created", email)]


def wait_sent(server, email, n=1, seconds=15):
    wait_for(lambda: outbox(server, email).count(1) >= n, seconds, f"mail {n} to {email} to be marked as sent")
