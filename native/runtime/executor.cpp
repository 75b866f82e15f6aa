// How a Schedule is run: by one thread or several, block of rows by block of rows.
#include "runtime/executor.h"

#include <algorithm>
#include <new>
#include <thread>

#include "runtime/first_error.h"
#include "runtime/frame.h"
#include "runtime/threads.h"

namespace sardonyx {
namespace {

constexpr std::int64_t kFewestRows = 8;                   // that are worth sharing out
constexpr std::size_t kMaxStaged = std::size_t{1} << 22;  // bytes of a sparse input made dense at a time, if it can be

}  // namespace

// Rows that pass through the steps together: fewer where sparse inputs have to be made dense.
std::int64_t Schedule::block_rows(const Arrays& arrays) const {
  std::int64_t most = block_.rows;
  for (std::size_t i = 0; arrays.sparse_inputs != nullptr && i < program_.inputs().size(); ++i) {
    const Slot& slot = program_.slots()[program_.inputs()[i]];
    if (slot.tensor.sparse || arrays.sparse_inputs[i] == nullptr) continue;
    most = std::min(most, static_cast<std::int64_t>(kMaxStaged / std::max<std::size_t>(1, slot.row_bytes)));
  }
  return std::max<std::int64_t>(1, most);
}

void Schedule::run(const Arrays& arrays, std::int64_t rows, int threads) const {
  if (!pieces_.empty() && rows < kFewestRows && run_divided(arrays, rows, threads)) return;
  if (rows == 1) {
    const auto make = [this] { return new Frame(*this, one_row_); };
    Borrowed(one_row_frames_, make)->run(arrays, 0, 1);
  } else if (program_.block_rows() == 0) {
    run_whole(arrays, rows);
  } else {
    const int most = threads > 0 ? threads : hardware_threads();
    const bool alone = most == 1 || rows < kFewestRows || !pace_.worth_joining(rows) || !pace_.may_share(rows);
    if (alone) return run_serially(arrays, rows);
    Burst burst;
    const int useful = pace_.threads_for(rows, most, workers_awake());
    if (useful == 1) {
      if (burst.goes_on()) wake_workers(most - 1);
      return run_serially(arrays, rows);
    }
    burst.joined();
    run_in_parallel(arrays, rows, useful);
    pace_.shared(rows, burst.nanoseconds());
  }
}

void Schedule::run_whole(const Arrays& arrays, std::int64_t rows) const {
  if (rows > 0) Frame(*this, layout_for(rows)).run(arrays, 0, rows);
}

void Schedule::run_serially(const Arrays& arrays, std::int64_t rows) const {
  if (rows == 0) return;
  const auto make = [this] { return new Frame(*this, block_); };
  const Borrowed frame(block_frames_, make);
  const std::int64_t block = block_rows(arrays);
  pace_.watch(rows, [&] {
    for (std::int64_t first = 0; first < rows; first += block) {
      frame->run(arrays, first, std::min(block, rows - first));
    }
  });
}

namespace {

// Rows are handed out in tasks: large ones first, for a thread to stay with its rows, then smaller ones, for all
// threads to end together; of few rows, each thread gets an equal share. A task is never more than a block.
struct Tasks {
  std::int64_t rows, most, smallest;
  int threads;
  std::atomic<std::int64_t> next{0};

  // Sets where the task begins; returns its rows, none when all are handed out.
  std::int64_t take(std::int64_t& first) {
    first = next.load(std::memory_order_relaxed);
    for (;;) {
      if (first >= rows) return 0;
      const std::int64_t size = std::min({task_at(first), most, rows - first});
      if (next.compare_exchange_weak(first, first + size, std::memory_order_relaxed)) return size;
    }
  }

  void stop() { next.store(rows, std::memory_order_relaxed); }

 private:
  std::int64_t task_at(std::int64_t first) const {
    const std::int64_t workers = threads;
    if (rows <= 2 * workers * smallest) return (rows + workers - 1) / workers;
    const std::int64_t share = std::max((rows - first) / (2 * workers), rows / (6 * workers));
    return (share + smallest) / smallest * smallest;
  }
};

}  // namespace

void Schedule::run_in_parallel(const Arrays& arrays, std::int64_t rows, int threads) const {
  struct Work {
    const Schedule& schedule;
    const Arrays& arrays;
    Tasks tasks;
    FirstError error{};
  } work{*this, arrays, {rows, block_rows(arrays), pace_.smallest_task(), threads}};
  const auto body = [](void* context) {
    auto& [schedule, arrays, tasks, error] = *static_cast<Work*>(context);
    std::int64_t first = 0;
    try {
      const auto make = [&schedule] { return new Frame(schedule, schedule.block_); };
      const Borrowed frame(schedule.block_frames_, make);
      while (const std::int64_t count = tasks.take(first)) {
        schedule.pace_.watch(count, [&] { frame->run(arrays, first, count); });
      }
    } catch (...) {
      tasks.stop();
      error.keep(first);
    }
  };
  run_on_threads(threads, body, &work);
  work.error.rethrow();
}

// ---- schedules -----------------------------------------------------------------------------------------------------

Executor::Executor(const Program& program) : program_(program) {
  std::vector<std::int32_t> all(program.outputs().size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int32_t>(i);
  all_ = std::make_unique<Schedule>(program, std::move(all));
}

const Schedule& Executor::for_outputs(std::span<const std::int32_t> outputs) const {
  if (std::ranges::equal(all_->outputs(), outputs)) return *all_;
  const std::lock_guard lock(mutex_);
  for (const auto& schedule : chosen_) {
    if (std::ranges::equal(schedule->outputs(), outputs)) return *schedule;
  }
  chosen_.push_back(std::make_unique<Schedule>(program_, std::vector<std::int32_t>(outputs.begin(), outputs.end())));
  return *chosen_.back();
}

}  // namespace sardonyx
