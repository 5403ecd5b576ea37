// One accepted socket and the conversation on it: moves bytes between the two, and turns endings into closes.
//
//     preamble --PROXY header read--> talking --ending--> lingering --client closed, or 2 s--> over
//        '-- bad header, client gone --------- close, reset, broken ------------------------^
//
// Without --proxy-protocol it starts talking at once. Owned by its Loop, which polls for interest(), calls in when that
// comes true and destroys the connection when told that it is over; nothing here blocks or knows the poller.
//
// Back-pressure: input is read only while nothing waits to be sent, so a client that does not read is not read from,
// and holds at most one Output and what one recv() brought.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "tools/origin/conversation.h"
#include "tools/origin/http_site.h"

namespace weir::origin {

class Connection {
 public:
  // What all connections of a loop receive into; what is not taken at once is copied.
  static constexpr std::size_t scratch_bytes = 64 * 1024;

  // `scratch` has scratch_bytes and, like `site`, is shared by the connections of one loop.
  Connection(Fd fd, HttpSite& site, char* scratch);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  enum class Verdict : bool { goes_on, over };

  // The socket is new; then: it has these epoll events; `wake()` has come; the origin is stopping.
  Verdict start();
  Verdict on_events(std::uint32_t events);
  Verdict on_time();
  Verdict drain();

  // The epoll events to wait for. Errors come without asking.
  std::uint32_t interest() const noexcept;
  std::optional<Instant> wake() const noexcept;

 private:
  enum class Flushed : std::uint8_t { all, blocked, broken };
  enum class Progress : std::uint8_t { made, none, failed };

  void begin_talk(std::string proxied);
  Verdict receive();
  bool deliver(std::string_view fresh);
  std::optional<std::size_t> take(std::string_view in);
  Verdict advance();
  Flushed flush();
  Progress offer_rest();
  Verdict end(Ending ending);
  Verdict linger();

  const Fd fd_;
  HttpSite& site_;
  char* const scratch_;
  std::unique_ptr<Conversation> conversation_;  // none before the PROXY header has been read
  std::string in_;                              // received, not yet taken
  Output out_;
  bool end_of_input_ = false;            // the client has sent its FIN
  bool has_turn_left_ = false;           // stopped only because its share of this turn was used up
  std::optional<Instant> linger_until_;  // set exactly while lingering
};

}  // namespace weir::origin
