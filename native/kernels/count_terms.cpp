// CountTerms: how often each term of a vocabulary occurs in a document. HashTerms: the same without a vocabulary, each
// term counted in a column that its hash says, with its sign.
//
//   CountTerms   text_analyze.h's inputs and params, then: vocabulary (n terms)   1 to count every term at most once
//   HashTerms    text_analyze.h's inputs and params, then: 1 to alternate signs   1 to count every column as one
//
// The output is sparse, so that memory does not depend on the number of terms.
#include <stdlib.h>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#endif

#include "sparse.h"
#include "text_analyze.h"
#include "text_grams.h"

namespace sardonyx {
namespace {

struct Prepared {
  TextRules rules;  // of tokens alone where there are grams
  Terms vocabulary;
  std::int64_t least, most;  // of tokens in a gram; 0 if terms are found by their bytes
  Grams grams;
};

// Columns of a document's terms: column << 1 | sign.
using Keys = Growing<std::uint32_t>;

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
  void flush() {
    KeyWriter keys(keys_, kWaiting);
    waiting_.look_up([&](int, const TermSlot& slot) { keys.put(slot.number); });
  }

 private:
  Waiting waiting_;
  Keys& keys_;
};

// Takes tokens, in order, and looks up the n-grams that they make when the text is at its end.
class GramColumns {
 public:
  GramColumns(const Prepared& prepared, Keys& keys, void* scratch, std::int64_t bytes)
      : grams_(prepared.grams),
        least_(prepared.least),
        most_(prepared.most),
        waiting_(prepared.grams.tokens),
        keys_(keys),
        tokens_(scratch, bytes / 2),
        firsts_(static_cast<Byte*>(scratch) + bytes / 2, bytes / 2) {}
  void add(Term token) {
    if (waiting_.full()) number();
    waiting_.add(token);
  }
  void flush() {
    number();
    const std::int64_t count = tokens_.size();
    const std::int32_t* firsts = tokens_.data();
    for (std::int64_t n = 2; n <= most_ && n <= count; ++n) firsts = lengthen(n, firsts);
    tokens_.clear();
  }

 private:
  void number() {
    tokens_.reserve(kWaiting);
    KeyWriter keys(keys_, kWaiting);
    std::int32_t* to = tokens_.data() + tokens_.size();
    tokens_.resize(tokens_.size() + waiting_.size());
    waiting_.look_up([&](int i, const TermSlot& slot) {
      to[i] = slot.number;
      keys.put(least_ <= 1 ? slot.column : -1);
    });
  }

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
  Waiting waiting_;
  Keys& keys_;
  Growing<std::int32_t> tokens_, firsts_;
};

// scikit-learn encodes terms strictly, so lone surrogates are an error there.
inline void refuse_surrogates(Term term) {
  for (std::int64_t i = 0; i + 1 < term.size; ++i) {
    if (term.data[i] == 0xED && term.data[i + 1] >= 0xA0)
      fail("a term holds a lone surrogate, which has no UTF-8 form");
  }
}

class HashColumns {
 public:
  HashColumns(std::int64_t columns, bool alternate, Keys& keys)
      : columns_(columns), alternate_(alternate), keys_(keys) {}
  void add(Term term) {
    refuse_surrogates(term);
    const std::int64_t hash = murmur3(term.data, term.size);
    const auto column = static_cast<std::uint32_t>((hash < 0 ? -hash : hash) % columns_);
    keys_.push(column << 1 | static_cast<std::uint32_t>(alternate_ && hash < 0));
  }
  void flush() {}

 private:
  std::int64_t columns_;
  bool alternate_;
  Keys& keys_;
};

// ---- rows ----------------------------------------------------------------------------------------------------------

void insertion_sort(std::uint32_t* keys, std::int64_t count) {
  for (std::int64_t i = 1; i < count; ++i) {
    const std::uint32_t key = keys[i];
    std::int64_t k = i;
    for (; k > 0 && keys[k - 1] > key; --k) keys[k] = keys[k - 1];
    keys[k] = key;
  }
}

constexpr int kMostBits = 9;  // of a digit

// Bits of a digit: keys are read and written once a digit, and there is a counter for each of its values.
int bits_of_digit(std::int64_t count, int span) {
  int best = 1;
  std::int64_t least = std::int64_t{1} << 62;
  for (int digits = 1; digits <= span; ++digits) {
    const int bits = (span + digits - 1) / digits;
    const std::int64_t cost = digits * (3 * count + (std::int64_t{3} << bits >> 1));
    if (bits <= kMostBits && cost < least) {
      least = cost;
      best = bits;
    }
  }
  return best;
}

// Radix sort by the bits in which keys differ, from the lowest on, in equal digits.
void radix_sort(std::uint32_t* keys, std::int64_t count, std::uint32_t* other) {
  std::uint32_t *from = keys, *to = other, differ = 0;
  for (std::int64_t i = 1; i < count; ++i) differ |= keys[i] ^ keys[0];
  if (differ == 0) return;
  const int first = __builtin_ctz(differ), span = 32 - __builtin_clz(differ) - first;
  const int bits = bits_of_digit(count, span);
  const std::uint32_t mask = (1u << bits) - 1;
  for (int shift = first; shift < first + span; shift += bits) {
    std::uint32_t starts[1 << kMostBits];
    for (std::uint32_t i = 0; i <= mask; ++i) starts[i] = 0;
    for (std::int64_t i = 0; i < count; ++i) ++starts[from[i] >> shift & mask];
    std::uint32_t at = 0;
    for (std::uint32_t i = 0; i <= mask; ++i) {
      const std::uint32_t here = starts[i];
      starts[i] = at;
      at += here;
    }
    for (std::int64_t i = 0; i < count; ++i) to[starts[from[i] >> shift & mask]++] = from[i];
    std::uint32_t* swap = from;
    from = to;
    to = swap;
  }
  if (from != keys) __builtin_memcpy(keys, from, static_cast<std::size_t>(count) * sizeof *keys);
}

void sort_keys(Keys& keys, Keys& other) {
  if (keys.size() <= 32) return insertion_sort(keys.data(), keys.size());
  other.clear();
  other.reserve(keys.size());
  radix_sort(keys.data(), keys.size(), other.data());
}

// One entry for each column that is met; signs may make its count zero, which scikit-learn stores too. Nobody can predict
// which columns are met again, so there is no branch on it.
template <class T>
void write_row(const Keys& keys, bool once, SparseWriter<T>& y) {
  y.reserve(keys.size());
  std::uint32_t last = ~std::uint32_t{0};
  std::int64_t value = 0;
  for (std::int64_t i = 0; i < keys.size(); ++i) {
    const std::uint32_t column = keys[i] >> 1;
    const std::int64_t again = column == last;
    const std::int64_t sign = 1 - 2 * static_cast<std::int64_t>(keys[i] & 1);
    value = (value & -again) + sign;  // compilers make a branch of a condition
    y.put_or_replace(1 - again, static_cast<std::int32_t>(column), once ? T(1) : static_cast<T>(value));
    last = column;
  }
  y.end_row();
}

// The beginning of a text that is about to be read: texts lie anywhere, and processors fetch ahead only what goes on.
inline void fetch(const Text& text) {
  for (std::int64_t i = 0; i < text.size && i < 2048; i += 64) __builtin_prefetch(text.data + i);
}

template <class T, class Columns>
void count(const Step& step, std::int64_t rows, const Context& context, const TextRules& rules, Columns& columns,
           Keys& keys, Keys& other) {
  TextMemory memory(context.scratch);
  const bool once = step.params[step.n_params - 1].i != 0;
  const Text* x = data_of<Text>(step.inputs[0]);
  const std::int64_t texts = step.inputs[0].width;
  SparseWriter<T> y(step.outputs[0]);
  for (std::int64_t row = 0; row < rows; ++row) {
    keys.clear();
    for (std::int64_t i = 0; i < texts; ++i) analyze(rules, x[row * texts + i], memory, columns);
    if (row + 1 < rows) fetch(x[(row + 1) * texts]);
    columns.flush();
    sort_keys(keys, other);
    write_row(keys, once, y);
  }
  y.finish();
}

constexpr std::size_t kKeyScratch = 16 * 1024;

std::size_t scratch_bytes(const Step&, std::int64_t) { return kTextScratch + 4 * kKeyScratch; }

double cost_of_text(const Step&) { return 5000; }  // nanoseconds: a page of text, whose length is not known

void check_output(const Step& step, const char* name) {
  require_row_output(step, name);
  require_sparse(step.outputs[0], name);
  require(is_number(step.outputs[0].dtype), name, "the output is not of numbers");
  require(in_range(integer_param(step, step.n_params - 1), 0, 1), name, "counting once is 0 or 1");
}

void check_count_terms(const Step& step) {
  constexpr const char* name = "CountTerms";
  require_counts(step, name, kTextInputs + 1, 1, kTextParams + 1);
  check_text(step, name);
  check_output(step, name);
  const Tensor& vocabulary = step.inputs[kTextInputs];
  require(integer_param(step, 0) != 3, name, "terms that are looked up come from an analyzer");
  require(vocabulary.constant && vocabulary.dtype == DType::text, name, "the vocabulary is constant text");
  require(step.outputs[0].width == vocabulary.width, name, "output of the wrong size");
}

// Terms lie anywhere in megabytes of tables: on pages of 4 KiB, looking their addresses up costs as much as the tables.
void* memory_for_tables(std::size_t size) {
  constexpr std::size_t page = std::size_t{2} << 20;
  void* memory = nullptr;
  const std::size_t whole = (size + page - 1) / page * page;
  if (size < page || posix_memalign(&memory, page, whole) != 0) return malloc(size);
#ifdef MADV_HUGEPAGE
  madvise(memory, whole, MADV_HUGEPAGE);  // a hint, which may be refused
#endif
  return memory;
}

Prepared* prepare_rules(const Step& step, const char* name, void* memory) {
  std::size_t stop_buckets = 0;
  bytes_of_rules(step, name, &stop_buckets);
  auto* prepared = static_cast<Prepared*>(memory);
  *prepared = {
      text_rules(step, stop_buckets, static_cast<Byte*>(memory) + whole_lines(sizeof(Prepared))), {}, 0, 0, {}};
  return prepared;
}

std::size_t bytes_of_head(const Step& step, const char* name) {
  std::size_t stop_buckets = 0;
  return whole_lines(sizeof(Prepared)) + bytes_of_rules(step, name, &stop_buckets);
}

void* allocate_tables(std::size_t size, const char* name) {
  void* memory = memory_for_tables(size);
  if (memory == nullptr) fail("%s: no memory for its terms", name);
  return memory;
}

// Whether n-grams are made of tokens without a space in them: runs of a set of characters that has none.
bool has_grams(const TextRules& rules) {
  return rules.analyzer == Analyzer::word && rules.most > 1 && rules.run_least > 0 && !contains(rules.run_set, ' ') &&
         rules.skip_before == 0 && rules.skip_after == 0;
}

void* prepare_count_terms(const Step& step) {
  constexpr const char* name = "CountTerms";
  const Tensor& vocabulary = step.inputs[kTextInputs];
  const std::size_t head = bytes_of_head(step, name);
  void* alone = allocate_tables(head, name);
  const TextRules rules = prepare_rules(step, name, alone)->rules;
  free(alone);
  if (has_grams(rules)) {
    const GramPlan plan = plan_grams(vocabulary, rules.least, rules.most, name);
    auto* memory = static_cast<Byte*>(allocate_tables(head + plan.bytes(), name));
    Prepared* prepared = prepare_rules(step, name, memory);
    prepared->grams = build_grams(vocabulary, rules.least, rules.most, plan, memory + head);
    prepared->least = rules.least;
    prepared->most = rules.most;
    prepared->rules.least = prepared->rules.most = 1;
    return prepared;
  }
  std::size_t buckets = 0;
  const Text* terms = data_of<Text>(vocabulary);
  const std::size_t bytes = bytes_of_terms(terms, vocabulary.width, name, &buckets);
  auto* memory = static_cast<Byte*>(allocate_tables(head + bytes, name));
  Prepared* prepared = prepare_rules(step, name, memory);
  prepared->vocabulary = build_terms(terms, vocabulary.width, buckets, memory + head);
  return prepared;
}

void release(void* state) { free(state); }

void run_count_terms(const Step& step, std::int64_t rows, const Context& context) {
  const auto& prepared = *static_cast<const Prepared*>(context.state);
  Byte* scratch = static_cast<Byte*>(context.scratch) + kTextScratch;
  Keys keys(scratch, kKeyScratch), other(scratch + kKeyScratch, kKeyScratch);
  GramColumns grams(prepared, keys, scratch + 2 * kKeyScratch, 2 * kKeyScratch);
  TermColumns terms(prepared.vocabulary, keys);
  with_number(step.outputs[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    if (prepared.most > 0) {
      count<T>(step, rows, context, prepared.rules, grams, keys, other);
    } else {
      count<T>(step, rows, context, prepared.rules, terms, keys, other);
    }
  });
}

SARDONYX_KERNEL("CountTerms", {.check = check_count_terms,
                               .run = run_count_terms,
                               .scratch = scratch_bytes,
                               .prepare = prepare_count_terms,
                               .release = release,
                               .cost = cost_of_text,
                               .sparse = true});

void check_hash_terms(const Step& step) {
  constexpr const char* name = "HashTerms";
  require_counts(step, name, kTextInputs, 1, kTextParams + 2);
  check_text(step, name);
  check_output(step, name);
  require(in_range(step.outputs[0].width, 1, (std::int64_t{1} << 31) - 1), name,
          "the number of columns is out of range");
  require(in_range(integer_param(step, kTextParams), 0, 1), name, "alternating signs is 0 or 1");
}

void* prepare_hash_terms(const Step& step) {
  return prepare_rules(step, "HashTerms", allocate_tables(bytes_of_head(step, "HashTerms"), "HashTerms"));
}

void run_hash_terms(const Step& step, std::int64_t rows, const Context& context) {
  const auto& prepared = *static_cast<const Prepared*>(context.state);
  Byte* scratch = static_cast<Byte*>(context.scratch) + kTextScratch;
  Keys keys(scratch, kKeyScratch), other(scratch + kKeyScratch, kKeyScratch);
  HashColumns columns(step.outputs[0].width, step.params[kTextParams].i != 0, keys);
  with_number(step.outputs[0].dtype, [&](auto type) {
    count<typename decltype(type)::type>(step, rows, context, prepared.rules, columns, keys, other);
  });
}

SARDONYX_KERNEL("HashTerms", {.check = check_hash_terms,
                              .run = run_hash_terms,
                              .scratch = scratch_bytes,
                              .prepare = prepare_hash_terms,
                              .release = release,
                              .cost = cost_of_text,
                              .sparse = true});

}  // namespace
}  // namespace sardonyx
