#include "core/config/compile_http.h"

#include <utility>

#include "core/config/characters.h"
#include "core/config/compile_resilience.h"
#include "core/routing/router.h"
#include "core/routing/sticky_token.h"

namespace weir::config {
namespace {

using routing::RouteMatch;
using routing::ValueMatch;

ValueMatch compiled(const ValueMatchConfig& config) {
  ValueMatch match;
  match.name = config.name;
  match.negated = config.negated;
  const auto fits = [&](ValueMatch::Kind kind, const std::optional<std::string>& text) {
    if (!text) return;
    match.kind = kind;
    match.value = *text;
  };
  fits(ValueMatch::Kind::exact, config.value);
  fits(ValueMatch::Kind::prefix, config.prefix);
  fits(ValueMatch::Kind::regex, config.regex);
  return match;
}

RouteMatch compiled(const MatchConfig& config) {
  RouteMatch match;
  match.hosts = config.hosts;
  const auto takes = [&](RouteMatch::PathKind kind, const std::string& path) {
    if (path.empty()) return;
    match.path_kind = kind;
    match.path = path;
  };
  takes(RouteMatch::PathKind::exact, config.path);
  takes(RouteMatch::PathKind::prefix, config.path_prefix);
  takes(RouteMatch::PathKind::regex, config.path_regex);
  match.methods = config.methods;
  for (const HeaderMatchConfig& header : config.headers) {
    match.headers.push_back(compiled(header));
    match.headers.back().name = lower_case(header.name);
  }
  for (const QueryMatchConfig& parameter : config.query) match.query.push_back(compiled(parameter));
  for (const CookieMatchConfig& cookie : config.cookies) match.cookies.push_back(compiled(cookie));
  match.clients = config.clients;
  return match;
}

std::unique_ptr<const PathRewriter> path_rewriter_of(const RewriteConfig& rewrite, const std::string& matched_prefix) {
  if (!rewrite.prefix.empty()) return routing::make_prefix_rewriter(matched_prefix, rewrite.prefix);
  if (!rewrite.path.empty()) return routing::make_path_setter(rewrite.path);
  if (!rewrite.regex.empty()) return routing::make_regex_rewriter(rewrite.regex, rewrite.to.value_or(""));
  return nullptr;
}

// In the order in which they are applied.
template <class HeadersConfig>
std::vector<FieldRule> compiled_rules(const HeadersConfig& config) {
  std::vector<FieldRule> rules;
  for (const std::string& name : config.remove) rules.push_back({FieldRule::Kind::remove, name, {}});
  for (const HeaderLineConfig& line : config.set) rules.push_back({FieldRule::Kind::set, line.name, line.value});
  for (const HeaderLineConfig& line : config.add) rules.push_back({FieldRule::Kind::add, line.name, line.value});
  return rules;
}

// Rounded up: 0 would mean something else.
uint32_t whole_milliseconds(Duration duration) {
  return static_cast<uint32_t>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

// `listener` is the name of the one it belongs to.
std::shared_ptr<const Route> compiled(const RouteConfig& config, const std::string& listener, Registry& registry) {
  auto route = std::make_shared<Route>();
  route->name = config.name;
  if (!config.upstream.empty()) route->split.push_back({destination(config, registry), 1});
  for (const SplitConfig& share : config.split) {
    // Who gets no share need not be asked about it.
    if (share.weight > 0) route->split.push_back({destination(share, registry), share.weight});
  }
  route->split_key = compiled_key(config.split_by);
  if (config.redirect) {
    route->redirect = std::make_unique<Redirect>(Redirect{config.redirect->status, config.redirect->location});
  }
  if (config.answer) {
    route->answer = std::make_unique<FixedAnswer>(
        FixedAnswer{config.answer->status, config.answer->content_type, config.answer->body});
  }
  if (config.rewrite) {
    route->path_rewriter = path_rewriter_of(*config.rewrite, config.match.path_prefix);
    if (!config.rewrite->host.pieces.empty()) {
      route->host_rewrite = std::make_unique<TemplateText>(config.rewrite->host);
    }
  }
  route->request_rules = compiled_rules(config.request_headers);
  route->answer_rules = compiled_rules(config.answer_headers);
  if (config.mirror) {
    route->has_mirror = true;
    route->mirror = registry.upstream_id(config.mirror->upstream);
    route->mirror_parts = config.mirror->parts;
  }
  if (config.timeout) route->request_timeout_ms = whole_milliseconds(*config.timeout);
  route->rate_limits = compile_rate_limits(config.rate_limits, listener + "\n" + config.name, registry);
  route->priority = config.priority;
  return route;
}

ForwardPolicy compiled(const ForwardConfig& config, const CidrSet& trusted) {
  ForwardPolicy policy;
  policy.trusted = trusted;
  policy.x_forwarded_for = config.x_forwarded_for;
  policy.x_forwarded_proto = config.x_forwarded_proto;
  policy.x_forwarded_host = config.x_forwarded_host;
  policy.x_real_ip = config.x_real_ip;
  policy.forwarded = config.forwarded;
  policy.request_id = config.request_id;
  policy.via = config.via;
  return policy;
}

HttpLimits compiled(const LimitsConfig& config) {
  HttpLimits limits;
  limits.line_bytes_max = static_cast<uint32_t>(config.http_line);
  limits.head_bytes_max = static_cast<uint32_t>(config.http_head);
  limits.fields_max = config.http_fields;
  limits.trailer_bytes_max = static_cast<uint32_t>(config.http_trailers);
  return limits;
}

RetryPolicy compiled(const RetryConfig& config) {
  RetryPolicy policy;
  policy.on_connect = config.on.connect;
  policy.on_reset = config.on.reset;
  policy.on_timeout = config.on.timeout;
  policy.on_statuses = config.on.statuses;
  policy.backoff_base = config.backoff;
  policy.backoff_max = config.backoff_max;
  policy.budget_percent = config.budget;
  policy.budget_min = config.budget_min;
  return policy;
}

StickyPolicy compiled(const StickyConfig& config, const Upstream& upstream, Registry& registry) {
  StickyPolicy policy;
  policy.kind = config.by;
  switch (config.by) {
    case StickyBy::off: break;
    case StickyBy::cookie: {
      policy.cookie_name = config.cookie;
      policy.indirect = config.indirect;
      policy.no_cache = config.no_cache;
      policy.secure = config.secure;
      policy.http_only = config.http_only;
      policy.same_site = config.same_site;
      policy.domain = config.domain;
      policy.path = config.path;
      policy.max_age = config.max_age;
      const std::string& secret = config.secret.empty() ? registry.sticky_secret() : config.secret;
      for (const Endpoint& endpoint : upstream.endpoints) {
        policy.tokens.push_back(routing::sticky_token(secret, upstream.name, endpoint.name));
      }
      break;
    }
    case StickyBy::learned:
      policy.source = compiled_key(config.source.value_or(KeySource{}));
      policy.learn_from = config.learn ? compiled_key(*config.learn) : policy.source;
      [[fallthrough]];
    case StickyBy::client_ip:
      policy.table = registry.stick_table(upstream.id, config.entries);
      policy.ttl = config.ttl;
      break;
  }
  return policy;
}

}  // namespace

KeySource compiled_key(const KeySource& source) {
  KeySource result = source;
  // Those of cookies and parameters are as they are.
  if (source.kind == KeySource::Kind::header) result.name = lower_case(source.name);
  return result;
}

std::shared_ptr<const HttpListener> compile_http_listener(const ListenerConfig& listener, const Config& config,
                                                          Registry& registry) {
  if (listener.mode != Mode::http) return nullptr;
  auto http = std::make_shared<HttpListener>();
  std::vector<RouteMatch> matches;
  for (const RouteConfig& route : listener.routes) {
    matches.push_back(compiled(route.match));
    http->routes.push_back(compiled(route, listener.name, registry));
  }
  if (!matches.empty()) http->router = routing::make_router(matches);
  if (!listener.upstream.empty()) {
    RouteConfig otherwise;
    otherwise.upstream = listener.upstream;
    otherwise.subset = listener.subset;
    otherwise.subset_fallback = listener.subset_fallback;
    http->otherwise = compiled(otherwise, listener.name, registry);
  }
  http->forward = compiled(listener.forward, listener.trusted_proxies);
  http->limits = compiled(config.limits);
  http->allow_connect = listener.allow_connect;
  http->priority_header = lower_case(listener.priority_header);
  http->access_log = config.access_log.has_value() && listener.access_log;
  http->header_timeout = config.timeouts.header;
  http->body_timeout = config.timeouts.client_body;
  http->keep_alive_timeout = config.timeouts.keep_alive;
  http->half_close_timeout = config.timeouts.half_close;
  http->requests_max = listener.max_requests;
  return http;
}

HttpUpstream compile_http_upstream(const UpstreamConfig& config, const TimeoutsConfig& timeouts,
                                   const Upstream& upstream, Registry& registry) {
  HttpUpstream http;
  http.pool.idle_max = config.pool.idle;
  http.pool.idle_timeout = config.pool.idle_timeout;
  http.pool.requests_max = config.pool.max_requests;
  http.retry = compiled(config.retry);
  http.sticky = compiled(config.sticky, upstream, registry);
  http.first_byte_timeout = config.timeouts.first_byte.value_or(timeouts.first_byte);
  http.body_timeout = config.timeouts.body.value_or(timeouts.body);
  http.request_timeout = config.timeouts.request.value_or(timeouts.request);
  return http;
}

}  // namespace weir::config
