"""crowd.py: people at a live site while it is ill-treated, and a ledger of all that they were told.

Each registers, opens the link of the mail (twice), signs in, edits the profile, forgets the password, sets another by
mail (using that link twice), signs in and edits again; then the next one comes. What a lost answer leaves open is tried
again until it is known. Ledger.check() holds the database and the mails against what was told; .wrong has every breach.
"""
import collections
import concurrent.futures
import itertools
import random
import threading
import time
from dataclasses import dataclass, field

import requests
from client import Client
from people import PASSWORD, fields_of, stranger
from server import wait_for

OTHER = "seven-quiet-otters-paint-12"
PATIENCE = 60  # seconds for a mail, whatever happens to the server meanwhile
PAUSE = 0.05  # what a client that was told 503, or nothing, lets pass
ANSWER = 20  # seconds for an answer: nothing waits without a bound


class Ended(Exception):
    """This person's story went wrong."""


@dataclass
class Entry:
    """What one person was told."""
    person: object
    told: collections.Counter = field(default_factory=collections.Counter)
    name: str = ""       # the display name that was acknowledged last
    names: set = field(default_factory=set)  # those that it may be instead: the answer was lost
    password: str = PASSWORD
    done: bool = False


class Ledger:
    def __init__(self, server, inbox):
        self.server, self.inbox = server, inbox
        self.entries, self.wrong, self.answers = [], [], collections.Counter()
        self.lock = threading.Lock()
        self.checked = 0

    def add(self, entry):
        with self.lock:
            self.entries.append(entry)

    def fault(self, text):
        with self.lock:
            self.wrong.append(text)

    def count(self, answer):
        with self.lock:
            self.answers[answer] += 1

    def acknowledged(self):
        return sum((entry.told for entry in self.entries), collections.Counter())

    def check(self, all_of_them=False):
        """Those who are done (or all, when nobody asks any more) against the database; how many they were."""
        with self.lock:
            entries = self.entries[self.checked:]
        done = list(itertools.takewhile(lambda entry: all_of_them or entry.done, entries))
        self.checked += len(done)
        rows = Rows(self.server)
        for entry in done:
            self.fault_unless(entry, *differences(entry, rows))
        return len(done)

    def fault_unless(self, entry, *texts):
        for text in texts:
            self.fault(f"{entry.person.username}: {text}; told: {dict(entry.told)}")

    def check_sign_ins(self, number):
        """Those who were done last, with the passwords that they were told of."""
        for entry in [one for one in self.entries if one.done][-number:]:
            # A child that met no database waits a second before it asks again: it says 503 until then.
            status = wait_for(lambda fields={"login": entry.person.username, "password": entry.password}: self.log_in(fields), 10)
            self.fault_unless(entry, *[f"cannot sign in: {status}"] * (status != 200))

    def log_in(self, fields):
        """The status, when there is one but 503."""
        status = Client(self.server).json("POST", "/auth/login", fields).status_code
        return status if status != 503 else None

    def check_mails(self):
        """Every mail of the outbox has arrived; (mails, {id: times} of those that came more than once)."""
        arrived = self.inbox.arrivals()
        sent = [row["id"] for row in self.server.db("SELECT id FROM outbox WHERE state = 1 AND kind <> 'nobody'")]
        for name in sent:
            if name not in arrived:
                self.fault(f"mail {name} is marked as sent and did not arrive")
        return len(sent), {name: times for name, times in arrived.items() if len(times) > 1}


class Rows:
    """What the database holds of everybody, read at once."""

    def __init__(self, server):
        self.accounts = collections.defaultdict(list)
        for row in server.db("SELECT username, id, enabled, display_name FROM account"):
            self.accounts[row["username"]].append(row)
        self.events, self.mails = collections.Counter(), collections.Counter()
        for row in server.db("SELECT account_id, kind, COUNT(*) AS number FROM event GROUP BY account_id, kind"):
            self.events[row["account_id"], row["kind"]] = row["number"]
        for row in server.db("SELECT account_id, kind, COUNT(*) AS number FROM outbox GROUP BY account_id, kind"):
            self.mails[row["account_id"], row["kind"]] = row["number"]


def differences(entry, rows):
    told, found = entry.told, rows.accounts[entry.person.username]
    if len(found) != 1:
        return [f"{len(found)} accounts"] if told or found else []
    row, wrong = found[0], []
    if told["verified"] and not row["enabled"]:
        wrong.append("the confirmation is lost")
    if told["edited"] and row["display_name"] not in {entry.name, *entry.names}:
        wrong.append(f'the display name is {row["display_name"]}, not {entry.name}')
    events = {kind: rows.events[row["id"], kind] for kind in ("registered", "verified", "password_reset")}
    wrong += [f"{number} events {kind}" for kind, number in events.items() if number > 1 or number < max(told[kind], entry.done)]
    wanted = {"verify": told["registered"], "reset": told["forgot"], "password-changed": told["password_reset"]}
    mails = {kind: rows.mails[row["id"], kind] for kind in wanted}
    return wrong + [f"{mails[kind]} mails {kind}, not {number}" for kind, number in wanted.items() if mails[kind] < number]


class Crowd:
    """with Crowd(ledger, clients=8, nodes=[server]): … The first node's address is that of the site."""

    def __init__(self, ledger, clients, nodes, seed=0, at_once=True):
        self.ledger, self.nodes, self.at_once = ledger, nodes, at_once
        self.ending = threading.Event()
        self.random = random.Random(seed)
        self.pool = concurrent.futures.ThreadPoolExecutor(2 * clients)
        self.threads = [threading.Thread(target=self.people, args=(number,), daemon=True) for number in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        """Everybody's story comes to its end first, so that the whole of it can be checked."""
        self.ending.set()
        for thread in self.threads:
            thread.join()
        self.pool.shutdown()

    def people(self, number):
        for turn in itertools.count(number):
            if self.ending.is_set():
                return
            entry = Entry(stranger("crowd"))
            self.ledger.add(entry)
            try:
                self.story(entry, turn)
                entry.done = True
            except Ended as why:
                self.ledger.fault_unless(entry, str(why))
            except Exception as why:  # a fault of the campaign itself must not pass for silence
                self.ledger.fault_unless(entry, repr(why))

    def story(self, entry, turn):
        client, inbox, email = self.client(), self.ledger.inbox, entry.person.email
        self.tell(entry, "registered", client, "/auth/register", fields_of(entry.person), 201, 409)
        self.use(entry, "verified", "/auth/verify", {"token": self.token(email, "verify", inbox)}, turn)
        first = self.sign_in(entry)
        self.edit(entry, first, "first")
        self.tell(entry, "forgot", client, "/auth/forgot", {"email": email}, 202)
        token = self.token(email, "reset", inbox)
        entry.password = OTHER
        self.use(entry, "password_reset", "/auth/reset", {"token": token, "password": OTHER}, turn)
        self.must_be_out(first)
        self.edit(entry, self.sign_in(entry), "second")

    def client(self):
        """Of a person whose balancer picks any node for each request."""
        one = Client(self.nodes[0])
        one.session.headers["Host"] = f"localhost:{self.nodes[0].port}"
        return one

    def token(self, email, purpose, inbox):
        found = inbox.wait(email, purpose, PATIENCE)
        if not found:
            raise Ended(f"no mail with a link to {purpose} within {PATIENCE} s")
        return found

    def ask(self, client, method, path, body):
        """The answer, or None when it was lost, or the site said that it could not."""
        node = self.random.choice(self.nodes)
        try:
            answer = client.json(method, node.base + path, body, timeout=ANSWER)
        except requests.Timeout:
            self.ledger.fault(f"{path}: no answer in {ANSWER} s")
            return None
        except requests.RequestException:
            self.ledger.count("lost")
            return None
        self.ledger.count(answer.status_code)
        return None if answer.status_code == 503 and "Retry-After" in answer.headers else answer

    def known(self, client, path, body):
        """Asks until there is an answer: (it, whether an earlier one was lost)."""
        end, lost = time.monotonic() + PATIENCE, False
        while time.monotonic() < end:
            answer = self.ask(client, "POST", path, body)
            if answer is not None:
                return answer, lost
            lost = True
            time.sleep(PAUSE)
        raise Ended(f"{path}: nothing but 503 or no answer for {PATIENCE} s")

    def tell(self, entry, what, client, path, body, good, found=None):
        """Asks until it is acknowledged; `found` is the status by which an earlier try shows whose answer was lost."""
        answer, lost = self.known(client, path, body)
        if answer.status_code == good:
            entry.told[what] += 1
        elif not lost or answer.status_code != found:
            raise Ended(f"{path}: {answer.status_code} {answer.text}")

    def use(self, entry, what, path, body, turn):
        """A link: used by one (or two at once), then twice more: there is one success, though its answer may be lost."""
        clients = [self.client() for _ in range(2 if turn % 3 == 0 else 1)]
        rivals = [self.pool.submit(self.ask, client, "POST", path, body) for client in clients]
        answers = [rival.result() for rival in rivals]
        lost = None in answers
        for _ in range(2):
            answer, again = self.known(clients[0], path, body)
            answers.append(answer)
            lost = lost or again
        statuses = [answer.status_code for answer in answers if answer is not None]
        entry.told[what] += statuses.count(200)
        good = entry.told[what] == 1 or (entry.told[what] == 0 and lost)
        if not good or statuses[-1] != 410 or not set(statuses) <= {200, 410}:
            raise Ended(f"{path}: a link gave {statuses}")

    def sign_in(self, entry):
        client = self.client()
        self.tell(entry, "login", client, "/auth/login", {"login": entry.person.username, "password": entry.password}, 200)
        return client

    def edit(self, entry, client, word):
        name = f"{word} of {entry.person.username}"
        entry.names.add(name)
        self.tell(entry, "edited", client, "/dashboard/profile", {"display_name": name}, 200)
        entry.name, entry.names = name, set()

    def must_be_out(self, client):
        """INV-5, where one server alone is asked: a new password ends what was before."""
        answer = self.ask(client, "GET", "/auth/me", None) if self.at_once else None
        if answer is not None and answer.status_code != 401:
            raise Ended(f"a session outlived the password: {answer.status_code}")
