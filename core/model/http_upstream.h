// HttpUpstream: how HTTP requests reach an upstream: pools, retries, timeouts, stickiness. Immutable in a Snapshot.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/model/route.h"
#include "core/model/stick_table.h"

namespace weir {

struct PoolPolicy {
  uint32_t idle_max = 64;     // idle connections kept per endpoint and worker
  Duration idle_timeout{};    // closed after so long unused
  uint32_t requests_max = 0;  // of one connection; 0: any number
};

struct RetryPolicy {
  // What is tried again on another endpoint, where that is safe.
  bool on_connect = true;   // it could not be reached
  bool on_reset = true;     // it closed or reset before the first byte of its answer
  bool on_timeout = false;  // no first byte in time
  std::vector<uint16_t> on_statuses;
  Duration backoff_base{};  // before the second retry; doubled each time, with jitter. 0: never waits
  Duration backoff_max{};
  uint32_t budget_percent = 20;  // retries per hundred requests, over the last seconds; see retry_budget.h
  uint32_t budget_min = 10;      // retries per second that are always allowed, over all workers
};

struct StickyPolicy {
  enum class Kind : uint8_t { off, cookie, learned, client_ip };
  enum class SameSite : uint8_t { unset, lax, strict, none };
  Kind kind = Kind::off;

  // cookie: ours
  std::string cookie_name;  // SERVERID
  bool indirect = true;     // the origin does not see it
  bool no_cache = true;     // an answer that sets it is marked `Cache-Control: private`
  bool secure = false;
  bool http_only = true;
  SameSite same_site = SameSite::lax;
  std::string domain;
  std::string path = "/";
  Duration max_age{};               // 0: a session cookie
  std::vector<std::string> tokens;  // by index of the endpoint

  // learned: theirs
  KeySource source;      // cookie or header of the request ...
  KeySource learn_from;  // ... and of the answer that names a session first
  // learned and client_ip. Shared with the Registry, so that it outlives a reload of the same upstream.
  std::shared_ptr<StickTable> table;
  Duration ttl{};
};

struct HttpUpstream {
  PoolPolicy pool;
  RetryPolicy retry;
  StickyPolicy sticky;
  Duration first_byte_timeout{};
  Duration body_timeout{};     // without a byte of the answer's body
  Duration request_timeout{};  // from its head to the end of its answer; 0: none
};

}  // namespace weir
