#include "net/proxy/relay.h"

#include "net/proxy/connection.h"
#include "net/proxy/flow.h"

namespace weir {

void Relay::flush() {
  // By index: flushing one may end a session, or have another one flushed.
  for (size_t i = 0; i < to_flush_.size(); ++i) {
    Pump& pump = *to_flush_[i];
    pump.to_flush_ = false;
    switch (pump.kind_) {
      case Pump::Kind::flow: static_cast<Flow&>(pump).flush(); break;
      case Pump::Kind::connection: static_cast<Connection&>(pump).flush(); break;
    }
  }
  to_flush_.clear();
}

void Relay::resume_starved(uint32_t count) {
  for (; count > 0 && !starving.empty(); --count) {
    Pump& pump = *starving.pop_front();
    switch (pump.kind_) {
      case Pump::Kind::flow: static_cast<Flow&>(pump).resume_starved(); break;
      case Pump::Kind::connection: static_cast<Connection&>(pump).resume_starved(); break;
    }
  }
}

}  // namespace weir
