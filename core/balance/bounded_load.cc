// Bounded load: a hashing algorithm whose endpoints never carry more than `factor` times their fair part of all
// connections. Who would is passed over, and the key goes where it goes when that endpoint is down. (Mirrokni, Thorup,
// Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2016.)
//
//     an endpoint takes one more while it has less than    factor x (connections + 1) x share / sum of shares
//
// The connections are those that all members have together at the moment, over all workers: members are those of one
// level, and where zones are served apart, of one zone. Who is no member, because it is drained, down or a backup, may
// still hold thousands of old connections; they are nobody's fair part. With a factor of 1 or more there always is a
// member below its bound: if each had its bound or more, they would have more connections than there are.
//
// Workers do not wait for each other: if several pick at the same instant, an endpoint may be above its bound by the
// others' picks.
#include <algorithm>
#include <atomic>
#include <limits>
#include <numeric>
#include <utility>

#include "core/balance/pickers.h"
#include "core/balance/scan.h"

namespace weir {
namespace {

// So many members are asked for their connections at every pick, which is exact. With more, the count that the whole
// upstream keeps has to do, less what those have who are no members. It also counts what endpoints still hold that a
// reload has removed (the bound is too wide as long as they do), but nothing that began before it did (too narrow).
constexpr size_t summed_max = 64;

// The bound is rounded down by more than the error of the reckoning, so it is never above what it should be. That no
// longer matters to "there always is a member below its bound": the room there is one connection among 2^32 at least.
constexpr double rounded_down = 1 - 8 * std::numeric_limits<double>::epsilon();

class BoundedLoad final : public Picker {
 public:
  BoundedLoad(std::unique_ptr<const Picker> hashing, const PickerMembers& members, double factor)
      : hashing_(std::move(hashing)), members_(members_with_share(members)) {
    for (uint32_t i = 0; i < members.shares.size(); ++i) {
      if (members.shares[i] == 0) others_.push_back(i);
    }
    const double shares = std::accumulate(members.shares.begin(), members.shares.end(), 0.0);
    if (shares > 0) factor_per_share_ = factor / shares * rounded_down;
  }

  bool wants_key() const noexcept override { return hashing_->wants_key(); }
  bool wants_zone() const noexcept override { return hashing_->wants_zone(); }
  std::unique_ptr<PickerState> make_state(uint64_t seed, const PickerState* previous) const override {
    return hashing_->make_state(seed, previous);
  }

  uint32_t pick(PickerState& state, const PickRequest& request) const noexcept override {
    if (members_.empty()) return no_endpoint;
    WEIR_ASSERT(request.candidates.size() == members_.size() + others_.size());
    const std::atomic<uint32_t>* total = total_of(request);
    const uint64_t connections = total == nullptr ? sum(request, members_) : without_others(request, *total);
    uint32_t index = pick_within(connections, state, request);
    if (index == no_endpoint && total != nullptr) {
      const uint64_t exact = sum(request, members_);
      if (exact > connections) index = pick_within(exact, state, request);
    }
    // Those below their bound may all have been tried, or be full: better beyond a bound than nowhere.
    return index != no_endpoint ? index : hashing_->pick(state, request);
  }

 private:
  uint32_t pick_within(uint64_t connections, PickerState& state, const PickRequest& request) const noexcept {
    const LoadBound bound{factor_per_share_ * static_cast<double>(connections + 1)};
    PickRequest bounded = request;
    bounded.bound = &bound;
    return hashing_->pick(state, bounded);
  }

  // Null if the members are better asked one by one.
  const std::atomic<uint32_t>* total_of(const PickRequest& request) const noexcept {
    if (members_.size() <= std::max(summed_max, others_.size())) return nullptr;
    // Acquire, with the release of the control thread that made the total.
    return request.candidates[members_.front()].state->total.load(std::memory_order_acquire);
  }

  uint64_t without_others(const PickRequest& request, const std::atomic<uint32_t>& total) const noexcept {
    // Relaxed: a load figure. The counts are not read at one instant, so the difference might be below 0.
    const uint64_t all = total.load(std::memory_order_relaxed);
    const uint64_t of_others = sum(request, others_);
    return all > of_others ? all - of_others : 0;
  }

  static uint64_t sum(const PickRequest& request, std::span<const uint32_t> indexes) noexcept {
    uint64_t connections = 0;
    for (const uint32_t index : indexes) connections += request.candidates[index].connections();
    return connections;
  }

  std::unique_ptr<const Picker> hashing_;
  std::vector<uint32_t> members_;
  std::vector<uint32_t> others_;
  double factor_per_share_ = 0;
};

}  // namespace

std::unique_ptr<const Picker> bound_load(std::unique_ptr<const Picker> hashing, const PickerMembers& members,
                                         double factor) {
  return std::make_unique<BoundedLoad>(std::move(hashing), members, factor);
}

}  // namespace weir
