#include "core/model/access_record.h"

#include <array>
#include <cstring>
#include <type_traits>

#include "core/base/assert.h"

namespace weir {
namespace {

// As bytes: the figures, the size of each text in 16 bits, the texts one behind the other.
constexpr std::array texts{&AccessRecord::listener,   &AccessRecord::route,      &AccessRecord::upstream,
                           &AccessRecord::endpoint,   &AccessRecord::method,     &AccessRecord::target,
                           &AccessRecord::host,       &AccessRecord::user_agent, &AccessRecord::referer,
                           &AccessRecord::request_id, &AccessRecord::ended,      &AccessRecord::refusal};
using TextSizes = std::array<uint16_t, texts.size()>;

// No member of AccessRecord is left out: it consists of the figures and these texts.
static_assert(sizeof(AccessRecord) == sizeof(AccessFigures) + texts.size() * sizeof(std::string_view));
static_assert(std::is_trivially_copyable_v<AccessFigures>);
static_assert(access_text_bytes_max <= UINT16_MAX);

constexpr uint32_t fixed_bytes = sizeof(AccessFigures) + sizeof(TextSizes);

// How much of a text that is too long stays, before the mark. Not half of a character, if it is UTF-8.
size_t kept_of(std::string_view text) noexcept {
  size_t kept = access_text_bytes_max - access_cut_mark.size();
  constexpr size_t continuation_bytes_max = 3;
  for (size_t i = 0; i < continuation_bytes_max && (static_cast<unsigned char>(text[kept]) & 0xc0U) == 0x80U; ++i) {
    --kept;
  }
  return kept;
}

}  // namespace

bool push(ByteRing& ring, const AccessRecord& record) noexcept {
  TextSizes sizes{};
  uint32_t size = fixed_bytes;
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string_view text = record.*texts[i];
    const bool cut = text.size() > access_text_bytes_max;
    sizes[i] = static_cast<uint16_t>(cut ? kept_of(text) + access_cut_mark.size() : text.size());
    size += sizes[i];
  }
  std::byte* at = ring.reserve(size);
  if (at == nullptr) return false;

  const auto put = [&at](const void* from, size_t bytes) {
    if (bytes != 0) std::memcpy(at, from, bytes);
    at += bytes;
  };
  const AccessFigures& figures = record;
  put(&figures, sizeof figures);
  put(sizes.data(), sizeof sizes);
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string_view text = record.*texts[i];
    const bool cut = text.size() > access_text_bytes_max;
    put(text.data(), cut ? sizes[i] - access_cut_mark.size() : sizes[i]);
    if (cut) put(access_cut_mark.data(), access_cut_mark.size());
  }
  ring.commit();
  return true;
}

AccessRecord read_access_record(std::span<const std::byte> bytes) noexcept {
  WEIR_ASSERT(bytes.size() >= fixed_bytes, static_cast<long long>(bytes.size()));
  AccessRecord record;
  TextSizes sizes{};
  std::memcpy(static_cast<AccessFigures*>(&record), bytes.data(), sizeof(AccessFigures));
  std::memcpy(sizes.data(), bytes.data() + sizeof(AccessFigures), sizeof sizes);
  std::span<const std::byte> rest = bytes.subspan(fixed_bytes);
  for (size_t i = 0; i < texts.size(); ++i) {
    WEIR_ASSERT(sizes[i] <= rest.size(), sizes[i]);
    record.*texts[i] = {reinterpret_cast<const char*>(rest.data()), sizes[i]};
    rest = rest.subspan(sizes[i]);
  }
  WEIR_ASSERT(rest.empty());
  return record;
}

}  // namespace weir
