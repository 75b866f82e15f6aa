// How threads share a row: few rows are too little to go round, but a step may fall into pieces (Kernel::pieces).
//
//   caller   step ─▶ step │ pieces 0 1   4 5 │ step ─▶ │ pieces 0 1 ... │ step      a frame of its own, with all values
//   worker     (awake)    │ pieces 2 3   6   │ (awake) │ pieces 2 3 ... │           of a frame at rest only the scratch
//
// Only steps that take long are shared, in calls that do; as long as that gains more than it loses (gain.h).
#include <algorithm>
#include <chrono>
#include <exception>

#include "runtime/frame.h"
#include "runtime/threads.h"

namespace sardonyx {
namespace {

constexpr double kLongStep = 8e3, kLongRow = 60e3;  // nanoseconds that are worth sharing
constexpr std::int64_t kGrabs = 4;                  // for each thread, that all may end together

}  // namespace

void Schedule::list_pieces() {
  double shared = 0;
  for (const std::int32_t index : steps_) {
    const LoadedStep& loaded = program_.steps()[index];
    const Kernel& kernel = loaded.entry->kernel;
    const bool divides = !loaded.by_element && kernel.pieces != nullptr && kernel.cost != nullptr;
    const double cost = divides ? kernel.cost(loaded.step) : 0;
    pieces_.push_back(cost >= kLongStep ? kernel.pieces(loaded.step) : 1);
    if (pieces_.back() > 1) shared += cost;
  }
  if (shared < kLongRow) pieces_.clear();
}

// False: to be run as others.
bool Schedule::run_divided(const Arrays& arrays, std::int64_t rows, int threads) const {
  const int most = threads > 0 ? threads : hardware_threads();
  if (most == 1 || rows == 0 || (rows > 1 && program_.block_rows() == 0)) return false;
  const bool divided = dividing_.worthwhile();
  const auto start = std::chrono::steady_clock::now();
  if (divided || rows == 1) {
    const auto make = [this] { return new Frame(*this, one_row_); };
    const Borrowed frame(one_row_frames_, make);
    for (std::int64_t row = 0; row < rows; ++row)
      divided ? frame->run_divided(arrays, row, most) : frame->run(arrays, row, 1);
  } else {
    run_serially(arrays, rows);
  }
  const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
  dividing_.took(divided, time.count() / static_cast<double>(rows), rows);
  return true;
}

void Frame::run_divided(const Arrays& arrays, std::int64_t row, int threads) {
  run_with(arrays, row, 1, [this, threads](std::size_t at) {
    const Call& call = calls[at];
    const std::int64_t pieces = schedule.pieces_[at];
    pieces > 1 ? divide(call, pieces, threads) : call.run(call.step, 1, call.context);
  });
}

void Frame::divide(const Call& call, std::int64_t pieces, int threads) {
  struct Work {
    const Schedule& schedule;
    const Call& call;
    std::int64_t pieces, grab;
    std::atomic<std::int64_t> next{0};
    std::atomic<bool> joined{false};
    std::mutex mutex{};
    std::exception_ptr error{};

    void take(const Context& context) {
      for (bool again = false;; again = true) {
        const std::int64_t first = next.fetch_add(grab, std::memory_order_relaxed);
        if (first >= pieces) return;
        call.run_pieces(call.step, context, {first, std::min(first + grab, pieces), again});
      }
    }

    // The first to join has the scratch of the row's own frame.
    void join() {
      if (!joined.exchange(true)) return take(call.context);
      if (next.load(std::memory_order_relaxed) >= pieces) return;
      const auto make = [this] { return new Frame(schedule, schedule.one_row_); };
      const Borrowed frame(schedule.one_row_frames_, make);
      take({frame->scratch, call.context.state});
    }
  };
  const std::int64_t helpers = std::min<std::int64_t>(threads, pieces);
  Work work{schedule, call, pieces, std::max<std::int64_t>(1, pieces / (kGrabs * helpers))};
  const auto body = [](void* context) {
    auto& shared = *static_cast<Work*>(context);
    try {
      shared.join();
    } catch (...) {
      shared.next.store(shared.pieces, std::memory_order_relaxed);
      const std::lock_guard lock(shared.mutex);
      shared.error = std::current_exception();
    }
  };
  run_on_threads(static_cast<int>(helpers), body, &work);
  if (work.error != nullptr) std::rethrow_exception(work.error);
}

}  // namespace sardonyx
