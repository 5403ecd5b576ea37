#include "core/config/validate_http.h"

#include <array>
#include <string_view>

#include "core/config/values.h"

namespace weir::config {
namespace {

constexpr std::array<std::string_view, 7> http_keys{"routes",          "trusted_proxies", "forward",   "allow_connect",
                                                    "priority_header", "max_requests",    "access_log"};

// Keys of `sticky`, and for which ways they say something.
struct StickyKey {
  std::string_view name;
  StickyBy by;
  StickyBy or_by;
};
constexpr std::array sticky_keys{
    StickyKey{"cookie", StickyBy::cookie, StickyBy::cookie},
    StickyKey{"indirect", StickyBy::cookie, StickyBy::cookie},
    StickyKey{"no_cache", StickyBy::cookie, StickyBy::cookie},
    StickyKey{"secure", StickyBy::cookie, StickyBy::cookie},
    StickyKey{"http_only", StickyBy::cookie, StickyBy::cookie},
    StickyKey{"same_site", StickyBy::cookie, StickyBy::cookie},
    StickyKey{"domain", StickyBy::cookie, StickyBy::cookie},
    StickyKey{"path", StickyBy::cookie, StickyBy::cookie},
    StickyKey{"max_age", StickyBy::cookie, StickyBy::cookie},
    StickyKey{"secret", StickyBy::cookie, StickyBy::cookie},
    StickyKey{"source", StickyBy::learned, StickyBy::learned},
    StickyKey{"learn", StickyBy::learned, StickyBy::learned},
    StickyKey{"ttl", StickyBy::learned, StickyBy::client_ip},
    StickyKey{"entries", StickyBy::learned, StickyBy::client_ip},
};

bool is_power_of_two(uint64_t number) {
  return number != 0 && (number & (number - 1)) == 0;
}

void validate_trusted_proxies(Complaints& complaints, const ListenerConfig& listener, const std::string& path) {
  const CidrSet& trusted = listener.trusted_proxies;
  if (!complaints.is_sound(path + ".trusted_proxies")) return;
  // Behind a PROXY header anybody may be the peer.
  if (listener.address.size() == 0 || !listener.accept_proxy.empty()) return;
  const bool is_unix = listener.address.is_unix();
  if (is_unix && !trusted.blocks.empty() && !trusted.local) {
    complaints.add(path + ".trusted_proxies", "peers over a UNIX socket have no address to compare with",
                   "name `unix` too: then the blocks are proxies in front of that one");
  }
  if (!is_unix && trusted.local && !trusted.everybody) {
    complaints.add(path + ".trusted_proxies", "no peer comes to this listener over a UNIX socket",
                   "name blocks of addresses, or `all`");
  }
}

// What browsers refuse, silently (RFC 6265bis, 4.1.3 and 5.7).
void validate_cookie(Complaints& complaints, const StickyConfig& sticky, const std::string& path) {
  if (sticky.same_site == SameSite::none && !sticky.secure) {
    complaints.add(path + ".same_site", "browsers refuse a cookie of `same_site: none` that is not `secure`",
                   "write `secure: true`, or `same_site: lax`");
  }
  const bool host_prefix = sticky.cookie.starts_with("__Host-");
  if ((host_prefix || sticky.cookie.starts_with("__Secure-")) && !sticky.secure) {
    complaints.add(path + ".cookie", "browsers refuse a cookie of this name that is not `secure`",
                   "write `secure: true`, or use another name");
  }
  if (host_prefix && (!sticky.domain.empty() || sticky.path != "/")) {
    complaints.add(path + ".cookie", "browsers refuse a cookie of this name with a `domain` or another `path` than `/`",
                   "remove them, or use another name");
  }
}

void validate_sticky(Complaints& complaints, const StickyConfig& sticky, const std::string& path) {
  if (complaints.is_broken(path + ".by")) return;
  for (const StickyKey& key : sticky_keys) {
    if (sticky.by == key.by || sticky.by == key.or_by) continue;
    std::string fix = "remove it, or write `by: " + std::string{name_of(key.by)} + "`";
    if (key.by != key.or_by) fix += " or `by: " + std::string{name_of(key.or_by)} + "`";
    complaints.says_nothing(path + "." + std::string{key.name}, "by: " + std::string{name_of(sticky.by)},
                            std::move(fix));
  }
  if (sticky.by == StickyBy::cookie) validate_cookie(complaints, sticky, path);
  if (sticky.by == StickyBy::learned && !sticky.source) {
    complaints.add(path + ".source", "`by: learned` needs a `source`",
                   "say where requests name their session: `source: cookie:JSESSIONID`");
  }
}

void validate_retry(Complaints& complaints, const RetryConfig& retry, const std::string& path) {
  if (!complaints.is_sound(path + ".on")) return;
  if (retry.on == RetryOn{} || retry.on == RetryOn{.off = true}) {
    for (const std::string_view key : {"backoff", "backoff_max", "budget", "budget_min"}) {
      complaints.says_nothing(path + "." + std::string{key}, "on: off", "remove it, or name reasons in `on`");
    }
  } else if (retry.backoff > retry.backoff_max) {
    const bool is_max = !complaints.is_written(path + ".backoff");
    complaints.add(
        path + (is_max ? ".backoff_max" : ".backoff"),
        "the first wait, " + to_text(retry.backoff) + ", is above the longest, " + to_text(retry.backoff_max),
        "lower `backoff`, or raise `backoff_max`");
  }
}

}  // namespace

void validate_mode(Complaints& complaints, const ListenerConfig& listener, const std::string& path) {
  if (complaints.is_broken(path) || complaints.is_broken(path + ".mode")) return;
  if (listener.mode == Mode::tcp) {
    for (const std::string_view key : http_keys) {
      complaints.says_nothing(path + "." + std::string{key}, "mode: tcp", "remove it, or write `mode: http`");
    }
    if (listener.upstream.empty()) {
      complaints.add(path + ".upstream", "the key `upstream` is missing here",
                     "it says: The name of the upstream that gets the connections.");
    }
    return;
  }
  if (listener.upstream.empty() && listener.routes.empty()) {
    complaints.add(path + ".upstream", "this listener sends requests nowhere",
                   "name an `upstream`, or `routes` that do");
  }
  validate_trusted_proxies(complaints, listener, path);
  validate_routes(complaints, listener, path);
}

void validate_http_upstream(Complaints& complaints, const UpstreamConfig& upstream, const std::string& path) {
  if (upstream.pool.idle == 0) {
    for (const std::string_view key : {"idle_timeout", "max_requests"}) {
      complaints.says_nothing(path + ".pool." + std::string{key}, "idle: 0", "remove it, or keep some connections");
    }
  }
  validate_retry(complaints, upstream.retry, path + ".retry");
  validate_sticky(complaints, upstream.sticky, path + ".sticky");
}

void validate_http_limits(Complaints& complaints, const LimitsConfig& limits) {
  if (limits.http_line <= limits.http_head) return;
  const bool is_head = !complaints.is_written("limits.http_line");
  complaints.add(is_head ? "limits.http_head" : "limits.http_line",
                 "the first line of a request, " + size_to_text(limits.http_line) +
                     ", may be longer than its whole head, " + size_to_text(limits.http_head),
                 "lower `http_line`, or raise `http_head`");
}

void validate_access_log(Complaints& complaints, const Config& config) {
  if (!config.access_log) return;
  if (!is_power_of_two(config.access_log->queue)) {
    complaints.add("access_log.queue", quoted(size_to_text(config.access_log->queue)) + " is not a power of two",
                   "write 64KiB, 128KiB, 256KiB ... 64MiB");
  }
  bool any = config.listeners.empty();
  for (size_t i = 0; i < config.listeners.size() && !any; ++i) {
    const ListenerConfig& listener = config.listeners[i];
    any =
        (listener.mode == Mode::http && listener.access_log) || complaints.is_broken(indexed("listeners", i) + ".mode");
  }
  if (!any) {
    complaints.add("access_log", "no listener writes to the access log",
                   "those with `mode: http` do, unless they say `access_log: false`; remove it, or let one");
  }
}

std::vector<std::string> upstreams_of(const ListenerConfig& listener) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (!name.empty()) names.push_back(name);
  };
  add(listener.upstream);
  for (const RouteConfig& route : listener.routes) {
    add(route.upstream);
    for (const SplitConfig& share : route.split) add(share.upstream);
    if (route.mirror) add(route.mirror->upstream);
  }
  return names;
}

}  // namespace weir::config
