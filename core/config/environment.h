// Environment: where `${NAME}` in a configuration gets its value. The process's own environment, and under it the
// `.env` file beside the configuration: what is really exported wins.
//
// Values. `process_environment` reads environ when asked, so nobody may call setenv meanwhile (weir never does).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/diagnostic.h"
#include "core/config/source.h"

namespace weir::config {

using Environment = std::function<std::optional<std::string>(std::string_view name)>;

Environment process_environment();
Environment environment_of(std::map<std::string, std::string, std::less<>> variables);
Environment layered(Environment first, Environment second);

// Letters, digits and `_`, not starting with a digit.
bool is_variable_name(std::string_view name) noexcept;

// The lines of a `.env` file: `NAME=value`, `export NAME=value`, empty lines and `# comments`.
//
//     PLAIN=as it is, up to a # that has a space before it
//     SINGLE='nothing in here is special: \n $X #'
//     DOUBLE="with \n \t \" \\ and \$"
//
// Values are taken as they are: `$` in them is not looked up again. Mistakes are appended to `diagnostics`.
std::map<std::string, std::string, std::less<>> parse_dotenv(const SourceText& source,
                                                             std::vector<Diagnostic>& diagnostics);

}  // namespace weir::config
