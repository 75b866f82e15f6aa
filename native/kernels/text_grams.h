// N-grams of words, found by numbers: every distinct token of a vocabulary has one, and so has every n-gram, which is the
// pair of the n-gram before its last token, and that token.
//
//   "the cat sat"    the ▶ 0    cat ▶ 1    sat ▶ 2      tokens: by their bytes, in a table that is small
//                    (0, 1) ▶ 3     (1, 2) ▶ 4          2-grams: by pairs of numbers, without their bytes
//                    (3, 2) ▶ 5                         3-grams: (number of "the cat", number of "sat")
//
// So bytes are compared once for each token of a document, and a pair that is there costs one miss of the caches. It needs
// tokens without a space in them, as the vocabulary is cut at spaces.
#pragma once

#include "text_terms.h"

namespace sardonyx {
namespace {

constexpr int kWays = 4;
constexpr std::uint64_t kNoKey = ~std::uint64_t{0} >> 1;

// N-grams that want the same place: one line of the caches, of which the first ways are filled first.
struct GramBucket {
  std::uint64_t keys[kWays];    // number of the first n - 1 tokens << 32 | number of the last one; or kNoKey
  std::int32_t numbers[kWays];  // of the n-gram, or -1
  std::int32_t columns[kWays];  // -1: no term of the vocabulary, but the beginning of one
};
static_assert(sizeof(GramBucket) == 64);

struct Place {
  GramBucket* bucket;
  int way;
  std::int32_t& number() const { return bucket->numbers[way]; }
  std::int32_t& column() const { return bucket->columns[way]; }
};

struct Grams {
  Terms tokens;  // each with its own column, or -1
  std::uint64_t mask;
  GramBucket* buckets;

  static std::uint64_t hash_of(std::uint64_t key) {
    key *= 0x9E3779B97F4A7C15u;
    key = (key ^ key >> 32) * 0xD6E8FEB86659FD93u;
    return key ^ key >> 32;
  }
  static std::uint64_t key_of(std::int32_t first, std::int32_t last) {
    return static_cast<std::uint64_t>(first) << 32 | static_cast<std::uint32_t>(last);
  }
  GramBucket* bucket_of(std::uint64_t key) const { return buckets + (hash_of(key) & mask); }
  // Where the key is, or an empty place.
  Place find(std::uint64_t key, GramBucket* bucket) const {
    for (;; bucket = buckets + ((static_cast<std::uint64_t>(bucket - buckets) + 1) & mask)) {
      unsigned found = 0;
      for (int way = 0; way < kWays; ++way) found |= unsigned{bucket->keys[way] == key} << way;
      if (found != 0) return {bucket, __builtin_ctz(found)};
      if (bucket->keys[kWays - 1] == kNoKey) return {bucket, kWays - 1};
    }
  }
  // Where a key that is not there is put, in the bucket of the empty place.
  static Place insert(Place place, std::uint64_t key, std::int32_t number) {
    while (place.way > 0 && place.bucket->keys[place.way - 1] == kNoKey) --place.way;
    place.bucket->keys[place.way] = key;
    place.number() = number;
    return place;
  }
};

// Cuts a term at spaces. Returns the number of its tokens; 0 if no document has such a term.
inline std::int64_t cut(const Text& term, std::int64_t least, std::int64_t most, Text* tokens) {
  std::int64_t count = 0, begin = 0;
  for (std::int64_t i = 0; i <= term.size; ++i) {
    if (i < term.size && term.data[i] != ' ') continue;
    if (i == begin || count == most) return 0;
    if (tokens != nullptr) tokens[count] = {term.data + begin, i - begin};
    ++count;
    begin = i + 1;
  }
  return count >= least ? count : 0;
}

// What the tables of a vocabulary are built from.
struct GramPlan {
  Text* tokens;           // the distinct ones; owned
  std::int32_t* numbers;  // of the tokens of all terms, one after another; owned
  std::int64_t distinct;
  std::size_t token_buckets, token_bytes, buckets;

  std::size_t bytes() const { return token_bytes + buckets * sizeof(GramBucket); }
};

inline void* allocate(std::size_t bytes, const char* name) {
  void* memory = malloc(bytes);
  if (memory == nullptr) fail("%s: no memory for its terms", name);
  return memory;
}

inline std::size_t whole_lines(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

// What is allocated here is lost where memory runs out: the program is not loaded then.
[[maybe_unused]] inline GramPlan plan_grams(const Tensor& vocabulary, std::int64_t least, std::int64_t most,
                                            const char* name) {
  const Text* terms = data_of<Text>(vocabulary);
  std::int64_t all = 0, longer = 0;
  for (std::int64_t i = 0; i < vocabulary.width; ++i) {
    const std::int64_t tokens = cut(terms[i], least, most, nullptr);
    all += tokens;
    longer += tokens > 1 ? tokens - 1 : 0;
  }
  require(all <= kMostTerms, name, "too many tokens in its terms");
  const auto count = static_cast<std::size_t>(all) + 1;
  GramPlan plan{static_cast<Text*>(allocate(count * sizeof(Text), name)),
                static_cast<std::int32_t*>(allocate(count * sizeof(std::int32_t), name)),
                0,
                0,
                0,
                1};
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < vocabulary.width; ++i) {
    if (cut(terms[i], least, most, nullptr) > 0) at += cut(terms[i], least, most, plan.tokens + at);
  }
  std::size_t buckets = 0;
  void* memory = allocate(bytes_of_terms(plan.tokens, all, name, &buckets), name);
  build_terms(plan.tokens, all, buckets, memory, plan.numbers);
  free(memory);
  for (std::int64_t i = 0; i < all; ++i) {
    if (plan.numbers[i] == plan.distinct) plan.tokens[plan.distinct++] = plan.tokens[i];
  }
  plan.token_bytes = whole_lines(bytes_of_terms(plan.tokens, plan.distinct, name, &plan.token_buckets));
  while (3 * plan.buckets < static_cast<std::size_t>(longer))
    plan.buckets *= 2;  // three ways of four are filled, at most
  return plan;
}

// Builds the tables in memory of plan.bytes(), and frees the plan. Of equal terms the first counts.
[[maybe_unused]] inline Grams build_grams(const Tensor& vocabulary, std::int64_t least, std::int64_t most,
                                          const GramPlan& plan, Byte* memory) {
  Grams grams{build_terms(plan.tokens, plan.distinct, plan.token_buckets, memory), plan.buckets - 1,
              reinterpret_cast<GramBucket*>(memory + plan.token_bytes)};
  constexpr GramBucket empty{{kNoKey, kNoKey, kNoKey, kNoKey}, {-1, -1, -1, -1}, {-1, -1, -1, -1}};
  for (std::size_t i = 0; i < plan.buckets; ++i) grams.buckets[i] = empty;
  const std::int32_t* numbers = plan.numbers;
  auto next = static_cast<std::int32_t>(plan.distinct);
  for (std::int64_t i = 0; i < vocabulary.width; ++i) {
    const std::int64_t tokens = cut(data_of<Text>(vocabulary)[i], least, most, nullptr);
    if (tokens == 0) continue;
    std::int32_t number = numbers[0];
    std::int32_t* column = &slot_of(grams.tokens, plan.tokens[number])->column;
    for (std::int64_t k = 1; k < tokens; ++k) {
      const std::uint64_t key = Grams::key_of(number, numbers[k]);
      Place place = grams.find(key, grams.bucket_of(key));
      if (place.number() < 0) place = grams.insert(place, key, next++);
      number = place.number();
      column = &place.column();
    }
    if (*column < 0) *column = static_cast<std::int32_t>(i);
    numbers += tokens;
  }
  free(plan.tokens);
  free(plan.numbers);
  return grams;
}

}  // namespace
}  // namespace sardonyx
