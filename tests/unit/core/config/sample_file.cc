#include "tests/unit/core/config/sample_file.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "core/config/description.h"
#include "tests/unit/core/config/support.h"
#include "tests/unit/core/zones/mmdb_writer.h"

namespace weir::config::test {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view placeholder = "@value@";

Json required_value(const std::string& key) {
  if (key == "address") return "10.0.0.1:80";
  if (key == "location") return "/elsewhere";
  if (key == "to") return "stdout";
  if (key == "port") return 81;
  if (key == "networks") return "10.0.0.0/8";
  if (key == "requests") return 10;
  if (key == "command") return "/bin/true";
  return "app";  // a name
}

// What a mapping must have, but for lists of mappings.
void fill_required(Json& object, const std::vector<FieldDescription>& fields) {
  for (const FieldDescription& field : fields) {
    const bool scalar = field.shape == FieldDescription::Shape::value || field.shape == FieldDescription::Shape::values;
    if (field.required && scalar && !object.contains(field.key)) {
      object[field.key] = required_value(field.key);
    }
  }
}

// A file of zones that is there, as the parser wants it; what is in it does not matter.
struct ZonesFile {
  ZonesFile() {
    zones::MmdbWriter writer;
    using Value = zones::MmdbValue;
    writer.add("10.0.0.0/8", Value::map({{"country", Value::map({{"iso_code", Value::text("app")}})}}));
    writer.write(path);
  }
  ~ZonesFile() { std::filesystem::remove(path); }

  std::string path = testing::TempDir() + "weir_sample_" + std::to_string(::getpid()) + ".mmdb";
};

const std::string& zones_file() {
  static const ZonesFile file;
  return file.path;
}

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= path.size();) {
    const size_t dot = std::min(path.find('.', at), path.size());
    parts.push_back(path.substr(at, dot - at));
    at = dot + 1;
  }
  return parts;
}

void put(Json& root, const std::string& path) {
  Json* object = &root;
  std::vector<FieldDescription> fields = describe_config(algorithms);
  for (const std::string& part : parts_of(path)) {
    const bool list = part.ends_with("[]");
    const std::string key = list ? part.substr(0, part.size() - 2) : part;
    const auto field = std::find_if(fields.begin(), fields.end(), [&](const auto& each) { return each.key == key; });
    if (field == fields.end()) throw std::logic_error("no key " + path);
    Json& member = (*object)[key];
    if (field->fields.empty()) {
      member = placeholder;
      return;
    }
    if (list && member.empty()) member = Json::array({Json::object()});
    if (!list && member.is_null()) member = Json::object();
    object = list ? &member[0] : &member;
    fields = std::vector<FieldDescription>(field->fields);
    fill_required(*object, fields);
  }
}

void default_to(Json& object, const std::string& key, const Json& value) {
  if (!object.contains(key)) object[key] = value;
}

// The algorithm that the key of an upstream at `path` goes with; "" if it goes with any.
std::string_view algorithm_for(std::string_view path) {
  struct Row {
    std::string_view key;
    std::string_view algorithm;
  };
  constexpr std::array rows{Row{"hash_by", "maglev"},
                            Row{"bounded_load", "maglev"},
                            Row{"maglev_table_size", "maglev"},
                            Row{"ring_points", "ring_hash"},
                            Row{"latency_decay", "least_time"},
                            Row{"two_choices", "two_choices"},
                            Row{"resource_aware", "resource_aware"},
                            Row{"zone_aware", "zone_aware"},
                            Row{"adaptive", "adaptive"},
                            Row{"plugin", "plugin"}};
  for (const Row& row : rows) {
    const std::string key = "upstreams[]." + std::string{row.key};
    if (path == key || path.starts_with(key + ".")) return row.algorithm;
  }
  return "";
}

void add_balance_context(Json& root, const std::string& path) {
  Json& upstream = root["upstreams"][0];
  if (const std::string_view algorithm = algorithm_for(path); !algorithm.empty()) upstream["balance"] = algorithm;
  if (algorithm_for(path) == "zone_aware") {
    default_to(upstream["endpoints"][0], "zone", "here");
    root["zones"]["otherwise"] = "here";
  }
  if (path == "upstreams[].slow_start_from") upstream["slow_start"] = "1m";
  if (path == "upstreams[].backup_threshold") {
    upstream["endpoints"].push_back({{"address", "10.0.0.2:80"}, {"tier", 1}});
  }
  if (path == "zones.field") root["zones"]["maxmind"] = zones_file();
  if (path.ends_with(".subset_fallback")) {
    Json* destination = &root["listeners"][0];
    if (path.find(".routes[]") != std::string::npos) destination = &(*destination)["routes"][0];
    if (path.find(".split[]") != std::string::npos) destination = &(*destination)["split"][0];
    (*destination)["subset"] = {{"version", "canary"}};
    upstream["endpoints"][0]["metadata"] = {{"version", "canary"}};
  }
}

void add_health_context(Json& root, const std::string& path) {
  Json& upstream = root["upstreams"][0];
  const auto is_below = [&](std::string_view prefix) { return path.starts_with(prefix); };
  for (const std::string_view probe : {"tcp", "http", "exec"}) {
    if (is_below("upstreams[].health." + std::string{probe} + ".")) upstream["health"]["probe"] = probe;
  }
  if (path == "upstreams[].health.http.body") upstream["health"]["http"]["method"] = "GET";
  for (const std::string_view key : {"verify", "server_name", "ca"}) {
    if (path == "upstreams[].health.http." + std::string{key}) upstream["health"]["http"]["tls"] = "on";
  }
  if (path == "upstreams[].breaker.slow") upstream["breaker"]["slow_rate"] = 50;
  if (path == "upstreams[].breaker.window" || path == "upstreams[].breaker.requests") {
    upstream["breaker"]["error_rate"] = 50;
  }
  if (is_below("upstreams[].queue.")) upstream["endpoints"][0]["max_connections"] = 10;
  if (is_below("upstreams[].degraded.")) {
    default_to(upstream["degraded"], path == "upstreams[].degraded.healthy" ? "error_rate" : "healthy", 50);
    root["alerts"] = {{{"name", "ops"}, {"log", true}}};
  }
  if (is_below("alerts[].")) {
    Json& alert = root["alerts"][0];
    const bool has_log = is_below("alerts[].webhook") || is_below("alerts[].exec");
    default_to(alert, has_log ? "log" : "webhook", has_log ? Json(true) : Json("https://alerts.example.com/weir"));
  }
}

// What the rules between fields want beside the key at `path`.
void add_context(Json& root, const std::string& path) {
  const auto is_below = [&](std::string_view prefix) { return path.starts_with(prefix); };
  Json& listener = root["listeners"][0];
  Json& upstream = root["upstreams"][0];
  for (const std::string_view key : {"routes[]", "trusted_proxies", "forward", "allow_connect", "priority_header",
                                     "max_requests", "access_log", "rate_limits[].headers"}) {
    if (is_below("listeners[]." + std::string{key})) listener["mode"] = "http";
  }
  if (is_below("access_log")) listener["mode"] = "http";
  if (listener.contains("routes")) {
    Json& route = listener["routes"][0];
    if (route.contains("split_by")) route["split"] = {{{"upstream", "app"}}};
    const bool acts = route.contains("split") || route.contains("redirect") || route.contains("answer");
    if (!acts) default_to(route, "upstream", "app");
    if (is_below("listeners[].routes[].rewrite.prefix")) route["match"]["path_prefix"] = "/";
    if (is_below("listeners[].routes[].rewrite.regex")) route["rewrite"]["to"] = "/";
    if (is_below("listeners[].routes[].rewrite.to")) route["rewrite"]["regex"] = "(.)";
  }
  add_balance_context(root, path);
  add_health_context(root, path);
  if (is_below("upstreams[].sticky.") && path != "upstreams[].sticky.by") {
    const std::string key = path.substr(path.rfind('.') + 1);
    const bool learned = key == "source" || key == "learn" || key == "ttl" || key == "entries";
    upstream["sticky"]["by"] = learned ? "learned" : "cookie";
    if (learned) default_to(upstream["sticky"], "source", "cookie:id");
  }
}

}  // namespace

std::string file_with(const std::string& path, const std::string& value) {
  Json root = {{"listeners", {{{"address", ":8080"}, {"upstream", "app"}}}},
               {"upstreams", {{{"name", "app"}, {"endpoints", {{{"address", "10.0.0.1:80"}}}}}}}};
  put(root, path);
  add_context(root, path);
  std::string text = root.dump();
  const std::string quoted_placeholder = "\"" + std::string{placeholder} + "\"";
  text.replace(text.find(quoted_placeholder), quoted_placeholder.size(), value);
  return text + "\n";
}

}  // namespace weir::config::test
