#include "tools/origin/settings.h"

#include <algorithm>

#include "tools/origin/text.h"

namespace weir::origin {
namespace {

struct RawName {
  std::string_view word;
  RawMode mode;
};

constexpr RawName raw_names[] = {
    {"", RawMode::none},         {"echo", RawMode::echo}, {"discard", RawMode::discard}, {"endless", RawMode::endless},
    {"banner", RawMode::banner}, {"name", RawMode::name}, {"silent", RawMode::silent},   {"reset", RawMode::reset},
};

// It stands in headers, lines and JSON without escaping.
bool is_plain_name(std::string_view name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == ':';
  };
  return !name.empty() && name.size() <= name_bytes_max && std::all_of(name.begin(), name.end(), is_plain);
}

// "--delay soon: ..."
std::string about(std::string_view option, std::string_view given, std::string_view wanted) {
  return std::string{option} + " '" + std::string{given} + "': " + std::string{wanted};
}

std::string check_listen(const OriginOptions& options, Settings& settings) {
  if (options.listen.empty()) return "--listen: give at least one address";
  for (const std::string& text : options.listen) {
    const auto address = parse_listen_address(text);
    if (!address) {
      return about("--listen", text, "not an address; write 127.0.0.1:8080, [::1]:8080, :8080 or unix:/path");
    }
    settings.listen.push_back(*address);
  }
  return {};
}

std::string check_http(const OriginOptions& options, Settings& settings) {
  if (!options.answer.empty()) {
    if (!options.answer.starts_with('/')) return about("--answer", options.answer, "a path, as in /bytes/64KiB");
    Answer answer = read_target(options.answer, std::nullopt);
    if (answer.subject == Subject::complaint) {
      answer.complaint.pop_back();
      return about("--answer", options.answer, answer.complaint);
    }
    settings.fallback = std::move(answer);
  }
  const auto delay = parse_duration(options.delay);
  if (!delay) return about("--delay", options.delay, "not a duration; write 50 (milliseconds), 50ms or 2s");
  settings.delay = *delay;
  if (!options.fail.empty()) {
    const auto mode = parse_fail_mode(options.fail);
    if (!mode) return about("--fail", options.fail, "one of reset, close, garbage, half");
    settings.fail = *mode;
  }
  if (!(options.fail_rate >= 0 && options.fail_rate <= 1)) {
    return about("--fail-rate", std::to_string(options.fail_rate), "between 0 and 1");
  }
  if (options.fail.empty() && options.fail_rate != OriginOptions{}.fail_rate) {
    return about("--fail-rate", std::to_string(options.fail_rate), "needs --fail, which says how to fail");
  }
  if (options.health_status < 200 || options.health_status > 599) {
    return about("--health-status", std::to_string(options.health_status), "200 to 599");
  }
  settings.fail_rate = options.fail_rate;
  settings.seed = options.seed;
  settings.health_status = options.health_status;
  return {};
}

// An option that would change nothing is a misunderstanding, and is said.
std::string check_raw(const OriginOptions& options, Settings& settings) {
  const auto found = std::find_if(std::begin(raw_names), std::end(raw_names),
                                  [&](const RawName& raw) { return raw.word == options.raw; });
  if (found == std::end(raw_names)) {
    return about("--raw", options.raw, "one of echo, discard, endless, banner, name, silent, reset");
  }
  settings.raw = found->mode;
  if (settings.raw == RawMode::none) return {};
  const OriginOptions untouched;
  if (options.answer != untouched.answer || options.delay != untouched.delay || options.fail != untouched.fail ||
      options.fail_rate != untouched.fail_rate || options.health_status != untouched.health_status ||
      options.seed != untouched.seed) {
    return about("--raw", options.raw,
                 "--answer, --delay, --fail, --fail-rate, --health-status and --seed are for HTTP only");
  }
  return {};
}

}  // namespace

std::optional<Settings> check(const OriginOptions& options, std::string& complaint) {
  Settings settings;
  complaint = check_listen(options, settings);
  if (complaint.empty()) complaint = check_http(options, settings);
  if (complaint.empty()) complaint = check_raw(options, settings);
  if (complaint.empty() && !is_plain_name(options.name)) {
    complaint = about("--name", options.name, "1 to 64 letters, digits or any of - _ . :");
  }
  if (complaint.empty() && (options.threads < 1 || options.threads > threads_max)) {
    complaint = about("--threads", std::to_string(options.threads), "1 to 256");
  }
  if (!complaint.empty()) return std::nullopt;
  settings.name = options.name;
  settings.threads = options.threads;
  settings.proxy_protocol = options.proxy_protocol;
  settings.stats_on_exit = options.stats_on_exit;
  return settings;
}

}  // namespace weir::origin
