// The kinds of HTTP: names, hosts, paths, regular expressions, header lines and the like. What a kind is: kinds.h.
//
// What passes a kind is fit to be sent as it is: no line end, no control character and no name that frames a message
// comes through, also not from a variable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/characters.h"
#include "core/config/http_config.h"
#include "core/config/kinds.h"
#include "core/config/templates.h"

namespace weir::config {

enum class HeadOf : uint8_t { request, answer };

// The name of a header, a cookie or the like: an RFC 9110 token. `what` is what messages call it.
struct Token {
  std::string_view what;

  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

// A header that a rule may change: not those that say where a message ends or how a connection is used.
struct RuledHeader {
  HeadOf head;

  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  static bool same(const std::string& a, const std::string& b) { return lower_case(a) == lower_case(b); }
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

// "Name: value", where the value is a template. `read` adds it; with `once` no name comes twice.
struct HeaderLine {
  HeadOf head;
  bool once;

  std::optional<Mistake> read(std::string_view text, std::vector<HeaderLineConfig>& out) const;
  std::string show(const std::vector<HeaderLineConfig>& value) const;
  ValueType type() const;
  // Unquoted, YAML reads a line as a mapping.
  static Mistake if_mapping() { return {"a mapping stands where a line belongs", "quote it: `\"Name: value\"`"}; }
};

struct Template {
  TemplatePlace place;

  std::optional<Mistake> read(std::string_view text, TemplateText& out) const;
  std::string show(const TemplateText& value) const { return template_to_text(value); }
  ValueType type() const;
};

struct MethodName {
  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

// "example.com", "*.example.com", "[::1]"; kept in lower case, without a dot at the end.
struct HostPattern {
  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

// A path as it is sent: "/a/b%20c", without a query.
struct PathText {
  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

// RE2.
struct Regex {
  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

// One line of text that is compared or sent, of a bounded length. `what` is what messages call it.
struct Text {
  std::string_view what;
  size_t bytes_min;
  size_t bytes_max;

  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

// The body of an answer: any bytes.
struct Body {
  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

struct MediaType {
  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

struct RedirectStatus {
  std::optional<Mistake> read(std::string_view text, uint16_t& out) const;
  std::string show(uint16_t value) const { return std::to_string(value); }
  ValueType type() const;
};

// A share of requests with up to four decimals, kept as parts of a million.
struct Percent {
  std::optional<Mistake> read(std::string_view text, uint32_t& parts) const;
  std::string show(uint32_t parts) const;
  ValueType type() const;
};

// "cookie:NAME" and "header:NAME"; for a split also "query:NAME", "client_ip" and "random"; for hashing also
// "client_address" and "path", but not "random"; for a limit as for a split, but not "random".
struct KeyFrom {
  enum class Use : uint8_t { split, session, hash, limit };
  Use use;

  std::optional<Mistake> read(std::string_view text, KeySource& out) const;
  std::string show(const KeySource& value) const;
  ValueType type() const;
};

// One more reason to try again: a word, or a status. `read` adds it.
struct RetryReason {
  std::optional<Mistake> read(std::string_view text, RetryOn& out) const;
  std::string show(const RetryOn& value) const;
  ValueType type() const;
};

// One more block of client addresses. `read` adds it.
struct ClientBlock {
  std::optional<Mistake> read(std::string_view text, CidrSet& out) const;
  std::string show(const CidrSet& value) const;
  ValueType type() const;
};

// The name weir has in Via; "off" is none, kept as "".
struct ViaName {
  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value.empty() ? "off" : value; }
  ValueType type() const;
};

// Attributes of a cookie that weir sets.
struct CookieDomain {
  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};
struct CookiePath {
  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

// Never shown, and never repeated in a message.
struct Secret {
  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& /*value*/) const { return ""; }
  ValueType type() const;
};

// Where an access log goes: a path, `stdout`, `syslog`, or `unix:/path`.
struct LogTarget {
  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

}  // namespace weir::config
