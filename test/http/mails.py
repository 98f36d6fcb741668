"""mails.py: reads the mails a server wrote into its folder, with Python's strict parser."""
import email
import email.policy
import functools
import re

STRICT = email.policy.SMTP.clone(raise_on_defect=True)


class Mail:
    """One mail as its reader sees it. A defect of its form raises when it is read."""

    def __init__(self, data, path=None):
        self.path = path
        self.data = data
        self.message = email.message_from_bytes(data, policy=STRICT)

    def __getitem__(self, header):
        return self.message[header]

    @property
    def to(self):
        """The recipient's address, without a name."""
        return self.message["To"].addresses[0].addr_spec

    @property
    def subject(self):
        return str(self.message["Subject"])

    @property
    def text(self):
        return self._part("plain")

    @property
    def html(self):
        return self._part("html")

    @property
    def code(self):
        """The number of eight digits that is no part of a link, or None."""
        found = re.search(r"(?<![\w./=-])\d{8}(?![\w/=-]|\.\w)", self.text)
        return found and found.group()

    def links(self):
        """All addresses in the text part."""
        return re.findall(r"https?://[^\s<>\"]+", self.text)

    def link(self, verb):
        """The one link to /auth/<verb>."""
        found = [link for link in self.links() if f"/auth/{verb}" in link]
        assert len(found) == 1, f"{len(found)} links to {verb} in:\n{self.text}"
        return found[0]

    def token(self, verb):
        """The token in the link to /auth/<verb>."""
        return self.link(verb).partition("token=")[2]

    def _part(self, kind):
        part = self.message.get_body((kind,))
        assert part is not None, f"no text/{kind} part"
        return part.get_content()


@functools.lru_cache(maxsize=50000)
def _read(path):
    """When a mail was written, its recipient and the mail; the file is whole when it has its name, and never changes."""
    mail = Mail(path.read_bytes(), path)
    return (path.stat().st_mtime_ns, path.name), mail.to.lower(), mail


def read_folder(folder, to=None):
    """The folder's mails, oldest first."""
    found = sorted((_read(path) for path in folder.glob("*.eml")), key=lambda row: row[0])
    return [mail for _, recipient, mail in found if to is None or recipient == to.lower()]
