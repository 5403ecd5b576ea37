// MaxMindField: the path to one value in the records of a MaxMind DB file, "subdivisions.0.iso_code": keys of maps and
// places in lists. A value, used by the control thread.
#pragma once

#include <maxminddb.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace weir::zones {

class MaxMindField {
 public:
  // Or a sentence about what is wrong with the text.
  static Result<MaxMindField, std::string> parse(std::string_view text);

  struct Value {
    enum class Kind : uint8_t {
      missing,   // this record has no such field
      text,      // or a whole number, as text
      unusable,  // a map, a list, true or false, a fraction, bytes
      damaged,   // the record cannot be decoded
    } kind = Kind::missing;
    std::string text;
  };
  Value value_in(MMDB_entry_s record) const;

  // What there is instead of a usable value in the record that has most of the path: "its 'country' has: geoname_id,
  // iso_code". Some records are enough; "" if there are none.
  std::string what_is_there(std::span<const MMDB_entry_s> records) const;

  const std::string& text() const { return text_; }

 private:
  MaxMindField() = default;
  // As libmaxminddb wants it: the first `count` parts, and a null pointer behind them.
  std::vector<const char*> path(size_t count) const;
  std::string describe(MMDB_entry_s record, size_t depth) const;

  std::string text_;
  std::vector<std::string> parts_;
};

}  // namespace weir::zones
