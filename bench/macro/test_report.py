"""What is written: tables with the right cells, a plot that is XML and has its bars where they belong."""

import contextlib
import copy
import io
import json
import tempfile
import unittest
import xml.etree.ElementTree as xml

import plot
import report
from candidates import CANDIDATES, find_programs
from configurations import Place
from figures import COMPARED, FIGURES, summarize
from processes import Failure
from rows import ROWS, at_least, at_most
from run import candidates_of, names_of, parse_arguments, rotated

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
            "nginx": [load(42000.0, 10.6)] * 3,
            "weir": [load(48000.0, 6.6)] * 3,
        },
        "idle": {
            "haproxy": [{"bytes_per_connection": 3000.0}],
            "nginx": [{"bytes_per_connection": 30000.0}],
            "weir": [{"bytes_per_connection": weir_bytes}],
        },
        "http-small": {
            "haproxy": [load(30000.0, 14.0, added_us_per_request=16.0)],
            "nginx": [load(36000.0, 12.5, added_us_per_request=15.0)],
            "floor": [load(50000.0, 7.0, added_us_per_request=8.0)],
            "weir": [load(42300.0, 8.4, added_us_per_request=10.0)],
        },
    }
    return summarize(results, ROWS, CANDIDATES, copy.deepcopy(ABOUT), {"rounds": 3, "seconds": 1})


class Tables(unittest.TestCase):
    def test_summary(self):
        lines = report.summary_table(document()).splitlines()
        self.assertEqual(
            lines[2], "| small | requests/s | 48,000 | 40,000 | 42,000 | 1.20 | 1.14 | ≥ 1.15x HAProxy | met |")
        self.assertIn("| 6.60 | 10.00 | 10.60 | 0.66 | 0.62 | ≤ 0.65x HAProxy | **missed** |", lines[3])
        self.assertIn("| 300 | 3,000 | 30,000 | 0.10 | 0.01 | ≤ 400 | met |", lines[4])

    def test_several_targets_of_one_figure(self):
        lines = report.summary_table(document()).splitlines()
        self.assertIn("| 1.41 | 1.18 | ≥ 1.4x HAProxy, ≥ 1.25x nginx | met, **missed** |", lines[5])
        self.assertIn("| 0.60 | 0.67 | ≤ 0.6x HAProxy, ≤ 0.7x nginx | met, met |", lines[6])

    def test_a_target_without_a_column_shows_its_ratio(self):
        self.assertTrue(report.summary_table(document()).endswith("| ≤ 1.15x floor | **missed** (1.25) |"))

    def test_targets_against_who_was_not_measured(self):
        targets = [at_least(1.4, "haproxy") | {"met": True}, at_most(1.15, "floor") | {"met": None}]
        self.assertEqual(report.target_cells({"targets": targets, "ratios": {"haproxy": 1.5}}),
                         ["≥ 1.4x HAProxy, ≤ 1.15x floor", "met, not measured"])
        self.assertEqual(report.target_cells({"targets": targets[1:], "ratios": {}}), ["≤ 1.15x floor", ""])
        self.assertEqual(report.target_cells({"targets": [], "ratios": {}}), ["", ""])

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

    def target(self, figure, *targets):
        best = {"haproxy": {"value": 800}, "nginx": {"value": 1000}}
        return plot.target_ratio({"figure": figure, "best": best, "targets": targets})

    def test_targets_are_drawn_as_ratios_to_haproxy(self):
        self.assertEqual(self.target("bytes_per_connection", at_most(400)), 0.5)
        self.assertEqual(self.target("requests_per_second", at_least(1.15, "haproxy")), 1.15)
        self.assertEqual(self.target("requests_per_second", at_least(1.2, "nginx")), 1.5)
        self.assertIsNone(self.target("requests_per_second", at_least(1.2, "floor")))
        self.assertIsNone(self.target("requests_per_second"))

    def test_of_several_targets_the_hardest_is_drawn(self):
        self.assertEqual(self.target("requests_per_second", at_least(1.4, "haproxy"), at_least(1.2, "nginx")), 1.5)
        self.assertEqual(self.target("cpu_us_per_request", at_most(0.6, "haproxy"), at_most(0.8, "nginx")), 0.6)


class Words(unittest.TestCase):
    def test_rows_name_figures_and_protocols_that_exist(self):
        protocols = {protocol for candidate in CANDIDATES.values() for protocol in candidate["protocols"]}
        for name, row in ROWS.items():
            self.assertLessEqual(set(row["shown"]) | set(row["targets"]), set(FIGURES), name)
            self.assertLessEqual(set(row["targets"]), set(row["shown"]), name)
            self.assertIn(row["protocol"], protocols, name)

    def test_targets_point_the_way_that_is_better(self):
        for name, row in ROWS.items():
            for figure, targets in row["targets"].items():
                for target in targets:
                    bound = "at_least" if FIGURES[figure]["better"] == "more" else "at_most"
                    self.assertEqual(set(target), {"against", bound}, name)
                    self.assertIn(target["against"], {None, *COMPARED}, name)

    def test_candidates_name_rows_that_exist(self):
        for name, candidate in CANDIDATES.items():
            for row_name in candidate.get("rows", []):
                self.assertIn(ROWS[row_name]["protocol"], candidate["protocols"], name)

    def test_candidates_measure_where_they_can(self):
        options = parse_arguments(["--weir", "x", "--candidates", "direct,haproxy,floor,weir-defaults"])
        self.assertEqual(candidates_of("http-small", options), ["direct", "haproxy", "floor", "weir-defaults"])
        self.assertEqual(candidates_of("http-short", options), ["direct", "haproxy", "weir-defaults"])
        self.assertEqual(candidates_of("http-idle", options), ["haproxy", "weir-defaults"])
        self.assertEqual(candidates_of("small", options), ["direct", "haproxy"])

    def test_a_row_without_candidates_is_a_usage_error(self):
        for arguments in (["--rows", "idle", "--candidates", "direct"], ["--rows", "small", "--candidates", "floor"]):
            with self.assertRaises(SystemExit) as stopped, contextlib.redirect_stderr(io.StringIO()) as said:
                parse_arguments(arguments)
            self.assertEqual(stopped.exception.code, 2)
            self.assertIn(arguments[1], said.getvalue())

    def test_every_weir_has_to_be_named(self):
        for candidate in ("weir", "weir-defaults"):
            with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()) as said:
                parse_arguments(["--rows", "http-small", "--candidates", candidate])
            self.assertIn("say which weir", said.getvalue())

    def test_a_program_that_was_not_built_is_named(self):
        with self.assertRaisesRegex(Failure, "not found: .*floor.*weir_floor"):
            find_programs(["floor"], {"weir": None, "floor": "/nowhere/weir_floor"})

    def test_names_keep_the_order_of_the_table(self):
        self.assertEqual(names_of({"a": 1, "b": 2, "c": 3})("c,a"), ["a", "c"])

    def test_unknown_names_are_usage_errors(self):
        with self.assertRaises(SystemExit) as stopped:
            parse_arguments(["--rows", "smal", "--weir", "x"])
        self.assertEqual(stopped.exception.code, 2)

    def test_each_candidate_begins_a_round_once(self):
        self.assertEqual([rotated(["a", "b", "c"], number)[0] for number in range(3)], ["a", "b", "c"])
        self.assertEqual(sorted(rotated(["a", "b", "c"], 7)), ["a", "b", "c"])


class Configurations(unittest.TestCase):
    PLACE = Place("127.0.0.1:9", ("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"), 5, "/folder")

    def test_each_text_names_its_address_and_every_origin_once(self):
        for name, candidate in CANDIDATES.items():
            for protocol, configure in candidate["protocols"].items():
                text = configure(self.PLACE) if configure else ""
                for address in (self.PLACE.address, *self.PLACE.origins):
                    self.assertEqual(text.count(address), 1 if configure else 0, f"{name} {protocol}: {address}")

    def test_the_peers_at_their_best_differ_from_the_plain_ones(self):
        for name, plain, setting in (("haproxy-splice", "haproxy", "option splice-response"),
                                     ("haproxy-pipes", "haproxy-splice", "tune.pipesize 262144"),
                                     ("haproxy-buffers", "haproxy", "tune.bufsize 65536"),
                                     ("nginx-buffers", "nginx", "proxy_buffer_size 64k;"),
                                     ("weir", "weir-defaults", "request_id: false")):
            for protocol in CANDIDATES[name]["protocols"].keys() & CANDIDATES[plain]["protocols"].keys():
                self.assertIn(setting, CANDIDATES[name]["protocols"][protocol](self.PLACE))
                self.assertNotIn(setting, CANDIDATES[plain]["protocols"][protocol](self.PLACE))

    def test_the_floor_is_told_a_port_and_addresses(self):
        self.assertEqual(CANDIDATES["floor"]["run"]("floor", None, self.PLACE),
                         ["floor", "9", "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"])


if __name__ == "__main__":
    unittest.main()
