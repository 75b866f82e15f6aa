// Which of two ways of doing a thing takes less time here, found out by going both. Neither may take much longer in
// some calls than in most: what was measured of late decides. Where one may, see gain.h.
//
//   calls   0 1 2 3 4 5 6 7 | 8 ...                            32 ...                       64 ...
//   way     a b a b a b a b | the one that took less of late   the other one, to be fair    ...
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace sardonyx {

class Trial {
 public:
  // Whether the next call is to go the second way.
  bool second() {
    const std::uint32_t call = call_.fetch_add(1, std::memory_order_relaxed);
    if (call < kInTurn) return call % 2 == 1;
    const bool faster = time_[1].load(std::memory_order_relaxed) < time_[0].load(std::memory_order_relaxed);
    return call % kOften == 0 ? !faster : faster;
  }

  // One call in a thousand that was interrupted for long is not to decide about all others.
  void took(bool second, double time) {
    std::atomic<double>& known = time_[second ? 1 : 0];
    const double before = known.load(std::memory_order_relaxed);
    known.store(before == 0 ? time : (before + std::min(time, kMost * before)) / 2, std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint32_t kInTurn = 8, kOften = 32;
  static constexpr double kMost = 3;
  std::atomic<std::uint32_t> call_{0};
  std::atomic<double> time_[2]{0, 0};
};

}  // namespace sardonyx
