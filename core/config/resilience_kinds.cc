#include "core/config/resilience_kinds.h"

#include <algorithm>

#include "core/config/characters.h"

namespace weir::config {
namespace {

constexpr size_t target_bytes_max = 4096;
constexpr size_t word_bytes_max = 4096;
constexpr size_t words_max = 64;
constexpr uint16_t status_min = 200;  // what comes before is no answer yet
constexpr uint16_t status_max = 599;
constexpr uint16_t http_port = 80;
constexpr uint16_t https_port = 443;
constexpr std::string_view http_scheme = "http://";
constexpr std::string_view https_scheme = "https://";

constexpr std::string_view target_pattern = "/[!-\"$-~]*";  // visible, no `#`
constexpr std::string_view authority_pattern = "([-A-Za-z0-9._]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]+)?";
constexpr std::string_view status_range_pattern = "[2-5][0-9][0-9](-[2-5][0-9][0-9])?";
constexpr std::string_view url_pattern = "https?://[^/?#]+(/[!-\"$-~]*)?";

std::optional<Mistake> too_long(std::string_view what, size_t bytes, size_t bytes_max) {
  if (bytes <= bytes_max) return std::nullopt;
  return Mistake{std::string{what} + " is longer than " + std::to_string(bytes_max) + " bytes", "use a shorter one"};
}

// "[::1]:8080" taken apart; the host keeps its brackets.
struct HostAndPort {
  std::string host;
  uint16_t port = 0;  // 0: none was written
};

// `whole` is what messages repeat.
std::optional<Mistake> read_host_and_port(std::string_view text, std::string_view whole, HostAndPort& out) {
  const size_t bracket = text.starts_with('[') ? std::min(text.find(']'), text.size()) : 0;
  const size_t colon = text.find(':', bracket);
  if (colon != std::string_view::npos && bracket == 0 && text.find(':', colon + 1) != std::string_view::npos) {
    return Mistake{std::string{whole} + " has no host that could be told from its port",
                   "an IPv6 address is written in brackets: \"[::1]\""};
  }
  if (text.empty() || colon == 0) return Mistake{std::string{whole} + " has no host", "write one: `example.com`"};
  const std::string_view host = text.substr(0, colon);
  if (host.find('*') != std::string_view::npos) {
    return Mistake{std::string{whole} + " names many hosts", "name one, without `*`"};
  }
  HostAndPort result;
  if (auto mistake = HostPattern{}.read(host, result.host)) return mistake;
  if (colon != std::string_view::npos) {
    if (Port{}.read(text.substr(colon + 1), result.port)) {
      return Mistake{std::string{whole} + " has no port behind its `:`", "write a number from 1 to 65535, or no `:`"};
    }
  }
  out = std::move(result);
  return std::nullopt;
}

bool is_ipv4(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

// Three digits in range; none if it is no such number.
std::optional<uint16_t> read_status(std::string_view text) {
  const auto number = read_count(text);
  if (!number || *number < status_min || *number > status_max) return std::nullopt;
  return static_cast<uint16_t>(*number);
}

std::string show_range(const StatusRange& range) {
  const std::string first = std::to_string(range.first);
  return range.first == range.last ? first : first + "-" + std::to_string(range.last);
}

}  // namespace

std::optional<Mistake> ProbeWord::read(std::string_view text, ProbeKind& out) const {
  if (text == "grpc") {
    return Mistake{"`grpc` probes speak HTTP/2, which weir does not speak yet", "write `tcp`, `http` or `exec`"};
  }
  if (text == "agent") {
    return Mistake{"an agent is asked beside the probes, and not by one",
                   "write `agent: {port: 9707}` beside `health`"};
  }
  if (text == "https") return Mistake{"`https` is a probe by `http`", "write `probe: http` and `http: {tls: on}`"};
  return OneOf<ProbeKind>{}.read(text, out);
}

std::optional<Mistake> Bytes::read(std::string_view text, std::string& out) const {
  if (auto mistake = too_long(what, text.size(), bytes_max)) return mistake;
  out = text;
  return std::nullopt;
}

ValueType Bytes::type() const {
  ValueType type{"text, at most " + size_to_text(bytes_max) + (bytes_max < 1024 ? " bytes" : ""), {}, "", std::nullopt};
  type.text = true;
  return type;
}

std::optional<Mistake> ProbeMethod::read(std::string_view text, std::string& out) const {
  if (text == "CONNECT") return Mistake{"CONNECT opens a tunnel and asks nothing", "write `HEAD` or `GET`"};
  return MethodName{}.read(text, out);
}

std::optional<Mistake> RequestTarget::read(std::string_view text, std::string& out) const {
  if (auto mistake = too_long("this path", text.size(), target_bytes_max)) return mistake;
  if (!text.starts_with('/')) {
    const bool is_url = text.find("://") != std::string_view::npos;
    return Mistake{quoted(text) + " is not a path",
                   is_url ? "write the path alone: the host is said by `host`" : "a path begins with `/`"};
  }
  if (text.find('#') != std::string_view::npos) {
    return Mistake{quoted(text) + " is more than a path", "a `#` never reaches a server"};
  }
  if (!std::all_of(text.begin(), text.end(), is_visible_ascii)) {
    return Mistake{quoted(text) + " cannot be a path as it is sent", "write spaces and the like as %20"};
  }
  out = text;
  return std::nullopt;
}

ValueType RequestTarget::type() const {
  return {"path, begins with `/`; with its query", {}, std::string{target_pattern}, std::nullopt};
}

std::optional<Mistake> Authority::read(std::string_view text, std::string& out) const {
  HostAndPort parts;
  if (auto mistake = read_host_and_port(text, quoted(text), parts)) return mistake;
  out = parts.host;
  if (parts.port != 0) out += ":" + std::to_string(parts.port);
  return std::nullopt;
}

ValueType Authority::type() const {
  return {"host, as `example.com` or `example.com:8080`", {}, std::string{authority_pattern}, std::nullopt};
}

std::optional<Mistake> ServerName::read(std::string_view text, std::string& out) const {
  HostAndPort parts;
  if (auto mistake = read_host_and_port(text, quoted(text), parts)) return mistake;
  if (parts.port != 0) return Mistake{quoted(text) + " has a port", "certificates name hosts alone; remove it"};
  if (parts.host.starts_with('[') || is_ipv4(parts.host)) {
    return Mistake{quoted(text) + " is an address, and no name", "remove it: without it the address itself counts"};
  }
  out = parts.host;
  return std::nullopt;
}

ValueType ServerName::type() const {
  return {"name, as `example.com`", {}, "[-A-Za-z0-9._]+", std::nullopt};
}

std::optional<Mistake> Statuses::read(std::string_view text, std::vector<StatusRange>& out) const {
  const size_t dash = text.find('-');
  const auto first = read_status(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : read_status(text.substr(dash + 1));
  if (!first || !last) {
    const bool numbers =
        read_count(text.substr(0, dash)) && (dash == std::string_view::npos || read_count(text.substr(dash + 1)));
    return Mistake{quoted(text) + (numbers ? " is out of range" : " is neither a status nor a range of them"),
                   "write statuses from 200 to 599: `204`, or `200-399`"};
  }
  if (*first > *last) {
    return Mistake{quoted(text) + " goes backwards", "write " + quoted(show_range({*last, *first}))};
  }
  for (const StatusRange& other : out) {
    if (*first > other.last || *last < other.first) continue;
    const bool same = other == StatusRange{*first, *last};
    return Mistake{quoted(text) + (same ? " stands here twice" : " overlaps with " + quoted(show_range(other))),
                   "name each status once"};
  }
  out.push_back({*first, *last});
  return std::nullopt;
}

std::string Statuses::show(const std::vector<StatusRange>& value) const {
  std::string text;
  for (const StatusRange& range : value) text += (text.empty() ? "" : ", ") + show_range(range);
  return text;
}

ValueType Statuses::type() const {
  return {"status, 200 to 599, or range, as `200-399`",
          {},
          std::string{status_range_pattern},
          ValueType::Range{status_min, status_max}};
}

std::optional<Mistake> Switch::read(std::string_view text, bool& out) const {
  if (text == "on" || text == "off") {
    out = text == "on";
    return std::nullopt;
  }
  return Mistake{quoted(text) + " is not known here", "write `on` or `off`"};
}

std::optional<Mistake> CommandWord::read(std::string_view text, std::vector<std::string>& out) const {
  if (text.find('\0') != std::string_view::npos) return Mistake{"a command cannot hold a NUL byte", "remove it"};
  if (out.size() >= words_max) {
    return Mistake{"this command has more than " + std::to_string(words_max) + " words", "put it into a script"};
  }
  if (auto mistake = too_long("this word", text.size(), word_bytes_max)) return mistake;
  if (out.empty()) {
    if (text.find(' ') != std::string_view::npos) {
      return Mistake{quoted(text) + " is more than a program",
                     "no shell reads it; write each word for itself: `[/usr/bin/program, argument]`"};
    }
    if (!text.starts_with('/') || text.ends_with('/')) {
      return Mistake{quoted(text) + " is not the path of a program",
                     "write it in full: `/usr/bin/program`; no `PATH` is searched"};
    }
  }
  out.emplace_back(text);
  return std::nullopt;
}

std::string CommandWord::show(const std::vector<std::string>& value) const {
  std::string text;
  for (const std::string& word : value) text += (text.empty() ? "" : ", ") + word;
  return text;
}

ValueType CommandWord::type() const {
  ValueType type{"program by its full path, then its arguments", {}, "", std::nullopt};
  type.text = true;
  return type;
}

std::optional<Mistake> Webhook::read(std::string_view text, WebhookUrl& out) const {
  WebhookUrl url;
  url.tls = text.starts_with(https_scheme);
  if (!url.tls && !text.starts_with(http_scheme)) {
    return Mistake{"this is no address of a webhook", "it begins with `http://` or `https://`"};
  }
  const std::string_view behind = text.substr(url.tls ? https_scheme.size() : http_scheme.size());
  const size_t end = std::min(behind.find_first_of("/?#"), behind.size());
  const std::string_view authority = behind.substr(0, end);
  if (authority.find('@') != std::string_view::npos) {
    return Mistake{"this address names a user, and weir sends no passwords",
                   "remove all up to the `@`; a secret may stand in the path"};
  }
  HostAndPort parts;
  if (auto mistake = read_host_and_port(authority, "this address", parts)) return mistake;
  if (end < behind.size() && behind[end] == '#') {
    return Mistake{"this address has a `#` in it", "what is behind it never reaches a server; remove it"};
  }
  url.target = behind.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");  // nothing, or a query alone
  std::string target;
  if (url.target.find('#') != std::string::npos) {
    return Mistake{"this address has a `#` in it", "what is behind it never reaches a server; remove it"};
  }
  if (RequestTarget{}.read(url.target, target)) {
    return Mistake{"this address cannot be sent as it is",
                   "write spaces and the like as %20; it has at most " + std::to_string(target_bytes_max) + " bytes"};
  }
  const uint16_t usual = url.tls ? https_port : http_port;
  url.port = parts.port == 0 ? usual : parts.port;
  url.authority = parts.host + (url.port == usual ? "" : ":" + std::to_string(url.port));
  const bool brackets = parts.host.starts_with('[');
  url.host = brackets ? parts.host.substr(1, parts.host.size() - 2) : parts.host;
  out = std::move(url);
  return std::nullopt;
}

ValueType Webhook::type() const {
  return {"`https://host/path`, or with `http://`", {}, std::string{url_pattern}, std::nullopt};
}

std::optional<Mistake> RateKey::read(std::string_view text, std::optional<KeySource>& out) const {
  if (text == "all") {
    out.reset();
    return std::nullopt;
  }
  KeySource source;
  auto mistake = KeyFrom{KeyFrom::Use::limit}.read(text, source);
  if (!mistake) out = std::move(source);
  if (mistake && text.find(':') == std::string_view::npos) mistake->fix += ", or `all`";
  return mistake;
}

std::string RateKey::show(const std::optional<KeySource>& value) const {
  return value ? KeyFrom{KeyFrom::Use::limit}.show(*value) : "all";
}

ValueType RateKey::type() const {
  ValueType type = KeyFrom{KeyFrom::Use::limit}.type();
  type.summary = "`all`, " + type.summary;
  type.words.insert(type.words.begin(), "all");
  return type;
}

}  // namespace weir::config
