// plugin: asks an algorithm in a shared object (weir_balancer.h). What it proposes is looked at before it is followed:
// whoever is no member, or may not be picked now, is replaced by another member, and counted against the plug-in.
//
// Without a plug-in it is round_robin.
#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "core/balance/pickers.h"
#include "core/balance/plugin_library.h"
#include "core/balance/plugin_memory.h"
#include "core/balance/plugin_trial.h"
#include "core/balance/scan.h"
#include "core/base/random.h"

namespace weir {
namespace {

constexpr size_t error_size = 512;
constexpr int draws_max = 8;

static_assert(WEIR_NO_ENDPOINT == no_endpoint);

uint32_t zone_number(ZoneId zone) noexcept {
  return zone == no_zone ? WEIR_NO_ZONE : index_of(zone);
}

// The members as the plug-in sees them. Points into the Endpoints.
class MemberList {
 public:
  explicit MemberList(const PickerMembers& members) {
    size_t label_count = 0;
    for (const Endpoint& endpoint : members.endpoints) label_count += endpoint.metadata.size();
    labels_.reserve(label_count);  // they stay where they are
    members_.reserve(members.endpoints.size());
    for (size_t i = 0; i < members.endpoints.size(); ++i) add(members.endpoints[i], members.shares[i]);
    face_ = {.struct_size = sizeof(weir_members),
             .member_size = sizeof(weir_member),
             .count = static_cast<uint32_t>(members_.size()),
             .first = members_.data()};
  }
  MemberList(const MemberList&) = delete;
  MemberList& operator=(const MemberList&) = delete;

  const weir_members& face() const noexcept { return face_; }

 private:
  void add(const Endpoint& endpoint, uint32_t share) {
    const weir_label* labels = labels_.data() + labels_.size();
    for (const auto& [key, value] : endpoint.metadata) labels_.push_back({key.c_str(), value.c_str()});
    members_.push_back({.name = endpoint.name.c_str(),
                        .labels = labels,
                        .label_count = static_cast<uint32_t>(endpoint.metadata.size()),
                        .share = share,
                        .zone = zone_number(endpoint.zone)});
  }

  std::vector<weir_label> labels_;
  std::vector<weir_member> members_;
  weir_members face_{};
};

struct PluginState final : PickerState {
  PluginState(uint64_t library, uint32_t size, uint64_t seed) : library_id(library), memory(size), random(seed) {}

  uint64_t library_id;  // whose memory it is
  PluginMemory memory;
  Random random;  // for when the plug-in has to be replaced
};

[[noreturn]] void refuse(const PluginLibrary& library, const std::string& reason) {
  // tidy-allow: exceptions, the control thread makes pickers, and refuses the configuration with it
  throw std::runtime_error("plug-in '" + library.path() + "' (" + library.name() + "): " + reason);
}

// What create() wrote into `error`, fit to be printed.
std::string reason_of(const std::array<char, error_size>& error) {
  std::string reason(error.begin(), std::find(error.begin(), error.end() - 1, '\0'));
  for (char& c : reason) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return reason.empty() ? "create() refused its members, and gave no reason" : reason;
}

class Plugin final : public Picker {
 public:
  Plugin(const PickerMembers& members, std::shared_ptr<const PluginLibrary> library, const PickerOptions& options)
      : library_(std::move(library)),
        table_(library_->table()),
        members_(members_with_share(members)),
        latency_decay_(options.latency_decay) {
    is_member_.resize(members.endpoints.size(), false);
    for (const uint32_t index : members_) is_member_[index] = true;
    // Nobody to pick is nothing that a plug-in has to be able to think of.
    if (!members_.empty()) balancer_ = create(MemberList(members), options.plugin_options);
  }
  ~Plugin() override {
    if (balancer_ != nullptr) table_.destroy(balancer_);
  }
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  bool wants_key() const noexcept override { return (table_.wants & WEIR_WANTS_KEY) != 0; }
  bool wants_zone() const noexcept override { return (table_.wants & WEIR_WANTS_ZONE) != 0; }

  std::unique_ptr<PickerState> make_state(uint64_t seed, const PickerState* previous) const override {
    if (balancer_ == nullptr) return std::make_unique<PickerState>();
    auto state = std::make_unique<PluginState>(library_->id(), table_.state_size, seed);
    if (table_.state_size == 0) return state;
    // Only what the same code has written: another version may have another struct.
    const auto* before = dynamic_cast<const PluginState*>(previous);
    const bool same = before != nullptr && before->library_id == library_->id();
    table_.state_init(balancer_, state->memory.data(), seed, same ? before->memory.data() : nullptr);
    return state;
  }

  uint32_t pick(PickerState& state, const PickRequest& request) const noexcept override;

 private:
  // What pick() hands to the plug-in, and gets back with each question of it.
  struct Question {
    weir_pick face;  // first, so that they have one address
    const PickRequest* request;
    const Plugin* plugin;
  };
  static const Question& question(const weir_pick* pick) noexcept { return *reinterpret_cast<const Question*>(pick); }

  static int usable(const weir_pick* pick, uint32_t index) noexcept {
    const Question& asked = question(pick);
    return asked.plugin->may_have(*asked.request, index) ? 1 : 0;
  }
  static uint32_t connections(const weir_pick* pick, uint32_t index) noexcept {
    const auto candidates = question(pick).request->candidates;
    return index < candidates.size() ? candidates[index].connections() : 0;
  }
  static uint64_t latency_ns(const weir_pick* pick, uint32_t index) noexcept {
    const Question& asked = question(pick);
    const PickRequest& request = *asked.request;
    if (index >= request.candidates.size()) return 0;
    const LatencyEstimate& latency = request.candidates[index].state->at(request.worker).latency;
    const float estimate = latency.read(request.now, asked.plugin->latency_decay_);
    return estimate > 0.0F ? static_cast<uint64_t>(estimate) + 1 : 0;
  }

  bool may_have(const PickRequest& request, uint32_t index) const noexcept {
    return index < is_member_.size() && is_member_[index] && request.usable(index);
  }

  uint32_t somebody_usable(Random& random, const PickRequest& request) const noexcept {
    // Drawn first: a scan alone would give all that is missed to whoever comes after the unusable ones.
    for (int draw = 0; draw < draws_max; ++draw) {
      const uint32_t index = members_[random.below(members_.size())];
      if (request.usable(index)) return index;
    }
    return first_usable(request, members_, random.below(members_.size()));
  }

  void* create(const MemberList& members, const std::string& options) const {
    std::array<char, error_size> error{};
    void* balancer = table_.create(&members.face(), options.c_str(), error.data(), error.size());
    if (balancer == nullptr) refuse(*library_, reason_of(error));
    // Once is enough: shares change every second while endpoints start slowly.
    if (library_->is_proven(options)) return balancer;
    const std::string reason = try_plugin(table_, balancer, members.face());
    if (!reason.empty()) {
      table_.destroy(balancer);
      refuse(*library_, reason);
    }
    library_->set_proven(options);
    return balancer;
  }

  std::shared_ptr<const PluginLibrary> library_;
  const weir_balancer& table_;  // of library_
  std::vector<uint32_t> members_;
  std::vector<bool> is_member_;
  Duration latency_decay_;
  void* balancer_ = nullptr;  // null if there are no members
};

uint32_t Plugin::pick(PickerState& state, const PickRequest& request) const noexcept {
  WEIR_ASSERT(request.candidates.size() == is_member_.size());
  if (balancer_ == nullptr) return no_endpoint;
  auto& memory = static_cast<PluginState&>(state);
  const Question asked{.face = {.struct_size = sizeof(weir_pick),
                                .count = static_cast<uint32_t>(is_member_.size()),
                                .key = wants_key() ? request.key : 0,
                                .now_ns = static_cast<uint64_t>(request.now.time_since_epoch().count()),
                                .zone = wants_zone() ? zone_number(request.zone) : WEIR_NO_ZONE,
                                .tried_count = request.tried.count(),
                                .usable = usable,
                                .connections = connections,
                                .latency_ns = latency_ns},
                       .request = &request,
                       .plugin = this};
  const uint32_t index = table_.pick(balancer_, memory.memory.data(), &asked.face);
  if (index == WEIR_NO_ENDPOINT || may_have(request, index)) return index;
  library_->count_misbehaved();
  return somebody_usable(memory.random, request);
}

}  // namespace

std::unique_ptr<const Picker> make_plugin(const PickerMembers& members, const PickerOptions& options) {
  if (options.plugin == nullptr) return make_round_robin(members, options);
  return std::make_unique<Plugin>(members, options.plugin, options);
}

}  // namespace weir
