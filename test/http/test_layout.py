"""The operator's own looks: site name, logo, accent, stylesheet, and templates file by file."""
import re

import pytest
from client import Client, the_form
from confhelp import configtest, refused, site
from people import fields_of, register, signed_in, stranger
from server import TOP

LINE = 'UserAuthTemplates "${RUN}/looks"\n'
BUILT_IN = TOP / "templates"
POSTING = ["login.html", "register.html", "resend.html", "check-email.html", "verify.html", "disown.html", "logout.html"]


def looks(server, **files):
    """Writes the operator's folder; a name's __ stands for a slash, _ … for itself, .html when it has no end."""
    folder = server.folder / "looks"
    for name, text in files.items():
        file = folder / name.replace("__", "/")
        file = file if file.suffix else file.with_suffix(".html")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    folder.mkdir(exist_ok=True)


def style_of(client, page):
    return client.get(re.search(r'rel="stylesheet" href="([^"]+)"', page).group(1))


def test_name_logo_and_accent(new_server):
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'
    server = new_server(start=False, conf='UserAuthSiteName "Zoë & <b>Söhne</b>"\nUserAuthAccent #0A57d0\nUserAuthLogo "${RUN}/logo.svg"')
    (server.folder / "logo.svg").write_text(svg)
    server.start()
    client = signed_in(server)
    for path in ("/auth/logout", "/dashboard", "/auth/resend"):
        page = client.get(path).text
        assert "· Zoë &amp; &lt;b&gt;Söhne&lt;/b&gt;</title>" in page and "<b>" not in page
        logo = re.search(r'<img src="([^"]+)" alt="Zoë &amp; &lt;b&gt;Söhne&lt;/b&gt;">', page).group(1)
    answer = client.get(logo)
    assert answer.text == svg and answer.headers["Content-Type"] == "image/svg+xml"
    assert "immutable" in answer.headers["Cache-Control"] or "max-age" in answer.headers["Cache-Control"]
    assert "nosniff" in answer.headers["X-Content-Type-Options"] and "Content-Security-Policy" in answer.headers
    assert "#0A57d0" in style_of(client, page).text
    mail = server.mails(client.person.email)[0]
    assert mail.subject == "Confirm your email for Zoë & <b>Söhne</b>"
    assert "Zoë & <b>Söhne</b>" in mail.text and "<b>Söhne" not in mail.html


def test_without_directives_the_site_is_its_host(new_server):
    server = new_server(site=False, conf=site())
    page = Client(server).get("/auth/login").text
    assert "· localhost</title>" in page and "<img" not in page


@pytest.mark.parametrize("suffix, kind", [("svg", "image/svg+xml"), ("png", "image/png"), ("jpg", "image/jpeg"), ("webp", "image/webp")])
def test_logos_of_each_kind(new_server, suffix, kind):
    server = new_server(start=False, conf=f'UserAuthLogo "${{RUN}}/my.logo.{suffix}"')
    (server.folder / f"my.logo.{suffix}").write_bytes(b"\x00image" * 100)
    server.start()
    client = Client(server)
    answer = client.get(re.search(r'<img src="([^"]+)"', client.get("/auth/login").text).group(1))
    assert answer.content == b"\x00image" * 100 and answer.headers["Content-Type"] == kind


def test_a_logo_that_is_too_large_is_refused(new_server):
    server = new_server(start=False, conf='UserAuthLogo "${RUN}/logo.png"')
    (server.folder / "logo.png").write_bytes(b"x" * (256 * 1024 + 1))
    refused(server, "256 KiB", line="UserAuthLogo")


def test_an_own_stylesheet_replaces_ours_under_a_name_of_its_own(new_server):
    server = new_server(start=False, conf=LINE + "UserAuthAccent #123456")
    looks(server, assets__userauth__css="unused")
    (server.folder / "looks" / "userauth.css").write_text("body { color: teal }")
    server.start()
    client = Client(server)
    page = client.get("/auth/login").text
    style = style_of(client, page)
    assert style.text.startswith("body { color: teal }") and "#123456" in style.text
    first = style.url
    (server.folder / "looks" / "userauth.css").write_text("body { color: navy }")
    assert style_of(client, client.get("/auth/login").text).text.startswith("body { color: teal }")  # PATH-05: until the restart
    server.renew()
    style = style_of(client, client.get("/auth/login").text)
    assert "navy" in style.text and style.url != first
    assert client.get(first).status_code == 404


def test_one_template_is_replaced_the_others_stay(new_server):
    own = (BUILT_IN / "login.html").read_text().replace("<h1>Log in</h1>", "<h1>Welcome back to {{site.name}}</h1>")
    server = new_server(start=False, conf=LINE)
    looks(server, login=own, **{"mail__verify.txt": "Subject: Hi from {{site.name}}\n\n{{username}}: {{link}} {{lifetime}} {{disown_link}}\n"})
    server.start()
    client = Client(server)
    assert "<h1>Welcome back to Example</h1>" in client.get("/auth/login").text
    assert "<h1>Register</h1>" in client.get("/auth/register").text
    person = register(client)
    mail = server.wait_mail(person.email)
    assert mail.subject == "Hi from Example" and mail.text.startswith(f"{person.username}: {server.base}/auth/verify?token=")
    assert "Confirm my email address" in mail.html
    refused_form = client.post("/auth/login", {"login": "<i>x", "password": "wrong-password-92"})
    assert refused_form.status_code == 401 and "Welcome back" in refused_form.text and "<i>x" not in refused_form.text


def test_a_layout_of_ones_own_holds_every_page(new_server):
    layout = (BUILT_IN / "layout.html").read_text().replace("<body", '<body data-house="blue"')
    server = new_server(start=False, conf=LINE)
    looks(server, layout=layout)
    server.start()
    client = signed_in(server)
    for path in ("/auth/logout", "/auth/resend", "/auth/check-email", "/dashboard", "/auth/unknown", "/dashboard/unknown"):
        assert 'data-house="blue"' in client.get(path).text, path
    fields = the_form(client.get("/auth/logout").text)
    assert fields["hidden"]["csrf"]


def test_what_is_typed_is_escaped_in_own_templates(new_server):
    """XSS-01: an operator cannot switch escaping off, even by mistake."""
    own = (BUILT_IN / "dashboard.html").read_text().replace("{{$main}}", "{{$main}}<p title='{{user.display_name}}'>{{user.display_name}}</p>")
    server = new_server(start=False, conf=LINE)
    looks(server, dashboard=own)
    server.start()
    from people import join

    person = stranger()
    person.display_name = "<script>alert('x')</script>"
    client = signed_in(server, join(server, person=person))
    assert "<script>alert" not in client.get("/dashboard").text


# ---- broken ones (CFG-06, PATH-06) ----

BROKEN = {
    "not-closed": ("{{#errors}}\n", r"login\.html:\d+"),
    "closed-twice": ("{{#a}}{{/a}}{{/a}}", r"login\.html:\d+"),
    "crossed": ("{{#a}}{{#b}}{{/a}}{{/b}}", r"login\.html:\d+"),
    "half-a-tag": ("{{username", r"login\.html:\d+"),
    "three-braces": ("<p>{{{site.name}}}</p>", r"login\.html:\d+"),
    "ampersand": ("<p>{{&site.name}}</p>", r"login\.html:\d+"),
    "delimiters": ("{{=<% %>=}}", r"login\.html:\d+"),
    "missing-part": ("{{>no-such-part}}", r"login\.html:\d+.*no-such-part.*does not exist"),
    "itself": ("{{>login}}", r"includes itself"),
    "bad-utf8": (b"<p>\xff\xfe</p>", r"login\.html:\d+.*UTF-8"),
    "nul": (b"<p>\x00</p>", r"login\.html:\d+.*control"),
    "above": ("{{>../../userauth.keys}}", r"login\.html:\d+"),
    "absolute": ("{{>/etc/passwd}}", r"login\.html:\d+"),
    "too-large": ("x" * (300 * 1024), r"256 KiB"),
    "no-field": ("<form method=post></form>", r"login\.html.*csrf"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_template_is_refused_with_file_and_line(new_server, name):
    text, word = BROKEN[name]
    server = new_server(start=False, conf=LINE)
    looks(server, login=text)
    said = refused(server, word, line="UserAuthTemplates")
    assert "root:x:0" not in said


@pytest.mark.parametrize("name", POSTING)
def test_a_form_without_its_hidden_field_is_refused(new_server, name):
    """CFG-06: such a form template never loads."""
    text = (BUILT_IN / name).read_text()
    assert "{{>csrf}}" in text
    server = new_server(start=False, conf=LINE)
    looks(server, **{name: text.replace("{{>csrf}}", "", 1)})
    refused(server, re.escape(name), "csrf", line="UserAuthTemplates")


@pytest.mark.parametrize("name", ["mail/verify.txt", "mail/verify.html", "mail/confirmed.txt"])
def test_a_broken_mail_template_is_refused(new_server, name):
    server = new_server(start=False, conf=LINE)
    looks(server, **{name.replace("/", "__"): "Subject: x\n\n{{#a}}"})
    refused(server, name, line="UserAuthTemplates")


def test_a_mail_template_without_subject_is_refused(new_server):
    server = new_server(start=False, conf=LINE)
    looks(server, **{"mail__verify.txt": "Hello {{username}}\n{{link}}\n"})
    refused(server, "mail/verify.txt", "Subject", line="UserAuthTemplates")


@pytest.mark.parametrize("name", ["mail/verify.txt", "mail/reset.html"])
def test_a_mail_without_its_link_is_refused(new_server, name):
    """CFG-06: nobody could ever confirm an address, or set a new password."""
    server = new_server(start=False, conf=LINE)
    looks(server, **{name.replace("/", "__"): "Subject: Hello\n\n{{login_link}}\n"})
    refused(server, name, "{{link}}", line="UserAuthTemplates")


def test_a_changed_template_counts_after_the_next_start(new_server):
    """PATH-05: half-written, deleted, broken while the server runs: the pages stay as they are."""
    server = new_server(start=False, conf=LINE)
    own = (BUILT_IN / "login.html").read_text().replace("Log in</h1>", "Own</h1>")
    looks(server, login=own)
    server.start()
    client = Client(server)
    for text in ("{{#broken", ""):
        looks(server, login=text)
        assert "Own</h1>" in client.get("/auth/login").text
    (server.folder / "looks" / "login.html").unlink()
    assert "Own</h1>" in client.get("/auth/login").text
    server.renew()
    assert "Own</h1>" not in client.get("/auth/login").text


def test_a_template_nobody_may_read_is_refused(new_server):
    import os

    server = new_server(start=False, conf=LINE)
    looks(server, login="{{#x")
    (server.folder / "looks" / "login.html").chmod(0)
    if os.getuid() == 0:  # root reads everything: the text itself is then refused
        assert configtest(server)[0] != 0
    else:
        refused(server, "login.html", "cannot be read", line="UserAuthTemplates")


def test_a_template_that_is_too_large_is_refused(new_server):
    server = new_server(start=False, conf=LINE)
    looks(server, login="x" * (1024 * 1024 + 1))
    refused(server, "login.html", "cannot be read: File too large", line="UserAuthTemplates", started=False)


def test_files_that_are_no_templates_do_no_harm(new_server):
    server = new_server(start=False, conf=LINE)
    looks(server, **{"README.txt": "{{#not closed", "old__login.html": "{{#x", ".hidden.html": "{{"})
    server.start()
    assert Client(server).post("/auth/register", fields_of(stranger())).status_code == 303
