"""The arithmetic: medians, the best of a peer, ratios, verdicts."""

import unittest

import figures
from load import add_latency_added

TABLE = {
    "direct": {"peer": "direct", "title": "no proxy"},
    "haproxy": {"peer": "haproxy", "title": "HAProxy"},
    "haproxy-splice": {"peer": "haproxy", "title": "HAProxy with splice"},
    "nginx": {"peer": "nginx", "title": "nginx"},
    "weir": {"peer": "weir", "title": "weir"},
}


def row(**targets):
    return {"title": "a row", "shown": ["requests_per_second", "cpu_us_per_request"], "targets": targets}


class Medians(unittest.TestCase):
    def test_middle_of_each_figure_alone(self):
        rounds = [{"requests_per_second": value, "p50_us": 10 - value} for value in (1, 9, 5)]
        self.assertEqual(figures.medians(rounds), {"requests_per_second": 5, "p50_us": 5})

    def test_even_number_of_rounds(self):
        self.assertEqual(figures.medians([{"p50_us": 1}, {"p50_us": 4}]), {"p50_us": 2.5})

    def test_one_disturbed_round_does_not_move_the_median(self):
        rounds = [{"p50_us": value} for value in (10, 11, 12, 11, 9000)]
        self.assertEqual(figures.medians(rounds)["p50_us"], 11)

    def test_what_is_no_figure_is_left_out(self):
        self.assertEqual(figures.medians([{"requests": 7, "p99_us": 3}]), {"p99_us": 3})

    def test_spread(self):
        self.assertAlmostEqual(figures.spread([{"p50_us": value} for value in (90, 100, 120)], "p50_us"), 0.3)
        self.assertEqual(figures.spread([{"p50_us": 0}, {"p50_us": 0}], "p50_us"), 0)


class BestOfPeer(unittest.TestCase):
    MEDIANS = {
        "haproxy": {"requests_per_second": 100, "cpu_us_per_request": 9},
        "haproxy-splice": {"requests_per_second": 90, "cpu_us_per_request": 7},
        "direct": {"requests_per_second": 500},
    }

    def test_each_figure_has_its_own_best(self):
        self.assertEqual(figures.best_of_peer("haproxy", "requests_per_second", self.MEDIANS, TABLE), ("haproxy", 100))
        self.assertEqual(figures.best_of_peer("haproxy", "cpu_us_per_request", self.MEDIANS, TABLE),
                         ("haproxy-splice", 7))

    def test_nobody_measured(self):
        self.assertIsNone(figures.best_of_peer("nginx", "requests_per_second", self.MEDIANS, TABLE))
        self.assertIsNone(figures.best_of_peer("direct", "cpu_us_per_request", self.MEDIANS, TABLE))


class Targets(unittest.TestCase):
    def met(self, target, ours, theirs):
        medians = {"weir": {"requests_per_second": ours}, "haproxy": {"requests_per_second": theirs}}
        return figures.comparison("requests_per_second", row(requests_per_second=target), medians, TABLE)["met"]

    def test_at_least_a_ratio(self):
        target = {"against": "haproxy", "at_least": 1.15}
        self.assertTrue(self.met(target, 115, 100))
        self.assertFalse(self.met(target, 114, 100))

    def test_at_most_a_ratio(self):
        target = {"against": "haproxy", "at_most": 0.65}
        self.assertTrue(self.met(target, 6.5, 10))
        self.assertFalse(self.met(target, 6.6, 10))

    def test_absolute_bound_needs_no_peer(self):
        target = {"against": None, "at_most": 400}
        self.assertTrue(self.met(target, 400, 3000))
        self.assertFalse(self.met(target, 401, 3000))

    def test_nothing_to_divide_by_is_no_verdict(self):
        self.assertIsNone(self.met({"against": "haproxy", "at_least": 1.15}, 100, 0))

    def test_a_peer_that_was_not_measured_is_no_verdict(self):
        target = {"against": "haproxy", "at_least": 1}
        medians = {"weir": {"requests_per_second": 1}}
        line = figures.comparison("requests_per_second", row(requests_per_second=target), medians, TABLE)
        self.assertIsNone(line["met"])

    def test_compared_with_the_best_of_the_peer(self):
        medians = {
            "weir": {"requests_per_second": 110},
            "haproxy": {"requests_per_second": 90},
            "haproxy-splice": {"requests_per_second": 100},
        }
        target = {"against": "haproxy", "at_least": 1.15}
        line = figures.comparison("requests_per_second", row(requests_per_second=target), medians, TABLE)
        self.assertAlmostEqual(line["ratios"]["haproxy"], 1.1)
        self.assertFalse(line["met"])


class LatencyAdded(unittest.TestCase):
    def test_against_no_proxy_in_the_same_round(self):
        rounds = {"direct": [{"p50_us": 20}, {"p50_us": 40}], "weir": [{"p50_us": 35}, {"p50_us": 52}]}
        add_latency_added(rounds)
        self.assertEqual([one["added_p50_us"] for one in rounds["weir"]], [15, 12])
        self.assertNotIn("added_p50_us", rounds["direct"][0])

    def test_without_a_reference_there_is_no_figure(self):
        rounds = {"weir": [{"p50_us": 35}]}
        add_latency_added(rounds)
        self.assertEqual(rounds, {"weir": [{"p50_us": 35}]})


if __name__ == "__main__":
    unittest.main()
