#!/usr/bin/env python3
"""soak.py: whether the server's children keep their memory and descriptors over very many gated requests and sign-ins.

Slices of gated requests, with cookies of many sessions, take turns with sign-ins; after each, when the server is idle, every child's
own memory and open descriptors are read. The first part warms up: it passes more sessions than the cache of sessions holds. Over
the rest a line of least squares is laid; its slope, in bytes for 1 000 requests and their share of sign-ins, is printed for each child
with its standard error: what malloc holds back moves memory by a MiB from one sample to the next. A child grows when its slope less two
of them is beyond the limit; more requests make them smaller.
"""
import base64
import collections
import hashlib
import os
import random
import secrets
import sqlite3

from clients import Script, fill, judged, lua_list, name_of, parser_of, processes_of, pss_of, sign_in_all, site, write
from quiet import Quiet
from server import wait_for

KINDS = ("Pss_Anon", "Pss_Shmem")  # a page of a file counts the more the fewer other servers run the same program
SLOPE = 1024  # bytes for 1 000 requests: a MiB in a million
SESSIONS = 16000  # several times what the cache of sessions holds
SIGNERS = 1000
AT_ONCE = 500  # sessions in a slice
SAMPLES = 8  # at least
# The same three children from the start to the end. Connections end after some requests, so that each child gets its part.
HEAD = """
MaxKeepAliveRequests 100
StartServers 3
ServerLimit 3
MaxRequestWorkers 75
MinSpareThreads 1
MaxSpareThreads 75
"""

GATED = """
local at = 0
function request()
    at = at % #cookies + 1
    return wrk.format("GET", "/gated/file.txt", {Cookie = cookies[at]})
end
"""
COPY = """INSERT INTO session ({names}) SELECT {values} FROM session s, account a
    WHERE s.id = (SELECT MAX(id) FROM session) AND a.username_key = :name"""


def put_sessions(server):
    """Sessions as rows, copies of a real one for other people, each the only one of its account; their cookies."""
    cookies = [secrets.token_urlsafe(32) for _ in range(SESSIONS)]
    own = {"id": ":id", "digest": ":digest", "account_id": "a.id"}
    base = sqlite3.connect(server.folder / "userauth.db", timeout=15)
    names = [row[1] for row in base.execute("PRAGMA table_info(session)")]
    values = ", ".join(own.get(name, f"s.{name}") for name in names)
    for number, cookie in enumerate(cookies):
        digest = base64.urlsafe_b64encode(hashlib.sha256(cookie.encode()).digest()).decode().rstrip("=")
        # The greatest id stays the real one's.
        row = {"id": f"00000000-0000-4000-a000-{number:012x}", "digest": digest, "name": name_of(SIGNERS + number, SIGNERS + SESSIONS)}
        base.execute(COPY.format(names=", ".join(names), values=values), row)
    base.commit()
    base.close()
    return [f"userauth={cookie}" for cookie in cookies]


def look(server):
    """(memory, descriptors) of each process, once the server is idle."""
    wait_for(Quiet(server.children), 30, "the server to be idle")
    return {pid: (pss_of([pid], KINDS), len(os.listdir(f"/proc/{pid}/fd"))) for pid in processes_of(server)}


class Soak:
    def __init__(self, server, given):
        self.server, self.given = server, given
        fill(server, SIGNERS + SESSIONS)
        self.signers = [name_of(i, SIGNERS + SESSIONS) for i in range(SIGNERS)]
        sign_in_all(server, self.signers[:1])
        self.prepared = put_sessions(server)
        self.new = collections.deque(maxlen=AT_ONCE // 2)
        self.requests = self.logins = 0
        self.samples = []  # (requests so far, what look() saw)

    def gated(self):
        warm = self.requests >= self.given.requests * self.given.warm
        cookies = [*self.new, *random.sample(self.prepared, AT_ONCE - len(self.new))] if warm else self.prepared
        text = f"cookies = {lua_list(cookies)}\n{GATED}"
        said = Script(self.server, text, 200, self.given.seconds, self.given.connections).end()
        if said["bad"] or said["busy"] or said["broken"]:
            raise SystemExit(f"unexpected answers: {said}\n{self.server.log()[-2000:]}")
        self.requests += said["good"]

    def sign_in(self):
        """As many as their share by now."""
        due = self.given.logins * min(self.requests, self.given.requests) // self.given.requests
        names = [self.signers[i % SIGNERS] for i in range(self.logins, due)]
        self.new.extend(cookie for cookie, _, _ in sign_in_all(self.server, names))
        self.logins = due

    def run(self):
        while self.requests < self.given.requests:
            self.gated()
            self.sign_in()
            self.samples.append((self.requests, look(self.server)))


def slope_of(points):
    """Of the line of least squares, and its standard error."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in points)
    return slope, (rest / max(1, len(points) - 2) / spread) ** 0.5


def child_summary(pid, samples):
    memory = [(requests, seen[pid][0]) for requests, seen in samples]
    descriptors = [seen[pid][1] for _, seen in samples]
    quarter = max(1, len(samples) // 4)
    slope, error = (round(value * 1000, 1) for value in slope_of(memory))
    return {
        "first": memory[0][1],
        "last": memory[-1][1],
        "slope": slope,
        "error": error,
        "growth": judged(round(slope - 2 * error, 1), SLOPE),
        "descriptors": judged(max(descriptors[-quarter:]), max(descriptors[:quarter])),
    }


def summary(soak):
    warm = [one for one in soak.samples if one[0] >= soak.given.requests * soak.given.warm]
    if len(warm) < SAMPLES:
        raise SystemExit(f"{len(warm)} samples say nothing: more requests, or shorter slices")
    ended = set(warm[0][1]) - set(warm[-1][1])
    children = {pid: child_summary(pid, warm) for pid in sorted(set(warm[0][1]) & set(warm[-1][1]))}
    flat = all(one["growth"]["holds"] and one["descriptors"]["holds"] for one in children.values())
    said = {"requests": soak.requests, "logins": soak.logins, "samples": len(warm), "ended": len(ended), "holds": flat and not ended}
    said["came"] = len(set(warm[-1][1]) - set(warm[0][1]))
    return {**said, "children": children}


def show(said):
    print(f"{said['requests']} gated requests, {said['logins']} sign-ins, {said['samples']} samples after the warm-up")
    print(f"{'process':>9}{'first KiB':>11}{'last KiB':>10}{'bytes/1000 requests':>21}{'error':>8}{'limit':>7}{'descriptors':>13}{'before':>8}")
    for pid, one in said["children"].items():
        growth, fds = one["growth"], one["descriptors"]
        holds = "holds" if growth["holds"] and fds["holds"] else "FAILS"
        line = f"{pid:>9}{one['first'] // 1024:>11}{one['last'] // 1024:>10}{one['slope']:>21}{one['error']:>8}{growth['limit']:>7}"
        print(f"{line}{fds['value']:>13}{fds['limit']:>8}  {holds}")
    print(f"{said['ended']} processes ended meanwhile, {said['came']} came: {'holds' if said['holds'] else 'FAILS'}")


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000, help="to the gated file")
    parser.add_argument("--logins", type=int, default=10_000, help="spread over them")
    parser.add_argument("--warm", type=float, default=0.3, help="the part of the requests that warms up")
    parser.add_argument("--seconds", type=int, default=2, help="of each slice of requests")
    parser.add_argument("--connections", type=int, default=16)
    given = parser.parse_args()
    with site(head=HEAD) as server:
        soak = Soak(server, given)
        soak.run()
    said = summary(soak)
    show(said)
    samples = [{"requests": requests, "processes": seen} for requests, seen in soak.samples]
    write("soak", given, {**said, "all_samples": samples})


if __name__ == "__main__":
    main()
