// Expression: a regular expression of the configuration, searched in what clients send. RE2 answers in time linear in
// the text, whatever the pattern, in bounded memory. Made by the control thread, immutable to us from then on; any
// thread searches.
//
// It sees bytes: in UTF-8 mode a dot would not match a byte that is no UTF-8, and a client could step over a pattern by
// sending one.
#pragma once

#include <re2/re2.h>

#include <map>
#include <string>
#include <string_view>

namespace weir::routing {

// Of the program and the automata of one expression.
inline constexpr int expression_bytes_max = 1 << 20;

class Expression {
 public:
  // It must have passed check_regex().
  explicit Expression(const std::string& pattern);

  bool found_in(std::string_view text) const noexcept;
  const re2::RE2& compiled() const noexcept { return compiled_; }

 private:
  re2::RE2 compiled_;
};

// The expressions of one router: those with the same pattern, on many hosts perhaps, share one automaton.
class ExpressionPool {
 public:
  // At a stable address as long as the pool lives.
  const Expression* get(const std::string& pattern) {
    return &expressions_.try_emplace(pattern, pattern).first->second;
  }

 private:
  std::map<std::string, Expression> expressions_;
};

}  // namespace weir::routing
