"""oracle.py: what Python's Unicode tables, its strict mail parser and its IDNA make of what the module wrote or took.
Started by fuzz_child.c, which says how questions and answers travel."""

import codecs
import email
import email.header
import email.policy
import re
import struct
import sys
import unicodedata

try:
    import idna
except ImportError:
    idna = None
    print("skipped: the questions about domains: the package python3-idna is not installed", file=sys.stderr)

# Code points with the property White_Space (PropList.txt).
WHITE = "\t\n\v\f\r \x85\xa0\u1680%s\u2028\u2029\u202f\u205f\u3000" % "".join(map(chr, range(0x2000, 0x200B)))
# Those with Default_Ignorable_Code_Point that are assigned and not of category Cf (DerivedCoreProperties.txt).
IGNORABLE = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0e\uffa0\U000e0100-\U000e01ef"
DECEPTIVE = re.compile("[%s\u2028\u2029\u2800]" % IGNORABLE)
# Letters in a circle or a square (Other_Alphabetic), which are symbols by their category.
CIRCLED = re.compile("[\u24b6-\u24e9\U0001f130-\U0001f149\U0001f150-\U0001f169\U0001f170-\U0001f189]")

STRICT = email.policy.SMTP.clone(raise_on_defect=True)


def is_deceptive(text):
    """What nobody sees; a control; a code point that means another thing to everybody."""
    return bool(DECEPTIVE.search(text)) or any(unicodedata.category(c) in ("Cc", "Cf", "Co") for c in text)


def is_letter(char):
    """True or False where the category decides, None for a mark."""
    kind = unicodedata.category(char)
    return None if kind[0] == "M" else kind[0] == "L" or kind == "Nl" or bool(CIRCLED.match(char))


def judge_text(text, valid, nfc, fold, trimmed, length, deceptive, letters):
    """A text that is well-formed: what the module says of it."""
    text = text.decode()
    assigned = all(unicodedata.category(c) != "Cn" for c in text)
    if assigned != (valid == b"1"):
        return "assigned: %s" % assigned
    if not assigned:
        return ""
    expected = {
        "NFC": (unicodedata.normalize("NFC", text), nfc.decode()),
        "fold": (unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold()), fold.decode()),
        "trimmed": (text.strip(WHITE), trimmed.decode()),
        "length": (len(text), int(length)),
        "deceptive": (is_deceptive(text), deceptive == b"1"),
    }
    wrong = ["%s is %a, not %a" % (what, said, right) for what, (right, said) in expected.items() if right != said]
    wrong += ["letter %a: %c" % (c, said) for c, said in zip(text, letters) if is_letter(c) not in (None, said == 49)]
    return "; ".join(wrong) and "%a: %s" % (text, "; ".join(wrong))


codecs.register_error("marks", lambda error: ("?" * (error.end - error.start), error.end))

FIELDS = ["From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Auto-Submitted", "Content-Type"]
# What the module takes for an address of a person (RFC 5322 dot-atoms, no encoded word).
ATOM = "[A-Za-z0-9_!#$%&'*+/=?^`{|}~-]+"
ADDRESS = re.compile(r"(?!.*=\?)%s(\.%s)*@[a-z0-9-]+(\.[a-z0-9-]+)+" % (ATOM, ATOM))


def one_line(text):
    """A value of a header: each run of controls is one blank, each byte that is no UTF-8 a question mark."""
    return re.sub("[\0-\x1f\x7f]+", " ", text.decode(errors="marks"))


def phrase(value, sender):
    """The display name before an address, blanks included, which Python's newer parser puts between encoded words."""
    if value == sender:
        return ""
    words = value[: -len(" <%s>" % sender)]
    if words.startswith('"'):
        return words[1:-1]
    return str(email.header.make_header(email.header.decode_header(words)))


def fields_as_written(raw):
    """{name: [value, ...]} of the header, unfolded and not decoded: Python's grammar of addresses is not ours."""
    fields = {}
    for line in re.sub(b"\r\n ", b" ", raw[: raw.index(b"\r\n\r\n")]).decode().split("\r\n"):
        name, value = line.split(":", 1)
        fields.setdefault(name, []).append(value[1:])
    return fields


def judge_fields(raw, message, name, sender, receiver, answers, subject, ident):
    """(what, is, should be) for each header field."""
    written = fields_as_written(raw)
    sender = sender.decode()
    lines = raw[: raw.index(b"\r\n\r\n")].decode().split("\r\n")
    yield "long lines", [line for line in lines if len(line) > 76 and "=?UTF-8?B?" in line], []
    yield "fields", message.keys(), [field for field in FIELDS if answers or field != "Reply-To"]
    yield "defects", [d for name in FIELDS if name not in ("To", "Reply-To") for d in message[name].defects], []
    yield "sender", [address.addr_spec for address in message["From"].addresses], [sender]
    yield "name", phrase(written["From"][0], sender), one_line(name)
    yield "receiver", written["To"], [receiver.decode()]
    if ADDRESS.fullmatch(receiver.decode()):
        yield "defects of To", message["To"].defects, ()
        yield "receiver as read", [address.addr_spec for address in message["To"].addresses], [receiver.decode()]
    yield "answers", written.get("Reply-To", []), [answers.decode()] if answers else []
    yield "subject", str(message["Subject"]), one_line(subject)
    yield "id", written["Message-ID"], ["<%s@%s>" % (ident.decode(), sender.split("@")[1])]
    yield "date", message["Date"], "Fri, 04 Oct 2024 12:00:00 +0000"
    yield "type", message.get_content_type(), "multipart/alternative"


def judge_part(part, kind, content):
    """The same for one part: its text is unchanged but for line ends."""
    yield "kind", part.get_content_type(), kind
    yield "fields of a part", part.keys(), ["Content-Type", "Content-Transfer-Encoding"]
    if part["Content-Transfer-Encoding"] == "quoted-printable":
        lines = part.get_payload().splitlines()
        yield "long lines", [line for line in lines if len(line) > 76], []
        yield "blanks that a relay may drop", [line for line in lines if line.endswith((" ", "\t"))], []
    yield kind, part.get_payload(decode=True), re.sub(b"\r\n?|\n", b"\r\n", content)


def judge_mail(raw, name, sender, receiver, answers, subject, text, html, ident):
    """A mail: the fields asked for and no others, and both texts."""
    message = email.message_from_bytes(raw, policy=STRICT)
    checks = list(judge_fields(raw, message, name, sender, receiver, answers, subject, ident))
    parts = list(message.iter_parts())
    checks.append(("parts", len(parts), 2))
    for part, kind, content in zip(parts, ("text/plain", "text/html"), (text, html)):
        checks += judge_part(part, kind, content)
    return "; ".join("%s: %a, not %a" % check for check in checks if check[1] != check[2])


# Those with a rule about their neighbours (CONTEXTO) that a look-up need not apply (RFC 5891 5.4).
NEIGHBOURS = re.compile("[\u00b7\u0375\u05f3\u05f4\u30fb\u0660-\u0669\u06f0-\u06f9]")


def unicode_label(label):
    """A label as people read it: "xn--..." is what it stands for."""
    return label[4:].encode().decode("punycode") if label.startswith("xn--") else label


def judge_domain(typed, ascii_form):
    """A domain that the module took, by IDNA2008 with the mapping of UTS 46."""
    typed, ascii_form = typed.decode(), ascii_form.decode()
    if not idna or any(NEIGHBOURS.search(unicode_label(label)) for label in ascii_form.split(".")):
        return ""
    made = idna.encode(typed, uts46=True, std3_rules=True).decode()
    return "" if made == ascii_form else "%a is %s, not %s" % (typed, made, ascii_form)


def read_questions(stream):
    """(kind, texts) until the pipe closes."""
    while True:
        head = stream.read(2)
        if len(head) < 2:
            return
        texts = []
        for _ in range(head[1]):
            texts.append(stream.read(struct.unpack(">I", stream.read(4))[0]))
        yield chr(head[0]), texts


QUESTIONS = {"d": judge_domain, "u": judge_text, "m": judge_mail}


def main():
    """Answers each question; what goes wrong here is an answer, too."""
    out = sys.stdout.buffer
    for kind, texts in read_questions(sys.stdin.buffer):
        try:
            answer = QUESTIONS[kind](*texts)
        except Exception as error:  # pylint: disable=broad-except
            answer = "%s %r: %r" % (kind, texts, error)
        answer = answer.encode("utf-8", "replace")[:2000]
        out.write(struct.pack(">I", len(answer)) + answer)
        out.flush()


if __name__ == "__main__":
    main()
