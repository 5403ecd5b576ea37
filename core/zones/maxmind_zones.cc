#include "core/zones/maxmind_zones.h"

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/zones/maxmind_field.h"
#include "core/zones/maxmind_file.h"

namespace weir::zones {
namespace {

using Branch = MaxMindFile::Branch;

constexpr std::array<uint8_t, 16> unspecified{};
constexpr std::array<uint8_t, 16> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
constexpr unsigned mapped_bits = 96;
constexpr unsigned address_bits = 128;

// Files hang the tree of IPv4 at a few more places, where IPv6 carries it (6to4, Teredo). More than so many visits per
// node come of a tree that contains itself.
constexpr uint64_t visits_per_node_max = 8;

// Records that a message looks at, to say what they have.
constexpr size_t examples_max = 1000;

class Walk {
 public:
  Walk(const MaxMindFile& file, const MaxMindField& field, const ZoneNames& names)
      : file_(file), field_(field), names_(names), visits_left_(visits_per_node_max * file.nodes()) {}

  void run() {
    address_ = mapped;
    keep(visit(file_.ipv4_root(), mapped_bits), mapped_bits);
    if (!file_.has_ipv6()) return;
    below_ipv6_ = true;
    address_ = unspecified;
    keep(visit(file_.root(), 0), 0);
  }

  // "" if all is well.
  std::string error() const {
    if (is_damaged_) return file_.description() + " is damaged. Download it again";
    if (values_.empty()) return file_.description() + " has no networks";
    const std::string what = " field '" + field_.text() + "'";
    if (unusable_.has_value()) {
      return "the" + what + " in " + file_.description() +
             " is neither a text nor a whole number: " + field_.what_is_there({&*unusable_, 1});
    }
    if (has_field_) return {};
    std::vector<MMDB_entry_s> examples;
    for (const auto& [at, value] : values_) {
      if (examples.size() < examples_max) examples.push_back(file_.record(at));
    }
    return "no record of " + file_.description() + " has a" + what + "; " + field_.what_is_there(examples);
  }

  std::vector<CidrTable::Entry> take_entries() { return std::move(entries_); }

 private:
  // Below a branch there are several values, and they have been kept.
  static constexpr uint32_t various = CidrTable::none - 1;
  static_assert(various > zones_max);

  bool failed() const { return is_damaged_ || unusable_.has_value(); }

  // The one value of all addresses that begin with the first `bits` of address_, which lead to `branch`; or `various`.
  uint32_t visit(Branch branch, unsigned bits) {
    // What looks like IPv4 from here is nobody: clients of IPv4 are looked for among IPv4.
    if (below_ipv6_ && bits == mapped_bits && (address_ == unspecified || address_ == mapped)) return CidrTable::none;
    switch (branch.kind) {
      case Branch::Kind::nothing: return CidrTable::none;
      case Branch::Kind::record: return value_of(branch.at);
      case Branch::Kind::node: return visit_node(branch.at, bits);
      case Branch::Kind::damaged: break;
    }
    is_damaged_ = true;
    return CidrTable::none;
  }

  uint32_t visit_node(uint32_t number, unsigned bits) {
    if (bits == address_bits || visits_left_ == 0) is_damaged_ = true;
    if (failed()) return CidrTable::none;
    --visits_left_;
    const MaxMindFile::Node node = file_.node(number);
    uint8_t& byte = address_[bits / 8];
    const auto bit = static_cast<uint8_t>(0x80U >> bits % 8);
    const uint32_t zero = visit(node.zero, bits + 1);
    byte = static_cast<uint8_t>(byte | bit);
    const uint32_t one = visit(node.one, bits + 1);
    if (one != zero) keep(one, bits + 1);
    byte = static_cast<uint8_t>(byte & ~bit);
    if (one == zero) return zero;
    keep(zero, bits + 1);
    return various;
  }

  void keep(uint32_t value, unsigned bits) {
    if (value == CidrTable::none || value == various) return;
    entries_.push_back({Cidr{address_, static_cast<uint8_t>(bits)}, value});
  }

  // Many networks share a record.
  uint32_t value_of(uint32_t record) {
    const auto [known, is_new] = values_.emplace(record, CidrTable::none);
    if (is_new) known->second = decode(record);
    return known->second;
  }

  uint32_t decode(uint32_t record) {
    const MaxMindField::Value value = field_.value_in(file_.record(record));
    switch (value.kind) {
      case MaxMindField::Value::Kind::missing: return CidrTable::none;
      case MaxMindField::Value::Kind::damaged: is_damaged_ = true; return CidrTable::none;
      case MaxMindField::Value::Kind::unusable:
        if (!unusable_) unusable_ = file_.record(record);
        return CidrTable::none;
      case MaxMindField::Value::Kind::text: break;
    }
    has_field_ = true;
    const ZoneId zone = names_.find(value.text);
    return zone == no_zone ? CidrTable::none : index_of(zone);
  }

  const MaxMindFile& file_;
  const MaxMindField& field_;
  const ZoneNames& names_;
  uint64_t visits_left_;
  bool below_ipv6_ = false;
  std::array<uint8_t, 16> address_{};
  std::vector<CidrTable::Entry> entries_;
  std::unordered_map<uint32_t, uint32_t> values_;  // of records, by where they are
  bool has_field_ = false;                         // a record has the field, whatever zone it names
  bool is_damaged_ = false;
  std::optional<MMDB_entry_s> unusable_;  // the first record whose field names nothing
};

}  // namespace

Result<std::vector<CidrTable::Entry>, std::string> read_maxmind_zones(const std::string& path, const std::string& field,
                                                                      const ZoneNames& names) {
  const auto parsed = MaxMindField::parse(field);
  if (!parsed) return parsed.error();
  const auto file = MaxMindFile::open(path);
  if (!file) return file.error();
  Walk walk(**file, *parsed, names);
  walk.run();
  if (std::string error = walk.error(); !error.empty()) return error;
  return walk.take_entries();
}

}  // namespace weir::zones
