// The bodies of answers that weir gives itself, when there is no origin's answer to pass on: JSON for programs, a small
// page for people (see accept.h). They say what went wrong and the id by which to find it, and nothing of the servers.
//
// Pure: written into memory that the caller has, no allocation. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace weir::http {

// Every body fits; so much room is asked for each time.
inline constexpr uint32_t error_body_bytes_max = 2048;

constexpr std::string_view error_content_type(bool html) noexcept {
  return html ? "text/html; charset=utf-8" : "application/json";
}

// Returns the size. `reason_name` is a short word for programs ("origin_closed"), `sentence` is for people; the name of
// the status comes from the status. The texts are ASCII: any other byte becomes `?`. Each may take a fixed share of the
// room with its escapes (256 bytes the sentence, 128 each other), and is cut there.
uint32_t write_error_body(bool html, uint16_t status, std::string_view reason_name, std::string_view sentence,
                          std::string_view request_id, std::span<char> out) noexcept;

}  // namespace weir::http
