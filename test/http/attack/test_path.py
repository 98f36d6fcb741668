"""Paths that leave their folder, selectors that name files, templates that vanish (PATH-01, 02, 05)."""
import re
import shutil

import pytest

from attacks import exchange, guarded, request
from client import Client
from payloads import PAYLOADS
from people import join, register

TRAVERSALS = (
    "..", "../", "../../etc/passwd", "../../../../../../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", ".%2e/.%2e/etc/passwd", "%2e./etc/passwd", "..%2f..%2fetc%2fpasswd",
    "%252e%252e/etc/passwd", "%252e%252e%252fetc/passwd", "..%252fetc/passwd", "..%5c..%5cetc%5cpasswd", "..\\..\\etc\\passwd", "..;/..;/etc/passwd", "..;", ".;/x", ";/../x", "//etc/passwd",
    "/etc/passwd", "///etc/passwd", "\\\\evil.example\\share", "//evil.example/share", "%00", "userauth.css%00", "userauth.css%00.js", "userauth.css%0a", "userauth.css%0d%0a", "userauth.css%20",
    "userauth.css.", "userauth.css/", "userauth.css/x", "userauth.css::$DATA", "userauth.css~", "userauth.css.bak", ".userauth.css", "USERAUTH.CSS", "userauth.css", "%c0%ae%c0%ae/etc/passwd",
    "%e0%80%ae%e0%80%ae/x", "%uff0e%uff0e/x", "\xff", "%ff", "." * 200, "a" * 7000, "a/" * 2000, "*", "?", "%", "%2", "%zz", "~root", "~", "$(id)", "`id`", "|id", "file:///etc/passwd",
    "http://evil.example/x", "templates/login.html", "../templates/login.html", "../../templates/login.html", "layout.html", "mail/verify.txt", "../login.html", "userauth.keys", "../userauth.keys",
    "../userauth.db", "../../userauth.db", "../../../logs/error.log", "proc/self/environ", "../../proc/self/environ", "con", "nul", "com1", "index.html", "", ".", "./", "./.", "%2e", "%2e/",
)


def body_is_ours(answer):
    return b"root:" not in answer.body and b"SQLite format" not in answer.body and b"{{" not in answer.body and b"[mpm_event" not in answer.body


@pytest.mark.parametrize("prefix", ["/auth/assets/", "/auth/", "/auth/assets/userauth.css/", "/auth/login/"])
def test_path_01_nothing_outside(server, prefix):
    """PATH-01: 400, 404 or a redirect of ours; never a file that is not an asset."""
    server.expect_log("AH10244|AH01276")  # the core's word on paths that it refuses
    for text in TRAVERSALS:
        for answer in exchange(server, request("GET", prefix + text, host=f"localhost:{server.port}")):
            assert answer.status in (200, 303, 308, 400, 403, 404, 414), f"{text[:60]!r}: {answer.status}"
            assert body_is_ours(answer), text
            if answer.status == 200:  # `..` leads to another page of the site, openly
                assert b"Example" in answer.body or b"html" in answer.body, text


def test_path_01_assets_are_exact(server, client):
    """PATH-01: the page's own assets work, under their exact names only, with a type and a long life."""
    page = client.get("/auth/login").text
    found = re.findall(r"/auth/assets/[^\"]+", page)
    assert len(found) >= 2
    for path in found:
        answer = client.get(path)
        assert answer.status_code == 200 and "immutable" in answer.headers["Cache-Control"]
        guarded(answer.headers)
        assert answer.headers["Content-Type"].split(";")[0] in ("text/css", "text/javascript", "application/javascript", "image/svg+xml")
        for other in (path[:-1], path + "x", path.upper(), path.replace("assets/", "assets//x/"), path + "/", path.replace(".", "%2f", 1), path + "%00", path.rpartition(".")[0]):
            assert client.get(other).status_code in (400, 404), other
        assert client.get(path, headers={"Range": "bytes=0-3"}).status_code in (200, 206)
        assert client.request("POST", path).status_code == 405
    assert client.get("/auth/assets").status_code in (404, 308) and client.get("/auth/assets/").status_code == 404


SELECTORS = ("", "e", "x", "en", "../../etc/passwd", "en/../../x", "..%2f", "de\0", "%00", "en-" * 500, "*", "*;q=0", "en;q=", "en;q=nan", "en;q=1e400", "en;q=-1", ",,,,,", ";;;;", "en" + ",en" * 1500, "C", "zz-zz",
             "i-klingon", "x-\xff", "en\t;\tq=0.5", "q=1", "=", "e" * 4000)


def test_path_02_selectors_choose_from_a_table(server):
    """PATH-02: Accept-Language, lang, theme, template in query and cookie: the page is the page."""
    client = Client(server)
    base = re.sub(r'value="[^"]*"', "", client.get("/auth/login").text)
    for text in SELECTORS:
        raw = text.replace("\0", "").encode("latin-1")
        answer = exchange(server, request("GET", "/auth/login", [("Accept-Language", raw), ("Accept-Charset", raw), ("Accept-Encoding", raw)]))[0]
        assert answer.status == 200, repr(text)
        assert re.sub(r'value="[^"]*"', "", answer.body.decode()) == base, repr(text)
    for text in ("../../etc/passwd", "evil", "/etc/passwd", "%2e%2e%2f", "layout.html", "login"):
        for name in ("lang", "locale", "theme", "template", "page", "file", "include", "style"):
            answer = client.get(f"/auth/login?{name}={text}", headers={"Cookie": f"{name}={text}"})
            assert re.sub(r'value="[^"]*"', "", answer.text) == base


def test_path_02_accept_is_only_compared(server):
    """PATH-02: any Accept header is JSON or HTML, never an error or something else."""
    client = Client(server)
    for text in (*PAYLOADS[::9], "*/*;q=nan", "application/json;q=" + "9" * 300, "text/html;q=0.0000001", "application/json" * 200, ";", ",", "application/json;application/json", "a" * 7000):
        answer = exchange(server, request("GET", "/auth/login", [("Accept", text.replace("\n", " ").encode())]))[0]
        assert answer.status in (200, 400) and answer.one("Content-Type").split(";")[0] in ("text/html", "application/json")
    assert client.get("/auth/login").status_code == 200


def own_templates(one):
    folder = one.folder / "own"
    (folder / "mail").mkdir(parents=True)
    (folder / "login.html").write_text('{{<public}}{{$title}}Own{{/title}}{{$main}}<h1>Own page</h1><form method="post">{{>csrf}}</form>{{/main}}{{/public}}')
    return folder


def test_path_05_templates_change_under_a_running_server(new_server):
    """PATH-05: half-written, deleted, turned into a link or a pipe: the page of the start is shown until a reload."""
    one = new_server(start=False, conf='UserAuthTemplates "${RUN}/own"\n')
    folder = own_templates(one)
    one.start()
    client = Client(one)
    assert "Own page" in client.get("/auth/login").text
    (folder / "login.html").write_text("{{#never closed")
    assert "Own page" in client.get("/auth/login").text
    (folder / "login.html").unlink()
    (folder / "login.html").symlink_to("/etc/passwd")
    assert "Own page" in client.get("/auth/login").text
    shutil.rmtree(folder)
    assert "Own page" in client.get("/auth/login").text
    assert client.get("/auth/register").status_code == 200
    person = join(one)
    assert client.json("POST", "/auth/login", {"login": person.email, "password": person.password}).status_code == 200
    assert one.wait_mail(register(Client(one)).email)


@pytest.mark.parametrize("text, word", [
    ("{{#never closed", "login.html"), ("{{{raw}}}", "login.html"), ("{{&raw}}", "login.html"), ("{{>nothing-there}}", "nothing-there"), ("{{>../../../etc/passwd}}", "login.html"),
    ("{{<../layout}}{{/../layout}}", "login.html"), ('<form method="post"></form>', "csrf"), (b"\xff\xfe", "login.html"), ("{{>login}}", "login.html"),
])
def test_path_05_a_bad_template_refuses_to_start(new_server, text, word):
    """PATH-05, PATH-06, CFG-06: the message names the file."""
    one = new_server(start=False, conf='UserAuthTemplates "${RUN}/own"\n')
    folder = own_templates(one)
    (folder / "login.html").write_bytes(text if isinstance(text, bytes) else text.encode())
    status, said = one.configtest()
    assert status != 0 and word in said and "virtual host" in said and "httpd.conf:" in said
