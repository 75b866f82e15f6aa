// Sparse rows: what a sparse Tensor's `data` points to. Compressed sparse rows, one block of them at a time.
//
//   block of 3 rows x width      indptr   10 12 12 15          rows + 1 numbers, never decreasing; the first may be > 0
//     . 7 . 1                    indices  ..  1  3 | 0  2  3    columns, strictly ascending within a row, < width
//     . . . .                    values   ..  7  1 | 4  0  5    of the tensor's dtype; a zero may be stored
//     4 . 0 5                             ^ entry indptr[0]
//
// A column that has no entry is zero (false). Entries of a row are sorted and distinct: what comes from outside is
// checked, and put in order, before a kernel sees it (runtime/sparse.h), unless no kernel that sees it minds
// (Kernel::any_entries); what a kernel writes, it writes so.
//
// Memory is bounded by the entries of a block, never by the width. It belongs to a frame and is used again, so that a
// warm call allocates nothing. It lives until the block is done, whoever reads it: a step that changes values only may
// let its output point to the indptr and indices of its input.
#pragma once

#include "sardonyx/tensor.h"

namespace sardonyx {

struct SparseRows {
  // To read. Of an output: to be set by its step, to memory below or to an input's.
  const std::int64_t* indptr;
  const std::int32_t* indices;
  const void* values;
  // Entries behind those of the block that may be read too, to fetch what the next block needs: nothing is known of
  // them.
  std::int64_t beyond;
  // An output's own memory, to write to: rows + 1 offsets, and `capacity` entries. See reserve_entries().
  std::int64_t* own_indptr;
  std::int32_t* own_indices;
  void* own_values;
  std::int64_t capacity;
};

// Makes room for `entries` entries in all in the own memory of a sparse output; those that are there stay. Grows by
// half at least, so that row after row may be appended. Throws std::bad_alloc.
void reserve_entries(const Tensor& output, std::int64_t entries);

// Puts the entries of one row in order, wherever they are: sorted by column, those of one column added up in the order
// they stand in. Returns how many are left. (Numbers and booleans; sums of booleans are "or", as scipy has it.)
std::int64_t sort_entries(DType dtype, std::int32_t* indices, void* values, std::int64_t entries);

}  // namespace sardonyx
