"""pages.py: what a person reads on a page and what a program reads in an error.

Page(answer)     the page: text, title, headings, links, buttons, fields, the text beside a field
problem(...)     asserts an RFC 9457 answer and returns it
refused(...)     asserts an error page and returns it
"""
import html.parser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SILENT = {"script", "style", "title", "head"}
MEMBERS = {"title", "status", "detail", "code", "errors", "links", "suggestion"}


class Page(html.parser.HTMLParser):
    """A page taken apart. `headers` are the answer's."""

    def __init__(self, answer):
        super().__init__(convert_charrefs=True)
        self.answer = answer
        self.headers = answer.headers
        self.parts, self.ids, self.fields, self.links = [], {}, {}, {}
        self.headings, self.buttons, self.metas, self.roles, self.codes = [], [], [], [], []
        self.title = ""
        self._open = []
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        self.feed(answer.text)
        self.close()
        self.text = " ".join("".join(self.parts).split())

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "meta":
            self.metas.append(attributes)
        if tag in ("input", "select", "textarea") and attributes.get("name"):
            self.fields[attributes["name"]] = attributes
        if tag not in VOID:
            self._open.append((tag, attributes, []))

    def handle_data(self, data):
        if self._open and self._open[-1][0] == "title":
            self.title += data
        if not any(tag in SILENT for tag, _, _ in self._open):
            self.parts.append(data)
            for _, _, texts in self._open:
                texts.append(data)

    def handle_endtag(self, tag):
        assert self._open and self._open[-1][0] == tag, f"</{tag}> closes {self._open[-1:]}"
        _, attributes, texts = self._open.pop()
        text = " ".join("".join(texts).split())
        self.parts.append(" ")
        for _, _, outer in self._open:
            outer.append(" ")
        if "id" in attributes:
            self.ids[attributes["id"]] = text
        if tag == "a":
            self.links[attributes.get("href")] = text
        elif tag == "h1":
            self.headings.append(text)
        elif tag == "button":
            self.buttons.append(text)
        elif tag == "code":
            self.codes.append(text)
        if attributes.get("role") == "status":
            self.roles.append(text)

    def beside(self, name):
        """All that is said of a field, or "" when nothing marks it as wrong."""
        field = self.fields[name]
        if field.get("aria-invalid") != "true":
            return ""
        return " ".join(self.ids[i] for i in field["aria-describedby"].split())

    def typed(self, name):
        """What a field holds; a password field holds nothing."""
        return self.fields[name].get("value")


def problem(answer, status, code, title=None):
    """An error as a program gets it."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    assert answer.headers["Content-Type"] == "application/problem+json", answer.headers["Content-Type"]
    body = answer.json()
    assert set(body) <= MEMBERS, f"unknown members in {body}"
    assert body["status"] == status
    assert body["code"] == code, body
    assert isinstance(body["title"], str) and body["title"]
    assert isinstance(body["detail"], str) and body["detail"]
    assert "\x00" not in answer.text
    if title is not None:
        assert body["title"] == title
    if status in (429, 503):
        assert int(answer.headers["Retry-After"]) >= 1
    return body


def refused(answer, status, text=None):
    """An error as a person gets it."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    page = Page(answer)
    if text is not None:
        assert text in page.text, f"not there: {text}\n{page.text}"
    if status in (429, 503):
        assert int(answer.headers["Retry-After"]) >= 1
    return page
