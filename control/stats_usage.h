// ProcessUsage: what the kernel says of this process: descriptors, memory, its number and host. A value; reading it
// costs some microseconds, with a kernel before 6.2 one more for every few open descriptors. Control thread.
#pragma once

#include <cstdint>
#include <string>

namespace weir {

struct ProcessUsage {
  int pid = 0;
  std::string host;
  uint64_t descriptors = 0;  // open now
  uint64_t memory_rss_bytes = 0;
};

ProcessUsage read_process_usage();

// Its parts, for who needs no more.
struct DescriptorCount {
  uint64_t count = 0;
  bool by_kernel = true;  // false: they had to be counted
};
DescriptorCount count_descriptors();
uint64_t resident_bytes();

}  // namespace weir
