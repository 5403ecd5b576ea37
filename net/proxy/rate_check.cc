#include "net/proxy/rate_check.h"

#include <algorithm>
#include <optional>

#include "core/balance/key.h"
#include "net/proxy/request_context.h"

namespace weir {
namespace {

// Where all are counted together.
constexpr uint64_t key_of_all = 0x616c6c;

uint64_t key_of_client(const RateLimit& limit, const PeerAddress& client) {
  return key_of(network_of(client, limit.prefix, limit.prefix6));
}

// Nothing for a request that does not say what it would be counted by.
std::optional<uint64_t> key_in(const RateLimit& limit, const RequestContext& context) {
  if (!limit.by) return key_of_all;
  if (limit.by->kind == KeySource::Kind::client_ip) return key_of_client(limit, context.from);
  std::string_view value;
  if (!context.value_of(*limit.by, value)) return std::nullopt;
  return key_of(value);
}

uint32_t whole_seconds(Duration duration) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
  return static_cast<uint32_t>(std::clamp<int64_t>(seconds, 0, UINT32_MAX));
}

template <class KeyIn>
RateCheck check(std::span<const RateLimit> limits, Instant now, RateTold& told, KeyIn&& key_in) {
  RateCheck result;
  for (const RateLimit& limit : limits) {
    const std::optional<uint64_t> key = key_in(limit);
    if (!key) continue;
    const RateVerdict verdict = limit.table->take(*key, now);
    const bool refused = !verdict.admitted && limit.enforced;
    result.over = result.over || !verdict.admitted;
    const bool tells = refused || (limit.enforced && limit.tell == RateLimit::Tell::always);
    if (tells && (refused || !told.told || verdict.remaining < told.remaining)) {
      const RateRule& rule = limit.table->rule();
      const bool bucket = rule.algorithm == RateAlgorithm::token_bucket;
      told = {.told = true,
              .limit = bucket ? rule.burst : rule.requests,
              .remaining = verdict.remaining,
              .reset_s = whole_seconds(verdict.reset),
              // At once would be too early by any clock.
              .retry_after_s = refused ? std::max(whole_seconds(verdict.retry_after), 1U) : 0};
    }
    if (refused) {
      result.admitted = false;
      return result;
    }
  }
  return result;
}

}  // namespace

PeerAddress network_of(const PeerAddress& client, unsigned prefix, unsigned prefix6) noexcept {
  if (!client.is_ip()) return client;
  // An IPv4 address lies in the last four bytes of its mapped form.
  const unsigned bits =
      client.family == PeerAddress::Family::ipv4 ? 96 + std::min(prefix, 32U) : std::min(prefix6, 128U);
  PeerAddress network = client;
  network.port = 0;
  for (unsigned i = 0; i < network.bytes.size(); ++i) {
    const unsigned kept = std::clamp<int>(static_cast<int>(bits) - static_cast<int>(8 * i), 0, 8);
    network.bytes[i] = static_cast<uint8_t>(network.bytes[i] & (0xff00U >> kept));
  }
  return network;
}

RateCheck check_rates(std::span<const RateLimit> limits, const RequestContext& context, Instant now, RateTold& told) {
  return check(limits, now, told, [&](const RateLimit& limit) { return key_in(limit, context); });
}

RateCheck check_rates(std::span<const RateLimit> limits, const PeerAddress& client, Instant now) {
  RateTold told;
  return check(limits, now, told, [&](const RateLimit& limit) {
    return std::optional{limit.by ? key_of_client(limit, client) : key_of_all};
  });
}

}  // namespace weir
