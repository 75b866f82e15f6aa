// Tables of other libraries by the Arrow C data interface (https://arrow.apache.org/docs/format/CDataInterface.html,
// CStreamInterface.html): a public ABI, whose three structs stand here as the specification has them. Knows no Python.
//
//   ArrowArrayStream ─▶ schema, chunk, chunk ...       a table's chunk is a struct array, its columns are the children
//     └─ column(i) ─▶ one Strip a chunk, checked       read when asked for: columns nobody reads may hold anything
//
// What comes in is hostile: lengths, offsets, numbers of buffers and children, codes and UTF-8 are checked before use,
// and everything is released once. What cannot be checked is how long a buffer is: the interface does not say.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "python/strip.h"

extern "C" {

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  std::int64_t flags;
  std::int64_t n_children;
  ArrowSchema** children;
  ArrowSchema* dictionary;
  void (*release)(ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  std::int64_t length;
  std::int64_t null_count;
  std::int64_t offset;
  std::int64_t n_buffers;
  std::int64_t n_children;
  const void** buffers;
  ArrowArray** children;
  ArrowArray* dictionary;
  void (*release)(ArrowArray*);
  void* private_data;
};

struct ArrowArrayStream {
  int (*get_schema)(ArrowArrayStream*, ArrowSchema* out);
  int (*get_next)(ArrowArrayStream*, ArrowArray* out);
  const char* (*get_last_error)(ArrowArrayStream*);
  void (*release)(ArrowArrayStream*);
  void* private_data;
};

}  // extern "C"

namespace sardonyx::python {

// The strips of a column, and what they refer to beside the library's own buffers.
struct Strips {
  std::vector<Strip> chunks;
  std::vector<std::unique_ptr<Strip>> dictionaries;
  std::vector<std::unique_ptr<std::int64_t[]>> codes;  // of run-end encoded chunks
};

// A struct of the interface that is ours to release. Moving it out of a library's struct leaves that one released.
template <class T>
class Released {
 public:
  Released() : item_{} {}
  explicit Released(T* from) : item_(*from) { from->release = nullptr; }
  Released(Released&& other) noexcept : item_(other.item_) { other.item_.release = nullptr; }
  ~Released() {
    if (item_.release != nullptr) item_.release(&item_);
  }
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;
  T* get() { return &item_; }
  const T* operator->() const { return &item_; }
  const T& operator*() const { return item_; }

 private:
  T item_;
};

class ArrowTable {
 public:
  // Takes the structs over, and reads the stream to its end. Throws Error.
  explicit ArrowTable(ArrowArrayStream* stream);
  ArrowTable(ArrowSchema* schema, ArrowArray* array);

  bool is_struct() const { return struct_; }  // else it is one column
  std::int64_t columns() const { return struct_ ? schema_->n_children : 1; }
  const char* name(std::int64_t column) const;
  std::int64_t rows() const { return rows_; }

  // Throws Error when the column is not legal, or of a type that models do not take.
  Strips strips(std::int64_t column) const;
  // Why strips() would throw: the Arrow type of a column that models do not take, or "".
  std::string refused_type(std::int64_t column) const;
  std::string moment(std::int64_t column) const;  // "datetime64[us]" if it holds such, which are read as counts; or ""

 private:
  void check_schema();
  void add(Released<ArrowArray>&& chunk);
  const ArrowSchema& schema_of(std::int64_t column) const;

  Released<ArrowSchema> schema_;
  std::vector<Released<ArrowArray>> chunks_;
  bool struct_ = false;
  std::int64_t rows_ = 0;
};

// The columns of a table by name: open addressing over their numbers.
class ColumnNames {
 public:
  explicit ColumnNames(const ArrowTable& table);
  bool unique() const { return unique_; }
  std::int64_t find(std::string_view name) const { return places_[place_of(name)]; }  // -1: there is none

 private:
  std::size_t place_of(std::string_view name) const;  // where it is, or would be

  const ArrowTable& table_;
  std::vector<std::int64_t> places_;
  bool unique_ = true;
};

}  // namespace sardonyx::python
