#!/usr/bin/env python3
"""bench.py: what a request costs, on a real Apache with wrk: a plain static file, the same file behind
the gate, and the login page.

Rounds are interleaved, one target after the other, because a machine's speed drifts; figures are
medians over the rounds. CPU is the time of all server processes (utime + stime of /proc/<pid>/stat,
in ticks, children that ended included), so wrk's own share is not in it. Run by `make bench`.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "http"))

import apps  # noqa: E402
from people import signed_in  # noqa: E402
from server import TOP, Server, base_folder  # noqa: E402

GATED = '<Location "/gated">\nAuthType UserAuth\nRequire valid-user\n</Location>\nLogLevel warn\nCustomLog /dev/null full\n'
TICK = 1_000_000 / os.sysconf("SC_CLK_TCK")  # microseconds


def cpu_of(server):
    """Microseconds of processor time of the server: its parent, the children, and those that ended."""
    total = 0
    for pid in [server.process.pid, *server.children()]:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        own = int(fields[11]) + int(fields[12])
        ended = int(fields[13]) + int(fields[14]) if pid == server.process.pid else 0
        total += own + ended
    return total * TICK


def load(url, cookie, seconds, connections):
    """One run of wrk: (requests, errors)."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-H", f"Cookie: {cookie}", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    requests = int(re.search(r"(\d+) requests in", said)[1])
    errors = sum(int(n) for n in re.findall(r"(?:Non-2xx or 3xx responses: |connect |read |write |timeout )(\d+)", said))
    return requests, errors


def measure(server, target, seconds, connections):
    path, cookie = target
    before, began = cpu_of(server), time.monotonic()
    requests, errors = load(f"http://127.0.0.1:{server.port}{path}", cookie, seconds, connections)
    took = time.monotonic() - began
    if errors or not requests:
        raise SystemExit(f"{path}: {errors} errors in {requests} requests:\n{server.log()[-2000:]}")
    return {"cpu_us": (cpu_of(server) - before) / requests, "rps": requests / took}


def run(server, rounds, seconds, connections):
    client = signed_in(server)
    cookie = f"userauth={client.cookies['userauth']}"
    targets = {"plain": ("/plain/file.txt", "a=b"), "gated": ("/gated/file.txt", cookie), "login": ("/auth/login", "a=b")}
    assert client.get("/gated/file.txt").status_code == 200
    for target in targets.values():
        load(f"http://127.0.0.1:{server.port}{target[0]}", target[1], 1, connections)
    results = {name: [] for name in targets}
    for number in range(rounds):
        names = list(targets) if number % 2 == 0 else list(reversed(targets))
        for name in names:
            results[name].append(measure(server, targets[name], seconds, connections))
    return results


def summary(results):
    """Medians, and the spread of the middle half."""
    said = {}
    for name, rounds in results.items():
        said[name] = {"rounds": len(rounds)}
        for key in ("cpu_us", "rps"):
            values = sorted(one[key] for one in rounds)
            said[name][key] = round(statistics.median(values), 1)
            quarter = len(values) // 4
            said[name][f"{key}_half"] = [round(values[quarter], 1), round(values[-1 - quarter], 1)]
    return said


def show(said):
    print(f"{'':8}{'CPU µs/request':>16}{'middle half':>18}{'requests/s':>14}")
    for name, one in said.items():
        half = "{}–{}".format(*one["cpu_us_half"])
        print(f"{name:8}{one['cpu_us']:>16}{half:>18}{one['rps']:>14}")
    print(f"The gate costs {said['gated']['cpu_us'] - said['plain']['cpu_us']:.1f} µs of processor time a request.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=2, help="of each run")
    parser.add_argument("--connections", type=int, default=16)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=base_folder()))
    folder.chmod(0o755)
    server = Server(folder, conf=GATED)
    for path in ("plain/file.txt", "gated/file.txt"):
        apps.put(server, path, "x" * 1023 + "\n")
    try:
        server.start()
        results = run(server, given.rounds, given.seconds, given.connections)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    said = summary(results)
    show(said)
    out = Path(os.environ.get("BUILD") or TOP / "build") / "bench"
    out.mkdir(parents=True, exist_ok=True)
    file = out / time.strftime("%Y%m%dT%H%M%S.json")
    facts = {"cores": os.cpu_count(), "load": os.getloadavg(), "options": vars(given), "medians": said, "rounds": results}
    file.write_text(json.dumps(facts, indent=1) + "\n")
    print(f"Written to {file}")


if __name__ == "__main__":
    main()
