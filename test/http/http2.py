"""http2.py: HTTP/2 under the same tests: an adapter of requests that speaks it (RFC 9113), by prior knowledge without TLS.

Used by client.py when UA_HTTP is 2; the server then offers it (server.py).
"""
import http.client
import io
import os
import types

import requests.adapters

USED = os.environ.get("UA_HTTP") == "2"
LINES = "LoadModule http2_module /usr/lib/apache2/modules/mod_http2.so\nProtocols h2 h2c http/1.1\n"
SERVER = LINES if USED else ""
# RFC 9113, 8.2.2: these have no meaning there.
CONNECTION = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host"}


class Http2(requests.adapters.HTTPAdapter):
    def __init__(self, source=None, certificate=None):
        import httpx  # wanted for UA_HTTP=2 only

        super().__init__()
        self._httpx = httpx
        verify = httpx.create_ssl_context(verify=certificate) if certificate else True
        self._connect = lambda: httpx.HTTPTransport(http1=False, http2=True, verify=verify, local_address=source, trust_env=False)
        self._link = self._connect()

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        headers = [("Host", request.headers.get("Host"))] if "Host" in request.headers else []
        headers += [(name, value) for name, value in request.headers.items() if name.lower() not in CONNECTION]
        seconds = {name: timeout for name in ("connect", "read", "write", "pool")}
        sent = self._httpx.Request(request.method, request.url, headers=headers, content=request.body, extensions={"timeout": seconds})
        try:
            answer = self._link.handle_request(sent)
        except self._httpx.RemoteProtocolError:  # the server had closed the idle connection (GOAWAY)
            self._link = self._connect()
            answer = self._link.handle_request(sent)
        body = answer.read()
        answer.close()
        message = http.client.HTTPMessage()
        for name, value in answer.headers.multi_items():
            message.add_header("-".join(part.capitalize() for part in name.split("-")), value)
        raw = requests.packages.urllib3.HTTPResponse(
            body=io.BytesIO(body), headers=message, status=answer.status_code, version=20, preload_content=False, decode_content=True,
            reason=http.client.responses.get(answer.status_code, ""), original_response=types.SimpleNamespace(msg=message, isclosed=lambda: True),
        )
        return self.build_response(request, raw)

    def close(self):
        self._link.close()
