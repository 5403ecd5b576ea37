#include "core/config/validate_balance.h"

#include <algorithm>
#include <array>
#include <exception>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/balance/pickers.h"
#include "core/balance/plugin_library.h"
#include "core/config/compile_balance.h"
#include "core/config/validate.h"
#include "core/config/validate_http.h"

namespace weir::config {
namespace {

// Keys that say something with some algorithms only.
struct BalanceKey {
  std::string_view key;
  std::array<std::string_view, 4> algorithms;  // "": no more
};
constexpr std::array balance_keys{
    BalanceKey{"maglev_table_size", {"maglev"}},
    BalanceKey{"ring_points", {"ring_hash"}},
    BalanceKey{"hash_by", {"maglev", "ring_hash", "rendezvous", "plugin"}},
    BalanceKey{"latency_decay", {"least_time", "two_choices", "adaptive", "plugin"}},
    BalanceKey{"two_choices", {"two_choices"}},
    BalanceKey{"resource_aware", {"resource_aware"}},
    BalanceKey{"zone_aware", {"zone_aware"}},
    BalanceKey{"adaptive", {"adaptive"}},
    BalanceKey{"plugin", {"plugin"}},
};

class BalanceRules {
 public:
  BalanceRules(Complaints& complaints, const Config& config, const UpstreamConfig& upstream, const std::string& path)
      : complaints_(complaints), config_(config), upstream_(upstream), path_(path) {}

  void check() {
    if (complaints_.is_broken(at("balance"))) return;
    check_keys();
    check_maglev();
    check_hash_by();
    check_thresholds();
    check_agent();
    if (chooser() == "first_fit") check_first_fit();
    if (is("zone_aware")) check_zone_aware();
    if (is("plugin")) check_plugin();
  }

 private:
  bool is(std::string_view algorithm) const noexcept { return upstream_.balance == algorithm; }
  // The algorithm that is left to choose an endpoint once a zone is chosen.
  std::string_view chooser() const noexcept {
    return is("zone_aware") ? std::string_view{upstream_.zone_aware.inside} : std::string_view{upstream_.balance};
  }
  bool counts_for(const std::array<std::string_view, 4>& algorithms) const noexcept {
    return std::any_of(algorithms.begin(), algorithms.end(), [&](std::string_view each) {
      return !each.empty() && (each == upstream_.balance || each == chooser());
    });
  }
  std::string at(std::string_view key) const { return path_ + "." + std::string{key}; }
  // What is broken has its default, which proves nothing.
  bool endpoints_are_sound() const { return complaints_.is_sound(at("endpoints")); }
  void complain(std::string_view key, std::string message, std::string fix) {
    complaints_.add(at(key), std::move(message), std::move(fix));
  }

  void check_keys() {
    for (const BalanceKey& each : balance_keys) {
      if (counts_for(each.algorithms)) continue;
      std::string fix = "remove it, or write ";
      for (size_t i = 0; i < each.algorithms.size() && !each.algorithms[i].empty(); ++i) {
        const bool last = i + 1 == each.algorithms.size() || each.algorithms[i + 1].empty();
        fix += (i == 0 ? "`balance: "
                : last ? " or `balance: "
                       : ", `balance: ") +
               std::string{each.algorithms[i]} + "`";
      }
      complaints_.says_nothing(at(each.key), "balance: " + upstream_.balance, std::move(fix));
    }
    if (is("two_choices") && upstream_.two_choices.load == LoadMeasure::connections &&
        complaints_.is_sound(at("two_choices"))) {
      complaints_.says_nothing(at("latency_decay"), "two_choices: {load: connections}",
                               "remove it, or write `load: latency`");
    }
    if (!picker_hashes(chooser())) {
      complaints_.says_nothing(at("bounded_load"), "balance: " + upstream_.balance,
                               "remove it, or write an algorithm that hashes, such as `balance: maglev`");
    }
    if (upstream_.slow_start == Duration::zero()) {
      complaints_.says_nothing(at("slow_start_from"), "slow_start: 0", "remove it, or write how long it takes");
    }
  }

  void check_maglev() {
    if (chooser() != "maglev") return;
    const uint32_t size = upstream_.maglev_table_size;
    if (!is_prime(size)) {
      uint32_t next = size;
      while (!is_prime(next)) ++next;
      return complain("maglev_table_size", std::to_string(size) + " is not a prime",
                      "the next one is " + std::to_string(next));
    }
    if (size >= upstream_.endpoints.size()) return;
    const bool written = complaints_.is_written(at("maglev_table_size"));
    complain(written ? "maglev_table_size" : "endpoints",
             "a Maglev table of " + std::to_string(size) + " slots is too small for " +
                 std::to_string(upstream_.endpoints.size()) + " endpoints",
             "set `maglev_table_size` to a prime of about a hundred slots per endpoint");
  }

  // Without HTTP nothing is known of a client but its address.
  void check_hash_by() {
    const KeySource::Kind kind = upstream_.hash_by.kind;
    if (kind == KeySource::Kind::client_ip || kind == KeySource::Kind::client_address) return;
    if (!picker_hashes(chooser()) && !is("plugin")) return;
    for (size_t i = 0; i < config_.listeners.size(); ++i) {
      const ListenerConfig& listener = config_.listeners[i];
      if (listener.mode != Mode::tcp || listener.upstream != upstream_.name) continue;
      if (complaints_.is_broken(indexed("listeners", i) + ".mode")) continue;
      complain("hash_by", "the listener " + quoted(listener.name) + " is in `mode: tcp` and sees no requests",
               "write `client_ip` or `client_address`, or `mode: http` there");
      return;
    }
  }

  // Those outside a subset with `subset_fallback: any` are its backups.
  bool stand_in_for_a_subset() const {
    const std::vector<SubsetOf> subsets = subsets_of(config_);
    return std::any_of(subsets.begin(), subsets.end(), [&](const SubsetOf& subset) {
      return subset.upstream == upstream_.name && subset.fallback == SubsetFallback::any;
    });
  }

  void check_thresholds() {
    const auto& endpoints = upstream_.endpoints;
    if (endpoints.empty() || !endpoints_are_sound()) return;
    const auto in_tier_0 = [](const EndpointConfig& endpoint) { return endpoint.tier == 0; };
    if (std::none_of(endpoints.begin(), endpoints.end(), in_tier_0)) {
      complain("endpoints", "all endpoints of " + quoted(upstream_.name) + " are backups",
               "give at least one `tier: 0`, or remove its `tier`");
    }
    if (std::all_of(endpoints.begin(), endpoints.end(), in_tier_0) && !stand_in_for_a_subset()) {
      complaints_.says_nothing_without(at("backup_threshold"), "endpoints of another tier",
                                       "remove it, or give backups `tier: 1`");
    }
  }

  void check_agent() {
    if (!upstream_.agent) return;
    for (size_t i = 0; i < upstream_.endpoints.size(); ++i) {
      if (!upstream_.endpoints[i].address.is_unix()) continue;
      complain("agent", "the endpoint " + quoted(upstream_.endpoints[i].name) + " is a UNIX socket and has no ports",
               "remove `agent`, or put such endpoints into an upstream of their own");
      return;
    }
  }

  // The last one of a tier, and of a zone where that decides, may take all the rest.
  void check_first_fit() {
    const auto& endpoints = upstream_.endpoints;
    for (size_t i = 0; i < endpoints.size() && endpoints_are_sound(); ++i) {
      if (endpoints[i].max_connections > 0 || endpoints[i].weight == 0) continue;
      const bool last = std::none_of(endpoints.begin() + static_cast<ptrdiff_t>(i) + 1, endpoints.end(),
                                     [&](const EndpointConfig& behind) {
                                       const bool same_zone = !is("zone_aware") || behind.zone == endpoints[i].zone;
                                       return same_zone && behind.tier == endpoints[i].tier && behind.weight > 0;
                                     });
      if (last) continue;
      complain("endpoints[" + std::to_string(i) + "]",
               "with `first_fit` those behind an endpoint without `max_connections` never get anything",
               "say how much fits into this one");
      return;
    }
  }

  void check_zone_aware() {
    constexpr std::array<std::string_view, 3> not_inside{"zone_aware", "adaptive", "plugin"};
    if (std::find(not_inside.begin(), not_inside.end(), upstream_.zone_aware.inside) != not_inside.end()) {
      complain("zone_aware.inside", quoted(upstream_.zone_aware.inside) + " does not work inside a zone",
               "write another algorithm, such as `round_robin` or `least_time`");
    }
    const auto& endpoints = upstream_.endpoints;
    if (!endpoints.empty() && endpoints_are_sound() &&
        std::all_of(endpoints.begin(), endpoints.end(),
                    [](const EndpointConfig& endpoint) { return endpoint.zone.empty(); })) {
      complain("endpoints", "with `balance: zone_aware` no endpoint of " + quoted(upstream_.name) + " has a `zone`",
               "say where each of them is: `zone: NAME`");
    }
    const ZonesConfig& zones = config_.zones;
    if (!complaints_.is_sound("zones")) return;
    if (zones.networks.empty() && zones.maxmind.empty() && zones.otherwise.empty()) {
      complain("balance", "`zone_aware` is not told where clients are",
               "describe it in `zones`, at the top of the file; for all of them alike: `zones: {otherwise: NAME}`");
    }
  }

  void check_plugin() {
    if (!complaints_.is_sound(at("plugin"))) return;
    if (!upstream_.plugin) {
      return complain("balance", "`plugin` is not told which", "write `plugin: {path: /usr/lib/weir/NAME.so}`");
    }
    auto library = PluginLibrary::load(upstream_.plugin->path);
    if (!library) return complain("plugin.path", library.error(), "");
    PickerOptions options;
    options.plugin = *library;
    options.plugin_options = upstream_.plugin->options;
    std::vector<Endpoint> endpoints;
    std::vector<uint32_t> shares;
    for (const EndpointConfig& each : upstream_.endpoints) {
      Endpoint& endpoint = endpoints.emplace_back();
      endpoint.name = each.name;
      endpoint.metadata = each.metadata;
      shares.push_back(each.weight * share_of_one);
    }
    try {
      make_picker("plugin", PickerMembers{endpoints, shares}, options);
    } catch (const std::exception& refused) {
      complain(complaints_.is_written(at("plugin.options")) ? "plugin.options" : "plugin.path", refused.what(), "");
    }
  }

  Complaints& complaints_;
  const Config& config_;
  const UpstreamConfig& upstream_;
  const std::string& path_;
};

// `destination` names an upstream, and perhaps a part of it.
template <class Destination>
void validate_subset(Complaints& complaints, const Config& config, const Destination& destination,
                     const std::string& path) {
  if (destination.subset.empty()) {
    if (complaints.is_sound(path + ".subset")) {
      complaints.says_nothing_without(path + ".subset_fallback", "`subset`",
                                      "remove it, or say which endpoints are meant");
    }
    return;
  }
  if (destination.upstream.empty()) {
    return complaints.add(path + ".subset", "this is a subset of nothing", "name the `upstream` too, or remove it");
  }
  if (!complaints.is_sound(path + ".subset")) return;
  for (size_t i = 0; i < config.upstreams.size(); ++i) {
    const UpstreamConfig& upstream = config.upstreams[i];
    if (upstream.name != destination.upstream) continue;
    // What is broken of them is not known to be missing.
    if (!complaints.is_sound(indexed("upstreams", i) + ".endpoints")) return;
    if (std::any_of(upstream.endpoints.begin(), upstream.endpoints.end(), [&](const EndpointConfig& endpoint) {
          return endpoint.weight > 0 && is_in_subset(endpoint, destination.subset);
        })) {
      return;
    }
    std::string said;
    for (const auto& [key, value] : destination.subset) {
      said.append(said.empty() ? "" : ", ").append(key).append(": ").append(value);
    }
    complaints.add(path + ".subset", "no endpoint of " + quoted(upstream.name) + " with a weight has " + quoted(said),
                   "write it into the `metadata` of those that are meant");
    return;
  }
}

}  // namespace

void validate_balance(Complaints& complaints, const Config& config, const UpstreamConfig& upstream,
                      const std::string& path) {
  BalanceRules{complaints, config, upstream, path}.check();
}

void validate_zones(Complaints& complaints, const Config& config) {
  const std::string field = config.zones.maxmind.empty() ? "zones" : "zones.maxmind";
  if (config.zones.maxmind.empty()) {
    complaints.says_nothing_without("zones.field", "`maxmind`", "remove it, or name the file");
  }
  if (!complaints.is_sound("zones")) return;
  if (const auto map = compile_zones(config, zone_names(config)); !map) complaints.add(field, map.error(), "");
}

void validate_subsets(Complaints& complaints, const Config& config) {
  for (size_t i = 0; i < config.listeners.size(); ++i) {
    const ListenerConfig& listener = config.listeners[i];
    const std::string path = indexed("listeners", i);
    validate_subset(complaints, config, listener, path);
    for (size_t j = 0; j < listener.routes.size(); ++j) {
      const RouteConfig& route = listener.routes[j];
      const std::string route_path = indexed(path + ".routes", j);
      validate_subset(complaints, config, route, route_path);
      for (size_t k = 0; k < route.split.size(); ++k) {
        validate_subset(complaints, config, route.split[k], indexed(route_path + ".split", k));
      }
    }
  }
}

}  // namespace weir::config
