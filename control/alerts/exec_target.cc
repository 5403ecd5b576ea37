#include "control/alerts/exec_target.h"

#include <algorithm>
#include <utility>

namespace weir {
namespace {

// A variable ends with its first NUL, and some alerts quote what an origin has said.
std::string variable(std::string_view name, std::string_view value) {
  std::string text{name};
  text += '=';
  text += value;
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

}  // namespace

ExecTarget::ExecTarget(const ProbeContext& context, std::vector<std::string> command, Duration timeout)
    : command_(std::move(command)), timeout_(timeout), child_(context, *this) {}

void ExecTarget::deliver(const AlertMessage& message, const std::string& text, Sender& sender) {
  sender_ = &sender;
  const Alert& alert = message.alert;
  const AlertTraits& traits = traits_of(alert.kind);
  const std::vector<std::string> environment{
      variable("WEIR_ALERT", traits.name),       variable("WEIR_SEVERITY", name_of(traits.severity)),
      variable("WEIR_UPSTREAM", alert.upstream), variable("WEIR_ENDPOINT", alert.endpoint),
      variable("WEIR_REASON", alert.reason),     variable("WEIR_TEXT", describe(alert)),
  };
  child_.begin({command_, environment, text + "\n", timeout_});
}

void ExecTarget::child_over() {
  sender_->delivered(child_.end().passed() ? "" : describe(child_.end()));
}

}  // namespace weir
