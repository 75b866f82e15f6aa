// Whether to go on with a way that takes less time on idle processors, and much more where other processes want them:
// as long as it brings more than it loses (account.h), beside calls without it that say what is gained.
//
//   calls   0 1 2 3 | 4 5 6 7 ... 62   63        64 ...      a loss: many calls without, until it is made good
//           without | with it          without   with it
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/account.h"

namespace sardonyx {

class Gain {
 public:
  // Whether the next call is to go this way.
  bool worthwhile() {
    const std::uint32_t call = call_.fetch_add(1, std::memory_order_relaxed);
    return call >= kFirst && call % kOften != kOften - 1 && !account_.rests();
  }

  // Threads may lose each other's news.
  void took(bool this_way, double nanoseconds_per_row, std::int64_t rows) {
    const double without = without_.load(std::memory_order_relaxed);
    if (this_way)
      return account_.took(nanoseconds_per_row * static_cast<double>(rows), without * static_cast<double>(rows));
    const double share = without == 0 ? 1 : nanoseconds_per_row < without ? 0.5 : 0.125;
    without_.store(without + share * (nanoseconds_per_row - without), std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint32_t kFirst = 4, kOften = 64;
  Account account_{200e3};  // nanoseconds
  std::atomic<std::uint32_t> call_{0};
  std::atomic<double> without_{0};  // nanoseconds per row
};

}  // namespace sardonyx
