// The part of the description (describe.h) that speaks of HTTP: one function for each struct of http_config.h.
#pragma once

#include <chrono>

#include "core/config/describe_balance.h"
#include "core/config/describe_resilience.h"
#include "core/config/description_note.h"
#include "core/config/http_config.h"
#include "core/config/http_kinds.h"

namespace weir::config {

namespace range {
inline constexpr uint64_t requests_max = 1'000'000'000;
inline constexpr uint32_t split_weight_max = 65535;
inline constexpr Duration route_timeout_max = hours{24 * 30};  // fits the milliseconds of Route
inline constexpr uint32_t idle_connections_max = 65536;
inline constexpr uint32_t budget_min_max = 1'000'000;
inline constexpr Duration cookie_age_min = std::chrono::seconds{1};  // what cookies and sticky tables count in
inline constexpr uint32_t stick_entries_min = 1024;
inline constexpr uint32_t stick_entries_max = 1U << 24;
inline constexpr uint64_t access_queue_min = uint64_t{64} * 1024;
inline constexpr uint64_t access_queue_max = uint64_t{64} * 1024 * 1024;
inline constexpr size_t match_text_bytes_max = 1024;  // longer parameters are not compared
inline constexpr size_t header_text_bytes_max = 4096;
inline constexpr size_t parameter_name_bytes_max = 256;
}  // namespace range

// What conditions on headers, parameters and cookies have in common.
template <class V>
void describe_condition(V& v, ValueMatchConfig& c) {
  v.value("value", c.value, Inherited{Text{"this value", 0, range::match_text_bytes_max}},
          {.sentence = "It has exactly this value. At most one of `value`, `prefix` and `regex`.",
           .otherwise = "any value"});
  v.value("prefix", c.prefix, Inherited{Text{"this prefix", 1, range::match_text_bytes_max}},
          {.sentence = "Its value begins so.", .otherwise = "any value"});
  v.value("regex", c.regex, Inherited{Regex{}},
          {.sentence = "Its value has a match of this, anywhere unless anchored by `^` and `$`.",
           .otherwise = "any value"});
  v.value("not", c.negated, Boolean{}, {.sentence = "The condition holds where it otherwise would not."});
}

template <class V>
void describe(V& v, HeaderMatchConfig& c) {
  v.value("name", c.name, Token{"the name of a header"},
          {.sentence = "The header, in any case; of several any one has to fit.", .required = true});
  describe_condition(v, c);
}

template <class V>
void describe(V& v, QueryMatchConfig& c) {
  v.value(
      "name", c.name, Text{"the name of a parameter", 1, range::parameter_name_bytes_max},
      {.sentence = "The parameter; %20 and `+` in the request are decoded before it is compared.", .required = true});
  describe_condition(v, c);
}

template <class V>
void describe(V& v, CookieMatchConfig& c) {
  v.value("name", c.name, Token{"the name of a cookie"}, {.sentence = "The cookie.", .required = true});
  describe_condition(v, c);
}

template <class V>
void describe(V& v, MatchConfig& c) {
  v.values("hosts", c.hosts, Each{HostPattern{}},
           {.sentence = "The host of the request, without its port: one of these. `*.example.com` is any host below "
                        "`example.com`, however deep, and not `example.com` itself.",
            .otherwise = "any host"});
  v.value("path", c.path, PathText{},
          {.sentence = "The path, exactly. At most one of `path`, `path_prefix` and `path_regex`.",
           .otherwise = "any path"});
  v.value(
      "path_prefix", c.path_prefix, PathText{},
      {.sentence = "The path begins so, and the prefix ends with a segment: `/v1` is `/v1` and `/v1/x`, not `/v1x`.",
       .otherwise = "any path"});
  v.value(
      "path_regex", c.path_regex, Regex{},
      {.sentence = "The path has a match of this, anywhere unless anchored by `^` and `$`.", .otherwise = "any path"});
  v.values("methods", c.methods, Each{MethodName{}}, {.sentence = "The method: one of these.", .otherwise = "any"});
  v.list("headers", c.headers,
         {.sentence = "Conditions on headers. An item is a mapping, or a name alone: the header is there.",
          .short_form = "name"});
  v.list("query", c.query,
         {.sentence = "Conditions on parameters of the query. An item is a mapping, or a name alone.",
          .short_form = "name"});
  v.list("cookies", c.cookies,
         {.sentence = "Conditions on cookies. An item is a mapping, or a name alone.", .short_form = "name"});
  v.values("clients", c.clients, ClientBlock{},
           {.sentence = "The address of the client, as `trusted_proxies` tell it, is in one of these blocks.",
            .otherwise = "anybody"});
}

template <class V>
void describe(V& v, SplitConfig& c) {
  v.value("upstream", c.upstream, Name{}, {.sentence = "The upstream that gets a share.", .required = true});
  describe_subset(v, c);
  v.value("weight", c.weight, Count<uint32_t>{0, range::split_weight_max},
          {.sentence = "Its share, relative to the other items; 0: none."});
}

template <class V>
void describe(V& v, RedirectConfig& c) {
  v.value("status", c.status, RedirectStatus{},
          {.sentence = "The status; 307 and 308 keep the method, 301 and 308 may be remembered for ever."});
  v.value("location", c.location, Template{TemplatePlace::location},
          {.sentence = "Where the client is sent, a template: `https://{host}{path}{query}`.", .required = true});
}

template <class V>
void describe(V& v, AnswerConfig& c) {
  v.value("status", c.status, Count<uint16_t>{200, 599}, {.sentence = "The status."});
  v.value("body", c.body, Body{}, {.sentence = "What the client gets.", .otherwise = "nothing"});
  v.value("content_type", c.content_type, MediaType{}, {.sentence = "What the body is."});
}

template <class V>
void describe(V& v, RewriteConfig& c) {
  v.value(
      "prefix", c.prefix, PathText{},
      {.sentence = "Takes the place of the `path_prefix` that matched. At most one of `prefix`, `path` and `regex`.",
       .otherwise = "the path is kept"});
  v.value("path", c.path, PathText{}, {.sentence = "Takes the place of the path.", .otherwise = "the path is kept"});
  v.value("regex", c.regex, Regex{},
          {.sentence = "Its first match in the path is replaced by `to`; a path without one is kept.",
           .otherwise = "the path is kept"});
  v.value("to", c.to, Inherited{Text{"this text", 0, range::header_text_bytes_max}},
          {.sentence = "With `regex`: what takes its place; `\\1` is the first group.", .otherwise = "no `regex`"});
  v.value("host", c.host, Template{TemplatePlace::host},
          {.sentence = "The Host that the origin sees, a template.", .otherwise = "what the client sent"});
}

// `head` is which of the two the rules are for; the structs only keep them apart.
template <class V, class HeadersConfig>
void describe_rules(V& v, HeadersConfig& c, HeadOf head) {
  v.values("remove", c.remove, Each{RuledHeader{head}}, {.sentence = "First, all headers of these names go."});
  v.values("set", c.set, HeaderLine{head, true}, {.sentence = "Then these take the place of all of their name."});
  v.values("add", c.add, HeaderLine{head, false}, {.sentence = "Last, these are added to what is there."});
}

template <class V>
void describe(V& v, RequestHeadersConfig& c) {
  describe_rules(v, c, HeadOf::request);
}

template <class V>
void describe(V& v, AnswerHeadersConfig& c) {
  describe_rules(v, c, HeadOf::answer);
}

template <class V>
void describe(V& v, MirrorConfig& c) {
  v.value("upstream", c.upstream, Name{},
          {.sentence = "The upstream that gets copies; what it answers is thrown away.", .required = true});
  v.value("percent", c.parts, Percent{}, {.sentence = "How many of the requests are copied."});
}

template <class V>
void describe(V& v, RouteConfig& c) {
  v.value("name", c.name, Name{},
          {.sentence = "What it is called in logs and statistics.", .otherwise = "its number, `route 1`"});
  v.section("match", c.match, {.sentence = "Which requests: all that is said has to hold. Without it: all."});
  v.value("upstream", c.upstream, Name{},
          {.sentence = "Where they go. Exactly one of `upstream`, `split`, `redirect` and `answer`.",
           .otherwise = "one of the other three"});
  describe_subset(v, c);
  v.list("split", c.split, {.sentence = "Or: upstreams that share them, by weight."});
  v.section("redirect", c.redirect, {.sentence = "Or: the client is sent elsewhere."});
  v.section("answer", c.answer, {.sentence = "Or: weir answers by itself."});
  v.value("split_by", c.split_by, KeyFrom{KeyFrom::Use::split},
          {.sentence = "With `split`: requests with the same value of this go to the same upstream."});
  v.section("rewrite", c.rewrite, {.sentence = "How the request is changed before it is sent up."});
  v.section("request_headers", c.request_headers, {.sentence = "Changes of the headers that the origin sees."});
  v.section("answer_headers", c.answer_headers, {.sentence = "Changes of the headers that the client sees."});
  v.section("mirror", c.mirror, {.sentence = "Another upstream that gets copies of the requests."});
  v.value("timeout", c.timeout, Inherited{Time{range::short_wait_min, range::route_timeout_max}},
          {.sentence = "How long a request may take in all.", .otherwise = "`timeouts.request` of the upstream"});
  describe_route_limits(v, c);
}

template <class V>
void describe(V& v, ForwardConfig& c) {
  v.value("x_forwarded_for", c.x_forwarded_for, Boolean{}, {.sentence = "X-Forwarded-For: the client's address."});
  v.value("x_forwarded_proto", c.x_forwarded_proto, Boolean{}, {.sentence = "X-Forwarded-Proto: the scheme."});
  v.value("x_forwarded_host", c.x_forwarded_host, Boolean{},
          {.sentence = "X-Forwarded-Host: the host that the client asked for."});
  v.value("x_real_ip", c.x_real_ip, Boolean{}, {.sentence = "X-Real-IP: the client's address alone."});
  v.value("forwarded", c.forwarded, Boolean{}, {.sentence = "Forwarded (RFC 7239): all of these in one."});
  v.value("request_id", c.request_id, Boolean{},
          {.sentence = "X-Request-Id: a name for the request, the same in logs and in the answer."});
  v.value("via", c.via, ViaName{}, {.sentence = "What weir calls itself in Via, both ways; `off`: no Via."});
}

template <class V>
void describe(V& v, PoolConfig& c) {
  v.value("idle", c.idle, Count<uint32_t>{0, range::idle_connections_max},
          {.sentence = "Connections kept open without a request, for each endpoint on each worker; 0: none."});
  v.value("idle_timeout", c.idle_timeout, Time{range::short_wait_min, range::long_wait_max},
          {.sentence = "How long such a one is kept; less than the origin does."});
  v.value("max_requests", c.max_requests, Count<uint32_t>{0, range::requests_max},
          {.sentence = "Requests of one connection; 0: any number."});
}

template <class V>
void describe(V& v, RetryConfig& c) {
  v.values(
      "on", c.on, RetryReason{},
      {.sentence = "What is tried again on another endpoint, where it is safe: `connect`: it could not be reached; "
                   "`reset`: it closed before it answered; `timeout`: no answer began in time; or a status."});
  v.value("backoff", c.backoff, Time{range::short_wait_min, range::short_wait_max, Zero::allowed},
          {.sentence = "The wait before the second retry, doubled each time and jittered; 0: none."});
  v.value("backoff_max", c.backoff_max, Time{range::short_wait_min, range::short_wait_max},
          {.sentence = "The longest such wait."});
  v.value("budget", c.budget, Count<uint32_t>{0, 100}, {.sentence = "Retries per hundred requests, at the most."});
  v.value("budget_min", c.budget_min, Count<uint32_t>{0, range::budget_min_max},
          {.sentence = "Retries per second that are allowed in any case, over all workers."});
}

template <class V>
void describe(V& v, StickyConfig& c) {
  v.value("by", c.by, OneOf<StickyBy>{},
          {.sentence = "How a client finds back to its endpoint: by a `cookie` of weir's, by a session that weir has "
                       "`learned` from the origin's, or by `client_ip`."});
  v.value("cookie", c.cookie, Token{"the name of a cookie"}, {.sentence = "By cookie: its name."});
  v.value("indirect", c.indirect, Boolean{}, {.sentence = "By cookie: the origin does not see it."});
  v.value("no_cache", c.no_cache, Boolean{},
          {.sentence = "By cookie: an answer that sets it is `Cache-Control: private`."});
  v.value("secure", c.secure, Boolean{}, {.sentence = "By cookie: only for HTTPS."});
  v.value("http_only", c.http_only, Boolean{}, {.sentence = "By cookie: scripts do not see it."});
  v.value("same_site", c.same_site, OneOf<SameSite>{},
          {.sentence = "By cookie: its SameSite; `none` needs `secure`, `unset` leaves it to the browser."});
  v.value("domain", c.domain, CookieDomain{}, {.sentence = "By cookie: its domain.", .otherwise = "the host alone"});
  v.value("path", c.path, CookiePath{}, {.sentence = "By cookie: its path."});
  v.value("max_age", c.max_age, Time{range::cookie_age_min, range::long_wait_max, Zero::allowed},
          {.sentence = "By cookie: how long browsers keep it, in whole seconds; 0: until they are closed."});
  v.value("secret", c.secret, Secret{},
          {.sentence = "By cookie: what its values are made with, so that nobody can make one up.",
           .otherwise = "a random one at each start; then no cookie survives a restart, or fits another node"});
  v.value("source", c.source, Inherited{KeyFrom{KeyFrom::Use::session}},
          {.sentence = "Learned: where requests name their session.", .otherwise = "required with `by: learned`"});
  v.value("learn", c.learn, Inherited{KeyFrom{KeyFrom::Use::session}},
          {.sentence = "Learned: where an answer names a session first (`cookie:` is its Set-Cookie).",
           .otherwise = "as `source`"});
  v.value("ttl", c.ttl, Time{range::cookie_age_min, range::long_wait_max},
          {.sentence = "Learned and client_ip: what is not used for so long is forgotten."});
  v.value("entries", c.entries, Count<uint32_t>{range::stick_entries_min, range::stick_entries_max},
          {.sentence = "Learned and client_ip: how many are remembered, in 16 bytes each; rounded up to a power of "
                       "two."});
}

template <class V>
void describe(V& v, AccessLogConfig& c) {
  v.value("to", c.to, LogTarget{},
          {.sentence = "Where a line for each request goes: a file, `stdout`, `syslog` (the local /dev/log), or a "
                       "socket that takes datagrams.",
           .required = true});
  v.value("format", c.format, OneOf<AccessLogFormat>{},
          {.sentence = "One JSON object a line, or the combined format of Apache and nginx."});
  v.value("mode", c.mode, FileMode{}, {.sentence = "The permissions of a file that weir creates."});
  v.value("queue", c.queue, Size{range::access_queue_min, range::access_queue_max},
          {.sentence = "Memory of each worker for lines not yet written, a power of two; what does not fit is counted "
                       "and lost."});
}

}  // namespace weir::config
