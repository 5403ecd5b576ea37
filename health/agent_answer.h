// AgentAnswer: what an agent, a small service beside an origin, says of the origin in one line.
//
// The words are those of HAProxy's agent check, so that agents written for it do: in any order and in any case, between
// blanks, tabs or commas; of two words of the same kind the last one counts; what follows a # is a description. The
// line ends at its first CR or LF. What is not said is not there, and means: as it was.
//
//   "75%,maxconn:30 DRAIN # backup until noon"
//
// A value, made by a pure function. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/model/standing.h"

namespace weir {

// Up, or one of three ways to be down, which differ only in what people read: down (no reason given), fail (something
// was tried and went wrong), stopped (somebody stopped it).
enum class AgentHealth : uint8_t { up, down, fail, stopped };

struct AgentAnswer {
  // More is taken for this much. It keeps the share of the greatest weight (65,535, in hundredths) within 32 bits.
  static constexpr uint32_t percent_max = 25'600;

  std::optional<Duty> duty{};
  std::optional<AgentHealth> health{};
  std::optional<uint32_t> percent{};          // of the configured weight; 0: nothing new
  std::optional<uint32_t> connections_max{};  // 0: any number
  std::string description{};                  // without blanks around it
  std::string not_understood{};               // the words that mean nothing, one blank between them

  bool operator==(const AgentAnswer&) const = default;
};

// Any bytes; never fails, because a word that is not understood is no reason not to act on the others.
AgentAnswer parse_agent_answer(std::string_view line);

// The word for it: "up", "stopped".
std::string_view name_of(AgentHealth health) noexcept;

}  // namespace weir
