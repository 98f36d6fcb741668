#!/usr/bin/env python3
"""kills.py: kill -9 of a child, the parent, the database server or a child that sends mail, round after round, under load.

What manages the service is played here: it ends what a dead parent left, and starts parent and database server again. All
else heals by itself within 5 s; nothing that was acknowledged is lost, no link works twice, every mail arrives, and
once, but for those that a sender had handed over and not marked yet. INV-1, INV-4, INV-9, MAIL-09, PROC-01, PROC-02.
"""
import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from common import BACK, CHILDREN, NO_FAULT, closed, folder, parse, parser_of, probe_of, report, run_on, say, site_lines, spread, works

from confhelp import spare_port
from crowd import Crowd, Ledger
from engines import Engine
from force import OPTIONS, kill
from inbox import Inbox
from server import Server, wait_for

KINDS = ("child", "parent", "database", "sender")
NEAR = 1  # second that a busy sender may need from a mail's arrival to its mark
EVERY = 20  # rounds between two looks at the database


@dataclass
class Kill:
    at: float
    back: float  # when the site worked again
    senders: int  # processes that may have had a mail in their hands


def names_below(folder):
    """Empty when the process has ended meanwhile."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def workers(server):
    """Apache's children but cgid's daemon, which has one thread."""
    return [pid for pid in server.children() if len(names_below(f"/proc/{pid}/task")) > 1]


def opened(pid):
    """What the descriptors of a process lead to."""
    found = set()
    for name in names_below(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            found.add(os.readlink(f"/proc/{pid}/fd/{name}"))
    return found


def connected(pids, port):
    """Which of them have a connection to a port of this machine."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[3] == "01" and int(row[2].rpartition(":")[2], 16) == port}
    return [pid for pid in pids if sockets & opened(pid)]


class Campaign:
    def __init__(self, given, server, inbox, engine):
        self.given, self.server, self.inbox, self.engine = given, server, inbox, engine
        self.probe = probe_of(server, inbox)
        self.kills = []

    def child(self):
        """One of three; of prefork's, which serve one request each, as large a part."""
        pids = workers(self.server)
        victims = self.given.random.sample(pids, max(1, len(pids) // 3))
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        return len(victims)

    def sender(self):
        """Right when a mail arrives: the sender has not marked it yet."""
        self.inbox.wait_more(5)
        for _ in range(100):
            found = connected(workers(self.server), self.inbox.port)
            if found:
                os.kill(self.given.random.choice(found), signal.SIGKILL)
                return 1
        raise SystemExit("no child sends")

    def parent(self):
        """The group is ended as a service manager does it."""
        senders = len(workers(self.server))
        os.kill(self.server.process.pid, signal.SIGKILL)
        self.server.kill()
        return senders

    def database(self):
        kill(self.engine)
        return len(workers(self.server))

    def start_again(self):
        if self.given.kind == "parent":
            self.server.start()
        if self.given.kind == "database":
            self.engine.run("start")

    def round(self):
        """One kill at a moment that nobody chose; how long it took to be back."""
        time.sleep(self.given.random.uniform(0.2, 1))
        began = time.time()
        senders = getattr(self, self.given.kind)()
        started = time.time()
        self.start_again()
        wait_for(lambda: works(self.server, self.probe), 60, "the site to be back")
        self.kills.append(Kill(began, time.time(), senders))
        return time.time() - started

    def copies_explained(self, copies):
        """A mail came twice: the sender of the first copy was killed, or could not mark it; each has one in its hands."""
        unexplained = []
        left = [one.senders for one in self.kills]
        for name, times in sorted(copies.items(), key=lambda item: item[1]):
            for first in times[:-1]:
                near = [n for n, one in enumerate(self.kills) if left[n] and one.at - NEAR <= first <= one.back + NEAR]
                if near:
                    left[near[0]] -= 1
                else:
                    unexplained.append(f"mail {name} came once more, and nobody was killed near it")
        return unexplained


def run(given, server, inbox, engine):
    """The whole campaign on a server that runs; the figures."""
    ledger, campaign = Ledger(server, inbox), Campaign(given, server, inbox, engine)
    times, began = [], time.time()
    with Crowd(ledger, given.clients, [server], given.seed):
        for number in range(1, given.rounds + 1):
            times.append(campaign.round())
            if number % EVERY == 0:
                say(f"round {number}: {ledger.check()} checked, longest {max(times):.2f} s, {len(ledger.wrong)} faults")
    figures, copies = closed(ledger)
    server.expect_log(NO_FAULT)
    faults = ledger.wrong + campaign.copies_explained(copies) + server.unexpected_log()
    faults += [f"back after {took:.1f} s" for took in times if took >= BACK]
    return {
        "kind": given.kind, "engine": given.engine, "seed": given.seed, "rounds": given.rounds, "seconds": round(time.time() - began),
        "back": spread(times), **figures, "faults": faults[:20],
    }


def main():
    parser = parser_of(__doc__, 200)
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--engine", choices=("sqlite3", "pgsql", "mysql"), default="sqlite3")
    given = parse(parser)
    if (given.kind, given.engine) == ("database", "sqlite3"):
        parser.error("SQLite has no server")
    with folder() as parent, Inbox(parent / "inbox") as inbox:
        engine = None
        if given.engine != "sqlite3":
            engine = Engine(parent / "engine", given.engine, OPTIONS[given.engine])
            run_on(engine)
        server = Server(parent, conf=site_lines(inbox), head=CHILDREN, port=spare_port())
        try:
            report(run(given, server.start(), inbox, engine))
        finally:
            server.stop()
            if engine:
                engine.stop()


if __name__ == "__main__":
    main()
