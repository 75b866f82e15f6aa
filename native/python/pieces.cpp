#include "python/pieces.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "runtime/first_error.h"
#include "runtime/threads.h"

namespace sardonyx::python {
namespace {

std::int64_t row_bytes(const Span& span) { return span.width * static_cast<std::int64_t>(item_size(span.dtype)); }

// What the threads share: who takes which piece, and what went wrong first.
struct Shared {
  const Pieces& pieces;
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> fits{true};
  FirstError error{};
};

// One thread's memory.
class Worker {
 public:
  explicit Worker(const Pieces& pieces)
      : pieces_(pieces), inputs_(pieces.inputs.size()), outputs_(pieces.outputs.size()) {
    std::vector<std::size_t> places(inputs_.size());
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      places[i] = bytes;
      if (!pieces.inputs[i].waits()) continue;
      bytes += (static_cast<std::size_t>(row_bytes(pieces.input_spans[i]) * pieces.piece) + 63) / 64 * 64;
    }
    memory_.reset(new std::byte[bytes]);
    for (std::size_t i = 0; i < inputs_.size(); ++i) inputs_[i] = memory_.get() + places[i];
  }

  bool run(std::int64_t first, std::int64_t rows) {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const Input& input = pieces_.inputs[i];
      const Span& span = pieces_.input_spans[i];
      if (!input.waits()) {
        inputs_[i] = static_cast<const std::byte*>(input.data) + first * row_bytes(span);
      } else if (!pieces_.reader.read(input, span.dtype, first, rows, const_cast<void*>(inputs_[i]))) {
        return false;
      }
    }
    for (std::size_t k = 0; k < outputs_.size(); ++k) {
      outputs_[k] = static_cast<std::byte*>(pieces_.outputs[k]) + first * row_bytes(pieces_.output_spans[k]);
    }
    pieces_.schedule.run({inputs_.data(), outputs_.data(), nullptr, nullptr, pieces_.texts}, rows, 1);
    return true;
  }

 private:
  const Pieces& pieces_;
  std::unique_ptr<std::byte[]> memory_;
  std::vector<const void*> inputs_;
  std::vector<void*> outputs_;
};

void work(void* context) {
  Shared& shared = *static_cast<Shared*>(context);
  const Pieces& pieces = shared.pieces;
  std::int64_t first = 0;
  try {
    Worker worker(pieces);
    while ((first = shared.next.fetch_add(pieces.piece, std::memory_order_relaxed)) < pieces.rows) {
      if (worker.run(first, std::min(pieces.piece, pieces.rows - first))) continue;
      shared.fits.store(false, std::memory_order_relaxed);
      break;
    }
  } catch (...) {
    shared.error.keep(first);
  }
  shared.next.store(pieces.rows, std::memory_order_relaxed);  // nobody starts another piece
}

}  // namespace

bool Pieces::run(int threads) const {
  Shared shared{*this};
  run_on_threads(static_cast<int>(std::min<std::int64_t>(threads, (rows + piece - 1) / piece)), work, &shared);
  if (!shared.fits) return false;  // the slow way finds any error again
  shared.error.rethrow();
  return true;
}

}  // namespace sardonyx::python
