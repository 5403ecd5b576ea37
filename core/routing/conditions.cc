#include "core/routing/conditions.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/routing/query.h"

namespace weir::routing {
namespace {

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

ValueCondition::ValueCondition(const ValueMatch& match, Source source, ExpressionPool& expressions)
    : name_(source == Source::header ? lower(match.name) : match.name),
      value_(match.value),
      expression_(match.kind == ValueMatch::Kind::regex ? expressions.get(match.value) : nullptr),
      source_(source),
      kind_(match.kind),
      negated_(match.negated) {}

bool ValueCondition::accepts(std::string_view value, bool whole) const noexcept {
  switch (kind_) {
    case ValueMatch::Kind::present: return true;
    case ValueMatch::Kind::exact: return whole && value == value_;
    case ValueMatch::Kind::prefix: return value.starts_with(value_);
    case ValueMatch::Kind::regex: return expression_->found_in(value);
  }
  WEIR_ASSERT(false, static_cast<int>(kind_));
}

bool ValueCondition::is_met(const RouteFacts& facts) const noexcept {
  switch (source_) {
    case Source::header: {
      struct Visitor final : RouteFacts::Visitor {
        explicit Visitor(const ValueCondition& asked) : condition(asked) {}
        bool operator()(std::string_view value) override { return condition.accepts(value, true); }
        const ValueCondition& condition;
      };
      Visitor visitor{*this};
      return facts.any_header(name_, visitor);
    }
    case Source::cookie: {
      std::string_view value;
      return facts.cookie(name_, value) && accepts(value, true);
    }
    case Source::query:
      return any_parameter(facts.query, name_, [&](DecodedText value) { return accepts(value.text, value.whole); });
  }
  WEIR_ASSERT(false, static_cast<int>(source_));
}

Conditions::Conditions(const RouteMatch& match, ExpressionPool& expressions)
    : methods_(match.methods), clients_(match.clients) {
  using Source = ValueCondition::Source;
  // In the order they are asked in: what is the cheapest to find comes first.
  for (const ValueMatch& header : match.headers) values_.emplace_back(header, Source::header, expressions);
  for (const ValueMatch& cookie : match.cookies) values_.emplace_back(cookie, Source::cookie, expressions);
  for (const ValueMatch& parameter : match.query) values_.emplace_back(parameter, Source::query, expressions);
}

bool Conditions::hold(const RouteFacts& facts) const noexcept {
  if (!methods_.empty() && std::find(methods_.begin(), methods_.end(), facts.method) == methods_.end()) return false;
  if (!clients_.empty() && (facts.client == nullptr || !clients_.contains(*facts.client))) return false;
  return std::all_of(values_.begin(), values_.end(), [&](const ValueCondition& value) { return value.holds(facts); });
}

}  // namespace weir::routing
