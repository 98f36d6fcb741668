#!/usr/bin/env python3
"""peers.py: the gate beside its peers: what one request for the same 1 KB file costs each, from a client that is signed in.

Rounds are interleaved, every other one in reverse, because a machine's speed drifts: `added` and `ratio` are medians over the rounds of
the difference (and quotient) to the plain file of the same round. CPU is that of all processes of a row, from schedstat. Before and after
each run the row has to answer with the very file, and without the session to refuse; anything else ends the bench. Each peer
is set up as its own documentation advises for speed (see peer_*.py). A few µs between rows want gate.py's pairs.
"""
import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from load import measure, wrk
from peer_base import FILE, browser
from peer_django import Django
from peer_httpd import Bare, Bcrypt, FormCookie, FormCrypto, FormDbd
from peer_openid import OpenIDConnect
from peer_ours import Basic, Bearer, Cookie, Plain, ours
from picture import draw
from server import TOP, base_folder

PEERS = [Bare, FormCookie, FormCrypto, FormDbd, OpenIDConnect, Bcrypt, Django]
REFUSALS = (302, 303, 401, 403)


def rows_of(folder, only):
    """All rows whose package is at hand; the plain file is always the first."""
    server = ours(folder)
    rows = [Plain(server), Cookie(server), Bearer(server), Basic(server), *(peer(folder) for peer in PEERS)]
    kept = []
    for row in rows:
        why = row.missing()
        if why:
            print(f"{row.name}: skipped, {why}")
        elif row is rows[0] or only.lower() in row.name.lower():
            kept.append(row)
    return kept


def check(row):
    """Whether the gate is open to its member and shut to all others."""
    answer = browser().get(row.url, headers=row.headers, allow_redirects=False, timeout=30)
    if answer.status_code != 200 or answer.text != FILE:
        raise SystemExit(f"{row.name}: {answer.status_code} instead of the file:\n{answer.text[:500]}\n{row.server.log()[-2000:]}")
    if not row.gated:
        return
    guest = browser().get(row.url, allow_redirects=False, timeout=30)
    if guest.status_code not in REFUSALS or FILE in guest.text:
        raise SystemExit(f"{row.name}: without a session the answer was {guest.status_code}:\n{guest.text[:500]}")


def run(rows, given):
    results = {row.name: [] for row in rows}
    for row in rows:
        check(row)
        wrk(row.url, row.headers, 1, given.connections)
    for number in range(given.rounds):
        for row in rows if number % 2 == 0 else reversed(rows):
            check(row)
            results[row.name].append(measure(row.server, row.path, row.headers, given.seconds, given.connections))
            check(row)
    return results


def summary(results):
    plain = next(iter(results.values()))
    said = {}
    for name, runs in results.items():
        pairs = list(zip(runs, plain))
        said[name] = {
            "cpu_us": round(statistics.median(one["cpu_us"] for one in runs), 1),
            "added_us": round(statistics.median(one["cpu_us"] - base["cpu_us"] for one, base in pairs), 1),
            "rps": round(statistics.median(one["rps"] for one in runs)),
            "ratio": round(statistics.median(one["rps"] / base["rps"] for one, base in pairs), 4),
        }
    return said


def show(said):
    print(f"{'':34}{'CPU µs/request':>16}{'added':>10}{'requests/s':>12}{'ratio':>9}")
    for name, one in said.items():
        print(f"{name:34}{one['cpu_us']:>16.1f}{one['added_us']:>+10.1f}{one['rps']:>12}{one['ratio']:>9.3f}")


def write(said, results, given):
    out = Path(os.environ.get("BUILD") or TOP / "build") / "bench"
    out.mkdir(parents=True, exist_ok=True)
    file = out / time.strftime("peers-%Y%m%dT%H%M%S.json")
    facts = {"cores": os.cpu_count(), "load": os.getloadavg(), "options": vars(given), "medians": said, "rounds": results}
    file.write_text(json.dumps(facts, indent=1) + "\n")
    picture = draw(said, file.with_suffix(".svg"), "A 1 KB file for a signed-in client: processor time of one request")
    print(f"Written to {file} and {picture}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each run")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--only", default="", metavar="TEXT", help="rows whose name holds this, and the plain file")
    return parser.parse_args()


def main():
    given = arguments()
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=base_folder()))
    folder.chmod(0o755)
    started = []
    try:
        for row in rows_of(folder, given.only):
            started.append(row)
            row.start()
        results = run(started, given)
    finally:
        for row in reversed(started):
            row.stop()
        shutil.rmtree(folder, ignore_errors=True)
    said = summary(results)
    show(said)
    write(said, results, given)


if __name__ == "__main__":
    main()
