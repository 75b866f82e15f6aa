// Values as other libraries lay them out in memory, and reading them into what a program takes. Knows no Python.
//
//   Strip   numbers | bits | text by offsets | by views | Text    + who is missing    + a dictionary, if they are codes
//     ├─ read_numbers ──▶ numbers of the input's dtype, every value exactly what it was
//     └─ read_texts   ──▶ Text that points into the strip's own bytes
//
// A missing value becomes NaN among numbers, and the text given for it among texts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sardonyx/tensor.h"

namespace sardonyx::python {

enum class Layout : std::uint8_t { nulls, numbers, bits, offsets32, offsets64, views, texts };

// One contiguous piece of a column. It owns nothing. Value i lies at place `first + i` of every buffer.
struct Strip {
  Layout layout = Layout::nulls;
  DType dtype = DType::f64;              // of numbers
  std::int64_t count = 0;                // values
  std::int64_t first = 0;                // place of the first
  std::int64_t stride = 0;               // bytes from number to number
  const void* values = nullptr;          // numbers, bits, offsets, views or Text, as the layout says
  const char* bytes = nullptr;           // of text by offsets
  const void* const* buffers = nullptr;  // of text by views, with their sizes
  const std::int64_t* sizes = nullptr;
  std::int64_t n_buffers = 0;
  const std::uint8_t* valid = nullptr;  // a bitmap: 0 is missing
  const std::uint8_t* gone = nullptr;   // bytes: not 0 is missing
  std::int64_t gone_stride = 1;
  const Strip* dictionary = nullptr;  // the numbers are codes into it
  bool negative_is_missing = false;   // among codes; else such a code is an error
};

Strip strip_of_texts(const Text* texts, std::int64_t count);

// Writes `count` values, `step` elements apart. False: a value is not of that kind, would change, or is missing where
// nothing can say so. Throws Error when the strip is not legal (offsets that go backwards, codes out of range).
bool read_numbers(const Strip& strip, DType dtype, void* to, std::int64_t step);

// As read_numbers. Text is checked to be UTF-8.
bool read_texts(const Strip& strip, const Text& missing, Text* to, std::int64_t step);

// One value, for those who make objects of them: which of the two is said by holds_text().
enum class Item : std::uint8_t { fits, missing, unfit };
Item read_number(const Strip& strip, std::int64_t at, DType dtype, void* to);
Item read_text(const Strip& strip, std::int64_t at, Text* to);

bool holds_text(const Strip& strip);
DType dtype_of(const Strip& strip);  // of its numbers, the dictionary's if they are codes
bool is_missing(const Strip& strip, std::int64_t at);

// Whether the values lie as a program takes them: of that dtype, side by side, aligned, none missing.
bool lies_as(const Strip& strip, DType dtype);

// One value into a dtype. False: it would change. The rules are those of values.coerce.
bool keep_integer(std::int64_t value, DType dtype, void* to);
bool keep_real(double value, DType dtype, void* to);
bool keep_missing(DType dtype, void* to);  // NaN, where there is one

}  // namespace sardonyx::python
