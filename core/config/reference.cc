#include "core/config/reference.h"

#include "core/config/description.h"

namespace weir::config {
namespace {

constexpr std::string_view end_mark = "<!-- end of fields -->";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

std::string type_text(const FieldDescription& field, const std::string& path) {
  switch (field.shape) {
    case FieldDescription::Shape::value: return escaped(field.type.summary);
    case FieldDescription::Shape::values: return "list of: " + escaped(field.type.summary);
    case FieldDescription::Shape::section: return "mapping, see `" + path + "`";
    case FieldDescription::Shape::pairs: return "mapping of names to values";
    case FieldDescription::Shape::list: return "list, see `" + path + "`";
  }
  return "";
}

std::string default_text(const FieldDescription& field) {
  if (field.required) return "(required)";
  if (!field.otherwise.empty()) return escaped(field.otherwise);
  if (field.default_text.empty()) return "";
  const bool list = field.shape == FieldDescription::Shape::values;
  return (list ? "`[" : "`") + escaped(field.default_text) + (list ? "]`" : "`");
}

void append_tables(std::vector<ReferenceTable>& tables, const std::string& path,
                   const std::vector<FieldDescription>& fields) {
  const size_t mine = tables.size();
  tables.push_back({path, "| key | value | default | meaning |\n|---|---|---|---|\n"});
  for (const FieldDescription& field : fields) {
    std::string inner = path.empty() ? field.key : path + "." + field.key;
    if (field.shape == FieldDescription::Shape::list) inner += "[]";
    tables[mine].markdown += "| `" + field.key + "` | " + type_text(field, inner) + " | " + default_text(field) +
                             " | " + escaped(field.sentence) + " |\n";
    if (!field.fields.empty()) append_tables(tables, inner, field.fields);
  }
}

}  // namespace

std::string reference_mark(std::string_view path) {
  return path.empty() ? "<!-- fields at the top -->" : "<!-- fields of " + std::string{path} + " -->";
}

std::vector<ReferenceTable> reference_tables(std::span<const std::string_view> algorithms) {
  std::vector<ReferenceTable> tables;
  append_tables(tables, "", describe_config(algorithms));
  return tables;
}

std::string refresh_reference(std::string_view document, std::span<const std::string_view> algorithms) {
  std::string result{document};
  for (const ReferenceTable& table : reference_tables(algorithms)) {
    const std::string mark = reference_mark(table.path) + "\n";
    const size_t begin = result.find(mark);
    if (begin == std::string::npos) continue;
    const size_t from = begin + mark.size();
    const size_t to = result.find(end_mark, from);
    if (to == std::string::npos) continue;
    result.replace(from, to - from, table.markdown);
  }
  return result;
}

}  // namespace weir::config
