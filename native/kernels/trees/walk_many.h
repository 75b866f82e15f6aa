// Many rows down one tree, eight at a time. Steps are taken without asking first (State::steps), then lanes are asked:
// those that still move are listed, and fill lanes again. No lane waits for its neighbours, no branch is guessed wrong.
//
//   group 0   r0 r1 .. r7 ──▶ ▶ ▶ ▶  asked: r2 r5 still move  ─┐
//   group 1   r8 r9 .. r15 ─▶ ▶ ▶ ▶  asked: r8 still moves    ─┴▶  list  r2 r5 r8 ...  ──▶ ▶ ▶  asked: r8 ──▶ ...
//
// Of a forest larger than the cache, the nodes of the next tree are fetched meanwhile: rows ask for nodes here and
// there, and would wait for each of them.
#pragma once

#include "kernels/memory.h"
#include "kernels/trees/step.h"

namespace sardonyx {
namespace {

constexpr int kAgain = 2;                // steps that listed rows take before they are asked
constexpr std::int64_t kManyGroups = 4;  // that are worth a list

struct Listed {
  std::uint32_t row, at;
};

// Memory for the walk of many rows: where each arrives, and the list, with room for lanes to spare.
struct Walkers {
  std::uint32_t* arrived;
  Listed* list;
};

inline std::int64_t lanes_of(std::int64_t rows) { return (rows + kLanes8 - 1) / kLanes8 * kLanes8 + kLanes8; }

inline std::size_t walkers_bytes(std::int64_t rows) {
  return static_cast<std::size_t>(lanes_of(rows)) * (sizeof(std::uint32_t) + sizeof(Listed));
}

inline Walkers walkers_in(void* memory, std::int64_t rows) {
  auto* arrived = static_cast<std::uint32_t*>(memory);
  return {arrived, reinterpret_cast<Listed*>(arrived + lanes_of(rows))};
}

constexpr std::int64_t kAheadOfRow = 16;      // lines to fetch for a row: fewer rows ask for too few of the nodes
constexpr std::int64_t kMostAhead = 1 << 19;  // bytes of nodes that stay in the cache until they are asked

// The next tree's nodes, a few lines for each group of rows.
struct Ahead {
  const char* at = nullptr;
  std::int64_t lines = 0;

  __attribute__((always_inline)) inline void fetch() {
    for (std::int64_t i = 0; i < lines; ++i, at += kLine) __builtin_prefetch(at, 0, 2);
  }
};

template <class Move>
inline Ahead ahead_of(const Move& move, std::int64_t tree, std::int64_t groups) {
  const std::int64_t next = tree + 1;
  if (next >= move.forest.n_trees) return {};
  const std::int64_t* table = move.forest.trees + next * kTreeFields;
  const std::int64_t bytes = table[1] * static_cast<std::int64_t>(sizeof(typename Move::Node));
  if (bytes > kMostAhead || bytes > groups * kLanes8 * kAheadOfRow * kLine) return {};
  return {reinterpret_cast<const char*>(move.nodes + table[0]), (bytes / kLine + groups - 1) / groups};
}

// One list's rows on, to the next list; returns how many are on that.
template <class Move>
inline std::int64_t walk_list(const Move& move, const typename Move::Node* tree,
                              const Groups<typename Move::Key>& groups, std::int64_t listed, const Walkers& walkers) {
  std::int64_t left = 0;
  for (std::int64_t i = 0; i < listed; i += kLanes8) {
    std::uint64_t at[kLanes8], was[kLanes8];
    std::uint32_t row[kLanes8];
    const typename Move::Key* keys[kLanes8];
#pragma GCC unroll 8
    for (int l = 0; l < kLanes8; ++l) {
      row[l] = walkers.list[i + l].row;
      at[l] = walkers.list[i + l].at;
      keys[l] = groups.of(row[l]);
    }
    for (int d = 0; d < kAgain; ++d) {
#pragma GCC unroll 8
      for (int l = 0; l < kLanes8; ++l) at[l] = move(tree, at[l], keys[l]);
    }
#pragma GCC unroll 8
    for (int l = 0; l < kLanes8; ++l) {
      was[l] = at[l];
      at[l] = move(tree, at[l], keys[l]);
    }
    const auto settle = [&](std::int64_t lanes) {
#pragma GCC unroll 8
      for (std::int64_t l = 0; l < lanes; ++l) {
        walkers.arrived[row[l]] = static_cast<std::uint32_t>(at[l]);
        walkers.list[left] = {row[l], static_cast<std::uint32_t>(at[l])};
        left += at[l] != was[l] ? 1 : 0;
      }
    };
    listed - i < kLanes8 ? settle(listed - i) : settle(kLanes8);
  }
  return left;
}

// Where all rows arrive that begin at starts[tops[row]], or at the root. `last` is the tree's last place, which is a
// leaf.
template <class Move>
__attribute__((noinline)) void walk_many(const Move& move, const typename Move::Node* tree, std::uint32_t last,
                                         const Groups<typename Move::Key>& groups, std::int32_t steps,
                                         const std::uint32_t* starts, const std::uint8_t* tops, const Walkers& walkers,
                                         Ahead ahead) {
  std::int64_t listed = 0;
  for (std::int64_t g = 0; g < groups.count; ++g) {
    ahead.fetch();
    const typename Move::Key* keys = groups.keys + g * groups.size;
    std::uint64_t at[kLanes8], was[kLanes8];
#pragma GCC unroll 8
    for (int l = 0; l < kLanes8; ++l) at[l] = starts == nullptr ? 0 : starts[tops[g * kLanes8 + l]];
    for (std::int32_t d = 0; d < steps; ++d) {
#pragma GCC unroll 8
      for (int l = 0; l < kLanes8; ++l) at[l] = move(tree, at[l], keys + l);
    }
#pragma GCC unroll 8
    for (int l = 0; l < kLanes8; ++l) {
      was[l] = at[l];
      at[l] = move(tree, at[l], keys + l);
    }
#pragma GCC unroll 8
    for (int l = 0; l < kLanes8; ++l) {
      const auto row = static_cast<std::uint32_t>(g * kLanes8 + l);
      walkers.arrived[row] = static_cast<std::uint32_t>(at[l]);
      walkers.list[listed] = {row, static_cast<std::uint32_t>(at[l])};
      listed += at[l] != was[l] ? 1 : 0;
    }
  }
  while (listed > 0) {
    for (std::int64_t i = listed; i % kLanes8 != 0; ++i) walkers.list[i] = {0, last};  // lanes to spare rest at a leaf
    listed = walk_list(move, tree, groups, listed, walkers);
  }
}

}  // namespace
}  // namespace sardonyx
