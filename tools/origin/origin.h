// The built-in origin: a server to stand behind weir in demos, tests and benches, fast enough not to be what is
// measured.
//
// It speaks HTTP/1.1, each request choosing by its path how it is answered (tools/origin/target.h has the table), or,
// in raw mode, bytes without a protocol. One epoll loop per thread, nothing shared between loops but the counters. The
// command `weir origin` is a thin layer over this header; docs/operating/origin.md is its manual.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir {

// The command line as it was typed. run_origin() judges it, so that each word is explained in one place.
struct OriginOptions {
  std::vector<std::string> listen = {"127.0.0.1:9001"};  // host:port, [v6]:port, :port or unix:/path; port 0 = any
  std::string name = "origin";                           // said in `X-Origin`, greetings and banners
  unsigned threads = 1;                                  // loops, each with its own listeners by SO_REUSEPORT
  std::string answer{};         // `/` and unlisted paths answer as this target; empty: hello, 404
  std::string delay = "0";      // before every answer; milliseconds, or 500ms, 2s
  std::string fail{};           // reset, close, garbage or half, to every request; empty: none
  double fail_rate = 1.0;       // how many of the requests `fail` hits, 0..1
  std::uint64_t seed = 1;       // of the dice behind every rate
  int health_status = 200;      // what /health answers
  std::string raw{};            // a raw mode's name; empty: HTTP
  bool proxy_protocol = false;  // each connection starts with a PROXY header
  bool stats_on_exit = false;   // print the counters as one JSON line when stopping
};

// Serves until SIGINT or SIGTERM, then lets answers in progress end for a moment; a second signal ends at once. Prints
// `listening on ADDRESS` on stdout for each listener once all of them accept. Call it from the main thread while it is
// the only one: it blocks signals for the threads it starts.
// Returns the exit code: 0 stopped as asked, 1 the system failed, 2 an option makes no sense, 5 could not listen.
int run_origin(const OriginOptions& options);

}  // namespace weir
