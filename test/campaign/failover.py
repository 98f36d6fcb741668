#!/usr/bin/env python3
"""failover.py: kill -9 of a PostgreSQL primary under load, its synchronous standby is promoted, the old one comes back as standby.

The site names both servers with target_session_attrs=read-write and nothing else is done to it: it writes again within
10 s of the promotion, and nothing that was acknowledged is lost. INV-1, INV-4, DB-08.
"""
import time

from common import CHILDREN, NO_FAULT, closed, folder, parse, parser_of, probe_of, report, run_on, say, site_lines, spread, works

from confhelp import spare_port
from crowd import Crowd, Ledger
from inbox import Inbox
from server import Server, wait_for
from standby import Pair

RESUMED = 10  # seconds


def round_of(pair, writes, moment):
    """One failover at a moment that nobody chose; seconds from the promotion to the first write."""
    time.sleep(moment)
    began = pair.fail_over()
    wait_for(writes, 60, "the site to write again")
    took = time.time() - began
    pair.rebuild()
    return took


def run(given, server, inbox, pair):
    ledger, times, began = Ledger(server, inbox), [], time.time()
    probe = probe_of(server, inbox)
    with Crowd(ledger, given.clients, [server], given.seed):
        for number in range(1, given.rounds + 1):
            times.append(round_of(pair, lambda: works(server, probe), given.random.uniform(1, 3)))
            say(f"round {number}: {ledger.check()} checked, {times[-1]:.2f} s, {len(ledger.wrong)} faults")
    figures, _ = closed(ledger)
    server.expect_log(NO_FAULT)
    faults = ledger.wrong + server.unexpected_log() + [f"writes resumed after {took:.1f} s" for took in times if took >= RESUMED]
    return {
        "seed": given.seed, "rounds": given.rounds, "seconds": round(time.time() - began), "resumed": spread(times),
        **figures, "faults": faults[:20],
    }


def main():
    given = parse(parser_of(__doc__, 20))
    with folder() as parent, Inbox(parent / "inbox") as inbox:
        pair = Pair(parent / "pair")
        run_on(pair)
        server = Server(parent, conf=site_lines(inbox), head=CHILDREN, port=spare_port())
        try:
            report(run(given, server.start(), inbox, pair))
        finally:
            server.stop()
            pair.stop()


if __name__ == "__main__":
    main()
