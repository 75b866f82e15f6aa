// CountTerms: how often each term of a vocabulary occurs in a document. HashTerms: the same without a vocabulary, each
// term counted in a column that its hash says, with its sign.
//
//   CountTerms   analyze.h's inputs and params, then: vocabulary (n terms)   1 to count every term at most once
//   HashTerms    analyze.h's inputs and params, then: 1 to alternate signs   1 to count every column as one
//
// The output is sparse, so that memory does not depend on the number of terms.
#include "kernels/huge_pages.h"
#include "kernels/text/columns.h"

namespace sardonyx {
namespace {

struct Prepared {
  HugePages memory;  // in which it lies itself, before its tables
  TextRules rules;   // of tokens alone where there are grams
  Terms vocabulary;
  std::int64_t least, most;  // of tokens in a gram; 0 if terms are found by their bytes
  Grams grams;
  Characters characters;
};

// The beginning of a text that is about to be read: texts lie anywhere, and processors fetch ahead only what goes on.
inline void fetch(const Text& text) {
  for (std::int64_t i = 0; i < text.size && i < 2048; i += 64) __builtin_prefetch(text.data + i);
}

constexpr std::size_t kKeyScratch = 16 * 1024;

template <class T, class Columns>
void count(const Step& step, std::int64_t rows, const Context& context, const TextRules& rules, Columns& columns,
           Keys& keys, Keys& other) {
  TextMemory memory(context.scratch);
  Tally tally(step.outputs[0].width, static_cast<Byte*>(context.scratch) + kTextScratch + 4 * kKeyScratch);
  const bool once = step.params[step.n_params - 1].i != 0;
  const Text* x = data_of<Text>(step.inputs[0]);
  const std::int64_t texts = step.inputs[0].width;
  SparseWriter<T> y(step.outputs[0]);
  for (std::int64_t row = 0; row < rows; ++row) {
    keys.clear();
    for (std::int64_t i = 0; i < texts; ++i) columns.read(rules, x[row * texts + i], memory);
    if (row + 1 < rows) fetch(x[(row + 1) * texts]);
    columns.flush();
    tally.write(keys, other, once, y);
  }
  y.finish();
}

std::size_t scratch_bytes(const Step& step, std::int64_t) {
  return kTextScratch + 4 * kKeyScratch + bytes_of_tally(step.outputs[0].width);
}

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

Prepared* prepare_rules(const Step& step, const char* name, const HugePages& memory) {
  std::size_t stop_buckets = 0;
  bytes_of_rules(step, name, &stop_buckets);
  auto* prepared = static_cast<Prepared*>(memory.data);
  Byte* tables = static_cast<Byte*>(memory.data) + whole_lines(sizeof(Prepared));
  *prepared = {memory, text_rules(step, stop_buckets, tables), {}, 0, 0, {}, {}};
  return prepared;
}

std::size_t bytes_of_head(const Step& step, const char* name) {
  std::size_t stop_buckets = 0;
  return whole_lines(sizeof(Prepared)) + bytes_of_rules(step, name, &stop_buckets);
}

// Terms lie anywhere in megabytes of tables.
HugePages allocate_tables(std::size_t size, const char* name) {
  const HugePages memory = allocate_huge(size);
  if (memory.data == nullptr) fail("%s: no memory for its terms", name);
  return memory;
}

bool counts_characters(const TextRules& rules) {
  return rules.analyzer == Analyzer::character || rules.analyzer == Analyzer::character_wb;
}

// Whether n-grams are made of characters, or of tokens without a space in them: runs of a set of characters that has
// none.
bool has_grams(const TextRules& rules) {
  if (counts_characters(rules)) return true;
  return rules.analyzer == Analyzer::word && rules.most > 1 && rules.run_least > 0 && !contains(rules.run_set, ' ') &&
         rules.skip_before == 0 && rules.skip_after == 0;
}

Prepared* prepare_grams(const Step& step, const TextRules& rules, std::size_t head, const char* name) {
  const Tensor& vocabulary = step.inputs[kTextInputs];
  const bool characters = counts_characters(rules), padded = rules.analyzer == Analyzer::character_wb;
  const Cutting cutting{padded ? 1 : rules.least, rules.most, characters};
  const GramPlan plan = plan_grams(vocabulary, cutting, name);
  const std::size_t more = characters ? bytes_of_characters(plan) : 0;
  Prepared* prepared = prepare_rules(step, name, allocate_tables(head + plan.bytes() + more, name));
  Byte* tables = static_cast<Byte*>(prepared->memory.data) + head;
  prepared->grams = build_grams(vocabulary, cutting, plan, tables);
  if (characters) prepared->characters = build_characters(prepared->grams, plan, tables + plan.bytes());
  free_plan(plan);
  prepared->least = rules.least;
  prepared->most = rules.most;
  if (!characters) prepared->rules.least = prepared->rules.most = 1;
  return prepared;
}

void* prepare_count_terms(const Step& step) {
  constexpr const char* name = "CountTerms";
  const Tensor& vocabulary = step.inputs[kTextInputs];
  const std::size_t head = bytes_of_head(step, name);
  const HugePages alone = allocate_tables(head, name);
  const TextRules rules = prepare_rules(step, name, alone)->rules;
  release_huge(alone);
  if (has_grams(rules)) return prepare_grams(step, rules, head, name);
  std::size_t buckets = 0;
  const Text* terms = data_of<Text>(vocabulary);
  const std::size_t bytes = bytes_of_terms(terms, vocabulary.width, name, &buckets);
  Prepared* prepared = prepare_rules(step, name, allocate_tables(head + bytes, name));
  prepared->vocabulary =
      build_terms(terms, vocabulary.width, buckets, static_cast<Byte*>(prepared->memory.data) + head);
  return prepared;
}

void release(void* state) {
  const HugePages memory = static_cast<Prepared*>(state)->memory;
  release_huge(memory);
}

void run_count_terms(const Step& step, std::int64_t rows, const Context& context) {
  const auto& prepared = *static_cast<const Prepared*>(context.state);
  Byte* scratch = static_cast<Byte*>(context.scratch) + kTextScratch;
  Keys keys(scratch, kKeyScratch), other(scratch + kKeyScratch, kKeyScratch);
  Byte* tokens = scratch + 2 * kKeyScratch;
  with_number(step.outputs[0].dtype, [&]<class T>(Type<T>) {
    const auto count_with = [&](auto&& columns) {
      count<T>(step, rows, context, prepared.rules, columns, keys, other);
    };
    const std::int64_t least = prepared.least, most = prepared.most;
    if (most == 0) return count_with(TermColumns(prepared.vocabulary, keys));
    if (!counts_characters(prepared.rules))
      return count_with(GramColumns(prepared.grams, least, most, keys, tokens, 2 * kKeyScratch));
    count_with(CharacterColumns(prepared.grams, prepared.characters, least, most, keys, tokens, 2 * kKeyScratch));
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
  with_number(step.outputs[0].dtype,
              [&]<class T>(Type<T>) { count<T>(step, rows, context, prepared.rules, columns, keys, other); });
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
