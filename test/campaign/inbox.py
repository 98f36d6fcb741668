"""inbox.py: the mail server of a campaign, and what has arrived there: by recipient and by Message-ID.

    with Inbox(folder) as inbox:              # smtp_server.py on inbox.port
        mail = inbox.wait("a@example.org", "reset", after=0)   # the newest with a link of this purpose
        inbox.arrivals()                      # {outbox id: [time of each copy]}
"""
import collections
import re
import threading
import time

from mails import Mail
from smtp_server import SmtpServer, Store

ID = re.compile(rb"(?mi)^message-id:\s*<([^@>]+)@")


class Indexed(Store):
    """Knows each message when it arrives, instead of reading them all again."""

    def __init__(self, folder):
        super().__init__(folder)
        self.lock = threading.Condition()
        self.of = collections.defaultdict(list)     # recipient: [raw]
        self.times = collections.defaultdict(list)  # outbox id: [time]

    def add(self, raw, **envelope):
        super().add(raw, **envelope)
        with self.lock:
            self.times[ID.search(raw)[1].decode()].append(time.time())
            self.of[envelope["rcpts"][0]].append(raw)
            self.lock.notify_all()


class Inbox(SmtpServer):
    def __init__(self, folder):
        super().__init__(folder)
        self.store = Indexed(folder)

    def wait(self, email, purpose, seconds, after=0):
        """The token of the newest mail to an address with a link of this purpose, once there are more than `after`
        mails of the kind (copies count once); None when none came in time."""
        mark = f"/auth/{purpose}?token=".encode()

        def found():
            one_each = {ID.search(raw)[1]: raw for raw in self.store.of[email] if mark in raw}
            return list(one_each.values())[after:]

        with self.store.lock:
            self.store.lock.wait_for(found, seconds)
            some = found()
        return Mail(some[-1]).token(purpose) if some else None

    def count(self):
        with self.store.lock:
            return sum(len(times) for times in self.store.times.values())

    def wait_more(self, seconds):
        """Until another mail has arrived: whoever brought it is at work."""
        before = self.count()
        with self.store.lock:
            self.store.lock.wait_for(lambda: sum(len(times) for times in self.store.times.values()) > before, seconds)

    def arrivals(self):
        with self.store.lock:
            return {name: list(times) for name, times in self.store.times.items()}
