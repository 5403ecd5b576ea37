// Makes the ZoneMap of a configuration: networks that the operator wrote down, a MaxMind DB file, and a zone for those
// who are in neither. For the control thread, once per reload; reading a file of 100 MB takes it half a second or more.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/model/address.h"
#include "core/model/zone_map.h"

namespace weir::zones {

struct ZoneMapSource {
  struct Network {
    Cidr block;
    std::string zone;
  };
  std::vector<Network> networks;
  std::string maxmind_path;   // "": no file
  std::string maxmind_field;  // the path to a text or a number in each record, "country.iso_code"
  std::string default_zone;   // "": none

  // The zones that endpoints are in, each once. The place of a name is its ZoneId.
  std::vector<std::string> names;
};

// Or a sentence that says what to do. Of a client,
// - the longest network that it is in has the last word, also when no endpoint is in that zone;
// - else the record of the file, if the value of its field is one of the names;
// - else the default zone: clients of UNIX sockets have nothing else.
//
// Into `nobody_in`, if it is given, come those names that no client can be in: often they are spelled in another way
// than in the file, which is nothing to fail for.
Result<std::shared_ptr<const ZoneMap>, std::string> make_zone_map(const ZoneMapSource& source,
                                                                  std::vector<std::string>* nobody_in = nullptr);

}  // namespace weir::zones
