// Whether the texts of a column are UTF-8, as Arrow says that they are.
#pragma once

#include <cstdint>
#include <cstring>

#include "runtime/error.h"
#include "runtime/utf8.h"
#include "sardonyx/tensor.h"

namespace sardonyx::python {

template <class Word>
Word word_at(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Words that overlap at the end: short texts take two loads and no loop over bytes.
inline bool is_ascii(const char* bytes, std::int64_t size) {
  constexpr std::uint64_t kHigh = 0x8080808080808080u;
  if (size >= 8) {
    std::uint64_t all = word_at<std::uint64_t>(bytes + size - 8);
    for (std::int64_t i = 0; i + 8 <= size; i += 8) all |= word_at<std::uint64_t>(bytes + i);
    return (all & kHigh) == 0;
  }
  if (size >= 4) return ((word_at<std::uint32_t>(bytes) | word_at<std::uint32_t>(bytes + size - 4)) & kHigh) == 0;
  if (size <= 0) return true;
  return ((bytes[0] | bytes[size / 2] | bytes[size - 1]) & 0x80) == 0;
}

inline void require_utf8(const Text& text) {
  if (!is_ascii(text.data, text.size) && !is_utf8(text.data, static_cast<std::size_t>(text.size))) {
    throw Error("a text is not UTF-8");
  }
}

// Reading in two passes: where the texts lie, then whether all are UTF-8. Texts by offsets lie in one piece, so that a
// single look at it is enough if each of them begins a character.
struct Piece {
  const char *begin = nullptr, *end = nullptr;
  bool cuts = false;  // a character in two
};

inline Piece piece_of(const Text* texts, std::int64_t count, std::int64_t step, const Text& missing) {
  Piece piece;
  for (std::int64_t i = 0; i < count; ++i) {
    const Text& text = texts[i * step];
    if (text.size == 0 || text.data == missing.data) continue;
    if (piece.begin == nullptr) piece.begin = piece.end = text.data;
    piece.cuts |= (static_cast<unsigned char>(text.data[0]) & 0xC0) == 0x80 || text.data < piece.end;
    piece.end = text.data + text.size;
  }
  return piece;
}

// Every step-th of some texts, which lie one behind the other; `missing` ones lie apart.
inline void require_utf8(const Text* texts, std::int64_t count, std::int64_t step, const Text& missing) {
  const Piece piece = piece_of(texts, count, step, missing);
  if (!piece.cuts && is_utf8(piece.begin, static_cast<std::size_t>(piece.end - piece.begin))) return;
  for (std::int64_t i = 0; i < count; ++i) require_utf8(texts[i * step]);
}

// Every step-th of some texts, which the views hold or point to. A view that stands for a missing text may hold
// anything, so that faults among the short ones have to be looked for again.
inline void require_utf8_views(const char* views, const Text* texts, std::int64_t count, std::int64_t step) {
  const bool shorts = short_views_are_utf8(views, count);
  for (std::int64_t i = 0; i < count; ++i) {
    if (!shorts || texts[i * step].size > kShortView) require_utf8(texts[i * step]);
  }
}

}  // namespace sardonyx::python
