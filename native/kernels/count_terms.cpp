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

// Terms that wait to be compared.
class Waiting {
 public:
  explicit Waiting(const Terms& terms) : terms_(terms) {}
  bool full() const { return count_ == kWaiting; }
  void add(Term term) {
    const std::uint64_t hash = hash_of(term);
    __builtin_prefetch(terms_.slot_of(hash));
    terms_of_[count_] = term;
    hashes_[count_++] = hash;
  }
  // Calls found(number or -1) for each, in order.
  template <class Found>
  void look_up(Found&& found) {
    for (int i = 0; i < count_; ++i) __builtin_prefetch(terms_.bytes + terms_.slot_of(hashes_[i])->at);
    for (int i = 0; i < count_; ++i) found(terms_.find(terms_of_[i], hashes_[i], terms_.slot_of(hashes_[i])));
    count_ = 0;
  }

 private:
  const Terms& terms_;
  int count_ = 0;
  Term terms_of_[kWaiting];
  std::uint64_t hashes_[kWaiting];
};

inline void put(Keys& keys, std::int32_t column) {
  if (column >= 0) keys.push(static_cast<std::uint32_t>(column) << 1);
}

class TermColumns {
 public:
  TermColumns(const Terms& terms, Keys& keys) : waiting_(terms), keys_(keys) {}
  void add(Term term) {
    if (waiting_.full()) flush();
    waiting_.add(term);
  }
  void flush() {
    waiting_.look_up([this](std::int32_t number) { put(keys_, number); });
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
    for (std::int64_t i = 0; i < count && least_ <= 1; ++i) {
      if (tokens_[i] >= 0) put(keys_, grams_.columns[tokens_[i]]);
    }
    firsts_.clear();
    firsts_.reserve(count);
    for (std::int64_t i = 0; i < count; ++i) firsts_.push(tokens_[i]);
    for (std::int64_t n = 2; n <= most_ && n <= count; ++n) lengthen(n);
    tokens_.clear();
  }

 private:
  void number() {
    waiting_.look_up([this](std::int32_t number) { tokens_.push(number); });
  }

  // firsts_[i] becomes the number of the n tokens from i on; it was that of the n - 1 from there.
  void lengthen(std::int64_t n) {
    std::int64_t places[kWaiting];
    std::uint64_t keys[kWaiting];
    int count = 0;
    const auto look_up = [&] {
      for (int i = 0; i < count; ++i) {
        const Gram* place = grams_.find(keys[i], grams_.place_of(keys[i]));
        firsts_.data()[places[i]] = place->number;
        if (n >= least_) put(keys_, place->column);
      }
      count = 0;
    };
    for (std::int64_t i = 0; i + n <= tokens_.size(); ++i) {
      const std::int32_t first = firsts_[i], last = tokens_[i + n - 1];
      if ((first | last) < 0) {
        firsts_.data()[i] = -1;
        continue;
      }
      if (count == kWaiting) look_up();
      keys[count] = Grams::key_of(first, last);
      __builtin_prefetch(grams_.place_of(keys[count]));
      places[count++] = i;
    }
    look_up();
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

// Radix sort by the bits in which keys differ, from the lowest on, in as many equal digits as they need.
void radix_sort(std::uint32_t* keys, std::int64_t count, std::uint32_t* other) {
  constexpr int most_bits = 9;
  std::uint32_t *from = keys, *to = other, differ = 0;
  for (std::int64_t i = 1; i < count; ++i) differ |= keys[i] ^ keys[0];
  if (differ == 0) return;
  const int first = __builtin_ctz(differ), span = 32 - __builtin_clz(differ) - first;
  const int digits = (span + most_bits - 1) / most_bits, bits = (span + digits - 1) / digits;
  const std::uint32_t mask = (1u << bits) - 1;
  for (int digit = 0; digit < digits; ++digit) {
    const int shift = first + digit * bits;
    std::uint32_t starts[1 << most_bits];
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

// One entry for each column that is met; signs may make its count zero, which scikit-learn stores too.
template <class T>
void write_row(const Keys& keys, bool once, SparseWriter<T>& y) {
  y.reserve(keys.size());
  for (std::int64_t i = 0; i < keys.size();) {
    const std::uint32_t column = keys[i] >> 1;
    T value = 0;
    for (; i < keys.size() && keys[i] >> 1 == column; ++i) {
      value = static_cast<T>(keys[i] & 1 ? value - 1 : value + 1);
    }
    y.put(static_cast<std::int32_t>(column), once ? T(1) : value);
  }
  y.end_row();
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
  std::size_t stop_slots = 0;
  bytes_of_rules(step, name, &stop_slots);
  auto* prepared = static_cast<Prepared*>(memory);
  *prepared = {text_rules(step, stop_slots, static_cast<Byte*>(memory) + whole_lines(sizeof(Prepared))), {}, 0, 0, {}};
  return prepared;
}

std::size_t bytes_of_head(const Step& step, const char* name) {
  std::size_t stop_slots = 0;
  return whole_lines(sizeof(Prepared)) + bytes_of_rules(step, name, &stop_slots);
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
  std::size_t slots = 0;
  const Text* terms = data_of<Text>(vocabulary);
  const std::size_t bytes = bytes_of_terms(terms, vocabulary.width, name, &slots);
  auto* memory = static_cast<Byte*>(allocate_tables(head + bytes, name));
  Prepared* prepared = prepare_rules(step, name, memory);
  prepared->vocabulary = build_terms(terms, vocabulary.width, slots, memory + head);
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
