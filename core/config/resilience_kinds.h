// The kinds of health and resilience: what probes send and expect, what is run and called, and whom a limit counts.
// What a kind is: kinds.h. As with those of HTTP, what passes is fit to be sent as it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/http_kinds.h"
#include "core/config/kinds.h"
#include "core/config/resilience_config.h"

namespace weir::config {

// A row of probe_kind_choices; those that belong elsewhere, or are not there yet, are known by name.
struct ProbeWord {
  std::optional<Mistake> read(std::string_view text, ProbeKind& out) const;
  std::string show(ProbeKind value) const { return std::string{name_of(value)}; }
  ValueType type() const { return OneOf<ProbeKind>{}.type(); }
};

// Any bytes, of a bounded number: what is sent, or looked for in an answer. `what` is what messages call it.
struct Bytes {
  std::string_view what;
  size_t bytes_max;

  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

// The method of a probe: any but CONNECT.
struct ProbeMethod {
  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const { return MethodName{}.type(); }
};

// What a probe asks for: a path, and perhaps a query.
struct RequestTarget {
  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

// As a Host says it: a host, and perhaps a port.
struct Authority {
  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

// The name that a certificate is asked for, and compared with.
struct ServerName {
  std::optional<Mistake> read(std::string_view text, std::string& out) const;
  std::string show(const std::string& value) const { return value; }
  ValueType type() const;
};

// One more status, or a range of them. `read` adds it.
struct Statuses {
  std::optional<Mistake> read(std::string_view text, std::vector<StatusRange>& out) const;
  std::string show(const std::vector<StatusRange>& value) const;
  ValueType type() const;
};

// `on` or `off`.
struct Switch {
  std::optional<Mistake> read(std::string_view text, bool& out) const;
  std::string show(bool value) const { return value ? "on" : "off"; }
  ValueType type() const { return words_type({"off", "on"}); }
};

// One more word of a command: first a program by its absolute path, then its arguments. No shell reads them.
struct CommandWord {
  std::optional<Mistake> read(std::string_view text, std::vector<std::string>& out) const;
  std::string show(const std::vector<std::string>& value) const;
  ValueType type() const;
};

// An http:// or https:// address that gets messages. Never repeated in a message, since whoever knows it may use it.
struct Webhook {
  std::optional<Mistake> read(std::string_view text, WebhookUrl& out) const;
  std::string show(const WebhookUrl& /*value*/) const { return ""; }
  ValueType type() const;
};

// Whom a limit counts together: as KeyFrom, or the word `all`, which is no key.
struct RateKey {
  std::optional<Mistake> read(std::string_view text, std::optional<KeySource>& out) const;
  std::string show(const std::optional<KeySource>& value) const;
  ValueType type() const;
};

}  // namespace weir::config
