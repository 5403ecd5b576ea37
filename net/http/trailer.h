// Which fields may stand in a trailer section (RFC 9110 section 6.5.1): none that says how a message is framed, routed,
// authenticated or understood, because whoever reads it there has acted already, and none for the next hop only.
//
// Names, not values; the same for every version of HTTP. Any thread.
#pragma once

#include "net/http/field.h"

namespace weir::http {

bool may_be_trailer(std::string_view name, FieldId id) noexcept;

}  // namespace weir::http
