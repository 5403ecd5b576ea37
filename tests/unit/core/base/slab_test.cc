#include "core/base/slab.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/base/random.h"

namespace weir {
namespace {

struct Counted {
  explicit Counted(int& living_count, uint64_t number = 0) : living(living_count), value(number) { ++living; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --living; }

  int& living;
  uint64_t value;
};

template <class T>
void destroy_all(Slab<T>& slab) {
  slab.for_each([&](T& object) { slab.destroy(object); });
}

TEST(Slab, AnswersNullWhenFullAndServesAgainAfterAFree) {
  Slab<int> slab(3);
  EXPECT_EQ(slab.capacity(), 3U);
  int* first = slab.create(1);
  int* second = slab.create(2);
  int* third = slab.create(3);
  EXPECT_EQ(slab.create(4), nullptr);
  EXPECT_EQ(slab.size(), 3U);
  slab.destroy(*second);
  EXPECT_EQ(slab.create(5), second);
  EXPECT_EQ(*first + *second + *third, 9);
  destroy_all(slab);
}

TEST(Slab, OfNoCapacityIsAlwaysFull) {
  Slab<int> slab(0);
  EXPECT_EQ(slab.create(1), nullptr);
  EXPECT_FALSE(slab.contains(nullptr));
  slab.for_each([](int&) { FAIL(); });
}

TEST(Slab, ReusesTheMostRecentlyFreedFirst) {
  Slab<uint64_t> slab(100);
  std::vector<uint64_t*> objects;
  for (uint64_t i = 0; i < 10; ++i) objects.push_back(slab.create(i));
  slab.destroy(*objects[2]);
  slab.destroy(*objects[7]);
  slab.destroy(*objects[4]);
  EXPECT_EQ(slab.create(), objects[4]);
  EXPECT_EQ(slab.create(), objects[7]);
  EXPECT_EQ(slab.create(), objects[2]);
  EXPECT_EQ(slab.peak(), 10U);
  destroy_all(slab);
}

TEST(Slab, AddsNothingToTheSizeOfAnObject) {
  struct Odd {
    std::array<char, 13> bytes;
  };
  struct alignas(64) Line {
    char byte;
  };
  Slab<std::array<uint64_t, 3>> words(2);
  const auto* word = words.create();
  EXPECT_EQ(words.create(), word + 1);
  Slab<Line> lines(2);
  const auto* line = lines.create();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(line) % 64, 0U);
  EXPECT_EQ(lines.create(), line + 1);
  // A free slot holds a uint32_t, so these are rounded up to its alignment.
  Slab<Odd> odd(2);
  const auto* at = reinterpret_cast<const char*>(odd.create());
  EXPECT_EQ(reinterpret_cast<const char*>(odd.create()), at + 16);
  destroy_all(words);
  destroy_all(lines);
  destroy_all(odd);
}

TEST(Slab, KnowsItsLiveObjectsOnly) {
  Slab<uint64_t> slab(8);
  uint64_t outside = 0;
  uint64_t* inside = slab.create();
  EXPECT_TRUE(slab.contains(inside));
  EXPECT_FALSE(slab.contains(inside + 1));
  EXPECT_FALSE(slab.contains(inside - 1));
  EXPECT_FALSE(slab.contains(reinterpret_cast<uint64_t*>(reinterpret_cast<char*>(inside) + 1)));
  EXPECT_FALSE(slab.contains(&outside));
  EXPECT_FALSE(slab.contains(nullptr));
  slab.destroy(*inside);
  EXPECT_FALSE(slab.contains(inside));
}

TEST(Slab, LetsTheVisitorDestroyAnything) {
  int living = 0;
  Slab<Counted> slab(200);
  std::vector<Counted*> objects;
  for (uint64_t i = 0; i < 200; ++i) objects.push_back(slab.create(living, i));
  std::set<uint64_t> visited;
  slab.for_each([&](Counted& object) {
    visited.insert(object.value);
    // Each visit ends the object itself, and every third also one further on, which must then not be visited.
    if (object.value % 3 == 0 && object.value + 1 < 200) slab.destroy(*objects[object.value + 1]);
    slab.destroy(object);
  });
  EXPECT_EQ(living, 0);
  EXPECT_EQ(slab.size(), 0U);
  EXPECT_EQ(visited.size(), 200U - 67U);
  EXPECT_FALSE(visited.contains(1));
  EXPECT_TRUE(visited.contains(2));
}

TEST(Slab, AgreesWithAMapOverRandomOperations) {
  constexpr uint32_t capacity = 300;
  Random random(7);
  int living = 0;
  Slab<Counted> slab(capacity);
  std::map<Counted*, uint64_t> model;
  std::size_t peak = 0;
  for (uint64_t step = 0; step < 50'000; ++step) {
    // The tendency turns around every 1,000 steps, so that it runs full and nearly empty.
    const bool growing = step / 1000 % 2 == 0;
    if (random.below(10) < (growing ? 7U : 3U)) {
      Counted* object = slab.create(living, step);
      ASSERT_EQ(object == nullptr, model.size() == capacity);
      if (object != nullptr) {
        ASSERT_TRUE(model.emplace(object, step).second) << "handed out twice";
      }
    } else if (!model.empty()) {
      auto victim = model.begin();
      std::advance(victim, random.below(model.size()));
      ASSERT_EQ(victim->first->value, victim->second);
      slab.destroy(*victim->first);
      ASSERT_FALSE(slab.contains(victim->first));
      model.erase(victim);
    }
    peak = std::max(peak, model.size());
    ASSERT_EQ(slab.size(), model.size());
    ASSERT_EQ(slab.peak(), peak);
    ASSERT_EQ(static_cast<std::size_t>(living), model.size());
    if (step % 500 != 0) continue;
    slab.validate();
    std::map<Counted*, uint64_t> seen;
    slab.for_each([&](Counted& object) { seen.emplace(&object, object.value); });
    ASSERT_EQ(seen, model);
    for (const auto& [object, value] : model) ASSERT_TRUE(slab.contains(object));
  }
  destroy_all(slab);
  EXPECT_EQ(living, 0);
}

// The memory behind the pages that [from, from + size) touches.
std::size_t resident_bytes(const void* from, std::size_t size) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(from) / page * page;
  size += reinterpret_cast<std::uintptr_t>(from) - begin;
  std::vector<unsigned char> pages((size + page - 1) / page);
  EXPECT_EQ(mincore(reinterpret_cast<void*>(begin), size, pages.data()), 0);
  std::size_t resident = 0;
  for (unsigned char state : pages) resident += (state & 1U) * page;
  return resident;
}

TEST(Slab, TouchesMemoryOnlyWhenASlotIsFirstUsed) {
  using Kilobyte = std::array<char, 1024>;
  constexpr std::size_t huge_page = std::size_t{2} << 20;  // The unit, where transparent huge pages are always on.
  constexpr uint32_t capacity = 200'000;
  Slab<Kilobyte> slab(capacity);
  std::vector<Kilobyte*> objects;
  for (int i = 0; i < 1000; ++i) objects.push_back(slab.create());
  const void* first = objects[0];
  constexpr std::size_t most = 1000 * sizeof(Kilobyte) + 2 * huge_page;
  EXPECT_GE(resident_bytes(first, capacity * sizeof(Kilobyte)), 500 * sizeof(Kilobyte));
  EXPECT_LE(resident_bytes(first, capacity * sizeof(Kilobyte)), most);
  // Using the same slots again and again takes no more.
  for (int round = 0; round < 100; ++round) {
    for (Kilobyte* object : objects) slab.destroy(*object);
    for (Kilobyte*& object : objects) object = slab.create();
  }
  EXPECT_EQ(slab.peak(), 1000U);
  EXPECT_LE(resident_bytes(slab.create(), 1), huge_page);
  EXPECT_LE(resident_bytes(objects[999], (capacity - 1000) * sizeof(Kilobyte)),
            1000 * sizeof(Kilobyte) + 2 * huge_page);
  destroy_all(slab);
}

#if defined(__SANITIZE_ADDRESS__)
TEST(Slab, PoisonsFreeSlots) {
  Slab<uint64_t> slab(2);
  uint64_t* object = slab.create();
  EXPECT_FALSE(__asan_address_is_poisoned(object));
  EXPECT_TRUE(__asan_address_is_poisoned(object + 1));
  slab.destroy(*object);
  EXPECT_TRUE(__asan_address_is_poisoned(object));
}
#endif

TEST(SlabDeathTest, RefusesStrangersAndSecondFrees) {
  Slab<uint64_t> slab(2);
  uint64_t stranger = 0;
  uint64_t* object = slab.create();
  EXPECT_DEATH(slab.destroy(stranger), "contains");
  slab.destroy(*object);
  EXPECT_DEATH(slab.destroy(*object), "contains");
}

TEST(SlabDeathTest, RefusesToDieWithLiveObjects) {
  EXPECT_DEATH(
      {
        Slab<int> slab(2);
        slab.create(1);
      },
      "size_ == 0");
}

}  // namespace
}  // namespace weir
