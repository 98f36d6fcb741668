"""races.py: many requests at the same instant, over two Apaches on one database. Used by test_races*.py alone.

Pair(run_folder, conf)        two nodes of one site; it is the first one's Server, with `second` beside
at_once(pair, requests)       sends them at one instant, half to each node
prepared(pair, count, make)   what so many races begin with, made in batches, so that their mails are waited for together
"""
import http.client
import json
import os
import random
import re
import socket
import time
from collections import Counter
from urllib.parse import urlencode

from client import Client, new_address
from mpm import several
from people import confirm, letter, register
from server import SITE, Server

ROUNDS = int(os.environ.get("UA_ROUNDS") or 0)
MANY = 64
BATCH = 50
# The hash that takes the least memory of those allowed, and so the least time. Mail limits are those of a test.
CONF = """
UserAuthRateLimit login off
UserAuthRateLimit register off
UserAuthRateLimit token off
UserAuthRateLimit mail off
UserAuthPasswordHash m=7168,t=5,p=1
UserAuthHashQueue 256
UserAuthSessionCacheTTL 2s
KeepAliveTimeout 60
"""  # who waits for a mail does not lose the connection meanwhile


class Pair(Server):
    """Two Apaches that share database, key file and mail folder. The second has the first's address."""

    def __init__(self, run_folder, conf):
        super().__init__(run_folder, conf=conf, head=several(2, 32))
        self.second = Server(run_folder, head=self.head, site=False)
        self.seen, self.rounds, self.began = Counter(), 0, time.monotonic()

    def start(self):
        super().start()
        shared = re.sub(r"\$\{RUN\}(?!/logs)", str(self.folder), SITE).replace("${BASE_URL}", self.base)
        self.second.conf = shared + self.conf
        self.second.start()
        return self

    def stop(self):
        self.second.stop()
        super().stop()

    def expect_log(self, pattern):
        super().expect_log(pattern)
        self.second.expect_log(pattern)

    def unexpected_log(self):
        return super().unexpected_log() + self.second.unexpected_log()

    def tell(self):
        """Prints what at_once() saw since the last call, for the record of a campaign."""
        seconds, self.began = time.monotonic() - self.began, time.monotonic()
        answers = ", ".join(f"{status}: {count}" for status, count in sorted(self.seen.items()))
        print(f"{self.rounds} times at once in {seconds:.1f} s: {answers}")
        self.seen, self.rounds = Counter(), 0


def rounds(usual, variants=1):
    """How many rounds a test runs: as many as usual, or its share of UA_ROUNDS when a case has several variants."""
    return max(1, ROUNDS // variants) if ROUNDS else usual


# ---- persons in number ----


def newcomer(site):
    """A registered person's client, its mail on its way: for prepared()."""
    client = Client(site)
    client.person = register(client)
    yield
    return client


def member(site):
    """The same, confirmed."""
    client = yield from newcomer(site)
    confirm(client, letter(site, client.person).token("verify"))
    return client


def prepared(site, count, make, *args):
    """What make(site, …) returns, `count` times. It is a generator that yields where a mail is to come: all of a batch get
    that far before the first waits. Mails of the batch before are removed, so that finding one stays cheap."""
    for first in range(0, count, BATCH):
        for path in [*site.folder.glob("mail/*.eml"), *site.folder.glob("mail/*.html")]:  # not what is being written
            path.unlink()
        waiting, done = [make(site, *args) for _ in range(min(BATCH, count - first))], []
        while waiting:
            waiting = [one for one in waiting if goes_on(one, done)]
        yield from done


def goes_on(maker, done):
    try:
        next(maker)
        return True
    except StopIteration as end:
        done.append(end.value)
        return False


# ---- at one instant ----


def at_once(site, requests, nodes=None):
    """Sends all requests at one instant; (method, path, body, headers) each. Their (status, JSON or text).

    Each has a connection of its own, and a thread of Apache's that waits for its last byte; these are all sent within
    about a millisecond. Half go to each node, in no pattern; `nodes` names others."""
    nodes = nodes or [site, site.second]
    which = [nodes[i % len(nodes)] for i in range(len(requests))]
    random.Random(len(requests)).shuffle(which)
    links, texts = [], [as_text(*request) for request in requests]
    try:
        for node, text in zip(which, texts):
            links.append(socket.create_connection(("127.0.0.1", node.port), 120))
            links[-1].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            links[-1].sendall(text[:-1])
        for link, text in zip(links, texts):
            link.sendall(text[-1:])
        answers = [answer_on(link, request[0]) for link, request in zip(links, requests)]
    finally:
        for link in links:
            link.close()
    site.rounds += 1
    site.seen += statuses(answers)
    return answers


def as_text(method, path, body, headers):
    if body is not None:
        headers = {**headers, "Content-Length": len(body.encode())}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", body or ""]
    return "\r\n".join(lines).encode()


def answer_on(link, method):
    try:
        answer = http.client.HTTPResponse(link, method=method)
        answer.begin()
        text = answer.read().decode()
        kind = answer.headers["Content-Type"] or ""
        return answer.status, json.loads(text) if "json" in kind else text
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error)


def headers_of(kind="json", cookie=None):
    headers = {"Host": "localhost", "Connection": "close", "X-Test-Address": new_address()}
    headers["Content-Type"] = "application/json" if kind == "json" else "application/x-www-form-urlencoded"
    if kind == "json":
        headers["Accept"] = "application/json"
    if cookie:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookie.items())
    return headers


def posts(path, bodies, cookie=None):
    """Half of them as JSON, half as forms."""
    made = []
    for i, body in enumerate(bodies):
        kind = "json" if i % 2 == 0 else "form"
        text = json.dumps(body) if kind == "json" else urlencode(body)
        made.append(("POST", path, text, headers_of(kind, cookie)))
    return made


def statuses(answers):
    return Counter(status for status, _ in answers)


def no_failure(answers):
    bad = [answer for answer in answers if answer[0] == 0 or answer[0] >= 500]
    assert bad == [], f"{statuses(answers)} {bad[:3]}"
