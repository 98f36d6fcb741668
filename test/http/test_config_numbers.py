"""CFG-04: each numeric directive outside its range is refused by a sentence that names it and the range.

The rows come from directives.def itself, so that a new directive is covered the day it is written.
"""
import re

import pytest
from confhelp import accepted, configtest, line_of, site
from server import TOP

ROW = re.compile(r'UA_(NUMBER|TIME)\(\w+, "(\w+)", "([^"]*)", (\d+), (\d+),')
ROWS = ROW.findall((TOP / "modules/base/directives.def").read_text())
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def test_there_are_numeric_directives():
    assert len(ROWS) > 15


def bad_values(kind, low, high):
    suffix = "s" if kind == "TIME" else ""
    words = ["-1", "300x", "1e9", '""', "1 2", "99999999999999999999" + suffix, f"{high + 1}{suffix}", f"{low - 1}{suffix}"]
    return words


@pytest.mark.parametrize("kind, name, initial, low, high", ROWS, ids=[row[1] for row in ROWS])
def test_a_number_outside_its_range_is_refused(new_server, kind, name, initial, low, high):
    server = new_server(start=False, site=False)
    for word in bad_values(kind, int(low), int(high)):
        server.conf = site(f"{name} {word}")
        status, said = configtest(server)
        assert status != 0, f"{name} {word} is accepted"
        assert name in said, said
        assert f"line {line_of(server, f'{name} {word}')} of {server.folder}/httpd.conf" in said, said
        if word != "1 2" and word != '""':
            assert re.search(r"from \d+.* to \d+", said), f"no range in: {said}"
            assert word.strip('"') in said, f"not what was written: {said}"


@pytest.mark.parametrize("kind, name", [("NUMBER", "UserAuthSessionLimit"), ("TIME", "UserAuthSessionIdle")])
def test_odd_spellings_of_a_number_are_refused(new_server, kind, name):
    words = ["0x10", "1.5", "1,5", "ten", '" 5"', "5_000", "١"]
    words += ["s", "-1s", "+1s", "1w", "1y", "5mm", "1h30m", "1 h", "9223372036854775807d"] if kind == "TIME" else ["+5", "5s", "٥"]
    server = new_server(start=False, site=False)
    for word in words:
        server.conf = site(f"{name} {word}")
        status, said = configtest(server)
        assert status != 0 and name in said, f"{name} {word} is accepted"


def both_ends():
    """Every directive at its smallest, and at its largest value."""
    for end in (3, 4):
        yield [f"{row[1]} {row[end]}{'s' if row[0] == 'TIME' else ''}" for row in ROWS]


@pytest.mark.parametrize("lines", both_ends(), ids=["smallest", "largest"])
def test_the_ends_of_the_ranges_are_accepted(new_server, lines):
    accepted(new_server(start=False, site=False, conf=site("\n".join(lines))))


@pytest.mark.parametrize("lines", both_ends(), ids=["smallest", "largest"])
def test_a_site_serves_at_the_ends_of_the_ranges(new_server, lines):
    from client import Client

    server = new_server(site=False, conf=site("\n".join(lines)))
    assert Client(server).get("/auth/login").status_code == 200


@pytest.mark.parametrize("kind, name, initial, low, high", ROWS, ids=[row[1] for row in ROWS])
def test_the_default_lies_within_the_range(kind, name, initial, low, high):
    value = int(initial) if kind == "NUMBER" else int(initial[:-1]) * UNITS[initial[-1]]
    assert int(low) <= value <= int(high)
