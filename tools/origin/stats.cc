#include "tools/origin/stats.h"

namespace weir::origin {
namespace {

void append_field(std::string& text, std::string_view key, std::uint64_t value) {
  text.append(",\"").append(key).append("\":").append(std::to_string(value));
}

}  // namespace

// The name needs no escaping: settings.cc lets only plain characters into it.
std::string Scoreboard::json(std::string_view name) const {
  std::string text{"{\"name\":\""};
  text.append(name).append("\"");
  append_field(text, "requests", sum(&Stats::requests));
  append_field(text, "connections", open_connections());
  append_field(text, "connections_total", sum(&Stats::connections));
  append_field(text, "bytes_in", sum(&Stats::bytes_in));
  append_field(text, "bytes_out", sum(&Stats::bytes_out));
  return text.append("}");
}

}  // namespace weir::origin
