#include "health/exec_probe.h"

#include <utility>

#include "core/base/assert.h"
#include "health/in_quotes.h"

namespace weir {

ExecProbe::ExecProbe(const ProbeContext& context, ProgramTarget target, OnCheck on_check)
    : target_(std::move(target)), on_check_(std::move(on_check)), child_(context, *this) {
  WEIR_ASSERT(!target_.command.empty());
}

void ExecProbe::ask() {
  child_.begin({target_.command, target_.environment, {}, target_.timeout});
}

void ExecProbe::give_up() {
  child_.give_up();
}

void ExecProbe::child_over() {
  round_over();
}

void ExecProbe::report() {
  const ChildEnd& end = child_.end();
  CheckReport made{end.passed(), {}, child_.took()};
  if (end.how == ChildEnd::How::not_started) made.reason = in_quotes(target_.command.front()) + " ";
  if (!made.passed) made.reason += describe(end);
  on_check_(id(), made);
}

}  // namespace weir
