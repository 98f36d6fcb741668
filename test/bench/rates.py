#!/usr/bin/env python3
"""rates.py: sign-ins and registrations a second beside libsodium's raw hash rate; what a refresh, the dashboard and its members page cost.

A round measures every row once, and the next one in the opposite order; figures are medians over the rounds, ratios
medians of the ratios within a round. Django with allauth, at the same Argon2 parameters, signs in and registers in the same
rounds. Every registration is committed durably and gets its mail (in a folder). Client and
server share the processors: the share of all of them that the client took is printed beside, and no ratio is corrected for it.
"""
import contextlib
import json
import statistics

from clients import fill, hash_rate, judged, login_script, lua_list, name_of, names_of, page, parser_of, scripted, sign_in_all
from clients import site, verdict, wait_mailed, write
from peer_django import Django
from people import PASSWORD
from server import base_folder

ACCOUNTS = 1000
LOGINS, REGISTRATIONS = 0.90, 0.85  # of the hash rate
KINDS = ("hash", "login", "register", "refresh", "members", "dashboard")
PEER = ("peer_login", "peer_register")
PEER_NEW = 2000  # registrations that a round may need

REGISTER = """
local at = 0
function request()
    at = at + 1
    local name = string.format("new%sx%d", ROUND, at)
    local body = string.format('{"username": "%s", "email": "%s@example.org", "password": "PASSWORD"}', name, name)
    return wrk.format("POST", "/auth/register", {["Content-Type"] = "application/json", ["Accept"] = "application/json"}, body)
end
"""
# Each connection has a token at hand that nobody else uses: twice as many as connections.
REFRESH = """
local first, last = 1, #tokens
function request()
    local token = tokens[first]
    first = first + 1
    local body = string.format('{"refresh_token": "%s"}', token)
    return wrk.format("POST", "/auth/token", {["Content-Type"] = "application/json", ["Accept"] = "application/json"}, body)
end
function answered(body)
    last = last + 1
    tokens[last] = string.match(body, '"refresh_token"%s*:%s*"([^"]+)"')
end
"""


def listed(requests):
    """A script that sends these, one after the other."""
    rows = []
    for one in requests:
        headers = ", ".join(f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in one.headers.items())
        rows.append(f"{{{json.dumps(one.method)}, {json.dumps(one.path)}, {{{headers}}}, {json.dumps(one.body.decode())}}}")
    return f"""
    local list, at = {{{", ".join(rows)}}}, 0
    function request()
        at = at % #list + 1
        return wrk.format(list[at][1], list[at][2], list[at][3], list[at][4])
    end
    """


class Bench:
    def __init__(self, server, peer, given):
        self.server, self.peer, self.given = server, peer, given
        self.kinds = KINDS + PEER if peer else KINDS
        self.round = 0
        fill(server, ACCOUNTS)
        self.names = names_of(min(given.accounts, ACCOUNTS), ACCOUNTS)
        self.cookie = sign_in_all(server, self.names)[0][0]
        wait_mailed(server)

    def hash(self):
        return {"rps": hash_rate(self.given.threads, self.given.seconds)}

    def login(self):
        return scripted(self.server, login_script(self.names), 200, self.given.seconds, self.given.connections)

    def register(self):
        self.round += 1
        text = f'local ROUND = "{self.round}"\n' + REGISTER.replace("PASSWORD", PASSWORD)
        measured = scripted(self.server, text, 201, self.given.seconds, self.given.connections)
        wait_mailed(self.server)  # what is left of them is no load of the next row
        return measured

    def refresh(self):
        names = [name_of(i, ACCOUNTS) for i in range(2 * self.given.connections)]
        tokens = [refresh for _, _, refresh in sign_in_all(self.server, names)]
        wait_mailed(self.server)
        text = f"tokens = {lua_list(tokens)}\n{REFRESH}"
        return scripted(self.server, text, 200, self.given.seconds, self.given.connections)

    def members(self):
        return page(self.server, "/dashboard/members", self.cookie, self.given.seconds, self.given.connections)

    def dashboard(self):
        return page(self.server, "/dashboard", self.cookie, self.given.seconds, self.given.connections)

    def peer_login(self):
        requests = [self.peer.sign_in_request(number) for number in range(self.given.accounts)]
        return scripted(self.peer.server, listed(requests), 302, self.given.seconds, self.given.connections)

    def peer_register(self):
        self.round += 1
        first = self.round * PEER_NEW
        requests = [self.peer.sign_up_request(number) for number in range(first, first + PEER_NEW)]
        return scripted(self.peer.server, listed(requests), 302, self.given.seconds, self.given.connections)


def run(server, peer, given):
    bench = Bench(server, peer, given)
    results = {kind: [] for kind in bench.kinds}
    for number in range(given.rounds):
        for kind in bench.kinds if number % 2 == 0 else reversed(bench.kinds):
            results[kind].append(getattr(bench, kind)())
    return results


def summary(results):
    said = {}
    for kind, rounds in results.items():
        said[kind] = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
    for kind, limit in (("login", LOGINS), ("register", REGISTRATIONS)):
        ratio = statistics.median(one["rps"] / raw["rps"] for one, raw in zip(results[kind], results["hash"]))
        said[kind]["of_hash_rate"] = judged(ratio, limit, least=True)
        if f"peer_{kind}" in results:
            ahead = statistics.median(one["rps"] / peer["rps"] for one, peer in zip(results[kind], results[f"peer_{kind}"]))
            said[f"peer_{kind}"]["we_do"] = judged(ahead, 1, least=True)
    return said


def show(said):
    print(f"{'':10}{'a second':>10}{'server µs':>11}{'client µs':>11}{'client, of all cores':>22}  of the hash rate")
    for kind, one in said.items():
        line = f"{kind:10}{one['rps']:>10.1f}"
        if "cpu_us" in one:
            line += f"{one['cpu_us']:>11.1f}{one['client_us']:>11.1f}{one['client_share']:>22.1%}"
        if "we_do" in one:
            line += f"  ours to it: {verdict(one['we_do'])}"
        print(f"{line}  {verdict(one.get('of_hash_rate'))}".rstrip())


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=6, help="of each run")
    parser.add_argument("--connections", type=int, default=8, help="clients at once")
    parser.add_argument("--threads", type=int, default=2, help="of the raw hash rate")
    parser.add_argument("--accounts", type=int, default=400, help="that sign in, of 1000 there are")
    given = parser.parse_args()
    peer = Django(base_folder(), people=ACCOUNTS)
    why = peer.missing()
    if why:
        print(f"{peer.name}: skipped, {why}")
    with site() as server, contextlib.ExitStack() as stack:
        if not why:
            stack.callback(peer.stop)
            peer.start()
        results = run(server, None if why else peer, given)
    said = summary(results)
    show(said)
    write("rates", given, {"medians": said, "rounds": results})


if __name__ == "__main__":
    main()
