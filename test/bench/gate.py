#!/usr/bin/env python3
"""gate.py: what the gate adds to a static file: by cookie, by access token, by Basic, beside the same file without a gate.

A machine's speed drifts by more than the gate costs, so each figure is a pair of neighbours, in the order A B B A, and the
median of the pairs' differences counts. The host of a virtual machine takes processors away for others: the pairs that it
disturbed least are kept, which says nothing of what they showed. The first row pairs the plain file with a copy of itself
and shows what such a median is worth. Every request of a pair has the same headers. Run by `make bench`.
"""
import argparse
import base64
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "http"))

import apps  # noqa: E402
import peer_ours  # noqa: E402
from load import measure, wrk  # noqa: E402
from peer_base import ALIKE  # noqa: E402
from server import TOP, Server, base_folder  # noqa: E402
from tokens import log_in  # noqa: E402

CONF = ALIKE + peer_ours.CONF + """
<Location "/plain">
    Require all granted
</Location>
"""
LIMITS = {"cookie": 3, "bearer": 6, "basic": 10}  # microseconds more than the plain file, less what it differs from itself
PLAIN = "/plain/file.txt"


def pairs_of(server, other, headers, given):
    """`given.pairs` pairs of the plain file and another one, neighbours in time: of `given.of` times as many those in
    which this machine's host ran others least. Says also how much it did: (pairs, the most in a pair that counts)."""
    fours = []
    while len(fours) * 2 < given.pairs * given.of:
        runs = [measure(server, path, headers, given.seconds, given.connections) for path in (PLAIN, other, other, PLAIN)]
        fours.append((max(run["stolen"] for run in runs), runs))
    fours = sorted(fours, key=lambda four: four[0])[: (given.pairs + 1) // 2]
    return [pair for _, runs in fours for pair in ((runs[0], runs[1]), (runs[3], runs[2]))], fours[-1][0]


def summary(pairs, stolen):
    added = sorted(b["cpu_us"] - a["cpu_us"] for a, b in pairs)
    quarter = len(added) // 4
    return {
        "pairs": len(pairs),
        "stolen_most": round(stolen, 3),
        "plain_cpu_us": round(statistics.median(a["cpu_us"] for a, _ in pairs), 2),
        "plain_rps": round(statistics.median(a["rps"] for a, _ in pairs)),
        "added_cpu_us": round(statistics.median(added), 2),
        "added_half": [round(added[quarter], 2), round(added[-1 - quarter], 2)],
        "throughput": round(statistics.median(b["rps"] / a["rps"] for a, b in pairs), 4),
    }


def show(results):
    print(f"{'':10}{'plain µs':>10}{'added µs':>10}{'middle half':>18}{'throughput':>12}{'stolen':>8}  {'less itself':>11}")
    for name, one in results.items():
        half = "{} … {}".format(*one["added_half"])
        line = f"{name:10}{one['plain_cpu_us']:>10}{one['added_cpu_us']:>10}{half:>18}{one['throughput']:>12}{one['stolen_most']:>8}"
        if name in LIMITS:
            more = one["added_cpu_us"] - results["itself"]["added_cpu_us"]
            line += f"  {more:>+11.2f} of {LIMITS[name]}"
        print(line)


def basic(person):
    return "Basic " + base64.b64encode(f"{person.username}:{person.password}".encode()).decode()


def run(server, given):
    rows = {
        "itself": ("/plain/copy.txt", lambda own: {"Cookie": f"userauth={own.cookie}"}),
        "cookie": ("/gated/file.txt", lambda own: {"Cookie": f"userauth={own.cookie}"}),
        "bearer": ("/gated/file.txt", lambda own: {"Authorization": f"Bearer {own.access}"}),
        "basic": ("/basic/file.txt", lambda own: {"Authorization": basic(own.person)}),
    }
    results = {}
    for name, (path, headers_of) in rows.items():
        headers = headers_of(log_in(server))  # a token lives for five minutes
        for warm in (PLAIN, path):
            wrk(f"http://127.0.0.1:{server.port}{warm}", headers, 1, given.connections)
        results[name] = summary(*pairs_of(server, path, headers, given))
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--seconds", type=int, default=1, help="of each run")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--of", type=int, default=2, help="measure so many times the pairs, and keep the quietest")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=base_folder()))
    folder.chmod(0o755)
    server = Server(folder, conf=CONF)
    for path in ("plain/file.txt", "plain/copy.txt", "gated/file.txt", "basic/file.txt"):
        apps.put(server, path, "x" * 1023 + "\n")
    try:
        server.start()
        results = run(server, given)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    show(results)
    out = Path(os.environ.get("BUILD") or TOP / "build") / "bench"
    out.mkdir(parents=True, exist_ok=True)
    file = out / time.strftime("gate-%Y%m%dT%H%M%S.json")
    facts = {"cores": os.cpu_count(), "load": os.getloadavg(), "options": vars(given), "results": results}
    file.write_text(json.dumps(facts, indent=1) + "\n")
    print(f"Written to {file}")


if __name__ == "__main__":
    main()
