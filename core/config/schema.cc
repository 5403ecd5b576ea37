#include "core/config/schema.h"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "core/config/description.h"

namespace weir::config {
namespace {

using Json = nlohmann::ordered_json;

// A value may come from the environment, whatever it should be; an editor cannot know what it will be.
const Json from_environment = {{"$ref", "#/$defs/from_environment"}};

// `default_text` as a JSON value: a number where the key takes numbers.
Json default_value(const FieldDescription& field) {
  const std::string& text = field.default_text;
  const bool number = field.type.integers && !text.empty() &&
                      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return number ? Json(std::stoull(text)) : Json(text);
}

Json scalar_schema(const ValueType& type) {
  Json alternatives = Json::array();
  if (!type.words.empty()) alternatives.push_back({{"enum", type.words}});
  if (type.integers) {
    alternatives.push_back({{"type", "integer"}, {"minimum", type.integers->min}, {"maximum", type.integers->max}});
  }
  if (!type.pattern.empty()) alternatives.push_back({{"type", "string"}, {"pattern", "^(" + type.pattern + ")$"}});
  alternatives.push_back(from_environment);
  return {{"anyOf", std::move(alternatives)}};
}

Json object_schema(const std::vector<FieldDescription>& fields);

Json field_schema(const FieldDescription& field) {
  Json schema = Json::object();
  switch (field.shape) {
    case FieldDescription::Shape::value: schema = scalar_schema(field.type); break;
    case FieldDescription::Shape::values: {
      const Json item = scalar_schema(field.type);
      schema = {{"anyOf", {item, {{"type", "array"}, {"items", item}}}}};
      break;
    }
    case FieldDescription::Shape::section:
      schema = object_schema(field.fields);
      schema["type"] = {"object", "null"};  // all of it may be commented out
      break;
    case FieldDescription::Shape::list: {
      Json item = object_schema(field.fields);
      for (const FieldDescription& inner : field.fields) {
        if (inner.key == field.short_form) item = {{"anyOf", {scalar_schema(inner.type), item}}};
      }
      schema = {{"type", "array"}, {"minItems", 1}, {"items", std::move(item)}};
      break;
    }
  }
  schema["description"] = field.sentence + (field.otherwise.empty() ? "" : " Without it: " + field.otherwise + ".");
  if (!field.default_text.empty()) schema["default"] = default_value(field);
  return schema;
}

Json object_schema(const std::vector<FieldDescription>& fields) {
  Json schema = {{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
  Json required = Json::array();
  for (const FieldDescription& field : fields) {
    schema["properties"][field.key] = field_schema(field);
    if (field.required) required.push_back(field.key);
  }
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

}  // namespace

std::string schema_json(std::span<const std::string_view> algorithms) {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "weir.yaml"},
                 {"description", "The configuration of the weir load balancer."}};
  schema.update(object_schema(describe_config(algorithms)));
  schema["patternProperties"] = {{"^x-", Json::object()}};  // places to keep anchors
  schema["$defs"] = {{"from_environment", {{"type", "string"}, {"pattern", "\\$\\{"}}}};
  return schema.dump(2) + "\n";
}

}  // namespace weir::config
