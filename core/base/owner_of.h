// From a member back to the object it is embedded in: `owner_of(timer, &Session::idle_timer)` is the Session.
//
// Lists, timers and operations are embedded in what they serve instead of pointing at it, which saves a pointer each
// and makes a dangling one impossible. The price is this one cast. Any thread; pure arithmetic.
#pragma once

#include <bit>
#include <cstddef>

namespace weir {

template <class Owner, class Member>
inline Owner& owner_of(Member& member, Member Owner::*where) noexcept {
  // The Itanium C++ ABI (2.3.1) stores a pointer to a data member as its offset from the start of the object. offsetof
  // would say the same, but it takes a name instead of a value, and only of standard-layout types.
  static_assert(sizeof where == sizeof(std::ptrdiff_t));
  return *reinterpret_cast<Owner*>(reinterpret_cast<std::byte*>(&member) - std::bit_cast<std::ptrdiff_t>(where));
}

}  // namespace weir
