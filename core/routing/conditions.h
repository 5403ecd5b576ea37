// Conditions: what a route asks of a request besides host and path, compiled: methods, clients, headers, cookies and
// parameters. Part of a Router: immutable, any thread; asking allocates nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/address.h"
#include "core/model/router.h"
#include "core/routing/expression.h"
#include "core/routing/router.h"

namespace weir::routing {

// One ValueMatch, and where the values are.
class ValueCondition {
 public:
  enum class Source : uint8_t { header, cookie, query };

  // The pool must outlive the condition.
  ValueCondition(const ValueMatch& match, Source source, ExpressionPool& expressions);

  bool holds(const RouteFacts& facts) const noexcept { return is_met(facts) != negated_; }

 private:
  bool is_met(const RouteFacts& facts) const noexcept;
  // `whole`: the value was not cut off.
  bool accepts(std::string_view value, bool whole) const noexcept;

  std::string name_;  // that of a header in lower case
  std::string value_;
  const Expression* expression_ = nullptr;  // set exactly if kind_ is `regex`
  Source source_;
  ValueMatch::Kind kind_;
  bool negated_;
};

class Conditions {
 public:
  // The pool must outlive the conditions.
  Conditions(const RouteMatch& match, ExpressionPool& expressions);

  bool empty() const noexcept { return methods_.empty() && clients_.empty() && values_.empty(); }
  bool hold(const RouteFacts& facts) const noexcept;

 private:
  std::vector<std::string> methods_;
  CidrSet clients_;
  std::vector<ValueCondition> values_;
};

}  // namespace weir::routing
