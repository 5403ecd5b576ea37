#include "health/tcp_probe.h"

#include <algorithm>
#include <utility>

#include "health/in_quotes.h"

namespace weir {

TcpProbe::TcpProbe(const ProbeContext& context, TcpTarget target, OnCheck on_check)
    : target_(std::move(target)), on_check_(std::move(on_check)), conversation_(context, *this) {}

void TcpProbe::ask() {
  searched_ = 0;
  conversation_.begin({target_.address, target_.say, heard_bytes_max, target_.timeout});
}

void TcpProbe::give_up() {
  conversation_.give_up();
}

// Asked when the connection has been made, too: that is enough where nothing is to be said nor heard.
bool TcpProbe::is_enough(std::string_view heard, bool /*ended*/) {
  if (target_.expect.empty()) return target_.say.empty();
  // What was searched before may hold the beginning of it.
  const size_t from = searched_ - std::min(searched_, target_.expect.size() - 1);
  searched_ = heard.size();
  return heard.find(target_.expect, from) != std::string_view::npos;
}

bool TcpProbe::all_said() {
  return target_.expect.empty();
}

void TcpProbe::conversation_over() {
  round_over();
}

std::string TcpProbe::reason() const {
  const auto& failure = conversation_.failure();
  if (!failure) return {};
  if (target_.expect.empty()) {
    switch (failure->kind) {
      case ProbeFailure::Kind::silent: return "connected, but it did not take in time what was to be said";
      case ProbeFailure::Kind::closed: return "closed before it was told what was to be said";
      default: return describe(*failure);
    }
  }
  const std::string expected = in_quotes(target_.expect);
  const std::string_view heard = conversation_.heard();
  switch (failure->kind) {
    case ProbeFailure::Kind::silent:
      if (heard.empty()) return "connected, but it did not say anything in time, expected " + expected;
      return "it said " + in_quotes(heard) + " in time, expected " + expected;
    case ProbeFailure::Kind::closed:
      if (heard.empty()) return "closed without a word, expected " + expected;
      return "it said " + in_quotes(heard) + " and closed, expected " + expected;
    case ProbeFailure::Kind::too_long:
      return "the first " + std::to_string(heard_bytes_max / 1024) + " KiB do not contain " + expected;
    default: return describe(*failure);
  }
}

void TcpProbe::report() {
  const std::string why = reason();
  const CheckReport made{why.empty(), why, conversation_.took()};
  conversation_.forget();
  on_check_(id(), made);
}

}  // namespace weir
