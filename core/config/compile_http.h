// The HTTP part of compiling (compile.h): what a listener does with requests, and how an upstream is asked. Control
// thread; the Config has passed validation.
#pragma once

#include <memory>

#include "core/config/compile_balance.h"
#include "core/config/config.h"
#include "core/model/listener.h"
#include "core/model/registry.h"
#include "core/model/upstream.h"

namespace weir::config {

// As it is looked for: names of headers in lower case.
KeySource compiled_key(const KeySource& source);

// Null for a listener in TCP mode.
std::shared_ptr<const HttpListener> compile_http_listener(const ListenerConfig& listener, const Config& config,
                                                          Registry& registry);

// `upstream` has its id, name and endpoints.
HttpUpstream compile_http_upstream(const UpstreamConfig& config, const TimeoutsConfig& timeouts,
                                   const Upstream& upstream, Registry& registry);

}  // namespace weir::config
