// OriginUser: who uses a connection to an origin at present, and hears from it. On the worker's thread; the connection
// it hears of is the one that it took or dialed, and after it has dropped that one, nothing more.
#pragma once

namespace weir {

class OriginUser {
 public:
  virtual void origin_connected() = 0;
  virtual void origin_unreachable(int error) = 0;
  virtual void origin_received() = 0;
  virtual void origin_sent() = 0;
  virtual void origin_failed(bool sending, int error) = 0;
  // The socket, which is to be lent, receives nothing any more.
  virtual void origin_is_quiet() = 0;

 protected:
  ~OriginUser() = default;
};

}  // namespace weir
