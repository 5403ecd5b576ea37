#include "core/routing/sticky_token.h"

#include <array>
#include <cstdint>

#include "hashing/siphash.h"

namespace weir::routing {
namespace {

using hashing::siphash;
using hashing::SipKey;

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// A secret has any length and a key has sixteen bytes: each half of each key is the hash of the secret under a public
// key of its own. That keeps what the secret has of randomness, which is all a key needs.
SipKey derive(std::string_view secret, uint64_t number) noexcept {
  return {siphash({number, 0}, secret), siphash({number, 1}, secret)};
}

}  // namespace

std::string sticky_token(std::string_view secret, std::string_view upstream, std::string_view endpoint) {
  // The size of the first name stands before it, or "a" + "bc" and "ab" + "c" would be one message.
  std::string message;
  for (uint64_t i = 0; i < 8; ++i) message.push_back(static_cast<char>(uint64_t{upstream.size()} >> (8 * i) & 0xff));
  message.append(upstream).append(endpoint);

  const uint64_t halves[2] = {siphash(derive(secret, 1), message), siphash(derive(secret, 2), message)};
  std::array<uint8_t, 16> bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(halves[i / 8] >> (8 * (i % 8)));

  // base64url without padding (RFC 4648, section 5): six bits a character, the last one has two and four zeros.
  std::string token;
  token.reserve(sticky_token_size);
  for (size_t bit = 0; bit < bytes.size() * 8; bit += 6) {
    const size_t at = bit / 8;
    const unsigned next = at + 1 < bytes.size() ? bytes[at + 1] : 0;
    const unsigned two = unsigned{bytes[at]} << 8 | next;
    token.push_back(alphabet[two >> (10 - bit % 8) & 0x3f]);
  }
  return token;
}

}  // namespace weir::routing
