#include "core/config/kinds.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace weir::config {
namespace {

constexpr size_t name_bytes_max = 64;
constexpr size_t socket_path_bytes_max = sizeof(sockaddr_un::sun_path) - 1;
constexpr size_t file_path_bytes_max = 4095;

// Their syntax as ECMA-262 patterns, for editors. Loose where exact would be unreadable: the parser has the last word.
constexpr std::string_view duration_pattern = "([0-9]+(d|h|m|s|ms|us))+";
constexpr std::string_view size_pattern = "[0-9]+(B|KiB|MiB|GiB|kB|KB|MB|GB)";
constexpr std::string_view address_pattern = "[0-9.]+:[0-9]+|\\[[0-9a-fA-F:.]+\\]:[0-9]+|unix:.+";
constexpr std::string_view listen_address_pattern = ":[0-9]+|[0-9.]+:[0-9]+|\\[[0-9a-fA-F:.]+\\]:[0-9]+|unix:.+";
constexpr std::string_view cidr_pattern = "[0-9.]+(/[0-9]+)?|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(/[0-9]+)?";
constexpr std::string_view cpus_pattern = "[0-9]+(-[0-9]+)?(, *[0-9]+(-[0-9]+)?)*";
constexpr std::string_view name_pattern = "[A-Za-z0-9_.:-]{1,64}";

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == ':' || c == '-';
}

// Stores what was read, or hands on why there is nothing.
template <class T>
std::optional<Mistake> take(const Reading<T>& reading, T& out) {
  if (!reading) return reading.error();
  out = *reading;
  return std::nullopt;
}

}  // namespace

ValueType words_type(std::vector<std::string> words) {
  std::string summary;
  for (const std::string& word : words) summary += (summary.empty() ? "`" : ", `") + word + "`";
  if (words.size() > 1) summary.insert(0, "one of ");
  return {std::move(summary), std::move(words), "", std::nullopt};
}

std::optional<Mistake> Size::read(std::string_view text, uint64_t& out) const {
  const auto size = read_size(text);
  if (!size) return size.error();
  if (*size < min || *size > max) {
    return Mistake{quoted(text) + " is out of range",
                   "write a size from " + size_to_text(min) + " to " + size_to_text(max)};
  }
  return take(size, out);
}

ValueType Size::type() const {
  return {"size, " + size_to_text(min) + " to " + size_to_text(max),
          {},
          std::string{size_pattern},
          ValueType::Range{min, max}};
}

std::optional<Mistake> Time::read(std::string_view text, Duration& out) const {
  const auto duration = read_duration(text);
  if (!duration) return duration.error();
  const bool is_allowed_zero = zero == Zero::allowed && *duration == Duration::zero();
  if (!is_allowed_zero && (*duration < min || *duration > max)) {
    return Mistake{quoted(text) + " is out of range", "write a duration from " + to_text(min) + " to " + to_text(max) +
                                                          (zero == Zero::allowed ? ", or 0" : "")};
  }
  return take(duration, out);
}

ValueType Time::type() const {
  ValueType type{"duration, " + to_text(min) + " to " + to_text(max), {}, std::string{duration_pattern}, std::nullopt};
  if (zero == Zero::allowed) {
    type.summary += ", or 0";
    type.integers = ValueType::Range{0, 0};
  }
  return type;
}

std::optional<Mistake> Boolean::read(std::string_view text, bool& out) const {
  if (text == "true" || text == "false") {
    out = text == "true";
    return std::nullopt;
  }
  // What YAML 1.1 and other programs take for one.
  std::string lower{text};
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; });
  const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), lower) != words.end();
  };
  std::string fix = "write `true` or `false`";
  if (is_one_of({"true", "yes", "y", "on", "1"})) fix = "write `true`";
  if (is_one_of({"false", "no", "n", "off", "0"})) fix = "write `false`";
  return Mistake{quoted(text) + " is neither `true` nor `false`", std::move(fix)};
}

ValueType Boolean::type() const {
  ValueType type{"`true` or `false`", {}, "", std::nullopt};
  type.boolean = true;
  return type;
}

std::optional<Mistake> OneOfNames::read(std::string_view text, std::string& out) const {
  if (std::find(names.begin(), names.end(), text) == names.end()) {
    return Mistake{quoted(text) + " is not known here", did_you_mean(text, names)};
  }
  out = text;
  return std::nullopt;
}

ValueType OneOfNames::type() const {
  return words_type({names.begin(), names.end()});
}

std::optional<Mistake> Name::read(std::string_view text, std::string& out) const {
  if (text.empty()) return Mistake{"a name cannot be empty", "write at least one letter"};
  if (text.size() > name_bytes_max) {
    return Mistake{"this name is longer than " + std::to_string(name_bytes_max) + " characters", "use a shorter one"};
  }
  if (!std::all_of(text.begin(), text.end(), is_name_character)) {
    return Mistake{quoted(text) + " cannot be a name", "use letters, digits, `_`, `-`, `.` and `:`"};
  }
  out = text;
  return std::nullopt;
}

ValueType Name::type() const {
  return {"name: letters, digits, `_` `-` `.` `:`, at most 64", {}, std::string{name_pattern}, std::nullopt};
}

std::optional<Mistake> SocketPath::read(std::string_view text, std::string& out) const {
  if (text.starts_with("unix:")) return Mistake{"this is a path, not an address", "write it without `unix:`"};
  if (text.size() > socket_path_bytes_max) {
    return Mistake{"the path of a UNIX socket has at most " + std::to_string(socket_path_bytes_max) + " bytes",
                   "use a shorter path"};
  }
  if (text.find('\0') != std::string_view::npos) return Mistake{"a path cannot hold a NUL byte", "remove it"};
  out = text;
  return std::nullopt;
}

ValueType SocketPath::type() const {
  return {"path, at most " + std::to_string(socket_path_bytes_max) + " bytes", {}, ".{0,107}", std::nullopt};
}

std::optional<Mistake> FilePath::read(std::string_view text, std::string& out) const {
  if (text.find('\0') != std::string_view::npos) return Mistake{"a path cannot hold a NUL byte", "remove it"};
  if (text.empty()) return Mistake{"the path of " + std::string{what} + " is empty", "write it, or remove the key"};
  if (text.size() > file_path_bytes_max) return Mistake{"this path is too long for the kernel", "use a shorter one"};
  out = text;
  return std::nullopt;
}

ValueType FilePath::type() const {
  return {"path of " + std::string{what}, {}, ".+", std::nullopt};
}

std::optional<Mistake> Factor::read(std::string_view text, double& out) const {
  if (text == "off") {
    out = 0;
    return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return Mistake{quoted(text) + " is not a factor", "write a number like 1.25, or `off`"};
  }
  if (!(value >= min && value <= max)) {
    return Mistake{quoted(text) + " is out of range",
                   "write a number from " + show(min) + " to " + show(max) + ", or `off`"};
  }
  out = value;
  return std::nullopt;
}

std::string Factor::show(double value) const {
  if (value == 0) return "off";
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

ValueType Factor::type() const {
  ValueType type{"number, " + show(min) + " to " + show(max) + ", or `off`", {"off"}, "", std::nullopt};
  type.decimals = ValueType::Decimals{min, max};
  return type;
}

std::optional<Mistake> FileMode::read(std::string_view text, uint32_t& out) const {
  return take(read_file_mode(text), out);
}

ValueType FileMode::type() const {
  return {"octal digits in quotes", {}, "[0-7]{3,4}", std::nullopt};
}

std::optional<Mistake> CpuList::read(std::string_view text, std::vector<uint32_t>& out) const {
  return take(read_cpus(text), out);
}

ValueType CpuList::type() const {
  return {"CPU numbers and ranges, as `\"0-3,6\"`", {}, std::string{cpus_pattern}, ValueType::Range{0, cpu_max}};
}

std::optional<Mistake> ListenAddress::read(std::string_view text, SocketAddress& out) const {
  return take(read_address(text), out);
}

ValueType ListenAddress::type() const {
  return {"`10.0.0.1:80`, `\"[::1]:80\"`, `:80` (IPv4 and IPv6) or `unix:/path`",
          {},
          std::string{listen_address_pattern},
          std::nullopt};
}

std::optional<Mistake> EndpointAddress::read(std::string_view text, SocketAddress& out) const {
  const auto address = read_address(text);
  if (!address) return address.error();
  if (text.starts_with(':')) {
    return Mistake{quoted(text) + " has no host", "write the host too: `127.0.0.1" + std::string{text} + "`"};
  }
  if (!address->is_unix() && address->port() == 0) {
    return Mistake{"port 0 cannot be connected to", "write the port the origin listens on"};
  }
  return take(address, out);
}

ValueType EndpointAddress::type() const {
  return {"`10.0.0.1:80`, `\"[::1]:80\"` or `unix:/path`", {}, std::string{address_pattern}, std::nullopt};
}

std::optional<Mistake> TrustedPeer::read(std::string_view text, CidrSet& out) const {
  if (text == "all") {
    out.everybody = true;
    out.local = true;
    return std::nullopt;
  }
  if (text == "unix") {
    out.local = true;
    return std::nullopt;
  }
  const auto cidr = read_cidr(text);
  if (!cidr) {
    const bool is_word = text.find('/') == std::string_view::npos;
    return Mistake{cidr.error().message, cidr.error().fix + (is_word ? ", `all`, or `unix`" : "")};
  }
  out.blocks.push_back(*cidr);
  return std::nullopt;
}

std::string TrustedPeer::show(const CidrSet& value) const {
  std::string text;
  const auto add = [&](const std::string& item) { text += (text.empty() ? "" : ", ") + item; };
  if (value.everybody) add("all");
  if (value.local && !value.everybody) add("unix");
  for (const Cidr& block : value.blocks) add(block.to_string());
  return text;
}

ValueType TrustedPeer::type() const {
  return {
      "block of addresses as `10.0.0.0/8`, `all`, or `unix`", {"all", "unix"}, std::string{cidr_pattern}, std::nullopt};
}

}  // namespace weir::config
