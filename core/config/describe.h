// The one description of the configuration: for each field its key, how its value is written, its range and a sentence.
// The parser (reader.h), the JSON Schema (schema.h) and the reference (reference.h) are all made from these functions,
// so they cannot disagree. The default is what the struct in config.h starts with.
//
// A visitor V has five functions and a list:
//     v.value(key, field, kind, note)       a scalar
//     v.values(key, field, kind, note)      a list of scalars, or one scalar alone
//     v.section(key, struct, note)          a mapping, described in turn; of an optional struct, it is there when set
//     v.list(key, vector of struct, note)   a list of mappings, described in turn
//     v.pairs(key, field, note)             a mapping of any names to scalars
//     v.algorithms()                        the balancing algorithms that exist
// To add a field: a member in config.h, a row here. To add a struct: one function here. (What speaks of HTTP is in
// http_config.h and describe_http.h.)
#pragma once

#include "core/config/config.h"
#include "core/config/describe_http.h"
#include "core/config/describe_resilience.h"
#include "core/config/description_note.h"
#include "core/config/kinds.h"

namespace weir::config {

template <class V>
void describe(V& v, ListenerConfig& c) {
  v.value("name", c.name, Name{},
          {.sentence = "What it is called in statistics and logs.", .otherwise = "the address"});
  v.value("address", c.address, ListenAddress{},
          {.sentence = "Where clients connect. Port 0 lets the kernel choose one.", .required = true});
  v.value("mode", c.mode, OneOf<Mode>{},
          {.sentence = "What is understood of the bytes: `tcp` relays them as they are, `http` reads requests."});
  v.value("upstream", c.upstream, Name{},
          {.sentence = "The upstream that gets the connections; with `mode: http`, the requests that no route takes.",
           .otherwise = "required, but for `mode: http` with `routes`"});
  describe_subset(v, c);
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
  describe_admission(v, c);
  v.list(
      "routes", c.routes,
      {.sentence = "With `mode: http`: what is done with which requests. Of all routes that match, the most specific "
                   "one counts: an exact host before the longest wildcard before any host; then an exact path before "
                   "a regular expression before the longest prefix; then the first in the file."});
  v.values("trusted_proxies", c.trusted_proxies, TrustedPeer{},
           {.sentence = "With `mode: http`: peers that are believed when they say who the client is. `all`: every "
                        "peer; `unix`: those over a UNIX socket.",
            .otherwise = "nobody"});
  v.section("forward", c.forward, {.sentence = "With `mode: http`: what origins are told of the client."});
  v.value("allow_connect", c.allow_connect, Boolean{},
          {.sentence = "With `mode: http`: CONNECT opens a tunnel to the upstream, instead of being refused."});
  describe_priority_header(v, c);
  v.value("max_requests", c.max_requests, Count<uint32_t>{0, range::requests_max},
          {.sentence = "With `mode: http`: requests of one client connection; 0: any number."});
  v.value("access_log", c.access_log, Boolean{},
          {.sentence = "With `mode: http`: this listener's requests are in the access log, if there is one."});
}

template <class V>
void describe(V& v, EndpointConfig& c) {
  v.value("name", c.name, Name{},
          {.sentence = "What it is called in statistics and logs.", .otherwise = "the address"});
  v.value("address", c.address, EndpointAddress{}, {.sentence = "Where the origin listens.", .required = true});
  v.value("weight", c.weight, Count<uint32_t>{0, range::weight_max},
          {.sentence = "Its share of the connections, relative to the other endpoints; 0: none."});
  describe_place(v, c);
}

template <class V>
void describe(V& v, UpstreamTimeoutsConfig& c) {
  v.value("connect", c.connect, Inherited{Time{range::short_wait_min, range::short_wait_max}},
          {.sentence = "How long one endpoint may take to accept a connection.",
           .otherwise = "as in the global `timeouts`"});
  v.value("first_byte", c.first_byte, Inherited{Time{range::short_wait_min, range::long_wait_max}},
          {.sentence = "HTTP: how long an origin may take to begin its answer.",
           .otherwise = "as in the global `timeouts`"});
  v.value("body", c.body, Inherited{Time{range::short_wait_min, range::long_wait_max}},
          {.sentence = "HTTP: how long an answer's body may go without a byte.",
           .otherwise = "as in the global `timeouts`"});
  v.value("request", c.request, Inherited{Time{range::short_wait_min, range::long_wait_max, Zero::allowed}},
          {.sentence = "HTTP: how long a request may take in all; 0: as long as it likes.",
           .otherwise = "as in the global `timeouts`"});
}

template <class V>
void describe(V& v, UpstreamConfig& c) {
  v.value("name", c.name, Name{}, {.sentence = "What listeners, statistics and logs call it.", .required = true});
  v.list("endpoints", c.endpoints,
         {.sentence = "The origins. An item is a mapping, or an address alone.",
          .required = true,
          .short_form = "address"});
  describe_preset(v, c);
  describe_balance(v, c);
  describe_resilience(v, c);
  v.value("send_proxy", c.send_proxy, OneOf<SendProxy>{},
          {.sentence = "The PROXY protocol header that tells the origin who the client is."});
  v.value("tries", c.tries, Count<uint32_t>{1, range::tries_max},
          {.sentence = "Endpoints that are asked for one client connection, or one request, before it is given up."});
  v.section("pool", c.pool, {.sentence = "HTTP: connections to endpoints that are kept for the next request."});
  v.section("retry", c.retry, {.sentence = "HTTP: when a request is tried again."});
  v.section("sticky", c.sticky, {.sentence = "HTTP: which clients always get the same endpoint."});
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
  v.value("header", c.header, Time{range::short_wait_min, range::short_wait_max},
          {.sentence = "HTTP: how long a client may take for the head of a request, from its first byte."});
  v.value("client_body", c.client_body, Time{range::short_wait_min, range::long_wait_max},
          {.sentence = "HTTP: how long a request's body may go without a byte."});
  v.value("keep_alive", c.keep_alive, Time{range::short_wait_min, range::long_wait_max},
          {.sentence = "HTTP: how long a client connection is kept between requests."});
  v.value("half_close", c.half_close, Time{range::short_wait_min, range::long_wait_max},
          {.sentence = "HTTP: how long a request goes on whose client has ended its side."});
  v.value("first_byte", c.first_byte, Time{range::short_wait_min, range::long_wait_max},
          {.sentence = "HTTP: how long an origin may take to begin its answer."});
  v.value("body", c.body, Time{range::short_wait_min, range::long_wait_max},
          {.sentence = "HTTP: how long an answer's body may go without a byte."});
  v.value("request", c.request, Time{range::short_wait_min, range::long_wait_max, Zero::allowed},
          {.sentence = "HTTP: how long a request may take in all; 0: as long as it likes."});
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
  v.value("http_line", c.http_line, Size{64, 15 * KiB},
          {.sentence = "The longest first line of a request (414), at most `http_head`."});
  v.value("http_head", c.http_head, Size{256, 15 * KiB},
          {.sentence = "The longest head of a request or an answer, that line included (431)."});
  v.value("http_fields", c.http_fields, Count<uint32_t>{8, 256}, {.sentence = "Headers of one message (431)."});
  v.value("http_trailers", c.http_trailers, Size{0, 8 * KiB}, {.sentence = "The longest trailer section; 0: none."});
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
  v.list("upstreams", c.upstreams,
         {.sentence = "Named groups of endpoints.", .otherwise = "none: then every route answers by itself"});
  v.section("zones", c.zones, {.sentence = "Which clients are near to which endpoints, for `balance: zone_aware`."});
  v.section("timeouts", c.timeouts, {.sentence = "How long things may take."});
  v.section("limits", c.limits, {.sentence = "How much there may be of things."});
  v.section("shedding", c.shedding,
            {.sentence = "When workers turn away what they could not serve well, of the lowest priority first."});
  v.list("alerts", c.alerts, {.sentence = "Who is told when endpoints and upstreams change."});
  v.section("admin", c.admin, {.sentence = "How weir is watched and steered."});
  v.section("log", c.log, {.sentence = "What weir writes to its standard error."});
  v.section("access_log", c.access_log, {.sentence = "A line for each HTTP request. Without it: none."});
}

}  // namespace weir::config
