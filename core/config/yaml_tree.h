// YamlTree: a YAML text as a tree of nodes that know where they stand. Only yaml_tree.cc knows yaml-cpp.
//
// A tree owns its nodes; nodes keep their addresses as long as it lives. After it was read it does not change. Aliases
// are resolved (two parents may share a node) and merge keys (`<<`) are merged in, so that readers meet neither. What
// always holds: the tree is no deeper than yaml_depth_max, and a walk over it meets no more than yaml_nodes_max nodes,
// however the aliases multiply.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/config/source.h"

namespace weir::config {

inline constexpr size_t yaml_depth_max = 32;
inline constexpr size_t yaml_nodes_max = 500'000;

struct YamlNode {
  enum class Kind { null, scalar, sequence, mapping };
  struct Entry {
    const YamlNode* key;  // always a scalar
    const YamlNode* value;
  };

  Kind kind = Kind::null;
  size_t offset = 0;  // in the source
  std::string text;   // of a scalar
  std::vector<const YamlNode*> items;
  std::vector<Entry> entries;  // in the order of the file, no key twice; merged-in ones last
  size_t walk = 1;             // nodes that a walk from here meets
};

struct YamlTree {
  std::deque<YamlNode> nodes;
  const YamlNode* root = nullptr;  // null: the text holds no document
};

// None if the text is not YAML; the reason is then the last of `diagnostics`. Keys that come twice are appended to
// `diagnostics` too, but spoil nothing else.
std::optional<YamlTree> read_yaml(const SourceText& source, std::vector<Diagnostic>& diagnostics);

}  // namespace weir::config
