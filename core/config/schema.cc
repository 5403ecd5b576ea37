#include "core/config/schema.h"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "core/config/description.h"

namespace weir::config {
namespace {

using Json = nlohmann::ordered_json;

// A value may come from the environment, whatever it should be; an editor cannot know what it will be.
const Json from_environment = {{"$ref", "#/$defs/from_environment"}};

// `text` as a JSON value: a number or a boolean where the key takes those.
Json scalar_value(const ValueType& type, const std::string& text) {
  if (type.boolean) return Json(text == "true");
  const bool takes_numbers = type.integers || type.decimals || !type.numbers.empty();
  const bool number = takes_numbers && !text.empty() &&
                      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return number ? Json(std::stoull(text)) : Json(text);
}

Json default_value(const FieldDescription& field) {
  if (field.shape != FieldDescription::Shape::values) return scalar_value(field.type, field.default_text);
  Json items = Json::array();
  for (size_t at = 0; at < field.default_text.size();) {
    const size_t end = std::min(field.default_text.find(", ", at), field.default_text.size());
    items.push_back(scalar_value(field.type, field.default_text.substr(at, end - at)));
    at = end + 2;
  }
  return items;
}

Json scalar_schema(const ValueType& type) {
  Json alternatives = Json::array();
  if (!type.words.empty()) alternatives.push_back({{"enum", type.words}});
  if (type.integers) {
    alternatives.push_back({{"type", "integer"}, {"minimum", type.integers->min}, {"maximum", type.integers->max}});
  }
  if (type.decimals) {
    alternatives.push_back({{"type", "number"}, {"minimum", type.decimals->min}, {"maximum", type.decimals->max}});
  }
  if (!type.numbers.empty()) alternatives.push_back({{"enum", type.numbers}});
  if (type.boolean) alternatives.push_back({{"type", "boolean"}});
  if (type.text) alternatives.push_back({{"type", {"string", "number", "boolean"}}});
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
    case FieldDescription::Shape::pairs:
      schema = {{"type", {"object", "null"}}, {"additionalProperties", {{"type", {"string", "number", "boolean"}}}}};
      break;
    case FieldDescription::Shape::list: {
      Json item = object_schema(field.fields);
      for (const FieldDescription& inner : field.fields) {
        if (inner.key == field.short_form) item = {{"anyOf", {scalar_schema(inner.type), item}}};
      }
      schema = {{"type", field.required ? Json("array") : Json({"array", "null"})}, {"items", std::move(item)}};
      if (field.required) schema["minItems"] = 1;
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
