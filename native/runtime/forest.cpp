#include "runtime/forest.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "runtime/error.h"

namespace sardonyx {
namespace {

constexpr std::int64_t kMostPlaces = std::int64_t{1} << 31;  // of one tree
constexpr int kHalf = 16, kWide = 32, kLowBits = 3;          // see native/kernels/trees/layout.h
constexpr std::uint32_t kFirstLeaf32 = 0xFF800001u;
constexpr std::uint64_t kFirstLeaf64 = 0xFFF0000000000001u;

// ---- where everything stands: each tree in the order of a walk that takes "yes" first ---------------------------------

class Placing {
 public:
  explicit Placing(const TreeNodes& nodes) : nodes_(nodes), seen_(nodes.feature.size(), false) {
    const std::size_t most = 2 * nodes.feature.size() + nodes.roots.size();
    for (auto* table : {&to_.source, &to_.child, &to_.left}) table->reserve(most);
  }

  Placement run() {
    for (const std::int64_t root : nodes_.roots) add_tree(root);
    list_features();
    choose_shift();
    return std::move(to_);
  }

 private:
  struct Waiting {
    std::uint32_t place;
    bool leaf;
  };

  void add_tree(std::int64_t root) {
    const std::size_t first = to_.source.size(), first_leaf = to_.leaves.size();
    add_place(root, false);
    waiting_.push_back({0, false});
    while (!waiting_.empty()) {
      const auto [place, leaf] = waiting_.back();
      waiting_.pop_back();
      to_.left[first + place] = static_cast<std::uint32_t>(to_.leaves.size() - first_leaf);
      leaf ? close_leaf(first, place) : open_node(first, place);
    }
    const auto places = static_cast<std::int64_t>(to_.source.size() - first);
    to_.most_places = std::max(to_.most_places, places);
    to_.most_leaves = std::max(to_.most_leaves, static_cast<std::int64_t>(to_.leaves.size() - first_leaf));
    for (const std::size_t field : {first, static_cast<std::size_t>(places), first_leaf})
      to_.trees.push_back(static_cast<std::int64_t>(field));
  }

  void add_place(std::int64_t number, bool leaf) {
    if (number < 0 || number >= (leaf ? nodes_.n_leaves : std::ssize(nodes_.feature)))
      throw Error("a child or a root that is not there");
    to_.source.push_back(static_cast<std::uint32_t>(number));
    to_.child.push_back(0);
    to_.left.push_back(0);
  }

  void close_leaf(std::size_t first, std::uint32_t place) {
    to_.leaves.push_back(to_.source[first + place]);
    to_.child[first + place] = place;
  }

  void open_node(std::size_t first, std::uint32_t place) {
    const std::size_t node = to_.source[first + place], child = to_.source.size() - first;
    if (seen_[node]) throw Error("a node that several others lead to");
    if (static_cast<std::int64_t>(child) + 2 > kMostPlaces) throw Error("a tree of too many nodes");
    seen_[node] = true;
    to_.child[first + place] = static_cast<std::uint32_t>(child);
    to_.flags |= nodes_.missing[node] || nodes_.set_of[node] >= 0;
    add_place(nodes_.yes[node], nodes_.yes_is_leaf[node]);
    add_place(nodes_.no[node], nodes_.no_is_leaf[node]);
    waiting_.push_back({static_cast<std::uint32_t>(child + 1), nodes_.no_is_leaf[node]});
    waiting_.push_back({static_cast<std::uint32_t>(child), nodes_.yes_is_leaf[node]});
  }

  // Only features of nodes that were reached; one at least, for the kernels' sake.
  void list_features() {
    std::vector<bool> asked(static_cast<std::size_t>(nodes_.n_features), false);
    for (std::size_t node = 0; node < seen_.size(); ++node) {
      if (!seen_[node]) continue;
      const std::int64_t feature = nodes_.feature[node];
      if (feature < 0 || feature >= nodes_.n_features) throw Error("a feature that is not there");
      asked[static_cast<std::size_t>(feature)] = true;
    }
    for (std::size_t f = 0; f < asked.size(); ++f) {
      if (asked[f]) to_.used.push_back(static_cast<std::int32_t>(f));
    }
    if (to_.used.empty()) to_.used.push_back(0);
  }

  // Halves are the fastest; then as many bits as places of features need; then wide nodes.
  void choose_shift() {
    const int bits = kLowBits + std::max(1, static_cast<int>(std::bit_width(to_.used.size() - 1)));
    const auto fits = [&](int shift) { return bits <= shift && to_.most_places <= std::int64_t{1} << (32 - shift); };
    const bool numbered = to_.most_leaves < std::numeric_limits<std::uint32_t>::max() - kFirstLeaf32;
    to_.shift = kWide;
    if (nodes_.split32.empty() || !numbered) return;
    if (fits(kHalf)) {
      to_.shift = kHalf;
    } else if (bits <= 28 && fits(bits)) {
      to_.shift = bits;
    }
  }

  const TreeNodes& nodes_;
  Placement to_;
  std::vector<bool> seen_;
  std::vector<Waiting> waiting_;
};

// ---- keys: see native/kernels/trees/layout.h. x <= NaN holds for no x: the least key -----------------------------------

std::uint32_t key_of(float x) {
  if (std::isnan(x)) return 0;
  const auto bits = std::bit_cast<std::uint32_t>(x + 0.0f);
  return bits >> 31 != 0 ? ~bits : bits | 1u << 31;
}

std::uint64_t key_of(double x) {
  if (std::isnan(x)) return 0;
  const auto bits = std::bit_cast<std::uint64_t>(x + 0.0);
  return bits >> 63 != 0 ? ~bits : bits | std::uint64_t{1} << 63;
}

template <class Key>
Key split_key(const TreeNodes& nodes, std::size_t node) {
  if (nodes.set_of[node] >= 0) return static_cast<Key>(nodes.set_of[node]);
  if constexpr (sizeof(Key) == 4) {
    return key_of(nodes.split32[node]);
  } else {
    return nodes.split32.empty() ? key_of(nodes.split64[node]) : key_of(static_cast<double>(nodes.split32[node]));
  }
}

// Calls f(place, is leaf, child) for all places.
template <class F>
void for_each_place(const Placement& placement, const F& f) {
  for (std::size_t t = 0; t < placement.trees.size(); t += 3) {
    const auto first = static_cast<std::size_t>(placement.trees[t]),
               n = static_cast<std::size_t>(placement.trees[t + 1]);
    for (std::size_t i = 0; i < n; ++i) f(first + i, placement.child[first + i] == i, placement.child[first + i]);
  }
}

template <class Key>
void write_as(const TreeNodes& nodes, const Placement& placement, Key first_leaf, Key* to) {
  std::vector<Key> place(static_cast<std::size_t>(nodes.n_features), 0);
  for (std::size_t u = 0; u < placement.used.size(); ++u)
    place[static_cast<std::size_t>(placement.used[u])] = static_cast<Key>(u) << kLowBits;
  for_each_place(placement, [&](std::size_t at, bool leaf, Key child) {
    const std::size_t node = placement.source[at];
    to[2 * at] = leaf ? first_leaf + placement.left[at] : split_key<Key>(nodes, node);
    to[2 * at + 1] = child << placement.shift | (leaf ? 0 : place[static_cast<std::size_t>(nodes.feature[node])]);
  });
}

}  // namespace

Placement place_nodes(const TreeNodes& nodes) { return Placing(nodes).run(); }

void write_nodes(const TreeNodes& nodes, const Placement& placement, void* to) {
  if (placement.shift < kWide) return write_as(nodes, placement, kFirstLeaf32, static_cast<std::uint32_t*>(to));
  write_as(nodes, placement, kFirstLeaf64, static_cast<std::uint64_t*>(to));
}

void write_flags(const TreeNodes& nodes, const Placement& placement, std::uint8_t* to) {
  for_each_place(placement, [&](std::size_t at, bool leaf, std::uint32_t) {
    const std::size_t node = placement.source[at];
    to[at] = leaf ? 0 : static_cast<std::uint8_t>(nodes.missing[node] + 2 * (nodes.set_of[node] >= 0));
  });
}

}  // namespace sardonyx
