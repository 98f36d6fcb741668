#!/usr/bin/env python3
"""mails.py: mails a second through one SMTP server, postfix's smtp-sink, and whether each came exactly once.

Accounts are registered while nothing listens at the server's address (a minute for 5 000): their mails wait. Then all become due
at one moment, and the sink, which keeps them in one file, is there. The rate counts from that moment to when the last one was marked
as sent. In a further round the same mails are made to wait once more.
"""
import collections
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import time

from clients import BUILD, PARENT_DIES, client_cpu, judged, parser_of, post_all, processes_of, site, unprivileged, waiting, write
from load import cpu_of
from people import PASSWORD
from server import free_port, wait_for

RATE = 500
HEAD_START = 1.0  # seconds from the sink's start to when the mails are due


def sink_program():
    """(program, environment): unpacked, as the package would start a mail server."""
    unpacked = BUILD / "unpacked" / "postfix" / "usr"
    if (unpacked / "sbin" / "smtp-sink").exists():
        return str(unpacked / "sbin" / "smtp-sink"), {**os.environ, "LD_LIBRARY_PATH": str(unpacked / "lib" / "postfix")}
    found = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin")
    if not found:
        raise SystemExit(f"smtp-sink is missing: unpack the package postfix below {BUILD}/unpacked/postfix")
    return found, None


@contextlib.contextmanager
def sink(port, file):
    """The SMTP server, as a user who may write the file."""
    program, environment = sink_program()
    user = ["-u", unprivileged()] if os.getuid() == 0 else []
    process = subprocess.Popen([*PARENT_DIES, program, *user, "-D", str(file), f"127.0.0.1:{port}", "128"], env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def register(server, count):
    bodies = []
    for i in range(count):
        name = f"mail{i:06d}"
        bodies.append({"username": name, "email": f"{name}@example.org", "password": PASSWORD})
    post_all(server, "/auth/register", bodies, 201)


def wait_again(server):
    """All mails wait, none was tried yet; the time when they are due, in microseconds."""
    due = int((time.time() + HEAD_START) * 1e6)
    server.db("UPDATE outbox SET state = 0, sent = 0, attempts = 0, lease = '', lease_until = 0, due = ?", due)
    return due


def ids_of(file):
    """How often each Message-ID came."""
    return collections.Counter(re.findall(r"(?mi)^message-id:\s*(\S+)", file.read_text(errors="replace")))


def measure(server, given, number):
    file = server.folder / "mail" / f"round{number}"
    client, cpu = client_cpu(), cpu_of(server)
    due = wait_again(server)
    with sink(given.port, file) as process:
        wait_for(lambda: waiting(server) == 0 or process.poll() is not None, HEAD_START + given.patience, "all mails to be sent")
        if process.poll() is not None:
            raise SystemExit(f"smtp-sink ended with {process.returncode}")
    cpu, client = cpu_of(server) - cpu, client_cpu() - client
    last = server.db("SELECT MAX(sent) AS last FROM outbox WHERE state = 1")[0]["last"]
    ids = ids_of(file)
    return {
        "rate": given.mails / ((last - due) / 1e6),
        "sent": server.db("SELECT COUNT(*) AS n FROM outbox WHERE state = 1")[0]["n"],
        "came": len(ids),
        "twice": sum(1 for times in ids.values() if times > 1),
        "cpu_us": cpu / given.mails,
        "sink_us": client / given.mails,
        "processes": len(processes_of(server)),  # each child but the CGI daemon sends
    }


def run(given):
    given.port = free_port()
    with site(f'UserAuthMail smtp://127.0.0.1:{given.port} "Example <accounts@example.com>"\n') as server:
        register(server, given.mails)
        if waiting(server) != given.mails:
            raise SystemExit(f"{waiting(server)} mails wait, not {given.mails}")
        return [measure(server, given, number) for number in range(given.rounds)]


def show(rounds, rate, once):
    print(f"{'mails/s':>9}{'sent':>8}{'came':>8}{'twice':>8}{'server µs':>11}{'sink µs':>9}{'processes':>11}")
    for one in rounds:
        counts = f"{one['sent']:>8}{one['came']:>8}{one['twice']:>8}"
        print(f"{one['rate']:>9.1f}{counts}{one['cpu_us']:>11.1f}{one['sink_us']:>9.1f}{one['processes']:>11}")
    print(f"mails a second: {rate['value']:.1f}, limit {rate['limit']}: {'holds' if rate['holds'] else 'FAILS'}")
    print(f"each exactly once: {'holds' if once else 'FAILS'}")


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--mails", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--patience", type=int, default=300, help="seconds until a round is given up")
    given = parser.parse_args()
    sink_program()
    rounds = run(given)
    rate = judged(round(statistics.median(one["rate"] for one in rounds), 1), RATE, least=True)
    once = all(one["came"] == one["sent"] == given.mails and one["twice"] == 0 for one in rounds)
    show(rounds, rate, once)
    write("mails", given, {"rate": rate, "exactly_once": once, "rounds": rounds})


if __name__ == "__main__":
    main()
