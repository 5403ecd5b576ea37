// Complaints: what validation has found so far, and what all its parts need to find it. Owned by validate.cc for the
// time of one validation.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/config/config.h"
#include "core/config/diagnostic.h"

namespace weir::config {

struct Complaint {
  std::string path;  // "listeners[0].upstream"
  Mistake mistake;
};

// What the operator said about a field. `broken`: something that was complained about, so that the field has its
// default. `damaged`: something in which a part is broken.
enum class Said : uint8_t { nothing, something, damaged, broken };
using WhatIsSaid = std::function<Said(const std::string& path)>;

class Complaints {
 public:
  Complaints(const Config& config, const WhatIsSaid& what_is_said);
  Complaints(const Complaints&) = delete;
  Complaints& operator=(const Complaints&) = delete;

  bool full() const noexcept { return list_.size() >= diagnostics_max; }
  size_t count() const noexcept { return list_.size(); }
  bool is_written(const std::string& path) const { return what_is_said_(path) != Said::nothing; }
  bool is_broken(const std::string& path) const { return what_is_said_(path) == Said::broken; }
  // It means what it says, or its default.
  bool is_sound(const std::string& path) const {
    const Said said = what_is_said_(path);
    return said == Said::nothing || said == Said::something;
  }
  std::vector<Complaint> take() && { return std::move(list_); }

  void add(std::string path, std::string message, std::string fix);

  // For a key that was written where it has no effect: `with` is what takes it away, `fix` what would give it one.
  void says_nothing(const std::string& path, const std::string& with, std::string fix);
  // The same, where something is missing: `what` is in words.
  void says_nothing_without(const std::string& path, const std::string& what, std::string fix);

  // If there is no upstream of that name. An empty one was broken, and has been complained about.
  void upstream_exists(const std::string& path, const std::string& name);

 private:
  const Config& config_;
  const WhatIsSaid& what_is_said_;
  std::unordered_set<std::string_view> upstreams_;
  std::vector<Complaint> list_;
};

// Names or addresses, each with the index of the first that has it.
using Seen = std::unordered_map<std::string, size_t>;

// "listeners[3]"
std::string indexed(std::string_view list, size_t index);

}  // namespace weir::config
