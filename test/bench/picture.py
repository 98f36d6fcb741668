#!/usr/bin/env python3
"""picture.py: a bench's table as a picture: draw({name: {"cpu_us": …, "rps": …}}, file, title) writes an SVG of horizontal bars.

The bars are CPU microseconds a request: the shorter, the better. One that is far longer than the first is cut, which a notch shows; its
number stands beside it as everywhere. Light or dark follows the reader's setting, fonts are the reader's own. As a
program it draws the medians of a JSON file of peers.py again: `picture.py FILE.json`.
"""
import json
import sys
from html import escape
from pathlib import Path

CUT = 4  # so many times the first bar are drawn at most
LABELS, BARS, NUMBERS = 270, 400, 150  # the widths of the columns
ROW, BAR, TOP, EDGE = 30, 18, 62, 16
STYLE = """
text { font: 14px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 }
.small { font-size: 12px; fill: #59636e }
.paper { fill: #ffffff }
.plain { fill: #8c959f }
.ours { fill: #0969da }
.peer { fill: #bf8700 }
.line { stroke: #d1d9e0 }
.notch { stroke: #ffffff; stroke-width: 3 }
@media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .small { fill: #9198a1 }
    .paper { fill: #0d1117 }
    .plain { fill: #7d8590 }
    .ours { fill: #4493f8 }
    .peer { fill: #d29922 }
    .line { stroke: #3d444d }
    .notch { stroke: #0d1117 }
}
"""


def draw(results, file, title, ours="mod_userauth"):
    """Writes the picture and returns its path. The first row is the measure; `ours` begins the names that stand out."""
    longest = max(one["cpu_us"] for one in results.values())
    limit = min(longest, CUT * next(iter(results.values()))["cpu_us"])
    width, height = 2 * EDGE + LABELS + BARS + NUMBERS, TOP + ROW * len(results) + EDGE
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
        f'<text class="title" x="{EDGE}" y="28">{escape(title)}</text>',
        f'<text class="small" x="{EDGE}" y="48">CPU µs a request, shorter is better; in brackets requests a second</text>',
    ]
    for number, (name, one) in enumerate(results.items()):
        kind = "ours" if name.startswith(ours) else "plain" if name.startswith("plain") else "peer"
        lines += _row(TOP + ROW * number, name, one, limit, kind)
    lines.append(f'<line class="line" x1="{EDGE + LABELS}" x2="{EDGE + LABELS}" y1="{TOP}" y2="{height - EDGE}"/>\n</svg>')
    file = Path(file)
    file.write_text("\n".join(lines) + "\n")
    return file


def _row(y, name, one, limit, kind):
    left = EDGE + LABELS
    length = round(BARS * min(one["cpu_us"], limit) / limit, 1)
    middle = y + ROW / 2
    yield f'<text x="{left - 10}" y="{middle + 5}" text-anchor="end">{escape(name)}</text>'
    yield f'<rect class="{kind}" x="{left}" y="{middle - BAR / 2}" width="{length}" height="{BAR}" rx="2"/>'
    if one["cpu_us"] > limit:
        x = left + BARS - 30
        for step in (0, 7):
            yield f'<line class="notch" x1="{x + step}" x2="{x + step + 8}" y1="{middle + BAR / 2 + 2}" y2="{middle - BAR / 2 - 2}"/>'
    said = f'{_plain(one["cpu_us"])} <tspan class="small">({_plain(one["rps"])}/s)</tspan>'
    yield f'<text x="{left + length + 8}" y="{middle + 5}">{said}</text>'


def _plain(value):
    """12 345, or 67.8."""
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}".replace(",", "\u202f")


if __name__ == "__main__":
    given = Path(sys.argv[1])
    facts = json.loads(given.read_text())
    print(draw(facts["medians"], given.with_suffix(".svg"), "A 1 KB file for a signed-in client: processor time of one request"))
