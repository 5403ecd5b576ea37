// The part of compiling (compile.h) that speaks of health and resilience: what workers have to know of it. What the
// control thread acts on (probes, outliers, rates of breakers, scores, alerts) it reads from the Config itself. Control
// thread; the Config has passed validation.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/model/client_filter.h"
#include "core/model/listener.h"
#include "core/model/rate_limit.h"
#include "core/model/registry.h"
#include "core/model/resilience.h"

namespace weir::config {

Resilience compile_resilience(const UpstreamConfig& config);
SheddingPolicy compile_shedding(const SheddingConfig& config);

// `owner` is where the limits stand, so that each finds its own table again after a reload.
std::vector<RateLimit> compile_rate_limits(const std::vector<RateLimitConfig>& configs, std::string_view owner,
                                           Registry& registry);

// Null where everybody may come in. An error: a sentence about one of its files.
Result<std::shared_ptr<const ClientFilter>, std::string> client_filter_of(const ListenerConfig& config);

// Who may come in at `listener`, how many and how often. `connections_max` is what the process allows in all. Empty, or
// the sentence that says why that cannot be.
std::string compile_admission(ListenerSpec& listener, const ListenerConfig& config, uint32_t connections_max,
                              Registry& registry);

}  // namespace weir::config
