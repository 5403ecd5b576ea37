// What weir's exit status says, for scripts. These numbers are a promise. `weir --help` and
// docs/operating/command-line.md list them.
#pragma once

#include <array>
#include <string_view>

namespace weir {

enum class ExitCode : int {
  ok = 0,
  failure = 1,
  usage = 2,
  bad_config = 3,
  kernel = 4,
  cannot_listen = 5,
  unreachable = 6,
};

struct ExitCodeMeaning {
  ExitCode code;
  std::string_view sentence;
};

inline constexpr std::array exit_code_meanings{
    ExitCodeMeaning{ExitCode::ok, "done"},
    ExitCodeMeaning{ExitCode::failure, "something failed while running"},
    ExitCodeMeaning{ExitCode::usage, "the command line makes no sense"},
    ExitCodeMeaning{ExitCode::bad_config, "the configuration has mistakes"},
    ExitCodeMeaning{ExitCode::kernel, "this kernel, or its io_uring, will not do"},
    ExitCodeMeaning{ExitCode::cannot_listen, "an address, or the access log, could not be opened"},
    ExitCodeMeaning{ExitCode::unreachable, "the stats socket does not answer"},
};

}  // namespace weir
