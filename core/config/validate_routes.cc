// The rules of routes: what may stand together in one, and which can never be taken.
#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "core/config/characters.h"
#include "core/config/compile_balance.h"
#include "core/config/validate_http.h"
#include "core/config/validate_resilience.h"
#include "core/routing/router.h"

namespace weir::config {
namespace {

// A text that no other sequence of parts gives: each part with its length in front.
void append_part(std::string& text, std::string_view part) {
  text.append(std::to_string(part.size())).append(":").append(part);
}

std::string part_of(std::vector<std::string> parts) {
  std::sort(parts.begin(), parts.end());
  std::string text;
  for (const std::string& part : parts) append_part(text, part);
  return text;
}

template <class MatchConfigs>
std::string conditions_of(const MatchConfigs& configs, bool lower) {
  std::vector<std::string> parts;
  for (const ValueMatchConfig& config : configs) {
    std::string part;
    append_part(part, lower ? lower_case(config.name) : config.name);
    append_part(part, config.value ? "=" + *config.value : "");
    append_part(part, config.prefix ? "^" + *config.prefix : "");
    append_part(part, config.regex ? "~" + *config.regex : "");
    append_part(part, config.negated ? "not" : "");
    parts.push_back(std::move(part));
  }
  return part_of(std::move(parts));
}

// What a route asks beside host and path, in a form that is equal where it asks the same; "" where it asks nothing.
std::string conditions_of(const MatchConfig& match) {
  if (match.methods.empty() && match.headers.empty() && match.query.empty() && match.cookies.empty() &&
      match.clients.empty()) {
    return "";
  }
  std::vector<std::string> blocks;
  for (const Cidr& block : match.clients.blocks) blocks.push_back(block.to_string());
  std::string text;
  append_part(text, part_of(match.methods));
  append_part(text, conditions_of(match.headers, true));
  append_part(text, conditions_of(match.query, false));
  append_part(text, conditions_of(match.cookies, false));
  append_part(text, part_of(std::move(blocks)));
  return text;
}

class RouteValidator {
 public:
  RouteValidator(Complaints& complaints, const ListenerConfig& listener, std::string path)
      : complaints_(complaints), listener_(listener), path_(std::move(path)) {}

  void run() {
    Seen names;
    for (size_t i = 0; i < listener_.routes.size() && !complaints_.full(); ++i) {
      const RouteConfig& route = listener_.routes[i];
      const std::string path = indexed(path_ + ".routes", i);
      if (!names.emplace(route.name, i).second) {
        complaints_.add(path + ".name", "a second route of this listener is called " + quoted(route.name),
                        "give each its own `name`");
      }
      check_match(route.match, path + ".match");
      check_action(route, path);
      check_split(route, path);
      check_answer(route, path);
      check_rewrite(route, path);
      validate_rate_limits(complaints_, route.rate_limits, Mode::http, path + ".rate_limits");
      complaints_.upstream_exists(path + ".upstream", route.upstream);
      if (route.mirror) complaints_.upstream_exists(path + ".mirror.upstream", route.mirror->upstream);
      check_reachable(route, i, path);
    }
  }

 private:
  // Of `keys` all but the first that was said are one too many.
  struct Key {
    std::string_view name;
    bool said;
  };
  template <size_t count>
  void check_at_most_one(const std::array<Key, count>& keys, const std::string& path) {
    std::string_view first;
    for (const Key& key : keys) {
      if (!key.said) continue;
      if (!first.empty()) {
        complaints_.add(path + "." + std::string{key.name},
                        "`" + std::string{key.name} + "` cannot stand beside `" + std::string{first} + "`",
                        "keep one of them");
      }
      if (first.empty()) first = key.name;
    }
  }

  void check_match(const MatchConfig& match, const std::string& path) {
    check_at_most_one(std::array{Key{"path", !match.path.empty()}, Key{"path_prefix", !match.path_prefix.empty()},
                                 Key{"path_regex", !match.path_regex.empty()}},
                      path);
    check_conditions(match.headers, path + ".headers");
    check_conditions(match.query, path + ".query");
    check_conditions(match.cookies, path + ".cookies");
  }

  template <class MatchConfigs>
  void check_conditions(const MatchConfigs& configs, const std::string& path) {
    for (size_t i = 0; i < configs.size(); ++i) {
      const ValueMatchConfig& config = configs[i];
      check_at_most_one(std::array{Key{"value", config.value.has_value()}, Key{"prefix", config.prefix.has_value()},
                                   Key{"regex", config.regex.has_value()}},
                        indexed(path, i));
    }
  }

  // Was it said, if only badly?
  bool said(const std::string& path, bool has_value) const { return has_value || complaints_.is_written(path); }

  void check_action(const RouteConfig& route, const std::string& path) {
    const std::array keys{Key{"upstream", said(path + ".upstream", !route.upstream.empty())},
                          Key{"split", said(path + ".split", !route.split.empty())},
                          Key{"redirect", said(path + ".redirect", route.redirect.has_value())},
                          Key{"answer", said(path + ".answer", route.answer.has_value())}};
    check_at_most_one(keys, path);
    if (std::none_of(keys.begin(), keys.end(), [](const Key& key) { return key.said; })) {
      complaints_.add(path, "this route does nothing", "write one of `upstream`, `split`, `redirect` and `answer`");
    }
  }

  void check_split(const RouteConfig& route, const std::string& path) {
    if (!said(path + ".split", !route.split.empty())) {
      if (complaints_.is_written(path + ".split_by")) {
        complaints_.add(path + ".split_by", "this says nothing without `split`", "remove it, or write a `split`");
      }
      return;
    }
    if (route.split.empty()) {
      complaints_.add(path + ".split", "this split names no upstream", "name them: `- {upstream: blue, weight: 95}`");
      return;
    }
    Seen names;
    bool any_weight = false;
    for (size_t i = 0; i < route.split.size() && !complaints_.full(); ++i) {
      const SplitConfig& share = route.split[i];
      const std::string where = indexed(path + ".split", i) + ".upstream";
      any_weight = any_weight || share.weight > 0;
      complaints_.upstream_exists(where, share.upstream);
      // Parts of one upstream are as good as several.
      const std::string part = registry_name({share.upstream, share.subset, share.subset_fallback});
      if (!share.upstream.empty() && !names.emplace(part, i).second) {
        complaints_.add(where, "this split names " + quoted(share.upstream) + " already",
                        "to give it a larger share, raise its `weight`");
      }
    }
    if (!any_weight) {
      complaints_.add(path + ".split", "all weights of this split are 0, so nobody gets the requests",
                      "give at least one a `weight` above 0");
    }
  }

  // Redirects and answers are given by weir: what is said about the way to an origin says nothing.
  void check_answer(const RouteConfig& route, const std::string& path) {
    if (!route.redirect && !route.answer) return;
    const std::string action = route.redirect ? "redirect" : "answer";
    const std::array keys{Key{"rewrite", route.rewrite.has_value()}, Key{"mirror", route.mirror.has_value()},
                          Key{"request_headers", has_rules(route.request_headers)},
                          Key{"timeout", route.timeout.has_value()}};
    for (const Key& key : keys) {
      if (!key.said) continue;
      complaints_.add(path + "." + std::string{key.name}, "this says nothing with `" + action + "`",
                      "no origin is asked; remove it");
    }
    if (!route.answer || route.answer->body.empty()) return;
    const uint16_t status = route.answer->status;
    if (status == 204 || status == 205 || status == 304) {
      complaints_.add(path + ".answer.body", "an answer of status " + std::to_string(status) + " has no body",
                      "remove it, or use another status");
    }
  }

  static bool has_rules(const RequestHeadersConfig& headers) {
    return !headers.remove.empty() || !headers.set.empty() || !headers.add.empty();
  }

  void check_rewrite(const RouteConfig& route, const std::string& path) {
    if (!route.rewrite) return;
    const RewriteConfig& rewrite = *route.rewrite;
    const std::string where = path + ".rewrite";
    const bool prefix = said(where + ".prefix", !rewrite.prefix.empty());
    const bool whole = said(where + ".path", !rewrite.path.empty());
    const bool regex = said(where + ".regex", !rewrite.regex.empty());
    const bool to = said(where + ".to", rewrite.to.has_value());
    check_at_most_one(std::array{Key{"prefix", prefix}, Key{"path", whole}, Key{"regex", regex}}, where);
    if (prefix && !said(path + ".match.path_prefix", !route.match.path_prefix.empty())) {
      complaints_.add(where + ".prefix", "there is no `path_prefix` that this could replace",
                      "say `path_prefix` in `match`, or rewrite the whole `path`");
    }
    if (regex && !to) complaints_.add(where + ".regex", "there is no `to`", "write what takes the place of its match");
    if (to && !regex) {
      complaints_.add(where + ".to", "this says nothing without `regex`", "remove it, or write a `regex`");
    }
    if (!rewrite.regex.empty() && rewrite.to) {
      std::string complaint = routing::check_rewrite(rewrite.regex, *rewrite.to);
      if (complaint.ends_with('.')) complaint.pop_back();
      if (!complaint.empty()) {
        complaints_.add(where + ".to", quoted(*rewrite.to) + " does not fit: " + complaint,
                        "`\\1` is the first group of `regex`, `\\0` the whole match");
      }
    }
    if (!prefix && !whole && !regex && !to && !said(where + ".host", !rewrite.host.pieces.empty())) {
      complaints_.add(where, "this rewrite changes nothing", "write `prefix`, `path`, `regex` or `host`, or remove it");
    }
  }

  // Where host and path are the same, the first route in the file counts whose other conditions hold: one that asks
  // nothing, or the same, leaves nothing for those behind it.
  void check_reachable(const RouteConfig& route, size_t index, const std::string& path) {
    if (!complaints_.is_sound(path + ".match")) return;  // what it meant to match is not known
    std::vector<std::string> hosts = route.match.hosts;
    if (hosts.empty()) hosts.emplace_back();
    std::string path_key;
    append_part(path_key, route.match.path);
    append_part(path_key, route.match.path_prefix);
    append_part(path_key, route.match.path_regex);
    const std::string conditions = conditions_of(route.match);
    const size_t none = listener_.routes.size();
    std::set<size_t> takers;  // of what this one could take
    for (const std::string& host : hosts) {
      std::string everything;
      append_part(everything, host);
      everything += path_key;
      std::string same = everything;
      append_part(same, conditions);
      append_part(everything, "");
      const auto earlier = [&](const std::string& key) {
        const auto found = taken_.find(key);
        return found == taken_.end() ? none : found->second;
      };
      takers.insert(std::min(earlier(everything), earlier(same)));
      taken_.emplace(std::move(same), index);
    }
    if (takers.contains(none)) return;
    std::string names;
    for (const size_t taker : takers) names += (names.empty() ? "" : " and ") + quoted(listener_.routes[taker].name);
    complaints_.add(path,
                    "no request gets to this route: " + names + (takers.size() == 1 ? " takes" : " take") + " them all",
                    "remove it, make its `match` differ, or put it in front");
  }

  Complaints& complaints_;
  const ListenerConfig& listener_;
  const std::string path_;
  Seen taken_;  // host, path and conditions
};

}  // namespace

void validate_routes(Complaints& complaints, const ListenerConfig& listener, const std::string& path) {
  RouteValidator{complaints, listener, path}.run();
}

}  // namespace weir::config
