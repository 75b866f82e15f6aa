// The Python type Column: a column of somebody's table, read in place. And what makes columns (column_makers.cpp).
//
//   arrow_columns(table)                  one Column for every column of a table with the Arrow PyCapsule interface
//   arrow_column(array)                   a chunked array's
//   masked_column(values, mask)           numbers beside a mask, as pandas has them
//   coded_column(codes, categories)       pandas' categories
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "python/arrow.h"
#include "python/strip.h"
#include "python/text.h"

namespace sardonyx::python {

// What a Column refers to, and keeps alive.
struct Source {
  std::shared_ptr<ArrowTable> table;  // or none: then the strips are there from the start
  std::int64_t number = 0;            // of the table's columns
  bool missing_is_nan = false;        // else a missing value is nothing but missing
  bool read = false;
  Strips strips;
  std::deque<TextInput> texts;
  std::vector<PyObject*> kept;

  Source() = default;
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  // The Arrow type that models do not take, or "".
  std::string refused() const;
  std::string moment() const;  // of what moments or durations the column is, for NumPy; or ""
  // Throws Error when the column is not legal.
  const std::vector<Strip>& chunks();
  std::int64_t rows() const;
  const char* name() const;
};

// What an object with the Arrow PyCapsule interface gives. nullptr: a Python error is set. Throws Error when the data
// are not legal.
std::shared_ptr<ArrowTable> read_table(PyObject* object);

bool is_column(PyObject* object);
Source& source_of(PyObject* column);

PyObject* new_column(std::unique_ptr<Source> source);  // nullptr: a Python error is set
Strip strip_of_array(PyObject* array, DType dtype, std::int64_t count, std::int64_t stride);

// Add the type and the functions. False: a Python error is set.
bool add_columns(PyObject* module);
bool add_column_makers(PyObject* module);

}  // namespace sardonyx::python
