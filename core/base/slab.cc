#include "core/base/slab.h"

#include <sys/mman.h>

namespace weir {

Reservation::Reservation(std::size_t size) : data_(nullptr), size_(size) {
  if (size == 0) return;
  // MAP_NORESERVE: not counted against overcommit (unless vm.overcommit_memory is 2, where nothing escapes the count).
  void* at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) out_of_memory(size);
  data_ = static_cast<std::byte*>(at);
}

Reservation::~Reservation() {
  if (data_ != nullptr) WEIR_ASSERT(munmap(data_, size_) == 0);
}

}  // namespace weir
