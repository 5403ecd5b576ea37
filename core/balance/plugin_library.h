// PluginLibrary: a shared object with a balancing algorithm in it (weir_balancer.h), loaded and looked at. Whoever
// holds one may call its table().
//
// The control thread loads it and drops it: the pickers of each Snapshot hold it, so that it is unloaded when the last
// Snapshot that uses it is gone. A file is loaded once: as long as it lives, loading the same file again gives the same
// PluginLibrary. Workers call functions of its table, and count what those do wrong.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "core/balance/weir_balancer.h"
#include "core/base/result.h"

namespace weir {

// Which file it was, and in which state. Another file may come to have the same path.
struct PluginFile {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;
  int64_t modified_ns = 0;

  friend bool operator==(const PluginFile&, const PluginFile&) = default;
};

class PluginLibrary {
 public:
  // The library in that file, or a sentence: why not, and what to do about it. Runs code of the file. Control thread.
  static Result<std::shared_ptr<const PluginLibrary>, std::string> load(const std::string& path);

  ~PluginLibrary();
  PluginLibrary(const PluginLibrary&) = delete;
  PluginLibrary& operator=(const PluginLibrary&) = delete;

  // What the plug-in can do. Its functions are there; fields that it is too old to know are 0.
  const weir_balancer& table() const noexcept { return table_; }
  const std::string& name() const noexcept { return name_; }  // as it calls itself
  const std::string& path() const noexcept { return path_; }
  // No other library has it, also not one that comes later: states of one are never handed to another.
  uint64_t id() const noexcept { return id_; }

  // Picks that it answered with somebody who may not be picked. Any thread.
  void count_misbehaved() const noexcept { misbehaved_.fetch_add(1, std::memory_order_relaxed); }
  uint64_t misbehaved() const noexcept { return misbehaved_.load(std::memory_order_relaxed); }

  // It has passed its trial with these options (core/balance/plugin_trial.h). Control thread.
  bool is_proven(std::string_view options) const { return proven_.contains(options); }
  void set_proven(std::string_view options) const { proven_.emplace(options); }

 private:
  PluginLibrary(void* handle, std::string path, const PluginFile& file);

  // Reads the table out of what was loaded. A reason if that does not do, else "".
  std::string adopt();

  void* handle_;  // of dlopen()
  std::string path_;
  PluginFile file_;
  uint64_t id_;
  std::string name_;
  weir_balancer table_{};
  // Relaxed: a figure that orders nothing.
  mutable std::atomic<uint64_t> misbehaved_{0};
  mutable std::set<std::string, std::less<>> proven_;
};

}  // namespace weir
