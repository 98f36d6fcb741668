"""preload.py: kills a live server, or lets a call to its database fail, at a chosen one of these calls (preload.c).

    faults = Preload(folder)
    with faults.loaded():              # servers started in here have it
        server.start()
    faults.set(KILL_BEFORE, 7)         # the 7th call from now on; .count calls so far, .done: how often it happened
"""
import contextlib
import mmap
import os
import struct
import subprocess
from pathlib import Path

NOTHING, KILL_BEFORE, KILL_AFTER, FAIL_ONCE, FAIL_FROM = range(5)
SOURCE = Path(__file__).with_suffix(".c")
FIELDS = struct.Struct("4i")


class Preload:
    def __init__(self, folder):
        self.library, self.file = folder / "preload.so", folder / "preload.shared"
        command = ["gcc", "-O1", "-shared", "-fPIC", "-isystem", "/usr/include/apr-1.0", str(SOURCE), "-o", str(self.library), "-ldl"]
        subprocess.run(command, check=True)
        self.file.write_bytes(bytes(mmap.PAGESIZE))
        self.file.chmod(0o666)
        with open(self.file, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    @contextlib.contextmanager
    def loaded(self):
        os.environ.update(LD_PRELOAD=str(self.library), UA_PRELOAD=str(self.file))
        try:
            yield self
        finally:
            del os.environ["LD_PRELOAD"], os.environ["UA_PRELOAD"]

    def set(self, how, at=1):
        FIELDS.pack_into(self.memory, 0, how, at, 0, 0)

    @property
    def count(self):
        return FIELDS.unpack_from(self.memory)[2]

    @property
    def done(self):
        return FIELDS.unpack_from(self.memory)[3]
