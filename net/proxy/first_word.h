// FirstWord: who speaks first on the connections of an upstream, as one worker has seen it.
//
// Where clients do (HTTP, TLS, most databases), the last packet of the handshake with the origin can wait for the
// client's first bytes and leave with them: the origin then wakes up once instead of twice, which is a tenth of what a
// short connection costs it. Where origins do (SMTP, SSH, MySQL), that would make them wait for 40 ms. So it is
// learned: trusted after a number of connections in a row, and given up for good when an origin speaks first once.
// Owned by its worker.
#pragma once

#include <cstdint>

namespace weir {

class FirstWord {
 public:
  static constexpr uint8_t trusted_after = 16;

  void client_spoke() noexcept {
    if (in_a_row_ < trusted_after) ++in_a_row_;
  }
  void origin_spoke() noexcept { origin_has_spoken_ = true; }
  bool is_the_clients() const noexcept { return in_a_row_ >= trusted_after && !origin_has_spoken_; }

 private:
  uint8_t in_a_row_ = 0;
  bool origin_has_spoken_ = false;
};

}  // namespace weir
