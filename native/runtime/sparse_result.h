// What becomes of the blocks of one sparse output: the arrays of a CSR matrix, which the caller takes over as they are.
//
//   blocks, from any thread   0 ─▶ 1 ─▶ 2   appended where they belong, as long as all before them are there
//                                       4   waits, copied, for 3
//   columns, values           ███████████░░░░░  as large as the rows so far let expect; untouched pages cost nothing
//
// Threads take blocks in order (executor.cpp), so that few have to wait, and what is written once is not copied again:
// fresh pages are a large part of the time of large results.
#pragma once

#include <cstdlib>
#include <memory>
#include <mutex>
#include <vector>

#include "sardonyx/sparse.h"

namespace sardonyx {

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};
using Allocated = std::unique_ptr<void, Free>;  // malloc's

class SparseResult {
 public:
  SparseResult(std::int64_t rows, std::size_t item);

  // Every row once. Thread-safe. Throws std::bad_alloc.
  void add(std::int64_t first, std::int64_t rows, const SparseRows& block);

  // To be called when all blocks are there.
  std::int64_t entries() const { return entries_; }
  const std::int64_t* indptr() const { return static_cast<std::int64_t*>(indptr_.get()); }
  Allocated take_indices();  // int32
  Allocated take_values();

 private:
  struct Piece {
    std::int64_t first, rows;
    const std::int64_t* indptr;  // from whatever number on
    const std::int32_t* indices;
    const void* values;

    std::int64_t entries() const { return indptr[rows] - indptr[0]; }
  };

  struct Waiting {
    Piece piece;
    Allocated memory;
  };

  static Waiting copy(const Piece& piece, std::size_t item);
  void append(const Piece& piece);
  void append_waiting();
  void reserve(std::int64_t entries, std::int64_t rows);
  void resize(std::int64_t capacity);

  const std::int64_t rows_;
  const std::size_t item_;
  std::mutex mutex_;
  Allocated indptr_, indices_, values_;
  std::int64_t next_ = 0, entries_ = 0, capacity_ = 0;  // the first row that is missing
  std::vector<Waiting> waiting_;
};

}  // namespace sardonyx
