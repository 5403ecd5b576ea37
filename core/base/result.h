// Result<T>: a T or the Error that kept us from it. std::expected in small, until the language has it. A value.
#pragma once

#include <utility>
#include <variant>

#include "core/base/assert.h"
#include "core/base/error.h"

namespace weir {

template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(E error) : value_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const noexcept { return value_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& value() & {
    WEIR_ASSERT(ok());
    return *std::get_if<0>(&value_);
  }
  const T& value() const& {
    WEIR_ASSERT(ok());
    return *std::get_if<0>(&value_);
  }
  T&& value() && {
    WEIR_ASSERT(ok());
    return std::move(*std::get_if<0>(&value_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const E& error() const {
    WEIR_ASSERT(!ok());
    return *std::get_if<1>(&value_);
  }

 private:
  std::variant<T, E> value_;
};

}  // namespace weir
