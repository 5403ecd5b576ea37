"""The arithmetic: medians, the best of a peer, ratios, verdicts."""

import unittest

import figures
from load import add_differences
from rows import at_least, at_most

TABLE = {
    "direct": {"peer": "direct", "title": "no proxy"},
    "haproxy": {"peer": "haproxy", "title": "HAProxy"},
    "haproxy-splice": {"peer": "haproxy", "title": "HAProxy with splice"},
    "nginx": {"peer": "nginx", "title": "nginx"},
    "floor": {"peer": "floor", "title": "floor"},
    "weir": {"peer": "weir", "title": "weir"},
    "weir-defaults": {"peer": "weir-defaults", "title": "weir, more headers"},
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
    def verdicts(self, targets, **values):
        """Whether each target is met, in order, when these are the requests/s."""
        medians = {name: {"requests_per_second": value} for name, value in values.items()}
        line = figures.comparison("requests_per_second", row(requests_per_second=targets), medians, TABLE)
        self.assertEqual([{name: value for name, value in target.items() if name != "met"}
                          for target in line["targets"]], targets)
        return [target["met"] for target in line["targets"]]

    def test_at_least_a_ratio(self):
        self.assertEqual(self.verdicts([at_least(1.15, "haproxy")], weir=115, haproxy=100), [True])
        self.assertEqual(self.verdicts([at_least(1.15, "haproxy")], weir=114, haproxy=100), [False])

    def test_at_most_a_ratio(self):
        self.assertEqual(self.verdicts([at_most(0.65, "haproxy")], weir=6.5, haproxy=10), [True])
        self.assertEqual(self.verdicts([at_most(0.65, "haproxy")], weir=6.6, haproxy=10), [False])

    def test_absolute_bound_needs_no_peer(self):
        self.assertEqual(self.verdicts([at_most(400)], weir=400, haproxy=3000), [True])
        self.assertEqual(self.verdicts([at_most(400)], weir=401), [False])

    def test_each_peer_has_its_own_verdict(self):
        targets = [at_least(1.4, "haproxy"), at_least(1.25, "nginx"), at_least(0.8, "floor")]
        self.assertEqual(self.verdicts(targets, weir=140, haproxy=100, nginx=120, floor=170), [True, False, True])
        self.assertEqual(self.verdicts(targets, weir=130, haproxy=100, nginx=104, floor=170), [False, True, False])

    def test_a_figure_without_targets_has_no_verdict(self):
        medians = {"weir": {"cpu_us_per_request": 1}, "haproxy": {"cpu_us_per_request": 2}}
        self.assertEqual(figures.comparison("cpu_us_per_request", row(), medians, TABLE)["targets"], [])

    def test_nothing_to_divide_by_is_no_verdict(self):
        self.assertEqual(self.verdicts([at_least(1.15, "haproxy")], weir=100, haproxy=0), [None])

    def test_who_was_not_measured_is_no_verdict(self):
        self.assertEqual(self.verdicts([at_least(1, "haproxy"), at_least(1, "nginx")], weir=1, nginx=2), [None, False])
        self.assertEqual(self.verdicts([at_least(1, "haproxy"), at_most(400)], haproxy=1), [None, None])

    def test_compared_with_the_best_of_the_peer(self):
        medians = {
            "weir": {"requests_per_second": 110},
            "haproxy": {"requests_per_second": 90},
            "haproxy-splice": {"requests_per_second": 100},
        }
        targets = [at_least(1.15, "haproxy")]
        line = figures.comparison("requests_per_second", row(requests_per_second=targets), medians, TABLE)
        self.assertAlmostEqual(line["ratios"]["haproxy"], 1.1)
        self.assertIs(line["targets"][0]["met"], False)

    def test_weir_is_the_one_that_was_configured_like_the_peers(self):
        medians = {"weir": {"requests_per_second": 1}, "weir-defaults": {"requests_per_second": 2}}
        line = figures.comparison("requests_per_second", row(), medians, TABLE)
        self.assertEqual(line["best"], {"weir": {"candidate": "weir", "value": 1}})


class Differences(unittest.TestCase):
    def test_against_no_proxy_in_the_same_round(self):
        rounds = {
            "direct": [{"p50_us": 20, "requests_per_second": 100000}, {"p50_us": 40, "requests_per_second": 50000}],
            "weir": [{"p50_us": 35, "requests_per_second": 50000}, {"p50_us": 52, "requests_per_second": 40000}],
        }
        add_differences(rounds)
        self.assertEqual([one["added_p50_us"] for one in rounds["weir"]], [15, 12])
        # 20 - 10 and 25 - 20 microseconds of the core.
        for one, expected in zip(rounds["weir"], (10, 5)):
            self.assertAlmostEqual(one["added_us_per_request"], expected)
        self.assertEqual(set(rounds["direct"][0]), {"p50_us", "requests_per_second"})

    def test_without_a_reference_there_is_no_figure(self):
        rounds = {"weir": [{"p50_us": 35, "requests_per_second": 1}]}
        add_differences(rounds)
        self.assertEqual(rounds, {"weir": [{"p50_us": 35, "requests_per_second": 1}]})


if __name__ == "__main__":
    unittest.main()
