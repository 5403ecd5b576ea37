// ExecProbe: runs a program, which finds out in its own way how the endpoint does. Exit status 0 is well; anything else
// is not, and so is taking too long.
//
// Starting a program costs more than a connection does. Give exec probes a Prober of their own, with asking_max, so
// that thousands of them do not become hundreds of processes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "health/check_report.h"
#include "health/child_process.h"
#include "health/probe.h"
#include "health/probe_context.h"

namespace weir {

struct ProgramTarget {
  std::vector<std::string> command;      // the program and its arguments; not empty
  std::vector<std::string> environment;  // "NAME=value"
  Duration timeout;                      // for a whole round
};

class ExecProbe final : public Probe, private ChildProcess::Watcher {
 public:
  static constexpr uint32_t asking_max = 32;

  ExecProbe(const ProbeContext& context, ProgramTarget target, OnCheck on_check);

 private:
  void ask() override;
  void give_up() override;
  void report() override;
  void child_over() override;

  const ProgramTarget target_;
  const OnCheck on_check_;
  ChildProcess child_;
};

}  // namespace weir
