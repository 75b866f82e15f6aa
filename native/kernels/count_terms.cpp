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

namespace sardonyx {
namespace {

struct Prepared {
  TextRules rules;
  Terms vocabulary;
};

// Columns of a document's terms: column << 1 | sign.
using Keys = Growing<std::uint32_t>;

// Waits with comparing until some terms are there, so that their cache misses overlap.
class TermColumns {
 public:
  TermColumns(const Terms& terms, Keys& keys) : terms_(terms), keys_(keys) {}
  void add(Term term) {
    if (count_ == kWaiting) flush();
    const std::uint64_t hash = hash_of(term);
    __builtin_prefetch(terms_.slot_of(hash));
    waiting_[count_++] = {term, hash};
  }
  void flush() {
    keys_.reserve(count_);
    for (int i = 0; i < count_; ++i) {
      const TermSlot* slot = terms_.slot_of(waiting_[i].hash);
      __builtin_prefetch(terms_.bytes + slot->at);
    }
    for (int i = 0; i < count_; ++i) {
      const auto& [term, hash] = waiting_[i];
      const std::int32_t number = terms_.find(term, hash, terms_.slot_of(hash));
      if (number >= 0) keys_.push(static_cast<std::uint32_t>(number) << 1);
    }
    count_ = 0;
  }

 private:
  static constexpr int kWaiting = 32;
  struct Waiting {
    Term term;
    std::uint64_t hash;
  };
  const Terms& terms_;
  Keys& keys_;
  int count_ = 0;
  Waiting waiting_[kWaiting];
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

// Radix sort, a byte at a time from the lowest on; bytes in which all keys agree cost no pass.
void radix_sort(std::uint32_t* keys, std::int64_t count, std::uint32_t* other) {
  std::uint32_t *from = keys, *to = other, differ = 0;
  for (std::int64_t i = 1; i < count; ++i) differ |= keys[i] ^ keys[0];
  for (int shift = 0; shift < 32; shift += 8) {
    if ((differ >> shift & 0xFF) == 0) continue;
    std::uint32_t starts[256] = {};
    for (std::int64_t i = 0; i < count; ++i) ++starts[from[i] >> shift & 0xFF];
    std::uint32_t at = 0;
    for (std::uint32_t& start : starts) {
      const std::uint32_t here = start;
      start = at;
      at += here;
    }
    for (std::int64_t i = 0; i < count; ++i) to[starts[from[i] >> shift & 0xFF]++] = from[i];
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
void count(const Step& step, std::int64_t rows, const Context& context, const TextRules& rules, Columns&& columns,
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

std::size_t scratch_bytes(const Step&, std::int64_t) { return kTextScratch + 2 * kKeyScratch; }

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

void* prepare(const Step& step, const char* name, bool has_vocabulary) {
  std::size_t stop_slots = 0, slots = 0;
  const std::size_t head = (sizeof(Prepared) + 63) / 64 * 64;
  const std::size_t rules = bytes_of_rules(step, name, &stop_slots);
  const std::size_t terms = has_vocabulary ? bytes_of_terms(step.inputs[kTextInputs], name, &slots) : 0;
  auto* memory = static_cast<Byte*>(memory_for_tables(head + rules + terms));
  if (memory == nullptr) fail("%s: no memory for its terms", name);
  auto* prepared = reinterpret_cast<Prepared*>(memory);
  prepared->rules = text_rules(step, stop_slots, memory + head);
  if (has_vocabulary) prepared->vocabulary = build_terms(step.inputs[kTextInputs], slots, memory + head + rules);
  return prepared;
}

void* prepare_count_terms(const Step& step) { return prepare(step, "CountTerms", true); }

void release(void* state) { free(state); }

void run_count_terms(const Step& step, std::int64_t rows, const Context& context) {
  const auto& prepared = *static_cast<const Prepared*>(context.state);
  Byte* scratch = static_cast<Byte*>(context.scratch) + kTextScratch;
  Keys keys(scratch, kKeyScratch), other(scratch + kKeyScratch, kKeyScratch);
  with_number(step.outputs[0].dtype, [&](auto type) {
    count<typename decltype(type)::type>(step, rows, context, prepared.rules, TermColumns(prepared.vocabulary, keys),
                                         keys, other);
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

void* prepare_hash_terms(const Step& step) { return prepare(step, "HashTerms", false); }

void run_hash_terms(const Step& step, std::int64_t rows, const Context& context) {
  const auto& prepared = *static_cast<const Prepared*>(context.state);
  Byte* scratch = static_cast<Byte*>(context.scratch) + kTextScratch;
  Keys keys(scratch, kKeyScratch), other(scratch + kKeyScratch, kKeyScratch);
  const HashColumns columns(step.outputs[0].width, step.params[kTextParams].i != 0, keys);
  with_number(step.outputs[0].dtype, [&](auto type) {
    count<typename decltype(type)::type>(step, rows, context, prepared.rules, HashColumns(columns), keys, other);
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
