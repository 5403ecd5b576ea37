#include "core/config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <map>
#include <sstream>
#include <unordered_map>

#include "core/config/yaml_errors.h"

namespace weir::config {
namespace {

// Thrown through yaml-cpp by TreeBuilder to end the reading; never leaves read_yaml.
struct Refusal {
  size_t offset;
  Mistake mistake;
};

size_t offset_of(const YAML::Mark& mark) {
  return mark.pos < 0 ? 0 : static_cast<size_t>(mark.pos);
}

// Whether the scalar at `offset` begins with a quote that is never closed. yaml-cpp 0.7 takes the end of the file for
// the closing one.
bool is_unclosed_quote(std::string_view text, size_t offset) {
  if (text.substr(offset).starts_with('&')) {  // its anchor stands before it
    offset = text.find_first_not_of(" \t\r\n", text.find_first_of(" \t\r\n", offset));
  }
  if (offset >= text.size() || (text[offset] != '"' && text[offset] != '\'')) return false;
  const char quote = text[offset];
  for (size_t i = offset + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || text.compare(i + 1, 1, "'") != 0) return false;
      ++i;  // '' is a quote inside
    }
  }
  return true;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const SourceText& source, YamlTree& tree, std::vector<Diagnostic>& diagnostics)
      : source_(source), tree_(tree), diagnostics_(diagnostics) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ == 0) return;
    const size_t offset = offset_of(mark);
    if (source_.text().compare(offset, 3, "---") == 0) {
      throw Refusal{offset, {"a second document begins here", "keep one document in the file; remove the `---`"}};
    }
    // What is complete, a quoted text say, is followed by something that does not go on with it.
    throw Refusal{
        offset, {"this does not go on with what stands before it", "check the quotes, brackets and indentation here"}};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(make(YamlNode::Kind::null, place_of_null(offset_of(mark)), anchor));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    if (tag == "!" && is_unclosed_quote(source_.text(), offset_of(mark))) {
      throw Refusal{offset_of(mark), {"this quote is never closed", "close it on the same line"}};
    }
    YamlNode& node = make(YamlNode::Kind::scalar, offset_of(mark), anchor);
    node.text = value;
    add(node);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end() || std::find(open_.begin(), open_.end(), found->second) != open_.end()) {
      throw Refusal{offset_of(mark), {"this alias stands inside what it stands for", "write the value out"}};
    }
    add(*found->second);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    begin(YamlNode::Kind::sequence, mark, tag, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    begin(YamlNode::Kind::mapping, mark, tag, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapEnd() override {
    pending_keys_.pop_back();
    tidy_entries(*open_.back());
    end();
  }

 private:
  YamlNode& make(YamlNode::Kind kind, size_t offset, YAML::anchor_t anchor) {
    YamlNode& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.offset = offset;
    if (anchor != YAML::NullAnchor) anchors_[anchor] = &node;
    return node;
  }

  void begin(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    refuse_tag(mark, tag);
    if (open_.size() >= yaml_depth_max) {
      throw Refusal{offset_of(mark),
                    {"this is nested more than " + std::to_string(yaml_depth_max) + " levels deep", ""}};
    }
    open_.push_back(&make(kind, offset_of(mark), anchor));
    if (kind == YamlNode::Kind::mapping) pending_keys_.push_back(nullptr);
  }

  // A container is added to its parent when it is complete, so that its walk is known.
  void end() {
    YamlNode* node = open_.back();
    open_.pop_back();
    add(*node);
  }

  void add(YamlNode& node) {
    if (open_.empty()) {
      tree_.root = &node;
      return;
    }
    YamlNode& parent = *open_.back();
    if (parent.kind == YamlNode::Kind::sequence) {
      parent.items.push_back(&node);
      count(parent, node);
      return;
    }
    const YamlNode*& key = pending_keys_.back();
    if (key == nullptr) {
      if (node.kind != YamlNode::Kind::scalar)
        throw Refusal{node.offset, {"a key must be a word", "write `key: value`"}};
      key = &node;
      return;
    }
    parent.entries.push_back({key, &node});
    count(parent, node);
    key = nullptr;
  }

  void count(YamlNode& parent, const YamlNode& child) {
    parent.walk += child.walk + (parent.kind == YamlNode::Kind::mapping ? 1 : 0);  // and the key
    if (parent.walk > yaml_nodes_max) {
      throw Refusal{child.offset,
                    {"the file holds more than " + std::to_string(yaml_nodes_max) + " values, aliases resolved", ""}};
    }
  }

  // Of a complete mapping: reports keys that came before, and replaces `<<` by the entries it stands for.
  void tidy_entries(YamlNode& node) {
    std::unordered_map<std::string_view, size_t> keys;  // and where they stand
    std::vector<const YamlNode*> merged;
    std::vector<YamlNode::Entry> entries;
    for (const YamlNode::Entry& entry : node.entries) {
      if (entry.key->text == "<<") {
        collect_merged(*entry.value, merged);
        continue;
      }
      const auto [first, is_new] = keys.emplace(entry.key->text, entry.key->offset);
      if (is_new) {
        entries.push_back(entry);
      } else if (!full(diagnostics_)) {
        diagnostics_.push_back(source_.diagnostic(
            entry.key->offset, "the key " + quoted(entry.key->text) + " comes twice",
            "remove one of the two; the first is on line " + std::to_string(source_.line_of(first->second))));
      }
    }
    for (const YamlNode* mapping : merged) {
      for (const YamlNode::Entry& entry : mapping->entries) {
        if (!keys.emplace(entry.key->text, entry.key->offset).second)
          continue;  // what is said here wins, then what was merged first
        entries.push_back(entry);
        count(node, *entry.value);
      }
    }
    node.entries = std::move(entries);
  }

  static void collect_merged(const YamlNode& value, std::vector<const YamlNode*>& merged) {
    if (value.kind == YamlNode::Kind::mapping) {
      merged.push_back(&value);
      return;
    }
    bool mappings = value.kind == YamlNode::Kind::sequence;
    for (const YamlNode* item : value.items) mappings = mappings && item->kind == YamlNode::Kind::mapping;
    if (!mappings) throw Refusal{value.offset, {"`<<` merges a mapping or a list of mappings", "write `<<: *name`"}};
    merged.insert(merged.end(), value.items.begin(), value.items.end());
  }

  // yaml-cpp marks a value that is not there at the next token, often lines below. What the reader looks for is the key
  // or the dash before it.
  size_t place_of_null(size_t offset) const {
    if (open_.empty()) return offset;
    if (!pending_keys_.empty() && open_.back()->kind == YamlNode::Kind::mapping && pending_keys_.back() != nullptr) {
      return pending_keys_.back()->offset;
    }
    const size_t sequence = open_.back()->offset;
    if (source_.text()[sequence] != '-') return offset;  // a flow sequence
    const size_t column = sequence - source_.line_start(source_.line_of(sequence));
    for (uint32_t line = source_.line_of(offset); line >= source_.line_of(sequence); --line) {
      const size_t dash = source_.line_start(line) + column;
      if (dash < offset && column < source_.line(line).size() && source_.text()[dash] == '-') return dash;
    }
    return sequence;
  }

  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    // "?" is what yaml-cpp says of a plain value without a tag, "!" of a quoted one.
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw Refusal{offset_of(mark), {"tags (`!...`) mean nothing here", "write the value without the tag"}};
  }

  const SourceText& source_;
  YamlTree& tree_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<YamlNode*> open_;                // containers that have not ended, the innermost last
  std::vector<const YamlNode*> pending_keys_;  // per open mapping: the key whose value has not come
  std::map<YAML::anchor_t, YamlNode*> anchors_;
  size_t documents_ = 0;
};

}  // namespace

std::optional<YamlTree> read_yaml(const SourceText& source, std::vector<Diagnostic>& diagnostics) {
  YamlTree tree;
  TreeBuilder builder{source, tree, diagnostics};
  const auto refused = [&](size_t offset, Mistake mistake) {
    diagnostics.push_back(source.diagnostic(offset, std::move(mistake.message), std::move(mistake.fix)));
    return std::nullopt;
  };
  try {
    std::istringstream stream{source.text()};
    YAML::Parser parser{stream};
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refusal& refusal) {
    return refused(refusal.offset, refusal.mistake);
  } catch (const YAML::ParserException& error) {
    const size_t offset = offset_of(error.mark);
    return refused(offset, explain_yaml_error(error.msg, source, offset));
  } catch (const std::exception& error) {
    return refused(0, {std::string{"this is not YAML that weir can read: "} + error.what(), ""});
  }
  return tree;
}

}  // namespace weir::config
