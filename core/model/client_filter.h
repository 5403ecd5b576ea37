// ClientFilter: who may come in at all, by address. Made by the control thread (core/zones), put into a Snapshot, and
// from then on it does not change; workers ask it once per connection or request.
#pragma once

#include "core/model/address.h"

namespace weir {

class ClientFilter {
 public:
  virtual ~ClientFilter() = default;

  // Never locks, never allocates. Any thread.
  virtual bool admits(const PeerAddress& client) const noexcept = 0;
};

}  // namespace weir
