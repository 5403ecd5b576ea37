// TcpProbe: connects, says something if it has something to say, and listens for a text if it expects one.
//
// Without a text to expect, it is enough that the connection was made, and that the kernel took what is to be said. The
// text may come anywhere in the first heard_bytes_max bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/model/address.h"
#include "health/check_report.h"
#include "health/probe.h"
#include "health/probe_context.h"
#include "health/tcp_conversation.h"

namespace weir {

struct TcpTarget {
  SocketAddress address{};
  std::string say{};     // sent as it is when the connection is made; may be empty
  std::string expect{};  // may be empty
  Duration timeout{};    // for a whole round
};

class TcpProbe final : public Probe, private TcpConversation::Partner {
 public:
  static constexpr size_t heard_bytes_max = 16 * 1024;

  TcpProbe(const ProbeContext& context, TcpTarget target, OnCheck on_check);

 private:
  void ask() override;
  void give_up() override;
  void report() override;
  bool is_enough(std::string_view heard, bool ended) override;
  bool all_said() override;
  void conversation_over() override;

  std::string reason() const;

  const TcpTarget target_;
  const OnCheck on_check_;
  size_t searched_ = 0;  // of what was heard; the text does not lie in there
  TcpConversation conversation_;
};

}  // namespace weir
