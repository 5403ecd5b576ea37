// The kinds of policies: statuses, shares, keys, retries, cookies that weir sets, and where a log goes.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "core/config/characters.h"
#include "core/config/http_kinds.h"

namespace weir::config {
namespace {

constexpr std::array<uint16_t, 5> redirect_statuses{301, 302, 303, 307, 308};
constexpr uint32_t parts_per_percent = 10'000;
constexpr size_t decimals_max = 4;
constexpr uint64_t percent_max = 100;
constexpr uint16_t too_many_requests = 429;
constexpr size_t secret_bytes_min = 16;
constexpr size_t secret_bytes_max = 1024;
constexpr size_t via_bytes_max = 64;
constexpr size_t cookie_domain_bytes_max = 253;
constexpr size_t cookie_path_bytes_max = 1024;
constexpr size_t log_path_bytes_max = 4095;
constexpr size_t socket_path_bytes_max = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::string_view unix_prefix = "unix:";
constexpr std::string_view token_characters = "[-A-Za-z0-9!#$%&'*+.^_`|~]";

struct WordSource {
  std::string_view word;
  KeySource::Kind kind;
};
constexpr std::array word_sources{
    WordSource{"random", KeySource::Kind::random},
    WordSource{"client_ip", KeySource::Kind::client_ip},
    WordSource{"client_address", KeySource::Kind::client_address},
    WordSource{"path", KeySource::Kind::path},
};

struct NamedSource {
  std::string_view prefix;
  KeySource::Kind kind;
  std::string_view what;
};
constexpr std::array named_sources{
    NamedSource{"header:", KeySource::Kind::header, "the name of a header"},
    NamedSource{"cookie:", KeySource::Kind::cookie, "the name of a cookie"},
    NamedSource{"query:", KeySource::Kind::query, "the name of a parameter"},
};

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "12.5" in parts of a million; none if it is no such number, or has more decimals than are kept.
std::optional<uint64_t> read_parts(std::string_view text) {
  const size_t point = std::min(text.find('.'), text.size());
  std::string decimals{text.substr(std::min(point + 1, text.size()))};
  if (point < text.size() && decimals.empty()) return std::nullopt;
  if (point == 0 || point > 3 || decimals.size() > decimals_max) return std::nullopt;
  if (!all_digits(text.substr(0, point)) || !all_digits(decimals)) return std::nullopt;
  decimals.resize(decimals_max, '0');
  return std::stoull(std::string{text.substr(0, point)}) * parts_per_percent + std::stoull(decimals);
}

std::string known_statuses() {
  std::string text;
  for (const uint16_t status : redirect_statuses) text += (text.empty() ? "" : ", ") + std::to_string(status);
  return text;
}

// By use: the words and the named sources it takes.
bool takes(KeyFrom::Use use, KeySource::Kind kind) {
  switch (kind) {
    case KeySource::Kind::random: return use == KeyFrom::Use::split;
    case KeySource::Kind::client_ip:
    case KeySource::Kind::query: return use != KeyFrom::Use::session;
    case KeySource::Kind::client_address:
    case KeySource::Kind::path: return use == KeyFrom::Use::hash;
    case KeySource::Kind::header:
    case KeySource::Kind::cookie: return true;
  }
  return false;
}

// "`cookie:NAME` or `header:NAME`"
std::string alternatives(KeyFrom::Use use) {
  std::vector<std::string> all;
  for (const WordSource& word : word_sources) {
    if (takes(use, word.kind)) all.push_back(quoted(word.word));
  }
  for (const NamedSource& source : named_sources) {
    if (takes(use, source.kind)) all.push_back(quoted(std::string{source.prefix} + "NAME"));
  }
  std::string text;
  for (size_t i = 0; i < all.size(); ++i) text += (i == 0 ? "" : i + 1 == all.size() ? " or " : ", ") + all[i];
  return text;
}

}  // namespace

std::optional<Mistake> RedirectStatus::read(std::string_view text, uint16_t& out) const {
  for (const uint16_t status : redirect_statuses) {
    if (text != std::to_string(status)) continue;
    out = status;
    return std::nullopt;
  }
  return Mistake{quoted(text) + " is not known here", "a redirect has one of " + known_statuses()};
}

ValueType RedirectStatus::type() const {
  ValueType type{"one of " + known_statuses(), {}, "", std::nullopt};
  type.numbers.assign(redirect_statuses.begin(), redirect_statuses.end());
  return type;
}

std::optional<Mistake> Percent::read(std::string_view text, uint32_t& parts) const {
  std::string_view number = text;
  const auto value = read_parts(number);
  if (!value) {
    if (number.ends_with('%')) {
      number.remove_suffix(1);
      if (read_parts(number))
        return Mistake{quoted(text) + " has a sign too many", "write `" + std::string{number} + "`"};
    }
    return Mistake{quoted(text) + " is not a share", "write a number, with at most four decimals: 10, 0.5"};
  }
  if (*value == 0 || *value > percent_max * parts_per_percent) {
    return Mistake{quoted(text) + " is out of range", "write a number from 0.0001 to 100"};
  }
  parts = static_cast<uint32_t>(*value);
  return std::nullopt;
}

std::string Percent::show(uint32_t parts) const {
  std::string text = std::to_string(parts / parts_per_percent);
  if (parts % parts_per_percent == 0) return text;
  std::string decimals = std::to_string(parts_per_percent + parts % parts_per_percent).substr(1);
  decimals.resize(decimals.find_last_not_of('0') + 1);
  return text + "." + decimals;
}

ValueType Percent::type() const {
  ValueType type{"number, 0.0001 to 100", {}, "", std::nullopt};
  type.decimals = ValueType::Decimals{0.0001, 100};
  return type;
}

std::optional<Mistake> KeyFrom::read(std::string_view text, KeySource& out) const {
  for (const WordSource& word : word_sources) {
    if (text != word.word || !takes(use, word.kind)) continue;
    out = {word.kind, ""};
    return std::nullopt;
  }
  for (const NamedSource& source : named_sources) {
    if (!text.starts_with(source.prefix) || !takes(use, source.kind)) continue;
    std::string name;
    if (auto mistake = Token{source.what}.read(text.substr(source.prefix.size()), name)) return mistake;
    out = {source.kind, std::move(name)};
    return std::nullopt;
  }
  return Mistake{quoted(text) + " is not known here", "write " + alternatives(use)};
}

std::string KeyFrom::show(const KeySource& value) const {
  for (const WordSource& word : word_sources) {
    if (word.kind == value.kind) return std::string{word.word};
  }
  for (const NamedSource& source : named_sources) {
    if (source.kind == value.kind) return std::string{source.prefix} + value.name;
  }
  return "";
}

ValueType KeyFrom::type() const {
  ValueType type{alternatives(use), {}, "", std::nullopt};
  for (const WordSource& word : word_sources) {
    if (takes(use, word.kind)) type.words.emplace_back(word.word);
  }
  for (const NamedSource& source : named_sources) {
    if (!takes(use, source.kind)) continue;
    type.pattern += (type.pattern.empty() ? "(" : "|") + std::string{source.prefix.substr(0, source.prefix.size() - 1)};
  }
  type.pattern += "):" + std::string{token_characters} + "{1,128}";
  return type;
}

std::optional<Mistake> RetryReason::read(std::string_view text, RetryOn& out) const {
  const bool any = out.connect || out.reset || out.timeout || !out.statuses.empty();
  if (out.off || (text == "off" && any)) return Mistake{"`off` stands alone", "remove it, or the other reasons"};
  if (text == "off") {
    out.off = true;
    return std::nullopt;
  }
  const auto take = [&](bool& reason) -> std::optional<Mistake> {
    if (reason) return Mistake{quoted(text) + " stands here twice", "name it once"};
    reason = true;
    return std::nullopt;
  };
  if (text == "connect") return take(out.connect);
  if (text == "reset") return take(out.reset);
  if (text == "timeout") return take(out.timeout);
  if (text.size() == 3 && all_digits(text)) {
    const auto status = static_cast<uint16_t>(std::stoul(std::string{text}));
    if (status != too_many_requests && (status < 500 || status > 599)) {
      return Mistake{quoted(text) + " is out of range", "requests are tried again after 429 and 500 to 599 only"};
    }
    bool seen = std::find(out.statuses.begin(), out.statuses.end(), status) != out.statuses.end();
    if (auto mistake = take(seen)) return mistake;
    out.statuses.push_back(status);
    return std::nullopt;
  }
  static constexpr std::array<std::string_view, 4> words{"connect", "reset", "timeout", "off"};
  const bool near = suggest(text, words).has_value();
  return Mistake{quoted(text) + " is not known here", did_you_mean(text, words) + (near ? "" : ", or a status as 503")};
}

std::string RetryReason::show(const RetryOn& value) const {
  std::string text;
  const auto add = [&](const std::string& item) { text += (text.empty() ? "" : ", ") + item; };
  if (value.connect) add("connect");
  if (value.reset) add("reset");
  if (value.timeout) add("timeout");
  for (const uint16_t status : value.statuses) add(std::to_string(status));
  return text.empty() ? "off" : text;
}

ValueType RetryReason::type() const {
  ValueType type{"`connect`, `reset`, `timeout`, a status (429, 500 to 599), or `off` alone",
                 {"connect", "reset", "timeout", "off"},
                 "",
                 ValueType::Range{500, 599}};
  type.numbers = {too_many_requests};
  return type;
}

std::optional<Mistake> ClientBlock::read(std::string_view text, CidrSet& out) const {
  const auto cidr = read_cidr(text);
  if (!cidr) return cidr.error();
  if (std::find(out.blocks.begin(), out.blocks.end(), *cidr) != out.blocks.end()) {
    return Mistake{quoted(text) + " stands here twice", "name it once"};
  }
  out.blocks.push_back(*cidr);
  return std::nullopt;
}

std::string ClientBlock::show(const CidrSet& value) const {
  std::string text;
  for (const Cidr& block : value.blocks) text += (text.empty() ? "" : ", ") + block.to_string();
  return text;
}

ValueType ClientBlock::type() const {
  return {"block of addresses as `10.0.0.0/8`",
          {},
          "[0-9.]+(/[0-9]+)?|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(/[0-9]+)?",
          std::nullopt};
}

std::optional<Mistake> ViaName::read(std::string_view text, std::string& out) const {
  if (text == "off") {
    out.clear();
    return std::nullopt;
  }
  if (text.size() > via_bytes_max || !is_token(text)) {
    return Mistake{quoted(text) + " cannot be a name in Via",
                   "use letters, digits, `-`, `.` and `_`, at most 64; or write `off`"};
  }
  out = text;
  return std::nullopt;
}

ValueType ViaName::type() const {
  return {"name, or `off`", {}, std::string{token_characters} + "{1,64}", std::nullopt};
}

std::optional<Mistake> CookieDomain::read(std::string_view text, std::string& out) const {
  if (text.starts_with('.')) {
    return Mistake{quoted(text) + " begins with a dot, which browsers ignore",
                   "write " + quoted(text.substr(std::min(text.find_first_not_of('.'), text.size())))};
  }
  const bool fits = text.size() <= cookie_domain_bytes_max && std::all_of(text.begin(), text.end(), [](char c) {
                      return is_alphanumeric(c) || c == '-' || c == '.';
                    });
  if (!fits) return Mistake{quoted(text) + " is no domain", "write one like `example.com`"};
  out = text;
  return std::nullopt;
}

ValueType CookieDomain::type() const {
  return {"domain, as `example.com`", {}, "[-A-Za-z0-9.]*", std::nullopt};
}

std::optional<Mistake> CookiePath::read(std::string_view text, std::string& out) const {
  const bool fits = text.starts_with('/') && text.size() <= cookie_path_bytes_max &&
                    std::all_of(text.begin(), text.end(), [](char c) { return is_visible_ascii(c) && c != ';'; });
  if (!fits) return Mistake{quoted(text) + " cannot be the path of a cookie", "begin with `/`, without `;` or spaces"};
  out = text;
  return std::nullopt;
}

ValueType CookiePath::type() const {
  return {"path, begins with `/`", {}, "/[!-:<-~]*", std::nullopt};
}

std::optional<Mistake> Secret::read(std::string_view text, std::string& out) const {
  if (text.size() < secret_bytes_min || text.size() > secret_bytes_max) {
    return Mistake{text.size() < secret_bytes_min ? "this secret is too short" : "this secret is too long",
                   "write at least " + std::to_string(secret_bytes_min) + " and at most " +
                       std::to_string(secret_bytes_max) + " characters, better random ones: `openssl rand -hex 32`"};
  }
  out = text;
  return std::nullopt;
}

ValueType Secret::type() const {
  return {"text, 16 to 1024 characters", {}, ".{16,}", std::nullopt};
}

std::optional<Mistake> LogTarget::read(std::string_view text, std::string& out) const {
  if (text == "stdout" || text == "syslog") {
    out = text;
    return std::nullopt;
  }
  const bool to_socket = text.starts_with(unix_prefix);
  const std::string_view path = to_socket ? text.substr(unix_prefix.size()) : text;
  if (path.find('/') == std::string_view::npos) {
    // A name alone may be a misspelled word; nobody is to find its log in a file `sdtout`.
    static constexpr std::array<std::string_view, 2> words{"stdout", "syslog"};
    const bool near = !to_socket && suggest(text, words);
    return Mistake{
        quoted(text) + " is not known here",
        near ? did_you_mean(text, words) : "write a path with a `/` in it, `stdout`, `syslog` or `unix:/path`"};
  }
  if (path.ends_with('/')) return Mistake{quoted(text) + " is a directory", "name the file in it"};
  const size_t bytes_max = to_socket ? socket_path_bytes_max : log_path_bytes_max;
  if (path.size() > bytes_max || path.find('\0') != std::string_view::npos) {
    return Mistake{quoted(text) + " cannot be opened", "a path has at most " + std::to_string(bytes_max) + " bytes"};
  }
  out = text;
  return std::nullopt;
}

ValueType LogTarget::type() const {
  return {"path, `stdout`, `syslog`, or `unix:/path`", {"stdout", "syslog"}, "(unix:)?[^/]*/.*", std::nullopt};
}

}  // namespace weir::config
