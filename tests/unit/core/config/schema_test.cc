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
#include "tests/unit/core/config/sample_file.h"
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
                                      "mode_unknown",
                                      "balance_unknown",
                                      "balance_keys",
                                      "balance_endpoints",
                                      "balance_subsets",
                                      "balance_zones",
                                      "upstream_without_endpoints",
                                      "weight_out_of_range",
                                      "names",
                                      "tries_out_of_range",
                                      "send_proxy",
                                      "stats_path_too_long",
                                      "health_probes",
                                      "health_intervals",
                                      "health_http",
                                      "resilience_rules",
                                      "rate_limits",
                                      "clients",
                                      "alerts",
                                      "http_access_log",
                                      "http_actions",
                                      "http_answers",
                                      "http_clients",
                                      "http_forward",
                                      "http_header_rules",
                                      "http_hosts",
                                      "http_limits",
                                      "http_matches",
                                      "http_methods",
                                      "http_mirrors",
                                      "http_paths",
                                      "http_redirects",
                                      "http_retries",
                                      "http_splits",
                                      "http_sticky",
                                      "many_mistakes"}) {
    const auto file = repository() / "tests/fixtures/config/bad" / (std::string{name} + ".yaml");
    EXPECT_NE(why_not(schema(), yaml_as_json(contents(file)), schema()), "") << name;
  }
}

template <class F>
void for_each_value(const std::vector<FieldDescription>& fields, const std::string& path, const F& visit) {
  for (const FieldDescription& field : fields) {
    const std::string here = path.empty() ? field.key : path + "." + field.key;
    const bool scalar = field.shape == FieldDescription::Shape::value || field.shape == FieldDescription::Shape::values;
    if (scalar) visit(here, field);  // a list of scalars may be one alone
    for_each_value(field.fields, field.shape == FieldDescription::Shape::list ? here + "[]" : here, visit);
  }
}

TEST(ConfigSchema, EveryDefaultIsAValueThatParserAndSchemaTake) {
  int seen = 0;
  for_each_value(describe_config(algorithms), "", [&](const std::string& path, const FieldDescription& field) {
    if (field.default_text.empty()) return;
    ++seen;
    if (field.shape == FieldDescription::Shape::values) {
      const std::string list = file_with(path, "[" + field.default_text + "]");
      EXPECT_TRUE(parse(list).ok()) << path << "\n" << parse(list).render();
      EXPECT_EQ(why_not(schema(), yaml_as_json(list), schema()), "") << path;
      return;
    }
    const std::string in_quotes = "\"" + field.default_text + "\"";
    const ParseResult result = parse(file_with(path, in_quotes));
    EXPECT_TRUE(result.ok()) << path << "\n" << result.render();
    const bool plain = field.type.integers || field.type.decimals || field.type.boolean || !field.type.numbers.empty();
    const std::string text = file_with(path, plain ? field.default_text : in_quotes);
    EXPECT_EQ(why_not(schema(), yaml_as_json(text), schema()), "") << path;
  });
  EXPECT_GE(seen, 60);
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
                     diagnostic.message.find("neither `true` nor `false`") != std::string::npos ||
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
    for (const uint64_t number : field.type.numbers) both_take(path, std::to_string(number), true);
    if (!field.type.numbers.empty()) both_take(path, std::to_string(field.type.numbers.back() + 1), false);
    if (field.type.decimals) {
      const auto [min, max] = *field.type.decimals;
      both_take(path, json(min).dump(), true);
      both_take(path, json(max).dump(), true);
      both_take(path, json(max + 0.5).dump(), false);
      both_take(path, "0", false);
    }
    if (field.type.boolean) {
      both_take(path, "true", true);
      both_take(path, "false", true);
      both_take(path, "yes", false);
    }
    if (field.type.text) {
      for (const char* value : {"12", "0.5", "true", "text"}) both_take(path, value, true);
    }
    for (const std::string& word : field.type.words) both_take(path, "\"" + word + "\"", true);
    const bool only_words =
        !field.type.words.empty() && !field.type.integers && !field.type.decimals && field.type.pattern.empty();
    if (only_words) both_take(path, "nonsense", false);
  });
}

TEST(ConfigSchema, AVariableFitsEverywhere) {
  for_each_value(describe_config(algorithms), "", [&](const std::string& path, const FieldDescription&) {
    EXPECT_EQ(why_not(schema(), yaml_as_json(file_with(path, "\"${X:-1}\"")), schema()), "") << path;
  });
}

// The keys of `fields` that no mapping among `values` has, with their paths.
std::vector<std::string> keys_missing(const std::vector<FieldDescription>& fields, const std::vector<json>& values,
                                      const std::string& path) {
  std::vector<std::string> missing;
  for (const FieldDescription& field : fields) {
    std::vector<json> inner;
    bool found = false;
    for (const json& value : values) {
      if (!value.is_object() || !value.contains(field.key)) continue;
      found = true;
      const json& member = value[field.key];
      if (member.is_array()) {
        inner.insert(inner.end(), member.begin(), member.end());
      } else {
        inner.push_back(member);
      }
    }
    if (!found) missing.push_back(path + field.key);
    const auto deeper = found ? keys_missing(field.fields, inner, path + field.key + ".") : std::vector<std::string>{};
    missing.insert(missing.end(), deeper.begin(), deeper.end());
  }
  return missing;
}

TEST(ConfigSchema, TheFullExampleHasEveryKey) {
  const json full = yaml_as_json(contents(repository() / "examples/full.yaml"));
  EXPECT_THAT(keys_missing(describe_config(algorithms), {full}, ""), testing::IsEmpty());
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
