"""The plot: for every figure of the summary, bars of weir and nginx as ratios to HAProxy, which is the line at 1.

One panel per figure, because in some more is better and in others less. Plain SVG that follows the light or dark scheme
of the reader.
"""

from xml.sax.saxutils import escape

from figures import FIGURES

WIDTH = 760
LEFT = 90  # names of rows
RIGHT = 44  # the column of numbers
BAR_HEIGHT = 13
ROW_GAP = 12
PANEL_GAP = 26
PANEL_HEAD = 44
TOP = 52
DRAWN = ("weir", "nginx")
RATIO_MAX_LEAST = 1.25
RATIO_MAX_MOST = 4.0  # longer bars are cut there; the number says the truth

STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; }
  .panel { font-weight: 600; }
  .number { font-size: 11px; }
  .quiet { fill: #57606a; font-weight: 400; }
  .weir { fill: #0969da; }
  .nginx { fill: #8c959f; }
  .axis { stroke: #57606a; stroke-width: 1.5; }
  .target { stroke: #bc4c00; stroke-width: 2; stroke-dasharray: 3 2; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .quiet { fill: #9198a1; }
    .weir { fill: #4493f8; }
    .nginx { fill: #656c76; }
    .axis { stroke: #9198a1; }
    .target { stroke: #f0883e; }
  }
"""


def panels_of(document):
    """{figure: [(row name, {peer: ratio to HAProxy}, target as such a ratio or None)]}, without what has no ratio."""
    panels = {}
    for name, row in document["rows"].items():
        for line in row["comparisons"]:
            base = line["best"].get("haproxy", {}).get("value", 0)
            ratios = {peer: line["best"][peer]["value"] / base for peer in DRAWN if peer in line["best"] and base > 0}
            if ratios:
                panels.setdefault(line["figure"], []).append((name, ratios, target_ratio(line)))
    return panels


def target_ratio(line):
    """The hardest target of a figure as a ratio to HAProxy, whomever it is against; None without one that was measured.

    A bar beyond it meets them all.
    """
    best, ratios = line["best"], []
    for target in line["targets"]:
        bound = target.get("at_least", target.get("at_most"))
        if target["against"] is None:
            ratios.append(bound / best["haproxy"]["value"])
        elif target["against"] in best:
            ratios.append(bound * best[target["against"]]["value"] / best["haproxy"]["value"])
    hardest = max if FIGURES[line["figure"]]["better"] == "more" else min
    return hardest(ratios, default=None)


class Scale:
    """Ratios to horizontal positions."""

    def __init__(self, ratios):
        self._max = min(max([RATIO_MAX_LEAST, *ratios]), RATIO_MAX_MOST)

    def length(self, ratio):
        return max(0.0, min(ratio, self._max)) / self._max * (WIDTH - LEFT - RIGHT)

    def x(self, ratio):
        return LEFT + self.length(ratio)


def draw_panel(figure, rows, top):
    """Returns the elements of one panel and the y where the next may begin."""
    better = "more is better" if FIGURES[figure]["better"] == "more" else "less is better"
    scale = Scale([value for _, ratios, target in rows for value in [*ratios.values(), target] if value is not None])
    parts = [f'<text class="panel" x="0" y="{top + 14}">{escape(FIGURES[figure]["title"])}'
             f'<tspan class="quiet" dx="6">{better}</tspan></text>']
    y = top + PANEL_HEAD
    for name, ratios, target in rows:
        height = BAR_HEIGHT * len(ratios)
        parts.append(f'<text x="{LEFT - 10}" y="{y + height / 2 + 4:.1f}" text-anchor="end">{escape(name)}</text>')
        for index, (peer, ratio) in enumerate(ratios.items()):
            bar_y = y + index * BAR_HEIGHT
            parts.append(f'<rect class="{peer}" x="{LEFT}" y="{bar_y}" width="{scale.length(ratio):.1f}" '
                         f'height="{BAR_HEIGHT - 2}"><title>{peer}: {ratio:.2f}x HAProxy</title></rect>')
            parts.append(f'<text class="number" x="{WIDTH}" y="{bar_y + 10}" text-anchor="end">{ratio:.2f}</text>')
        if target is not None:
            x = scale.x(target)
            parts.append(f'<line class="target" x1="{x:.1f}" y1="{y - 3}" x2="{x:.1f}" y2="{y + height + 1}"/>')
        y += height + ROW_GAP
    x = scale.x(1)
    parts.append(f'<line class="axis" x1="{x:.1f}" y1="{top + PANEL_HEAD - 8}" x2="{x:.1f}" y2="{y - ROW_GAP + 4}"/>')
    parts.append(f'<text class="quiet" x="{x:.1f}" y="{top + PANEL_HEAD - 13}" text-anchor="middle">'
                 'HAProxy = 1</text>')
    return parts, y - ROW_GAP + PANEL_GAP


def draw(document):
    parts, y = [], TOP
    for figure, rows in panels_of(document).items():
        drawn, y = draw_panel(figure, rows, y)
        parts += drawn
    legend = (
        '<rect class="weir" x="0" y="30" width="11" height="11"/><text x="17" y="40">weir</text>'
        '<rect class="nginx" x="60" y="30" width="11" height="11"/><text x="77" y="40">nginx</text>'
        '<line class="target" x1="126" y1="30" x2="126" y2="41"/><text x="134" y="40">target of weir</text>'
    )
    body = "\n".join(parts)
    view = f'viewBox="-10 -6 {WIDTH + 20} {y}" width="{WIDTH + 20}"'
    return f"""<svg xmlns="http://www.w3.org/2000/svg" {view} role="img">
<title>weir and nginx as ratios to HAProxy</title>
<style>{STYLE}</style>
<text class="title" x="0" y="14">Ratios to HAProxy, all on one core</text>
{legend}
{body}
</svg>
"""
