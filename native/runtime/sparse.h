// Sparse rows at the border and in a frame: what a caller gives is checked and put in order here, block by block.
//
//   caller's CSR      ─▶ load_block()  ─▶ SparseRows of a frame        in place where it is in order already
//   caller's array    ─▶ compress()    ─▶ SparseRows of a frame
//   caller's CSR      ─▶ expand()      ─▶ a dense block of a frame     for a program that takes dense rows
//   SparseRows        ─▶ SparseResult  ─▶ caller's CSR                 see runtime/sparse_result.h
#pragma once

#include "sardonyx/sparse.h"

namespace sardonyx {

// A caller's CSR matrix; nothing of it is trusted but that the arrays have these sizes.
struct Csr {
  const void* indptr;   // rows + 1 offsets
  const void* indices;  // `entries` columns
  const void* values;   // `entries` values of the input's dtype
  std::int64_t entries;
  bool wide;  // both are int64; else int32
};

// Memory of one sparse slot in a frame.
class SparseBuffer {
 public:
  SparseBuffer(DType dtype, std::int64_t rows);
  ~SparseBuffer();
  SparseBuffer(SparseBuffer&& other) noexcept;
  SparseBuffer(const SparseBuffer&) = delete;
  SparseBuffer& operator=(const SparseBuffer&) = delete;

  SparseRows& rows() { return rows_; }
  DType dtype() const { return dtype_; }

  // Rows first .. first + rows of a caller's matrix. Throws Error when it is not a legal one; of `any` entries, columns
  // are left as they are, for the kernels to check.
  void load(const Csr& csr, std::int64_t first, std::int64_t rows, std::int64_t width, bool any = false);
  // Rows of a dense array; what equals zero gets no entry.
  void compress(const void* dense, std::int64_t rows, std::int64_t width);
  // The rows as a dense block.
  void expand(void* dense, std::int64_t rows, std::int64_t width) const;

 private:
  void take_columns(const Csr& csr, std::int64_t rows, std::uint64_t width);
  void check_columns(std::int64_t rows, std::int32_t width);
  void put_in_order(std::int64_t rows);

  DType dtype_;
  SparseRows rows_{};
};

}  // namespace sardonyx
