// Upstream: a named group of endpoints with the picker that chooses among them and the policy of reaching them.
// Immutable inside a Snapshot; any thread reads it. Snapshots share it as long as nothing about it changes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/model/endpoint.h"
#include "core/model/http_upstream.h"
#include "core/model/key_source.h"
#include "core/model/picker.h"
#include "core/model/picker_options.h"
#include "core/model/resilience.h"
#include "core/model/shares.h"
#include "core/model/upstream_state.h"

namespace weir {

enum class ProxyHeader : uint8_t { off, v1, v2 };

struct Upstream {
  UpstreamId id{};
  uint64_t version = 0;  // another one whenever anything about it is
  std::string name;
  bool is_subset = false;  // some endpoints of the upstream that has this name
  UpstreamState* state = nullptr;

  std::vector<Endpoint> endpoints;
  std::vector<Candidate> candidates;  // the same, as the picker reads them
  std::string_view algorithm;         // a name of pickers.def
  PickerOptions picker_options;
  ShareRules share_rules;
  Shares shares;
  std::shared_ptr<const Picker> picker;
  KeySource hash_by;         // what the key of a pick is made of
  std::string score_header;  // of answers, in lower case: how much work the origin is fit for; "": none

  ProxyHeader send_proxy = ProxyHeader::off;
  uint32_t tries = 3;
  Duration connect_timeout{};
  Resilience resilience;
  HttpUpstream http;  // how listeners in HTTP mode reach it
};

}  // namespace weir
