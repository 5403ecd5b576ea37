#include "health/http_probe.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "core/base/assert.h"
#include "health/in_quotes.h"
#include "net/http/field.h"
#include "net/http/message.h"
#include "net/http1/head_writer.h"

namespace weir {
namespace {

constexpr std::string_view user_agent = "weir-health";

// Their requests have a body by their meaning, so one that has none says so (RFC 9110 section 8.6).
constexpr bool has_body(http::Method method) noexcept {
  return method == http::Method::post || method == http::Method::put || method == http::Method::patch;
}

bool names_user_agent(const HttpTarget& target) {
  return std::any_of(target.headers.begin(), target.headers.end(),
                     [](const auto& field) { return http::equals_ignoring_case(field.first, "user-agent"); });
}

// As much of an answer as the check may want: chunks of a few bytes each have more framing than body.
size_t hear_max(const HttpTarget& target) {
  return HttpCheck::heads_bytes_max + (target.expected.body.empty() ? 0 : size_t{4} * HttpCheck::body_bytes_max);
}

}  // namespace

std::string request_of(const HttpTarget& target) {
  constexpr size_t ours_max = 256;
  constexpr size_t around_field = 4;  // ": " and CRLF
  size_t size = ours_max + target.method.size() + target.path.size() + target.host.size();
  for (const auto& [name, value] : target.headers) size += name.size() + value.size() + around_field;

  std::string request(size, '\0');
  http1::HeadWriter writer{std::as_writable_bytes(std::span{request})};
  writer.request_line(target.method, target.path);
  writer.field("Host", target.host);
  if (!names_user_agent(target)) writer.field("User-Agent", user_agent);
  for (const auto& [name, value] : target.headers) writer.field(name, value);
  if (has_body(http::method_of(target.method))) writer.field("Content-Length", uint64_t{0});
  writer.field("Connection", "close");
  writer.end_of_head();
  WEIR_ASSERT(!writer.overflowed());
  request.resize(writer.size());
  return request;
}

HttpProbe::HttpProbe(const ProbeContext& context, HttpTarget target, OnCheck on_check)
    : target_(std::move(target)),
      request_(request_of(target_)),
      on_check_(std::move(on_check)),
      check_(http::method_of(target_.method), target_.expected),
      conversation_(context, *this) {}

void HttpProbe::ask() {
  check_.begin();
  conversation_.begin(
      {target_.address, request_, hear_max(target_), target_.timeout, target_.tls.get(), target_.server_name});
}

void HttpProbe::give_up() {
  conversation_.give_up();
}

bool HttpProbe::is_enough(std::string_view heard, bool ended) {
  return (!heard.empty() || ended) && check_.read(heard, ended);
}

void HttpProbe::conversation_over() {
  round_over();
}

std::string HttpProbe::reason() const {
  const auto& failure = conversation_.failure();
  if (!failure) return check_.reason();
  // The status was well, or that would have been enough.
  if (failure->kind == ProbeFailure::Kind::silent && check_.status()) {
    return "status " + std::to_string(*check_.status()) + ", but the body did not contain " +
           in_quotes(target_.expected.body) + " in time";
  }
  return describe(*failure);
}

void HttpProbe::report() {
  const std::string why = reason();
  const CheckReport made{why.empty(), why, conversation_.took()};
  conversation_.forget();
  on_check_(id(), made);
}

}  // namespace weir
