"""What a cache may keep of gated answers: the person's own browser all, everybody else's nothing (RFC 9111)."""
import apps
import pytest
from client import Client
from people import signed_in
from server import wait_for
from tokens import log_in

MODULES = "/usr/lib/apache2/modules"
HEAD = f"LoadModule cache_module {MODULES}/mod_cache.so\nLoadModule cache_disk_module {MODULES}/mod_cache_disk.so\n"
GATE = 'AuthType UserAuth\nRequire valid-user\n'


def controls(answer):
    return [one.strip() for one in answer.headers.get("Cache-Control", "").split(",") if one.strip()]


def test_a_cookie_s_answer_is_private(new_server):
    with apps.Backend() as backend:
        server = new_server(conf=f'<Location "/file">\n{GATE}</Location>\n<Location "/app">\n{GATE}ProxyPass "{backend.url}/app"\n'
                                 f'Header set Cache-Control "public, max-age=60"\n</Location>\n', start=False)
        apps.put(server, "file/a.txt", "a file")
        apps.put(server, "open.txt", "for everybody")
        server.start()
        member = signed_in(server)
        first = member.get("/file/a.txt")
        assert controls(first) == ["private"]
        again = member.get("/file/a.txt", headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304 and controls(again) == ["private"]
        assert "private" in controls(member.get("/app/x")) and "max-age=60" in controls(member.get("/app/x"))
        assert "private" in controls(member.get("/file/missing"))
        assert controls(member.get("/dashboard")) == ["no-store"]
        assert controls(member.get("/open.txt")) == []
        token = log_in(server).access  # a shared cache keeps nothing of these by itself (RFC 9111, 3.5)
        assert controls(Client(server).get("/file/a.txt", headers={"Authorization": f"Bearer {token}"})) == []


@pytest.mark.parametrize("quick", ["On", "Off"])
def test_mod_cache_gives_nobody_a_member_s_page(new_server, quick):
    """APA-08."""
    with apps.Backend() as backend:
        conf = f'UserAuthPassAs headers\nCacheRoot "${{RUN}}/cache"\nCacheQuickHandler {quick}\nCacheEnable disk /\nCacheDefaultExpire 3600\n'
        conf += f'CacheIgnoreNoLastMod On\nProxyPass "/app" "{backend.url}/app"\nProxyPass "/open" "{backend.url}/open"\n'
        server = new_server(conf=f'{conf}<Location "/app">\n{GATE}</Location>\n<Location "/file">\n{GATE}</Location>\n', head=HEAD, start=False)
        apps.put(server, "file/a.txt", "a file")
        (server.folder / "cache").mkdir(mode=0o777)
        (server.folder / "cache").chmod(0o777)
        server.start()
        one, other = signed_in(server), signed_in(server)
        wait_for(lambda: one.get("/open/a").headers.get("Age") is not None, what="a page from the cache")
        for path in ("/app/me", "/file/a.txt"):
            for _ in range(3):
                assert one.get(path).status_code == 200
            answer = other.get(path)
            assert answer.status_code == 200 and "Age" not in answer.headers
            assert Client(server).get(path).status_code == 303
        people = [dict(request["headers"])["X-Remote-User"] for request in backend.requests if request["path"] == "/app/me"]
        assert people == [one.person.username] * 3 + [other.person.username]
