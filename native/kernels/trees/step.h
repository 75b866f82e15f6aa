// One step of a lane down a tree, from the place where it is to the next: of the two forms of nodes, with sets or
// without.
//
//   node = tree[at]      key = column of the node's feature [lane]      at = child + (key > split)
//
// Where nodes ask for sets, the step looks at the flags too. On machines that gather slowly (AMD's) this beats vectors
// of gathers by half; on others it is no slower.
#pragma once

#include "kernels/trees/keys.h"

namespace sardonyx {
namespace {

// child + (split < key), in two instructions: compilers make four of it.
#if defined(__x86_64__)
inline std::uint64_t add_if_less(std::uint64_t child, std::uint32_t split, const std::uint32_t* key) {
  __asm__("cmpl %2, %1\n\tadcq $0, %0" : "+r"(child) : "r"(split), "m"(*key) : "cc");
  return child;
}
inline std::uint64_t add_if_less(std::uint64_t child, std::uint64_t split, const std::uint64_t* key) {
  __asm__("cmpq %2, %1\n\tadcq $0, %0" : "+r"(child) : "r"(split), "m"(*key) : "cc");
  return child;
}
#else
template <class Key>
inline std::uint64_t add_if_less(std::uint64_t child, Key split, const Key* key) {
  return child + (split < *key ? 1 : 0);
}
#endif

template <class Key>
inline const Key* key_at(const Key* keys, std::uint64_t byte) {
  return reinterpret_cast<const Key*>(reinterpret_cast<const char*>(keys) + byte);
}

// One step down, of the two forms of nodes. kStretch: bytes of a feature's column of keys, in eighths. kMasked: places
// are taken from the first half of the list of features in use (see layout.h).
template <bool kHalves, bool kMasked>
struct NarrowStep {
  using Node = Narrow;
  using Masked = NarrowStep<kHalves, true>;
  int shift;
  std::uint64_t mask;  // of the feature's field

  NarrowStep(int shift, std::uint64_t fields)
      : shift(32 + shift), mask(((std::uint64_t{1} << shift) - 1) & (kMasked ? fields : ~std::uint64_t{0})) {}

  template <int kStretch>
  inline std::uint64_t go(const Narrow* tree, std::uint64_t at, const std::uint32_t* keys) const {
    std::uint64_t node;
    memcpy(&node, tree + at, sizeof node);
    const auto split = static_cast<std::uint32_t>(node);
    if constexpr (kHalves) {
      std::uint16_t half;
      memcpy(&half, reinterpret_cast<const char*>(tree + at) + 4, sizeof half);
      const std::uint64_t field = kMasked ? half & mask : half;
      return add_if_less(node >> 48, split, key_at(keys, field * kStretch));
    } else {
      return add_if_less(node >> shift, split, key_at(keys, ((node >> 32) & mask) * kStretch));
    }
  }
};

template <bool kMasked>
struct WideStep {
  using Node = Wide;
  using Masked = WideStep<true>;
  std::uint64_t mask;

  WideStep(int, std::uint64_t fields) : mask((kMasked ? fields : ~std::uint64_t{0}) & 0xFFFFFFFF) {}

  template <int kStretch>
  inline std::uint64_t go(const Wide* tree, std::uint64_t at, const std::uint64_t* keys) const {
    const Wide& node = tree[at];
    const std::uint64_t field = kMasked ? node.word & mask : static_cast<std::uint32_t>(node.word);
    return add_if_less(node.word >> 32, node.split, key_at(keys, field * kStretch));
  }
};

// The same where nodes may ask for sets.
template <class Node>
inline std::uint64_t step_of_sets(const Forest& forest, const Node* tree, const std::uint8_t* flags, std::uint64_t at,
                                  typename Node::Key key) {
  using Key = typename Node::Key;
  const Node node = tree[at];
  bool no = key > node.split;
  if (flags[at] != 0) no = key == 0 || key == kNan<Key> ? key != 0 : !in_set(forest.sets, node.split, number_of(key));
  return static_cast<std::uint64_t>(node.word >> forest.shift) + no;
}

// Where a lane goes next that is at `from`, with the keys of its row.
template <bool kSetsToo, int kStretch, class Step>
struct Mover {
  using Node = typename Step::Node;
  using Key = typename Node::Key;
  const Forest& forest;
  const Node* nodes;
  Step step;

  Mover(const Forest& forest, const Step& step)
      : forest(forest), nodes(static_cast<const Node*>(forest.nodes)), step(step) {}

  inline std::uint64_t operator()(const Node* tree, std::uint64_t from, const Key* keys) const {
    if constexpr (!kSetsToo) {
      return step.template go<kStretch>(tree, from, keys);
    } else {
      const std::uint64_t field = tree[from].word & ((std::uint64_t{1} << forest.shift) - 1) & step.mask;
      return step_of_sets(forest, tree, forest.flags + (tree - nodes), from, *key_at(keys, field * kStretch));
    }
  }
};

// The bits of a field that are left of it in the first half of the places.
inline std::uint64_t fields_of(const Forest& forest) {
  return static_cast<std::uint64_t>(forest.n_used - forest.places) * 8 - 1;
}

}  // namespace
}  // namespace sardonyx
