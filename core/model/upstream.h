// Upstream: a named group of endpoints with the picker that chooses among them and the policy of reaching them.
// Immutable inside a Snapshot; any thread reads it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/model/endpoint.h"
#include "core/model/http_upstream.h"
#include "core/model/picker.h"

namespace weir {

enum class ProxyHeader : uint8_t { off, v1, v2 };

struct Upstream {
  UpstreamId id{};
  std::string name;
  std::string_view algorithm;  // a name of pickers.def
  std::vector<Endpoint> endpoints;
  std::unique_ptr<const Picker> picker;
  ProxyHeader send_proxy = ProxyHeader::off;
  uint32_t tries = 3;
  Duration connect_timeout{};
  HttpUpstream http;  // how listeners in HTTP mode reach it
};

}  // namespace weir
