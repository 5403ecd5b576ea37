#include "net/http/trailer.h"

#include <algorithm>
#include <array>

namespace weir::http {
namespace {

// Those that are hop-by-hop in fields.def are not repeated here.
constexpr auto forbidden = std::to_array<std::string_view>({
    // framing and routing
    "content-length",
    "host",
    "max-forwards",
    "via",
    "forwarded",
    "x-real-ip",
    "x-request-id",
    "trailer",
    "expect",
    // how the content is to be read
    "content-encoding",
    "content-range",
    "content-type",
    "range",
    // who somebody is
    "authorization",
    "www-authenticate",
    "cookie",
    "set-cookie",
    // what an answer means, and whether it may be kept
    "age",
    "cache-control",
    "date",
    "expires",
    "location",
    "pragma",
    "retry-after",
    "vary",
});
constexpr auto forbidden_beginnings = std::to_array<std::string_view>({"if-", "proxy-", "x-forwarded-"});

}  // namespace

bool may_be_trailer(std::string_view name, FieldId id) noexcept {
  if (is_hop_by_hop(id)) return false;
  const auto is_name = [&](std::string_view text) { return equals_ignoring_case(name, text); };
  const auto is_beginning = [&](std::string_view text) {
    return equals_ignoring_case(name.substr(0, text.size()), text);
  };
  return std::none_of(forbidden.begin(), forbidden.end(), is_name) &&
         std::none_of(forbidden_beginnings.begin(), forbidden_beginnings.end(), is_beginning);
}

}  // namespace weir::http
