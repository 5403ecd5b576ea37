// `${NAME}` and `${NAME:-default}` inside one scalar of the configuration; `$$` is a `$`, and so is a `$` in front of
// neither a letter nor a bracket. Pure functions. Any thread.
//
// This happens after the YAML was read, so that a value from outside stays one value: it cannot bring lines, keys or
// quotes into the file, and the marks of the file stay true.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/config/diagnostic.h"
#include "core/config/environment.h"

namespace weir::config {

struct Substitution {
  struct Problem {
    std::string where;  // the text in the scalar that is wrong, from its `$` on: to be found again in the file
    Mistake mistake;
  };

  std::string text;
  std::vector<std::string> variables;  // the names that gave something of `text`
  std::vector<Problem> problems;       // when there are any, `text` is of no use
};

Substitution substitute(std::string_view scalar, const Environment& environment);

}  // namespace weir::config
