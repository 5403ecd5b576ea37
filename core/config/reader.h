// Reader: the visitor of describe.h that fills the structs of config.h from YAML nodes.
//
// One Reader walks one mapping; what all of them share (the source, the environment, the mistakes, where everything
// stands) is the ReadContext. A mistake never stops the reading: the field keeps its default, its path is marked
// broken, and the next one is read. Paths look like "upstreams[0].endpoints[2].weight". Owned by parse.cc for the time
// of one parse.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/config/describe.h"
#include "core/config/diagnostic.h"
#include "core/config/environment.h"
#include "core/config/source.h"
#include "core/config/yaml_tree.h"

namespace weir::config {

class ReadContext {
 public:
  ReadContext(const SourceText& source, const Environment& environment, std::span<const std::string_view> algorithms,
              std::vector<Diagnostic>& diagnostics)
      : source_(source), environment_(environment), algorithms_(algorithms), diagnostics_(diagnostics) {}
  ReadContext(const ReadContext&) = delete;
  ReadContext& operator=(const ReadContext&) = delete;

  std::span<const std::string_view> algorithms() const noexcept { return algorithms_; }
  bool full() const noexcept { return config::full(diagnostics_); }

  void wrong(const std::string& path, size_t offset, Mistake mistake);
  void found(const std::string& path, size_t offset) { places_.emplace(path, offset); }
  void lost(const std::string& path) { places_.erase(path); }

  void broken(const std::string& path) { broken_.insert(path); }

  bool is_written(const std::string& path) const { return places_.contains(path); }
  bool is_broken(const std::string& path) const { return broken_.contains(path); }
  bool is_damaged(const std::string& path) const;  // something inside it is broken
  // Where `path` stands, or the nearest thing around it that does.
  size_t place_of(std::string path) const;
  // Where `part` of the scalar `node` stands: of the whole of it, where escapes or line folds hide the part.
  size_t place_in(const YamlNode& node, std::string_view part) const;

  // One scalar with its variables filled in; none if the node is no scalar or a variable is missing (that is reported).
  struct Scalar {
    std::string text;
    std::string origin;  // " (from ${A})", to be added to a message about `text`; "" without variables
  };
  std::optional<Scalar> scalar(const std::string& path, const YamlNode& node);

 private:
  const SourceText& source_;
  const Environment& environment_;
  std::span<const std::string_view> algorithms_;
  std::vector<Diagnostic>& diagnostics_;
  std::unordered_map<std::string, size_t> places_;
  std::set<std::string> broken_;
};

class Reader {
 public:
  Reader(ReadContext& context, const YamlNode& mapping, std::string path)
      : context_(context), mapping_(mapping), path_(std::move(path)), taken_(mapping.entries.size()) {}

  std::span<const std::string_view> algorithms() const noexcept { return context_.algorithms(); }

  template <class T, class Kind>
  void value(std::string_view key, T& out, const Kind& kind, const Note& note) {
    if (const YamlNode* node = take(key, note)) read(path_of(key), *node, out, kind);
  }

  template <class T, class Kind>
  void values(std::string_view key, T& out, const Kind& kind, const Note& note) {
    const YamlNode* node = take(key, note);
    if (node == nullptr || node->kind == YamlNode::Kind::null) return;
    const std::string path = path_of(key);
    out = T{};  // what is written takes the place of a default, and is not added to it
    if (node->kind != YamlNode::Kind::sequence) return read(path, *node, out, kind);
    for (size_t i = 0; i < node->items.size(); ++i) read(item_path(path, i), *node->items[i], out, kind);
  }

  template <class T>
  void section(std::string_view key, T& out, const Note& note) {
    const YamlNode* node = take(key, note);
    if (node != nullptr && is_mapping(path_of(key), key, *node)) describe_into(context_, *node, path_of(key), out);
  }

  // A section that need not be there: commented out, it is not.
  template <class T>
  void section(std::string_view key, std::optional<T>& out, const Note& note) {
    const YamlNode* node = take(key, note);
    if (node == nullptr) return;
    const std::string path = path_of(key);
    if (is_mapping(path, key, *node)) {
      describe_into(context_, *node, path, out.emplace());
    } else if (node->kind == YamlNode::Kind::null) {
      context_.lost(path);
    }
  }

  template <class T>
  void list(std::string_view key, std::vector<T>& out, const Note& note) {
    const YamlNode* node = take(key, note);
    const std::string path = path_of(key);
    if (node == nullptr || !is_list(path, key, *node)) return;
    for (size_t i = 0; i < node->items.size() && !context_.full(); ++i) {
      const YamlNode& item = *node->items[i];
      T& element = out.emplace_back();
      context_.found(item_path(path, i), item.offset);
      if (item.kind == YamlNode::Kind::scalar && !note.short_form.empty()) {
        describe_into(context_, long_form(note.short_form, item), item_path(path, i), element);
      } else if (is_item_mapping(item_path(path, i), item)) {
        describe_into(context_, item, item_path(path, i), element);
      }
    }
  }

  // A mapping whose keys are anybody's; `out` is sorted by them.
  void pairs(std::string_view key, Metadata& out, const Note& note);

  // After the description has been walked: keys that it did not ask for, and keys that have to be there and are not.
  void finish();

  template <class T>
  static void describe_into(ReadContext& context, const YamlNode& mapping, std::string path, T& out) {
    Reader reader{context, mapping, std::move(path)};
    describe(reader, out);
    reader.finish();
  }

 private:
  template <class T, class Kind>
  void read(const std::string& path, const YamlNode& node, T& out, const Kind& kind) {
    context_.found(path, node.offset);
    if constexpr (requires { kind.if_mapping(); }) {
      if (node.kind == YamlNode::Kind::mapping) return context_.wrong(path, node.offset, kind.if_mapping());
    }
    const auto scalar = context_.scalar(path, node);
    if (!scalar) return;
    auto mistake = kind.read(scalar->text, out);
    if (!mistake) return;
    mistake->message += scalar->origin;
    const size_t offset = scalar->origin.empty() ? context_.place_in(node, mistake->where) : node.offset;
    context_.wrong(path, offset, std::move(*mistake));
  }

  // The node of `key`; none if it is not there.
  const YamlNode* take(std::string_view key, const Note& note);
  bool is_mapping(const std::string& path, std::string_view key, const YamlNode& node);
  bool is_list(const std::string& path, std::string_view key, const YamlNode& node);
  bool is_item_mapping(const std::string& path, const YamlNode& item);

  std::string path_of(std::string_view key) const {
    return path_.empty() ? std::string{key} : path_ + "." + std::string{key};
  }
  static std::string item_path(const std::string& path, size_t index) {
    return path + "[" + std::to_string(index) + "]";
  }

  // `item` as if it were written `{key: item}`. Valid until the next call.
  const YamlNode& long_form(std::string_view key, const YamlNode& item);

  ReadContext& context_;
  const YamlNode& mapping_;
  std::string path_;
  std::vector<bool> taken_;              // which entries the description asked for
  std::vector<std::string_view> known_;  // the keys it asked for
  struct Missing {
    std::string_view key;
    std::string_view sentence;
  };
  std::vector<Missing> missing_;  // the keys that have to be there and are not
  YamlNode long_form_key_;
  YamlNode long_form_;
};

}  // namespace weir::config
