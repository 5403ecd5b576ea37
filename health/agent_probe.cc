#include "health/agent_probe.h"

#include <utility>

namespace weir {

AgentProbe::AgentProbe(const ProbeContext& context, AgentTarget target, OnReport on_report)
    : target_(std::move(target)), on_report_(std::move(on_report)), conversation_(context, *this) {}

void AgentProbe::ask() {
  conversation_.begin({target_.address, target_.say, line_bytes_max, target_.timeout});
}

void AgentProbe::give_up() {
  conversation_.give_up();
}

// Nothing at all is not a line, an empty line is: an agent that has no wishes.
bool AgentProbe::is_enough(std::string_view heard, bool ended) {
  return heard.find_first_of("\r\n") != std::string_view::npos || (ended && !heard.empty());
}

void AgentProbe::conversation_over() {
  round_over();
}

void AgentProbe::report() {
  if (const auto& failure = conversation_.failure()) {
    on_report_(id(), {*failure, conversation_.took()});
  } else {
    on_report_(id(), {parse_agent_answer(conversation_.heard()), conversation_.took()});
  }
}

}  // namespace weir
