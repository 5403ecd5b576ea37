// MaxMindFile: a MaxMind DB file, mapped into memory, as libmaxminddb opens it. Owned by the control thread, for as
// long as it reads zones out of it. The format is described at https://maxmind.github.io/MaxMind-DB/.
#pragma once

#include <maxminddb.h>

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/result.h"

namespace weir::zones {

class MaxMindFile {
 public:
  // Or a sentence about what is wrong and what to do.
  static Result<std::unique_ptr<MaxMindFile>, std::string> open(const std::string& path);
  ~MaxMindFile();
  MaxMindFile(const MaxMindFile&) = delete;
  MaxMindFile& operator=(const MaxMindFile&) = delete;

  // For messages: "'/etc/weir/city.mmdb' (GeoLite2-City)".
  const std::string& description() const { return description_; }

  bool has_ipv6() const { return database_.metadata.ip_version == 6; }

  // What hangs at a bit of an address: a node of the search tree, a record, or nothing.
  struct Branch {
    enum class Kind : uint8_t { node, record, nothing, damaged } kind = Kind::nothing;
    uint32_t at = 0;  // the number of the node; where the record is
  };
  Branch root() const { return branch(0); }
  Branch ipv4_root() const { return has_ipv6() ? branch(database_.ipv4_start_node.node_value) : root(); }
  uint32_t nodes() const { return database_.metadata.node_count; }

  struct Node {
    Branch zero;
    Branch one;
  };
  Node node(uint32_t number) const;

  // For the functions of libmaxminddb that read records.
  MMDB_entry_s record(uint32_t at) const { return {.mmdb = &database_, .offset = at}; }

 private:
  MaxMindFile() = default;
  Branch branch(uint32_t number) const;

  MMDB_s database_{};
  std::string description_;
};

}  // namespace weir::zones
