// Published<T>: one pointer that many readers follow and one writer replaces, without a lock and without a reader ever
// waiting.
//
//     writer:   publish(new) ---------------------> retired list --reclaim()--> freed once every reader is past it
//     reader:   offline --online()--> reads, turn after turn: refresh() --offline()--> may block
//
// A reader may use the object it got from online() or refresh() until its next refresh() or offline(). So reclamation
// needs no counting: an object retired in epoch E is dead when each reader is offline or has refreshed in an epoch
// after E. Epochs, not grace periods by time: a reader that sleeps forever while offline delays nothing.
//
// publish(), reclaim() and the destructor belong to one thread (control); each Reader belongs to one thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/assert.h"

namespace weir {

template <class T>
class Published {
 public:
  // One reader's place. Alone on its cache line: only its owner writes it, and often.
  class alignas(64) Reader {
   public:
    // From offline. Four accesses are seq_cst, so that they have one order for all: here our epoch, then the pointer;
    // in the writer the pointer (publish), then our epoch (reclaim). Whoever comes second sees what the other wrote:
    // the writer that we are online, or we its newest pointer. (Not two fences, which ThreadSanitizer does not know.)
    //
    // The store is a release, too: our reads before the last offline() come before the end of what we read, also when
    // the writer sees this epoch and never saw us offline.
    const T* online() noexcept {
      WEIR_ASSERT(seen_.load(std::memory_order_relaxed) == offline_epoch);
      seen_.store(owner_->epoch_.load(std::memory_order_acquire), std::memory_order_seq_cst);
      return owner_->current_.load(std::memory_order_seq_cst);
    }

    // While online, at the top of a turn: what was read before is given up. No order for all is needed here: if the
    // epoch we see is the old one, our slot still holds the writer back; if it is the new one, acquire shows us the
    // pointer stored before it.
    const T* refresh() noexcept {
      WEIR_ASSERT(seen_.load(std::memory_order_relaxed) != offline_epoch);
      const uint64_t epoch = owner_->epoch_.load(std::memory_order_acquire);
      // Release, with the acquire in reclaim(): our reads of the old object come before its end.
      if (epoch != seen_.load(std::memory_order_relaxed)) seen_.store(epoch, std::memory_order_release);
      return owner_->current_.load(std::memory_order_acquire);
    }

    // Before blocking. Release, as above.
    void offline() noexcept { seen_.store(offline_epoch, std::memory_order_release); }

   private:
    friend class Published;
    std::atomic<uint64_t> seen_{offline_epoch};
    Published* owner_ = nullptr;
  };

  explicit Published(unsigned readers) : readers_(readers) {
    for (Reader& reader : readers_) reader.owner_ = this;
  }
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

  // All readers are offline by then.
  ~Published() {
    for (const Reader& reader : readers_) WEIR_ASSERT(reader.seen_.load(std::memory_order_acquire) == offline_epoch);
    delete current_.load(std::memory_order_relaxed);
  }

  Reader& reader(unsigned index) noexcept { return readers_[index]; }

  // The writer's own view of what it published last.
  const T* current() const noexcept { return current_.load(std::memory_order_relaxed); }

  void publish(std::unique_ptr<const T> next) {
    // A release, with the readers' acquire: what is inside `next` comes before the pointer to it. seq_cst: see
    // online().
    const T* old = current_.exchange(next.release(), std::memory_order_seq_cst);
    // The pointer comes before the epoch: who sees the new epoch sees the new pointer.
    const uint64_t epoch = epoch_.load(std::memory_order_relaxed);
    epoch_.store(epoch + 1, std::memory_order_release);
    if (old != nullptr) retired_.push_back({epoch, std::unique_ptr<const T>{old}});
  }

  // Frees what no reader can hold any more; `dispose` is handed each one, so that the owner can let go of what it
  // named. Returns how many are still waiting.
  template <class F>
  size_t reclaim(F&& dispose) {
    if (retired_.empty()) return 0;
    uint64_t oldest = ~uint64_t{0};
    for (const Reader& reader : readers_) {
      // seq_cst: see online(). An acquire, too, with the release in refresh() and offline().
      const uint64_t seen = reader.seen_.load(std::memory_order_seq_cst);
      if (seen != offline_epoch && seen < oldest) oldest = seen;
    }
    std::erase_if(retired_, [&](Retired& retired) {
      if (retired.epoch >= oldest) return false;
      dispose(std::move(retired.object));
      return true;
    });
    return retired_.size();
  }
  size_t reclaim() {
    return reclaim([](std::unique_ptr<const T>) {});
  }

 private:
  static constexpr uint64_t offline_epoch = 0;

  struct Retired {
    uint64_t epoch;  // the last one in which a reader could have got it
    std::unique_ptr<const T> object;
  };

  std::atomic<const T*> current_{nullptr};
  std::atomic<uint64_t> epoch_{1};  // on the readers' hot path, but written only by publish()
  std::vector<Reader> readers_;
  std::vector<Retired> retired_;  // the writer's
};

}  // namespace weir
