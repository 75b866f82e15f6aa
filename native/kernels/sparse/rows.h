// What kernels read and write sparse rows with: see sardonyx/sparse.h for what they are.
//
// Everything here is in an anonymous namespace: see the rules in sardonyx/kernel.h.
#pragma once

#include "kernels/check.h"
#include "sardonyx/sparse.h"

namespace sardonyx {
namespace {

// The entries of one row.
template <class T>
struct SparseRow {
  const std::int32_t* indices;
  const T* values;
  std::int64_t size;
};

template <class T>
class SparseReader {
 public:
  explicit SparseReader(const Tensor& tensor) : rows_(*static_cast<const SparseRows*>(tensor.data)) {}
  SparseRow<T> operator[](std::int64_t r) const {
    const std::int64_t begin = rows_.indptr[r];
    return {rows_.indices + begin, static_cast<const T*>(rows_.values) + begin, rows_.indptr[r + 1] - begin};
  }
  const SparseRows& rows() const { return rows_; }

 private:
  const SparseRows& rows_;
};

// Said of columns that a kernel with any_entries meets, in the words of runtime/sparse.cpp.
[[noreturn, maybe_unused]] inline void refuse_column() {
  fail("the sparse matrix is not a legal one: a column is out of range; X.check_format() of SciPy says where");
}

// Appends rows to a sparse output:
//
//   SparseWriter<double> y(step.outputs[0]);
//   for each row:   y.reserve(most);   y.put(column, value) ... ascending   y.end_row();
//   y.finish();
//
// Entries that come in no order, or twice, are put with put() too; then end_unsorted_row() ends the row.
template <class T>
class SparseWriter {
 public:
  explicit SparseWriter(const Tensor& output) : output_(output), rows_(*static_cast<SparseRows*>(output.data)) {
    rows_.own_indptr[0] = 0;
    reload();
  }

  // Makes room for `more` entries beside those that are there.
  void reserve(std::int64_t more) {
    if (size_ + more <= capacity_) return;
    reserve_entries(output_, size_ + more);
    reload();
  }

  // There must be room.
  void put(std::int32_t column, T value) {
    indices_[size_] = column;
    values_[size_] = value;
    ++size_;
  }

  // Puts one more entry, or none: then it writes over the last one.
  void put_or_replace(std::int64_t more, std::int32_t column, T value) {
    size_ += more;
    indices_[size_ - 1] = column;
    values_[size_ - 1] = value;
  }

  void end_row() {
    rows_.own_indptr[++row_] = size_;
    begin_ = size_;
  }

  // For many at once: where the next entries of a row stand, and how many of them were written.
  std::int32_t* next_indices() { return indices_ + size_; }
  T* next_values() { return values_ + size_; }
  void end_row(std::int64_t written) {
    size_ += written;
    end_row();
  }

  void end_unsorted_row() {
    size_ = begin_ + sort_entries(output_.dtype, indices_ + begin_, values_ + begin_, size_ - begin_);
    end_row();
  }

  void finish() {
    rows_.indptr = rows_.own_indptr;
    rows_.indices = indices_;
    rows_.values = values_;
  }

  std::int64_t size() const { return size_; }

 private:
  void reload() {
    indices_ = rows_.own_indices;
    values_ = static_cast<T*>(rows_.own_values);
    capacity_ = rows_.capacity;
  }

  const Tensor& output_;
  SparseRows& rows_;
  std::int32_t* indices_ = nullptr;
  T* values_ = nullptr;
  std::int64_t size_ = 0, begin_ = 0, capacity_ = 0, row_ = 0;
};

// The same entries in the same places, with other values: returns where to write them, from entry indptr[0] on.
template <class T>
inline T* same_entries(const SparseRows& x, const Tensor& output, std::int64_t rows) {
  auto& y = *static_cast<SparseRows*>(output.data);
  reserve_entries(output, x.indptr[rows] - x.indptr[0]);
  y.indptr = x.indptr;
  y.indices = x.indices;
  T* values = static_cast<T*>(y.own_values);
  y.values = values - x.indptr[0];
  return values;
}

[[maybe_unused]] inline void require_sparse(const Tensor& tensor, const char* kernel) {
  if (!tensor.sparse) fail("%s: a tensor is dense where sparse rows are needed", kernel);
}

[[maybe_unused]] inline void require_dense(const Tensor& tensor, const char* kernel) {
  if (tensor.sparse) fail("%s: a tensor is sparse where dense values are needed", kernel);
}

}  // namespace
}  // namespace sardonyx
