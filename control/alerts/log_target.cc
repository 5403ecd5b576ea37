#include "control/alerts/log_target.h"

#include <array>

#include "core/base/assert.h"
#include "core/base/owner_of.h"

namespace weir {
namespace {

LogLevel level_of(AlertSeverity severity) {
  constexpr std::array levels{LogLevel::info, LogLevel::warn, LogLevel::error};
  return levels[static_cast<size_t>(severity)];
}

}  // namespace

LogTarget::~LogTarget() {
  wheel_.cancel(told_);
}

void LogTarget::deliver(const AlertMessage& message, const std::string& /*text*/, Sender& sender) {
  WEIR_ASSERT(!told_.armed());
  const Alert& alert = message.alert;
  const AlertTraits& traits = traits_of(alert.kind);
  // An endpoint that there is none of is not named.
  const LogField kind{"alert", traits.name};
  const LogField upstream{"upstream", alert.upstream};
  const LogField about{"endpoint", alert.endpoint};
  const LogField reason{"reason", alert.reason};
  const LogField suppressed{"suppressed", message.suppressed};
  const LogLevel level = level_of(traits.severity);
  if (alert.endpoint.empty()) {
    log_.write(level, "alert", traits.text, {kind, upstream, reason, suppressed});
  } else {
    log_.write(level, "alert", traits.text, {kind, upstream, about, reason, suppressed});
  }
  sender_ = &sender;
  wheel_.arm(told_, clock_.now());
}

void LogTarget::on_told(Timer& timer) {
  owner_of(timer, &LogTarget::told_).sender_->delivered("");
}

void LogTarget::give_up() {
  if (!told_.armed()) return;
  wheel_.cancel(told_);
  sender_->delivered("");
}

}  // namespace weir
