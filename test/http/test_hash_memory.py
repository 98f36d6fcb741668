"""What a hash fills is what base/hash_memory.c gives: the module's libsodium asks nobody else for it."""
import re
import threading
from pathlib import Path

from client import Client
from people import PASSWORD, stranger
from server import wait_for

KIB = 262144
CONF = f"UserAuthPasswordHash m={KIB},t=4,p=1\n"


def hashes(server):
    """Each mapping in huge pages that is as long as a hash's memory, in any child."""
    found = []
    for pid in server.children():
        maps = Path(f"/proc/{pid}/smaps").read_text()
        found += re.findall(rf"^Size: +{KIB} kB\n(?:.*\n)*?VmFlags: (.*)", maps, re.MULTILINE)
    return [flags for flags in found if "hg" in flags.split()]


def test_a_hash_fills_huge_pages(new_server):
    server = new_server(conf=CONF)
    sent = threading.Thread(target=lambda: Client(server).json("POST", "/auth/login", {"login": stranger().email, "password": PASSWORD}))
    sent.start()
    wait_for(lambda: hashes(server), what="memory in huge pages")
    sent.join()
    assert hashes(server) == []
