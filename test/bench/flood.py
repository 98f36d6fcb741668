#!/usr/bin/env python3
"""flood.py: what others notice while 200 connections try wrong passwords for unknown names as fast as they are answered.

One client asks for a gated file at a steady, gentle rate; each time is counted from when the request was due. The same is measured
while hashrate.c burns the processors beside an idle server: what remains is the flood's own doing. Rounds: burn, flood, flood,
burn; a p99 is of all samples of its kind. During the flood somebody else signs in with the right password, one sign-in after the other,
and comes back when a 503 says so. Memory is the sum over the server's processes, before any load and at its highest in a
flood of its own.
"""
import concurrent.futures
import contextlib
import ctypes
import http.client
import os
import signal
import statistics
import threading
import time
from pathlib import Path

from clients import Burner, Script, client_cpu, fill, judged, names_of, parser_of, post, processes_of, pss_of, sign_in_all, site
from clients import wait_mailed, write
from people import PASSWORD
from server import wait_for

MIB = 1 << 20
HASH, REST = 19 * MIB, 32 * MIB  # memory: one hash of the bound, and all else
PROMISE = 10  # seconds: who has a place in the queue is answered by then; others are told to come back
ACCOUNTS = 1000

# An attacker does not care for Retry-After; PAUSE is 0 unless asked for otherwise.
FLOOD = """
local at = 0
function request()
    at = at + 1
    local body = string.format('{"login": "nobody%sx%d", "password": "not-the-password-1"}', ROUND, at)
    return wrk.format("POST", "/auth/login", {["Content-Type"] = "application/json", ["Accept"] = "application/json"}, body)
end
if PAUSE > 0 then delay = function() return PAUSE end end
"""


# ---- the two clients, each a process of its own ----


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def ask(link, cookie):
    link.request("GET", "/gated/file.txt", headers={"Host": "localhost", "Cookie": cookie})
    answer = link.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"the gated file: {answer.status}")


def ask_again(link, cookie):
    """A busy server may have closed a kept connection; finding out counts, as it does for a browser."""
    try:
        ask(link, cookie)
    except (http.client.RemoteDisconnected, ConnectionError):
        link.close()
        ask(link, cookie)


def gentle(port, cookie, seconds, rate):
    """Milliseconds from when each request was due to its last byte."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    ask(link, cookie)
    began = time.monotonic()
    times = []
    for number in range(int(seconds * rate)):
        due = began + number / rate
        time.sleep(max(0, due - time.monotonic()))
        ask_again(link, cookie)
        times.append((time.monotonic() - due) * 1000)
    return times


def sign_in(port, name, until, said):
    """One sign-in with all its tries; the time of the one that succeeded, and with the waits before it."""
    began = time.monotonic()
    while time.monotonic() < until:
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        tried = time.monotonic()
        status, headers, _ = post(link, "/auth/login", {"login": name, "password": PASSWORD})
        link.close()
        if status == 200:
            said["tries"].append(time.monotonic() - tried)
            said["whole"].append(time.monotonic() - began)
            return
        if status != 503:
            raise RuntimeError(f"a right password: {status}")
        wait = headers.get("Retry-After")
        said["busy"] += 1
        said["bare"] += wait is None
        time.sleep(max(0, min(float(wait or 1), until - time.monotonic())))
    said["unfinished"] += 1


def legitimate(port, names, seconds):
    said = {"tries": [], "whole": [], "busy": 0, "bare": 0, "unfinished": 0}
    until = time.monotonic() + seconds
    for name in names:
        if time.monotonic() >= until:
            break
        sign_in(port, name, until, said)
    return said


# ---- rounds ----


def tell(pids, what):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, what)


def stopped(pid):
    """Whether each thread of it stands still: one that is in the kernel, filling or giving back memory, goes on for a while."""
    try:
        return all(stat.read_text().rpartition(")")[2].split()[0] in "TZX" for stat in Path(f"/proc/{pid}/task").glob("*/stat"))
    except (FileNotFoundError, ProcessLookupError):
        return True  # a thread or all of it is gone


@contextlib.contextmanager
def standing_still(pids):
    """Nothing of them runs."""
    tell(pids, signal.SIGSTOP)
    try:
        wait_for(lambda: all(stopped(pid) for pid in pids), what="processes to stand still")
        yield pids
    finally:
        tell(pids, signal.SIGCONT)


class Highest:
    """The highest memory of the server while it lasts. Processes are read one after the other, and a hash that ends in one
    while another begins elsewhere would count twice: so they stand still meanwhile, and nobody's time is taken."""

    def __init__(self, server):
        self.server, self.bytes = server, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._look)

    def _look(self):
        while not self.over.wait(0.2):
            with standing_still(processes_of(self.server)) as pids:
                self.bytes = max(self.bytes, pss_of(pids))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.over.set()
        self.thread.join()


class Bench:
    def __init__(self, server, pool, given):
        self.server, self.pool, self.given = server, pool, given
        fill(server, ACCOUNTS)
        self.names = names_of(ACCOUNTS, ACCOUNTS)
        self.cookie = sign_in_all(server, self.names[:1])[0][0]
        wait_mailed(server)
        self.times = {"idle": [], "burn": [], "flood": []}
        self.floods, self.sign_ins, self.highest = [], [], 0
        self.idle()
        self.resting = pss_of(processes_of(server))

    def gentle(self):
        return self.pool.submit(gentle, self.server.port, self.cookie, self.given.seconds, self.given.rate)

    def idle(self):
        self.times["idle"] += self.gentle().result()

    def burn(self):
        burner = Burner(self.given.burners, self.given.seconds + 1)
        try:
            self.times["burn"] += self.gentle().result()
        finally:
            burner.end()

    def script(self):
        text = f'local ROUND, PAUSE = "{len(self.floods)}", {self.given.pause}\n{FLOOD}'
        return Script(self.server, text, 401, self.given.seconds + 1, self.given.connections)

    def flood(self):
        names, self.names = self.names[:200], self.names[200:] + self.names[:200]
        before = client_cpu()
        script = self.script()
        try:
            sign_ins = self.pool.submit(legitimate, self.server.port, names, self.given.seconds)
            self.times["flood"] += self.gentle().result()
            self.sign_ins.append(sign_ins.result())
        finally:
            self.floods.append(script.end())
        self.floods[-1]["client_share"] = (client_cpu() - before) / 1e6 / (self.given.seconds + 1) / os.cpu_count()

    def weigh(self):
        """One more flood, of which only the memory counts."""
        script = self.script()
        with Highest(self.server) as highest:
            time.sleep(self.given.seconds)
        script.end()
        self.highest = highest.bytes


def run(server, pool, given):
    bench = Bench(server, pool, given)
    for number in range(given.rounds):
        for kind in ("burn", "flood") if number % 2 == 0 else ("flood", "burn"):
            getattr(bench, kind)()
    bench.weigh()
    return bench


# ---- what it says ----


def part(values, share):
    """A percentile; None of nothing."""
    values = sorted(values)
    return round(values[min(len(values) - 1, int(len(values) * share))], 3) if values else None


def joined(rounds, key):
    """All values of the rounds, in one list."""
    return [value for one in rounds for value in one[key]]


def sign_ins_of(rounds):
    tries, whole = joined(rounds, "tries"), joined(rounds, "whole")
    said = {key: sum(one[key] for one in rounds) for key in ("busy", "bare", "unfinished")}
    said["holds"] = bool(tries) and not said["bare"] and max(tries) <= PROMISE
    said.update(done=len(tries), try_p50_s=part(tries, 0.5), try_most_s=part(tries, 1))
    said.update(whole_p50_s=part(whole, 0.5), whole_most_s=part(whole, 1))
    return said


def summary(bench, given):
    latency = {}
    for kind, times in bench.times.items():
        latency[kind] = {"samples": len(times), "p50_ms": part(times, 0.5), "p99_ms": part(times, 0.99)}
    bound = given.bound or os.cpu_count()
    flood = {key: sum(one[key] for one in bench.floods) for key in ("good", "busy", "bare", "bad", "broken")}
    flood["client_share"] = statistics.median(one["client_share"] for one in bench.floods)
    return {
        "latency": latency,
        "p99": judged(round(latency["flood"]["p99_ms"] / latency["burn"]["p99_ms"], 3), 2),
        "memory_idle": bench.resting,
        "memory": judged(bench.highest, bench.resting + bound * HASH + REST),
        "flood": flood,
        "sign_ins": sign_ins_of(bench.sign_ins),
    }


def words(one):
    return "holds" if one["holds"] else "FAILS"


def show(said):
    print(f"{'gated file':12}{'samples':>9}{'p50 ms':>9}{'p99 ms':>9}")
    for kind, one in said["latency"].items():
        print(f"{kind:12}{one['samples']:>9}{one['p50_ms']:>9.2f}{one['p99_ms']:>9.2f}")
    one = said["p99"]
    print(f"p99 in the flood to p99 when others burn the processors: {one['value']:.2f}, limit {one['limit']}: {words(one)}")
    one = said["memory"]
    idle, highest, limit = (bytes / MIB for bytes in (said["memory_idle"], one["value"], one["limit"]))
    print(f"memory MiB: idle {idle:.1f}, highest {highest:.1f}, limit {limit:.1f}: {words(one)}")
    one = said["flood"]
    print(f"the flood: {one['good']} refused by 401, {one['busy']} by 503 ({one['bare']} without Retry-After), "
          f"{one['bad']} otherwise, {one['broken']} broken; its own client took {one['client_share']:.0%} of the processors")
    show_sign_ins(said["sign_ins"])


def show_sign_ins(one):
    print(f"right passwords: {one['done']} signed in, {one['unfinished']} not yet when time was over; {one['busy']} tries got 503 "
          f"({one['bare']} without Retry-After)")
    if one["done"]:
        print(f"  seconds of a successful try: median {one['try_p50_s']}, most {one['try_most_s']}; with the tries and waits before it: "
              f"median {one['whole_p50_s']}, most {one['whole_most_s']}")
    print(f"  promised: some get in, in at most {PROMISE} s once they have a place, and each 503 says when: {words(one)}")


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="of both kinds")
    parser.add_argument("--seconds", type=int, default=15, help="of each")
    parser.add_argument("--rate", type=float, default=50, help="gated requests a second")
    parser.add_argument("--connections", type=int, default=200, help="of the flood")
    parser.add_argument("--pause", type=int, default=0, help="milliseconds that each of them waits before its next try")
    parser.add_argument("--burners", type=int, default=2, help="threads that burn the processors instead")
    parser.add_argument("--bound", type=int, default=0, help="hashes at once; 0: one a core, as the server has it")
    given = parser.parse_args()
    with concurrent.futures.ProcessPoolExecutor(2, initializer=die_with_parent) as pool:
        with site(f"UserAuthHashConcurrency {given.bound}\n") as server:
            bench = run(server, pool, given)
    said = summary(bench, given)
    show(said)
    write("flood", given, said)


if __name__ == "__main__":
    main()
