#include "core/zones/maxmind_field.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace weir::zones {
namespace {

constexpr size_t names_max = 12;  // in a message

using Data = MMDB_entry_data_s;
using DataList = MMDB_entry_data_list_s;

// The last of what belongs to the value that begins here: lists and maps are followed by what is in them.
const DataList* last_of(const DataList* item) {
  const uint32_t type = item->entry_data.type;
  if (type != MMDB_DATA_TYPE_MAP && type != MMDB_DATA_TYPE_ARRAY) return item;
  const uint64_t inside = uint64_t{item->entry_data.data_size} * (type == MMDB_DATA_TYPE_MAP ? 2 : 1);
  for (uint64_t i = 0; i < inside && item->next != nullptr; ++i) item = last_of(item->next);
  return item;
}

// "geoname_id, iso_code, names and 3 more"
std::string keys_of(MMDB_entry_s map) {
  DataList* list = nullptr;
  if (MMDB_get_entry_data_list(&map, &list) != MMDB_SUCCESS || list == nullptr) {
    MMDB_free_entry_data_list(list);
    return "what cannot be decoded";
  }
  const std::unique_ptr<DataList, decltype(&MMDB_free_entry_data_list)> owner(list, MMDB_free_entry_data_list);
  const uint32_t count = list->entry_data.data_size;
  std::string names;
  const DataList* key = list->next;
  for (uint32_t i = 0; i < count && key != nullptr && key->next != nullptr; ++i) {
    if (i == names_max) return names + " and " + std::to_string(count - i) + " more";
    if (i > 0) names += ", ";
    if (key->entry_data.type == MMDB_DATA_TYPE_UTF8_STRING) {
      names.append(key->entry_data.utf8_string, key->entry_data.data_size);
    }
    key = last_of(key->next)->next;
  }
  return count == 0 ? "nothing" : names;
}

const char* kind_of(uint32_t type) {
  switch (type) {
    case MMDB_DATA_TYPE_UTF8_STRING: return "a text";
    case MMDB_DATA_TYPE_BOOLEAN: return "true or false";
    case MMDB_DATA_TYPE_FLOAT:
    case MMDB_DATA_TYPE_DOUBLE: return "a fraction";
    case MMDB_DATA_TYPE_BYTES: return "bytes";
    default: return "a number";
  }
}

std::optional<std::string> text_of(const Data& data) {
  switch (data.type) {
    case MMDB_DATA_TYPE_UTF8_STRING: return std::string{data.utf8_string, data.data_size};
    case MMDB_DATA_TYPE_UINT16: return std::to_string(data.uint16);
    case MMDB_DATA_TYPE_UINT32: return std::to_string(data.uint32);
    case MMDB_DATA_TYPE_UINT64: return std::to_string(data.uint64);
    case MMDB_DATA_TYPE_INT32: return std::to_string(data.int32);
    default: return std::nullopt;
  }
}

}  // namespace

Result<MaxMindField, std::string> MaxMindField::parse(std::string_view text) {
  MaxMindField field;
  field.text_ = text;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find('.', begin), text.size());
    field.parts_.emplace_back(text.substr(begin, end - begin));
    const std::string& part = field.parts_.back();
    if (part.empty() || part.find('\0') != std::string::npos) {
      return "'" + field.text_ + "' is not the path of a field: write names with one dot between them, such as " +
             "country.iso_code, continent.code or autonomous_system_number";
    }
    begin = end + 1;
  }
  return field;
}

std::vector<const char*> MaxMindField::path(size_t count) const {
  std::vector<const char*> path;
  path.reserve(count + 1);
  for (size_t i = 0; i < count; ++i) path.push_back(parts_[i].c_str());
  path.push_back(nullptr);
  return path;
}

MaxMindField::Value MaxMindField::value_in(MMDB_entry_s record) const {
  Data data{};
  switch (MMDB_aget_value(&record, &data, path(parts_.size()).data())) {
    case MMDB_SUCCESS: break;
    case MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR:
    case MMDB_INVALID_LOOKUP_PATH_ERROR: return {Value::Kind::missing, {}};
    default: return {Value::Kind::damaged, {}};
  }
  if (auto text = text_of(data)) return {Value::Kind::text, std::move(*text)};
  return {Value::Kind::unusable, {}};
}

std::string MaxMindField::what_is_there(std::span<const MMDB_entry_s> records) const {
  std::string best;
  size_t best_depth = 0;
  for (const MMDB_entry_s& record : records) {
    for (size_t depth = parts_.size(); best.empty() || depth > best_depth; --depth) {
      MMDB_entry_s start = record;
      Data data{};
      if (MMDB_aget_value(&start, &data, path(depth).data()) == MMDB_SUCCESS) {
        best = describe(record, depth);
        best_depth = depth;
        break;
      }
      if (depth == 0) break;
    }
  }
  return best;
}

// What there is at the first `depth` parts of the path, which the record has.
std::string MaxMindField::describe(MMDB_entry_s record, size_t depth) const {
  std::string prefix;
  for (size_t i = 0; i < depth; ++i) prefix += (i > 0 ? "." : "") + parts_[i];
  const std::string subject = depth == 0 ? "its records" : "its '" + prefix + "'";
  Data data{};
  MMDB_entry_s start = record;
  if (MMDB_aget_value(&start, &data, path(depth).data()) != MMDB_SUCCESS) return {};
  if (data.type == MMDB_DATA_TYPE_MAP) {
    return subject + (depth == 0 ? " have: " : " has: ") + keys_of({.mmdb = record.mmdb, .offset = data.offset});
  }
  if (data.type == MMDB_DATA_TYPE_ARRAY) {
    return subject + " is a list of " + std::to_string(data.data_size) + "; say which of them, such as '" + prefix +
           ".0'";
  }
  return subject + (depth == 0 ? " are " : " is ") + kind_of(data.type);
}

}  // namespace weir::zones
