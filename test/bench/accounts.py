#!/usr/bin/env python3
"""accounts.py: whether anything gets slower with the number of accounts: 1 000 of them on one server, 1 000 000 on another.

Both run at once and take turns (A B B A), and the median of the pairs' ratios counts: of the processor time of a request, and of the
time that passes between two answers. Members pages have 20 rows on both servers. The first row, a file without a gate, is no
matter of accounts and shows what such a median is worth. Names are spread evenly over the same alphabet on both.
"""
import base64
import json
import statistics

from clients import fill, judged, login_script, look, name_of, names_of, page, parser_of, scripted, sign_in_all, site, wait_mailed, write

BUILDING = 120  # seconds
PAGE = 20
FIRST = "/dashboard/members"
# Those that a search finds, equally many on both servers: neighbours by the name they sign in with, and people all over the
# alphabet by the name they show.
FOUND = [(2 * PAGE, "printf('zebra%03d', i)", "'Person'"), (2 * PAGE, "printf('p%07dx', i * 250000)", "printf('Quagga %03d', i)")]


def cursor(name):
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


class Site:
    """One of the two servers, with its accounts and somebody's cookie."""

    def __init__(self, server, count, given):
        self.server, self.count = server, count
        self.built = fill(server, count, FOUND)
        self.names = names_of(min(given.accounts, count), count)
        self.cookie = sign_in_all(server, self.names)[0][0]
        wait_mailed(server)
        self.paths = {"plain": "/plain/file.txt", "gated": "/gated/file.txt", **self.members()}

    def members(self):
        """The kinds of members pages, with the path that this server's own links have."""
        last, following = self.listed(FIRST)[-1], self.said["next"]
        if following != cursor(last):
            raise SystemExit(f"the cursor behind {last} is {following}")
        middle, end = (cursor(name_of(i, self.count)) for i in (self.count // 2, self.count - 2 * PAGE))
        paths = {
            "members, first page": FIRST,
            "members, middle": f"{FIRST}?q=&after={middle}&limit={PAGE}",
            "members, end": f"{FIRST}?q=&after={end}&limit={PAGE}",
            "search, every tenth": f"{FIRST}?q=p5",
            "search, all, middle": f"{FIRST}?q=p&after={middle}&limit={PAGE}",
            "search, username": f"{FIRST}?q=zebra",
            "search, display name": f"{FIRST}?q=quagga",
        }
        for what, path in paths.items():
            if len(self.listed(path)) != PAGE:
                raise SystemExit(f"{what}: {len(self.said['members'])} rows of {self.count} accounts")
        paths["search, nobody"] = f"{FIRST}?q=xylophone"
        return paths

    def listed(self, path):
        self.said = json.loads(look(self.server, path, self.cookie, "application/json"))
        return [member["username"] for member in self.said["members"]]

    def measure(self, what, given):
        if what == "login":  # few in a second: longer
            return scripted(self.server, login_script(self.names), 200, 4 * given.seconds, given.connections)
        return page(self.server, self.paths[what], self.cookie, given.seconds, given.connections)


def limit_of(what):
    return {"plain": None, "gated": 1.05, "login": 1.05}.get(what, 1.2)


def pairs_of(few, many, what, given):
    for one in (few, many):
        one.measure(what, given)  # warms up
    pairs = []
    while len(pairs) < given.pairs:
        runs = [one.measure(what, given) for one in (few, many, many, few)]
        pairs += [(runs[0], runs[1]), (runs[3], runs[2])]
    return pairs


def summary(what, pairs):
    cpu = statistics.median(many["cpu_us"] / few["cpu_us"] for few, many in pairs)
    time = statistics.median(few["rps"] / many["rps"] for few, many in pairs)
    said = {"pairs": len(pairs), "cpu_ratio": round(cpu, 4), "time_ratio": round(time, 4)}
    for place, name in enumerate(("few", "many")):
        said[f"{name}_cpu_us"] = round(statistics.median(pair[place]["cpu_us"] for pair in pairs), 1)
        said[f"{name}_rps"] = round(statistics.median(pair[place]["rps"] for pair in pairs), 1)
    if limit_of(what):
        said["worse"] = judged(max(cpu, time), limit_of(what))
    return said


def show_one(what, one):
    figures = f"{one['few_cpu_us']:>12}{one['many_cpu_us']:>12}{one['cpu_ratio']:>8.3f}"
    figures += f"{one['few_rps']:>12}{one['many_rps']:>12}{one['time_ratio']:>8.3f}"
    limit = ""
    if "worse" in one:
        limit = f"{one['worse']['limit']:>8}  {'holds' if one['worse']['holds'] else 'FAILS'}"
    print(f"{what:22}{figures}{limit}", flush=True)


def run(few, many, given):
    print(f"{'':22}{'few: µs':>12}{'many: µs':>12}{'ratio':>8}{'few: /s':>12}{'many: /s':>12}{'time':>8}{'limit':>8}")
    results = {}
    for what in [*few.paths, "login"]:
        results[what] = summary(what, pairs_of(few, many, what, given))
        show_one(what, results[what])
    return results


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=1, help="of each run")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--accounts", type=int, default=300, help="that sign in, on either server")
    given = parser.parse_args()
    with site() as one, site() as other:
        many = Site(other, given.many, given)
        built = judged(round(many.built, 1), BUILDING)
        print(f"{given.many} accounts were made in {many.built:.1f} s, limit {BUILDING} s: {'holds' if built['holds'] else 'FAILS'}")
        results = run(Site(one, given.few, given), many, given)
    write("accounts", given, {"built": built, **results})


if __name__ == "__main__":
    main()
