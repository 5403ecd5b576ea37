// MmdbWriter: writes small MaxMind DB files, so that tests need none from elsewhere. By the description of the format,
// version 2.0: a search tree with records of 24 bits, the data, and the metadata that end a file. For one test at a
// time.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/model/address.h"

namespace weir::zones {

// A value, already as the bytes of the format.
class MmdbValue {
 public:
  static MmdbValue text(std::string_view text) { return {head(2, text.size()) + std::string{text}}; }
  static MmdbValue uint16(uint16_t number) { return {integer(5, number, 2)}; }
  static MmdbValue uint32(uint32_t number) { return {integer(6, number, 4)}; }
  static MmdbValue int32(int32_t number) { return {integer(8, static_cast<uint32_t>(number), 4)}; }
  static MmdbValue uint64(uint64_t number) { return {integer(9, number, 8)}; }
  static MmdbValue boolean(bool is) { return {head(14, is ? 1 : 0)}; }
  static MmdbValue fraction() { return {head(3, 8) + std::string(8, '\0')}; }
  static MmdbValue list(const std::vector<MmdbValue>& values) {
    std::string bytes = head(11, values.size());
    for (const MmdbValue& value : values) bytes += value.bytes;
    return {bytes};
  }
  static MmdbValue map(const std::vector<std::pair<std::string, MmdbValue>>& values) {
    std::string bytes = head(7, values.size());
    for (const auto& [key, value] : values) bytes += text(key).bytes + value.bytes;
    return {bytes};
  }
  // What lies at that place of the data.
  static MmdbValue pointer(uint32_t at) {
    return {std::string{'\x38'} + big_endian(at, 4)};  // type 1, an address of four bytes
  }

  static std::string big_endian(uint64_t number, int size) {
    std::string bytes;
    while (size-- > 0) bytes += static_cast<char>(number >> size * 8 & 0xff);
    return bytes;
  }

  std::string bytes;

 private:
  // The control byte. Types above 7 are in a byte of their own behind it, sizes above 28 too.
  static std::string head(unsigned type, size_t size) {
    const size_t first = std::min<size_t>(size, 29);
    std::string bytes{static_cast<char>((type > 7 ? 0 : type << 5) | first)};
    if (type > 7) bytes += static_cast<char>(type - 7);
    if (first == 29) bytes += static_cast<char>(size - 29);
    return bytes;
  }
  static std::string integer(unsigned type, uint64_t number, int size) {
    return head(type, static_cast<size_t>(size)) + big_endian(number, size);
  }
};

class MmdbWriter {
 public:
  explicit MmdbWriter(uint16_t ip_version = 6) : ip_version_(ip_version), nodes_(1) {
    if (ip_version == 6) ipv4_root_ = branch_at({}, 96);
  }

  // Longer networks after those around them. Returns the place of the value in the data.
  uint32_t add(const std::string& network, const MmdbValue& value) {
    const auto at = static_cast<uint32_t>(data_.size());
    data_ += value.bytes;
    const Cidr block = Cidr::parse(network).value();
    const bool is_v4 = network.find(':') == std::string::npos;
    std::array<uint8_t, 16> bytes = block.bytes;
    unsigned bits = block.bits;
    if (is_v4 && ip_version_ == 4) {
      std::rotate(bytes.begin(), bytes.begin() + 12, bytes.end());
      bits -= 96;
    } else if (is_v4) {
      bytes[10] = bytes[11] = 0;
    }
    slot(bytes, bits) = {Branch::Kind::record, at};
    return at;
  }

  // Hangs the tree of IPv4 below an IPv6 network, too, as real files do.
  void alias_ipv4(const std::string& network) {
    const Cidr block = Cidr::parse(network).value();
    slot(block.bytes, block.bits) = {Branch::Kind::node, ipv4_root_};
  }

  // A tree that contains itself.
  void make_circle() { nodes_[0].branches.fill({Branch::Kind::node, 0}); }

  std::string bytes() const {
    const auto count = static_cast<uint32_t>(nodes_.size());
    std::string bytes;
    for (const Node& node : nodes_) {
      for (const Branch& branch : node.branches) {
        const uint32_t number = branch.kind == Branch::Kind::node    ? branch.at
                                : branch.kind == Branch::Kind::empty ? count
                                                                     : count + 16 + branch.at;
        bytes += MmdbValue::big_endian(number, 3);
      }
    }
    using Value = MmdbValue;
    return bytes + std::string(16, '\0') + data_ + "\xab\xcd\xefMaxMind.com" +
           Value::map({{"binary_format_major_version", Value::uint16(major_version)},
                       {"binary_format_minor_version", Value::uint16(0)},
                       {"build_epoch", Value::uint64(1)},
                       {"database_type", Value::text("Test-Zones")},
                       {"description", Value::map({{"en", Value::text("made by a test")}})},
                       {"ip_version", Value::uint16(ip_version_)},
                       {"languages", Value::list({Value::text("en")})},
                       {"node_count", Value::uint32(node_count != 0 ? node_count : count)},
                       {"record_size", Value::uint16(24)}})
               .bytes;
  }

  void write(const std::string& path) const { write(path, bytes()); }
  // A new file each time: to cut the old one short and write it again makes ext4 wait for the disk.
  static void write(const std::string& path, const std::string& bytes) {
    std::filesystem::remove(path);
    std::ofstream(path, std::ios::binary) << bytes;
  }

  // Lies of the metadata.
  uint16_t major_version = 2;
  uint32_t node_count = 0;

 private:
  struct Branch {
    enum class Kind : uint8_t { empty, node, record } kind = Kind::empty;
    uint32_t at = 0;
  };
  struct Node {
    std::array<Branch, 2> branches;
  };

  // The node that the first `bits` lead to. On the way, what was one branch becomes a node with twice that branch.
  uint32_t branch_at(const std::array<uint8_t, 16>& bytes, unsigned bits) {
    uint32_t at = 0;
    for (unsigned i = 0; i < bits; ++i) {
      const Branch branch = nodes_[at].branches[bit(bytes, i)];
      if (branch.kind != Branch::Kind::node) {
        const auto next = static_cast<uint32_t>(nodes_.size());
        nodes_.push_back({{branch, branch}});
        nodes_[at].branches[bit(bytes, i)] = {Branch::Kind::node, next};
        at = next;
      } else {
        at = branch.at;
      }
    }
    return at;
  }

  Branch& slot(const std::array<uint8_t, 16>& bytes, unsigned bits) {
    const uint32_t node = branch_at(bytes, bits - 1);
    return nodes_[node].branches[bit(bytes, bits - 1)];
  }

  static size_t bit(const std::array<uint8_t, 16>& bytes, unsigned at) { return bytes[at / 8] >> (7 - at % 8) & 1; }

  uint16_t ip_version_;
  std::vector<Node> nodes_;
  uint32_t ipv4_root_ = 0;
  std::string data_;
};

}  // namespace weir::zones
