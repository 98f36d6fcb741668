"""Hostile bodies (BODY-01..11): too large, too many, cut off, framed twice; memory stays where it was."""
import gzip
import json
import random
import socket
import struct

import pytest

import http2
from attacks import answers, chunks, connect, exchange, forget_peaks, keeps_freed, pairs, peaks, post, received, request
from client import Client
from people import stranger
from server import wait_for

LIMIT = 65536
MEGABYTE = 1 << 20
FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")
CHUNKED = ("Transfer-Encoding", "chunked")


def padded(size):
    """A form of exactly so many bytes, refused for its empty password only."""
    start = b"login=x&password=&filler="
    return start + b"a" * (size - len(start))


def padded_json(size):
    start, end = b'{"login":"x","password":"","filler":"', b'"}'
    return start + b"a" * (size - len(start) - len(end)) + end


def declared(headers, length):
    return [*headers, ("Content-Length", str(length))]


@pytest.fixture
def warm(server):
    """The server after its children have seen a full body; fails when the test made one grow."""
    for _ in range(8):
        exchange(server, post("/auth/login", padded(LIMIT)))
    forget_peaks(server)
    before = peaks(server)
    yield server
    after = peaks(server)
    grown = max(after[pid] - before[pid] for pid in before if pid in after)
    assert grown < 4 * MEGABYTE or keeps_freed(server), f"a child grew by {grown >> 10} KiB"


@pytest.mark.parametrize("make, kind", [(padded, FORM[1]), (padded_json, JSON[1])])
def test_body_01_limit(server, make, kind):
    """BODY-01: 64 KiB pass, one byte more is 413, with a length and in chunks."""
    for size, status in ((LIMIT - 1, 422), (LIMIT, 422), (LIMIT + 1, 413), (2 * LIMIT, 413)):
        body = make(size)
        answer = exchange(server, post("/auth/login", body, kind=kind))[0]
        assert answer.status == status, f"{size} declared"
        for cut in (1000, 8192, 40000):
            parts = [body[at : at + cut] for at in range(0, size, cut)]
            found = exchange(server, request("POST", "/auth/login", [("Content-Type", kind), CHUNKED], chunks(*parts)))
            assert [answer.status for answer in found] == [status], f"{size} in chunks of {cut}"


@pytest.mark.parametrize("length", [LIMIT + 1, 10 * MEGABYTE, 1 << 30, 1 << 40, (1 << 63) - 1])
def test_body_01_refused_before_it_is_read(warm, length):
    """BODY-01: a declared length over the limit is answered before a byte of it came."""
    for kind in (FORM, JSON, ("Content-Type", "multipart/form-data; boundary=x")):
        answer = exchange(warm, request("POST", "/auth/register", declared([kind], length)))[0]
        # a server with h2c offers it in the same header
        assert answer.status == 413 and answer.one("Connection") == ("Upgrade, close" if http2.USED else "close")
    for path in ("/auth/resend", "/auth/nothing", "/dashboard"):
        data = request("POST", path, declared([FORM], length), close=False)
        found = exchange(warm, data + b"x" * 1000, half_close=True)
        assert len(found) == 1 and found[0].status in (413, 404, 303, 401, 400), path


@pytest.mark.parametrize("size", [MEGABYTE, 10 * MEGABYTE])
def test_body_01_sent_all_the_same(warm, size):
    """BODY-01: the client that sends 10 MB regardless gets 413 and leaves no memory behind."""
    body = padded(size)
    for _ in range(3):
        for data in (post("/auth/login", body), request("POST", "/auth/login", [FORM, CHUNKED], chunks(*[body[:MEGABYTE]] * (size >> 20)))):
            assert [answer.status for answer in exchange(warm, data)] in ([413], [])


@pytest.mark.parametrize("megabytes", [1, 4, 16])
def test_body_02_empty_pairs(warm, megabytes):
    """BODY-02: `=&=&…`: 413, and no child grows (httpd's own parser: 955 MB for 4 MB)."""
    body = b"=&" * (megabytes * MEGABYTE // 2)
    for data in (post("/auth/login", body), request("POST", "/auth/login", [FORM, CHUNKED], chunks(body))):
        assert [answer.status for answer in exchange(warm, data)] in ([413], [])


@pytest.mark.parametrize("unit", [b"=&", b"&", b"a&", b"=", b"%3d&", b"a=&", b"&=", b"++", b"%26"])
def test_body_02_floods_below_the_limit(warm, unit):
    """BODY-02: 64 KiB of small pairs: refused or one value, never 32 768 entries."""
    body = (unit * LIMIT)[: LIMIT - LIMIT % len(unit)]
    for _ in range(10):
        answer = exchange(warm, post("/auth/login", body))[0]
        assert answer.status in (400, 422)
    for count, status in ((64, 422), (65, 400)):
        many = b"&".join([b"login=", *(b"x%d=" % n for n in range(count - 1))])
        assert exchange(warm, post("/auth/login", many))[0].status == status


def test_body_02_many_parameters_in_the_query(warm):
    """BODY-02, beyond the list: 8 KB of `&` in a query must not cost megabytes."""
    for path in ("/auth/verify", "/auth/login", "/auth/nothing"):
        for unit in ("a&", "&", "=&", "token&", "token=&", "%74=&", "next=/&"):
            query = (unit * 8000)[:7900]
            for _ in range(6):
                assert exchange(warm, request("GET", f"{path}?{query}"))[0].status in (200, 400, 404, 429)


def test_body_01_a_body_that_a_filter_unpacks(new_server):
    """BODY-01: 64 KiB as unpacked, whatever was declared: not a byte stands behind the room for it."""
    server = new_server(conf="SetInputFilter DEFLATE\n")
    for size, status in ((500, 422), (9000, 422), (LIMIT, 422), (LIMIT + 1, 413), (4 * LIMIT, 413)):
        body = padded(0) + random.Random(size).randbytes(size).hex().encode()[: size - len(padded(0))]
        for path, expected in (("/auth/login", status), ("/dashboard/profile", 303)):  # the gate reads forms, too
            for _ in range(4):
                headers = [("Content-Encoding", "gzip"), ("Accept", "text/html")]
                found = exchange(server, post(path, gzip.compress(body), headers))
                assert [answer.status for answer in found] == [expected], f"{path}, {size} bytes"
    assert "exit signal" not in server.log()


def new_account_body():
    person = stranger("cut")
    return person, pairs(username=person.username, email=person.email, password=person.password)


def nobody(server, person):
    return not server.db("SELECT id FROM account WHERE username = ?", person.username)


def test_body_03_a_form_cut_off_is_not_used(server):
    """BODY-03: the client closes while the body is on its way; what came is a whole form by itself."""
    for extra in (1, 20, 60000):
        for headers, sent in (([FORM], None), ([FORM, CHUNKED], "chunked"), ([JSON], None)):
            person, body = new_account_body()
            if headers == [JSON]:
                body = json.dumps({"username": person.username, "email": person.email, "password": person.password}).encode()
            if sent:
                data = request("POST", "/auth/register", headers, b"%x\r\n" % (len(body) + extra) + body)
            else:
                data = request("POST", "/auth/register", declared(headers, len(body) + extra), body)
            found = exchange(server, data, half_close=True)
            assert [answer.status for answer in found] in ([400], []), extra
            assert nobody(server, person)


def test_body_03_reset_in_the_middle(server):
    """BODY-03: the client resets; the server goes on, and no account was made."""
    person, body = new_account_body()
    logged = len(server.access_log())
    link = connect(server)
    link.sendall(request("POST", "/auth/register", declared([FORM], len(body) + 100), body))
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.close()
    wait_for(lambda: len(server.access_log()) > logged, what="the request to end")
    assert nobody(server, person)


BAD_CHUNKS = (
    b"zz\r\n", b"-1\r\n", b"0x10\r\n", b" 5\r\nabcde\r\n", b"fffffffffffffffff\r\n", b"5;\x00\r\nabcde\r\n", b"5\nabcde\n",
    b"5\rabcde", b"5\r\nabcdeXX", b"\r\n", b"+5\r\nabcde\r\n", b"5 5\r\nabcde\r\n", b"8000000000000000\r\n", b"5,5\r\n",
)


@pytest.mark.parametrize("bad", BAD_CHUNKS)
def test_body_03_broken_chunks(server, bad):
    """BODY-03: an error in a chunk's header, behind a body that would be a whole form; then a smuggled request."""
    person, body = new_account_body()
    smuggled = request("GET", "/auth/health")
    for data in (chunks(body, last=b"") + bad, bad):
        found = exchange(server, request("POST", "/auth/register", [FORM, CHUNKED], data + smuggled, close=False), half_close=True)
        assert len(found) <= 1 and all(answer.status in (400, 413) for answer in found), [a.status for a in found]
        assert nobody(server, person)


def test_body_03_trailers_are_not_headers(server):
    """BODY-03: fields behind a chunked body neither change the request nor pass as identity or cookie."""
    last = (b"0\r\nX-Remote-User: admin\r\nCookie: userauth=x\r\nX-Test-Address: 203.0.113.9\r\n"
            b"Sec-Fetch-Site: cross-site\r\nContent-Type: application/json\r\n\r\n")
    found = exchange(server, request("POST", "/auth/login", [FORM, CHUNKED], chunks(b"login=x&password=", last=last)))
    assert [answer.status for answer in found] == [422]
    person, body = new_account_body()
    exchange(server, request("POST", "/auth/register", [FORM, CHUNKED], chunks(body, last=last)))
    row = server.db("SELECT address FROM account WHERE username = ?", person.username)
    assert not row or row[0]["address"] != "203.0.113.9"


def test_body_04_slow_clients_do_not_stop_others(server):
    """BODY-04: a hundred half-sent bodies; another person is served meanwhile."""
    data = request("POST", "/auth/login", declared([FORM], 1000), b"login=", close=False)
    links = [connect(server) for _ in range(100)]
    try:
        for link in links:
            link.sendall(data)
        client = Client(server)
        for path in ("/auth/login", "/auth/health"):
            assert client.get(path, timeout=10).status_code == 200
        assert client.json("POST", "/auth/login", {"login": "x", "password": ""}, timeout=10).status_code == 422
    finally:
        for link in links:
            link.close()


SMUGGLED = request("GET", "/auth/smuggled", close=True)


@pytest.mark.parametrize("headers", [
    [("Content-Length", "5"), CHUNKED], [CHUNKED, ("Content-Length", "5")], [("Content-Length", "5"), ("Content-Length", "6")],
    [("Content-Length", "5"), ("Content-Length", "5")], [("Content-Length", "5, 6")], [("Content-Length", "+5")],
    [("Content-Length", "-1")], [("Content-Length", "0x5")], [("Content-Length", "5 5")], [("Content-Length", "")],
    [("Content-Length", "99999999999999999999")], [("Transfer-Encoding", "xchunked")], [("Transfer-Encoding", "chunked, identity")],
    [("Transfer-Encoding", "identity")], [("Transfer-Encoding", "chunked, chunked")], [("Transfer-Encoding", "\x0bchunked")],
    [("Transfer-Encoding ", "chunked")], [("Transfer-Encoding", "gzip, chunked")], [CHUNKED, CHUNKED], [("Transfer-Encoding", "")],
    [("Transfer-Encoding", "chunked;q=1")], [("Transfer_Encoding", "chunked"), ("Content-Length", "5")],
])
def test_body_06_framed_twice(server, headers):
    """BODY-06: no body's rest is ever read as the next request."""
    found = exchange(server, request("POST", "/auth/login", [FORM, *headers], b"0\r\n\r\n" + SMUGGLED, close=False), half_close=True)
    statuses = [answer.status for answer in found]
    if "Transfer_Encoding" in headers[0]:
        assert statuses == [422, 404] or statuses == [400, 404], statuses  # five bytes of body, then a request
    elif len(found) == 2:
        name, value = headers[0]
        assert (name, value) == ("Content-Length", "5") or value.endswith("chunked"), statuses
        assert statuses[1] == 404
    else:
        assert len(found) <= 1 and all(status in (400, 413, 422, 501) for status in statuses), statuses


@pytest.mark.parametrize("path, kind, expected", [
    ("/auth/login", "text/plain", 415), ("/auth/nothing", FORM[1], 404), ("/auth/login", FORM[1], 422),
    ("/dashboard", FORM[1], 303), ("/auth/health", FORM[1], 405), ("/auth/logout", "multipart/form-data", 415),
    ("/auth/assets/x", FORM[1], 404),
])
def test_body_06_a_refused_body_is_not_the_next_request(server, path, kind, expected):
    """BODY-06: refusals before, during and after the body, on a connection that lives on."""
    hidden = request("GET", "/auth/smuggled", close=False)
    following = request("GET", "/auth/health")
    data = request("POST", path, [("Content-Type", kind), ("Content-Length", str(len(hidden))), ("Accept", "text/html")], hidden, close=False)
    found = exchange(server, data + following)
    assert found[0].status == expected
    assert [answer.status for answer in found[1:]] in ([200], []), [answer.status for answer in found]
    big = request("POST", path, [("Content-Type", kind), ("Content-Length", str(LIMIT + 5000))], close=False)
    found = exchange(server, big + (hidden * 2000)[: LIMIT + 5000] + following)
    assert [answer.status for answer in found[1:]] in ([200], []), [answer.status for answer in found]


def test_body_06_long_chunk_extension(warm):
    """BODY-06: 8 kB of chunk extension: read or refused, never kept."""
    body = b"login=x&password="
    extension = b"%x;%s\r\n%s\r\n0\r\n\r\n" % (len(body), b"a" * 8000, body)
    found = exchange(warm, request("POST", "/auth/login", [FORM, CHUNKED], extension))
    assert [answer.status for answer in found] in ([422], [400], [413])


TWICE = (
    b"login=a&login=b&password=x", b"login=a&LOGIN=b&password=x", b"login=a&lo%67in=b&password=x", b"login&login&password=x",
    b"login=a&password=x&password=x", b"login=a&password=x&next=/a&next=/b", b"csrf=a&csrf=b&login=a&password=x",
    b"login=a&password=x&z=1&z=1", b"login=a&password=x&=1&=2", b"remember=0&remember=1&login=a&password=x",
    b"login=a&%6C%6f%67%69%6e=a&password=x",
)


@pytest.mark.parametrize("body", TWICE)
def test_body_08_a_name_given_twice(server, unchanged, body):
    """BODY-08: 400, whichever of the two would have been used, in another case or escaped too."""
    unchanged.start()
    answer = exchange(server, post("/auth/login", body, [("Accept", "application/json")]))[0]
    assert answer.status == 400 and b'"bad_request"' in answer.body


def test_body_08_body_beats_query(server, victim_account):
    """BODY-08: the query of a POST is ignored, even where the body lacks the field."""
    query = pairs(login=victim_account.username, password=victim_account.password, token="x").decode()
    client = Client(server)
    assert client.json("POST", f"/auth/login?{query}", {"login": "nobody-x", "password": "wrong-password-1"}).status_code == 401
    assert client.json("POST", f"/auth/login?{query}", {"password": victim_account.password}).status_code == 422


HOSTILE_JSON = {
    "deep array": b"[" * 30000, "deep object": b'{"a":' * 10000, "closed deep": b"[" * 20000 + b"]" * 20000,
    "deep in a field": b'{"login":' + b"[" * 3000 + b"]" * 3000 + b"}", "many keys": b"{" + b",".join(b'"k%d":""' % n for n in range(6000)) + b"}",
    "65 keys": b"{" + b",".join(b'"k%d":""' % n for n in range(65)) + b"}", "same key": b'{"login":"a","login":"b","password":"x"}',
    "same key escaped": b'{"login":"a","\\u006cogin":"b","password":"x"}', "other case": b'{"login":"a","Login":"b","password":"x"}',
    "NUL": b'{"login":"a\\u0000b","password":"x"}', "NUL key": b'{"log\\u0000in":"a","password":"x"}', "raw NUL": b'{"login":"a\x00","password":"x"}',
    "lone surrogate": b'{"login":"\\ud800","password":"x"}', "reversed pair": b'{"login":"\\udc00\\ud800","password":"x"}',
    "NaN": b'{"login":NaN,"password":"x"}', "Infinity": b'{"login":-Infinity}', "1e400": b'{"login":1e400,"password":"x"}',
    "huge integer": b'{"login":' + b"9" * 400 + b"}", "number": b'{"login":7,"password":"x"}', "float": b'{"login":"a","remember":1.0,"password":"x"}',
    "null": b'{"login":null,"password":"x"}', "BOM": b'\xef\xbb\xbf{"login":"a","password":"x"}', "UTF-16": '{"login":"a"}'.encode("utf-16"),
    "trailing": b'{"login":"a","password":"x"}x', "two objects": b'{"login":"a"}{"password":"x"}', "array": b'["login"]', "string": b'"login"',
    "empty": b"", "blank": b"  ", "truncated": b'{"login":"a","password":"x', "comment": b'{"login":"a"/**/,"password":"x"}', "comma": b'{"login":"a",}',
    "single quotes": b"{'login':'a'}", "object value": b'{"login":{"$ne":""},"password":{"$ne":""}}', "array value": b'{"login":["a"],"password":"x"}',
    "control": b'{"login":"a\nb","password":"x"}', "bad UTF-8": b'{"login":"\xff","password":"x"}', "overlong": b'{"login":"\xc0\xaf","password":"x"}',
    "form": b"login=a&password=x", "true login": b"true", "flag 2": b'{"login":"a","password":"x","remember":2}',
}


@pytest.mark.parametrize("name", HOSTILE_JSON)
def test_body_10_hostile_json(warm, unchanged, name):
    """BODY-10: each is 400 with the problem's code, and nothing was done."""
    unchanged.start()
    for path in ("/auth/login", "/auth/logout", "/auth/register"):
        answer = exchange(warm, post(path, HOSTILE_JSON[name], kind="application/json"))[0]
        assert answer.status == 400, f"{path}: {answer.status}"
        assert json.loads(answer.body)["code"] == "bad_request"
        assert answer.one("Content-Type") == "application/problem+json"


def test_body_11_expect(server):
    """BODY-11: 100-continue is said to who may send, and not to who is refused; another expectation is 417."""
    ask = ("Expect", "100-continue")
    body = b"login=x&password="
    with connect(server) as link:
        link.sendall(request("POST", "/auth/login", declared([FORM, ask], len(body))))
        assert link.recv(25).startswith(b"HTTP/1.1 100 ")
        link.sendall(body)
        assert answers(received(link).lstrip(b"\r\n"))[-1].status == 422
    for length in (LIMIT + 1, 1 << 30):
        found = exchange(server, request("POST", "/auth/login", declared([FORM, ask], length)))
        assert [answer.status for answer in found] == [413]
    found = exchange(server, request("POST", "/auth/login", declared([FORM, ("Expect", "something")], 0)))
    assert [answer.status for answer in found] == [417]


def test_body_11_bodies_where_none_belongs(server, victim, unchanged):
    """BODY-11: GET, HEAD, OPTIONS and DELETE with a body: defined answers, the body is not used nor a request."""
    unchanged.start()
    hidden = request("POST", "/auth/logout", [("Cookie", f"userauth={victim.cookies['userauth']}")], close=False)
    for method, expected in (("GET", 200), ("OPTIONS", 204), ("DELETE", 405)):
        for frame in (declared([FORM], len(hidden)), [FORM, CHUNKED]):
            body = hidden if len(frame[-1][1]) < 6 else chunks(hidden)
            found = exchange(server, request(method, "/auth/login", frame, body, close=False) + request("GET", "/auth/health"))
            assert [answer.status for answer in found] in ([expected, 200], [expected]), method
    with connect(server) as link:
        link.sendall(request("HEAD", "/auth/login", declared([FORM], len(hidden)), hidden))
        data = received(link)
    assert data.startswith(b"HTTP/1.1 200 ") and data.endswith(b"\r\n\r\n") and data.count(b"HTTP/1.1") == 1


def test_body_11_old_and_odd_protocols(server):
    """BODY-11: HTTP/0.9, 1.0 without Host, 2.0 and nonsense: an answer or an end, and the server lives."""
    for data in (b"GET /auth/login\r\n\r\n", b"GET /auth/login HTTP/2.0\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
                 b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET  /auth/login  HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n\r\n\r\n", b"GET\r\n\r\n",
                 b"POST /auth/login HTTP/1.0\r\n\r\nlogin=x", b"get /auth/login http/1.1\r\nHost: x\r\n\r\n"):
        with connect(server) as link:
            link.sendall(data)
            link.shutdown(socket.SHUT_WR)
            received(link)
    assert exchange(server, request("GET", "/auth/login", version="HTTP/1.0", host=None))[0].status == 200
    assert Client(server).get("/auth/health").status_code == 200
