"""quiet.py: when a server may be told to stop. mpm_event itself may crash when TERM meets a worker that is
just finishing with a connection (httpd 2.4), so the harness stops between connections. So may a child that is just
being made: it calls exit() from the signal's handler, whatever it was at; so a server has few spare ones."""
import os
from pathlib import Path


def few_spare(mpm):
    """Lines for a server that makes no child before most of its first ones are busy; TERM wakes it to look for that."""
    return "MinSpareServers 1" if mpm == "prefork" else "MinSpareThreads 1"


class Quiet:
    """A condition for wait_for(): all threads of the processes sleep, and no connection was made or ended
    since the last look."""

    def __init__(self, processes):
        self.processes = processes
        self.seen = None

    def __call__(self):
        before, self.seen = self.seen, self._sockets() if self._sleeps() else None
        return self.seen is not None and before == self.seen

    def _sleeps(self):
        for pid in self.processes():
            for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
                try:
                    if stat.read_text().rpartition(")")[2].split()[0] != "S":
                        return False
                except OSError:
                    pass
        return True

    def _sockets(self):
        found = set()
        for pid in self.processes():
            for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
                try:
                    name = os.readlink(descriptor)
                except OSError:
                    continue
                if name.startswith("socket:"):
                    found.add((pid, name))
        return found
