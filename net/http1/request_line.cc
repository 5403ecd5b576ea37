#include "net/http1/request_line.h"

#include "net/http/authority.h"
#include "net/http1/scan.h"
#include "net/http1/version.h"

namespace weir::http1 {
namespace {

using http::Method;
using http::Refusal;
using http::TargetForm;

// The longest registered method has 17 characters (RFC 9110 section 16.1.1 and the IANA registry).
constexpr ptrdiff_t method_bytes_max = 32;

std::string_view text_between(const char* begin, const char* end) noexcept {
  return {begin, static_cast<size_t>(end - begin)};
}

bool read_method(Reader& line, http::RequestHead& out) noexcept {
  const char* const begin = line.at;
  // The end of a word that is too long is not looked for: its next byte decides.
  const bool cut = line.end - begin > method_bytes_max;
  line.at = end_of_token(begin, cut ? begin + method_bytes_max + 1 : line.end);
  if (line.at - begin > method_bytes_max) return line.refuse(Refusal::method_unknown);
  if (line.at == line.end) return line.out_of_bytes();
  if (*line.at != ' ' || line.at == begin) {
    return line.refuse_here(Refusal::request_line_malformed, Refusal::method_malformed);
  }
  out.method_text = text_between(begin, line.at);
  out.method = http::method_of(out.method_text);
  ++line.at;
  return true;
}

bool read_target(Reader& line, http::RequestHead& out) noexcept {
  const char* const begin = line.at;
  line.at = end_of_target(begin, line.end);
  if (line.at == line.end) return line.out_of_bytes();
  if (*line.at != ' ') return line.refuse_here(Refusal::request_line_malformed, Refusal::target_malformed);
  if (line.at == begin) return line.refuse(Refusal::request_line_malformed);  // two spaces
  out.target = text_between(begin, line.at);
  ++line.at;
  return true;
}

// What follows the target and is no version is, when it is nothing or a space, a mistake of the line.
bool read_version_of_line(Reader& line, Version& version) noexcept {
  if (line.at != line.end && (*line.at == ' ' || *line.at == '\r')) {
    return line.refuse_here(Refusal::request_line_malformed, Refusal::request_line_malformed);
  }
  return read_version(line, version);
}

// `?` and what is behind it is the query; in front of it is the path.
void split_path(std::string_view text, http::RequestHead& out) noexcept {
  const size_t mark = text.find('?');
  out.path = text.substr(0, mark);
  out.has_query = mark != std::string_view::npos;
  out.query = out.has_query ? text.substr(mark + 1) : std::string_view{};
}

// The bytes in front of the authority of `http://` and `https://`; 0 for anything else.
size_t scheme_size(std::string_view target) noexcept {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (http::equals_ignoring_case(target.substr(0, scheme.size()), scheme)) return scheme.size();
  }
  return 0;
}

bool interpret_absolute(http::RequestHead& out) noexcept {
  const size_t authority_at = scheme_size(out.target);
  if (authority_at == 0) return false;
  const size_t path_at = std::min(out.target.find_first_of("/?", authority_at), out.target.size());
  http::Authority authority;
  out.form = TargetForm::absolute;
  out.authority = out.target.substr(authority_at, path_at - authority_at);
  if (!http::parse_authority(out.authority, authority)) return false;  // user information has an `@`, which no host has
  out.host = authority.host;
  split_path(out.target.substr(path_at), out);
  if (out.path.empty()) out.path = out.method == Method::options && !out.has_query ? "*" : "/";
  return true;
}

bool interpret_authority(http::RequestHead& out) noexcept {
  http::Authority authority;
  out.form = TargetForm::authority;
  out.authority = out.target;
  if (!http::parse_authority(out.target, authority) || !authority.has_port) return false;
  out.host = authority.host;
  return true;
}

}  // namespace

bool read_request_line(Reader& reader, uint32_t line_bytes_max, http::RequestHead& out) noexcept {
  out.method_text = {};
  out.target = {};
  if (reader.at == reader.end) return reader.out_of_bytes();
  if (*reader.at == '\r' || *reader.at == '\n') {
    if (!reader.take_line_end(Refusal::request_line_malformed)) return false;
  }
  Reader line = reader.for_line(line_bytes_max, Refusal::request_line_too_long);
  Version version;
  if (!read_method(line, out) || !read_target(line, out) || !read_version_of_line(line, version)) {
    return reader.refuse(line.outcome().refusal);
  }
  reader.at = line.at;
  const bool space = reader.at != reader.end && *reader.at == ' ';
  if (!reader.take_line_end(space ? Refusal::request_line_malformed : Refusal::version_malformed)) return false;
  out.minor_version = static_cast<uint8_t>(version.minor - '0');
  return version.supported() || reader.refuse(Refusal::version_unsupported);
}

bool interpret_target(http::RequestHead& out) noexcept {
  out.authority = {};
  out.host = {};
  out.path = {};
  out.query = {};
  out.has_query = false;
  if (out.method == Method::connect) return interpret_authority(out);
  if (out.target.front() == '/') {
    out.form = TargetForm::origin;
    split_path(out.target, out);
    return true;
  }
  if (out.target == "*") {
    out.form = TargetForm::asterisk;
    out.path = out.target;
    return out.method == Method::options;
  }
  return interpret_absolute(out);
}

bool host_agrees(const http::RequestHead& head, std::string_view host) noexcept {
  http::Authority of_target;
  http::Authority of_host;
  if (!http::parse_authority(head.authority, of_target) || !http::parse_authority(host, of_host)) return false;
  // The fifth letter tells `https` from `http`. CONNECT has no default port, so a Host without one says nothing of it.
  const bool is_https = head.form == TargetForm::absolute && head.target[4] != ':';
  const uint16_t preset = head.form == TargetForm::authority ? of_target.port : is_https ? 443 : 80;
  return http::equals_ignoring_case(of_target.host, of_host.host) &&
         of_target.port_or(preset) == of_host.port_or(preset);
}

}  // namespace weir::http1
