"""clients.py: what the benches rates, accounts, flood, mails and soak share.

site()              a server without limits per address, in a folder that is removed afterwards
fill(server, n)     n confirmed accounts as rows, all with one password; name_of() knows their names
sign_in_all()       signs accounts in over kept connections, so that what comes only once (a mail about a new
                    device) is over before anything is measured
Script, cost()      wrk with a script in Lua: a client that leaves the processors to the server; what a run cost both
Burner              the raw hash rate (hashrate.c), also as a load beside the server
pss_of()            memory of processes, what they share counted once
"""
import argparse
import concurrent.futures
import contextlib
import http.client
import json
import os
import pwd
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "http"))

import apps  # noqa: E402
from load import cpu_of  # noqa: E402
from people import PASSWORD, join  # noqa: E402
from server import TOP, Server, base_folder, wait_for  # noqa: E402

BUILD = Path(os.environ.get("BUILD") or TOP / "build").resolve()
SPACE = 10_000_000  # names are spread evenly over so many numbers, however many there are
PARENT_DIES = ["setpriv", "--pdeathsig", "TERM"]
JSON = {"Host": "localhost", "Content-Type": "application/json", "Accept": "application/json"}
# Children stay the same ones for a whole run, and connections end when the client wants it.
HEAD = """
MaxConnectionsPerChild 0
MaxSpareThreads 400
MaxKeepAliveRequests 0
"""
CONF = """
UserAuthRateLimit login off
UserAuthRateLimit register off
UserAuthRateLimit token off
UserAuthRateLimit mail off
UserAuthMailLimit off
UserAuthMailBudget off
UserAuthLockAfter 1000
UserAuthSessionCacheTTL 2s
<Location "/gated">
    AuthType UserAuth
    Require valid-user
</Location>
LogLevel warn
CustomLog /dev/null full
"""


# ---- the server and its accounts ----


@contextlib.contextmanager
def site(conf="", head=""):
    """A server that runs; whatever ends this process ends it and removes its folder."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=base_folder()))
    folder.chmod(0o755)
    server = Server(folder, conf=CONF + conf, head=HEAD + head)
    for path in ("plain/file.txt", "gated/file.txt"):
        apps.put(server, path, "x" * 1023 + "\n")
    try:
        yield server.start()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def name_of(number, count):
    return f"p{number * SPACE // count:07d}"


def names_of(some, count):
    """`some` names that are spread evenly over all of `count`."""
    return [name_of(i * count // some, count) for i in range(some)]


NAME = f"printf('p%07d', i * {SPACE} / :count)"
UUID = """lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-a'
    || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"""
FILL = """WITH RECURSIVE number (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM number WHERE i + 1 < :count)
    INSERT INTO account ({names}) SELECT {values} FROM number, account a WHERE a.id = :id"""


def copy_account(base, account_id, count, name=NAME, shown=f"'Person ' || {NAME}"):
    """`count` copies of an account's row under other names, which are expressions of SQL over i; a first sign-in was long ago."""
    email = f"{name} || '@example.org'"
    own = {"id": UUID, "username": name, "username_key": name, "email": email, "email_key": email,
           "display_name": shown, "display_key": f"lower({shown})", "last_sign_in": "a.created"}
    names = [row[1] for row in base.execute("PRAGMA table_info(account)")]
    values = ", ".join(own.get(one, f"a.{one}") for one in names)
    base.execute(FILL.format(names=", ".join(names), values=values), {"count": count, "id": account_id})


def fill(server, count, more=()):
    """`count` accounts like one that was registered and confirmed, with the same password; `more` of other names. The seconds it took.

    The server rests meanwhile, so that the rows need neither a journal nor a sync.
    """
    person = join(server)
    server.stop()
    began = time.monotonic()
    base = sqlite3.connect(server.folder / "userauth.db", isolation_level=None)
    try:
        for setting in ("journal_mode=DELETE", "journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000", "temp_store=MEMORY"):
            base.execute(f"PRAGMA {setting}").fetchall()
        base.execute("BEGIN")
        copy_account(base, person.id, count)
        for some, name, shown in more:
            copy_account(base, person.id, some, name, shown)
        base.execute("COMMIT")
        base.execute("PRAGMA journal_mode=WAL").fetchall()
    finally:
        base.close()
    took = time.monotonic() - began
    server.start()
    return took


def waiting(server):
    return server.db("SELECT COUNT(*) AS n FROM outbox WHERE state = 0")[0]["n"]


def wait_mailed(server, seconds=300):
    wait_for(lambda: waiting(server) == 0, seconds, "all mails to be sent")


# ---- clients in Python, for what is not measured or is slow anyway ----


def post(link, path, body):
    """One request over a kept connection: status, headers, what the JSON says."""
    link.request("POST", path, json.dumps(body), JSON)
    answer = link.getresponse()
    return answer.status, answer.headers, json.loads(answer.read())


def post_all(server, path, bodies, wanted, clients=8):
    """Posts all of them, `clients` at once, and returns (headers, JSON) of each; another status than the wanted one ends the bench."""
    mine = threading.local()

    def ask(body):
        if not hasattr(mine, "link"):
            mine.link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        status, headers, said = post(mine.link, path, body)
        if status != wanted:
            raise SystemExit(f"{path}: {status} {said}\n{server.log()[-2000:]}")
        return headers, said

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        return list(pool.map(ask, bodies))


def sign_in_all(server, names):
    """(cookie, access token, refresh token) of a new session of each."""
    answers = post_all(server, "/auth/login", [{"login": name, "password": PASSWORD} for name in names], 200)
    return [(cookie_of(headers), said["access_token"], said["refresh_token"]) for headers, said in answers]


def cookie_of(headers):
    found = [line.partition(";")[0] for line in headers.get_all("Set-Cookie") if line.startswith("userauth=")]
    return found[0]


def look(server, path, cookie, accept="text/html"):
    """The page, once; ends the bench when it can't be had: wrk takes a redirect to the sign-in for a success."""
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    link.request("GET", path, headers={"Host": "localhost", "Cookie": cookie, "Accept": accept})
    answer = link.getresponse()
    text = answer.read()
    link.close()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status}\n{server.log()[-2000:]}")
    return text


# ---- wrk ----

# A script has request(), and answered(body) if it wants the bodies of the answers with the wanted status. Without such a
# status answers are not looked into, which is cheaper: then good is all below 400.
LUA = """
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init(args) good, busy, bare, bad, last = 0, 0, 0, 0, 0 end
if WANTED then response = function(status, headers, body)
    if status == WANTED then
        good = good + 1
        if answered then answered(body) end
    elseif status == 503 then
        busy = busy + 1
        if not headers["Retry-After"] then bare = bare + 1 end
    else
        bad = bad + 1
        last = status
    end
end end
function done(summary, latency, requests)
    local sum = {good = 0, busy = 0, bare = 0, bad = 0, last = 0}
    for _, thread in ipairs(threads) do
        for key in pairs(sum) do sum[key] = sum[key] + thread:get(key) end
    end
    local e = summary.errors
    if not WANTED then sum.good, sum.bad = summary.requests - e.status, e.status end
    print(string.format('{"good": %d, "busy": %d, "bare": %d, "bad": %d, "last": %d, "broken": %d, "seconds": %f}',
        sum.good, sum.busy, sum.bare, sum.bad, sum.last, e.connect + e.read + e.write + e.timeout, summary.duration / 1e6))
end
"""


def lua_list(values):
    return "{" + ", ".join(json.dumps(value) for value in values) + "}"


class Script:
    """wrk with a script of Lua, started at once; end() waits for it and returns what done() says.

    good: answers with the wanted status; busy: 503, bare: those of them without Retry-After; bad: others, last: such a status.
    """

    def __init__(self, server, text, wanted, seconds, connections):
        self.file = Path(tempfile.mkstemp(suffix=".lua", dir=server.folder)[1])
        self.file.write_text(f"WANTED = {wanted or 'nil'}\n{LUA}\n{text}")
        url = f"http://127.0.0.1:{server.port}/"
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", str(self.file), url]
        self.process = subprocess.Popen([*PARENT_DIES, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def end(self):
        said = self.process.communicate()[0]
        self.file.unlink()
        lines = [line for line in said.splitlines() if line.startswith("{")]
        if self.process.returncode or not lines:
            raise SystemExit(f"wrk: {said}")
        return json.loads(lines[-1])


def client_cpu():
    """Microseconds of the processes that this one started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1e6


def cost(server, run):
    """run() is one load and returns (requests, seconds): their rate, and the processor time of either side."""
    client, cpu = client_cpu(), cpu_of(server)
    requests, seconds = run()
    cpu, client = cpu_of(server) - cpu, client_cpu() - client
    if not requests:
        raise SystemExit(f"nothing was answered:\n{server.log()[-2000:]}")
    share = client / (seconds * 1e6 * os.cpu_count())
    return {"rps": requests / seconds, "cpu_us": cpu / requests, "client_us": client / requests, "client_share": share}


def scripted(server, text, wanted, seconds, connections):
    """cost() of a script, every answer of which has the wanted status."""

    def run():
        said = Script(server, text, wanted, seconds, connections).end()
        if said["bad"] or said["busy"] or said["broken"]:
            raise SystemExit(f"unexpected answers: {said}\n{server.log()[-2000:]}")
        return said["good"], said["seconds"]

    return cost(server, run)


def page(server, path, cookie, seconds, connections):
    """cost() of a page that somebody can see, before and after; connections kept alive."""
    look(server, path, cookie)
    measured = scripted(server, f"wrk.path = {json.dumps(path)}\nwrk.headers.Cookie = {json.dumps(cookie)}", None, seconds, connections)
    look(server, path, cookie)
    return measured


def login_script(names):
    """Signs these accounts in with the right password, one after the other."""
    return f"""
    local names = {lua_list(names)}
    local at = 0
    function request()
        at = at % #names + 1
        local body = string.format('{{"login": "%s", "password": "{PASSWORD}"}}', names[at])
        return wrk.format("POST", "/auth/login", {{["Content-Type"] = "application/json", ["Accept"] = "application/json"}}, body)
    end
    """


# ---- the hash rate, and memory ----


class Burner:
    """hashrate.c on some threads for some seconds."""

    def __init__(self, threads, seconds):
        command = [str(hashrate_built()), str(threads), str(seconds)]
        self.process = subprocess.Popen([*PARENT_DIES, *command], stdout=subprocess.PIPE, text=True)

    def end(self):
        said = self.process.communicate()[0]
        if self.process.returncode:
            raise SystemExit("hashrate failed")
        return json.loads(said)


def hashrate_built():
    source = Path(__file__).resolve().with_name("hashrate.c")
    program = BUILD / "bench" / "hashrate"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        program.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-O2", "-o", str(program), str(source), "-lsodium", "-lpthread"], check=True)
    return program


def hash_rate(threads, seconds):
    return Burner(threads, seconds).end()["rate"]


def pss_of(pids, kinds=("Pss",)):
    """Bytes; of what several processes share, each has its part. Kinds as smaps_rollup names them."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) for line in lines if line.partition(":")[0] in kinds) * 1024
    return total


def processes_of(server):
    return [server.process.pid, *server.children()]


# ---- results ----


def unprivileged():
    """The user that servers' children are, for programs that do not want to be root."""
    return "www-data" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name


def judged(value, limit, least=False):
    """A figure beside its limit, which it may not exceed; with `least` not fall below."""
    return {"value": value, "limit": limit, "holds": value >= limit if least else value <= limit}


def verdict(one):
    """The same in words."""
    if one is None:
        return ""
    holds = "holds" if one["holds"] else "FAILS"
    return f"{one['value']:.4g} (limit {one['limit']:.4g}) {holds}"


def parser_of(document):
    return argparse.ArgumentParser(description=document.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter)


def write(stem, given, results):
    """The figures as JSON below BUILD/bench."""
    out = BUILD / "bench"
    out.mkdir(parents=True, exist_ok=True)
    file = out / time.strftime(f"{stem}-%Y%m%dT%H%M%S.json")
    facts = {"cores": os.cpu_count(), "load": os.getloadavg(), "options": vars(given), "results": results}
    file.write_text(json.dumps(facts, indent=1) + "\n")
    print(f"Written to {file}")
