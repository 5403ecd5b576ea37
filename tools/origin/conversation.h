// One side of a dialogue, without I/O: bytes come in, bytes go to an Output, and after each step the conversation's
// wishes say what should happen next. HTTP is one kind, each raw mode another.
//
// Owned by one Connection, called by its loop's thread only. The connection promises: on_input() only while `read` is
// wished and `produce` is not, with all bytes not yet taken; on_room() only while `produce` is wished and the Output is
// empty; on_time() not before `wake`, which is then unset; on_end_of_input() at most once, after on_input() could take
// no more; nothing at all once an ending is chosen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/clock.h"
#include "tools/origin/output.h"

namespace weir::origin {

enum class Ending : std::uint8_t {
  none,    // goes on
  close,   // once all is sent, close; the client's bytes have all been read
  linger,  // the same, but the client may still be sending: it must not get a reset before it has read the answer
  reset,   // at once, with an RST
};

struct Wishes {
  bool read = true;      // there is use for bytes from the client
  bool produce = false;  // there is more to send without hearing anything first
  Ending ending = Ending::none;
  std::optional<Instant> wake{};  // call on_time() then
};

class Conversation {
 public:
  virtual ~Conversation() = default;

  // Takes what it can from the front of `in` and says how many bytes; the rest comes again, with more behind it or when
  // there is room again.
  virtual std::size_t on_input(std::string_view in, Output& out) = 0;
  virtual void on_end_of_input(Output& out) = 0;
  virtual void on_room(Output&) {}
  virtual void on_time(Output&) {}

  // The origin is stopping: end as soon as it can be done politely.
  virtual void on_drain() { wishes_.ending = Ending::linger; }

  const Wishes& wishes() const noexcept { return wishes_; }
  void forget_wake() noexcept { wishes_.wake.reset(); }

 protected:
  Wishes wishes_;
};

}  // namespace weir::origin
