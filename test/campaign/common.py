"""common.py: what the campaigns of faults share: where they live, the site they serve, who looks at it, how they end.

    given = parse(parser_of(__doc__, rounds=200))  # --rounds --seed --clients, and what the caller adds to its parser
    with folder() as path:                         # removed when all went well
        report({...})                              # one line of JSON; an exit status of 1 when "faults" is not empty
The module under test is that of BUILD. test/http is on the path once this is imported, so campaigns import it first.
"""
import argparse
import contextlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "http"))

import engines  # noqa: E402
import requests  # noqa: E402
from client import Client  # noqa: E402
from mpm import several  # noqa: E402
from people import confirm, register  # noqa: E402
from server import base_folder, wait_for  # noqa: E402

CHILDREN = several(3, 16)
FREE = """
UserAuthRateLimit login off
UserAuthRateLimit register off
UserAuthRateLimit token off
UserAuthRateLimit mail off
UserAuthMailLimit off
UserAuthSessionCacheTTL 2s
"""
# What a kill leaves in the error log: the child's end, too few of them for a moment, and what the module says of a database
# that does not answer: requests that are refused (UA0101 to UA0103), jobs that come to nothing (UA0203, UA0204).
NO_FAULT = r"exit signal Killed|AH0005[12]|AH0004[56]|AH00098|AH0048[45]|AH10159|AH1039[23]|UA010[123]|UA020[34]"
BACK = 5  # seconds in which a site has to be back by itself


def parser_of(text, rounds):
    parser = argparse.ArgumentParser(description=text.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--clients", type=int, default=8)
    return parser


def parse(parser):
    given = parser.parse_args()
    given.random = random.Random(given.seed)
    return given


@contextlib.contextmanager
def folder():
    """Below BUILD or RUN, where Apache's children and database servers can enter."""
    made = Path(tempfile.mkdtemp(prefix="campaign-", dir=base_folder()))
    made.chmod(0o755)
    try:
        yield made
    except BaseException:
        print(f"What happened is kept in {made}", file=sys.stderr)
        raise
    shutil.rmtree(made, ignore_errors=True)


def run_on(engine):
    """What the tests' own helpers ask from now on, instead of SQLite's file: a server that runs."""
    engines.NAME, engines._engine = engine.name, engine


def site_lines(inbox):
    """What stands behind the usual lines of a site: mails go to `inbox`."""
    return f'UserAuthMail smtp://127.0.0.1:{inbox.port} "Example <accounts@example.com>"\n' + FREE


def closed(ledger):
    """Everybody's story is over: the whole is checked. (figures, {mail: times} of those that came more than once)"""
    server = ledger.server
    wait_for(lambda: not server.db("SELECT COUNT(*) FROM outbox WHERE state = 0")[0][0], 60, "every mail to be sent")
    ledger.check(True)
    ledger.check_sign_ins(50)
    mails, copies = ledger.check_mails()
    engines.check_sound(server)
    return {
        "people": len(ledger.entries), "acknowledged": ledger.acknowledged(), "answers": ledger.answers,
        "mails": mails, "copies": sum(len(times) - 1 for times in copies.values()),
    }, copies


def probe_of(server, inbox):
    """Somebody with an account, to see by whether the site works."""
    client = Client(server)
    person = register(client)
    confirm(client, inbox.wait(person.email, "verify", 20))
    return person


def works(server, person):
    """A sign-in, which reads and writes."""
    try:
        answer = Client(server).json("POST", "/auth/login", {"login": person.username, "password": person.password}, timeout=10)
        return answer.status_code == 200
    except requests.RequestException:
        return False


def say(text):
    if os.environ.get("V"):
        print(text, file=sys.stderr, flush=True)


def report(figures):
    print(json.dumps(figures), flush=True)
    if figures["faults"]:
        sys.exit(1)


def spread(values):
    """The middle and the longest of some times, in seconds."""
    ordered = sorted(values)
    return {"median": round(ordered[len(ordered) // 2], 2), "longest": round(ordered[-1], 2)} if ordered else {}
