"""What is written: tables with the right cells, a plot that is XML and has its bars where they belong."""

import copy
import json
import tempfile
import unittest
import xml.etree.ElementTree as xml

import plot
import report
from candidates import CANDIDATES
from figures import FIGURES, summarize
from rows import ROWS
from run import names_of, parse_arguments, rotated

SVG = "{http://www.w3.org/2000/svg}"
ABOUT = {
    "date": "2001-02-03 04:05 UTC", "kernel": "6.1.0", "cpu_model": "a <small> CPU", "cpus": 2, "cpu_measured": 1,
    "load_average": 0.1, "busy_before": 0.01, "seconds": 420, "versions": {"haproxy": "HAProxy 1"}, "warnings": [],
}


def load(requests_per_second, cpu, **more):
    return {"requests_per_second": requests_per_second, "cpu_us_per_request": cpu, "p50_us": 100, "p99_us": 200} | more


def document(weir_bytes=300.0):
    results = {
        "small": {
            "direct": [{"requests_per_second": 90000.0, "p50_us": 10, "p99_us": 20, "others": 0.01}] * 3,
            "haproxy": [load(40000.0, 11.0)] * 3,
            "haproxy-splice": [load(38000.0, 10.0)] * 3,
            "nginx": [load(42000.0, 10.5)] * 3,
            "weir": [load(48000.0, 6.6)] * 3,
        },
        "idle": {
            "haproxy": [{"bytes_per_connection": 3000.0}],
            "nginx": [{"bytes_per_connection": 30000.0}],
            "weir": [{"bytes_per_connection": weir_bytes}],
        },
    }
    return summarize(results, ROWS, CANDIDATES, copy.deepcopy(ABOUT), {"rounds": 3, "seconds": 1})


class Tables(unittest.TestCase):
    def test_summary(self):
        lines = report.summary_table(document()).splitlines()
        self.assertEqual(
            lines[2], "| small | requests/s | 48,000 | 40,000 | 42,000 | 1.20 | 1.14 | ≥ 1.15x HAProxy | met |")
        self.assertIn("| 6.60 | 10.00 | 10.50 | 0.66 | 0.63 | ≤ 0.65x HAProxy | **missed** |", lines[3])
        self.assertIn("| 300 | 3,000 | 30,000 | 0.10 | 0.01 | ≤ 400 | met |", lines[4])

    def test_every_line_of_a_table_has_as_many_cells(self):
        text = report.markdown(document())
        for block in text.split("\n\n"):
            cells = {line.count("|") for line in block.splitlines() if line.startswith("|")}
            self.assertLessEqual(len(cells), 1, block)

    def test_warnings_are_in_the_text(self):
        loud = document()
        loud["machine"]["warnings"] = ["the machine was busy"]
        self.assertIn("**Warning:** the machine was busy.", report.markdown(loud))
        self.assertNotIn("Warning", report.markdown(document()))

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = report.write(document(), folder + "/new/results")
            self.assertEqual([path.rsplit("/", 1)[1] for path in paths], ["macro.json", "macro.md", "macro.svg"])
            with open(paths[0], encoding="utf-8") as file:
                rows = json.load(file)["rows"]
            self.assertEqual(rows["small"]["candidates"]["weir"]["medians"]["requests_per_second"], 48000)
            self.assertEqual(len(rows["small"]["candidates"]["weir"]["rounds"]), 3)


class Plot(unittest.TestCase):
    def bars(self, drawn):
        root = xml.fromstring(plot.draw(drawn))
        return {rect.find(SVG + "title").text: float(rect.get("width"))
                for rect in root.iter(SVG + "rect") if rect.find(SVG + "title") is not None}

    def test_bars_are_ratios_to_the_best_haproxy(self):
        bars = self.bars(document())
        self.assertIn("weir: 1.20x HAProxy", bars)
        self.assertIn("weir: 0.66x HAProxy", bars)
        self.assertAlmostEqual(bars["weir: 1.20x HAProxy"] / bars["nginx: 1.05x HAProxy"], 1.20 / 1.05, places=2)

    def test_long_bars_are_cut_inside_the_picture_and_tell_the_truth(self):
        bars = self.bars(document())
        self.assertLessEqual(bars["nginx: 10.00x HAProxy"], plot.WIDTH - plot.LEFT - plot.RIGHT)

    def test_a_negative_figure_has_no_bar(self):
        self.assertEqual(self.bars(document(weir_bytes=-300.0))["weir: -0.10x HAProxy"], 0)

    def test_absolute_targets_are_drawn_as_ratios(self):
        self.assertAlmostEqual(plot.target_ratio({"against": None, "at_most": 400}, 800), 0.5)
        self.assertEqual(plot.target_ratio({"against": "haproxy", "at_least": 1.15}, 800), 1.15)
        self.assertIsNone(plot.target_ratio({"against": "nginx", "at_least": 1.15}, 800))


class Words(unittest.TestCase):
    def test_rows_name_figures_and_protocols_that_exist(self):
        protocols = {protocol for candidate in CANDIDATES.values() for protocol in candidate["protocols"]}
        for name, row in ROWS.items():
            self.assertLessEqual(set(row["shown"]) | set(row["targets"]), set(FIGURES), name)
            self.assertLessEqual(set(row["targets"]), set(row["shown"]), name)
            self.assertIn(row["protocol"], protocols, name)

    def test_names_keep_the_order_of_the_table(self):
        self.assertEqual(names_of({"a": 1, "b": 2, "c": 3})("c,a"), ["a", "c"])

    def test_unknown_names_are_usage_errors(self):
        with self.assertRaises(SystemExit) as stopped:
            parse_arguments(["--rows", "smal", "--weir", "x"])
        self.assertEqual(stopped.exception.code, 2)

    def test_each_candidate_begins_a_round_once(self):
        self.assertEqual([rotated(["a", "b", "c"], number)[0] for number in range(3)], ["a", "b", "c"])
        self.assertEqual(sorted(rotated(["a", "b", "c"], 7)), ["a", "b", "c"])


if __name__ == "__main__":
    unittest.main()
