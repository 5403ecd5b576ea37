#include "health/agent_answer.h"

#include <gtest/gtest.h>

#include <iterator>
#include <limits>
#include <ostream>
#include <string>
#include <string_view>

#include "core/base/random.h"

namespace weir {

// NOLINTNEXTLINE(readability-identifier-naming): by this name GoogleTest asks for it
void PrintTo(const AgentAnswer& answer, std::ostream* out) {
  const auto print = [&](const char* name, auto value) {
    if (value) *out << name << '=' << static_cast<uint32_t>(*value) << ' ';
  };
  print("duty", answer.duty);
  print("health", answer.health);
  print("percent", answer.percent);
  print("connections_max", answer.connections_max);
  *out << '#' << answer.description << "# not understood: " << answer.not_understood;
}

namespace {

using namespace std::string_view_literals;

constexpr uint32_t number_max = std::numeric_limits<uint32_t>::max();

struct Row {
  std::string_view line;
  AgentAnswer answer;
};

const Row rows[] = {
    // One word each.
    {"up", {.health = AgentHealth::up}},
    {"down", {.health = AgentHealth::down}},
    {"fail", {.health = AgentHealth::fail}},
    {"stopped", {.health = AgentHealth::stopped}},
    {"ready", {.duty = Duty::ready}},
    {"drain", {.duty = Duty::drain}},
    {"maint", {.duty = Duty::maint}},
    {"75%", {.percent = 75}},
    {"maxconn:30", {.connections_max = 30}},
    // In any case.
    {"UP", {.health = AgentHealth::up}},
    {"Drain", {.duty = Duty::drain}},
    {"sToPpEd", {.health = AgentHealth::stopped}},
    {"MAXCONN:7", {.connections_max = 7}},
    // Nothing said is nothing meant.
    {"", {}},
    {" ", {}},
    {",,\t ,", {}},
    {"\n", {}},
    {"\r\nup", {}},
    // Between words.
    {"up ready", {.duty = Duty::ready, .health = AgentHealth::up}},
    {"up\tready", {.duty = Duty::ready, .health = AgentHealth::up}},
    {"up,ready", {.duty = Duty::ready, .health = AgentHealth::up}},
    {" , up ,\t, ready,", {.duty = Duty::ready, .health = AgentHealth::up}},
    {"75%,maxconn:30,maint,down",
     {.duty = Duty::maint, .health = AgentHealth::down, .percent = 75, .connections_max = 30}},
    {"down maint maxconn:30 75%",
     {.duty = Duty::maint, .health = AgentHealth::down, .percent = 75, .connections_max = 30}},
    // The last of a kind counts.
    {"up down", {.health = AgentHealth::down}},
    {"stopped fail up", {.health = AgentHealth::up}},
    {"drain ready", {.duty = Duty::ready}},
    {"10% 20%", {.percent = 20}},
    {"maxconn:1 maxconn:2", {.connections_max = 2}},
    // Ends.
    {"up\n", {.health = AgentHealth::up}},
    {"up\r\n", {.health = AgentHealth::up}},
    {"up\rdown", {.health = AgentHealth::up}},
    {"up\ndown\n", {.health = AgentHealth::up}},
    // Descriptions.
    {"down # disk full", {.health = AgentHealth::down, .description = "disk full"}},
    {"down #disk full \t\r\n", {.health = AgentHealth::down, .description = "disk full"}},
    {"down#disk", {.health = AgentHealth::down, .description = "disk"}},
    {"up # up, 75% #1", {.health = AgentHealth::up, .description = "up, 75% #1"}},
    {"# nothing else", {.description = "nothing else"}},
    {"up #", {.health = AgentHealth::up}},
    {"up # \t", {.health = AgentHealth::up}},
    {"down # Platte voll: /v\xc3\xa4r", {.health = AgentHealth::down, .description = "Platte voll: /v\xc3\xa4r"}},
    // Percent.
    {"0%", {.percent = 0}},
    {"100%", {.percent = 100}},
    {"007%", {.percent = 7}},
    {"256%", {.percent = 256}},
    {"25600%", {.percent = 25'600}},
    {"25601%", {.percent = 25'600}},
    {"99999999999999999999999%", {.percent = 25'600}},
    {"%", {.not_understood = "%"}},
    {"75", {.not_understood = "75"}},
    {"-5%", {.not_understood = "-5%"}},
    {"+5%", {.not_understood = "+5%"}},
    {"7.5%", {.not_understood = "7.5%"}},
    {"75%%", {.not_understood = "75%%"}},
    {"75%x", {.not_understood = "75%x"}},
    {"x75%", {.not_understood = "x75%"}},
    {"75 %", {.not_understood = "75 %"}},
    {"0x10%", {.not_understood = "0x10%"}},
    // Limits.
    {"maxconn:0", {.connections_max = 0}},
    {"maxconn:4294967295", {.connections_max = number_max}},
    {"maxconn:4294967296", {.connections_max = number_max}},
    {"maxconn:", {.not_understood = "maxconn:"}},
    {"maxconn: 30", {.not_understood = "maxconn: 30"}},
    {"maxconn:-1", {.not_understood = "maxconn:-1"}},
    {"maxconn:3k", {.not_understood = "maxconn:3k"}},
    {"maxconn:50%", {.not_understood = "maxconn:50%"}},
    {"maxconn", {.not_understood = "maxconn"}},
    {"maxconn=30", {.not_understood = "maxconn=30"}},
    // What is not understood keeps nothing else from being understood, and takes nothing back.
    {"hello", {.not_understood = "hello"}},
    {"hello up,world\t50%", {.health = AgentHealth::up, .percent = 50, .not_understood = "hello world"}},
    {"50% x%", {.percent = 50, .not_understood = "x%"}},
    {"maxconn:5 maxconn:x", {.connections_max = 5, .not_understood = "maxconn:x"}},
    {"upp dow fai maintenance", {.not_understood = "upp dow fai maintenance"}},
    {"up;ready", {.not_understood = "up;ready"}},
    {"up\0down"sv, {.not_understood = std::string{"up\0down"sv}}},
    {"HTTP/1.1 200 OK", {.not_understood = "HTTP/1.1 200 OK"}},
};

TEST(AgentAnswer, MeansWhatItSays) {
  for (Row row : rows) {
    // A literal ends at its first zero.
    if (row.line.find('\0') != std::string_view::npos) row.answer.not_understood = row.line;
    EXPECT_EQ(parse_agent_answer(row.line), row.answer) << '"' << row.line << '"';
  }
}

TEST(AgentAnswer, NamesItsHealthByTheWordForIt) {
  for (const std::string_view word : {"up", "down", "fail", "stopped"}) {
    const AgentAnswer answer = parse_agent_answer(word);
    ASSERT_TRUE(answer.health) << word;
    EXPECT_EQ(name_of(*answer.health), word);
  }
}

// Made of the bytes that decide something, in any order: what comes out must be within bounds, and the same if what was
// not understood is left away.
TEST(AgentAnswer, StaysWithinBoundsWhateverComes) {
  constexpr std::string_view pieces[] = {"up", "down", "drain", "maxconn:", "9", "99999", "%", " ", ",",
                                         "#",  "\t",   "\n",    "\r",       "x", "\xff",  "-", "0"};
  Random random{7};
  uint32_t understood = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string line;
    for (uint64_t left = random.below(12); left > 0; --left) line += pieces[random.below(std::size(pieces))];
    const AgentAnswer answer = parse_agent_answer(line);
    EXPECT_LE(answer.percent.value_or(0), AgentAnswer::percent_max);
    EXPECT_EQ(answer.not_understood.find_first_of("#\r\n\t,"), std::string::npos) << line;
    EXPECT_LE(answer.not_understood.size() + answer.description.size(), line.size());
    EXPECT_EQ(parse_agent_answer(answer.not_understood).not_understood, answer.not_understood) << line;
    understood += answer.health || answer.duty || answer.percent || answer.connections_max ? 1 : 0;
  }
  EXPECT_GT(understood, 1'000U) << "the lines are all nonsense, so this shows nothing";
}

}  // namespace
}  // namespace weir
