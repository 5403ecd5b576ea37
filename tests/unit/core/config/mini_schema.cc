#include "tests/unit/core/config/mini_schema.h"

#include <regex.h>

#include <algorithm>
#include <stdexcept>

#include "core/config/yaml_tree.h"

namespace weir::config::test {
namespace {

using nlohmann::json;

// The patterns of our schemas are both ECMA-262 and POSIX. (GCC 12 warns about its own std::regex under sanitizers.)
bool matches(const std::string& text, const std::string& pattern) {
  regex_t compiled{};
  if (regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0) throw std::logic_error("pattern " + pattern);
  const bool found = regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  regfree(&compiled);
  return found;
}

bool is_of_type(const json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  throw std::logic_error("unknown type " + type);
}

bool has_type(const json& value, const json& types) {
  if (types.is_string()) return is_of_type(value, types);
  for (const json& type : types) {
    if (is_of_type(value, type)) return true;
  }
  return false;
}

std::string object_mistakes(const json& schema, const json& value, const json& root, const std::string& where) {
  for (const json& key : schema.value("required", json::array())) {
    if (!value.contains(key.get<std::string>())) return where + ": lacks " + key.get<std::string>();
  }
  for (const auto& [key, member] : value.items()) {
    if (schema.contains("properties") && schema["properties"].contains(key)) {
      const std::string reason = why_not(schema["properties"][key], member, root, where + "." + key);
      if (!reason.empty()) return reason;
      continue;
    }
    bool matched = false;
    const json patterns = schema.value("patternProperties", json::object());
    for (const auto& [pattern, inner] : patterns.items()) {
      matched = matched || matches(key, pattern);
    }
    if (matched || !schema.contains("additionalProperties")) continue;
    const json& others = schema["additionalProperties"];
    if (others.is_boolean() && !others) return where + ": may not have " + key;
    if (!others.is_object()) continue;
    const std::string reason = why_not(others, member, root, where + "." + key);
    if (!reason.empty()) return reason;
  }
  return "";
}

json node_as_json(const YamlNode& node, const std::string& source) {
  switch (node.kind) {
    case YamlNode::Kind::null: return nullptr;
    case YamlNode::Kind::sequence: {
      json list = json::array();
      for (const YamlNode* item : node.items) list.push_back(node_as_json(*item, source));
      return list;
    }
    case YamlNode::Kind::mapping: {
      json object = json::object();
      for (const YamlNode::Entry& entry : node.entries) object[entry.key->text] = node_as_json(*entry.value, source);
      return object;
    }
    case YamlNode::Kind::scalar: break;
  }
  const char first = source[node.offset];
  const bool is_quoted = first == '"' || first == '\'';
  if (is_quoted) return node.text;
  if (matches(node.text, "^(0|-?[1-9][0-9]{0,17})$")) return std::stoll(node.text);
  if (matches(node.text, "^-?[0-9]{1,9}[.][0-9]{1,9}$")) return std::stod(node.text);
  if (node.text == "true" || node.text == "false") return node.text == "true";
  return node.text;
}

}  // namespace

std::string why_not(const json& schema, const json& value, const json& root, const std::string& where) {
  for (const auto& [keyword, argument] : schema.items()) {
    if (keyword == "$ref") {
      const std::string prefix = "#/$defs/";
      return why_not(root["$defs"][argument.get<std::string>().substr(prefix.size())], value, root, where);
    }
    if (keyword == "anyOf") {
      std::string reasons;
      for (const json& alternative : argument) {
        const std::string reason = why_not(alternative, value, root, where);
        if (reason.empty()) {
          reasons.clear();
          break;
        }
        reasons += reason + "; ";
      }
      if (!reasons.empty()) return reasons;
    } else if (keyword == "enum") {
      if (std::find(argument.begin(), argument.end(), value) == argument.end())
        return where + ": is no word of the list";
    } else if (keyword == "type") {
      if (!has_type(value, argument)) return where + ": is not of type " + argument.dump();
    } else if (keyword == "pattern") {
      if (!value.is_string() || !matches(value.get<std::string>(), argument.get<std::string>())) {
        return where + ": does not match " + argument.get<std::string>();
      }
    } else if (keyword == "minimum" || keyword == "maximum") {
      const bool fits = keyword == "minimum" ? value >= argument : value <= argument;
      if (!value.is_number() || !fits) return where + ": is out of range";
    } else if (keyword == "minItems") {
      if (value.is_array() && value.size() < argument.get<size_t>()) return where + ": has too few items";
    } else if (keyword == "items") {
      for (size_t i = 0; value.is_array() && i < value.size(); ++i) {
        const std::string reason = why_not(argument, value[i], root, where + "[" + std::to_string(i) + "]");
        if (!reason.empty()) return reason;
      }
    } else if (keyword == "properties" || keyword == "required" || keyword == "additionalProperties" ||
               keyword == "patternProperties") {
      if (!value.is_object()) continue;
      const std::string reason = object_mistakes(schema, value, root, where);
      if (!reason.empty()) return reason;
    } else if (keyword != "description" && keyword != "default" && keyword != "$schema" && keyword != "title" &&
               keyword != "$defs") {
      return "the schema has the unknown keyword " + keyword;
    }
  }
  return "";
}

json yaml_as_json(const std::string& text) {
  const SourceText source{"yaml", text};
  std::vector<Diagnostic> diagnostics;
  const auto tree = read_yaml(source, diagnostics);
  if (!tree || tree->root == nullptr) throw std::logic_error("not YAML: " + render(diagnostics));
  return node_as_json(*tree->root, source.text());
}

}  // namespace weir::config::test
