"""runtimes.py: application servers behind the gate, from packages that deps.sh unpacked: they run for one test module only.

FPM(folder)       PHP-FPM on a socket in the folder; .socket, .stop()
MOD_WSGI          the module's file, to load
"""
import os
import subprocess
from pathlib import Path

from server import TOP, wait_for

UNPACKED = Path(os.environ.get("BUILD") or TOP / "build").resolve() / "unpacked"
MOD_WSGI = UNPACKED / "mod_wsgi/usr/lib/apache2/modules/mod_wsgi.so"
POOL = """[global]
daemonize = no
error_log = {folder}/fpm.log
[app]
{user}
listen = {folder}/fpm.sock
listen.mode = 0666
pm = static
pm.max_children = 2
catch_workers_output = yes
"""


def php_fpm():
    """The program, or None."""
    return next(iter(sorted(UNPACKED.glob("php-fpm/usr/sbin/php-fpm*"))), None)


class FPM:
    def __init__(self, folder):
        self.socket = folder / "fpm.sock"
        config = folder / "fpm.conf"
        config.write_text(POOL.format(folder=folder, user="user = www-data\ngroup = www-data" if os.getuid() == 0 else ""))
        command = ["setpriv", "--pdeathsig", "KILL", str(php_fpm()), "-n", "-y", str(config)]
        self._process = subprocess.Popen([*command, *(["-R"] if os.getuid() == 0 else [])], stderr=subprocess.DEVNULL)
        wait_for(lambda: self.socket.exists() or self._process.poll() is not None, what="PHP-FPM")
        assert self._process.poll() is None, (folder / "fpm.log").read_text()

    def stop(self):
        self._process.terminate()
        self._process.wait(15)
