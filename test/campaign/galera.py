#!/usr/bin/env python3
"""galera.py: two Apaches write on two nodes of a MariaDB cluster of three, whose nodes are killed (-9) and come back in turn.

First all live: what two nodes decided at once is tried again by the module, so that nobody is told 5xx. Then a node is
killed, the others go on, it rejoins, round after round. At the end nothing that was acknowledged is lost, and the three
nodes agree row by row. INV-1, INV-4, RACE-15, DB-17.
"""
import concurrent.futures
import time

from common import CHILDREN, NO_FAULT, closed, folder, parse, parser_of, probe_of, report, run_on, say, site_lines, spread

from client import Client
from cluster import Cluster, lacking
from confhelp import site, spare_port
from crowd import Crowd, Ledger
from inbox import Inbox
from people import sign_in
from server import SITE, Server, wait_for

QUIET = 60  # stories without a kill
CLAIMED = "UA0203: .* mysql error 1213"  # both claimed one mail: the loser says so, and asks again in its next turn
EDITS = 200  # of one profile, by both nodes at once


def two_sites(parent, cluster, inbox, head=CHILDREN):
    """Both answer for the address of the first, which holds the key file."""
    pair = [Server(parent, site=False, head=head, port=spare_port()) for _ in range(2)]
    key = (pair[0].folder, "userauth")
    cluster.database(key)
    for server, node in zip(pair, cluster.nodes):
        driver, password = node.lines(key).split("\n")
        lines = f"{password}\n{site_lines(inbox)}UserAuthSessionCacheTTL 0\n{SITE[SITE.index('<Location'):]}"
        server.conf = site(lines, UserAuthBaseURL=pair[0].base, UserAuthDatabase=driver, UserAuthKeyFile=f'"{pair[0].folder}/userauth.keys"')
        server.db = lambda sql, *args: cluster.nodes[-1].query(key, sql, args)
    return pair, key


def conflicts(cluster):
    """How often a node found that another one had been first."""
    return sum(int(cluster.status(number, f"wsrep_local_{name}")) for number in range(2) for name in ("cert_failures", "bf_aborts"))


def storm(sites, person, edits):
    """One profile, edited through both at once: the statuses."""
    members = []
    for number in range(8):
        client = Client(sites[number % 2])
        client.session.headers["Host"] = f"localhost:{sites[0].port}"
        sign_in(client, person)
        members.append(client)

    def edit(number):
        return members[number % 8].json("POST", "/dashboard/profile", {"display_name": f"Name {number}"}).status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(edit, range(edits)))


def calm(ledger, sites, cluster, given, person):
    """Everything works, and both write: faults, and how many conflicts there were."""
    before = conflicts(cluster)
    with Crowd(ledger, given.clients, sites, given.seed, at_once=False):
        statuses = storm(sites, person, EDITS)
        wait_for(lambda: ledger.acknowledged()["password_reset"] >= QUIET or ledger.wrong, 300, "the stories")
    wrong = [f"{status} while all nodes live" for status in statuses if status != 200]
    for server in sites:
        server.expect_log(CLAIMED)
        wrong += server.unexpected_log()
    wrong += [f"{number} answers {status} while all nodes live" for status, number in ledger.answers.items() if str(status).startswith("5")]
    return wrong, conflicts(cluster) - before


def round_of(cluster, ledger, number, moment):
    """A node dies, the others go on, it comes back; seconds until somebody was acknowledged something, and of the rejoining."""
    time.sleep(moment)
    cluster.kill(number)
    began, before = time.time(), sum(ledger.acknowledged().values())
    # What was under way may still be acknowledged at once: so many are not.
    wait_for(lambda: sum(ledger.acknowledged().values()) > before + 40, 120, "the others to go on")
    wrote = time.time() - began
    cluster.rejoin(number)
    return wrote, time.time() - began - wrote


def run(given, sites, key, cluster, inbox):
    ledger, began = Ledger(sites[0], inbox), time.time()
    wrong, met = calm(ledger, sites, cluster, given, probe_of(sites[0], inbox))
    say(f"calm: {met} conflicts, {len(wrong) + len(ledger.wrong)} faults, {dict(ledger.answers)}")
    times = []
    with Crowd(ledger, given.clients, sites, given.seed + 1, at_once=False):
        for number in range(given.rounds):
            times.append(round_of(cluster, ledger, number % 3, given.random.uniform(0.5, 2)))
            say(f"round {number + 1}: {ledger.check()} checked, {times[-1]}, {len(ledger.wrong)} faults")
    figures, _ = closed(ledger)
    faults = wrong + ledger.wrong + [f"the nodes differ in {table}" for table in cluster.await_agreement(key)]
    faults += [] if met else ["no conflict was met: nothing was tested"]
    for server in sites:
        server.expect_log(NO_FAULT)
        faults += server.unexpected_log()
    return {
        "seed": given.seed, "rounds": given.rounds, "seconds": round(time.time() - began), "conflicts": met,
        "wrote_on": spread([wrote for wrote, _ in times]), "rejoined": spread([rejoined for _, rejoined in times]),
        **figures, "faults": faults[:20],
    }


def main():
    given = parse(parser_of(__doc__, 10))
    if lacking():
        raise SystemExit(lacking())
    with folder() as parent, Inbox(parent / "inbox") as inbox:
        cluster = Cluster(parent / "cluster")
        run_on(cluster.nodes[0])
        sites, key = two_sites(parent, cluster, inbox)
        try:
            for server in sites:
                server.start()
            report(run(given, sites, key, cluster, inbox))
        finally:
            for server in sites:
                server.stop()
            cluster.stop()


if __name__ == "__main__":
    main()
