"""What is read from wrk, from answers and from /proc."""

import os
import socket
import sys
import tempfile
import threading
import unittest

import load
import machine
import processes
from processes import Failure

NO_ERRORS = {"connect": 0, "read": 0, "write": 0, "timeout": 0, "status": 0}
ROW = {"title": "a row", "path": "/hello", "headers": ["Connection: close"]}


def totals(**changed):
    return {"requests": 100, "bytes": 100 * 150, "duration_us": 1000000, "errors": dict(NO_ERRORS)} | changed


class WrkTotals(unittest.TestCase):
    def test_found_in_the_output(self):
        output = 'Running 1s test @ http://127.0.0.1:1/\n  1 threads\ntotals {"requests":3,"p50_us":17}\n'
        self.assertEqual(load.parse_totals(output), {"requests": 3, "p50_us": 17})

    def test_no_totals_is_a_failure_that_quotes_wrk(self):
        with self.assertRaisesRegex(Failure, "unable to connect"):
            load.parse_totals("unable to connect to 127.0.0.1:1 Connection refused\n")

    def test_a_good_load(self):
        self.assertIsNone(load.problem_of(totals(), answer_bytes=150, connections=64))

    def test_parts_of_answers_in_flight_are_good(self):
        self.assertIsNone(load.problem_of(totals(bytes=100 * 150 + 64 * 150), 150, 64))

    def test_wrong_sizes_do_not_count(self):
        self.assertRegex(load.problem_of(totals(bytes=100 * 150 - 1), 150, 64), "14999 bytes for 100 answers")
        self.assertRegex(load.problem_of(totals(bytes=164 * 150 + 1), 150, 64), "bytes for 100 answers")

    def test_each_error_does_not_count(self):
        for name in NO_ERRORS:
            self.assertEqual(load.problem_of(totals(errors=NO_ERRORS | {name: 2}), 150, 64), f"errors: 2 {name}")

    def test_no_answers_do_not_count(self):
        self.assertIsNotNone(load.problem_of(totals(requests=0, bytes=0), 150, 64))


class Answers(unittest.TestCase):
    def read(self, *chunks):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            def answer():
                for chunk in chunks:
                    theirs.sendall(chunk)
                theirs.shutdown(socket.SHUT_WR)
            sender = threading.Thread(target=answer)
            sender.start()
            try:
                return load.read_answer(ours, ROW)
            finally:
                sender.join()

    def test_size_is_head_and_body(self):
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello world\n"
        self.assertEqual(self.read(answer), len(answer))
        self.assertEqual(self.read(*(bytes([byte]) for byte in answer)), len(answer))

    def test_another_status_fails(self):
        with self.assertRaisesRegex(Failure, "503"):
            self.read(b"HTTP/1.1 503 No\r\n\r\nhello world\n")

    def test_another_body_fails(self):
        with self.assertRaisesRegex(Failure, "not the expected answer"):
            self.read(b"HTTP/1.1 200 OK\r\n\r\nhello earth\n")

    def test_a_short_body_fails(self):
        with self.assertRaisesRegex(Failure, "ended after"):
            self.read(b"HTTP/1.1 200 OK\r\n\r\nhello")

    def test_request_carries_the_headers_of_the_row(self):
        self.assertEqual(load.request_of(ROW, "127.0.0.1:80"),
                         b"GET /hello HTTP/1.1\r\nHost: 127.0.0.1:80\r\nConnection: close\r\n\r\n")


class Machine(unittest.TestCase):
    BEFORE = "cpu  9 9 9 9 9 9 9 9\ncpu0 100 0 50 800 50 0 0 0 0 0\ncpu1 10 0 0 90 0 0 0 0 0 0\nintr 1\n"
    AFTER = "cpu  9 9 9 9 9 9 9 9\ncpu0 130 0 60 850 55 0 0 5 0 0\ncpu1 110 0 0 90 0 0 0 0 0 0\nintr 1\n"

    def test_core_times(self):
        self.assertEqual(machine.parse_core_times(self.BEFORE), {0: (150, 1000), 1: (10, 100)})

    def test_share_of_others_is_all_work_but_ours(self):
        before, after = machine.parse_core_times(self.BEFORE), machine.parse_core_times(self.AFTER)
        ours_seconds = 100 / machine.TICKS_PER_SECOND
        self.assertAlmostEqual(machine.share_of_others(before, after), 145 / 200)
        self.assertAlmostEqual(machine.share_of_others(before, after, ours_seconds), 45 / 200)
        self.assertEqual(machine.share_of_others(before, after, ours_seconds * 9), 0)

    def test_no_time_between_readings(self):
        self.assertEqual(machine.share_of_others({0: (1, 2)}, {0: (1, 2)}), 0)

    def test_warns_of_other_work_during_a_load(self):
        self.assertEqual(load.warnings_of({"small": {"weir": [{"others": 0.02}]}, "idle": {"weir": [{}]}}), [])
        self.assertRegex(load.warnings_of({"small": {"weir": [{"others": 0.02}, {"others": 0.4}]}})[0],
                         "40%")


class Memory(unittest.TestCase):
    def test_anonymous_and_shared_but_not_of_files(self):
        text = "00-ff ---p 0 00:00 0 [rollup]\nRss:  99 kB\nPss_Anon:  40 kB\nPss_File:  30 kB\nPss_Shmem:  2 kB\n"
        self.assertEqual(processes.memory_of(text), 42 * 1024)


# The child ignores SIGTERM, as one that hangs would.
LISTENS_AND_FORKS = """
import os, signal, socket, sys, threading
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Event().wait()
worker = threading.Thread(target=lambda: sum(range(10**6)))
worker.start()
worker.join()
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
threading.Event().wait()
"""


class Processes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, self.cpu = folder.name, max(os.sched_getaffinity(0))

    def start(self, code):
        address = processes.free_address()
        command = [sys.executable, "-c", code, address.rsplit(":", 1)[1]]
        return processes.Pinned("the process", command, self.cpu, self.folder, [address])

    def test_children_are_of_it_and_all_end_with_it(self):
        with self.start(LISTENS_AND_FORKS) as process:
            pids = process.pids()
            self.assertEqual(len(pids), 2)
            self.assertTrue(all(os.sched_getaffinity(pid) == {self.cpu} for pid in pids))
            self.assertGreater(process.memory_bytes(), 1 << 20)
        while any(os.path.exists(f"/proc/{pid}") for pid in pids):
            os.sched_yield()

    def test_cpu_time_has_the_threads_that_ended(self):
        with self.start(LISTENS_AND_FORKS) as process:
            living = 0
            for pid in process.pids():
                for thread in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
                        living += int(file.read().split()[0])
            # Adding a million numbers takes more than a millisecond.
            self.assertGreater(process.cpu_ns(), living + 1_000_000)

    def test_one_that_ends_by_itself_is_a_failure_with_its_words(self):
        with self.assertRaisesRegex(Failure, "code 3: no such thing"):
            self.start("import sys; print('no such thing'); sys.exit(3)")

    def test_addresses_are_handed_out_once(self):
        addresses = [processes.free_address() for _ in range(50)]
        self.assertEqual(len(set(addresses)), 50)


if __name__ == "__main__":
    unittest.main()
