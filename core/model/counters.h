// Counters: what happened, counted by the worker that saw it and read by the control thread.
//
// Each Counter has exactly one writing thread, so counting is a plain load and store, never a locked instruction; a
// reader sees some recent value. Sums over workers are made by the reader.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir {

class Counter {
 public:
  // Relaxed: the number stands for itself and orders nothing. Only the owning worker calls it.
  void add(uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  uint64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

enum class CloseReason : uint8_t {
#define CLOSE_REASON(name, text) name,
#include "core/model/close_reasons.def"
#undef CLOSE_REASON
};

inline constexpr size_t close_reason_count = 0
#define CLOSE_REASON(name, text) +1
#include "core/model/close_reasons.def"
#undef CLOSE_REASON
    ;

enum class ExchangeEnd : uint8_t {
#define EXCHANGE_END(name, status, text) name,
#include "core/model/exchange_ends.def"
#undef EXCHANGE_END
};

inline constexpr size_t exchange_end_count = 0
#define EXCHANGE_END(name, status, text) +1
#include "core/model/exchange_ends.def"
#undef EXCHANGE_END
    ;

struct CounterName {
  std::string_view name;
  std::string_view help;
};

// In the order of the enum.
inline constexpr std::array<CounterName, close_reason_count> close_reason_names{{
#define CLOSE_REASON(name, text) {#name, text},
#include "core/model/close_reasons.def"
#undef CLOSE_REASON
}};

inline constexpr std::array<CounterName, exchange_end_count> exchange_end_names{{
#define EXCHANGE_END(name, status, text) {#name, text},
#include "core/model/exchange_ends.def"
#undef EXCHANGE_END
}};

inline constexpr std::array<uint16_t, exchange_end_count> exchange_end_statuses{
#define EXCHANGE_END(name, status, text) status,
#include "core/model/exchange_ends.def"
#undef EXCHANGE_END
};

inline constexpr size_t cache_line = 64;

// The members of each struct, in order, can be visited with their names: for_each(f) calls f(CounterName, Counter&).
struct alignas(cache_line) WorkerCounters {
#define WORKER_COUNTER(name, text) Counter name;
#include "core/model/counters.def"
  std::array<Counter, close_reason_count> closed;
  std::array<Counter, exchange_end_count> exchanges_ended;

  template <class F>
  void for_each(F&& f) const {
#define WORKER_COUNTER(name, text) f(CounterName{#name, text}, name);
#include "core/model/counters.def"
  }
};

struct alignas(cache_line) ListenerCounters {
#define LISTENER_COUNTER(name, text) Counter name;
#include "core/model/counters.def"

  template <class F>
  void for_each(F&& f) const {
#define LISTENER_COUNTER(name, text) f(CounterName{#name, text}, name);
#include "core/model/counters.def"
  }
};

struct alignas(cache_line) UpstreamCounters {
#define UPSTREAM_COUNTER(name, text) Counter name;
#include "core/model/counters.def"

  template <class F>
  void for_each(F&& f) const {
#define UPSTREAM_COUNTER(name, text) f(CounterName{#name, text}, name);
#include "core/model/counters.def"
  }
};

struct alignas(cache_line) EndpointCounters {
#define ENDPOINT_COUNTER(name, text) Counter name;
#include "core/model/counters.def"

  template <class F>
  void for_each(F&& f) const {
#define ENDPOINT_COUNTER(name, text) f(CounterName{#name, text}, name);
#include "core/model/counters.def"
  }
};

}  // namespace weir
