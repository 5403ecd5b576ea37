"""Writes a result as Markdown for people, JSON for programs, and a plot."""

import json
import os
import statistics

import plot
from figures import FIGURES, OURS, PEERS

NAMES = {"weir": "weir", "haproxy": "HAProxy", "nginx": "nginx", "floor": "floor"}
MARKS = {True: "met", False: "**missed**", None: "not measured"}


def write(document, folder):
    os.makedirs(folder, exist_ok=True)
    contents = {
        "macro.json": json.dumps(document, indent=1, ensure_ascii=False) + "\n",
        "macro.md": markdown(document),
        "macro.svg": plot.draw(document),
    }
    paths = []
    for name, text in contents.items():
        paths.append(os.path.join(folder, name))
        with open(paths[-1], "w", encoding="utf-8") as file:
            file.write(text)
    return paths


def one_line(row, rounds):
    """The latest round in one line: the first shown figure of each candidate."""
    figure = row["shown"][0]
    return FIGURES[figure]["title"] + ": " + "  ".join(
        f"{name} {number(figures[-1][figure], figure)}" for name, figures in rounds.items() if figure in figures[-1])


def number(value, figure):
    return f"{value:,.{FIGURES[figure]['digits']}f}"


def table(head, lines, text_columns):
    """A Markdown table; the first columns are text, the others are numbers."""
    rule = ["---"] * text_columns + ["---:"] * (len(head) - text_columns)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, rule, *lines])


def target_text(target):
    bound = f"≥ {target['at_least']:g}" if "at_least" in target else f"≤ {target['at_most']:g}"
    return f"{bound}x {NAMES[target['against']]}" if target["against"] else bound


def verdict_text(target, ratios):
    """Met or missed; with the ratio where the table has no column for it."""
    against = target["against"]
    has_column = against is None or against in PEERS
    measured = "" if has_column or ratios.get(against) is None else f" ({ratios[against]:.2f})"
    return MARKS[target["met"]] + measured


def target_cells(line):
    """What was wanted, and what came of each: as many words in one cell as targets in the other."""
    targets = line["targets"]
    wanted = ", ".join(target_text(target) for target in targets)
    if all(target["met"] is None for target in targets):
        return [wanted, ""]
    return [wanted, ", ".join(verdict_text(target, line["ratios"]) for target in targets)]


def summary_table(document):
    head = ["row", "figure", *(NAMES[peer] for peer in (OURS, *PEERS)), *(f"weir / {NAMES[peer]}" for peer in PEERS),
            "target", "result"]
    lines = []
    for name, row in document["rows"].items():
        for line in row["comparisons"]:
            figure, found = line["figure"], line["best"]
            values = [number(found[peer]["value"], figure) if peer in found else "" for peer in (OURS, *PEERS)]
            ratios = [f"{line['ratios'][peer]:.2f}" if line["ratios"].get(peer) is not None else "" for peer in PEERS]
            lines.append([name, FIGURES[figure]["title"], *values, *ratios, *target_cells(line)])
    return table(head, lines, text_columns=2)


def row_table(row):
    """Every candidate of a row with all its figures, and how far apart its rounds were in the first of them."""
    figures = [name for name in FIGURES if any(name in one["medians"] for one in row["candidates"].values())]
    spread = "spread of " + FIGURES[figures[0]]["title"].split(",")[0]
    head = ["", *(FIGURES[name]["title"] for name in figures), spread]
    lines = []
    for one in row["candidates"].values():
        values = [number(one["medians"][name], name) if name in one["medians"] else "" for name in figures]
        lines.append([one["title"], *values, f"{one['spread'][figures[0]]:.0%}"])
    return table(head, lines, text_columns=1)


def others_text(document):
    """How much of the machine others used during the loads, in the middle and at worst."""
    others = [figures["others"] for row in document["rows"].values() for one in row["candidates"].values()
              for figures in one["rounds"] if "others" in figures]
    return f"{statistics.median(others):.0%} (at worst {max(others):.0%})" if others else "not measured"


def markdown(document):
    about, options = document["machine"], document["options"]
    versions = "\n".join(f"- {name}: {version}" for name, version in about["versions"].items())
    warnings = "".join(f"\n> **Warning:** {warning}.\n" for warning in about["warnings"])
    details = "\n\n".join(f"### {name}: {row['title']}\n\n{row_table(row)}" for name, row in document["rows"].items())
    return f"""# weir beside HAProxy and nginx

Written by `make bench` (`bench/macro/run.py --rounds {options['rounds']} --seconds {options['seconds']}`) on
{about['date']}. How it is measured and what was learned: [docs/performance.md](../../docs/performance.md).
{warnings}
Client, three nginx origins and the proxies share one core; one worker each. Medians of {options['rounds']} interleaved
rounds of {options['seconds']} s. What a peer shows in the summary is, for each figure, the best of its configurations.
Rows that begin with `http` are proxied as HTTP, the others as TCP. The *floor* is a relay that parses nothing
([bench/floor](../floor/relay.h)): what a proxy of small requests over the same ring cannot go below.

{summary_table(document)}

![Figures as ratios to HAProxy](macro.svg)

## Every candidate

{details}

## The machine

- {about['cpu_model']}, {about['cpus']} CPUs; measured on CPU {about['cpu_measured']}
- Linux {about['kernel']}
{versions}
- before the start: load average {about['load_average']:.2f}, {about['busy_before']:.0%} of the machine in use
- used by others during the loads: {others_text(document)}
- the run took {about['seconds']} s
"""
