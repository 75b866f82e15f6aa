// What a thing usually takes, of times of which some were interrupted.
#pragma once

#include <atomic>

namespace sardonyx {

class Estimate {
 public:
  double value() const { return value_.load(std::memory_order_relaxed); }

  // Before the first observation, which takes its place.
  void guess(double value) { value_.store(value, std::memory_order_relaxed); }

  // A time that was interrupted says too much, so what is less counts more. Threads may lose each other's news.
  void observe(double value) {
    const double known = this->value();
    const double share = !observed_.load(std::memory_order_relaxed) ? 1.0 : value < known ? 0.5 : 0.125;
    value_.store(known + share * (value - known), std::memory_order_relaxed);
    observed_.store(true, std::memory_order_relaxed);
  }

 private:
  std::atomic<double> value_{0};
  std::atomic<bool> observed_{false};
};

}  // namespace sardonyx
