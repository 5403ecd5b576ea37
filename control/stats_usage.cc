#include "control/stats_usage.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace weir {

DescriptorCount count_descriptors() {
  constexpr const char* directory = "/proc/self/fd";
  // Since Linux 6.2 the size of this directory is the number of descriptors; before, it was 0.
  struct stat status {};
  if (::stat(directory, &status) == 0 && status.st_size > 0) {
    return {static_cast<uint64_t>(status.st_size), true};
  }
  std::error_code error;
  const std::filesystem::directory_iterator entries{directory, error};
  if (error) return {0, false};
  const auto count = std::distance(begin(entries), end(entries));
  return {static_cast<uint64_t>(count > 0 ? count - 1 : 0), false};  // without the one that reads the directory
}

uint64_t resident_bytes() {
  uint64_t pages_all = 0;
  uint64_t pages_resident = 0;
  std::ifstream{"/proc/self/statm"} >> pages_all >> pages_resident;
  return pages_resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

ProcessUsage read_process_usage() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return {::getpid(), host.data(), count_descriptors().count, resident_bytes()};
}

}  // namespace weir
