// Runs a program, block of rows by block of rows.
//
//     caller's inputs   X ────┐ rows 0..255      256..511   ...        a block is the task of a thread
//     frame (arena)       ▶ step ▶ step ▶ step                         intermediates stay in the cache
//     caller's outputs                    └──▶ y rows 0..255  ...
//
// A program with a step that looks at all rows (Kernel::whole_batch) has one block, on one thread: the whole batch.
// Of few rows, threads share the steps that take long (runtime/divided.cpp).
//
// Sparse values are kept per frame, as large as their entries (runtime/sparse.h); they are not part of the arena. A
// caller may give any input dense or sparse, and take any sparse output either way: blocks are converted as they pass.
//
// A Schedule is the plan for one choice of outputs: which steps run, where every slot lives. A Frame is what one thread
// needs to follow it (runtime/frame.h); frames are kept and reused, so a call allocates nothing once they exist.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "runtime/gain.h"
#include "runtime/pace.h"
#include "runtime/program.h"
#include "runtime/sparse.h"
#include "runtime/sparse_result.h"
#include "runtime/texts.h"

namespace sardonyx {

// The caller's arrays, in the order of Program::inputs() and of the chosen outputs: rows x width, C-contiguous.
struct Arrays {
  const void* const* inputs;
  void* const* outputs;
  const Csr* const* sparse_inputs = nullptr;      // for each input, nullptr where `inputs` has it; nullptr: for all
  SparseResult* const* sparse_outputs = nullptr;  // for each output, nullptr where `outputs` has it; nullptr: for all
  KeptTexts* texts = nullptr;                     // takes over the texts that steps make, to which outputs point

  const Csr* csr(std::int32_t input) const { return sparse_inputs == nullptr ? nullptr : sparse_inputs[input]; }
  SparseResult* result(std::int32_t output) const {
    return sparse_outputs == nullptr ? nullptr : sparse_outputs[output];
  }
};

struct Frame;

// Frames at rest. Lock-free and without order, so that fork() and signals find nothing held.
class FramePool {
 public:
  FramePool() = default;
  ~FramePool();
  Frame* take();            // nullptr when there is none
  void give(Frame* frame);  // deletes it when the pool is full

 private:
  static constexpr int kPlaces = 32;
  struct alignas(64) Place {  // each in its own line of the cache: threads that come and go do not wait for each other
    std::atomic<Frame*> frame{nullptr};
  };
  std::array<Place, kPlaces> places_{};
};

class Schedule {
 public:
  // `outputs`: indices into program.outputs(). The program must outlive the schedule.
  Schedule(const Program& program, std::vector<std::int32_t> outputs);

  // Thread-safe. Throws Error when a step refuses a value (the first such row block's message) and std::bad_alloc.
  void run(const Arrays& arrays, std::int64_t rows, int threads) const;

  const std::vector<std::int32_t>& outputs() const { return outputs_; }
  double nanoseconds_per_row() const { return pace_.per_row(); }  // an estimate
  // Of all outputs of a row; -1 where one of them is text, or sparse rows.
  std::int64_t bytes_of_numbers() const { return bytes_of_numbers_; }

 private:
  friend struct Frame;
  enum class Home : std::uint8_t { none, input, output, constant, arena, sparse };

  struct Place {  // where a slot lives
    Home home = Home::none;
    std::int32_t index = -1;     // input / output number, arena buffer, or number in sparse_
    std::int32_t root = -1;      // the slot whose memory it shares (itself, if none)
    std::int32_t last_use = -1;  // of a root: the last step (as index into steps_) that reads the memory
  };

  struct Buffer {  // of the arena; a buffer serves several slots, one after the other
    std::size_t row_bytes;
    bool free;
  };

  struct Patch {  // a tensor of a frame that points into the caller's arrays
    std::int32_t tensor;
    bool output;
    std::int32_t index;
    std::size_t row_bytes;
  };

  struct Copy {  // an output that no step writes: an input, or a constant repeated for every row
    std::int32_t output;
    std::int32_t input;  // -1: the constant
    const void* constant;
    std::size_t row_bytes;
  };

  struct SparseInput {  // an input whose rows the program takes sparse
    std::int32_t input, buffer;
    std::int64_t width;
    std::size_t row_bytes;
    bool any;  // its entries may be as the caller has them: see Kernel::any_entries
  };

  struct SparseOutput {
    std::int32_t output, buffer;
    std::int64_t width;
    std::size_t row_bytes;
  };

  struct Layout {  // of a frame for up to `rows` rows
    std::int64_t rows = 0;
    std::vector<std::size_t> buffer_at;
    std::size_t scratch_at = 0, bytes = 0;
  };

  std::int32_t new_sparse(std::int32_t slot);
  bool takes_any_entries(std::int32_t slot) const;
  std::int64_t block_rows(const Arrays& arrays) const;
  std::int64_t count_bytes() const;
  void choose_steps();
  void place_interface();
  void share_memory();
  void allocate_buffers();
  bool takes_over(std::int32_t step, const LoadedStep& loaded) const;
  std::int32_t free_buffer(std::size_t row_bytes);
  void list_patches();
  void list_pieces();
  double guessed_cost() const;
  Layout layout_for(std::int64_t rows) const;

  void run_whole(const Arrays& arrays, std::int64_t rows) const;
  void run_serially(const Arrays& arrays, std::int64_t rows) const;
  void run_in_parallel(const Arrays& arrays, std::int64_t rows, int threads) const;
  bool run_divided(const Arrays& arrays, std::int64_t rows, int threads) const;

  const Program& program_;
  std::vector<std::int32_t> outputs_;
  std::int64_t bytes_of_numbers_;
  std::vector<std::int32_t> steps_;  // the needed ones, in order
  std::vector<Place> places_;        // of each slot
  std::vector<Buffer> buffers_;
  std::vector<Patch> patches_;
  std::vector<Copy> copies_;
  std::vector<std::int64_t> pieces_;  // of each of steps_: more than 1 where threads may share a row; empty if nowhere
  std::vector<DType> sparse_;         // of each sparse buffer of a frame
  std::vector<SparseInput> sparse_inputs_;
  std::vector<SparseOutput> sparse_outputs_;
  mutable Pace pace_;
  mutable Gain dividing_;
  Layout one_row_, block_;
  mutable FramePool one_row_frames_, block_frames_;
};

// The schedules of a program, made when first asked for.
class Executor {
 public:
  explicit Executor(const Program& program);
  const Schedule& all_outputs() const { return *all_; }
  const Schedule& for_outputs(std::span<const std::int32_t> outputs) const;

 private:
  const Program& program_;
  std::unique_ptr<Schedule> all_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Schedule>> chosen_;
};

}  // namespace sardonyx
