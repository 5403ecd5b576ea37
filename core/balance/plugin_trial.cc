#include "core/balance/plugin_trial.h"

#include <algorithm>
#include <cstring>

#include "core/balance/plugin_memory.h"
#include "hashing/hash64.h"

namespace weir {
namespace {

// Bytes behind the state that have to stay as they are.
constexpr uint32_t guard_size = 256;
constexpr int guard_byte = 0xa5;

// Who may be picked, in turn from pick to pick.
enum class Usable : uint32_t { all, half, one, none };
constexpr uint32_t kinds_of_usable = 4;

// A pick that nobody waits for. Which members are usable, and what is going on there, are functions of the round.
struct TrialPick {
  weir_pick face{};  // first: the plug-in hands us its address
  const weir_members* members = nullptr;
  uint32_t round = 0;

  uint64_t noise(uint32_t index) const noexcept { return hashing::mix64(index, round); }

  bool is_usable(uint32_t index) const noexcept {
    if (index >= members->count || weir_member_at(members, index)->share == 0) return false;
    switch (static_cast<Usable>(round % kinds_of_usable)) {
      case Usable::all: return true;
      case Usable::half: return noise(index) % 2 == 0;
      case Usable::one: return index == round / kinds_of_usable % members->count;
      case Usable::none: return false;
    }
    return false;
  }
};

const TrialPick& trial(const weir_pick* pick) noexcept {
  return *reinterpret_cast<const TrialPick*>(pick);
}

int trial_usable(const weir_pick* pick, uint32_t index) noexcept {
  return trial(pick).is_usable(index) ? 1 : 0;
}

uint32_t trial_connections(const weir_pick* pick, uint32_t index) noexcept {
  return index < pick->count ? static_cast<uint32_t>(trial(pick).noise(index) % 100) : 0;
}

// Up to 10 ms; every fourth is unknown.
uint64_t trial_latency(const weir_pick* pick, uint32_t index) noexcept {
  const uint64_t noise = trial(pick).noise(index);
  return index < pick->count && noise % 4 != 0 ? noise % 10'000'000 + 1 : 0;
}

TrialPick trial_pick(const weir_balancer& table, const weir_members& members, uint32_t round) {
  TrialPick pick;
  pick.members = &members;
  pick.round = round;
  pick.face = {.struct_size = sizeof(weir_pick),
               .count = members.count,
               .key = (table.wants & WEIR_WANTS_KEY) != 0 ? hashing::mix64(round) : 0,
               .now_ns = uint64_t{round} * 1'000'000,
               .zone = WEIR_NO_ZONE,
               .tried_count = round % kinds_of_usable,
               .usable = trial_usable,
               .connections = trial_connections,
               .latency_ns = trial_latency};
  return pick;
}

// The state with a guard behind it.
class GuardedState {
 public:
  GuardedState(const weir_balancer& table, const void* balancer, uint64_t seed, const GuardedState* previous)
      : size_(table.state_size), memory_(table.state_size + guard_size) {
    std::memset(guard(), guard_byte, guard_size);
    if (size_ == 0) return;
    table.state_init(balancer, memory_.data(), seed, previous == nullptr ? nullptr : previous->memory_.data());
  }

  void* data() noexcept { return size_ == 0 ? nullptr : memory_.data(); }
  bool is_intact() noexcept {
    return std::all_of(guard(), guard() + guard_size, [](unsigned char byte) { return byte == guard_byte; });
  }

 private:
  unsigned char* guard() noexcept { return static_cast<unsigned char*>(memory_.data()) + size_; }

  uint32_t size_;
  PluginMemory memory_;
};

std::string describe(const weir_members& members, uint32_t index) {
  if (index >= members.count) {
    return "member " + std::to_string(index) + ", but there are " + std::to_string(members.count);
  }
  return "member " + std::to_string(index) + " ('" + weir_member_at(&members, index)->name + "'), which is not usable";
}

std::string try_state(const weir_balancer& table, const void* balancer, const weir_members& members,
                      GuardedState& state, uint32_t first_round) {
  for (uint32_t round = first_round; round < first_round + trial_picks / 2; ++round) {
    const TrialPick pick = trial_pick(table, members, round);
    const uint32_t index = table.pick(balancer, state.data(), &pick.face);
    if (index == WEIR_NO_ENDPOINT || pick.is_usable(index)) continue;
    return "pick() fails its trial: it proposed " + describe(members, index) + "; ask pick->usable()";
  }
  if (state.is_intact()) return "";
  return "it writes behind its state of " + std::to_string(table.state_size) + " bytes: is `state_size` right?";
}

}  // namespace

std::string try_plugin(const weir_balancer& table, const void* balancer, const weir_members& members) {
  GuardedState first(table, balancer, 1, nullptr);
  std::string reason = try_state(table, balancer, members, first, 0);
  if (!reason.empty()) return reason;
  GuardedState second(table, balancer, 2, &first);
  return try_state(table, balancer, members, second, trial_picks / 2);
}

}  // namespace weir
