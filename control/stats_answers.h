// What the commands of the stats socket have in common: their type, HAProxy's words, how endpoints are named, tables
// for eyes. Control thread.
#pragma once

#include <array>
#include <charconv>
#include <cstdio>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "control/stats_view.h"
#include "control/watches.h"

namespace weir {

// No answer: the arguments make no sense.
using StatsAnswer = std::optional<std::string>;
using StatsArguments = std::span<const std::string>;

// HAProxy's words, which its tools look for.
inline constexpr std::string_view not_two_names = "Require 'backend/server'.\n";
inline constexpr std::string_view no_such_backend = "No such backend.\n";
inline constexpr std::string_view no_such_server = "No such server.\n";
inline constexpr std::string_view read_only = "Nothing can be changed here.\n";

// Calls act(watches, endpoint) for "upstream/endpoint", or says why there is none.
template <class Act>
StatsAnswer with_server(const StatsView& view, const std::string& name, Act&& act) {
  if (view.watches == nullptr) return std::string{read_only};
  // Neither name has a slash in it, but for addresses of UNIX sockets, which are the latter one.
  const size_t slash = name.find('/');
  if (slash == std::string::npos) return std::string{not_two_names};
  const std::string_view upstream = std::string_view{name}.substr(0, slash);
  const Steering& steering = view.watches->steering();
  if (!steering.has_upstream(upstream)) return std::string{no_such_backend};
  const Endpoint* endpoint = steering.find({upstream, std::string_view{name}.substr(slash + 1)});
  if (endpoint == nullptr) return std::string{no_such_server};
  StatsAnswer answer = act(*view.watches, *endpoint);
  // What was said is written down, but somebody (a plug-in) does not take it.
  if (answer && answer->empty() && !steering.problem().empty()) answer = steering.problem() + "\n";
  return answer;
}

// Calls append(out, upstream) for each upstream, or for the one that is named.
template <class Append>
StatsAnswer for_each_upstream(const StatsView& view, StatsArguments arguments, Append&& append) {
  if (arguments.size() > 1) return std::nullopt;
  std::string out;
  for (const auto& upstream : view.snapshot.upstreams) {
    if (upstream->is_subset || (!arguments.empty() && upstream->name != arguments[0])) continue;
    append(out, *upstream);
  }
  return out.empty() && !arguments.empty() ? std::string{no_such_backend} : out;
}

template <class T>
std::optional<T> read_number(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

inline std::string decimal(double value, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

// A line of a table: two blanks, then cells that begin in the same column as those above them, unless one is too long.
inline void append_line(std::string& out, std::span<const size_t> widths,
                        std::initializer_list<std::string_view> cells) {
  size_t i = 0;
  std::string line = " ";
  for (const std::string_view cell : cells) {
    std::string padded{cell};
    if (i + 1 < cells.size() && padded.size() < widths[i]) padded.resize(widths[i], ' ');
    line.append(" ").append(padded);
    ++i;
  }
  out.append(line.substr(0, line.find_last_not_of(' ') + 1)).append("\n");
}

}  // namespace weir
