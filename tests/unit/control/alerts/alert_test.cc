#include "control/alerts/alert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <time.h>

#include <fstream>
#include <map>
#include <set>
#include <vector>

namespace weir {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using Json = nlohmann::ordered_json;

constexpr size_t kinds_count = 0
#define ALERT_KIND(name, group, severity, text) +1
#include "control/alerts/alert_kinds.def"
#undef ALERT_KIND
    ;

std::vector<AlertKind> all_kinds() {
  std::vector<AlertKind> all;
  for (size_t i = 0; i < kinds_count; ++i) all.push_back(static_cast<AlertKind>(i));
  return all;
}

AlertMessage message() {
  AlertMessage message;
  message.alert.kind = AlertKind::endpoint_down;
  message.alert.upstream = "app";
  message.alert.endpoint = "10.0.0.1:80";
  message.alert.reason = "connection refused";
  message.alert.unix_ms = 1'700'000'000'007;
  message.rule = "ops";
  message.host = "lb1";
  message.number = 17;
  message.suppressed = 3;
  message.lost = 1;
  return message;
}

TEST(Alert, Names) {
  std::set<std::string_view> names;
  for (const AlertKind kind : all_kinds()) {
    names.insert(traits_of(kind).name);
    EXPECT_FALSE(traits_of(kind).text.empty());
  }
  EXPECT_EQ(names.size(), kinds_count);
  EXPECT_EQ(traits_of(AlertKind::recovered).name, "recovered");
  EXPECT_EQ(traits_of(AlertKind::recovered).group, config::AlertOn::degraded);
  EXPECT_EQ(traits_of(AlertKind::upstream_down).severity, AlertSeverity::critical);
}

TEST(Alert, Describes) {
  Alert alert = message().alert;
  EXPECT_EQ(describe(alert), "app/10.0.0.1:80: the endpoint is down: connection refused");
  alert.reason = "";
  EXPECT_EQ(describe(alert), "app/10.0.0.1:80: the endpoint is down");
  alert.kind = AlertKind::upstream_down;
  alert.endpoint = "";
  EXPECT_EQ(describe(alert), "app: no endpoint takes work");
}

TEST(Alert, IsJson) {
  EXPECT_EQ(to_json(message()),
            R"({"alert":"endpoint_down","group":"endpoint","severity":"warning","time":"2023-11-14T22:13:20.007Z",)"
            R"("upstream":"app","endpoint":"10.0.0.1:80","reason":"connection refused",)"
            R"("text":"app/10.0.0.1:80: the endpoint is down: connection refused",)"
            R"("healthy":null,"total":null,"error_rate":null,"p99_ms":null,)"
            R"("host":"lb1","rule":"ops","number":17,"suppressed":3,"lost":1})");
  AlertMessage figures = message();
  figures.alert.healthy = 0;
  figures.alert.total = 3;
  figures.alert.error_rate = 100.0 / 3;
  figures.alert.p99 = std::chrono::microseconds{1234567};
  EXPECT_THAT(to_json(figures), HasSubstr(R"("healthy":0,"total":3,"error_rate":33.333,"p99_ms":1234.567,)"));
}

TEST(Alert, IsJsonWhateverNamesAre) {
  AlertMessage odd = message();
  odd.alert.upstream = "a\"b\\c\n\xff";
  odd.alert.reason = std::string{"\0\x1b", 2};
  const Json json = Json::parse(to_json(odd));
  EXPECT_EQ(json.at("upstream"), "a\"b\\c\n\xef\xbf\xbd");
  EXPECT_EQ(json.at("reason"), (std::string{"\0\x1b", 2}));
  EXPECT_EQ(to_json(odd).find('\n'), std::string::npos);
}

// --- the documentation ----------------------------------------------------------------------------------------------

std::vector<std::string> lines_of_the_docs() {
  std::ifstream file{"docs/operating/alerts.md"};
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

template <class T>
std::optional<T> known(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional<T>{value.get<T>()};
}

AlertMessage message_of(const Json& json) {
  std::map<std::string, AlertKind> kinds;
  for (const AlertKind kind : all_kinds()) kinds.emplace(traits_of(kind).name, kind);
  AlertMessage message;
  Alert& alert = message.alert;
  alert.kind = kinds.at(json.at("alert"));
  alert.upstream = json.at("upstream");
  alert.endpoint = json.at("endpoint");
  alert.reason = json.at("reason");
  tm parts{};
  const std::string time = json.at("time");
  ::strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  alert.unix_ms = ::timegm(&parts) * int64_t{1000} + std::stoi(time.substr(20, 3));
  alert.healthy = known<uint32_t>(json.at("healthy"));
  alert.total = known<uint32_t>(json.at("total"));
  alert.error_rate = known<double>(json.at("error_rate"));
  if (!json.at("p99_ms").is_null()) {
    const std::chrono::duration<double, std::milli> p99{json.at("p99_ms").get<double>()};
    alert.p99 = std::chrono::round<Duration>(p99);
  }
  message.rule = json.at("rule");
  message.host = json.at("host");
  message.number = json.at("number");
  message.suppressed = json.at("suppressed");
  message.lost = json.at("lost");
  return message;
}

// Every example is what would be sent, to the byte; and there is one of each kind.
TEST(Alert, ExamplesOfTheDocs) {
  std::set<std::string> shown;
  for (const std::string& line : lines_of_the_docs()) {
    if (!line.starts_with(R"({"alert")")) continue;
    const Json json = Json::parse(line);
    EXPECT_EQ(to_json(message_of(json)), line);
    shown.insert(json.at("alert"));
  }
  for (const AlertKind kind : all_kinds()) EXPECT_TRUE(shown.contains(std::string{traits_of(kind).name}));
  EXPECT_EQ(shown.size(), kinds_count);
}

// Fields and kinds have a row each in its tables.
TEST(Alert, TablesOfTheDocs) {
  std::string docs;
  for (const std::string& line : lines_of_the_docs()) docs += line + "\n";
  const Json json = Json::parse(to_json(message()));
  for (const auto& [field, value] : json.items()) {
    EXPECT_THAT(docs, HasSubstr("| `" + field + "` |"));
  }
  for (const AlertKind kind : all_kinds()) {
    const AlertTraits& traits = traits_of(kind);
    EXPECT_THAT(docs,
                HasSubstr("| `" + std::string{traits.name} + "` | `" + std::string{config::name_of(traits.group)} +
                          "` | " + std::string{name_of(traits.severity)} + " |"));
  }
}

}  // namespace
}  // namespace weir
