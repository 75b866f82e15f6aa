// Whether to go on with a thing that gains a little in most calls and loses much in some: an account of what it
// brought, where it is known what a call takes without. All calls count; a trial (trial.h) looks at those of late.
//
//   balance    │   ╱╲╱╲╱╲ gains, kept up to what may be lost at once
//              │  ╱      │
//            0 │─╱───────│──────────────────────────────────────────────────
//              │         ▼ a loss beyond the limit: rest for many calls, and for twice as many the next time
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace sardonyx {

class Account {
 public:
  // `limit`: nanoseconds that may be lost before a rest.
  explicit Account(double limit) : limit_(limit) {}

  // Whether the next call is to go without. Threads may lose each other's news.
  bool rests() {
    const int left = resting_.load(std::memory_order_relaxed);
    if (left > 0) resting_.store(left - 1, std::memory_order_relaxed);
    return left > 0;
  }

  // A call took `time` nanoseconds with it, and takes `without` without it.
  void took(double time, double without) {
    const double balance = std::min(balance_.load(std::memory_order_relaxed) + without - time, limit_);
    const int rest = rest_.load(std::memory_order_relaxed);
    if (time <= without) rest_.store(std::max(rest - rest / kShort, kShort), std::memory_order_relaxed);
    balance_.store(balance >= -limit_ ? balance : 0, std::memory_order_relaxed);
    if (balance < -limit_) rest_for(std::max<double>(rest, -kDear * balance / without));
  }

 private:
  static constexpr int kShort = 64, kLong = 1 << 14;  // calls
  static constexpr double kDear = 8;                  // of a time with rests, a loss is at most 1/8

  void rest_for(double calls) {
    resting_.store(static_cast<int>(std::min<double>(calls, kLong)), std::memory_order_relaxed);
    rest_.store(std::min(2 * rest_.load(std::memory_order_relaxed), kLong), std::memory_order_relaxed);
  }

  const double limit_;
  std::atomic<double> balance_{0};
  std::atomic<int> resting_{0}, rest_{kShort};
};

}  // namespace sardonyx
