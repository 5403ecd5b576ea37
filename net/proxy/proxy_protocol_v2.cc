// Version 2: binary (section 2.2).
//
//   0            12        13        14      16              16 + addresses        16 + length
//   | signature  | 2 | cmd | fam | tr | length | addresses     | TLVs: type, length (2), value ... |
#include <algorithm>
#include <array>
#include <cstring>

#include "net/proxy/proxy_protocol_parse.h"

namespace weir {
namespace {

using Status = ProxyParse::Status;
using Bytes = std::span<const std::byte>;

constexpr std::array<uint8_t, 12> signature{0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
constexpr size_t fixed_size = 16;
constexpr size_t tlv_head_size = 3;
constexpr uint8_t tlv_checksum = 0x03;
constexpr size_t checksum_size = 4;

uint8_t byte_at(Bytes bytes, size_t at) noexcept {
  return std::to_integer<uint8_t>(bytes[at]);
}
uint16_t two_bytes_at(Bytes bytes, size_t at) noexcept {
  return static_cast<uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

// CRC-32C (RFC 4960, appendix B), a byte at a time: few senders add one, once per connection.
constexpr auto crc_table = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < table.size(); ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? 0x82f63b78 : 0);
    table[i] = value;
  }
  return table;
}();

// Of the header, with zeros in place of the checksum (section 2.2.3).
uint32_t checksum_of(Bytes header, size_t checksum_at) noexcept {
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < header.size(); ++i) {
    const bool left_out = i >= checksum_at && i < checksum_at + checksum_size;
    crc = crc >> 8 ^ crc_table[(crc ^ (left_out ? 0 : byte_at(header, i))) & 0xff];
  }
  return crc ^ 0xffffffff;
}

// What the first 16 bytes promise, as far as they are there.
struct Promise {
  Status status = Status::need_more;
  bool nobody = false;  // no addresses to be used: all of the rest is skipped
  PeerAddress::Family family = PeerAddress::Family::none;
  size_t addresses_size = 0;
  size_t size = 0;  // of the whole header
};

// Family and transport of the PROXY command (section 2.2). Values that are not assigned must be refused.
bool read_family(uint8_t byte, Promise& promise) noexcept {
  const unsigned transport = byte & 0x0f;
  if (transport > 1) return false;  // 2 is DGRAM: no TCP connection carries one
  switch (byte >> 4) {
    case 0: break;
    case 1:
      promise.family = PeerAddress::Family::ipv4;
      promise.addresses_size = 12;
      break;
    case 2:
      promise.family = PeerAddress::Family::ipv6;
      promise.addresses_size = 36;
      break;
    case 3:
      promise.family = PeerAddress::Family::local;
      promise.addresses_size = 216;
      break;
    default: return false;
  }
  promise.nobody = transport == 0 || promise.family == PeerAddress::Family::none;
  if (promise.nobody) promise.addresses_size = 0;
  return true;
}

Promise read_promise(Bytes bytes) noexcept {
  constexpr Promise broken{.status = Status::bad};
  Promise promise;
  const auto prefix = bytes.first(std::min(bytes.size(), signature.size()));
  if (std::memcmp(prefix.data(), signature.data(), prefix.size()) != 0) return broken;
  if (bytes.size() > 12) {
    const uint8_t version_and_command = byte_at(bytes, 12);
    if (version_and_command != 0x20 && version_and_command != 0x21) return broken;
    promise.nobody = version_and_command == 0x20;  // LOCAL: its family is not to be looked at
  }
  if (bytes.size() > 13 && !promise.nobody && !read_family(byte_at(bytes, 13), promise)) return broken;
  if (bytes.size() > 14) {
    const size_t least = static_cast<size_t>(byte_at(bytes, 14)) << 8;
    if (fixed_size + least > proxy_header_size_max) return broken;
  }
  if (bytes.size() < fixed_size) return promise;
  const size_t length = two_bytes_at(bytes, 14);
  promise.size = fixed_size + length;
  if (promise.size > proxy_header_size_max || length < promise.addresses_size) return broken;
  promise.status = Status::done;
  return promise;
}

// Walks the TLVs in [at, end), as far as they are there. `checksum_at` becomes the place of the checksum, if there is
// one.
Status walk_tlvs(Bytes bytes, size_t at, size_t end, size_t& checksum_at) noexcept {
  while (at < end) {
    if (end - at < tlv_head_size) return Status::bad;
    if (at >= bytes.size()) return Status::need_more;
    const size_t room = end - at - tlv_head_size;
    // Bounds of the length, drawn closer by each byte that is there.
    size_t least = 0;
    size_t most = room;
    if (byte_at(bytes, at) == tlv_checksum) {
      if (checksum_at != 0) return Status::bad;  // two cannot both be of a header with only themselves left out
      least = checksum_size;
      most = std::min(most, checksum_size);
    }
    if (at + 1 < bytes.size()) {
      const size_t high = static_cast<size_t>(byte_at(bytes, at + 1)) << 8;
      least = std::max(least, high);
      most = std::min(most, high | 0xff);
    }
    if (at + 2 < bytes.size()) {
      const size_t length = two_bytes_at(bytes, at + 1);
      least = std::max(least, length);
      most = std::min(most, length);
    }
    if (least > most) return Status::bad;
    const size_t left = room - least;
    if (least == most && left > 0 && left < tlv_head_size) return Status::bad;
    if (at + 2 >= bytes.size()) return Status::need_more;
    if (byte_at(bytes, at) == tlv_checksum) checksum_at = at + tlv_head_size;
    at += tlv_head_size + least;
  }
  return bytes.size() < end ? Status::need_more : Status::done;
}

void read_addresses(Bytes header, PeerAddress::Family family, ProxyParse& parse) noexcept {
  if (family == PeerAddress::Family::local) {
    parse.source.family = parse.destination.family = family;
    return;
  }
  const size_t size = family == PeerAddress::Family::ipv4 ? 4 : 16;
  const auto address = [&](size_t at, size_t port_at) {
    std::array<uint8_t, 16> bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    std::memcpy(bytes.data() + bytes.size() - size, header.data() + at, size);
    return proxied_address(bytes, two_bytes_at(header, port_at));
  };
  const size_t ports_at = fixed_size + 2 * size;
  parse.source = address(fixed_size, ports_at);
  parse.destination = address(fixed_size + size, ports_at + 2);
}

}  // namespace

ProxyParse parse_proxy_v2(Bytes bytes) noexcept {
  const Promise promise = read_promise(bytes);
  if (promise.status != Status::done) return undone(promise.status);
  ProxyParse parse = undone(Status::done);
  parse.local = promise.nobody;
  parse.size = static_cast<uint32_t>(promise.size);
  const bool complete = bytes.size() >= promise.size;
  if (promise.nobody) return complete ? parse : undone(Status::need_more);

  size_t checksum_at = 0;
  const Status tlvs = walk_tlvs(bytes, fixed_size + promise.addresses_size, promise.size, checksum_at);
  if (tlvs != Status::done) return undone(tlvs);
  const Bytes header = bytes.first(promise.size);
  if (checksum_at != 0) {
    const uint32_t claimed =
        static_cast<uint32_t>(two_bytes_at(header, checksum_at)) << 16 | two_bytes_at(header, checksum_at + 2);
    if (claimed != checksum_of(header, checksum_at)) return undone(Status::bad);
  }
  read_addresses(header, promise.family, parse);
  return parse;
}

}  // namespace weir
