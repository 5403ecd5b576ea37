#include "core/config/reader.h"

#include <algorithm>
#include <array>

#include "core/config/substitute.h"
#include "core/config/suggest.h"

namespace weir::config {
namespace {

struct Synonym {
  std::string_view theirs;
  std::string_view ours;
};
constexpr auto synonyms = std::to_array<Synonym>({
#define SYNONYM(theirs, ours) {#theirs, #ours},
#include "core/config/synonyms.def"
#undef SYNONYM
});

constexpr std::string_view extension_prefix = "x-";  // keys at the top that weir leaves to their writer

bool contains(std::span<const std::string_view> words, std::string_view word) {
  for (const std::string_view each : words) {
    if (each == word) return true;
  }
  return false;
}

// What another balancer's word is called here, where that is one of `known`.
std::optional<std::string_view> translate(std::string_view word, std::span<const std::string_view> known) {
  for (const Synonym& synonym : synonyms) {
    if (synonym.theirs == word && contains(known, synonym.ours)) return synonym.ours;
  }
  return std::nullopt;
}

std::string_view shape_of(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null: return "nothing";
    case YamlNode::Kind::scalar: return "a single value";
    case YamlNode::Kind::sequence: return "a list";
    case YamlNode::Kind::mapping: return "a mapping";
  }
  return "";
}

}  // namespace

void ReadContext::wrong(const std::string& path, size_t offset, Mistake mistake) {
  broken_.insert(path);
  if (!full()) diagnostics_.push_back(source_.diagnostic(offset, std::move(mistake.message), std::move(mistake.fix)));
}

bool ReadContext::is_damaged(const std::string& path) const {
  for (const std::string& inside : {path + ".", path + "["}) {
    const auto first = broken_.lower_bound(inside);
    if (first != broken_.end() && first->starts_with(inside)) return true;
  }
  return false;
}

size_t ReadContext::place_of(std::string path) const {
  while (!path.empty()) {
    if (const auto found = places_.find(path); found != places_.end()) return found->second;
    const size_t cut = path.find_last_of(".[");
    path.resize(cut == std::string::npos ? 0 : cut);
  }
  return 0;
}

size_t ReadContext::place_in(const YamlNode& node, std::string_view part) const {
  if (part.empty()) return node.offset;
  const size_t end = source_.text().find('\n', node.offset);
  const size_t exact = source_.text().find(part, node.offset);
  return exact < end ? exact : node.offset;
}

std::optional<ReadContext::Scalar> ReadContext::scalar(const std::string& path, const YamlNode& node) {
  if (node.kind == YamlNode::Kind::null) {
    wrong(path, node.offset, {"there is no value here", "write one, or remove the key"});
    return std::nullopt;
  }
  if (node.kind != YamlNode::Kind::scalar) {
    const bool list = node.kind == YamlNode::Kind::sequence;
    wrong(path, node.offset,
          {std::string{shape_of(node)} + " stands where one value belongs",
           list ? "quote a value that begins with `[`" : "write the value behind the key"});
    return std::nullopt;
  }
  Substitution substitution = substitute(node.text, environment_);
  for (Substitution::Problem& problem : substitution.problems) {
    wrong(path, place_in(node, problem.where), std::move(problem.mistake));
  }
  if (!substitution.problems.empty()) return std::nullopt;
  Scalar scalar{std::move(substitution.text), ""};
  for (const std::string& name : substitution.variables) {
    scalar.origin += (scalar.origin.empty() ? " (from ${" : ", ${") + name + "}";
  }
  if (!scalar.origin.empty()) scalar.origin += ")";
  return scalar;
}

const YamlNode* Reader::take(std::string_view key, const Note& note) {
  known_.push_back(key);
  for (size_t i = 0; i < mapping_.entries.size(); ++i) {
    if (mapping_.entries[i].key->text != key) continue;
    taken_[i] = true;
    context_.found(path_of(key), mapping_.entries[i].value->offset);
    return mapping_.entries[i].value;
  }
  if (note.required) missing_.push_back({key, note.sentence});
  return nullptr;
}

void Reader::pairs(std::string_view key, Metadata& out, const Note& note) {
  const YamlNode* node = take(key, note);
  const std::string path = path_of(key);
  if (node == nullptr || !is_mapping(path, key, *node)) return;
  const Text name{"a name", 1, pair_bytes_max};
  const Text value{"a value", 0, note.value_bytes_max};
  for (const YamlNode::Entry& entry : node->entries) {
    std::pair<std::string, std::string> pair;
    if (auto mistake = name.read(entry.key->text, pair.first)) {
      context_.wrong(path, entry.key->offset, *std::move(mistake));
      continue;
    }
    const std::string entry_path = path + "." + pair.first;
    read(entry_path, *entry.value, pair.second, value);
    if (!context_.is_broken(entry_path)) out.push_back(std::move(pair));
  }
  std::sort(out.begin(), out.end());
}

bool Reader::is_mapping(const std::string& path, std::string_view key, const YamlNode& node) {
  // All of a section may be commented out.
  if (node.kind == YamlNode::Kind::null) return false;
  if (node.kind == YamlNode::Kind::mapping) return true;
  context_.wrong(path, node.offset,
                 {"`" + std::string{key} + "` must be a mapping, not " + std::string{shape_of(node)},
                  "write `key: value` lines, indented, below `" + std::string{key} + ":`"});
  return false;
}

bool Reader::is_list(const std::string& path, std::string_view key, const YamlNode& node) {
  if (node.kind == YamlNode::Kind::null) return false;
  if (node.kind == YamlNode::Kind::sequence) return true;
  context_.wrong(
      path, node.offset,
      {"`" + std::string{key} + "` must be a list, not " + std::string{shape_of(node)}, "begin each item with `- `"});
  return false;
}

bool Reader::is_item_mapping(const std::string& path, const YamlNode& item) {
  if (item.kind == YamlNode::Kind::mapping) return true;
  if (item.kind == YamlNode::Kind::null) {
    context_.wrong(path, item.offset, {"this item is empty", "write it behind the dash, or remove the dash"});
  } else {
    context_.wrong(path, item.offset,
                   {"this item must be a mapping, not " + std::string{shape_of(item)}, "write `- key: value`"});
  }
  return false;
}

const YamlNode& Reader::long_form(std::string_view key, const YamlNode& item) {
  long_form_key_.kind = YamlNode::Kind::scalar;
  long_form_key_.offset = item.offset;
  long_form_key_.text = key;
  long_form_.kind = YamlNode::Kind::mapping;
  long_form_.offset = item.offset;
  long_form_.entries = {{&long_form_key_, &item}};
  return long_form_;
}

void Reader::finish() {
  for (size_t i = 0; i < taken_.size() && !context_.full(); ++i) {
    const YamlNode& key = *mapping_.entries[i].key;
    if (taken_[i] || (path_.empty() && key.text.starts_with(extension_prefix))) continue;
    const auto translated = translate(key.text, known_);
    const auto meant = translated ? translated : suggest(key.text, known_);
    context_.wrong(path_of(key.text), key.offset,
                   {"unknown key " + quoted(key.text),
                    translated ? "weir calls it " + quoted(*translated) : did_you_mean(key.text, known_)});
    if (!meant || context_.is_written(path_of(*meant))) continue;
    // A key that is there under another name is not also missing, for nobody.
    context_.found(path_of(*meant), key.offset);
    context_.broken(path_of(*meant));
    for (Missing& missing : missing_) {
      if (missing.key == meant) missing.key = {};
    }
  }
  for (const Missing& missing : missing_) {
    if (missing.key.empty()) continue;
    context_.wrong(path_of(missing.key), mapping_.offset,
                   {"the key " + quoted(missing.key) + " is missing" + (path_.empty() ? "" : " here"),
                    "it says: " + std::string{missing.sentence}});
  }
}

}  // namespace weir::config
