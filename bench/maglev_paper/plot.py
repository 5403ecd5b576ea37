#!/usr/bin/env python3
"""The plot of what weir_maglev_paper wrote: plot.py JSON SVG.

Left, as in figure 11 of the paper: what the least and the most loaded endpoint have, for each method and table, with
the paper's own number for the most loaded beside it. Right, as in figure 12: how much of a Maglev table changes when
endpoints fail. Plain SVG that follows the light or dark scheme of the reader.
"""

import json
import sys
from xml.sax.saxutils import escape

WIDTH = 860
HEIGHT = 330
TOP = 84
BOTTOM = 270
BALANCE = (52, 452)  # the panels, from left to right
RESILIENCE = (540, 850)
TICK = 4

# Section 5.3 of the paper says how much must be overprovisioned; of Maglev it says "almost perfect".
PAPER = {("Karger (ring)", 65537): 29.7, ("Rendezvous", 65537): 49.5,
         ("Karger (ring)", 655373): 10.3, ("Rendezvous", 655373): 12.3}
CLASSES = {65537: "small", 655373: "large"}

STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; }
  .panel { font-weight: 600; }
  .quiet { fill: #57606a; }
  .axis { stroke: #57606a; }
  .grid { stroke: #d0d7de; }
  .range { stroke-width: 12; }
  .line { fill: none; stroke-width: 2; }
  .needless { stroke-dasharray: 4 3; }
  .small { stroke: #0969da; }
  .large { stroke: #1a7f37; }
  .paper { stroke: #bc4c00; stroke-width: 3; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .quiet { fill: #9198a1; }
    .axis { stroke: #9198a1; }
    .grid { stroke: #3d444d; }
    .small { stroke: #4493f8; }
    .large { stroke: #3fb950; }
    .paper { stroke: #f0883e; }
  }
"""


class Axis:
    """Values to positions between two ends, linear."""

    def __init__(self, least, most, at_least, at_most):
        self._least, self._at_least = least, at_least
        self._unit = (at_most - at_least) / (most - least)

    def __call__(self, value):
        return self._at_least + (value - self._least) * self._unit


def line(css, x1, y1, x2, y2):
    return f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def text(x, y, what, css="", anchor="start"):
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(what)}</text>'


def horizontals(y, ticks, left, right):
    parts = []
    for tick in ticks:
        parts += [line("grid", left, y(tick), right, y(tick)),
                  text(left - 6, y(tick) + 4, f"{tick:g} %", "quiet", "end")]
    return parts


def draw_balance(rows):
    """Bars from the least to the most loaded; the mean over the sets of names of both ends."""
    left, right = BALANCE
    tables = [row for row in rows if row["size"]]
    y = Axis(50, 160, BOTTOM, TOP)
    parts = [text(0, 56, "Load of 1,000 endpoints, least to most", "panel"), text(0, 72, "% of the average", "quiet")]
    parts += horizontals(y, range(60, 161, 20), left, right)
    parts.append(line("axis", left, y(100), right, y(100)))
    for index, row in enumerate(tables):
        x = left + (index + 0.5) * (right - left) / len(tables)
        least, most = (sum(row[end]) / len(row[end]) for end in ("least", "most"))
        # Maglev's are too close to be seen otherwise.
        parts.append(line(f"range {CLASSES[row['size']]}", x, max(y(least), y(100) + 1), x, min(y(most), y(100) - 1)))
        paper = PAPER.get((row["method"], row["size"]))
        if paper is not None:
            parts.append(line("paper", x - 12, y(100 + paper), x + 12, y(100 + paper)))
        parts.append(text(x, min(y(most), y(100 + (paper or 0))) - 6, f"+{most - 100:.1f}", "", "middle"))
        parts.append(text(x, BOTTOM + 18, row["method"].split()[0], "", "middle"))
    return parts


def draw_resilience(rows):
    left, right = RESILIENCE
    x = Axis(0, max(row["failed"] for row in rows), left, right)
    most = 1 + int(max(row["changed"] for row in rows))
    y = Axis(0, most, BOTTOM, TOP)
    parts = [text(left - 40, 56, "Changed entries of a Maglev table", "panel"),
             text(left - 40, 72, "all, and dashed those that need not have changed", "quiet")]
    parts += horizontals(y, range(most + 1), left, right)
    parts.append(line("axis", left, BOTTOM, right, BOTTOM))
    for failed in sorted({row["failed"] for row in rows if row["failed"] * 2 == int(row["failed"] * 2)} | {0}):
        parts += [line("axis", x(failed), BOTTOM, x(failed), BOTTOM + TICK),
                  text(x(failed), BOTTOM + 18, f"{failed:g} %", "quiet", "middle")]
    parts.append(text((left + right) / 2, BOTTOM + 36, "of the endpoints failed at once", "quiet", "middle"))
    for size, css in CLASSES.items():
        of_size = [row for row in rows if row["size"] == size]
        for figure, style in (("changed", ""), ("needless", " needless")):
            points = " ".join(f"{x(row['failed']):.1f},{y(row[figure]):.1f}" for row in of_size)
            parts.append(f'<polyline class="line {css}{style}" points="{points}"/>')
    return parts


def draw(document):
    legend = [line("range small", 0, 30, 12, 30), text(18, 34, "table of 65,537"),
              line("range large", 130, 30, 142, 30), text(148, 34, "table of 655,373"),
              line("paper", 268, 30, 288, 30), text(294, 34, "the paper")]
    body = "\n".join(legend + draw_balance(document["balance"]) + draw_resilience(document["resilience"]))
    view = f'viewBox="-10 -6 {WIDTH + 20} {HEIGHT}" width="{WIDTH + 20}"'
    return f"""<svg xmlns="http://www.w3.org/2000/svg" {view} role="img">
<title>Balance and resilience of hashing methods, as in figures 11 and 12 of the Maglev paper</title>
<style>{STYLE}</style>
<text class="title" x="0" y="14">Figures 11 and 12 of the Maglev paper, with weir's hashing</text>
{body}
</svg>
"""


def main(arguments):
    if len(arguments) != 3:
        sys.exit("usage: plot.py JSON SVG")
    with open(arguments[1], encoding="utf-8") as source:
        document = json.load(source)
    with open(arguments[2], "w", encoding="utf-8") as target:
        target.write(draw(document))


if __name__ == "__main__":
    main(sys.argv)
