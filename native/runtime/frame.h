// What one thread needs to follow a Schedule: its copy of the steps, with tensors that point into an arena of its own.
//
//   run():  point the tensors at the caller's rows ─▶ make sparse rows dense, or dense ones sparse ─▶ step ▶ step ...
//           ─▶ copy what no step writes, and hand sparse results over
#pragma once

#include <memory>
#include <new>
#include <vector>

#include "runtime/error.h"
#include "runtime/executor.h"

namespace sardonyx {

constexpr std::size_t kArenaAlignment = 64;

struct Frame {
  Frame(const Schedule& schedule, const Schedule::Layout& layout);
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  // Runs all steps on some of the caller's rows, at most as many as the layout has room for.
  void run(const Arrays& arrays, std::int64_t first, std::int64_t rows);
  // One row, some steps shared by threads.
  void run_divided(const Arrays& arrays, std::int64_t row, int threads);

 private:
  struct Call {
    void (*run)(const Step&, std::int64_t, const Context&);
    Step step;
    Context context;
    void (*run_pieces)(const Step&, const Context&, const Pieces&) = nullptr;
  };

  // Sparse rows for inputs that the program takes dense: made dense here, for this block only.
  struct Staged {
    std::int32_t input;
    SparseBuffer rows;
    std::vector<std::byte> dense;
  };

  struct Release {
    void operator()(std::byte* memory) const { ::operator delete(memory, std::align_val_t{kArenaAlignment}); }
  };

  template <class RunCall>
  void run_with(const Arrays& arrays, std::int64_t first, std::int64_t rows, RunCall run_call);
  void divide(const Call& call, std::int64_t pieces, int threads);
  void stage_inputs(const Arrays& arrays, std::int64_t first, std::int64_t rows);
  Staged& staged_of(std::int32_t input, DType dtype);
  void read_sparse(const Schedule::SparseInput& input, const Arrays& arrays, std::int64_t first, std::int64_t rows);
  void write_sparse(const Schedule::SparseOutput& output, const Arrays& arrays, std::int64_t first, std::int64_t rows);
  void add_tensors(const LoadedStep& loaded, const Schedule::Layout& layout);
  const Tensor* add_call(const LoadedStep& loaded, const Tensor* at);
  void copy_rows(const Schedule::Copy& copy, const Arrays& arrays, std::int64_t first, std::int64_t rows);

  const Schedule& schedule;
  std::int64_t layout_rows;
  std::unique_ptr<std::byte, Release> arena;
  std::byte* scratch;
  std::vector<SparseBuffer> sparse;
  std::vector<Staged> staged;
  std::vector<Tensor> tensors;
  std::vector<Call> calls;
  TextPages texts;  // calls point to it
};

// ---- what one row passes through: inline ----------------------------------------------------------------------------

inline void Frame::run(const Arrays& arrays, std::int64_t first, std::int64_t rows) {
  run_with(arrays, first, rows,
           [this, rows](std::size_t at) { calls[at].run(calls[at].step, rows, calls[at].context); });
}

template <class RunCall>
inline void Frame::run_with(const Arrays& arrays, std::int64_t first, std::int64_t rows, RunCall run_call) {
  for (const Schedule::Patch& patch : schedule.patches_) {
    void* base = patch.output ? arrays.outputs[patch.index] : const_cast<void*>(arrays.inputs[patch.index]);
    const bool staged = !patch.output && arrays.csr(patch.index) != nullptr;
    tensors[patch.tensor].data = staged ? nullptr : static_cast<std::byte*>(base) + first * patch.row_bytes;
  }
  if (arrays.sparse_inputs != nullptr) stage_inputs(arrays, first, rows);
  for (const Schedule::SparseInput& input : schedule.sparse_inputs_) read_sparse(input, arrays, first, rows);
  if (!texts.empty()) texts.clear();  // of a block that failed
  std::size_t at = 0;
  try {
    for (; at < calls.size(); ++at) run_call(at);
  } catch (const Error& error) {
    const std::string& label = schedule.program_.steps()[schedule.steps_[at]].label;
    throw Error(label.empty() ? error.what() : label + ": " + error.what());
  }
  for (const Schedule::Copy& copy : schedule.copies_) copy_rows(copy, arrays, first, rows);
  for (const Schedule::SparseOutput& output : schedule.sparse_outputs_) write_sparse(output, arrays, first, rows);
  if (!texts.empty() && arrays.texts != nullptr) arrays.texts->keep(texts);
}

// Threads come back to the place where they left their frame, which is still in their core's cache.
inline std::size_t first_place() {
  static std::atomic<std::size_t> counter{0};
  thread_local const std::size_t mine = counter.fetch_add(1, std::memory_order_relaxed);
  return mine;
}

inline Frame* FramePool::take() {
  const std::size_t first = first_place();
  for (int i = 0; i < kPlaces; ++i) {
    auto& place = places_[(first + i) % kPlaces].frame;
    if (place.load(std::memory_order_relaxed) == nullptr) continue;
    if (Frame* frame = place.exchange(nullptr, std::memory_order_acquire)) return frame;
  }
  return nullptr;
}

inline void FramePool::give(Frame* frame) {
  const std::size_t first = first_place();
  for (int i = 0; i < kPlaces; ++i) {
    Frame* empty = nullptr;
    if (places_[(first + i) % kPlaces].frame.compare_exchange_strong(empty, frame, std::memory_order_release)) return;
  }
  delete frame;
}

// A frame for the time of a call; goes back to rest also when a step threw.
template <class Make>
class Borrowed {
 public:
  Borrowed(FramePool& pool, const Make& make) : pool_(pool), frame_(pool.take()) {
    if (frame_ == nullptr) frame_ = make();
  }
  ~Borrowed() { pool_.give(frame_); }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  Frame* operator->() const { return frame_; }

 private:
  FramePool& pool_;
  Frame* frame_;
};

}  // namespace sardonyx
