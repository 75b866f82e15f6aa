// From a document to its terms: folding, tokens or characters, stop words, n-grams, as scikit-learn's vectorizers do it
// (sklearn/feature_extraction/text.py: _word_ngrams, _char_ngrams, _char_wb_ngrams).
//
//   "The CAT sat."  ─fold─▶  "the cat sat."  ─automaton─▶  "the cat sat "         tokens, each with a space behind it
//                                                           ^0  ^4  ^8  ^12       their places
//
// So an n-gram is bytes without a gap: from the place of its first token to the end of its last.
//
// The automaton of tokens (src/sardonyx/text/patterns.py) is a table of states x (classes + 1): twice the next state,
// plus one if a token ends before this character; the last column is the end of the text, row 0 the state to start in.
#pragma once

#include "kernels/text/fold.h"
#include "kernels/text/runs.h"
#include "kernels/text/terms.h"

namespace sardonyx {
namespace {

enum class Analyzer : std::int64_t { word = 0, character = 1, character_wb = 2, whole = 3 };

constexpr std::int64_t kMostGrams = 1 << 20;     // the longest n-gram
constexpr std::int64_t kMostMoves = 1 << 22;     // entries of an automaton
constexpr std::size_t kTextScratch = 96 * 1024;  // bytes for a row's text: longer ones borrow from the heap

struct TextRules {
  FoldRules fold;
  Analyzer analyzer;
  std::int64_t least, most;              // of tokens or characters in a term
  std::int64_t skip_before, skip_after;  // characters of a match around its group
  std::int64_t columns;                  // of the automaton
  const std::int32_t* starts;            // row 0
  const std::int32_t* moves;             // (offset of the next state's row) << 1 | a token ends here
  Terms stop_words;
  bool stops;
  Byte ascii_classes[128];
  std::int64_t run_least;  // tokens are the longest runs of so many characters of run_class at least; 0 if not
  std::uint32_t run_class;
  AsciiSet run_set;  // its members in ASCII
  Cells run_cells;   // and beyond
};

// ---- the step ------------------------------------------------------------------------------------------------------

// Inputs: X, pages, fold, kinds, automaton, stop words. Params: analyzer, lowercase, least, most, skipped before and
// after.
constexpr int kTextInputs = 6, kTextParams = 6;

[[maybe_unused]] inline void check_automaton(const Tensor& automaton, const char* name) {
  require(automaton.constant && automaton.dtype == DType::i32 && automaton.rank == 2, name,
          "the automaton is a constant of int32 and two dimensions");
  const std::int64_t states = automaton.dims[0], columns = automaton.dims[1];
  require(states >= 1 && in_range(columns, 2, 65) && automaton.width <= kMostMoves, name, "the automaton is too large");
  const auto* entries = data_of<std::int32_t>(automaton);
  for (std::int64_t i = 0; i < automaton.width; ++i) {
    const std::int64_t next = i < columns ? entries[i] : entries[i] >> 1;
    require(in_range(next, 0, states - 1), name, "the automaton moves to a state that it does not have");
  }
}

[[maybe_unused]] inline void check_text(const Step& step, const char* name) {
  const Tensor *x = step.inputs, *stop_words = step.inputs + 5;
  const bool whole = integer_param(step, 0) == 3;  // texts are terms as they are, any number of them a row
  require(!x->constant && x->dtype == DType::text && (x->width == 1 || whole), name, "needs rows of one text");
  check_automaton(step.inputs[4], name);
  check_fold_rules(step.inputs[1], step.inputs[2], step.inputs[3], step.inputs[4].dims[1] - 1, name);
  require(stop_words->constant && stop_words->dtype == DType::text, name, "stop words are constant text");
  require(in_range(integer_param(step, 0), 0, 3), name, "no such analyzer");
  require(in_range(integer_param(step, 1), 0, 1), name, "lowercase is 0 or 1");
  const std::int64_t least = integer_param(step, 2), most = integer_param(step, 3);
  require(in_range(least, 1, kMostGrams) && in_range(most, least, kMostGrams), name,
          "a range of n-grams is out of range");
  require(in_range(integer_param(step, 4), 0, 1 << 20) && in_range(integer_param(step, 5), 0, 1 << 20), name,
          "skipped characters are out of range");
}

// What happens to a run of characters of one class between others: does the automaton find exactly the runs of at least
// `least`? It is walked through every length until its state repeats, from each place where it may start.
inline bool finds_runs(const TextRules& rules, std::int64_t run, std::int64_t start, std::int64_t least, bool whole) {
  const std::int64_t end = rules.columns - 1;
  std::int64_t state = start;
  for (std::int64_t length = 0; length < 64; ++length) {
    for (std::int64_t other = 0; other <= end; ++other) {
      if (other == run) continue;
      const bool found = whole && length >= least;
      if (rules.moves[state + other] != (found ? 1 : 0)) return false;
    }
    const std::int32_t move = rules.moves[state + run];
    if ((move & 1) != 0 && (!whole || length < least)) return false;
    if (move >> 1 == 0) return !whole;
    if (!whole && length + 2 >= least) return true;  // what is left of a run that is too short
    if (move >> 1 == state && length >= least) return true;
    state = move >> 1;
  }
  return false;
}

// Most patterns ask for the longest runs of one class of characters: those are found without the automaton.
inline void prepare_runs(TextRules& rules) {
  const std::int64_t classes = rules.columns - 1;
  for (std::int64_t run = 0; run < classes; ++run) {
    for (std::int64_t least = 1; least <= 8 && rules.run_least == 0; ++least) {
      bool runs = finds_runs(rules, run, rules.starts[run], least, false);
      for (std::int64_t before = 0; before <= classes && runs; ++before) {
        if (before != run) runs = finds_runs(rules, run, rules.starts[before], least, true);
      }
      if (runs) {
        rules.run_least = least;
        rules.run_class = static_cast<std::uint32_t>(run);
        rules.run_set = ascii_set([&](Byte c) { return rules.ascii_classes[c] == run; });
        rules.run_cells = cells_where([&](std::uint32_t c) { return rules.fold.class_of(c) == run; });
      }
    }
  }
}

// Bytes of memory that text_rules() builds its tables in.
[[maybe_unused]] inline std::size_t bytes_of_rules(const Step& step, const char* name, std::size_t* n_buckets) {
  const std::size_t moves = (static_cast<std::size_t>(step.inputs[4].width) * sizeof(std::int32_t) + 63) / 64 * 64;
  return moves + (bytes_of_terms(data_of<Text>(step.inputs[5]), step.inputs[5].width, name, n_buckets) + 63) / 64 * 64;
}

[[maybe_unused]] inline TextRules text_rules(const Step& step, std::size_t n_buckets, Byte* memory) {
  const Tensor& automaton = step.inputs[4];
  const auto* entries = data_of<std::int32_t>(automaton);
  const auto columns = static_cast<std::int32_t>(automaton.dims[1]);
  auto* moves = reinterpret_cast<std::int32_t*>(memory);
  for (std::int64_t i = 0; i < automaton.width; ++i) {
    moves[i] = i < columns ? entries[i] * columns : ((entries[i] >> 1) * columns) << 1 | (entries[i] & 1);
  }
  void* stop_memory = memory + (static_cast<std::size_t>(automaton.width) * sizeof(std::int32_t) + 63) / 64 * 64;
  TextRules rules{fold_rules(step.inputs[1], step.inputs[2], step.inputs[3], step.params[1].i != 0),
                  static_cast<Analyzer>(step.params[0].i),
                  step.params[2].i,
                  step.params[3].i,
                  step.params[4].i,
                  step.params[5].i,
                  columns,
                  moves,
                  moves,
                  build_terms(data_of<Text>(step.inputs[5]), step.inputs[5].width, n_buckets, stop_memory),
                  step.inputs[5].width > 0,
                  {},
                  0,
                  0,
                  {},
                  {}};
  prepare_fold(rules.fold);
  for (std::uint32_t c = 0; c < 128; ++c) rules.ascii_classes[c] = static_cast<Byte>(rules.fold.class_of(c));
  if (rules.analyzer == Analyzer::word) prepare_runs(rules);
  return rules;
}

// ---- one document --------------------------------------------------------------------------------------------------

struct TextMemory {
  Bytes folded, terms;
  Growing<std::int64_t> places;  // of tokens or characters in `terms`, and where the last one ends

  explicit TextMemory(void* scratch)
      : folded(scratch, kTextScratch / 4),
        terms(static_cast<Byte*>(scratch) + kTextScratch / 4, kTextScratch / 4),
        places(static_cast<Byte*>(scratch) + kTextScratch / 2, kTextScratch / 2) {}
};

template <bool kAscii>
inline std::uint32_t class_of(const TextRules& rules, std::uint32_t c) {
  return kAscii ? rules.ascii_classes[c] : rules.fold.class_of(c);
}

template <bool kAscii>
inline CodePoint next_character(const Byte* p, const Byte* end) {
  if constexpr (kAscii) return {*p, 1};
  return decode(p, end);
}

// Calls found(begin, end) for every token of a folded text.
template <bool kAscii, class Found>
inline void find_tokens(const TextRules& rules, const Byte* text, const Byte* end, Found&& found) {
  const std::int64_t at_end = rules.columns - 1;
  std::int64_t before = at_end;  // the class of the character before p; here, the beginning
  for (const Byte* p = text; p < end;) {
    const CodePoint first = next_character<kAscii>(p, end);
    std::int64_t state = rules.starts[before];
    std::int64_t kind = class_of<kAscii>(rules, first.value);
    const Byte *at = p, *last = p;
    std::int64_t kind_of_last = kind;
    CodePoint c = first;
    before = kind;
    for (std::int64_t seen = kind; state != 0;) {
      const std::int64_t move = rules.moves[state + kind];
      if (move & 1) {
        last = at;
        kind_of_last = seen;
      }
      state = move >> 1;
      if (at == end) break;
      at += c.size;
      seen = kind;
      if (at < end) {
        c = next_character<kAscii>(at, end);
        kind = class_of<kAscii>(rules, c.value);
      } else {
        kind = at_end;
      }
    }
    if (last > p) {
      found(p, last);
      p = last;
      before = kind_of_last;
    } else {
      p += first.size;
    }
  }
}

// Calls found(begin, end) for the longest runs of rules.run_class, of so many characters at least.
template <bool kAscii, class Found>
inline void find_character_runs(const TextRules& rules, const Byte* text, std::int64_t size, Found&& found) {
  if constexpr (kAscii) {
    find_runs(
        text, size, [&](std::int64_t base) { return members_of_64(rules.run_set, text + base); },
        [&](const Byte* begin, const Byte* end) {
          if (end - begin >= rules.run_least) found(begin, end);
        });
  } else {
    const auto belongs = [&](std::uint32_t c) { return rules.fold.class_of(c) == rules.run_class; };
    find_runs(text, size, Members(rules.run_set, rules.run_cells, text, size, belongs),
              [&](const Byte* begin, const Byte* end) {
                if (has_characters(begin, end, rules.run_least)) found(begin, end);
              });
  }
}

inline const Byte* skip_forward(const Byte* p, const Byte* end, std::int64_t characters) {
  for (; characters > 0 && p < end; --characters) p += decode(p, end).size;
  return p;
}

inline const Byte* skip_backward(const Byte* p, const Byte* begin, std::int64_t characters) {
  for (; characters > 0 && p > begin; --characters) p -= decode_before(p, begin).size;
  return p;
}

template <bool kAscii, class Each>
inline void find_words(const TextRules& rules, const Bytes& folded, Each&& each) {
  const Byte* text = folded.data();
  const auto found = [&](const Byte* begin, const Byte* end) {
    if (rules.skip_before > 0) begin = skip_forward(begin, end, rules.skip_before);
    if (rules.skip_after > 0) end = skip_backward(end, begin, rules.skip_after);
    if (rules.stops && rules.stop_words.find({begin, end - begin}) >= 0) return;
    each(begin, end);
  };
  if (rules.run_least > 0) return find_character_runs<kAscii>(rules, text, folded.size(), found);
  find_tokens<kAscii>(rules, text, text + folded.size(), found);
}

// Every run of n tokens, n from least to most; `gap` bytes stand between two of them.
template <class Sink>
inline void add_grams(const TextRules& rules, const TextMemory& memory, std::int64_t gap, Sink& sink) {
  const std::int64_t count = memory.places.size() - 1;
  const std::int64_t* places = memory.places.data();
  for (std::int64_t n = rules.least; n <= rules.most && n <= count; ++n) {
    for (std::int64_t i = 0; i + n <= count; ++i) {
      sink.add({memory.terms.data() + places[i], places[i + n] - gap - places[i]});
    }
  }
}

template <bool kAscii, class Sink>
inline void add_words(const TextRules& rules, TextMemory& memory, Sink& sink) {
  if (rules.most == 1) {
    find_words<kAscii>(rules, memory.folded,
                       [&](const Byte* begin, const Byte* end) { sink.add({begin, end - begin}); });
    return;
  }
  memory.terms.clear();
  memory.terms.reserve(2 * memory.folded.size() + 2 * kPadding);  // a token has at least one byte, and a space
  memory.places.clear();
  Byte* to = memory.terms.data();
  find_words<kAscii>(rules, memory.folded, [&](const Byte* begin, const Byte* end) {
    memory.places.push(to - memory.terms.data());
    for (std::int64_t i = 0; i < end - begin; i += 16) __builtin_memcpy(to + i, begin + i, 16);
    to += end - begin;
    *to++ = ' ';
  });
  memory.places.push(to - memory.terms.data());
  add_grams(rules, memory, 1, sink);
}

inline void push_character(TextMemory& memory, Byte*& to, const Byte* from, std::int32_t size) {
  memory.places.push(to - memory.terms.data());
  for (std::int32_t i = 0; i < size; ++i) *to++ = from[i];
}

// Runs of two or more whitespace characters become one space.
template <bool kAscii, class Sink>
inline void add_characters(const TextRules& rules, TextMemory& memory, Sink& sink) {
  const Byte *p = memory.folded.data(), *end = p + memory.folded.size();
  memory.terms.clear();
  memory.terms.reserve(memory.folded.size() + kPadding);
  memory.places.clear();
  Byte* to = memory.terms.data();
  while (p < end) {
    const CodePoint first = next_character<kAscii>(p, end);
    const Byte* after = p + first.size;
    if (class_of<kAscii>(rules, first.value) != 0) {
      while (after < end) {
        const CodePoint c = next_character<kAscii>(after, end);
        if (class_of<kAscii>(rules, c.value) == 0) break;
        after += c.size;
      }
    }
    const bool run = after > p + first.size;
    push_character(memory, to, run ? reinterpret_cast<const Byte*>(" ") : p, run ? 1 : first.size);
    p = after;
  }
  memory.places.push(to - memory.terms.data());
  add_grams(rules, memory, 0, sink);
}

// The n-grams of one word with a space on both sides; a word that is too short for n is its own n-gram, once.
template <class Sink>
inline void add_padded_word(const TextRules& rules, const TextMemory& memory, std::int64_t first, Sink& sink) {
  const std::int64_t* places = memory.places.data() + first;
  const std::int64_t count = memory.places.size() - first - 1;
  for (std::int64_t n = rules.least; n <= rules.most; ++n) {
    const std::int64_t size = n < count ? n : count;
    for (std::int64_t i = 0; i + size <= count; ++i) {
      sink.add({memory.terms.data() + places[i], places[i + size] - places[i]});
    }
    if (n >= count) break;
  }
}

template <bool kAscii, class Sink>
inline void add_characters_of_words(const TextRules& rules, TextMemory& memory, Sink& sink) {
  const Byte *p = memory.folded.data(), *end = p + memory.folded.size();
  const auto* space = reinterpret_cast<const Byte*>(" ");
  memory.terms.clear();
  memory.terms.reserve(3 * memory.folded.size() + kPadding);  // a word has at least one byte, and two spaces
  Byte* to = memory.terms.data();
  while (p < end) {
    CodePoint c = next_character<kAscii>(p, end);
    if (class_of<kAscii>(rules, c.value) != 0) {
      p += c.size;
      continue;
    }
    memory.places.clear();
    push_character(memory, to, space, 1);
    for (;;) {
      push_character(memory, to, p, c.size);
      p += c.size;
      if (p >= end) break;
      c = next_character<kAscii>(p, end);
      if (class_of<kAscii>(rules, c.value) != 0) break;
    }
    push_character(memory, to, space, 1);
    memory.places.push(to - memory.terms.data());
    add_padded_word(rules, memory, 0, sink);
  }
}

// The marks of a missing value (src/sardonyx/inputs/values.py) are no documents.
inline void refuse_missing(const Text& text) {
  if (text.size < 6 || __builtin_memcmp(text.data, "\xEF\xB7\x90N", 4) != 0) return;
  const bool nan = text.size == 6 && __builtin_memcmp(text.data + 3, "NaN", 3) == 0;
  const bool none = text.size == 7 && __builtin_memcmp(text.data + 3, "None", 4) == 0;
  if (nan || none) fail("%s is an invalid document, expected text", nan ? "np.nan" : "None");
}

// Hands all terms of a document to sink.add(Term); their bytes stay where they are until the next document.
template <class Sink>
inline void analyze(const TextRules& rules, const Text& text, TextMemory& memory, Sink& sink) {
  refuse_missing(text);
  if (rules.analyzer == Analyzer::whole) return sink.add({reinterpret_cast<const Byte*>(text.data), text.size});
  const bool ascii =
      fold_text(rules.fold, reinterpret_cast<const Byte*>(text.data), text.size, memory.terms, memory.folded);
  switch (rules.analyzer) {
    case Analyzer::word: return ascii ? add_words<true>(rules, memory, sink) : add_words<false>(rules, memory, sink);
    case Analyzer::character:
      return ascii ? add_characters<true>(rules, memory, sink) : add_characters<false>(rules, memory, sink);
    default:
      return ascii ? add_characters_of_words<true>(rules, memory, sink)
                   : add_characters_of_words<false>(rules, memory, sink);
  }
}

}  // namespace
}  // namespace sardonyx
