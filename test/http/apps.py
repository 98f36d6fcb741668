"""apps.py: what stands behind the gate in the tests: a CGI script, a front controller, a backend.

put_cgi(server, "cgi/show.cgi")   prints its environment, which environment(answer) reads
Backend()                         an HTTP server that answers with the request it got, as JSON
"""
import base64
import hashlib
import http.server
import json
import threading

SHOW = """#!/bin/sh
/bin/cat >/dev/null
printf 'Content-Type: text/plain\\r\\nX-From: cgi\\r\\n\\r\\n'
/usr/bin/env
"""


def put(server, path, text, mode=0o644):
    """A file below the server's DocumentRoot."""
    file = server.folder / "htdocs" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)
    return file


def put_cgi(server, path):
    return put(server, path, SHOW, 0o755)


# A gate of httpd's own, with that file.
HTPASSWD = """
    AuthType Basic
    AuthName "Others"
    AuthBasicProvider file
    AuthUserFile "${RUN}/htpasswd"
    Require valid-user
"""


def put_htpasswd(server, user, password):
    """The file ${RUN}/htpasswd of mod_authn_file, with one user."""
    file = server.folder / "htpasswd"
    file.write_text(f"{user}:{{SHA}}{base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()}\n")
    file.chmod(0o644)


def environment(answer):
    """The environment that a CGI script printed."""
    assert answer.status_code == 200 and answer.headers.get("X-From") == "cgi", f"{answer.status_code} {answer.text}"
    return dict(line.split("=", 1) for line in answer.content.decode().splitlines() if "=" in line)


class _Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        said = {"method": self.command, "path": self.path, "headers": self.headers.items()}
        self.server.requests.append(said)
        body = json.dumps(said).encode()
        self.send_response(404 if self.path.startswith("/missing") else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-From", "backend")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, *_):
        pass


class Backend:
    """An application on a port of its own; requests holds what reached it."""

    def __enter__(self):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
        self._server.daemon_threads = True
        self._server.requests = []
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self):
        return self._server.requests

    def last(self):
        """Header names in lower case, each with the list of its values, of the last request."""
        found = {}
        for name, value in self.requests[-1]["headers"]:
            found.setdefault(name.lower(), []).append(value)
        return found
