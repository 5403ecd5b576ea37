#include "core/base/list.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "core/base/random.h"

namespace weir {
namespace {

struct Item {
  virtual ~Item() = default;  // Not standard-layout on purpose: the way back from node to item must not need that.

  int value = 0;
  ListNode first_node;
  ListNode second_node;
};

using FirstList = List<Item, &Item::first_node>;
using SecondList = List<Item, &Item::second_node>;

template <class AnyList>
std::vector<int> values(AnyList& list) {
  std::vector<int> seen;
  list.for_each([&](Item& item) { seen.push_back(item.value); });
  return seen;
}

template <class AnyList>
void clear(AnyList& list) {
  while (list.pop_front() != nullptr) {
  }
}

TEST(List, IsEmptyAtFirst) {
  FirstList list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.back(), nullptr);
  EXPECT_EQ(list.pop_front(), nullptr);
}

TEST(List, KeepsOneItemInTwoListsApart) {
  Item item;
  FirstList first;
  SecondList second;
  first.push_back(item);
  second.push_back(item);
  EXPECT_EQ(first.front(), &item);
  EXPECT_EQ(second.front(), &item);
  first.remove(item);
  EXPECT_FALSE(item.first_node.linked());
  EXPECT_TRUE(item.second_node.linked());
  second.remove(item);
}

TEST(List, TakesAllOfAnotherInOrder) {
  Item items[4];
  for (int i = 0; i < 4; ++i) items[i].value = i;
  FirstList list;
  FirstList other;
  list.take_all(other);
  EXPECT_TRUE(list.empty());
  list.push_back(items[0]);
  list.push_back(items[1]);
  other.push_back(items[2]);
  other.push_back(items[3]);
  list.take_all(other);
  EXPECT_EQ(values(list), (std::vector{0, 1, 2, 3}));
  EXPECT_TRUE(other.empty());
  clear(list);
}

TEST(List, LetsTheVisitorDestroyWhatItIsGiven) {
  FirstList list;
  for (int i = 0; i < 6; ++i) {
    auto* item = new Item;
    item->value = i;
    list.push_back(*item);
  }
  list.for_each([&](Item& item) {
    if (item.value % 2 != 0) return;
    list.remove(item);
    delete &item;
  });
  EXPECT_EQ(values(list), (std::vector{1, 3, 5}));
  while (Item* item = list.pop_front()) delete item;
}

TEST(List, AgreesWithStdListOverRandomOperations) {
  constexpr int count = 64;
  Random random(1);
  std::vector<Item> items(count);
  for (int i = 0; i < count; ++i) items[static_cast<std::size_t>(i)].value = i;
  FirstList list;
  std::list<int> model;
  for (int step = 0; step < 20'000; ++step) {
    Item& item = items[random.below(count)];
    if (item.first_node.linked()) {
      if (random.below(4) == 0) {
        ASSERT_EQ(list.pop_front()->value, model.front());
        model.pop_front();
      } else {
        list.remove(item);
        model.remove(item.value);
      }
    } else if (random.below(2) == 0) {
      list.push_back(item);
      model.push_back(item.value);
    } else {
      list.push_front(item);
      model.push_front(item.value);
    }
    ASSERT_EQ(list.empty(), model.empty());
    ASSERT_EQ(values(list), std::vector<int>(model.begin(), model.end())) << "step " << step;
    if (!model.empty()) {
      ASSERT_EQ(list.front()->value, model.front());
      ASSERT_EQ(list.back()->value, model.back());
    }
  }
  clear(list);
}

TEST(ListDeathTest, RefusesToAddTwice) {
  Item item;
  FirstList list;
  list.push_back(item);
  EXPECT_DEATH(list.push_back(item), "linked");
  EXPECT_DEATH(list.push_front(item), "linked");
  list.remove(item);
  EXPECT_DEATH(list.remove(item), "linked");
}

TEST(ListDeathTest, RefusesToDieWhileLinked) {
  EXPECT_DEATH(
      {
        FirstList list;
        auto item = std::make_unique<Item>();
        list.push_back(*item);
        item.reset();
      },
      "linked");
  EXPECT_DEATH(
      {
        Item item;
        auto list = std::make_unique<FirstList>();
        list->push_back(item);
        list.reset();
      },
      "empty");
}

}  // namespace
}  // namespace weir
