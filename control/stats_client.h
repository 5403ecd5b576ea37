// StatsClient: one connection to the stats socket. It says one line of commands, gets their answers and is let go.
//
//     listening --a line--> answering --all sent--> leaving --its end, or a moment later--> joining --nothing in
//     flight--> (freed)
//         |                     |                                                             ^
//         `---------------------+------ gone, an error, too slow, the socket stops -----------'
//
// Answers are made one by one, each when the one before has been sent, so that a long line of commands costs the memory
// of one answer and holds up nobody. `leaving` is there because closing a socket that has unread bytes in it is an
// error to the other side: we say our end first and wait for its.
//
// An immovable slot of its StatsSocket; control thread only. Closing is in two steps: close() cancels what is in
// flight, and the slot is freed when the last operation has come back.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/stats_commands.h"
#include "core/base/timer_wheel.h"
#include "net/io/op.h"

namespace weir {

class StatsSocket;

class StatsClient {
 public:
  StatsClient(StatsSocket& socket, int fd) noexcept;
  ~StatsClient();

  void begin();
  // The socket stops: an answer on its way may be finished within a moment, all else ends now. May free the client.
  void wind_up();

  static constexpr size_t line_bytes_max = 16 * 1024;
  static constexpr size_t piece_bytes_max = 64 * 1024;

 private:
  enum class State : uint8_t { listening, answering, leaving, joining };

  static void on_received(Op& op, const Completion& completion);
  static void on_sent(Op& op, const Completion& completion);
  static void on_timer(Timer& timer);

  void become(State next);
  void receive();
  void heard(std::string_view bytes);
  void input_is_over();
  void answer_line();
  void answer_next();
  void send_piece();
  void leave();
  // These two, and whatever ends in them, may free the client: they come last.
  void close();
  void free_if_joined();

  StatsSocket& socket_;
  const int fd_;
  State state_ = State::listening;
  bool input_ended_ = false;
  bool winding_up_ = false;  // the timer has its last deadline
  Op receive_op_;
  Op send_op_;
  Timer timer_;
  std::string line_;  // without its end
  std::vector<StatsWords> commands_;
  size_t next_command_ = 0;
  std::string answer_;  // stays as it is while a send is in flight
  size_t answer_sent_ = 0;
};

}  // namespace weir
