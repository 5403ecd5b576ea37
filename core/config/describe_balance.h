// The part of the description (describe.h) that speaks of balancing: one function for each struct of balance_config.h,
// and what an upstream says of it.
#pragma once

#include <chrono>

#include "core/config/balance_config.h"
#include "core/config/description_note.h"
#include "core/config/http_kinds.h"

namespace weir::config {

namespace range {
inline constexpr uint32_t choices_max = 16;
inline constexpr uint32_t ring_points_max = 10'000;
inline constexpr double bounded_load_min = 1.01;
inline constexpr double bounded_load_max = 100;
inline constexpr uint32_t overprovision_max = 1000;
inline constexpr uint32_t tier_max = 9;
inline constexpr uint32_t windows_max = 100;
inline constexpr Duration window_min = std::chrono::milliseconds{100};
inline constexpr size_t plugin_options_bytes_max = 4096;
inline constexpr size_t agent_bytes_max = 256;
inline constexpr size_t zone_bytes_max = 128;
}  // namespace range

template <class V>
void describe(V& v, TwoChoicesConfig& c) {
  v.value("choices", c.choices, Count<uint32_t>{2, range::choices_max},
          {.sentence = "How many endpoints are drawn, of which the least loaded has it."});
  v.value("load", c.load, OneOf<LoadMeasure>{},
          {.sentence = "What is compared: open `connections`, or measured `latency` times connections."});
}

template <class V>
void describe(V& v, ResourceAwareConfig& c) {
  v.value(
      "header", c.header, Token{"the name of a header"},
      {.sentence = "HTTP: the header of answers in which an origin says how much work it is fit for: a number from 0 "
                   "to 1, or `75%`."});
  v.value("expiry", c.expiry, Time{range::short_wait_min, range::short_wait_max},
          {.sentence = "How long what an origin said is believed."});
}

template <class V>
void describe(V& v, ZoneAwareConfig& c) {
  v.value("inside", c.inside, OneOfNames{v.algorithms()},
          {.sentence = "How an endpoint is chosen among those of one zone; not `zone_aware`, `adaptive` or `plugin`."});
  v.value("overprovision", c.overprovision, Count<uint32_t>{100, range::overprovision_max},
          {.sentence = "Percent of its clients that a whole zone can serve. At 140, a zone keeps all of its clients "
                       "until less than 72 % of it is left."});
}

template <class V>
void describe(V& v, AdaptiveConfig& c) {
  v.value("window", c.window, Time{range::window_min, range::short_wait_max},
          {.sentence = "How long arrivals are watched before the algorithms are compared."});
  v.value("windows", c.windows, Count<uint32_t>{1, range::windows_max},
          {.sentence = "Windows in a row in which another algorithm has to be better before it takes over."});
  v.value("margin", c.margin, Count<uint32_t>{1, 100}, {.sentence = "Percent by which it has to be better."});
  v.value("requests", c.requests, Count<uint32_t>{1, 1'000'000},
          {.sentence = "Arrivals without which a window proves nothing."});
}

template <class V>
void describe(V& v, PluginConfig& c) {
  v.value("path", c.path, FilePath{"a shared object"},
          {.sentence = "The shared object that has the algorithm.", .required = true});
  v.value("options", c.options, Text{"this text", 0, range::plugin_options_bytes_max},
          {.sentence = "Handed to it as it is.", .otherwise = "nothing"});
}

template <class V>
void describe(V& v, AgentConfig& c) {
  v.value("port", c.port, Port{},
          {.sentence = "Where the agent listens, at the address of its endpoint.", .required = true});
  v.value("send", c.send, Text{"this text", 0, range::agent_bytes_max},
          {.sentence = "Sent to it first, with a line end.", .otherwise = "nothing"});
  v.value("interval", c.interval, Time{range::window_min, range::short_wait_max},
          {.sentence = "How often it is asked."});
  v.value("timeout", c.timeout, Time{range::short_wait_min, range::short_wait_max},
          {.sentence = "How long it may take to answer."});
}

template <class V>
void describe(V& v, ZoneNetworksConfig& c) {
  v.value("zone", c.zone, Text{"the name of a zone", 1, range::zone_bytes_max},
          {.sentence = "The zone that these clients are near to.", .required = true});
  v.values("networks", c.networks, ClientBlock{}, {.sentence = "Blocks of client addresses.", .required = true});
}

template <class V>
void describe(V& v, ZonesConfig& c) {
  v.list(
      "networks", c.networks,
      {.sentence = "Which clients are in which zone. Of several blocks with an address in them the smallest counts."});
  v.value("maxmind", c.maxmind, FilePath{"a MaxMind DB file"},
          {.sentence = "A MaxMind DB file (.mmdb) for clients that are in none of the networks.", .otherwise = "none"});
  v.value("field", c.field, Text{"the path of a field", 1, range::zone_bytes_max},
          {.sentence = "What of it is the name of the zone: names of fields with dots between."});
  v.value("otherwise", c.otherwise, Text{"the name of a zone", 1, range::zone_bytes_max},
          {.sentence = "The zone of all other clients.", .otherwise = "none"});
}

// What is said of an upstream as a whole; `c` is an UpstreamConfig.
template <class V, class Upstream>
void describe_balance(V& v, Upstream& c) {
  v.value("balance", c.balance, OneOfNames{v.algorithms()},
          {.sentence = "How an endpoint is chosen for a connection, or a request."});
  v.value("hash_by", c.hash_by, KeyFrom{KeyFrom::Use::hash},
          {.sentence = "With `maglev`, `ring_hash`, `rendezvous` or a plug-in: what decides. A request without it is "
                       "balanced by chance. TCP knows `client_ip` and `client_address` (with the port) only."});
  v.value("bounded_load", c.bounded_load, Factor{range::bounded_load_min, range::bounded_load_max},
          {.sentence = "With an algorithm that hashes: no endpoint gets above so many times its fair part of all "
                       "connections, such as 1.25; then its keys go elsewhere for a while.",
           .otherwise = "no bound"});
  v.value(
      "maglev_table_size", c.maglev_table_size, Count<uint32_t>{2, range::maglev_table_size_max},
      {.sentence = "With `balance: maglev`: slots of the lookup table, a prime. A hundred slots per endpoint keep the "
                   "shares within about one percent."});
  v.value("ring_points", c.ring_points, Count<uint32_t>{1, range::ring_points_max},
          {.sentence = "With `balance: ring_hash`: points on the ring of an endpoint of average weight."});
  v.value("latency_decay", c.latency_decay, Time{range::short_wait_min, range::short_wait_max},
          {.sentence = "With `least_time`, `adaptive`, and `two_choices` by latency: the time after which what was "
                       "measured counts half."});
  v.section("two_choices", c.two_choices, {.sentence = "With `balance: two_choices`."});
  v.section("resource_aware", c.resource_aware, {.sentence = "With `balance: resource_aware`."});
  v.section("zone_aware", c.zone_aware, {.sentence = "With `balance: zone_aware`."});
  v.section("adaptive", c.adaptive, {.sentence = "With `balance: adaptive`."});
  v.section("plugin", c.plugin, {.sentence = "With `balance: plugin`."});
  v.value(
      "slow_start", c.slow_start, Time{range::short_wait_min, range::short_wait_max, Zero::allowed},
      {.sentence = "How long an endpoint that comes, or comes back, takes to get the whole of its share; 0: at once."});
  v.value("slow_start_from", c.slow_start_from, Count<uint32_t>{1, 100},
          {.sentence = "Percent of its share that it begins with."});
  v.value("backup_threshold", c.backup_threshold, Count<uint32_t>{0, 100},
          {.sentence = "If less than so many percent of a tier are healthy, by weight, the next tier is used with it; "
                       "0: if nothing is left of it."});
  v.value("panic_threshold", c.panic_threshold, Count<uint32_t>{0, 100},
          {.sentence = "If less than so many percent of all endpoints are healthy, by weight, all are used as if they "
                       "were; 0: never."});
  v.section(
      "agent", c.agent,
      {.sentence = "A small service beside each origin that says how the origin is.", .otherwise = "nobody is asked"});
}

// What is said of an endpoint besides its address and weight; `c` is an EndpointConfig.
template <class V, class Endpoint>
void describe_place(V& v, Endpoint& c) {
  v.value("max_connections", c.max_connections, Count<uint32_t>{0, range::connections_max},
          {.sentence = "Connections, in HTTP requests, that it may have at a time, over all workers; 0: any number."});
  v.value("tier", c.tier, Count<uint8_t>{0, range::tier_max},
          {.sentence = "0: in use; 1: a backup, used when tier 0 is short; 2: a backup of the backup, and so on."});
  v.value("zone", c.zone, Text{"the name of a zone", 1, range::zone_bytes_max},
          {.sentence = "Where it is, for `balance: zone_aware`.", .otherwise = "in no zone"});
  v.pairs(
      "metadata", c.metadata,
      {.sentence = "What may be said of it: names with values, such as `version: canary`. A `subset` chooses by it.",
       .otherwise = "nothing"});
}

// Which endpoints of an upstream; `c` has a `subset` and a `subset_fallback`.
template <class V, class Destination>
void describe_subset(V& v, Destination& c) {
  v.pairs("subset", c.subset,
          {.sentence = "Only endpoints of the upstream that have all of these in their `metadata`.",
           .otherwise = "all of them"});
  v.value("subset_fallback", c.subset_fallback, OneOf<SubsetFallback>{},
          {.sentence = "With `subset`: what happens when none of them can be used: the others are (`any`), or the "
                       "request fails (`none`)."});
}

}  // namespace weir::config
