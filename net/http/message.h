// Messages: what the head of a request or of an answer says, whatever the HTTP version it came in.
//
// Values, views into the bytes they were parsed from (or constants). Any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "net/http/field.h"

namespace weir::http {

enum class Method : uint8_t { get, head, post, put, delete_, options, trace, connect, patch, other };

Method method_of(std::string_view text) noexcept;  // methods are case-sensitive
// Asking twice is like asking once (RFC 9110 section 9.2.2), so that a proxy may.
constexpr bool is_idempotent(Method method) noexcept {
  return method != Method::post && method != Method::patch && method != Method::connect && method != Method::other;
}

enum class Refusal : uint8_t {
#define REFUSAL(name, status, sentence) name,
#include "net/http/refusals.def"
#undef REFUSAL
};
std::string_view name_of(Refusal refusal) noexcept;
std::string_view sentence_of(Refusal refusal) noexcept;
uint16_t status_of(Refusal refusal) noexcept;

// How the end of a body is known.
enum class Framing : uint8_t { none, length, chunked, until_close };

enum class TargetForm : uint8_t { origin, absolute, authority, asterisk };

struct RequestHead {
  Method method = Method::other;
  std::string_view method_text;
  TargetForm form = TargetForm::origin;
  std::string_view target;     // as it was written
  std::string_view authority;  // host and port, from the target if it names one, or else from Host; "" in HTTP/1.0
  std::string_view host;       // of it, without the port; an IPv6 address with its brackets
  // Of the target, beginning with a slash; "" with authority. An absolute target without a path has "/". "*" with
  // asterisk, and for OPTIONS of an absolute target that has neither path nor query (RFC 9112 section 3.2.4).
  std::string_view path;
  std::string_view query;  // behind the question mark
  bool has_query = false;
  uint8_t minor_version = 1;  // of HTTP/1
  Framing framing = Framing::none;
  uint64_t content_length = 0;    // with Framing::length; below 2^63
  bool keep_alive = true;         // the client wants the connection to go on
  bool upgrade = false;           // Connection names `upgrade`, there is an Upgrade, and the version is 1.1
  bool expects_continue = false;  // Expect: 100-continue, in HTTP/1.1
  bool accepts_trailers = false;  // TE: trailers
  Fields fields;
};

struct AnswerHead {
  uint16_t status = 0;
  std::string_view reason;
  uint8_t minor_version = 1;
  Framing framing = Framing::none;
  // With Framing::length; for HEAD and 304 what is announced, with Framing::none. Below 2^63. Other answers that have
  // no body have no length either: a Content-Length in them is marked as not to be passed on.
  uint64_t content_length = 0;
  bool has_content_length = false;
  bool keep_alive = true;  // the origin lets the connection go on
  bool upgrade = false;    // Connection names `upgrade` and there is an Upgrade
  Fields fields;

  bool interim() const noexcept { return status >= 100 && status < 200; }
};

// "Not Found"; "" for a status that has no name.
std::string_view reason_of(uint16_t status) noexcept;

}  // namespace weir::http
