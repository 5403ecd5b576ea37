#include "net/http1/head_writer.h"

#include <array>
#include <charconv>

namespace weir::http1 {

void HeadWriter::request_line(std::string_view method, std::string_view target) noexcept {
  text(method);
  text(" ");
  text(target);
  text(" HTTP/1.1\r\n");
}

void HeadWriter::status_line(uint16_t status, std::string_view reason) noexcept {
  WEIR_ASSERT(status >= 100 && status <= 999, status);
  const std::array digits{static_cast<char>('0' + status / 100), static_cast<char>('0' + status / 10 % 10),
                          static_cast<char>('0' + status % 10)};
  text("HTTP/1.1 ");
  text({digits.data(), digits.size()});
  text(" ");
  text(reason);
  text("\r\n");
}

void HeadWriter::field(std::string_view name, uint64_t number) noexcept {
  std::array<char, 20> digits;  // of 2^64 - 1
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  WEIR_ASSERT(error == std::errc{});
  field(name, std::string_view{digits.data(), static_cast<size_t>(end - digits.data())});
}

}  // namespace weir::http1
