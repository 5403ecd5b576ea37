// How durations, sizes, numbers, CPU lists and addresses are written in a configuration: text to value, and back. Also
// for command-line flags, so that both speak one language. Pure functions. Any thread.
//
// Each `read_...` gives the value or says what is wrong and what would be right; ranges are not its business (kinds.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/config/diagnostic.h"
#include "core/model/address.h"

namespace weir::config {

template <class T>
using Reading = Result<T, Mistake>;

// "500ms", "5s", "10m", "1h", "1m30s", "30d", "0". Units us, ms, s, m, h, d, each once, the largest first.
Reading<Duration> read_duration(std::string_view text);
std::string to_text(Duration duration);

// "512", "64KiB", "1MiB", "2GiB" (powers of 1024) and "64KB", "10MB", "1GB" (powers of 1000). Bytes.
Reading<uint64_t> read_size(std::string_view text);
std::string size_to_text(uint64_t bytes);

// Decimal digits.
Reading<uint64_t> read_count(std::string_view text);

// "0-3,6" is 0, 1, 2, 3, 6: ascending, no CPU twice.
Reading<std::vector<uint32_t>> read_cpus(std::string_view text);
std::string cpus_to_text(const std::vector<uint32_t>& cpus);

// "0600": three or four octal digits, permissions only.
Reading<uint32_t> read_file_mode(std::string_view text);
std::string file_mode_to_text(uint32_t mode);

// "10.0.0.1:80", "[::1]:80", "unix:/path"; for a listener also ":80". Names of hosts are refused.
Reading<SocketAddress> read_address(std::string_view text);

// "10.0.0.0/8", "::1/128", or one address alone.
Reading<Cidr> read_cidr(std::string_view text);

inline constexpr uint32_t cpu_max = 1023;  // CPU_SETSIZE - 1

}  // namespace weir::config
