// Whether to go on with a way that takes less time on idle processors, and much more where other processes want them:
// as long as it brings more than it loses, beside calls without it that say what is gained. This is an account
// (account.h) that finds out for itself what calls take without.
//
//   calls   0 1 2 3 | 4 5 6 7 ... 62   63        64 ...      a loss: many calls without, until it is made good
//           without | with it          without   with it
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/account.h"
#include "runtime/estimate.h"

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
    if (!this_way) return without_.observe(nanoseconds_per_row);
    account_.took(nanoseconds_per_row * static_cast<double>(rows), without_.value() * static_cast<double>(rows));
  }

 private:
  static constexpr std::uint32_t kFirst = 4, kOften = 64;
  Account account_{200e3};  // nanoseconds
  std::atomic<std::uint32_t> call_{0};
  Estimate without_;  // nanoseconds per row
};

}  // namespace sardonyx
