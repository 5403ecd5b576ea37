// The structs of config.h that speak of HTTP: what a listener in HTTP mode does with requests, and how an upstream is
// asked. As there, defaults stand beside the fields, and what a field means is said in describe_http.h.
//
// Values; see config.h for who owns them. A text that is empty, or a list, has not been said.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/config/choices.h"
#include "core/config/resilience_config.h"
#include "core/model/address.h"
#include "core/model/endpoint.h"
#include "core/model/resilience.h"
#include "core/model/route.h"
#include "core/model/template_text.h"

namespace weir::config {

// One condition on something that has a name and a value. At most one of the three texts; none: it is there at all.
struct ValueMatchConfig {
  std::string name;
  std::optional<std::string> value;
  std::optional<std::string> prefix;
  std::optional<std::string> regex;
  bool negated = false;

  bool operator==(const ValueMatchConfig&) const = default;
};
// They differ in what a name may be.
struct HeaderMatchConfig : ValueMatchConfig {};
struct QueryMatchConfig : ValueMatchConfig {};
struct CookieMatchConfig : ValueMatchConfig {};

struct MatchConfig {
  std::vector<std::string> hosts;  // in lower case
  std::string path;                // at most one of the three
  std::string path_prefix;
  std::string path_regex;
  std::vector<std::string> methods;
  std::vector<HeaderMatchConfig> headers;
  std::vector<QueryMatchConfig> query;
  std::vector<CookieMatchConfig> cookies;
  CidrSet clients;
};

struct SplitConfig {
  std::string upstream;
  Metadata subset;
  SubsetFallback subset_fallback = SubsetFallback::none;
  uint32_t weight = 1;
};

struct RedirectConfig {
  uint16_t status = 302;
  TemplateText location;
};

struct AnswerConfig {
  uint16_t status = 200;
  std::string body;
  std::string content_type = "text/plain; charset=utf-8";
};

// At most one of prefix, path and regex (with to); `host` goes with each of them, or alone.
struct RewriteConfig {
  std::string prefix;
  std::string path;
  std::string regex;
  std::optional<std::string> to;
  TemplateText host;  // no pieces: Host is kept
};

struct HeaderLineConfig {
  std::string name;
  TemplateText value;
};

struct RequestHeadersConfig {
  std::vector<std::string> remove;
  std::vector<HeaderLineConfig> set;
  std::vector<HeaderLineConfig> add;
};

struct AnswerHeadersConfig {
  std::vector<std::string> remove;
  std::vector<HeaderLineConfig> set;
  std::vector<HeaderLineConfig> add;
};

struct MirrorConfig {
  std::string upstream;
  uint32_t parts = 1'000'000;  // of a million requests
};

struct RouteConfig {
  std::string name;  // "": its number (see name_the_unnamed)
  MatchConfig match;
  // Exactly one of these four.
  std::string upstream;
  Metadata subset;  // of that upstream; empty: all of it
  SubsetFallback subset_fallback = SubsetFallback::none;
  std::vector<SplitConfig> split;
  std::optional<RedirectConfig> redirect;
  std::optional<AnswerConfig> answer;

  KeySource split_by;
  std::optional<RewriteConfig> rewrite;
  RequestHeadersConfig request_headers;
  AnswerHeadersConfig answer_headers;
  std::optional<MirrorConfig> mirror;
  std::optional<Duration> timeout;           // none: the upstream's
  std::optional<Priority> priority;          // none: the listener's
  std::vector<RateLimitConfig> rate_limits;  // beside those of the listener
};

struct ForwardConfig {
  bool x_forwarded_for = true;
  bool x_forwarded_proto = true;
  bool x_forwarded_host = true;
  bool x_real_ip = true;
  bool forwarded = false;
  bool request_id = true;
  std::string via = "weir";  // "": no Via
};

struct PoolConfig {
  uint32_t idle = 64;
  Duration idle_timeout = std::chrono::seconds{50};
  uint32_t max_requests = 0;  // 0: any number
};

// What is tried again. All false and no statuses: nothing is.
struct RetryOn {
  bool connect = false;
  bool reset = false;
  bool timeout = false;
  std::vector<uint16_t> statuses = {};
  bool off = false;  // the word itself was written, and stands alone

  bool operator==(const RetryOn&) const = default;
};

struct RetryConfig {
  RetryOn on{.connect = true, .reset = true};
  Duration backoff = std::chrono::milliseconds{25};
  Duration backoff_max = std::chrono::milliseconds{250};
  uint32_t budget = 20;      // percent
  uint32_t budget_min = 10;  // per second
};

struct StickyConfig {
  StickyBy by = StickyBy::off;
  // by cookie
  std::string cookie = "SERVERID";
  bool indirect = true;
  bool no_cache = true;
  bool secure = false;
  bool http_only = true;
  SameSite same_site = SameSite::lax;
  std::string domain;
  std::string path = "/";
  Duration max_age{};  // 0: a session cookie
  std::string secret;  // "": the process draws one
  // learned
  std::optional<KeySource> source;
  std::optional<KeySource> learn;  // none: as `source`
  // learned and by client_ip
  Duration ttl = std::chrono::minutes{30};
  uint32_t entries = 65536;
};

struct AccessLogConfig {
  std::string to;  // a path, "stdout", "syslog", or "unix:/path"
  AccessLogFormat format = AccessLogFormat::json;
  uint32_t mode = 0640;          // of a file it creates
  uint64_t queue = 1024 * 1024;  // bytes per worker, a power of two

  bool operator==(const AccessLogConfig&) const = default;
};

}  // namespace weir::config
