// Makes the ClientFilter of a listener: networks that may come in and networks that may not, written down in the
// configuration or in files of their own. For the control thread, once per reload: files are read then, and not looked
// at again before the next one.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/model/address.h"
#include "core/model/client_filter.h"

namespace weir::zones {

// A file has a block or an address in each line; what stands behind a # is for people, and lines may be empty.
struct ClientFilterSource {
  std::vector<Cidr> allow = {};
  std::vector<Cidr> deny = {};
  std::string allow_file = {};  // "": none
  std::string deny_file = {};
};

// Two million blocks, or more.
inline constexpr size_t client_file_bytes_max = size_t{64} * 1024 * 1024;

// Or a sentence that says what to do, for a mistake in a file with its place, "path:line: ...". Of a client,
// - the longest block that it is in decides, of whichever list that block is;
// - who is in no block is admitted if nobody is allowed by name: if there is neither `allow` nor `allow_file`;
// - who comes over a UNIX socket is admitted.
Result<std::shared_ptr<const ClientFilter>, std::string> make_client_filter(const ClientFilterSource& source);

}  // namespace weir::zones
