"""The arithmetic of the result: medians of rounds, the best of a peer's configurations, ratios, targets."""

import statistics

# better: which direction is good. digits: after the point, when printed.
FIGURES = {
    "requests_per_second": {"title": "requests/s", "better": "more", "digits": 0},
    "cpu_us_per_request": {"title": "proxy CPU per request, µs", "better": "less", "digits": 2},
    "all_us_per_request": {"title": "CPU of all per request, µs", "better": "less", "digits": 2},
    "p50_us": {"title": "p50, µs", "better": "less", "digits": 0},
    "p99_us": {"title": "p99, µs", "better": "less", "digits": 0},
    "added_p50_us": {"title": "latency added at p50, µs", "better": "less", "digits": 0},
    # With everybody on one core and no time lost, a request takes the CPU that all of them need for it: this is what of
    # that was not there without the proxy, also what the proxy makes the others do.
    "added_us_per_request": {"title": "time added per request, µs", "better": "less", "digits": 2},
    "bytes_per_connection": {"title": "user memory per connection, bytes", "better": "less", "digits": 0},
}
OURS = "weir"
PEERS = ("haproxy", "nginx")
# Whom targets may name. The floor is no peer: nobody could use it as a proxy.
COMPARED = (*PEERS, "floor")


def medians(rounds):
    """{figure: median} over the rounds of one candidate."""
    return {name: statistics.median(figures[name] for figures in rounds) for name in FIGURES if name in rounds[0]}


def spread(rounds, figure):
    """How far apart the rounds are: (largest - smallest) / median."""
    values = [figures[figure] for figures in rounds]
    middle = statistics.median(values)
    return (max(values) - min(values)) / middle if middle else 0.0


def best(values, figure):
    """The best of (name, value) pairs for this figure; None of none."""
    choose = max if FIGURES[figure]["better"] == "more" else min
    return choose(values, key=lambda pair: pair[1]) if values else None


def best_of_peer(peer, figure, candidates, table):
    """(name, value) of the configuration of `peer` that has the best figure."""
    return best([(name, row[figure]) for name, row in candidates.items()
                 if table[name]["peer"] == peer and figure in row], figure)


def ratio(value, base):
    """None where there is nothing to divide by: a latency that adds nothing, a memory that does not grow."""
    return value / base if base > 0 else None


def judge(target, value, ratios):
    """True when the target is met, False when missed, None when it cannot be said."""
    measured = ratios.get(target["against"]) if target["against"] else value
    if measured is None:
        return None
    return measured >= target["at_least"] if "at_least" in target else measured <= target["at_most"]


def comparison(figure, row, candidates, table):
    """One line of the summary: a figure of a row for weir and whom it is compared with, ratios and verdicts."""
    found = {peer: best_of_peer(peer, figure, candidates, table) for peer in (OURS, *COMPARED)}
    ours = found[OURS][1] if found[OURS] else None
    ratios = {peer: ratio(ours, found[peer][1]) for peer in COMPARED if found[peer] and ours is not None}
    return {
        "figure": figure,
        "best": {peer: {"candidate": pair[0], "value": pair[1]} for peer, pair in found.items() if pair},
        "ratios": ratios,
        "targets": [{**target, "met": judge(target, ours, ratios) if ours is not None else None}
                    for target in row["targets"].get(figure, [])],
    }


def summarize(results, rows, candidates, about, options):
    """The document that the reports are written from; it is also the JSON file."""
    document = {"machine": about, "options": options, "rows": {}}
    for row_name, by_candidate in results.items():
        row = rows[row_name]
        middle = {name: medians(rounds) for name, rounds in by_candidate.items()}
        document["rows"][row_name] = {
            "title": row["title"],
            "shown": row["shown"],
            "candidates": {
                name: {
                    "title": candidates[name]["title"],
                    "medians": middle[name],
                    "spread": {figure: spread(rounds, figure) for figure in middle[name]},
                    "rounds": rounds,
                }
                for name, rounds in by_candidate.items()
            },
            "comparisons": [comparison(figure, row, middle, candidates) for figure in row["shown"]],
        }
    return document
