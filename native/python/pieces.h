// A program run on pieces of rows: the inputs that wait are read for a piece just before it runs, on its own thread.
//
//     columns  ──read──▶ a thread's memory ──▶ schedule.run ──▶ the caller's outputs        1000 rows or so at a time
//
// A piece's inputs stay in the cache, and no memory is taken for all rows of a column.
#pragma once

#include <cstdint>
#include <span>

#include "python/reader.h"
#include "runtime/executor.h"

namespace sardonyx::python {

// One input or output as its memory is laid out.
struct Span {
  DType dtype;
  std::int64_t width;
};

struct Pieces {
  const Schedule& schedule;
  const ColumnReader& reader;
  std::span<const Input> inputs;
  std::span<const Span> input_spans, output_spans;
  std::span<void* const> outputs;
  std::int64_t rows, piece;
  KeptTexts* texts;

  // False: a value does not fit. Throws the first error in the order of rows. Needs no GIL.
  bool run(int threads) const;
};

}  // namespace sardonyx::python
