#!/usr/bin/env python3
"""timing.py: whether the time of an answer tells if an account exists (ENUM-02, ENUM-05): sign-in with a wrong password, forgot, resend.

Samples of a known and an unknown name are interleaved in random order. Printed per route: both medians and the probability that a
known one is slower than an unknown one (the area of Mann and Whitney; 0.5 tells nothing). Run by `make timing`; a figure, no test.
"""
import argparse
import http.client
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "http"))

from people import join, register, stranger  # noqa: E402
from client import Client  # noqa: E402
from server import Server, base_folder  # noqa: E402

CONF = """
UserAuthRateLimit login off
UserAuthRateLimit register off
UserAuthRateLimit token off
UserAuthRateLimit mail off
UserAuthMailLimit off
UserAuthLockAfter 1000
UserAuthLockDisable 100
"""
PEOPLE = 40  # so that nobody fails often enough to be locked


def ask(link, path, body):
    """One request; the microseconds to its last byte."""
    text = json.dumps(body)
    headers = {"Content-Type": "application/json", "Accept": "application/json", "Host": "localhost"}
    began = time.perf_counter_ns()
    link.request("POST", path, text, headers)
    answer = link.getresponse()
    answer.read()
    return (time.perf_counter_ns() - began) / 1000, answer.status


def probability_slower(known, unknown):
    """That a sample of the first is greater than one of the second; ties count half."""
    merged = sorted([(value, 1) for value in known] + [(value, 0) for value in unknown])
    below = wins = 0
    for _, is_known in merged:
        if is_known:
            wins += below
        else:
            below += 1
    return wins / (len(known) * len(unknown))


def compare(link, path, bodies, samples):
    """`bodies`: for a known and an unknown name a list to take turns from."""
    times = {"known": [], "unknown": []}
    statuses = set()
    for i in range(samples + 20):
        for who in random.sample(["known", "unknown"], 2):
            took, status = ask(link, path, bodies[who][i % len(bodies[who])])
            statuses.add(status)
            if i >= 20:  # the first ones warm up
                times[who].append(took)
    assert len(statuses) == 1, statuses
    p = probability_slower(times["known"], times["unknown"])
    medians = [statistics.median(times[who]) for who in ("known", "unknown")]
    print(f"{path:16}{medians[0]:12.0f}{medians[1]:12.0f}{p:12.3f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=1000)
    samples = parser.parse_args().samples
    folder = Path(tempfile.mkdtemp(prefix="timing-", dir=base_folder()))
    folder.chmod(0o755)
    server = Server(folder, conf=CONF)
    try:
        server.start()
        members = [join(server) for _ in range(PEOPLE)]
        waiting = [register(Client(server)) for _ in range(PEOPLE)]
        nobodies = [stranger() for _ in range(PEOPLE)]
        link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        print(f"{'route':16}{'known µs':>12}{'unknown µs':>12}{'P(slower)':>12}")
        logins = {who: [{"login": p.username, "password": "not-the-password-1"} for p in people]
                  for who, people in (("known", members), ("unknown", nobodies))}
        compare(link, "/auth/login", logins, samples)
        emails = {who: [{"email": p.email} for p in people]
                  for who, people in (("known", members), ("unknown", nobodies), ("waiting", waiting))}
        compare(link, "/auth/forgot", emails, samples)
        compare(link, "/auth/resend", {"known": emails["waiting"], "unknown": emails["unknown"]}, samples)
        compare(link, "/auth/resend", emails, samples)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
