// ExecTarget: alerts for a program, which reads one on its standard input and finds the most important of it in its
// environment as well. Exit status 0 is success; a program that takes too long is killed. Control thread only.
#pragma once

#include <string>
#include <vector>

#include "control/alerts/alert_target.h"
#include "core/base/clock.h"
#include "health/child_process.h"

namespace weir {

class ExecTarget final : public AlertTarget, private ChildProcess::Watcher {
 public:
  ExecTarget(const ProbeContext& context, std::vector<std::string> command, Duration timeout);

  void deliver(const AlertMessage& message, const std::string& text, Sender& sender) override;
  void give_up() override { child_.give_up(); }
  std::string_view kind() const noexcept override { return "exec"; }

 private:
  void child_over() override;

  const std::vector<std::string> command_;
  const Duration timeout_;
  ChildProcess child_;
  Sender* sender_ = nullptr;
};

}  // namespace weir
