// Sets of terms: a hash table from the bytes of a term to its number, at most half full, two terms a line of the
// caches:
//
//   bucket   [ first 8 bytes | last 8 | size, number, ...  ][ the same of another term ]     then the next bucket
//
// A term of up to sixteen bytes is those two words, padded with zeros: it is hashed and compared without a branch on
// its length, which nobody can predict, and without a look at its bytes. Of a longer one the words are its two ends.
// The table is asked in batches, so that its misses of the caches overlap.
#pragma once

#include <stdlib.h>

#include "kernels/text/fold.h"
#include "kernels/text/folded.h"
#include "sardonyx/murmur.h"

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

constexpr std::int64_t kShort = 16;
static_assert(kShort <= kPadding);
constexpr Byte kShown[2 * kShort] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

struct Ends {
  std::uint64_t first, last;
};

inline Ends ends_of(Term term) {
  if (term.size > kShort) return {load64(term.data), load64(term.data + term.size - 8)};
  const Byte* shown = kShown + kShort - term.size;
  return {load64(term.data) & load64(shown), load64(term.data + 8) & load64(shown + 8)};
}

inline std::uint64_t hash_of(const Ends& ends, Term term) {
  std::uint64_t h = folded(ends.first ^ 0x9E3779B97F4A7C15u,
                           (ends.last + static_cast<std::uint64_t>(term.size)) ^ 0xD6E8FEB86659FD93u);
  for (std::int64_t i = 8; i + 8 < term.size && term.size > kShort; i += 8)
    h = folded(h ^ load64(term.data + i), 0x9FB21C651E98DF25u);
  return h;
}

struct TermSlot {
  Ends ends;
  std::uint32_t size, at;  // `at`: of its bytes, where they are more than kShort
  std::int32_t number;     // of the term, or -1
  std::int32_t column;     // what else is known of it: see grams.h
};

struct TermBucket {
  TermSlot slots[2];  // the first one is filled first
};
static_assert(sizeof(TermBucket) == 64);

struct Terms {
  std::uint64_t mask;
  TermBucket* buckets;
  Byte* bytes;  // of the terms that are longer than kShort

  TermBucket* bucket_of(std::uint64_t hash) const { return buckets + (hash & mask); }

  // Fetches the bytes to compare with those of a longer term; they are in no line of the table.
  void fetch_bytes(const Ends& ends, const TermBucket* bucket) const {
    const Ends& known = bucket->slots[1].ends;
    const bool other = ((known.first ^ ends.first) | (known.last ^ ends.last)) == 0;
    __builtin_prefetch(bytes + bucket->slots[other ? 1 : 0].at + 8);
  }

  // Where the term is, or an empty slot.
  TermSlot* find(Term term, const Ends& ends, TermBucket* bucket) const {
    if (term.size > kShort) return find_longer(term, ends, bucket);
    return find_where([&](const TermSlot& slot) { return has_ends(slot, ends, term); }, bucket);
  }
  // The number of a term, or -1.
  std::int32_t find(Term term) const {
    const Ends ends = ends_of(term);
    return find(term, ends, bucket_of(hash_of(ends, term)))->number;
  }

 private:
  static bool has_ends(const TermSlot& slot, const Ends& ends, Term term) {
    return ((slot.ends.first ^ ends.first) | (slot.ends.last ^ ends.last) |
            static_cast<std::uint64_t>(slot.size ^ term.size)) == 0;
  }

  template <class Same>
  TermSlot* find_where(Same&& same, TermBucket* bucket) const {
    for (;; bucket = buckets + ((static_cast<std::uint64_t>(bucket - buckets) + 1) & mask)) {
      const bool one = same(bucket->slots[0]), other = same(bucket->slots[1]);
      if (one | other | (bucket->slots[1].number < 0)) {
        return bucket->slots + (one | (!other & (bucket->slots[0].number < 0)) ? 0 : 1);
      }
    }
  }

  // Apart from the other, whose few instructions it would drown.
  [[gnu::noinline]] TermSlot* find_longer(Term term, const Ends& ends, TermBucket* bucket) const {
    const auto same = [&](const TermSlot& slot) {
      if (slot.number < 0 || !has_ends(slot, ends, term)) return false;
      const Byte* known = bytes + slot.at;
      std::int64_t i = 8;
      while (i + 8 < term.size && load64(known + i) == load64(term.data + i)) i += 8;
      return i + 8 >= term.size;
    };
    return find_where(same, bucket);
  }
};

// Bytes of the table of some terms; refuses what is too large.
[[maybe_unused]] inline std::size_t bytes_of_terms(const Text* words, std::int64_t count, const char* name,
                                                   std::size_t* n_buckets) {
  std::size_t text = 0, buckets = 2;
  for (std::int64_t i = 0; i < count; ++i) text += words[i].size > kShort ? static_cast<std::size_t>(words[i].size) : 0;
  require(count <= kMostTerms && text < (std::size_t{1} << 32), name, "too many terms");
  while (buckets < static_cast<std::size_t>(count)) buckets *= 2;
  *n_buckets = buckets;
  return buckets * sizeof(TermBucket) + text;
}

// The ends of a text behind which there is no padding.
inline Ends ends_of(const Text& word) {
  Byte padded[kShort] = {};
  const auto* data = reinterpret_cast<const Byte*>(word.data);
  if (word.size > kShort) return ends_of(Term{data, word.size});
  for (std::int64_t i = 0; i < word.size; ++i) padded[i] = data[i];
  return {load64(padded), load64(padded + 8)};
}

inline TermSlot* slot_of(const Terms& terms, const Text& word) {
  const Term term{reinterpret_cast<const Byte*>(word.data), word.size};
  const Ends ends = ends_of(word);
  return terms.find(term, ends, terms.bucket_of(hash_of(ends, term)));
}

// Builds the table in memory of bytes_of_terms(). A term's number is its place among `words`, of equal ones the first;
// with `numbers`, distinct terms are counted in the order they come in, and numbers[i] becomes that of words[i].
[[maybe_unused]] inline Terms build_terms(const Text* words, std::int64_t count, std::size_t n_buckets, void* memory,
                                          std::int32_t* numbers = nullptr) {
  Terms terms{n_buckets - 1, static_cast<TermBucket*>(memory), nullptr};
  terms.bytes = reinterpret_cast<Byte*>(terms.buckets + n_buckets);
  constexpr TermSlot empty{{0, 0}, ~std::uint32_t{0}, 0, -1, -1};
  for (std::size_t i = 0; i < n_buckets; ++i) terms.buckets[i] = {{empty, empty}};
  std::uint32_t at = 0;
  std::int32_t distinct = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const Text& word = words[i];
    TermSlot* slot = slot_of(terms, word);
    const bool known = slot->number >= 0;
    const std::int32_t number = known ? slot->number : numbers == nullptr ? static_cast<std::int32_t>(i) : distinct++;
    if (numbers != nullptr) numbers[i] = number;
    if (known) continue;
    *slot = {ends_of(word), static_cast<std::uint32_t>(word.size), at, number, -1};
    if (word.size <= kShort) continue;
    __builtin_memcpy(terms.bytes + at, word.data, static_cast<std::size_t>(word.size));
    at += static_cast<std::uint32_t>(word.size);
  }
  return terms;
}

}  // namespace
}  // namespace sardonyx
