// How long the rows of a program take, and how many threads are worth waking for them.
//
//   before the first long call   the kernels' own guesses, added up
//   afterwards                   what calls took on this machine, with this cache, beside these neighbours
//
// A thread that sleeps works about kWaking after it was called (measured on a virtual machine, where an idle processor
// has to be woken too: 35 to 60 microseconds). Until then it takes no rows, and whoever called it has paid for the
// call: two threads end after (T + kWaking) / 2, which may be less than T beyond kWorthWaking, and surely is beyond
// kSurelyShared. Between them it is tried: rows that share what is loaded for them, the nodes of deep trees, take more
// in two halves. One that is still awake (runtime/threads.h) joins at once, and is worth kWorthJoining; of short calls
// that follow each other closely, one wakes a worker for the next ones' sake.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "runtime/account.h"
#include "runtime/estimate.h"
#include "runtime/trial.h"

namespace sardonyx {

class Pace {
 public:
  void guess(double nanoseconds_per_row) { per_row_.guess(nanoseconds_per_row); }
  double per_row() const { return per_row_.value(); }
  double of(std::int64_t rows) const { return per_row() * static_cast<double>(rows); }

  // Whether a thread that is awake may be worth calling.
  bool worth_joining(std::int64_t rows) const { return of(rows) >= kWorthJoining; }

  bool may_share(std::int64_t rows) {
    if (of(rows) >= kSurelyShared) return true;
    if (of(rows) >= kWorthWaking) return trial_.second();
    return !joining_.rests();
  }

  // A worker that loses its processor while it holds rows makes a short call very long.
  void shared(std::int64_t rows, double nanoseconds) {
    if (of(rows) >= kSurelyShared) return;
    if (of(rows) >= kWorthWaking) return trial_.took(true, nanoseconds / static_cast<double>(rows));
    joining_.took(nanoseconds, of(rows));
  }

  int threads_for(std::int64_t rows, int most, int awake) const {
    const double joining = std::min<double>(awake, of(rows) / kWorthJoining);
    return static_cast<int>(std::min<double>(most, 1 + std::max(joining, of(rows) / kWorthWaking)));
  }

  // Rows of the smallest piece of work that is worth handing out: whole tiles of every kernel.
  std::int64_t smallest_task() const {
    const double rows = kShortTask / std::max(per_row(), kShortTask / kManyTaskRows);
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(rows / kTaskUnit)) * kTaskUnit;
  }

  // Runs `work` on some rows, and looks at the clock if that may be worth its while.
  template <class Work>
  void watch(std::int64_t rows, Work work) {
    if (rows < kManyRows && of(rows) < kLong) return work();
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
    const double per_row = time.count() / static_cast<double>(rows);
    if (of(rows) >= kWorthWaking) trial_.took(false, per_row);
    per_row_.observe(per_row);
  }

 private:
  static constexpr double kWaking = 50e3, kWorthWaking = 1.5 * kWaking, kWorthJoining = 8e3;
  static constexpr double kSurelyShared = 6 * kWaking;
  static constexpr double kShortTask = 6e3;
  static constexpr std::int64_t kManyTaskRows = 16, kTaskUnit = 8;
  static constexpr double kLong = 10e3;
  static constexpr std::int64_t kManyRows = 4096;

  Account joining_{kWaking};
  Trial trial_;
  Estimate per_row_;  // nanoseconds
};

}  // namespace sardonyx
