#include "core/base/owner_of.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

struct Base {
  virtual ~Base() = default;
  int in_base = 1;
};

struct Derived : Base {
  int first = 2;
  int second = 3;
};

TEST(OwnerOf, LeadsFromAnyMemberToItsObject) {
  Derived object;
  EXPECT_EQ(&owner_of(object.first, &Derived::first), &object);
  EXPECT_EQ(&owner_of(object.second, &Derived::second), &object);
  EXPECT_EQ(&owner_of(object.in_base, &Base::in_base), static_cast<Base*>(&object));
}

}  // namespace
}  // namespace weir
