// From the terms of a document to their columns: by the bytes of a term, by the numbers of its tokens or of its
// characters, or by its hash. All of them are sinks of analyze.h:
//
//   columns.read(rules, text, memory)    for every text of a row
//   columns.flush()                      then all columns are among the keys
#pragma once

#include "kernels/text/analyze.h"
#include "kernels/text/grams.h"
#include "kernels/text/tally.h"

namespace sardonyx {
namespace {

constexpr int kWaiting = 32;  // what is looked up together, so that the cache misses overlap

// Terms that wait to be looked up.
class Waiting {
 public:
  explicit Waiting(const Terms& terms) : terms_(terms) {}
  bool full() const { return count_ == kWaiting; }
  int size() const { return count_; }
  void add(Term term) { waiting_[count_++] = term; }
  // Calls found(i, slot) for each, in order.
  template <class Found>
  void look_up(Found&& found) {
    Ends ends[kWaiting];
    TermBucket* buckets[kWaiting];
    int longer[kWaiting], n_longer = 0;
    for (int i = 0; i < count_; ++i) {
      ends[i] = ends_of(waiting_[i]);
      buckets[i] = terms_.bucket_of(hash_of(ends[i], waiting_[i]));
      __builtin_prefetch(buckets[i]);
      longer[n_longer] = i;
      n_longer += waiting_[i].size > kShort ? 1 : 0;
    }
    for (int k = 0; k < n_longer; ++k) terms_.fetch_bytes(ends[longer[k]], buckets[longer[k]]);
    for (int i = 0; i < count_; ++i) found(i, *terms_.find(waiting_[i], ends[i], buckets[i]));
    count_ = 0;
  }

 private:
  const Terms& terms_;
  int count_ = 0;
  Term waiting_[kWaiting];
};

// Appends those of some columns that there are, without a branch on it.
class KeyWriter {
 public:
  KeyWriter(Keys& keys, std::int64_t most) : keys_(keys) {
    keys.reserve(most);
    to_ = keys.data() + keys.size();
  }
  ~KeyWriter() { keys_.resize(to_ - keys_.data()); }
  KeyWriter(const KeyWriter&) = delete;
  KeyWriter& operator=(const KeyWriter&) = delete;
  void put(std::int32_t column) {
    *to_ = static_cast<std::uint32_t>(column) << 1;
    to_ += column >= 0 ? 1 : 0;
  }

 private:
  Keys& keys_;
  std::uint32_t* to_;
};

class TermColumns {
 public:
  TermColumns(const Terms& terms, Keys& keys) : waiting_(terms), keys_(keys) {}
  void add(Term term) {
    if (waiting_.full()) flush();
    waiting_.add(term);
  }
  void read(const TextRules& rules, const Text& text, TextMemory& memory) { analyze(rules, text, memory, *this); }
  void flush() {
    KeyWriter keys(keys_, kWaiting);
    waiting_.look_up([&](int, const TermSlot& slot) { keys.put(slot.number); });
  }

 private:
  Waiting waiting_;
  Keys& keys_;
};

// N-grams of numbered tokens, looked up when all tokens of the text are there. A negative number is a token that is in
// no n-gram.
class Chains {
 public:
  Chains(const Grams& grams, std::int64_t least, std::int64_t most, Keys& keys, void* scratch, std::int64_t bytes)
      : grams_(grams),
        least_(least),
        most_(most),
        keys_(keys),
        tokens_(scratch, bytes / 2),
        firsts_(static_cast<Byte*>(scratch) + bytes / 2, bytes / 2) {}
  Growing<std::int32_t>& tokens() { return tokens_; }
  void flush() {
    const std::int64_t count = tokens_.size();
    const std::int32_t* firsts = tokens_.data();
    for (std::int64_t n = 2; n <= most_ && n <= count; ++n) firsts = lengthen(n, firsts);
    tokens_.clear();
  }

 private:
  // firsts[i] is the number of the n - 1 tokens from i on; returns those of n tokens, which may overwrite them.
  const std::int32_t* lengthen(std::int64_t n, const std::int32_t* firsts) {
    const std::int64_t count = tokens_.size() - n + 1;
    if (n == 2) {
      firsts_.clear();
      firsts_.reserve(count);
    }
    const std::int32_t* lasts = tokens_.data() + n - 1;
    Pairs pairs[2];  // a batch waits for its lines while the one before it is looked up
    for (std::int64_t i = 0, turn = 0; i < count + kWaiting; i += kWaiting, turn ^= 1) {
      ask(firsts, lasts, i, i + kWaiting < count ? i + kWaiting : count, pairs[turn]);
      if (i > 0) look_up(pairs[turn ^ 1], n >= least_);
    }
    return firsts_.data();
  }

  struct Pairs {
    int count = 0;
    std::uint64_t keys[kWaiting];
    GramBucket* buckets[kWaiting];
    std::int64_t places[kWaiting];  // in firsts_
  };

  void ask(const std::int32_t* firsts, const std::int32_t* lasts, std::int64_t i, std::int64_t end, Pairs& to) {
    to.count = 0;
    for (; i < end; ++i) {
      const std::int32_t first = firsts[i], last = lasts[i];
      to.keys[to.count] = Grams::key_of(first, last);
      to.places[to.count] = i;
      to.count += (first | last) >= 0 ? 1 : 0;
      firsts_.data()[i] = -1;
    }
    for (int k = 0; k < to.count; ++k) {
      to.buckets[k] = grams_.bucket_of(to.keys[k]);
      __builtin_prefetch(to.buckets[k]);
    }
  }

  void look_up(const Pairs& pairs, bool counts) {
    std::int32_t* numbers = firsts_.data();
    KeyWriter keys(keys_, kWaiting);
    for (int k = 0; k < pairs.count; ++k) {
      const Place place = grams_.find(pairs.keys[k], pairs.buckets[k]);
      numbers[pairs.places[k]] = place.number();
      keys.put(counts ? place.column() : -1);
    }
  }

  const Grams& grams_;
  std::int64_t least_, most_;
  Keys& keys_;
  Growing<std::int32_t> tokens_, firsts_;
};

// Words, numbered by their bytes.
class GramColumns {
 public:
  GramColumns(const Grams& grams, std::int64_t least, std::int64_t most, Keys& keys, void* scratch, std::int64_t bytes)
      : unigrams_(least <= 1), waiting_(grams.tokens), keys_(keys), chains_(grams, least, most, keys, scratch, bytes) {}
  void read(const TextRules& rules, const Text& text, TextMemory& memory) { analyze(rules, text, memory, *this); }
  void add(Term token) {
    if (waiting_.full()) number();
    waiting_.add(token);
  }
  void flush() {
    number();
    chains_.flush();
  }

 private:
  void number() {
    Growing<std::int32_t>& tokens = chains_.tokens();
    tokens.reserve(kWaiting);
    KeyWriter keys(keys_, kWaiting);
    std::int32_t* to = tokens.data() + tokens.size();
    tokens.resize(tokens.size() + waiting_.size());
    waiting_.look_up([&](int i, const TermSlot& slot) {
      to[i] = slot.number;
      keys.put(unigrams_ ? slot.column : -1);
    });
  }

  bool unigrams_;
  Waiting waiting_;
  Keys& keys_;
  Chains chains_;
};

// Characters, numbered by a table: no n-gram is ever written down.
class CharacterColumns {
 public:
  CharacterColumns(const Grams& grams, const Characters& characters, std::int64_t least, std::int64_t most, Keys& keys,
                   void* scratch, std::int64_t bytes)
      : grams_(grams),
        characters_(characters),
        least_(least),
        keys_(keys),
        chains_(grams, least, most, keys, scratch, bytes) {}
  void read(const TextRules& rules, const Text& text, TextMemory& memory) {
    refuse_missing(text);
    const auto* bytes = reinterpret_cast<const Byte*>(text.data);
    const bool ascii = fold_text(rules.fold, bytes, text.size, memory.terms, memory.folded);
    const bool words = rules.analyzer == Analyzer::character_wb;
    if (ascii) return words ? number_words<true>(rules, memory) : number_all<true>(rules, memory);
    words ? number_words<false>(rules, memory) : number_all<false>(rules, memory);
  }
  void flush() {
    if (least_ <= 1) add_unigrams();
    chains_.flush();
  }

 private:
  void add_unigrams() {
    const Growing<std::int32_t>& tokens = chains_.tokens();
    KeyWriter keys(keys_, tokens.size());
    for (std::int64_t i = 0; i < tokens.size(); ++i) keys.put(tokens[i] < 0 ? -1 : characters_.columns[tokens[i]]);
  }

  // Runs of two or more whitespace characters become one space.
  template <bool kAscii>
  void number_all(const TextRules& rules, const TextMemory& memory) {
    const Byte *p = memory.folded.data(), *end = p + memory.folded.size();
    Growing<std::int32_t>& tokens = chains_.tokens();
    tokens.reserve(memory.folded.size());
    std::int32_t *begin = tokens.data() + tokens.size(), *to = begin;
    const std::int32_t space = characters_.number_of(' ');
    bool spaces = false;  // whether the last character is one
    while (p < end) {
      const CodePoint c = next_character<kAscii>(p, end);
      const bool is_space = class_of<kAscii>(rules, c.value) != 0, again = is_space && spaces;
      to -= again ? 1 : 0;
      *to++ = again ? space : characters_.number_of(c.value);
      spaces = is_space;
      p += c.size;
    }
    tokens.resize(tokens.size() + (to - begin));
  }

  // Every word with a space on both sides, and a gap that no n-gram goes over.
  template <bool kAscii>
  void number_words(const TextRules& rules, const TextMemory& memory) {
    const Byte *p = memory.folded.data(), *end = p + memory.folded.size();
    Growing<std::int32_t>& tokens = chains_.tokens();
    tokens.reserve(4 * memory.folded.size() + 4);  // a word has a byte at least, and three tokens more
    std::int32_t *begin = tokens.data() + tokens.size(), *to = begin, *word = begin;
    const std::int32_t space = characters_.number_of(' ');
    const auto end_word = [&] {
      *to++ = space;
      if (to - word < least_) add_short(word, to);
      *to++ = -1;
    };
    bool inside = false;
    while (p < end) {
      const CodePoint c = next_character<kAscii>(p, end);
      p += c.size;
      if (class_of<kAscii>(rules, c.value) != 0) {
        if (inside) end_word();
        inside = false;
        continue;
      }
      if (!inside) {
        word = to;
        *to++ = space;
        inside = true;
      }
      *to++ = characters_.number_of(c.value);
    }
    if (inside) end_word();
    tokens.resize(tokens.size() + (to - begin));
  }

  // A word that is too short for the shortest n-gram is its own.
  void add_short(const std::int32_t* word, const std::int32_t* end) {
    std::int32_t number = *word, column = -1;
    for (++word; word < end && number >= 0; ++word) {
      const std::uint64_t key = Grams::key_of(number, *word);
      const Place place = grams_.find(key, grams_.bucket_of(key));
      number = *word < 0 ? -1 : place.number();
      column = place.column();
    }
    KeyWriter keys(keys_, 1);
    keys.put(number < 0 ? -1 : column);
  }

  const Grams& grams_;
  const Characters& characters_;
  std::int64_t least_;
  Keys& keys_;
  Chains chains_;
};

// scikit-learn encodes terms strictly, so lone surrogates are an error there.
inline void refuse_surrogates(const Byte* data, std::int64_t size) {
  for (std::int64_t i = 0; i + 1 < size; ++i) {
    if (data[i] == 0xED && data[i + 1] >= 0xA0) fail("a term holds a lone surrogate, which has no UTF-8 form");
  }
}

typedef std::uint32_t EightWords __attribute__((vector_size(32)));

// Hashes of terms, eight at a time, one in a lane.
class HashColumns {
 public:
  HashColumns(std::int64_t columns, bool alternate, Keys& keys)
      : columns_(static_cast<std::uint32_t>(columns)), alternate_(alternate), keys_(keys) {}
  void read(const TextRules& rules, const Text& text, TextMemory& memory) {
    padded_ = rules.analyzer != Analyzer::whole;
    surrogates_ = holds_surrogates(text);
    analyze(rules, text, memory, *this);
    hash();
  }
  void add(Term term) {
    if (surrogates_) refuse_surrogates(term.data, term.size);
    if (term.size > kMostBytes || !padded_) {
      keys_.push(key_of(static_cast<std::uint32_t>(murmur3(term.data, term.size))));
      return;
    }
    data_[count_] = term.data;
    sizes_[count_] = static_cast<std::uint32_t>(term.size);
    if (++count_ == kLanes) hash();
  }
  void flush() {}

 private:
  static constexpr int kLanes = 8;
  static constexpr std::int64_t kMostBytes = 64;  // of a term in a lane: those beside it wait for the longest

  static bool holds_surrogates(const Text& text) {
    const auto* data = reinterpret_cast<const Byte*>(text.data);
    Byte seen = 0;
    for (std::int64_t i = 0; i + 1 < text.size; ++i) {
      seen = static_cast<Byte>(seen | ((data[i] == 0xED) & (data[i + 1] >= 0xA0)));
    }
    return seen != 0;
  }

  std::uint32_t key_of(std::uint32_t hash) const {
    const std::uint32_t negative = hash >> 31, size = (hash ^ (0 - negative)) + negative;
    return (size % columns_) << 1 | (negative & alternate_);
  }

  // Four bytes of each term from a block of four on, or what is left of it behind its last block, and more.
  void load(const EightWords& blocks, std::uint32_t block, EightWords& words) const {
    for (int i = 0; i < kLanes; ++i) {
      std::uint32_t word;
      __builtin_memcpy(&word, data_[i] + std::size_t{4} * (block < blocks[i] ? block : blocks[i]), 4);
      words[i] = word;
    }
  }

  void hash() {
    for (int i = count_; i < kLanes; ++i) {
      data_[i] = kShown;
      sizes_[i] = 0;
    }
    EightWords sizes, words, hashes{};
    __builtin_memcpy(&sizes, sizes_, sizeof sizes);
    const EightWords blocks = sizes / 4;
    std::uint32_t most = 0;
    for (int i = 0; i < kLanes; ++i) most = blocks[i] > most ? blocks[i] : most;
    for (std::uint32_t block = 0; block < most; ++block) {
      load(blocks, block, words);
      EightWords mixed = hashes;
      murmur3_mix(mixed, words);
      hashes = blocks > block ? mixed : hashes;
    }
    load(blocks, most, words);
    const EightWords tails = words & ((1u << (sizes % 4) * 8u) - 1u);
    murmur3_finish(hashes, tails, sizes);
    put(hashes);
    count_ = 0;
  }

  void put(const EightWords& hashes) {
    keys_.reserve(kLanes);
    std::uint32_t* to = keys_.data() + keys_.size();
    if ((columns_ & (columns_ - 1)) == 0) {  // without a division
      const EightWords negative = hashes >> 31, sizes = (hashes ^ (0u - negative)) + negative;
      const EightWords keys = (sizes & (columns_ - 1)) << 1 | (negative & alternate_);
      __builtin_memcpy(to, &keys, sizeof keys);
    } else {
      for (int i = 0; i < kLanes; ++i) to[i] = key_of(hashes[i]);
    }
    keys_.resize(keys_.size() + count_);
  }

  std::uint32_t columns_, alternate_;
  bool padded_ = false, surrogates_ = false;
  Keys& keys_;
  int count_ = 0;
  const Byte* data_[kLanes];
  std::uint32_t sizes_[kLanes];
};

}  // namespace
}  // namespace sardonyx
