#include "core/model/client_table.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/random.h"

namespace weir {
namespace {

constexpr uint64_t seed = 11;

// Clients that share one set of the smallest table.
std::vector<uint64_t> clients_of_one_set(size_t count) {
  const WordSets sets(0, seed);
  std::vector<uint64_t> clients;
  for (uint64_t client = 0; clients.size() < count; ++client) {
    if (sets.set_index(sets.hash(client)) == 5) clients.push_back(client);
  }
  return clients;
}

TEST(ClientTable, RoundsItsSizeUp) {
  for (const auto& [entries, capacity] :
       {std::pair{0U, 1024U}, {1024U, 1024U}, {1025U, 2048U}, {65'536U, 65'536U}, {65'537U, 131'072U}}) {
    EXPECT_EQ(ClientTable(entries, seed).capacity(), capacity);
  }
}

TEST(ClientTable, AClientHasItsNumberAndNoMore) {
  ClientTable table(0, seed);
  for (const uint64_t client : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
    std::vector<ClientTable::Seat> seats;
    for (int i = 0; i < 3; ++i) {
      seats.push_back(table.enter(client, 3));
      ASSERT_TRUE(seats.back().admitted && seats.back().counted) << client;
    }
    EXPECT_FALSE(table.enter(client, 3).admitted);
    table.leave(seats[1]);
    EXPECT_TRUE(table.enter(client, 3).counted);
    EXPECT_FALSE(table.enter(client, 3).admitted);
  }
  EXPECT_EQ(table.clients(), 3U);
}

TEST(ClientTable, WhoWasRefusedHasNothingToGiveBack) {
  ClientTable table(0, seed);
  const ClientTable::Seat seat = table.enter(1, 1);
  const ClientTable::Seat refused = table.enter(1, 1);
  EXPECT_FALSE(refused.counted);
  table.leave(refused);
  EXPECT_FALSE(table.enter(1, 1).admitted);
  table.leave(seat);
  EXPECT_EQ(table.clients(), 0U);
}

// A reload may change the number while connections are there.
TEST(ClientTable, TheNumberMayChange) {
  ClientTable table(0, seed);
  std::vector<ClientTable::Seat> seats;
  for (int i = 0; i < 4; ++i) seats.push_back(table.enter(1, 4));
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(table.enter(1, 2).admitted) << i;
    table.leave(seats[static_cast<size_t>(i)]);
  }
  EXPECT_TRUE(table.enter(1, 2).admitted);
  EXPECT_FALSE(table.enter(1, 2).admitted);
  EXPECT_TRUE(table.enter(1, 3).admitted);
}

TEST(ClientTable, AFullSetAdmitsUncounted) {
  ClientTable table(0, seed);
  const std::vector<uint64_t> clients = clients_of_one_set(WordSets::ways + 1);
  const uint64_t newcomer = clients.back();
  std::vector<ClientTable::Seat> seats;
  for (size_t i = 0; i < WordSets::ways; ++i) seats.push_back(table.enter(clients[i], 1));
  for (int i = 0; i < 3; ++i) {
    const ClientTable::Seat seat = table.enter(newcomer, 1);
    EXPECT_TRUE(seat.admitted);
    EXPECT_FALSE(seat.counted);
    table.leave(seat);
  }
  // Nobody lost a seat, and nobody gained one.
  EXPECT_EQ(table.clients(), WordSets::ways);
  for (size_t i = 0; i < WordSets::ways; ++i) EXPECT_FALSE(table.enter(clients[i], 1).admitted) << i;
  table.leave(seats[3]);
  EXPECT_TRUE(table.enter(newcomer, 1).counted);
  EXPECT_FALSE(table.enter(newcomer, 1).admitted);
}

// Clients come and go at random; a map says what should be.
TEST(ClientTable, AgreesWithAMap) {
  ClientTable table(4096, seed);
  Random random(3);
  std::map<uint64_t, std::vector<ClientTable::Seat>> open;
  for (int i = 0; i < 200'000; ++i) {
    const uint64_t client = random.below(500);
    std::vector<ClientTable::Seat>& seats = open[client];
    if (random.below(2) == 0 && !seats.empty()) {
      table.leave(seats.back());
      seats.pop_back();
      continue;
    }
    const ClientTable::Seat seat = table.enter(client, 4);
    ASSERT_EQ(seat.admitted, seats.size() < 4) << i;
    ASSERT_EQ(seat.counted, seat.admitted) << i;
    if (seat.admitted) seats.push_back(seat);
  }
  uint32_t busy = 0;
  for (const auto& [client, seats] : open) busy += seats.empty() ? 0U : 1U;
  EXPECT_EQ(table.clients(), busy);
  for (const auto& [client, seats] : open) {
    for (const ClientTable::Seat& seat : seats) table.leave(seat);
  }
  EXPECT_EQ(table.clients(), 0U);
}

// Four workers, and clients of one set that come and go all the time: entries change hands, and two workers give the
// same client two of them. A client never has more than its number.
TEST(ClientTable, NeverMoreOverAllWorkers) {
  constexpr uint32_t connections_max = 2;
  constexpr size_t clients_count = 7;
  ClientTable table(0, seed);
  const std::vector<uint64_t> clients = clients_of_one_set(clients_count);
  std::array<std::atomic<uint32_t>, clients_count> held{};
  std::atomic<uint32_t> too_many{0};
  std::atomic<uint32_t> admitted{0};
  std::atomic<uint32_t> refused{0};
  std::vector<std::thread> workers;
  for (uint64_t worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&, worker] {
      Random random(worker);
      std::vector<std::pair<size_t, ClientTable::Seat>> seats;
      const auto give_back = [&](size_t at) {
        if (seats[at].second.counted) held[seats[at].first].fetch_sub(1, std::memory_order_seq_cst);
        table.leave(seats[at].second);
        seats[at] = seats.back();
        seats.pop_back();
      };
      for (int i = 0; i < 100'000; ++i) {
        if (seats.size() >= 3) give_back(random.below(seats.size()));
        const size_t client = random.below(clients_count);
        const ClientTable::Seat seat = table.enter(clients[client], connections_max);
        (seat.admitted ? admitted : refused).fetch_add(1, std::memory_order_relaxed);
        if (!seat.admitted) continue;
        seats.emplace_back(client, seat);
        if (seat.counted && held[client].fetch_add(1, std::memory_order_seq_cst) >= connections_max) {
          too_many.fetch_add(1, std::memory_order_relaxed);
        }
      }
      while (!seats.empty()) give_back(0);
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(too_many.load(), 0U);
  EXPECT_GT(admitted.load(), 1000U);
  EXPECT_GT(refused.load(), 1000U);
  EXPECT_EQ(table.clients(), 0U);
  // All seats are free again: every client can have all of its own.
  for (const uint64_t client : clients) {
    for (uint32_t i = 0; i < connections_max; ++i) EXPECT_TRUE(table.enter(client, connections_max).counted);
    EXPECT_FALSE(table.enter(client, connections_max).admitted);
  }
}

// The same with a client that may have one only, while others make place before and behind it: workers that are held up
// between looking and sitting down give it a second entry. Without a look afterwards some of them would stay.
TEST(ClientTable, NeverMoreInTwoEntries) {
  ClientTable table(0, seed);
  const std::vector<uint64_t> clients = clients_of_one_set(6);
  std::atomic<uint32_t> held{0};
  std::atomic<uint32_t> too_many{0};
  std::atomic<uint32_t> counted{0};
  std::vector<std::thread> workers;
  for (uint64_t worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&, worker] {
      Random random(worker);
      for (int i = 0; i < 250'000; ++i) {
        ClientTable::Seat one = table.enter(clients[1 + random.below(5)], 1000);
        const ClientTable::Seat other = table.enter(clients[1 + random.below(5)], 1000);
        if (random.below(2) == 0) table.leave(std::exchange(one, {}));
        const ClientTable::Seat seat = table.enter(clients[0], 1);
        if (seat.counted) {
          counted.fetch_add(1, std::memory_order_relaxed);
          if (held.fetch_add(1, std::memory_order_seq_cst) > 0) too_many.fetch_add(1, std::memory_order_relaxed);
        }
        table.leave(one);
        table.leave(other);
        if (seat.counted) held.fetch_sub(1, std::memory_order_seq_cst);
        table.leave(seat);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(too_many.load(), 0U);
  EXPECT_GT(counted.load(), 1000U);
  EXPECT_EQ(table.clients(), 0U);
}

TEST(ClientTableDeathTest, ASeatIsGivenBackOnce) {
  ClientTable table(0, seed);
  const ClientTable::Seat seat = table.enter(1, 1);
  table.leave(seat);
  EXPECT_DEATH(table.leave(seat), "connections_in");
  EXPECT_DEATH(table.enter(1, 0), "connections_max > 0");
}

TEST(ClientTable, ASeatIsGivenBackByWhoseItWas) {
  ClientTable table{1024, 1};
  for (uint64_t client = 0; client < 100; ++client) {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(table.enter(client, 3).counted);
    EXPECT_FALSE(table.enter(client, 3).admitted);
  }
  EXPECT_EQ(table.clients(), 100U);
  for (uint64_t client = 0; client < 100; ++client) {
    table.leave(client);
    EXPECT_TRUE(table.enter(client, 3).counted);
    for (int i = 0; i < 3; ++i) table.leave(client);
  }
  EXPECT_EQ(table.clients(), 0U);
  EXPECT_DEATH(table.leave(uint64_t{7}), "connections");
}

}  // namespace
}  // namespace weir
