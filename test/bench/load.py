"""load.py: one second of wrk on a live Apache, and what it cost: for the benches.

Processor time is that of all threads of the server, from the scheduler's own account (schedstat, nanoseconds), so the
client's share is not in it.
"""
import re
import subprocess
import time
from pathlib import Path


def cpu_of(server):
    """Microseconds that the server's processes have run: its parent and the children that live."""
    total = 0
    for pid in [server.process.pid, *server.children()]:
        for task in Path(f"/proc/{pid}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                pass
    return total / 1000


def stolen():
    """(taken, of all): ticks of this machine's processors in which the host ran somebody else (proc(5), "steal")."""
    ticks = [int(n) for n in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return ticks[7], sum(ticks)


def wrk(url, headers, seconds, connections):
    """(requests, errors) of one run on one thread, connections kept alive."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    said = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    requests = int(re.search(r"(\d+) requests in", said)[1])
    errors = sum(int(n) for n in re.findall(r"(?:Non-2xx or 3xx responses: |connect |read |write |timeout )(\d+)", said))
    return requests, errors


def measure(server, path, headers, seconds, connections):
    """CPU microseconds a request, requests a second, and the part of the time in which the host ran somebody else."""
    before, began, lost = cpu_of(server), time.monotonic(), stolen()
    requests, errors = wrk(f"http://127.0.0.1:{server.port}{path}", headers, seconds, connections)
    took = time.monotonic() - began
    after = stolen()
    if errors or not requests:
        raise SystemExit(f"{path}: {errors} errors in {requests} requests:\n{server.log()[-2000:]}")
    return {"cpu_us": (cpu_of(server) - before) / requests, "rps": requests / took,
            "stolen": (after[0] - lost[0]) / max(1, after[1] - lost[1])}
