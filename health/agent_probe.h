// AgentProbe: asks the agent of an endpoint how the endpoint does: connects, says its word if it has one, and reads one
// line. The first CR or LF ends the line; so does the end of the connection, if something came before it.
//
// A round that brings no line is a failure of the agent, not of the endpoint; what to make of either is up to whoever
// gets the report.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/model/address.h"
#include "health/agent_answer.h"
#include "health/probe.h"
#include "health/probe_failure.h"
#include "health/tcp_conversation.h"

namespace weir {

struct AgentTarget {
  SocketAddress address;
  std::string say;   // sent as it is when the connection is made; may be empty
  Duration timeout;  // for a whole round
};

struct AgentReport {
  Result<AgentAnswer, ProbeFailure> answer;
  Duration took;  // the round
};

class AgentProbe final : public Probe, private TcpConversation::Partner {
 public:
  // Called on the control thread, once per round; what it may do is said in prober.h.
  using OnReport = std::function<void(ProbeId, const AgentReport&)>;

  static constexpr size_t line_bytes_max = 1024;  // with its end

  AgentProbe(const ProbeContext& context, AgentTarget target, OnReport on_report);

 private:
  void ask() override;
  void give_up() override;
  void report() override;
  bool is_enough(std::string_view heard, bool ended) override;
  void conversation_over() override;

  const AgentTarget target_;
  const OnReport on_report_;
  TcpConversation conversation_;
};

}  // namespace weir
