// Sets of terms: an open-addressing table from the bytes of a term to its number, at most half full. It is asked in
// batches, so that its cache misses overlap:
//
//   add(term)   hash, ask for the slot ──▶ 32 terms wait ──▶ flush: compare tags, ask for the bytes; compare those
#pragma once

#include <stdlib.h>

#include "sardonyx/murmur.h"
#include "text_fold.h"

namespace sardonyx {
namespace {

constexpr std::int64_t kMostTerms = std::int64_t{1} << 30;

// The bytes of a term. kPadding bytes behind it may be read.
struct Term {
  const Byte* data;
  std::int64_t size;
};

inline std::uint64_t load64(const Byte* p) {
  std::uint64_t x;
  __builtin_memcpy(&x, p, 8);
  return x;
}

// The first `count` < 8 bytes in memory of a word.
inline std::uint64_t first_bytes(std::uint64_t word, std::int64_t count) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  return word & ((std::uint64_t{1} << (8 * count)) - 1);
#else
  return word & ~(~std::uint64_t{0} >> (8 * count));
#endif
}

inline std::uint64_t stirred(std::uint64_t h) {
  h *= 0x9FB21C651E98DF25u;
  return h ^ h >> 29;
}

inline std::uint64_t hash_of(Term term) {
  std::uint64_t h = static_cast<std::uint64_t>(term.size) * 0x9E3779B97F4A7C15u;
  for (; term.size >= 8; term.data += 8, term.size -= 8) h = stirred(h ^ load64(term.data));
  if (term.size > 0) h = stirred(h ^ first_bytes(load64(term.data), term.size));
  h *= 0xD6E8FEB86659FD93u;
  return h ^ h >> 32;
}

inline bool same_bytes(const Byte* a, const Byte* b, std::int64_t size) {
  for (; size >= 8; a += 8, b += 8, size -= 8) {
    if (load64(a) != load64(b)) return false;
  }
  return size == 0 || first_bytes(load64(a) ^ load64(b), size) == 0;
}

struct TermSlot {
  std::uint32_t tag;    // of the hash
  std::int32_t number;  // of the term, or -1
  std::uint32_t at, size;
};

struct Terms {
  std::uint64_t mask;
  TermSlot* slots;
  Byte* bytes;  // of all terms, kPadding behind them

  TermSlot* slot_of(std::uint64_t hash) const { return slots + (hash & mask); }
  TermSlot* next(TermSlot* slot) const { return slots + ((static_cast<std::uint64_t>(slot - slots) + 1) & mask); }

  // The number of a term, or -1.
  std::int32_t find(Term term, std::uint64_t hash, TermSlot* slot) const {
    const auto tag = static_cast<std::uint32_t>(hash >> 32);
    for (; slot->number >= 0; slot = next(slot)) {
      if (slot->tag == tag && slot->size == term.size && same_bytes(bytes + slot->at, term.data, term.size)) break;
    }
    return slot->number;
  }
  std::int32_t find(Term term) const {
    const std::uint64_t hash = hash_of(term);
    return find(term, hash, slot_of(hash));
  }
};

// Bytes of the table of some terms; refuses what is too large.
[[maybe_unused]] inline std::size_t bytes_of_terms(const Text* words, std::int64_t count, const char* name,
                                                   std::size_t* n_slots) {
  std::size_t text = 0, slots = 4;
  for (std::int64_t i = 0; i < count; ++i) text += static_cast<std::size_t>(words[i].size);
  require(count <= kMostTerms && text < (std::size_t{1} << 32), name, "too many terms");
  while (slots < 2 * static_cast<std::size_t>(count)) slots *= 2;
  *n_slots = slots;
  return slots * sizeof(TermSlot) + text + kPadding;
}

// Builds the table in memory of bytes_of_terms(). A term's number is its place among `words`, of equal ones the first;
// with `numbers`, distinct terms are counted in the order they come in, and numbers[i] becomes that of words[i].
[[maybe_unused]] inline Terms build_terms(const Text* words, std::int64_t count, std::size_t n_slots, void* memory,
                                          std::int32_t* numbers = nullptr) {
  Terms terms{n_slots - 1, static_cast<TermSlot*>(memory), nullptr};
  terms.bytes = reinterpret_cast<Byte*>(terms.slots + n_slots);
  for (std::size_t i = 0; i < n_slots; ++i) terms.slots[i] = {0, -1, 0, 0};
  std::uint32_t at = 0;
  std::int32_t distinct = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const Text& word = words[i];
    Byte* own = terms.bytes + at;
    if (word.size > 0) __builtin_memcpy(own, word.data, static_cast<std::size_t>(word.size));
    const Term term{own, word.size};
    const std::uint64_t hash = hash_of(term);
    TermSlot* slot = terms.slot_of(hash);
    const std::int32_t known = terms.find(term, hash, slot);
    const std::int32_t number = known >= 0 ? known : numbers == nullptr ? static_cast<std::int32_t>(i) : distinct++;
    if (numbers != nullptr) numbers[i] = number;
    if (known >= 0) continue;
    while (slot->number >= 0) slot = terms.next(slot);
    *slot = {static_cast<std::uint32_t>(hash >> 32), number, at, static_cast<std::uint32_t>(word.size)};
    at += static_cast<std::uint32_t>(word.size);
  }
  __builtin_memset(terms.bytes + at, 0, kPadding);
  return terms;
}

}  // namespace
}  // namespace sardonyx
