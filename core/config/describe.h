// The one description of the configuration: for each field its key, how its value is written, its range and a sentence.
// The parser (reader.h), the JSON Schema (schema.h) and the reference (reference.h) are all made from these functions,
// so they cannot disagree. The default is what the struct in config.h starts with.
//
// A visitor V has four functions and a list:
//     v.value(key, field, kind, note)       a scalar
//     v.values(key, field, kind, note)      a list of scalars, or one scalar alone
//     v.section(key, struct, note)          a mapping, described in turn
//     v.list(key, vector of struct, note)   a list of mappings, described in turn
//     v.algorithms()                        the balancing algorithms that exist
// To add a field: a member in config.h, a row here. To add a struct: one function here.
#pragma once

#include <chrono>
#include <string_view>

#include "core/config/config.h"
#include "core/config/kinds.h"

namespace weir::config {

struct Note {
  std::string_view sentence;
  bool required = false;
  std::string_view otherwise = {};   // what holds when the key is left out, where the default value does not say it
  std::string_view short_form = {};  // list: the key that an item means which is a scalar instead of a mapping
};

namespace range {
using std::chrono::hours;
using std::chrono::milliseconds;

inline constexpr Duration short_wait_min = milliseconds{1};
inline constexpr Duration short_wait_max = hours{1};
inline constexpr Duration long_wait_max = hours{24 * 365};
inline constexpr uint32_t connections_max = 10'000'000;
inline constexpr uint32_t workers_max = cpu_max + 1;
inline constexpr uint32_t weight_max = 65535;
inline constexpr uint32_t tries_max = 100;
inline constexpr uint32_t backlog_max = 1'000'000;
inline constexpr uint32_t pipes_max = 65536;
inline constexpr uint32_t maglev_table_size_max = 16'777'213;  // the largest prime below 2^24
}  // namespace range

template <class V>
void describe(V& v, ListenerConfig& c) {
  v.value("name", c.name, Name{},
          {.sentence = "What it is called in statistics and logs.", .otherwise = "the address"});
  v.value("address", c.address, ListenAddress{},
          {.sentence = "Where clients connect. Port 0 lets the kernel choose one.", .required = true});
  v.value("mode", c.mode, OneOf<Mode>{},
          {.sentence = "What is understood of the bytes; `tcp` relays them as they are."});
  v.value("upstream", c.upstream, Name{},
          {.sentence = "The name of the upstream that gets the connections.", .required = true});
  v.value("max_connections", c.max_connections, Count<uint32_t>{0, range::connections_max},
          {.sentence = "Connections of this listener at a time, over all workers; 0: only the global limit."});
  v.value("backlog", c.backlog, Count<uint32_t>{1, range::backlog_max},
          {.sentence = "Connections the kernel keeps waiting to be accepted (it caps this at `net.core.somaxconn`)."});
  v.values(
      "accept_proxy", c.accept_proxy, TrustedPeer{},
      {.sentence = "Peers that must begin with a PROXY protocol header (v1 or v2), which then says who the client is. "
                   "`all`: every peer; `unix`: those over a UNIX socket. Connections of other peers are taken as "
                   "they are.",
       .otherwise = "nobody"});
}

template <class V>
void describe(V& v, EndpointConfig& c) {
  v.value("name", c.name, Name{},
          {.sentence = "What it is called in statistics and logs.", .otherwise = "the address"});
  v.value("address", c.address, EndpointAddress{}, {.sentence = "Where the origin listens.", .required = true});
  v.value("weight", c.weight, Count<uint32_t>{0, range::weight_max},
          {.sentence = "Its share of the connections, relative to the other endpoints; 0: none."});
}

template <class V>
void describe(V& v, UpstreamTimeoutsConfig& c) {
  v.value("connect", c.connect, Inherited{Time{range::short_wait_min, range::short_wait_max}},
          {.sentence = "How long one endpoint may take to accept a connection.",
           .otherwise = "as in the global `timeouts`"});
}

template <class V>
void describe(V& v, UpstreamConfig& c) {
  v.value("name", c.name, Name{}, {.sentence = "What listeners, statistics and logs call it.", .required = true});
  v.value("balance", c.balance, OneOfNames{v.algorithms()},
          {.sentence = "How an endpoint is chosen for a connection."});
  v.value(
      "maglev_table_size", c.maglev_table_size, Count<uint32_t>{2, range::maglev_table_size_max},
      {.sentence = "With `balance: maglev`: slots of the lookup table, a prime. A hundred slots per endpoint keep the "
                   "shares within about one percent."});
  v.list("endpoints", c.endpoints,
         {.sentence = "The origins. An item is a mapping, or an address alone.",
          .required = true,
          .short_form = "address"});
  v.value("send_proxy", c.send_proxy, OneOf<SendProxy>{},
          {.sentence = "The PROXY protocol header that tells the origin who the client is."});
  v.value("tries", c.tries, Count<uint32_t>{1, range::tries_max},
          {.sentence = "Endpoints that are asked for one client connection before it is given up."});
  v.section("timeouts", c.timeouts, {.sentence = "Where this upstream differs from the global `timeouts`."});
}

template <class V>
void describe(V& v, TimeoutsConfig& c) {
  v.value("connect", c.connect, Time{range::short_wait_min, range::short_wait_max},
          {.sentence = "How long one endpoint may take to accept a connection; then the next one is asked."});
  v.value("idle", c.idle, Time{range::short_wait_min, range::long_wait_max},
          {.sentence = "How long a session may go without a byte either way."});
  v.value("lifetime", c.lifetime, Time{range::short_wait_min, range::long_wait_max, Zero::allowed},
          {.sentence = "How long a session may last in all; 0: as long as it likes."});
  v.value("drain", c.drain, Time{range::short_wait_min, range::long_wait_max, Zero::allowed},
          {.sentence = "On SIGTERM: how long open sessions may go on; 0: they are closed at once."});
  v.value("proxy_header", c.proxy_header, Time{range::short_wait_min, range::short_wait_max},
          {.sentence = "How long a trusted peer may take to send its PROXY protocol header."});
}

template <class V>
void describe(V& v, LimitsConfig& c) {
  v.value("connections", c.connections, OrAuto{Count<uint32_t>{1, range::connections_max}},
          {.sentence = "Client connections at a time, over all workers. `auto`: what RLIMIT_NOFILE has room for."});
  v.value("connections_per_worker", c.connections_per_worker, OrAuto{Count<uint32_t>{1, range::connections_max}},
          {.sentence = "Client connections at a time on one worker. `auto`: from `connections`."});
  v.value("buffers_per_worker", c.buffers_per_worker, Size{1 * MiB, 64 * GiB},
          {.sentence = "Memory of one worker for bytes on their way."});
  v.value("pipes_per_worker", c.pipes_per_worker, OrAuto{Count<uint32_t>{0, range::pipes_max}},
          {.sentence = "Kernel pipes of one worker for splicing bulk data; 0: bytes are always copied. `auto`: 256."});
  v.value("pipe_size", c.pipe_size, Size{4 * KiB, 1 * MiB},
          {.sentence = "Bytes that one such pipe holds, a power of two."});
}

template <class V>
void describe(V& v, StatsConfig& c) {
  v.value("path", c.path, SocketPath{},
          {.sentence = "The UNIX socket that answers `weir ctl` and HAProxy's tools.", .otherwise = "no stats socket"});
  v.value("mode", c.mode, FileMode{}, {.sentence = "Who may connect to it: the permissions of the socket file."});
}

template <class V>
void describe(V& v, AdminConfig& c) {
  v.section("stats", c.stats, {.sentence = "The stats socket."});
}

template <class V>
void describe(V& v, LogConfig& c) {
  v.value("level", c.level, OneOf<LogLevel>{}, {.sentence = "The least important lines that are written."});
  v.value("format", c.format, OneOf<LogFormat>{}, {.sentence = "Lines for eyes (`text`) or for machines (`json`)."});
}

template <class V>
void describe(V& v, Config& c) {
  v.value("workers", c.workers, OrAuto{Count<uint32_t>{1, range::workers_max}},
          {.sentence = "Worker threads, each pinned to a CPU of its own. `auto`: one per usable CPU."});
  v.value("cpus", c.cpus, CpuList{},
          {.sentence = "The CPUs that workers are pinned to.", .otherwise = "all that the process may use"});
  v.list("listeners", c.listeners, {.sentence = "Where clients connect.", .required = true});
  v.list("upstreams", c.upstreams, {.sentence = "Named groups of endpoints.", .required = true});
  v.section("timeouts", c.timeouts, {.sentence = "How long things may take."});
  v.section("limits", c.limits, {.sentence = "How much there may be of things."});
  v.section("admin", c.admin, {.sentence = "How weir is watched and steered."});
  v.section("log", c.log, {.sentence = "What weir writes to its standard error."});
}

}  // namespace weir::config
