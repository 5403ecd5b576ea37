#include "core/config/validate.h"

#include "core/config/validate_balance.h"
#include "core/config/validate_http.h"
#include "core/config/validate_resilience.h"
#include "core/config/values.h"

namespace weir::config {
namespace {

bool is_set(const SocketAddress& address) {
  return address.size() != 0;
}

// Then a second one with the same address has the same name too, and one complaint is enough.
template <class T>
bool named_after_address(const T& named) {
  return named.name == named.address.to_string();
}

class Validator {
 public:
  Validator(const Config& config, const WhatIsSaid& what_is_said) : config_(config), complaints_(config, what_is_said) {
    for (size_t i = 0; i < config.listeners.size(); ++i) {
      const ListenerConfig& listener = config.listeners[i];
      if (!is_set(listener.address)) continue;
      for (const std::string& upstream : upstreams_of(listener)) {
        listener_of_.emplace(way(listener.address, upstream), i);
      }
    }
  }

  std::vector<Complaint> run() && {
    check_workers();
    check_limits();
    check_listeners();
    check_upstreams();
    validate_zones(complaints_, config_);
    validate_subsets(complaints_, config_);
    validate_shedding(complaints_, config_.shedding);
    validate_alerts(complaints_, config_);
    check_stats();
    validate_http_limits(complaints_, config_.limits);
    validate_access_log(complaints_, config_);
    return std::move(complaints_).take();
  }

 private:
  void complain(std::string path, std::string message, std::string fix) {
    complaints_.add(std::move(path), std::move(message), std::move(fix));
  }
  bool full() const noexcept { return complaints_.full(); }

  void check_workers() {
    if (!config_.workers || config_.cpus.empty() || *config_.workers <= config_.cpus.size()) return;
    complain(
        "workers",
        std::to_string(*config_.workers) + " workers do not fit on " + std::to_string(config_.cpus.size()) + " CPUs",
        "each worker is pinned to a CPU of its own: name more in `cpus`, or write `workers: auto`");
  }

  void check_limits() {
    const LimitsConfig& limits = config_.limits;
    if (limits.connections && limits.connections_per_worker && *limits.connections_per_worker > *limits.connections) {
      complain("limits.connections_per_worker", "one worker may have more connections than all of them together",
               "lower it to at most `connections`, " + std::to_string(*limits.connections));
    }
    if (limits.connections && config_.workers && *limits.connections < *config_.workers) {
      complain("limits.connections", "there are fewer connections than workers", "allow at least one for each worker");
    }
    if ((limits.pipe_size & (limits.pipe_size - 1)) != 0) {
      complain("limits.pipe_size", quoted(size_to_text(limits.pipe_size)) + " is not a power of two",
               "the kernel has pipes of 4KiB, 8KiB, 16KiB ... 1MiB");
    }
    const Duration lifetime = config_.timeouts.lifetime;
    if (lifetime > Duration::zero() && complaints_.is_written("timeouts.idle") && config_.timeouts.idle > lifetime) {
      complain("timeouts.idle", "an idle timeout above `lifetime` never passes", "lower it, or raise `lifetime`");
    }
  }

  void check_listeners() {
    if (config_.listeners.empty()) {
      complain("listeners", "there is no listener", "name at least one: `- {address: \":8080\", upstream: app}`");
    }
    Seen names;
    Seen addresses;
    for (size_t i = 0; i < config_.listeners.size() && !full(); ++i) {
      const ListenerConfig& listener = config_.listeners[i];
      const std::string path = indexed("listeners", i);
      const size_t complaints_before = complaints_.count();
      check_listener_address(addresses, listener, i, path);
      const bool is_said = named_after_address(listener) && complaints_.count() > complaints_before;
      if (!is_said) check_unique(names, listener.name, i, path, "listener");
      check_accept_proxy(listener, path);
      complaints_.upstream_exists(path + ".upstream", listener.upstream);
      validate_mode(complaints_, listener, path);
      validate_admission(complaints_, config_, listener, path);
      const auto& all = config_.limits.connections;
      if (all && listener.max_connections > *all) {
        complain(path + ".max_connections",
                 "this is above `limits.connections`, " + std::to_string(*all) + ", and never reached",
                 "lower it, or raise `limits.connections`");
      }
    }
  }

  // `names` holds what came before, and where.
  void check_unique(Seen& names, const std::string& name, size_t index, const std::string& path,
                    std::string_view what) {
    if (name.empty() || names.emplace(name, index).second) return;
    complain(path + ".name", "a second " + std::string{what} + " is called " + quoted(name),
             "give each its own `name`");
  }

  void check_listener_address(Seen& addresses, const ListenerConfig& listener, size_t index, const std::string& path) {
    const bool kernel_chooses = !listener.address.is_unix() && listener.address.port() == 0;
    if (!is_set(listener.address) || kernel_chooses) return;
    const auto [first, is_new] = addresses.emplace(listener.address.to_string(), index);
    if (is_new) return;
    complain(path + ".address", "a second listener has the address " + quoted(listener.address.to_string()),
             "the first is " + quoted(config_.listeners[first->second].name) + "; give each its own address");
  }

  void check_accept_proxy(const ListenerConfig& listener, const std::string& path) {
    const CidrSet& trusted = listener.accept_proxy;
    if (!is_set(listener.address)) return;
    if (listener.address.is_unix() && !trusted.blocks.empty()) {
      complain(path + ".accept_proxy", "peers over a UNIX socket have no address to compare with", "write `unix`");
    }
    if (!listener.address.is_unix() && trusted.local && !trusted.everybody) {
      complain(path + ".accept_proxy", "no peer comes to this listener over a UNIX socket",
               "name blocks of addresses, or `all`");
    }
  }

  // Does anything lead to one? Redirects and fixed answers alone do not.
  bool wants_upstreams() const {
    const auto route_does = [](const RouteConfig& route) {
      return !route.upstream.empty() || !route.split.empty() || route.mirror.has_value();
    };
    return config_.listeners.empty() ||
           std::any_of(config_.listeners.begin(), config_.listeners.end(), [&](const ListenerConfig& listener) {
             return listener.mode == Mode::tcp || !listener.upstream.empty() ||
                    std::any_of(listener.routes.begin(), listener.routes.end(), route_does);
           });
  }

  void check_upstreams() {
    if (config_.upstreams.empty() && wants_upstreams()) {
      complain("upstreams", "there is no upstream", "name at least one: `- {name: app, endpoints: [10.0.0.1:80]}`");
    }
    Seen names;
    for (size_t i = 0; i < config_.upstreams.size() && !full(); ++i) {
      const UpstreamConfig& upstream = config_.upstreams[i];
      const std::string path = indexed("upstreams", i);
      check_unique(names, upstream.name, i, path, "upstream");
      check_endpoints(upstream, path);
      validate_balance(complaints_, config_, upstream, path);
      validate_http_upstream(complaints_, upstream, path);
      validate_resilience(complaints_, config_, upstream, path);
    }
  }

  void check_endpoints(const UpstreamConfig& upstream, const std::string& path) {
    if (upstream.endpoints.empty()) {
      complain(path + ".endpoints", "the upstream " + quoted(upstream.name) + " has no endpoints",
               "name at least one: `- 10.0.0.1:80`");
      return;
    }
    Seen names;
    Seen addresses;
    bool any_weight = false;
    for (size_t i = 0; i < upstream.endpoints.size() && !full(); ++i) {
      const EndpointConfig& endpoint = upstream.endpoints[i];
      const std::string where = indexed(path + ".endpoints", i);
      any_weight = any_weight || endpoint.weight > 0;
      if (!is_set(endpoint.address)) continue;
      const bool is_new = addresses.emplace(endpoint.address.to_string(), i).second;
      if (is_new || !named_after_address(endpoint)) check_unique(names, endpoint.name, i, where, "endpoint");
      if (!is_new) {
        complain(where + ".address",
                 "this upstream has the endpoint " + quoted(endpoint.address.to_string()) + " already",
                 "to give it a larger share, raise its `weight`");
      }
      check_no_loop(upstream, endpoint, where);
    }
    if (!any_weight) {
      complain(path + ".endpoints",
               "all endpoints of " + quoted(upstream.name) + " have weight 0, so none gets connections",
               "give at least one a `weight` above 0");
    }
  }

  // A listener whose upstream leads back to it would open connections to itself until none are left.
  void check_no_loop(const UpstreamConfig& upstream, const EndpointConfig& endpoint, const std::string& where) {
    const auto listener = listener_of_.find(way(endpoint.address, upstream.name));
    if (listener == listener_of_.end()) return;
    complain(where + ".address",
             "this is the address of the listener " + quoted(config_.listeners[listener->second].name) +
                 ", which uses this upstream",
             "name the address of the origin");
  }

  // What leads from an address to an upstream.
  static std::string way(const SocketAddress& address, const std::string& upstream) {
    return address.to_string() + " -> " + upstream;
  }

  void check_stats() {
    const std::string& path = config_.admin.stats.path;
    if (path.empty()) return;
    for (const ListenerConfig& listener : config_.listeners) {
      if (listener.address.is_unix() && listener.address.path() == path) {
        complain("admin.stats.path", "the listener " + quoted(listener.name) + " has this path too",
                 "give each its own path");
      }
    }
  }

  const Config& config_;
  Complaints complaints_;
  Seen listener_of_;  // by way
};

}  // namespace

bool is_prime(uint32_t number) noexcept {
  if (number < 4) return number >= 2;
  if (number % 2 == 0) return false;
  for (uint64_t divisor = 3; divisor * divisor <= number; divisor += 2) {
    if (number % divisor == 0) return false;
  }
  return true;
}

std::vector<Complaint> validate(const Config& config, const WhatIsSaid& what_is_said) {
  return Validator{config, what_is_said}.run();
}

}  // namespace weir::config
