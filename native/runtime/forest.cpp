#include "runtime/forest.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string_view>

#include "runtime/error.h"

namespace sardonyx {
namespace {

constexpr std::int64_t kMostPlaces = std::int64_t{1} << 31;  // of one tree
constexpr int kHalf = 16, kWide = 32, kLowBits = 3;          // see native/kernels/trees/layout.h

template <class Key>
constexpr Key kFirstLeaf = sizeof(Key) == 4 ? Key(0xFF800001u) : Key(0xFFF0000000000001u);

// ---- keys: see native/kernels/trees/layout.h. x <= NaN holds for no x: the least key --------------------------------

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

// ---- features in use ------------------------------------------------------------------------------------------------

// A feature has a place; if nodes send the NaN of any feature both ways, each has two, half a power of two apart.
class Features {
 public:
  explicit Features(const TreeNodes& nodes) : place_(static_cast<std::size_t>(nodes.n_features), kNowhere) {
    std::vector<std::uint8_t> ways(place_.size(), 0);
    for (std::size_t i = 0; i < nodes.feature.size; ++i) {
      const std::int64_t feature = nodes.feature[i];
      if (feature >= 0 && feature < nodes.n_features) ways[feature] |= nodes.missing[i] != 0 ? kYes : kNo;
    }
    const bool both = std::ranges::find(ways, kYes | kNo) != ways.end();
    for (std::size_t i = 0; i < place_.size(); ++i) {
      if (ways[i] == 0) continue;
      place_[i] = static_cast<std::uint32_t>(used.size());
      const auto feature = static_cast<std::int32_t>(i);
      used.push_back(both || ways[i] == kNo ? feature : ~feature);
    }
    if (used.empty()) used.push_back(0);  // one at least, for the kernels' sake
    if (both) add_half();
  }

  std::uint32_t place(std::int64_t feature, bool missing) const {
    return place_[static_cast<std::size_t>(feature)] + (missing ? half_ : 0);
  }

  std::vector<std::int32_t> used;

 private:
  static constexpr std::uint32_t kNowhere = 0xFFFFFFFF;
  static constexpr std::uint8_t kNo = 1, kYes = 2;

  void add_half() {
    const std::size_t n = used.size();
    half_ = static_cast<std::uint32_t>(std::bit_ceil(n));
    used.resize(half_, used[0]);
    for (std::size_t i = 0; i < n; ++i) used.push_back(~used[i]);
  }

  std::vector<std::uint32_t> place_;
  std::uint32_t half_ = 0;
};

// ---- places: each tree in the order of a walk that takes "yes" first ------------------------------------------------

template <class Word>
class Packing {
 public:
  Packing(const TreeNodes& nodes, const Features& features, int shift, Word* to)
      : nodes_(nodes), features_(features), to_(to), seen_(nodes.feature.size, false) {
    packed_.shift = shift;
    if (nodes.rows.size == 0) packed_.leaves.reserve(static_cast<std::size_t>(nodes.n_leaves));
  }

  // False where a word has too few bits.
  bool run() {
    for (std::size_t t = 0; t < nodes_.roots.size; ++t) {
      if (!add_tree(nodes_.roots[t])) return false;
    }
    packed_.places = places_;
    packed_.used = features_.used;
    if constexpr (sizeof(Word) == 4) widen_to_halves();
    return true;
  }

  PackedTrees take() { return std::move(packed_); }

 private:
  struct Waiting {
    std::uint32_t place, number;
    bool leaf;
  };

  bool add_tree(std::int64_t root) {
    const std::size_t first = places_;
    first_leaf_ = packed_.leaves.size();
    leaves_ = 0;
    tree_ = to_ + 2 * first;
    wait(0, root, false);
    places_ += 1;
    while (!waiting_.empty()) {
      const Waiting next = waiting_.back();
      waiting_.pop_back();
      if (next.leaf ? !close_leaf(next) : !open_node(next, first)) return false;
    }
    const std::size_t first_leaf = nodes_.rows.size == 0 ? first_leaf_ : 0;
    for (const std::size_t field : {first, places_ - first, first_leaf})
      packed_.trees.push_back(static_cast<std::int64_t>(field));
    most_places_ = std::max(most_places_, static_cast<std::int64_t>(places_ - first));
    return true;
  }

  void wait(std::uint32_t place, std::int64_t number, bool leaf) {
    if (number < 0 || number >= (leaf ? nodes_.n_leaves : static_cast<std::int64_t>(nodes_.feature.size)))
      throw Error("a child or a root that is not there");
    waiting_.push_back({place, static_cast<std::uint32_t>(number), leaf});
  }

  void put(const Waiting& next, Word split, Word word) {
    tree_[2 * std::size_t{next.place}] = split;
    tree_[2 * std::size_t{next.place} + 1] = word;
  }

  bool close_leaf(const Waiting& next) {
    const std::int64_t row = nodes_.rows.size == 0 ? leaves_ : nodes_.rows[next.number];
    if (row < 0 || row >= static_cast<std::int64_t>(~Word{0} - kFirstLeaf<Word>)) return false;
    put(next, kFirstLeaf<Word> + static_cast<Word>(row), static_cast<Word>(next.place) << packed_.shift);
    if (nodes_.rows.size == 0) packed_.leaves.push_back(next.number);
    leaves_ += 1;
    return fits(next.place);
  }

  bool open_node(const Waiting& next, std::size_t first) {
    const std::size_t node = next.number, child = places_ - first;
    const std::int64_t feature = nodes_.feature[node];
    if (seen_[node]) throw Error("a node that several others lead to");
    if (static_cast<std::int64_t>(child) + 2 > kMostPlaces) throw Error("a tree of too many nodes");
    if (feature < 0 || feature >= nodes_.n_features) throw Error("a feature that is not there");
    seen_[node] = true;
    places_ += 2;
    const bool member = nodes_.set_of.size != 0 && nodes_.set_of[node] >= 0;
    const Word place = features_.place(feature, nodes_.missing[node] != 0);
    put(next, member ? static_cast<Word>(nodes_.set_of[node]) : split_key(node),
        static_cast<Word>(child) << packed_.shift | place << kLowBits);
    if (member) mark(first + next.place);
    wait(static_cast<std::uint32_t>(child + 1), nodes_.no[node], nodes_.no_is_leaf[node] != 0);
    wait(static_cast<std::uint32_t>(child), nodes_.yes[node], nodes_.yes_is_leaf[node] != 0);
    return fits(child + 1);
  }

  void mark(std::size_t place) {
    packed_.flags.resize(2 * nodes_.feature.size + nodes_.roots.size, 0);
    packed_.flags[place] = 1;
  }

  bool fits(std::uint64_t place) const { return sizeof(Word) == 8 || place >> (32 - packed_.shift) == 0; }

  Word split_key(std::size_t node) const {
    if constexpr (sizeof(Word) == 4) {
      return key_of(nodes_.split32[node]);
    } else {
      return nodes_.split32.empty() ? key_of(nodes_.split64[node]) : key_of(static_cast<double>(nodes_.split32[node]));
    }
  }

  // Halves are the fastest: two loads instead of arithmetic.
  void widen_to_halves() {
    if (packed_.shift > kHalf || most_places_ > 1 << kHalf) return;
    const Word low = (Word{1} << packed_.shift) - 1;
    for (std::size_t i = 0; i < places_; ++i) {
      Word& word = to_[2 * i + 1];
      word = word >> packed_.shift << kHalf | (word & low);
    }
    packed_.shift = kHalf;
  }

  const TreeNodes& nodes_;
  const Features& features_;
  Word* to_;
  Word* tree_ = nullptr;
  PackedTrees packed_;
  std::vector<bool> seen_;
  std::vector<Waiting> waiting_;
  std::size_t places_ = 0, first_leaf_ = 0;
  std::int64_t leaves_ = 0, most_places_ = 0;
};

template <class Word>
bool packed_as(const TreeNodes& nodes, const Features& features, int shift, const GiveWords& give,
               PackedTrees& result) {
  const std::size_t most = 2 * nodes.feature.size + nodes.roots.size;
  Packing<Word> packing(nodes, features, shift, static_cast<Word*>(give(2 * most, sizeof(Word))));
  if (!packing.run()) return false;
  result = packing.take();
  if (!result.flags.empty()) result.flags.resize(result.places);
  return true;
}

}  // namespace

PackedTrees pack_trees(const TreeNodes& nodes, const GiveWords& give) {
  const Features features(nodes);
  const int bits = kLowBits + std::max(1, static_cast<int>(std::bit_width(features.used.size() - 1)));
  PackedTrees result;
  if (!nodes.split32.empty() && bits <= 28 && packed_as<std::uint32_t>(nodes, features, bits, give, result))
    return result;
  if (!packed_as<std::uint64_t>(nodes, features, kWide, give, result)) throw Error("more leaves than nodes can count");
  return result;
}

bool find_distinct(const void* rows, std::size_t n, std::size_t bytes, std::size_t most, Distinct& found) {
  constexpr std::uint32_t kEmpty = 0xFFFFFFFF;
  const auto* all = static_cast<const char*>(rows);
  const auto text_of = [&](std::size_t i) { return std::string_view(all + i * bytes, bytes); };
  const auto hash_of = [&](std::size_t i) {
    std::uint64_t hash = 0, word;
    for (std::size_t at = 0; at < bytes; at += sizeof word, hash = (hash ^ word) * 0x9E3779B97F4A7C15) {
      word = 0;
      std::memcpy(&word, all + i * bytes + at, std::min(sizeof word, bytes - at));
    }
    return static_cast<std::size_t>(hash >> 32);
  };
  const std::size_t mask = std::bit_ceil(2 * most + 2) - 1;
  std::vector<std::uint32_t> table(mask + 1, kEmpty);
  found.row.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t at = hash_of(i) & mask;
    while (table[at] != kEmpty && text_of(found.kept[table[at]]) != text_of(i)) at = (at + 1) & mask;
    if (table[at] == kEmpty) {
      if (found.kept.size() == most) return false;
      table[at] = static_cast<std::uint32_t>(found.kept.size());
      found.kept.push_back(static_cast<std::uint32_t>(i));
    }
    found.row[i] = table[at];
  }
  return true;
}

}  // namespace sardonyx
