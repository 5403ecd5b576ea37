// The part of the description (describe.h) that speaks of health and resilience: one function for each struct of
// resilience_config.h, and what upstreams, listeners and routes say of it.
#pragma once

#include <chrono>

#include "core/config/description_note.h"
#include "core/config/resilience_config.h"
#include "core/config/resilience_kinds.h"
#include "core/model/gate.h"
#include "core/model/rate_limit.h"
#include "core/model/resilience.h"

namespace weir::config {

namespace range {
inline constexpr Duration probe_interval_min = std::chrono::milliseconds{50};  // what the control thread can keep up
inline constexpr uint32_t probes_in_row_max = 100;
inline constexpr size_t probe_bytes_max = 1024;
inline constexpr uint32_t probe_header_bytes_max = 4096;
inline constexpr uint32_t failures_in_row_max = 1000;
inline constexpr double latency_factor_min = 1.1;
inline constexpr double latency_factor_max = 100;
inline constexpr Duration judged_window_min = std::chrono::milliseconds{100};
inline constexpr uint32_t judged_requests_max = 1'000'000;
inline constexpr Duration ejection_longest = hours{24};
inline constexpr Duration whole_second = std::chrono::seconds{1};
inline constexpr uint32_t queue_size_max = 1'000'000;
inline constexpr uint32_t hedge_percentile_min = 50;
inline constexpr uint32_t hedge_percentile_max = 99;
inline constexpr uint32_t rate_entries_min = 1024;
inline constexpr uint32_t rate_entries_max = 1U << 26;
inline constexpr Duration turn_max = std::chrono::seconds{10};
inline constexpr uint64_t memory_max = uint64_t{1} << 44;
inline constexpr uint32_t alert_retries_max = 10;
inline constexpr uint32_t alerts_max = 10'000;
}  // namespace range

template <class V>
void describe(V& v, TcpProbeConfig& c) {
  v.value("send", c.send, Bytes{"this text", range::probe_bytes_max},
          {.sentence = "Sent first; in double quotes `\\r\\n` is a line end.", .otherwise = "nothing"});
  v.value("expect", c.expect, Bytes{"this text", range::probe_bytes_max},
          {.sentence = "Stands somewhere in what comes back.", .otherwise = "to connect is enough"});
}

template <class V>
void describe(V& v, HttpProbeConfig& c) {
  v.value("method", c.method, ProbeMethod{}, {.sentence = "The method."});
  v.value("path", c.path, RequestTarget{}, {.sentence = "What is asked for."});
  v.value("host", c.host, Authority{}, {.sentence = "The Host.", .otherwise = "the endpoint's address"});
  v.pairs("headers", c.headers,
          {.sentence = "More headers: names with values.",
           .otherwise = "none",
           .value_bytes_max = range::probe_header_bytes_max});
  v.values("statuses", c.statuses, Statuses{}, {.sentence = "The answers that are good ones."});
  v.value("body", c.body, Bytes{"this text", range::probe_bytes_max},
          {.sentence = "Stands somewhere in the body of a good answer.", .otherwise = "any body will do"});
  v.value("tls", c.tls, Switch{}, {.sentence = "HTTPS."});
  v.value("verify", c.verify, Boolean{},
          {.sentence = "With `tls: on`: the certificate has to be valid, and for that name."});
  v.value("server_name", c.server_name, ServerName{},
          {.sentence = "With `tls: on`: the name that is asked for.", .otherwise = "as `host`"});
  v.value("ca", c.ca, FilePath{"a file of certificates"},
          {.sentence = "With `tls: on`: a PEM file of the authorities that are trusted.",
           .otherwise = "those of the system"});
}

template <class V>
void describe(V& v, ExecProbeConfig& c) {
  v.values("command", c.command, CommandWord{},
           {.sentence = "What is run: a program and its arguments. It ends with exit status 0 if the endpoint is well.",
            .required = true});
}

template <class V>
void describe(V& v, HealthConfig& c) {
  v.value("probe", c.probe, ProbeWord{},
          {.sentence = "What is done: a connection (`tcp`), a request (`http`), or a program that is run (`exec`)."});
  v.value("interval", c.interval, Time{range::probe_interval_min, range::short_wait_max},
          {.sentence = "How often each endpoint is probed."});
  v.value("timeout", c.timeout, Time{range::short_wait_min, range::short_wait_max},
          {.sentence = "How long a probe may take in all, at most `interval`."});
  v.value("fall", c.fall, Count<uint32_t>{1, range::probes_in_row_max},
          {.sentence = "Probes in a row that have to fail before an endpoint is down."});
  v.value("rise", c.rise, Count<uint32_t>{1, range::probes_in_row_max},
          {.sentence = "Probes in a row that have to succeed before it is up again."});
  v.value("interval_in_doubt", c.interval_in_doubt, Inherited{Time{range::probe_interval_min, range::short_wait_max}},
          {.sentence = "How often it is probed while `fall` or `rise` is being counted.",
           .otherwise = "a fifth of `interval`, at least 100ms"});
  v.value("interval_proven", c.interval_proven, Inherited{Time{range::probe_interval_min, range::short_wait_max}},
          {.sentence = "How often it is probed while it is up and its traffic shows that all is well.",
           .otherwise = "four times `interval`"});
  v.value("port", c.port, Port{},
          {.sentence = "Where probes go, at the address of the endpoint.", .otherwise = "the endpoint's own port"});
  v.section("tcp", c.tcp, {.sentence = "With `probe: tcp`."});
  v.section("http", c.http, {.sentence = "With `probe: http`."});
  v.section("exec", c.exec, {.sentence = "With `probe: exec`."});
}

template <class V>
void describe(V& v, OutliersConfig& c) {
  v.value("failures", c.failures, Count<uint32_t>{0, range::failures_in_row_max},
          {.sentence = "An endpoint that fails so many times in a row is ejected; 0: not for that."});
  v.value("error_rate", c.error_rate, Count<uint32_t>{0, 100},
          {.sentence = "So is one that fails so many percent within a `window`; 0: not for that."});
  v.value("latency", c.latency, Factor{range::latency_factor_min, range::latency_factor_max},
          {.sentence = "So is one that takes so many times as long as the median of its peers, such as 3."});
  v.value("window", c.window, Time{range::judged_window_min, range::short_wait_max},
          {.sentence = "With `error_rate` or `latency`: how far back is looked."});
  v.value("requests", c.requests, Count<uint32_t>{1, range::judged_requests_max},
          {.sentence = "With `error_rate` or `latency`: fewer in a window prove nothing."});
  v.value(
      "ejection", c.ejection, Time{range::judged_window_min, range::ejection_longest},
      {.sentence = "How long the first ejection lasts; the second twice as long, the third three times, and so on."});
  v.value("ejection_max", c.ejection_max, Time{range::judged_window_min, range::ejection_longest},
          {.sentence = "The longest one."});
  v.value("max_ejected", c.max_ejected, Count<uint32_t>{1, 100},
          {.sentence = "Percent of the endpoints that may be ejected at a time."});
}

template <class V>
void describe(V& v, BreakerConfig& c) {
  v.value("failures", c.failures, Count<uint32_t>{0, range::failures_in_row_max},
          {.sentence = "So many failures of an endpoint in a row open its breaker: nothing is sent there; 0: they do "
                       "not."});
  v.value("error_rate", c.error_rate, Count<uint32_t>{0, 100},
          {.sentence = "So do so many percent of failures within a `window`; 0: they do not."});
  v.value("slow_rate", c.slow_rate, Count<uint32_t>{0, 100},
          {.sentence = "So do so many percent of slow answers within a `window`; 0: they do not."});
  v.value("slow", c.slow, Time{range::short_wait_min, range::short_wait_max},
          {.sentence = "With `slow_rate`: an answer is slow that takes longer to begin."});
  v.value("window", c.window, Time{range::judged_window_min, range::short_wait_max},
          {.sentence = "With `error_rate` or `slow_rate`: how far back is looked."});
  v.value("requests", c.requests, Count<uint32_t>{1, range::judged_requests_max},
          {.sentence = "With `error_rate` or `slow_rate`: fewer in a window prove nothing."});
  v.value("recovery", c.recovery, Time{range::judged_window_min, range::short_wait_max},
          {.sentence = "How long it stays open before it is tried again."});
  v.value("trials", c.trials, Count<uint32_t>{1, Gate::trials_max},
          {.sentence = "How many are let through then: if all of them go well it closes, and with the first that does "
                       "not it opens again."});
}

template <class V>
void describe(V& v, QueueConfig& c) {
  v.value("size", c.size, Count<uint32_t>{1, range::queue_size_max},
          {.sentence = "How many may wait, over all workers; those beyond are refused at once."});
  v.value("timeout", c.timeout, Time{range::short_wait_min, range::short_wait_max},
          {.sentence = "How long one may wait before it is refused, with 503 in HTTP."});
  v.value("retry_after", c.retry_after, Time{range::whole_second, range::short_wait_max},
          {.sentence = "HTTP: when who was refused is asked to come back, in whole seconds (Retry-After)."});
}

template <class V>
void describe(V& v, ConcurrencyConfig& c) {
  v.value("min", c.min, Count<uint32_t>{1, range::connections_max}, {.sentence = "The limit never falls below it."});
  v.value("max", c.max, Count<uint32_t>{1, range::connections_max}, {.sentence = "The limit never rises above it."});
  v.value("start", c.start, Count<uint32_t>{1, range::connections_max},
          {.sentence = "The limit while nothing has been measured."});
}

template <class V>
void describe(V& v, HedgeConfig& c) {
  v.value(
      "percentile", c.percentile, Count<uint32_t>{range::hedge_percentile_min, range::hedge_percentile_max},
      {.sentence = "A request that has waited for its answer longer than so many percent of those before it is sent "
                   "to a second endpoint as well."});
  v.value("min_wait", c.min_wait, Time{range::short_wait_min, range::short_wait_max},
          {.sentence = "But not before it has waited so long."});
  v.value("budget", c.budget, Count<uint32_t>{1, 100}, {.sentence = "Such requests per hundred, at the most."});
}

template <class V>
void describe(V& v, HealthScoreConfig& c) {
  v.value("half_life", c.half_life, Time{range::judged_window_min, range::short_wait_max},
          {.sentence = "The time after which what happened counts half."});
  v.value("floor", c.floor, Count<uint32_t>{1, 99}, {.sentence = "Percent of its share that an endpoint keeps."});
}

template <class V>
void describe(V& v, DegradedConfig& c) {
  v.value("error_rate", c.error_rate, Count<uint32_t>{0, 100},
          {.sentence = "Degraded: so many percent of its answers or more are failures; 0: not for that."});
  v.value("p99", c.p99, Time{range::short_wait_min, range::short_wait_max, Zero::allowed},
          {.sentence = "Degraded: one in a hundred answers takes so long to begin, or longer; 0: not for that."});
  v.value("healthy", c.healthy, Count<uint32_t>{0, 100},
          {.sentence = "Degraded: less than so many percent of its endpoints are healthy; 0: not for that."});
  v.value("window", c.window, Time{range::judged_window_min, range::short_wait_max},
          {.sentence = "How far back is looked."});
}

template <class V>
void describe(V& v, RateLimitConfig& c) {
  v.value("name", c.name, Name{}, {.sentence = "What it is called in statistics.", .otherwise = "its number, `1`"});
  v.value(
      "by", c.by, RateKey{},
      {.sentence = "Whom it counts together: who agrees in this, or `all`. A request without it is not limited. TCP "
                   "knows `client_ip` and `all` only."});
  v.value("prefix", c.prefix, Count<uint8_t>{1, 32},
          {.sentence = "By client_ip: bits of an IPv4 address that count; those who share them share the limit."});
  v.value("prefix6", c.prefix6, Count<uint8_t>{1, 128}, {.sentence = "By client_ip: the same of an IPv6 address."});
  v.value("algorithm", c.algorithm, OneOf<RateAlgorithm>{},
          {.sentence = "`token_bucket`: evenly, but who was quiet may begin `burst` at once; `sliding_window`: no more "
                       "than `requests` in any `per`."});
  v.value("requests", c.requests, Count<uint32_t>{1, RateRule::requests_max},
          {.sentence = "So many requests may be begun in each `per`; connections in TCP.", .required = true});
  v.value("per", c.per, Time{RateRule::per_min, RateRule::per_max}, {.sentence = "The time they are counted in."});
  v.value("burst", c.burst, Inherited{Count<uint32_t>{1, RateRule::requests_max}},
          {.sentence = "With `token_bucket`: how many may begin at once.", .otherwise = "as `requests`"});
  v.value("entries", c.entries, Count<uint32_t>{range::rate_entries_min, range::rate_entries_max},
          {.sentence = "How many are told apart, in 8 bytes each; rounded up to a power of two. Of more than that the "
                       "quietest are forgotten."});
  v.value("action", c.action, OneOf<RateAction>{},
          {.sentence = "Who begins more is refused (429, or closed in TCP), or only counted (`count`)."});
  v.value("headers", c.headers, OneOf<RateHeaders>{},
          {.sentence = "HTTP: which answers say how much is left (RateLimit): those that refuse, or all."});
}

template <class V>
void describe(V& v, SheddingConfig& c) {
  v.value("turn", c.turn, Time{range::short_wait_min, range::turn_max, Zero::allowed},
          {.sentence = "When a turn of a worker, all that it does between two looks at its sockets, takes longer on "
                       "average; 0: not for that."});
  v.value("buffers", c.buffers, Count<uint32_t>{0, 99},
          {.sentence = "When more percent of a worker's buffers are in use; 0: not for that."});
  v.value("descriptors", c.descriptors, Count<uint32_t>{0, 99},
          {.sentence = "When more percent of the process's descriptors are in use; 0: not for that."});
  v.value("memory", c.memory, Size{0, range::memory_max},
          {.sentence = "When the process has more memory, 32MiB or above; 0: not for that."});
}

template <class V>
void describe(V& v, AlertConfig& c) {
  v.value("name", c.name, Name{}, {.sentence = "What it is called in statistics and logs.", .required = true});
  v.values("on", c.on, Each{OneOf<AlertOn>{}},
           {.sentence = "What is told: that an `endpoint` changes its state, that an `upstream` loses its last healthy "
                        "one or has one again, that an upstream is `degraded` or well again."});
  v.values("upstreams", c.upstreams, Each{Name{}}, {.sentence = "Of which upstreams.", .otherwise = "of all"});
  v.value("webhook", c.webhook, Webhook{},
          {.sentence = "An address that gets each alert as JSON, by POST. At least one of `webhook`, `exec` and `log`.",
           .otherwise = "none"});
  v.values("exec", c.exec, CommandWord{},
           {.sentence = "Or a command that is run, with the JSON as its input.", .otherwise = "none"});
  v.value("log", c.log, Boolean{}, {.sentence = "Or a line in the log, at the level of its severity."});
  v.value("timeout", c.timeout, Time{range::short_wait_min, range::short_wait_max},
          {.sentence = "With `webhook` or `exec`: how long it may take."});
  v.value("retries", c.retries, Count<uint32_t>{0, range::alert_retries_max},
          {.sentence = "With `webhook` or `exec`: how often one that fails is tried again."});
  v.value("backoff", c.backoff, Time{range::short_wait_min, range::short_wait_max},
          {.sentence = "With `webhook` or `exec`: the wait before that, doubled each time."});
  v.value("limit", c.limit, Count<uint32_t>{1, range::alerts_max},
          {.sentence = "So many alerts are sent in each `per`; those left out are counted, and the next one says how "
                       "many."});
  v.value("per", c.per, Time{range::whole_second, range::ejection_longest},
          {.sentence = "The time they are counted in."});
}

// What is said of an upstream as a whole; `c` is an UpstreamConfig.
template <class V, class Upstream>
void describe_resilience(V& v, Upstream& c) {
  v.section("health", c.health, {.sentence = "Probes that find out which endpoints are up.", .otherwise = "no probes"});
  v.section("outliers", c.outliers,
            {.sentence = "Endpoints whose traffic goes worse than that of the others are ejected for a while.",
             .otherwise = "none are"});
  v.section("breaker", c.breaker,
            {.sentence = "Endpoints that keep failing get nothing at all until a few trials have gone well.",
             .otherwise = "no breaker"});
  v.value("max_pending", c.max_pending, Count<uint32_t>{0, range::connections_max},
          {.sentence = "How many may wait for a connection, in its queue or for an endpoint to accept it, over all "
                       "workers; 0: any number."});
  v.value("max_retries", c.max_retries, Count<uint32_t>{0, range::connections_max},
          {.sentence = "Retries under way at a time, over all workers, besides the budget of `retry`; 0: any number."});
  v.section("queue", c.queue,
            {.sentence = "Where those wait who find all endpoints at their `max_connections`.",
             .otherwise = "they are refused at once"});
  v.section("concurrency", c.concurrency,
            {.sentence = "A limit of connections, in HTTP requests, for each endpoint, that follows its latency.",
             .otherwise = "none"});
  v.section("hedge", c.hedge,
            {.sentence = "HTTP: a request that waits too long is sent to a second endpoint as well, where it is safe; "
                         "the first answer counts.",
             .otherwise = "none are"});
  v.section("health_score", c.health_score,
            {.sentence = "Endpoints get a smaller share the worse they do.", .otherwise = "shares stay as they are"});
  v.section("degraded", c.degraded,
            {.sentence = "From when on `alerts` say that this upstream is degraded.", .otherwise = "they never do"});
}

template <class V, class Upstream>
void describe_preset(V& v, Upstream& c) {
  v.value("preset", c.preset, OneOf<Preset>{},
          {.sentence = "Values for keys that are not written. `patient`: `health` with `interval: 30s`, `breaker` with "
                       "`failures: 5` and `recovery: 60s`, and `max_connections: 100` for each endpoint."});
}

// Who may come in, how many at a time, and how much they count; `c` is a ListenerConfig.
template <class V, class Listener>
void describe_admission(V& v, Listener& c) {
  v.values("allow", c.allow, ClientBlock{},
           {.sentence = "Blocks of client addresses that may come in. Of all blocks that hold an address, in the lists "
                        "and in their files, the smallest decides.",
            .otherwise = "everybody who is not in `deny`"});
  v.values("deny", c.deny, ClientBlock{},
           {.sentence = "Blocks of client addresses that may not.", .otherwise = "nobody, or with `allow` all others"});
  v.value("allow_file", c.allow_file, FilePath{"a file of blocks"},
          {.sentence = "A file with more blocks for `allow`, one on a line.", .otherwise = "none"});
  v.value("deny_file", c.deny_file, FilePath{"a file of blocks"},
          {.sentence = "A file with more blocks for `deny`, one on a line.", .otherwise = "none"});
  v.value("max_connections_per_client", c.max_connections_per_client, Count<uint32_t>{0, range::connections_max},
          {.sentence = "Connections of one client address, in IPv6 of one /64, at a time; 0: any number."});
  v.list("rate_limits", c.rate_limits, {.sentence = "How much somebody may begin in some time. All of them count."});
  v.value("priority", c.priority, Count<uint8_t>{0, priority_max},
          {.sentence = "What matters most when there is too much: 0 is turned away first, 9 is never shed."});
}

template <class V, class Listener>
void describe_priority_header(V& v, Listener& c) {
  v.value("priority_header", c.priority_header, Token{"the name of a header"},
          {.sentence = "With `mode: http`: a header in which a request says its priority, 0 to 9.",
           .otherwise = "none does"});
}

// `c` is a RouteConfig.
template <class V, class Route>
void describe_route_limits(V& v, Route& c) {
  v.value("priority", c.priority, Inherited{Count<uint8_t>{0, priority_max}},
          {.sentence = "What matters most when there is too much: 0 is turned away first, 9 is never shed.",
           .otherwise = "as the listener"});
  v.list("rate_limits", c.rate_limits,
         {.sentence = "How much somebody may begin in some time, besides the limits of the listener."});
}

}  // namespace weir::config
