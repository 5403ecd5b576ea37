// Who is let in, and how often: the part of validate_resilience.h that speaks of listeners and routes.
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/config/compile_resilience.h"
#include "core/config/validate_resilience.h"
#include "core/config/values.h"

namespace weir::config {
namespace {

class AdmissionRules {
 public:
  AdmissionRules(Complaints& complaints, const Config& config, const ListenerConfig& listener, const std::string& path)
      : complaints_(complaints), config_(config), listener_(listener), path_(path) {}

  void check() {
    const size_t complaints_before = complaints_.count();
    check_lists();
    if (are_sound({"allow_file", "deny_file"})) check_files();
    // What is wrong only together.
    if (complaints_.count() == complaints_before && are_sound({"allow", "deny", "allow_file", "deny_file"})) {
      if (const auto filter = client_filter_of(listener_); !filter) {
        complain(listener_.deny_file.empty() ? "allow_file" : "deny_file", filter.error(), "");
      }
    }
    check_per_client();
    check_addresses();
    if (!complaints_.is_broken(at("mode"))) {
      validate_rate_limits(complaints_, listener_.rate_limits, listener_.mode, at("rate_limits"));
    }
  }

 private:
  std::string at(std::string_view key) const { return path_ + "." + std::string{key}; }
  void complain(std::string_view key, std::string message, std::string fix) {
    complaints_.add(at(key), std::move(message), std::move(fix));
  }

  void check_lists() {
    // Would an empty list let everybody in, or nobody? One should not have to know.
    for (const auto& [key, list] : {std::pair{"allow", &listener_.allow}, std::pair{"deny", &listener_.deny}}) {
      if (complaints_.is_written(at(key)) && complaints_.is_sound(at(key)) && list->blocks.empty()) {
        complain(key, "this list names nobody", "name blocks of addresses, or remove the key");
      }
    }
    if (!are_sound({"allow", "deny"})) return;
    const auto& allowed = listener_.allow.blocks;
    const auto& denied = listener_.deny.blocks;
    for (size_t i = 0; i < denied.size() && !complaints_.full(); ++i) {
      if (std::find(allowed.begin(), allowed.end(), denied[i]) == allowed.end()) continue;
      complain(indexed("deny", i), quoted(denied[i].to_string()) + " is in `allow` too", "keep it in one of the two");
    }
  }

  void check_files() {
    if (!listener_.allow_file.empty() && listener_.allow_file == listener_.deny_file) {
      return complain("deny_file", "this file is `allow_file` too", "name it once");
    }
    for (const auto& [key, file] :
         {std::pair{"allow_file", &ListenerConfig::allow_file}, std::pair{"deny_file", &ListenerConfig::deny_file}}) {
      if ((listener_.*file).empty()) continue;
      ListenerConfig alone;
      alone.*file = listener_.*file;
      if (const auto filter = client_filter_of(alone); !filter) complain(key, filter.error(), "");
    }
  }

  void check_per_client() {
    const uint32_t per_client = listener_.max_connections_per_client;
    if (per_client == 0 || !are_sound({"max_connections_per_client", "max_connections"})) return;
    const auto never_above = [&](uint32_t limit, const std::string& key) {
      if (limit == 0 || per_client <= limit) return false;
      complain("max_connections_per_client",
               "this is above " + quoted(key) + ", " + std::to_string(limit) + ", and never reached",
               "lower it, or raise " + quoted(key));
      return true;
    };
    if (never_above(listener_.max_connections, "max_connections")) return;
    if (complaints_.is_sound("limits.connections")) {
      never_above(config_.limits.connections.value_or(0), "limits.connections");
    }
  }

  // Peers over a UNIX socket have none, unless somebody says who the client is.
  void check_addresses() {
    if (!listener_.address.is_unix() || !listener_.accept_proxy.empty() || complaints_.is_broken(at("accept_proxy"))) {
      return;
    }
    if (listener_.max_connections_per_client > 0) without_address(at("max_connections_per_client"));
    // Requests tell more of their client than connections do.
    if (listener_.mode == Mode::http && !listener_.trusted_proxies.empty()) return;
    for (const std::string_view key : {"allow", "deny", "allow_file", "deny_file"}) without_address(at(key));
    for (size_t i = 0; i < listener_.rate_limits.size(); ++i) {
      const auto& by = listener_.rate_limits[i].by;
      const std::string where = indexed(at("rate_limits"), i);
      if (!by || by->kind != KeySource::Kind::client_ip || complaints_.is_broken(where + ".by")) continue;
      complaints_.add(where + ".by", "clients of this listener have no address: they come over a UNIX socket",
                      listener_.mode == Mode::tcp ? "write `by: all`" : "write `by: all`, or another key");
    }
  }

  void without_address(const std::string& path) {
    if (!complaints_.is_written(path)) return;
    complaints_.add(path, "clients of this listener have no address: they come over a UNIX socket",
                    "remove it, or write `accept_proxy: unix` if the peers say who their clients are");
  }

  bool are_sound(std::initializer_list<std::string_view> keys) const {
    return std::all_of(keys.begin(), keys.end(), [&](std::string_view key) { return complaints_.is_sound(at(key)); });
  }

  Complaints& complaints_;
  const Config& config_;
  const ListenerConfig& listener_;
  const std::string& path_;
};

void validate_rate_limit(Complaints& complaints, const RateLimitConfig& limit, Mode mode, const std::string& path) {
  const bool by_client_ip = limit.by && limit.by->kind == KeySource::Kind::client_ip;
  if (!complaints.is_broken(path + ".by")) {
    if (mode == Mode::tcp && limit.by && !by_client_ip) {
      complaints.add(path + ".by", "this listener is in `mode: tcp` and sees no requests",
                     "write `client_ip` or `all`, or `mode: http` there");
    }
    for (const std::string_view key : {".prefix", ".prefix6"}) {
      if (by_client_ip) break;
      complaints.says_nothing_without(path + std::string{key}, "`by: client_ip`",
                                      "remove it, or write `by: client_ip`");
    }
    if (!limit.by) {
      complaints.says_nothing(path + ".entries", "by: all", "remove it: all together are one entry");
    }
  }
  if (limit.algorithm != RateAlgorithm::token_bucket && !complaints.is_broken(path + ".algorithm")) {
    complaints.says_nothing(path + ".burst", "algorithm: " + std::string{name_of(limit.algorithm)},
                            "remove it, or write `algorithm: token_bucket`");
  }
  if (mode == Mode::tcp) {
    complaints.says_nothing(path + ".headers", "mode: tcp", "remove it, or write `mode: http` for this listener");
  }
}

}  // namespace

void validate_admission(Complaints& complaints, const Config& config, const ListenerConfig& listener,
                        const std::string& path) {
  AdmissionRules{complaints, config, listener, path}.check();
}

void validate_rate_limits(Complaints& complaints, const std::vector<RateLimitConfig>& limits, Mode mode,
                          const std::string& path) {
  Seen names;
  for (size_t i = 0; i < limits.size() && !complaints.full(); ++i) {
    const std::string where = indexed(path, i);
    if (!names.emplace(limits[i].name, i).second) {
      complaints.add(where + ".name", "a second limit here is called " + quoted(limits[i].name),
                     "give each its own `name`; those without one are called by their number");
    }
    validate_rate_limit(complaints, limits[i], mode, where);
  }
}

}  // namespace weir::config
