"""A server that has no place left for another hash: what the refused hear, and how."""
import concurrent.futures
import json
import socket

from client import Client

CONF = "UserAuthHashConcurrency 1\nUserAuthHashQueue 1\nUserAuthRateLimit login off\n"
AT_ONCE = 24


def send_login(server, number):
    """A submit of a wrong password on a connection of its own."""
    body = json.dumps({"login": f"nobody{number}", "password": "wrong-horse-battery"})
    link = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    link.sendall(f"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
                 f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
    return link


def pieces_of(link):
    """What arrives until the server closes, as it arrives; the first kept-alive answer ends it too."""
    found = []
    with link:
        while piece := link.recv(65536):
            found.append(piece)
            if b" 401 " in found[0]:
                break
    return found


def test_a_refusal_is_whole_and_takes_its_time(new_server):
    """Who tries again at once would else take the processors from everybody. Twenty packets that arrive at the same moment
    can be one piece, all refusals in one piece can't."""
    server = new_server(conf=CONF)
    server.expect_log("UA0101")
    refused = []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for pieces in pool.map(lambda number: pieces_of(send_login(server, number)), range(AT_ONCE)):
            if b" 503 " in pieces[0]:
                refused.append(pieces)
    assert refused
    for pieces in refused:
        head, body = b"".join(pieces).split(b"\r\n\r\n", 1)
        assert b"\r\nRetry-After: 5\r\n" in head and json.loads(body)["code"] == "busy"
    assert server.mpm != "event" or max(len(pieces) for pieces in refused) > 1


def test_a_busy_server_recovers(new_server):
    server = new_server(conf=CONF)
    server.expect_log("UA0101")
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        submit = lambda number: Client(server).json("POST", "/auth/login", {"login": f"nobody{number}", "password": "x" * 12}).status_code
        assert set(pool.map(submit, range(AT_ONCE))) == {401, 503}
    assert Client(server).json("POST", "/auth/login", {"login": "nobody", "password": "x" * 12}).status_code == 401
