// N-grams of words or characters, found by numbers: every distinct token of a vocabulary has one, and so has every
// n-gram, which is the pair of the n-gram before its last token, and that token.
//
//   "the cat sat"    the ▶ 0    cat ▶ 1    sat ▶ 2      tokens: by their bytes, in a table that is small
//                    (0, 1) ▶ 3     (1, 2) ▶ 4          2-grams: by pairs of numbers, without their bytes
//                    (3, 2) ▶ 5                         3-grams: (number of "the cat", number of "sat")
//
// So bytes are compared once for each token of a document, and a pair that is there costs one miss of the caches. Words
// are tokens without a space in them, as the vocabulary is cut at spaces. Characters are numbered by a table of code
// points.
#pragma once

#include "kernels/text/terms.h"

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
  // A bit for each way that the key is in.
  static unsigned ways_of(const GramBucket& bucket, std::uint64_t key) {
#if SARDONYX_ISA == 1 || SARDONYX_ISA == 2
    const __m256i keys = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bucket.keys));
    const __m256i same = _mm256_cmpeq_epi64(keys, _mm256_set1_epi64x(static_cast<std::int64_t>(key)));
    return static_cast<unsigned>(_mm256_movemask_pd(_mm256_castsi256_pd(same)));
#else
    unsigned found = 0;
    for (int way = 0; way < kWays; ++way) found |= unsigned{bucket.keys[way] == key} << way;
    return found;
#endif
  }
  // Where the key is, or an empty place.
  Place find(std::uint64_t key, GramBucket* bucket) const {
    for (;; bucket = buckets + ((static_cast<std::uint64_t>(bucket - buckets) + 1) & mask)) {
      const unsigned found = ways_of(*bucket, key);
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

// How the terms of a vocabulary become tokens: from `least` to `most` of them, words or characters.
struct Cutting {
  std::int64_t least, most;
  bool characters;

  // Returns the number of a term's tokens; 0 if no document has such a term.
  std::int64_t cut(const Text& term, Text* tokens) const {
    return characters ? cut_characters(term, tokens) : cut_words(term, tokens);
  }

 private:
  std::int64_t cut_words(const Text& term, Text* tokens) const {
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

  std::int64_t cut_characters(const Text& term, Text* tokens) const {
    const auto *data = reinterpret_cast<const Byte*>(term.data), *end = data + term.size;
    std::int64_t count = 0;
    for (const Byte* p = data; p < end; ++count) {
      if (count == most) return 0;
      const std::int32_t size = decode(p, end).size;
      if (tokens != nullptr) tokens[count] = {reinterpret_cast<const char*>(p), size};
      p += size;
    }
    return count >= least ? count : 0;
  }
};

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
[[maybe_unused]] inline GramPlan plan_grams(const Tensor& vocabulary, const Cutting& cutting, const char* name) {
  const Text* terms = data_of<Text>(vocabulary);
  std::int64_t all = 0, longer = 0;
  for (std::int64_t i = 0; i < vocabulary.width; ++i) {
    const std::int64_t tokens = cutting.cut(terms[i], nullptr);
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
    if (cutting.cut(terms[i], nullptr) > 0) at += cutting.cut(terms[i], plan.tokens + at);
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

// Builds the tables in memory of plan.bytes(). Of equal terms the first counts.
[[maybe_unused]] inline Grams build_grams(const Tensor& vocabulary, const Cutting& cutting, const GramPlan& plan,
                                          Byte* memory) {
  Grams grams{build_terms(plan.tokens, plan.distinct, plan.token_buckets, memory), plan.buckets - 1,
              reinterpret_cast<GramBucket*>(memory + plan.token_bytes)};
  constexpr GramBucket empty{{kNoKey, kNoKey, kNoKey, kNoKey}, {-1, -1, -1, -1}, {-1, -1, -1, -1}};
  for (std::size_t i = 0; i < plan.buckets; ++i) grams.buckets[i] = empty;
  const std::int32_t* numbers = plan.numbers;
  auto next = static_cast<std::int32_t>(plan.distinct);
  for (std::int64_t i = 0; i < vocabulary.width; ++i) {
    const std::int64_t tokens = cutting.cut(data_of<Text>(vocabulary)[i], nullptr);
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
  return grams;
}

[[maybe_unused]] inline void free_plan(const GramPlan& plan) {
  free(plan.tokens);
  free(plan.numbers);
}

// ---- characters -----------------------------------------------------------------------------------------------------

// Numbers of characters by pages of 256 code points, and their columns; -1 where there is none.
struct Characters {
  std::int32_t *pages, *numbers, *columns;

  std::int32_t& number_of(std::uint32_t c) const {
    return numbers[pages[c >> 8] * 256 + static_cast<std::int32_t>(c & 255)];
  }
};

// At most: every character may have a page of its own.
[[maybe_unused]] inline std::size_t bytes_of_characters(const GramPlan& plan) {
  const std::int64_t pages = plan.distinct < kPages ? plan.distinct : kPages;
  return static_cast<std::size_t>(kPages + 256 * (pages + 1) + plan.distinct) * sizeof(std::int32_t);
}

// Builds the table of the tokens of grams in memory of bytes_of_characters().
[[maybe_unused]] inline Characters build_characters(const Grams& grams, const GramPlan& plan, Byte* memory) {
  auto* words = reinterpret_cast<std::int32_t*>(memory);
  Characters all{words, words + kPages + plan.distinct, words + kPages};
  for (std::int64_t i = 0; i < kPages; ++i) all.pages[i] = 0;
  std::int32_t n_pages = 1;
  const auto code_of = [&](std::int64_t i) {
    const auto* data = reinterpret_cast<const Byte*>(plan.tokens[i].data);
    return decode(data, data + plan.tokens[i].size).value;
  };
  for (std::int64_t i = 0; i < plan.distinct; ++i) {
    std::int32_t& page = all.pages[code_of(i) >> 8];
    if (page == 0) page = n_pages++;
  }
  for (std::int32_t i = 0; i < n_pages * 256; ++i) all.numbers[i] = -1;
  for (std::int64_t i = 0; i < plan.distinct; ++i) {
    all.number_of(code_of(i)) = static_cast<std::int32_t>(i);
    all.columns[i] = slot_of(grams.tokens, plan.tokens[i])->column;
  }
  return all;
}

}  // namespace
}  // namespace sardonyx
