// Columns of a caller's data as a program's inputs.
//
//   ndarray, list, tuple     numbers of any dtype and layout, objects, text            ┐
//   Column                   Arrow arrays; values with a mask; codes with categories   ├─ bind ─▶ Input
//   tuple of those           the columns of one matrix                                 │
//   columns of ArrowTables   by number: no object is made for them                     ┘
//
//   Input    a pointer, if it lies as the program takes it      else parts, to be read: read(input, rows from .. to)
//
// Python's own values are converted by bind, the rest by read, which needs no GIL. A value that would change, or is of
// another kind, is not taken: the caller then goes the slow way, which says what is wrong.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "python/arrow.h"
#include "python/strip.h"
#include "python/text.h"

namespace sardonyx::python {

// What one input of a program gets in one call.
struct Input {
  const void* data = nullptr;             // all rows, as the program takes them; or
  std::size_t first_part = 0, parts = 0;  // columns still to be read: one for each element of a row, or
  std::int64_t per_row = 1;               // one with as many values for every row
  bool waits() const { return parts > 0; }
};

class ColumnReader {
 public:
  ColumnReader() = default;
  ~ColumnReader() { clear(); }
  ColumnReader(const ColumnReader&) = delete;
  ColumnReader& operator=(const ColumnReader&) = delete;

  // A column of one value a row; a tuple of columns; a C-contiguous ndarray of any shape with `width` values a row.
  // *rows is their number; if it is not negative, it has to be. False: they do not fit, or a Python error is set.
  // Throw Error when Arrow data are not legal.
  bool bind(PyObject* column, DType dtype, std::int64_t* rows, Input* input);
  bool bind_matrix(PyObject* columns, DType dtype, std::int64_t* rows, Input* input);
  bool bind_array(PyObject* array, DType dtype, std::int64_t width, Input* input);
  bool bind_columns(std::span<const std::int64_t> numbers, DType dtype, Input* input);  // of the table

  // Keeps a table until clear().
  const ArrowTable& keep(std::shared_ptr<ArrowTable> table) { return *(table_ = std::move(table)); }

  // Reads rows of an input that waits. False: a value does not fit. Needs no GIL, threads may share it.
  bool read(const Input& input, DType dtype, std::int64_t first, std::int64_t rows, void* to) const;

  // What a null of Arrow data and a None stand for among texts, from here on.
  void set_none(const Text& none) { none_ = none; }
  void* allocate(std::size_t bytes);  // until clear()
  void clear();

 private:
  struct Part {  // one column
    std::span<const Strip> strips;
    Text missing;
    const char* name;  // for errors
  };

  bool add_part(PyObject* column, DType dtype, std::int64_t* rows);
  bool add_column(PyObject* column, std::int64_t* count);
  bool add_column(std::int64_t number);
  void lie(DType dtype, Input* input) const;
  bool add_array(PyObject* array, DType dtype, std::int64_t count, std::int64_t stride);
  bool add_objects(const std::byte* items, std::int64_t stride, std::int64_t count, DType dtype);
  void add_strip(const Strip& strip);
  bool fill_texts(const std::byte* items, std::int64_t stride, std::int64_t count, Text* to);
  void keep(PyObject* object);

  static constexpr std::size_t kInline = 2048;
  alignas(16) std::byte inline_[kInline];
  std::size_t used_ = 0;
  Text none_ = kMissingNone;
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::vector<PyObject*> kept_;  // whose memory is in use
  std::shared_ptr<ArrowTable> table_;
  std::vector<Part> parts_;
  std::deque<Strip> strips_;   // of arrays and objects
  std::deque<Strips> chunks_;  // of the table's columns
  std::deque<TextInput> texts_;
  StrTexts strs_;
};

// Whether an object is a tuple of columns, not a column of values.
bool is_columns(PyObject* object);

}  // namespace sardonyx::python
