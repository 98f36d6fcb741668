"""cluster.py: MariaDB nodes with Galera on loopback, for the tests of a cluster that is written on two nodes at once.

    cluster = Cluster(folder)       # cluster.nodes: three (or `size`) engines.Engine that hold the same
    cluster.kill(2)                 # kill -9; the others go on
    cluster.rejoin(2)               # it comes back with what it missed (an incremental transfer: no copy of all)
    cluster.await_agreement("site")   # tables that are not the same on all nodes, row by row
A node that comes back finds its place by --wsrep-recover, as the service of the distribution does it.
"""
import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import engines
from confhelp import spare_port
from force import OPTIONS, kill
from server import TOP, wait_for

# The scripts of a transfer of all are of the package mariadb-server, which is unpacked: installed, it would start a server.
SCRIPTS = Path(os.environ.get("BUILD") or TOP / "build").resolve() / "unpacked" / "mariadb" / "usr" / "bin"
LIBRARY = "/usr/lib/galera/libgalera_smm.so"
WSREP = f"--wsrep-on=ON --wsrep-provider={LIBRARY} --wsrep-cluster-name=test --binlog-format=ROW --innodb-autoinc-lock-mode=2"


def lacking():
    """What is not at hand, in words for a test that is skipped; None when all is."""
    if not Path(LIBRARY).exists():
        return "the package galera-4 is not installed"
    if not (SCRIPTS / "wsrep_sst_rsync").exists():
        return f"the package mariadb-server is not unpacked in {SCRIPTS.parents[1]}"
    return None if shutil.which("rsync") else "the package rsync is not installed"


def owner():
    return ["setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups"] if os.getuid() == 0 else []


class Cluster:
    def __init__(self, folder, size=3):
        folder.mkdir()
        folder.chmod(0o755)
        # group communication, incremental transfer, transfer of all
        self.ports = [(spare_port(), spare_port(), spare_port()) for _ in range(size)]
        os.environ["PATH"] += f":{SCRIPTS}"
        self.nodes = [engines.Engine(folder / "n0", "mysql", self.options(0, alone=True))]
        (self.nodes[0].folder / "init.sql").write_text("")  # it has its user now; the others get it with the rest
        for number in range(1, size):
            self.prepare(folder / f"n{number}")
            self.nodes.append(engines.Engine(folder / f"n{number}", "mysql", self.options(number)))
        self.nodes[0].options = self.options(0)
        self.await_all()

    def options(self, number, alone=False, position=""):
        group, part, whole = self.ports[number]
        others = "" if alone else ",".join(f"127.0.0.1:{ports[0]}" for ports in self.ports)
        words = f"gmcast.listen_addr=tcp://127.0.0.1:{group};ist.recv_addr=127.0.0.1:{part}"
        return (f"{OPTIONS['mysql']} {WSREP} --wsrep-sst-method=rsync --wsrep-sst-receive-address=127.0.0.1:{whole}"
                f" --wsrep-node-name=n{number} --wsrep-node-address=127.0.0.1 --wsrep-cluster-address=gcomm://{others}"
                f" --wsrep-sync-wait=7 --wsrep-provider-options={words}"
                + (f" --wsrep-start-position={position}" if position else ""))

    def prepare(self, folder):
        """An empty node of the same password: the cluster gives it the rest."""
        for path in (folder, folder / "data"):
            path.mkdir()
        for name in ("password", "client.cnf", "init.sql"):
            shutil.copy2(self.nodes[0].folder / name, folder / name)
        for path in [folder, *folder.iterdir()] if os.getuid() == 0 else []:
            shutil.chown(path, "www-data", "www-data")

    def stop(self):
        for node in reversed(self.nodes):
            node.stop()

    def status(self, number, name):
        return self.ask(number, "SHOW GLOBAL STATUS LIKE ?", name)[0][1]

    def ask(self, number, sql, *args, key=None):
        node = self.nodes[number]
        node.made.setdefault(None, ("information_schema", ""))
        return node.query(key, sql, args)

    def await_all(self):
        wait_for(lambda: all(self.is_whole(number) for number in range(len(self.nodes))), 60, "the cluster")

    def is_whole(self, number):
        return (self.status(number, "wsrep_cluster_size"), self.status(number, "wsrep_ready")) == (str(len(self.nodes)), "ON")

    def kill(self, number):
        kill(self.nodes[number])

    def rejoin(self, number):
        node = self.nodes[number]
        node.options = self.options(number, position=self.position(node))
        node.run("start")
        self.await_all()

    def position(self, node):
        """How far it had come: a server that only looks, and ends."""
        said = subprocess.run(
            [*owner(), "/usr/sbin/mariadbd", "--no-defaults", f"--datadir={node.folder}/data",
             "--skip-networking", f"--socket={node.folder}/sock", *node.options.split(), "--wsrep-recover"],
            capture_output=True, text=True, check=False, cwd="/").stderr
        return re.search(r"Recovered position: (\S+)", said)[1]

    def database(self, key):
        """The same one on each node."""
        name = self.nodes[0].database(key)
        for node in self.nodes[1:]:
            node.made[key] = (name, f"host=127.0.0.1 port={node.port} dbname={name} user=userauth")
        return name

    def await_agreement(self, key):
        """What is still under way is on each node at last; the tables that differ all the same."""
        with contextlib.suppress(TimeoutError):
            wait_for(lambda: not self.differences(key), 15)
        return self.differences(key)

    def differences(self, key):
        name, different = self.database(key), []
        sql = """SELECT table_name, GROUP_CONCAT(column_name) FROM information_schema.key_column_usage
            WHERE table_schema = ? AND constraint_name = 'PRIMARY' GROUP BY table_name"""
        for table, columns in self.ask(0, sql, name):
            first, *others = [self.ask(number, f"SELECT * FROM {table} ORDER BY {columns}", key=key) for number in range(len(self.nodes))]
            different += [table] * any(other != first for other in others)
        return different
