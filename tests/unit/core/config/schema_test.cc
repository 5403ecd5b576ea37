// The schema, the parser and the reference must say the same, field by field and file by file.
#include "core/config/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>

#include "core/balance/pickers.h"
#include "core/config/describe.h"
#include "core/config/description.h"
#include "core/config/reference.h"
#include "tests/unit/core/config/mini_schema.h"
#include "tests/unit/core/config/support.h"

namespace weir::config {
namespace {

using namespace test;
using nlohmann::json;

const json& schema() {
  static const json parsed = json::parse(schema_json(algorithms));
  return parsed;
}

TEST(ConfigSchema, TakesEveryFileThatTheParserTakes) {
  auto files = files_in(repository() / "tests/fixtures/config/good", ".yaml");
  for (const auto& example : files_in(repository() / "examples", ".yaml")) files.push_back(example);
  ASSERT_GE(files.size(), 4U);
  for (const auto& file : files) {
    EXPECT_EQ(why_not(schema(), yaml_as_json(contents(file)), schema()), "") << file;
  }
}

// Bad files whose mistake a schema can see. (Others are about YAML itself, the environment, or rules between fields.)
TEST(ConfigSchema, RefusesWhatAnEditorCanSee) {
  for (const std::string_view name : {"unknown_key",
                                      "unknown_key_no_guess",
                                      "unknown_key_case_and_dash",
                                      "missing_listeners",
                                      "missing_everything",
                                      "empty_listeners",
                                      "missing_address_and_upstream",
                                      "listener_is_scalar",
                                      "listeners_is_mapping",
                                      "section_is_scalar",
                                      "section_is_list",
                                      "value_is_list",
                                      "value_is_mapping",
                                      "workers_out_of_range",
                                      "cpus_bad",
                                      "durations",
                                      "sizes",
                                      "size_out_of_range",
                                      "counts",
                                      "file_mode",
                                      "address_hostname",
                                      "address_shapes",
                                      "accept_proxy",
                                      "mode_http",
                                      "mode_unknown",
                                      "balance_unknown",
                                      "upstream_without_endpoints",
                                      "weight_out_of_range",
                                      "names",
                                      "tries_out_of_range",
                                      "send_proxy",
                                      "stats_path_too_long",
                                      "many_mistakes"}) {
    const auto file = repository() / "tests/fixtures/config/bad" / (std::string{name} + ".yaml");
    EXPECT_NE(why_not(schema(), yaml_as_json(contents(file)), schema()), "") << name;
  }
}

// The smallest file in which `path` ("timeouts.idle", "upstreams[].tries") has `value`.
std::string file_with(const std::string& path, const std::string& value) {
  const auto inside = [&](std::string_view prefix) {
    return path.starts_with(prefix) ? path.substr(prefix.size()) : std::string{};
  };
  std::string listener = "address: \":8080\", upstream: app";
  std::string upstream = "name: app";
  std::string endpoint = "address: 10.0.0.1:80";
  std::string top;
  const auto nested = [&](std::string keys) {
    std::string text;
    std::string closing;
    for (size_t dot = keys.find('.'); dot != std::string::npos; dot = keys.find('.')) {
      text += keys.substr(0, dot) + ": {";
      closing += "}";
      keys.erase(0, dot + 1);
    }
    return text + keys + ": " + value + closing;
  };
  if (const std::string key = inside("listeners[]."); !key.empty()) {
    if (key == "address") listener = "upstream: app";
    if (key == "upstream") listener = "address: \":8080\"";
    listener += ", " + nested(key);
  } else if (const std::string inner = inside("upstreams[].endpoints[]."); !inner.empty()) {
    endpoint = inner == "address" ? nested(inner) : endpoint + ", " + nested(inner);
  } else if (const std::string outer = inside("upstreams[]."); !outer.empty()) {
    upstream = outer == "name" ? nested(outer) : upstream + ", " + nested(outer);
    if (outer == "maglev_table_size") upstream += ", balance: maglev";
  } else {
    top = nested(path) + "\n";
  }
  return top + "listeners: [{" + listener + "}]\nupstreams: [{" + upstream + ", endpoints: [{" + endpoint + "}]}]\n";
}

template <class F>
void for_each_value(const std::vector<FieldDescription>& fields, const std::string& path, const F& visit) {
  for (const FieldDescription& field : fields) {
    const std::string here = path.empty() ? field.key : path + "." + field.key;
    if (field.shape == FieldDescription::Shape::value) visit(here, field);
    for_each_value(field.fields, field.shape == FieldDescription::Shape::list ? here + "[]" : here, visit);
  }
}

TEST(ConfigSchema, EveryDefaultIsAValueThatParserAndSchemaTake) {
  int seen = 0;
  for_each_value(describe_config(algorithms), "", [&](const std::string& path, const FieldDescription& field) {
    if (field.default_text.empty()) return;
    ++seen;
    const std::string text = file_with(path, "\"" + field.default_text + "\"");
    const ParseResult result = parse(text);
    EXPECT_TRUE(result.ok()) << path << "\n" << result.render();
    const bool is_number = field.type.integers.has_value();
    const std::string plain = file_with(path, is_number ? field.default_text : "\"" + field.default_text + "\"");
    EXPECT_EQ(why_not(schema(), yaml_as_json(plain), schema()), "") << path;
  });
  EXPECT_GE(seen, 20);
}

TEST(ConfigSchema, ParserAndSchemaHaveTheSameRangesAndWords) {
  const auto both_take = [](const std::string& path, const std::string& value, bool expected) {
    const std::string text = file_with(path, value);
    const ParseResult result = parse(text);
    // Rules between fields may still speak; here only what the field itself says counts.
    bool refused_here = false;
    for (const Diagnostic& diagnostic : result.diagnostics) {
      refused_here = refused_here || diagnostic.message.find("out of range") != std::string::npos ||
                     diagnostic.message.find("not known here") != std::string::npos ||
                     diagnostic.message.find("too large a number") != std::string::npos ||
                     diagnostic.message.find("above the largest") != std::string::npos;
    }
    EXPECT_EQ(!refused_here, expected) << path << ": " << value << "\n" << result.render();
    EXPECT_EQ(why_not(schema(), yaml_as_json(text), schema()).empty(), expected) << path << ": " << value;
  };
  for_each_value(describe_config(algorithms), "", [&](const std::string& path, const FieldDescription& field) {
    if (field.type.integers) {
      const auto [min, max] = *field.type.integers;
      both_take(path, std::to_string(min), true);
      both_take(path, std::to_string(max), true);
      if (max > 0) both_take(path, std::to_string(max + 1), false);
      if (min > 0) both_take(path, std::to_string(min - 1), false);
    }
    for (const std::string& word : field.type.words) both_take(path, "\"" + word + "\"", true);
    if (!field.type.words.empty() && !field.type.integers) both_take(path, "nonsense", false);
  });
}

TEST(ConfigSchema, AVariableFitsEverywhere) {
  for_each_value(describe_config(algorithms), "", [&](const std::string& path, const FieldDescription&) {
    EXPECT_EQ(why_not(schema(), yaml_as_json(file_with(path, "\"${X:-1}\"")), schema()), "") << path;
  });
}

TEST(ConfigSchema, HasASentenceForEveryKey) {
  const std::function<void(const std::vector<FieldDescription>&)> check = [&](const auto& fields) {
    std::set<std::string> keys;
    for (const FieldDescription& field : fields) {
      EXPECT_TRUE(keys.insert(field.key).second) << field.key << " is described twice";
      EXPECT_TRUE(field.sentence.ends_with('.')) << field.key;
      check(field.fields);
    }
  };
  check(describe_config(algorithms));
}

TEST(ConfigReference, TheDocumentHoldsEveryTableAsItIsNow) {
  const auto file = repository() / "docs/operating/config.md";
  const std::string document = contents(file);
  const std::string refreshed = refresh_reference(document, picker_names());
  if (regenerating()) write(file, refreshed);
  for (const ReferenceTable& table : reference_tables(picker_names())) {
    const std::string mark = reference_mark(table.path) + "\n";
    ASSERT_NE(refreshed.find(mark + table.markdown), std::string::npos) << "no place in config.md for " << mark;
  }
  EXPECT_EQ(contents(file), refreshed) << "run this test with WEIR_REGENERATE=1 and read the difference";
}

TEST(ConfigReference, LeavesProseAlone) {
  const std::string before =
      "prose\n<!-- fields of log -->\nold\n<!-- end of fields -->\nmore\n<!-- fields of nothing -->\n";
  const std::string after = refresh_reference(before, algorithms);
  EXPECT_TRUE(after.starts_with("prose\n<!-- fields of log -->\n| key |"));
  EXPECT_TRUE(after.ends_with("<!-- end of fields -->\nmore\n<!-- fields of nothing -->\n"));
  EXPECT_EQ(after.find("old"), std::string::npos);
  EXPECT_EQ(refresh_reference(after, algorithms), after);
}

}  // namespace
}  // namespace weir::config
